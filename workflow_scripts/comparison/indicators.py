"""Compute the indicators of every front and along the searches, and the hypervolume over evaluations."""

from typing import Any

import pandas as pd

from terranas.benchmark.tabular import TabularBenchmark
from terranas.comparison.anytime import anytime_table
from terranas.comparison.indicators import Reference, indicator_table
from terranas.comparison.known_values import KnownValues
from terranas.comparison.schema import ANYTIME, INDICATORS, TRAJECTORY
from terranas.comparison.trajectory import trajectory_table
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.search.schema import EVALUATIONS, FRONTS
from terranas.space.reading import read_space


def main(snakemake: Any) -> None:
    files, params = snakemake.input, snakemake.params
    space = read_space(dict(files.items()))
    objectives, dataset = params.searched["objectives"], params.searched["dataset"]
    measured = TabularBenchmark.open(files.table, dataset=dataset)
    filled = TabularBenchmark.open(files.filled[0]) if files.filled else None
    known = KnownValues.of(measured, filled, objectives, space.names)
    directions = [measured.direction(name) for name in objectives]
    reference = Reference.of(known.values, directions, complete=known.complete)
    fronts = pd.concat([read_table(path, FRONTS) for path in files.fronts], ignore_index=True)
    evaluations = pd.concat([read_table(path, EVALUATIONS) for path in files.evaluations], ignore_index=True)
    indicators = indicator_table(fronts, space, reference, objectives, params.charged)
    write_table(indicators, snakemake.output.indicators, INDICATORS, reference.facts)
    budgets = sorted(indicators["budget"].unique().tolist())
    trajectory = trajectory_table(evaluations, space, reference, objectives, params.charged, budgets=budgets)
    write_table(trajectory, snakemake.output.trajectory, TRAJECTORY, reference.facts)
    anytime = anytime_table(evaluations, reference.box, objectives, params.charged)
    write_table(anytime, snakemake.output.anytime, ANYTIME, reference.facts)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
