"""Draw the fronts over all architectures, the attainment surfaces of two arms, and the front's architectures."""

from typing import Any

import numpy as np
import pandas as pd

from terranas.benchmark.tabular import TabularBenchmark
from terranas.comparison.attainment_figure import attainment_figure, attainment_words
from terranas.comparison.cells_figure import cells_figure, cells_words
from terranas.comparison.front_figure import front_figure, front_words
from terranas.comparison.indicators import reference_kind
from terranas.comparison.known_values import KnownValues
from terranas.comparison.study import objectives_of
from terranas.core.formats import sentence
from terranas.core.pareto import nondominated
from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.landscape.saving import save_figures
from terranas.search.schema import FRONTS
from terranas.space.reading import read_space
from terranas.space.schema import CELLS


def main(snakemake: Any) -> None:
    files, params = dict(snakemake.input.items()), snakemake.params
    names, pair = params.searched["objectives"], tuple(params.pair["arms"])
    space = read_space(files)
    measured = TabularBenchmark.open(files["table"], dataset=params.searched["dataset"])
    objectives = objectives_of(measured, names)
    filled = TabularBenchmark.open(snakemake.input.filled[0]) if snakemake.input.filled else None
    known = KnownValues.of(measured, filled, names, space.names)
    fronts = pd.concat([read_table(path, FRONTS) for path in snakemake.input.fronts], ignore_index=True)
    rows = np.flatnonzero(nondominated(known.values, [objective.direction for objective in objectives]))
    front = pd.DataFrame(known.values[rows], columns=names).assign(
        architecture=[space.names[row] for row in rows], predicted=known.predicted[rows]
    )
    title = f"{sentence(reference_kind(known.complete))} of {measured.dataset}"
    cells = read_table(files["cells"], CELLS) if "cells" in files else None
    # of three or more objectives, all planes of all arms would be a wall
    drawn = (known.values, fronts, objectives, None if len(names) == 2 else pair)
    predicted = int(known.predicted.sum())
    budgets = tuple(params.pair["budgets"])
    figures = {
        "fronts": (front_figure(*drawn, predicted=predicted), front_words(*drawn, predicted=predicted)),
        "attainment": (
            attainment_figure(fronts, objectives, pair, budgets),
            attainment_words(fronts, objectives, pair, budgets),
        ),
        "front_cells": (cells_figure(front, objectives, title, cells), cells_words(front, objectives, title, cells)),
    }
    save_figures(figures, dict(snakemake.output.items()))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
