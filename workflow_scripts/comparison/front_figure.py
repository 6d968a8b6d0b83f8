"""Draw the fronts of both arms over all known architectures."""

from typing import Any

import pandas as pd

from terranas.benchmark.schema import direction
from terranas.benchmark.tabular import TabularBenchmark
from terranas.comparison.front_figure import front_figure
from terranas.core.figures import save_figure
from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.search.schema import FRONTS


def main(snakemake: Any) -> None:
    objectives = snakemake.params.objectives
    values = TabularBenchmark.open(snakemake.input.table).values(objectives)
    fronts = pd.concat([read_table(path, FRONTS) for path in snakemake.input.fronts], ignore_index=True)
    directions = [direction(name) for name in objectives]
    with front_figure(values, fronts, objectives, directions) as (drawn, numbers):
        save_figure(drawn, dict(snakemake.output.items()), numbers)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
