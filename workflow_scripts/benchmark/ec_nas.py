"""Import EC-NAS-Bench's published CSV files as a benchmark table."""

from pathlib import Path
from typing import Any

from terranas.benchmark.ec_nas import CsvFile, import_ec_nas
from terranas.benchmark.imported import store_import
from terranas.benchmark.space_index import CELL_COLUMNS, SpaceIndex
from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.space.schema import CELLS


def main(snakemake: Any) -> None:
    index = SpaceIndex(read_table(snakemake.input.cells, CELLS, columns=CELL_COLUMNS))
    four, five = Path(snakemake.input.four), Path(snakemake.input.five)
    with four.open("rb") as small, five.open("rb") as large:
        imported = import_ec_nas([CsvFile(small, four.name, 4), CsvFile(large, five.name, 5)], index)
    tolerate = snakemake.params.disagreement == "report"
    store_import(imported, snakemake.output.table, snakemake.output.report, tolerate=tolerate)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
