"""Make arrays ready to train from, their statistics and their manifest."""

from pathlib import Path
from typing import Any

from terranas.core.files import write_json
from terranas.core.script import run_script
from terranas.core.tables import write_table
from terranas.data.opening import open_source, source_key
from terranas.data.prepare import Options, prepare
from terranas.data.reader import check_facts
from terranas.data.schema import BAND_STATISTICS, CLASS_COUNTS


def main(snakemake: Any) -> None:
    settings = snakemake.params.data
    reader = open_source(settings, snakemake.params.path)
    check_facts(reader, **snakemake.params.image)
    arrays = {name: path for name, path in snakemake.output.items() if name.endswith(("_images", "_labels"))}
    key = source_key(settings, snakemake.params.numerics, snakemake.input.raw)
    options = Options(settings["storage"], settings["not_finite"], key)
    prepared = prepare(reader, arrays, Path(snakemake.params.folder) / "_state" / "prepare", options)
    source = settings["source"]
    write_table(prepared.statistics_table(source), snakemake.output.statistics, BAND_STATISTICS)
    write_table(prepared.class_table(source), snakemake.output.class_counts, CLASS_COUNTS)
    write_json(snakemake.output.manifest, prepared.manifest(source))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
