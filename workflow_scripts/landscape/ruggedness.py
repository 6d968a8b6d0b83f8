"""Compute the ruggedness of a benchmark along random walks."""

import logging
from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.landscape.known import known_metrics
from terranas.landscape.ruggedness import analyse_walks, summarise_ruggedness
from terranas.landscape.schema import RUGGEDNESS, RUGGEDNESS_SUMMARY
from terranas.sampling.schema import WALKS

logger = logging.getLogger("terranas.landscape")


def main(snakemake: Any) -> None:
    params = snakemake.params
    benchmark = TabularBenchmark.open(snakemake.input.table)
    walks = read_table(snakemake.input.walks, WALKS)
    metrics = known_metrics(benchmark, params.metrics)
    table = analyse_walks(walks, benchmark, metrics, seed=params.seed, resamples=params.resamples)
    if undefined := int(table["ruggedness"].isna().sum()):
        logger.warning("%d of %d walks have no ruggedness: too short or constant", undefined, len(table))
    summary = summarise_ruggedness(table, seed=params.seed, resamples=params.resamples)
    write_table(table, snakemake.output.ruggedness, RUGGEDNESS)
    write_table(summary, snakemake.output.summary, RUGGEDNESS_SUMMARY)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
