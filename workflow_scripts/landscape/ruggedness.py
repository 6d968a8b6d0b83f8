"""Compute the ruggedness of the study's benchmark along its random walks."""

import logging
from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.landscape.ruggedness import analyse_walks
from terranas.landscape.schema import RUGGEDNESS
from terranas.sampling.schema import WALKS

logger = logging.getLogger("terranas.landscape")


def main(snakemake: Any) -> None:
    benchmark = TabularBenchmark.open(snakemake.input.table)
    walks = read_table(snakemake.input.walks, WALKS)
    table = analyse_walks(walks, benchmark, snakemake.params.metrics)
    if undefined := int(table["ruggedness"].isna().sum()):
        logger.warning("%d of %d walks have no ruggedness: too short or constant", undefined, len(table))
    write_table(table, snakemake.output.ruggedness, RUGGEDNESS)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
