"""Import both search spaces of TransNAS-Bench-101 as benchmark tables."""

from pathlib import Path
from typing import Any

from terranas.benchmark.imported import store_import
from terranas.benchmark.transnas_bench101 import import_transnas_bench101
from terranas.core.script import run_script


def main(snakemake: Any) -> None:
    paths, results = snakemake.input, snakemake.output
    tolerate = snakemake.params.disagreement == "report"
    with Path(paths.macro).open("rb") as file:
        macro = import_transnas_bench101(file, Path(paths.macro).name, "macro")
    with Path(paths.micro).open("rb") as file:
        micro = import_transnas_bench101(file, Path(paths.micro).name, "micro")
    store_import(macro, results.macro, results.report_macro, tolerate=tolerate)
    store_import(micro, results.micro, results.report_micro, tolerate=tolerate)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
