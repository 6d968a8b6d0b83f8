"""Correlate accuracies, costs, fidelities and the same architectures on other images."""

from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.script import run_script
from terranas.core.tables import write_table
from terranas.landscape.correlation import correlate
from terranas.landscape.pairs import pairs_of_tables
from terranas.landscape.schema import CORRELATIONS


def main(snakemake: Any) -> None:
    params = snakemake.params
    tables = [TabularBenchmark.open(path) for path in snakemake.input.tables]
    pairs = pairs_of_tables(tables, params.metrics, params.costs)
    found = correlate(pairs, seed=params.seed, resamples=params.resamples)
    write_table(found, snakemake.output.correlations, CORRELATIONS)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
