"""Import NAS-Bench-Macro's published file as a benchmark table."""

from pathlib import Path
from typing import Any

from terranas.benchmark.imported import store_import
from terranas.benchmark.nasbench_macro import import_nasbench_macro
from terranas.core.script import run_script


def main(snakemake: Any) -> None:
    path = Path(snakemake.input.records)
    with path.open("rb") as file:
        imported = import_nasbench_macro(file, path.name)
    tolerate = snakemake.params.disagreement == "report"
    store_import(imported, snakemake.output.table, snakemake.output.report, tolerate=tolerate)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
