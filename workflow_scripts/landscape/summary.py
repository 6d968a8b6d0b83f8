"""Summarise the accuracies of the study's benchmark by split."""

from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.figures import write_csv
from terranas.core.script import run_script
from terranas.landscape.accuracy import summarise_accuracy


def main(snakemake: Any) -> None:
    benchmark = TabularBenchmark.open(snakemake.input.table)
    write_csv(summarise_accuracy(benchmark), snakemake.output.summary)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
