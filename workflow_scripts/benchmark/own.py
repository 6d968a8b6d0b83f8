"""Import a table of one's own as a benchmark table."""

from pathlib import Path
from typing import Any

from terranas.benchmark.imported import store_import
from terranas.benchmark.own import import_own
from terranas.benchmark.space_index import CELL_COLUMNS, SpaceIndex
from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.space.complexity import NetworkShape
from terranas.space.schema import CELLS


def main(snakemake: Any) -> None:
    path = Path(snakemake.input.records)
    with path.open("rb") as file:
        index = SpaceIndex(read_table(snakemake.input.cells, CELLS, columns=CELL_COLUMNS))
        imported = import_own(file, path.name, index, NetworkShape(**snakemake.params.network))
    store_import(imported, snakemake.output.table, snakemake.output.report)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
