"""Compute the indicators of every front, and the hypervolume over evaluations."""

from typing import Any

import pandas as pd

from terranas.benchmark.schema import direction
from terranas.benchmark.tabular import TabularBenchmark
from terranas.comparison.anytime import anytime_table
from terranas.comparison.indicators import Reference, indicator_table
from terranas.comparison.schema import ANYTIME, INDICATORS
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.search.schema import EVALUATIONS, FRONTS
from terranas.space.schema import CELLS


def main(snakemake: Any) -> None:
    cells = read_table(snakemake.input.cells, CELLS)
    benchmark = TabularBenchmark.open(snakemake.input.table)
    fronts = pd.concat([read_table(path, FRONTS) for path in snakemake.input.fronts], ignore_index=True)
    evaluations = pd.concat([read_table(path, EVALUATIONS) for path in snakemake.input.evaluations], ignore_index=True)
    objectives = snakemake.params.objectives
    values = benchmark.values(objectives, cells["hash"])
    reference = Reference.of(values, [direction(name) for name in objectives])
    indicators = indicator_table(fronts, cells, reference, objectives, snakemake.params.charged)
    write_table(indicators, snakemake.output.indicators, INDICATORS, reference.facts)
    anytime = anytime_table(evaluations, reference.box, objectives)
    write_table(anytime, snakemake.output.anytime, ANYTIME, reference.facts)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
