"""Import NAS-Bench-101's published TFRecord file as a benchmark table."""

from pathlib import Path
from typing import Any

from terranas.benchmark.imported import store_import
from terranas.benchmark.nasbench101 import import_nasbench101
from terranas.benchmark.space_index import CELL_COLUMNS, SpaceIndex
from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.space.schema import CELLS


def main(snakemake: Any) -> None:
    path = Path(snakemake.input.records)
    with path.open("rb") as file:
        index = SpaceIndex(read_table(snakemake.input.cells, CELLS, columns=CELL_COLUMNS))
        imported = import_nasbench101(file, path.name, index)
    del index  # a hundred megabytes
    tolerate = snakemake.params.disagreement == "report"
    store_import(imported, snakemake.output.table, snakemake.output.report, tolerate=tolerate)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
