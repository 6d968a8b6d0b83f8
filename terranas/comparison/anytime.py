"""Hypervolume after every evaluation of a search."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.comparison.indicators import Box, hypervolume
from terranas.comparison.schema import ANYTIME
from terranas.core.pareto import nondominated


def hypervolume_over_time(normalised: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the hypervolume of the first k points for every k, shape (n,).

    Args:
        normalised: minimised objectives in [0, 1] in the order of their evaluation, shape (n, m).
    """
    volumes = np.zeros(len(normalised))
    front = np.empty((0, normalised.shape[1]))
    volume = 0.0
    for step, point in enumerate(normalised):
        if not (front <= point).all(axis=1).any():  # a point the front covers changes nothing
            front = np.vstack([front, point])
            front = front[nondominated(front, ["minimise"] * front.shape[1])]
            # a sum over a larger front may round to a little less
            volume = max(volume, hypervolume(front))
        volumes[step] = volume
    return volumes


def anytime_table(evaluations: pd.DataFrame, box: Box, objectives: Sequence[str]) -> pd.DataFrame:
    """Return the hypervolume after every evaluation of every search.

    Args:
        evaluations: evaluations of both arms, schema ``search.evaluations``.
        box: normalisation of the objectives.
        objectives: names of the objectives, in the order of the box.
    """
    ordered = evaluations.sort_values(["arm", "seed", "evaluation"], ignore_index=True)
    normalised = box.normalise(ordered[list(objectives)].to_numpy(dtype=np.float64))
    volumes = np.zeros(len(ordered))
    for rows in ordered.groupby(["arm", "seed"], sort=True).indices.values():
        volumes[rows] = hypervolume_over_time(normalised[rows])
    return ANYTIME.validate(ordered[["arm", "dataset", "seed", "evaluation"]].assign(hypervolume=volumes))
