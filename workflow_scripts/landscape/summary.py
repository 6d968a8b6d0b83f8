"""Summarise accuracies and costs of a benchmark."""

from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.figures import write_csv
from terranas.core.script import run_script
from terranas.core.tables import write_table
from terranas.landscape.accuracy import summarise_accuracy
from terranas.landscape.distributions import describe_distributions
from terranas.landscape.known import known_metrics
from terranas.landscape.schema import DISTRIBUTION_SUMMARY


def main(snakemake: Any) -> None:
    benchmark = TabularBenchmark.open(snakemake.input.table)
    metrics = known_metrics(benchmark, snakemake.params.metrics)
    write_table(describe_distributions(benchmark, metrics), snakemake.output.distributions, DISTRIBUTION_SUMMARY)
    write_csv(summarise_accuracy(benchmark, benchmark.fidelities), snakemake.output.summary)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
