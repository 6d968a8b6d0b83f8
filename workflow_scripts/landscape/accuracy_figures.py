"""Draw how accuracies, costs and latency of a benchmark are distributed."""

from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.script import run_script
from terranas.landscape.distribution_figures import (
    accuracy_distribution,
    accuracy_words,
    cost_distribution,
    cost_words,
)
from terranas.landscape.latency_figure import latency_against, latency_words
from terranas.landscape.saving import save_figures


def main(snakemake: Any) -> None:
    benchmark, axis = TabularBenchmark.open(snakemake.input.table), snakemake.params.axis
    figures = {
        "accuracy_distribution": (accuracy_distribution(benchmark), accuracy_words(benchmark)),
        "cost_distribution": (cost_distribution(benchmark), cost_words(benchmark)),
        "latency": (latency_against(benchmark, axis), latency_words(benchmark, axis)),
    }
    save_figures(figures, dict(snakemake.output.items()))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
