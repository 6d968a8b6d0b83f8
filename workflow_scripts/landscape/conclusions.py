"""Test the conclusions of the thesis on the tables at hand."""

from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.landscape.conclusions import comparisons_of_tables, judge
from terranas.landscape.schema import CONCLUSIONS
from terranas.sampling.schema import WALKS


def main(snakemake: Any) -> None:
    paths, params = snakemake.input, snakemake.params
    tables = [TabularBenchmark.open(path) for path in paths.tables]
    walks = [read_table(path, WALKS) for path in paths.walks]
    comparisons = comparisons_of_tables(tables, walks, params.metrics, seed=params.seed, resamples=params.resamples)
    found = judge(comparisons, seed=params.seed, resamples=params.resamples)
    write_table(found, snakemake.output.conclusions, CONCLUSIONS)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
