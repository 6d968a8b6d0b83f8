"""Import NAS-Bench-101's published TFRecord file as a benchmark table."""

from pathlib import Path
from typing import Any

from terranas.benchmark.nasbench101 import import_nasbench101
from terranas.benchmark.schema import BENCHMARK
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.space.schema import CELLS


def main(snakemake: Any) -> None:
    cells = read_table(snakemake.input.cells, CELLS)
    path = Path(snakemake.input.records)
    with path.open("rb") as file:
        table, facts = import_nasbench101(file, path.name, cells)
    write_table(table, snakemake.output.table, BENCHMARK, facts)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
