"""Import HW-NAS-Bench's published latencies and energies as a benchmark table."""

from pathlib import Path
from typing import Any

from terranas.benchmark import nasbench201
from terranas.benchmark.hw_nas_bench import NEEDED, import_hw_nas_bench
from terranas.benchmark.imported import store_import
from terranas.core.script import run_script
from terranas.core.tables import read_table


def main(snakemake: Any) -> None:
    cells = read_table(snakemake.input.nasbench201, nasbench201.SCHEMA, columns=NEEDED)
    path = Path(snakemake.input.records)
    with path.open("rb") as file:
        imported = import_hw_nas_bench(file, path.name, cells)
    tolerate = snakemake.params.disagreement == "report"
    store_import(imported, snakemake.output.table, snakemake.output.report, tolerate=tolerate)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
