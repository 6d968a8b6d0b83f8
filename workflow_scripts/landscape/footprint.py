"""Compute the footprint of a benchmark's landscape."""

from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.landscape.footprint import footprint, optima_of_measures
from terranas.landscape.graph_schema import GRAPH_MEASURES
from terranas.landscape.schema import FOOTPRINT, RUGGEDNESS_SUMMARY


def main(snakemake: Any) -> None:
    paths, params = snakemake.input, snakemake.params
    estimate, exact = optima_of_measures(read_table(paths.measures, GRAPH_MEASURES))
    table = footprint(
        TabularBenchmark.open(paths.table),
        params.fitness,
        seed=params.seed,
        walks=read_table(paths.ruggedness, RUGGEDNESS_SUMMARY),
        optima=estimate,
        exact_optima=exact,
        resamples=params.resamples,
    )
    write_table(table, snakemake.output.footprint, FOOTPRINT)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
