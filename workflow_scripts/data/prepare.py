"""Make arrays ready to train from, their statistics and their manifest."""

from typing import Any

from terranas.config.inputs import ImagesConfig
from terranas.core.files import write_json
from terranas.core.script import run_script
from terranas.core.tables import write_table
from terranas.data.layout import SPLITS
from terranas.data.npz import NpzReader
from terranas.data.prepare import prepare
from terranas.data.reader import Reader, check_facts
from terranas.data.schema import BAND_STATISTICS, CLASS_COUNTS
from terranas.data.so2sat import So2SatReader


def opened(files: list[str], settings: dict[str, Any]) -> Reader:
    if settings["source"] == "npz":
        return NpzReader(files[0], ImagesConfig.model_validate(settings["images"]), settings["seed"])
    return So2SatReader(dict(zip(SPLITS, files, strict=True)), settings["sensors"])


def main(snakemake: Any) -> None:
    settings = snakemake.params.data
    reader = opened(list(snakemake.input.raw), settings)
    check_facts(reader, **snakemake.params.image)
    arrays = {name: path for name, path in snakemake.output.items() if name.endswith(("_images", "_labels"))}
    prepared = prepare(reader, arrays)
    source = settings["source"]
    write_table(prepared.statistics_table(source), snakemake.output.statistics, BAND_STATISTICS)
    write_table(prepared.class_table(source), snakemake.output.class_counts, CLASS_COUNTS)
    write_json(snakemake.output.manifest, prepared.manifest(source))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
