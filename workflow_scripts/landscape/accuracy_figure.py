"""Draw the distribution of the accuracies by split."""

from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.figures import save_figure
from terranas.core.script import run_script
from terranas.landscape.figures import accuracy_distribution


def main(snakemake: Any) -> None:
    benchmark = TabularBenchmark.open(snakemake.input.table)
    with accuracy_distribution(benchmark) as (drawn, numbers):
        save_figure(drawn, dict(snakemake.output.items()), numbers)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
