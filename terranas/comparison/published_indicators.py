"""The two indicators of the thesis's released code that are in error, so that its numbers can be compared with.

Both are defined here by what the code does, not by what it was meant to do; :mod:`terranas.comparison.indicators` has
the right ones.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terranas.core.pareto import Direction


def published_hypervolume(
    values: NDArray[np.float64],
    directions: Sequence[Direction],
    best: NDArray[np.float64],
    worst: NDArray[np.float64],
) -> float:
    """Return the hypervolume of the released code, which measures what the front leaves to be desired.

    Accuracy a becomes (a - worst) / (best - worst), so that the best value is 1; cost c becomes best + worst - c, so
    that the best cost is the worst one's number. Both are maximised then, but the area is that of a minimising
    indicator with the reference point (1, worst cost): a single point counts (1 - a') (c - best cost), the less the
    better it is. The thesis reads it as higher is better.

    Args:
        values: objectives of a front in their own directions, shape (k, m).
        directions: which way each objective is better.
        best: best known value of each objective, shape (m,).
        worst: worst known value of each objective, shape (m,).

    Returns:
        An area in the unit of the cost; NaN unless there is one maximised and one minimised objective and the
        maximised one varies.
    """
    if sorted(directions) != ["maximise", "minimise"]:
        return float("nan")
    gain, cost = directions.index("maximise"), directions.index("minimise")
    if best[gain] == worst[gain]:
        return float("nan")
    share = (values[:, gain] - worst[gain]) / (best[gain] - worst[gain])
    turned = best[cost] + worst[cost] - values[:, cost]
    # the area that a minimising indicator gives: a staircase below the reference point
    order = np.lexsort((turned, share))
    steps = np.minimum.accumulate(turned[order])
    widths = np.diff(np.append(share[order], 1.0))
    return float((widths * np.maximum(worst[cost] - steps, 0.0)).sum())


def published_mean_pairwise_distance(distances: NDArray[np.number[Any]]) -> float:
    """Return the mean distance of the released code: its sum grows only where a distance is the largest so far.

    Ordered pairs are looked at one after another, each member with all others; the sum is divided by the number of
    members. The result depends on their order.

    Args:
        distances: symmetric distances between the members of a front in the order of its table, shape (k, k).
    """
    largest = np.maximum.accumulate(distances.ravel())
    return float(np.unique(largest).sum() / len(distances))
