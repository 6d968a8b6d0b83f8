"""Make the table of all cells of the search space."""

from typing import Any

from terranas.core.script import run_script
from terranas.core.tables import write_table
from terranas.space.complexity import NetworkShape
from terranas.space.schema import CELLS
from terranas.space.table import cells_table


def main(snakemake: Any) -> None:
    shape = NetworkShape(**snakemake.params.image, **snakemake.params.network)
    cells = cells_table(**snakemake.params.space, shape=shape)
    write_table(cells, snakemake.output.cells, CELLS)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
