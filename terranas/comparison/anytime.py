"""Hypervolume after every evaluation of a search."""

from collections.abc import Sequence

import moocore
import numba as nb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.comparison.indicators import Box, charge
from terranas.comparison.schema import ANYTIME


def hypervolume_over_time(normalised: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the hypervolume of the first k points for every k, shape (n,); the reference point is (1, ..., 1).

    Of two objectives the front is a staircase: a point is placed in it by binary search and adds the area between its
    corner and the old steps. Of more, a point that the front does not cover adds its box less what the front, limited
    to that box, dominates of it (While, Bradstreet and Barone, IEEE Transactions on Evolutionary Computation 16,
    2012).

    Args:
        normalised: minimised objectives, mostly in [0, 1], in the order of their evaluation, shape (n, m). A point
            with a NaN, or at or beyond the reference point in an objective, adds nothing.
    """
    points = np.ascontiguousarray(normalised, dtype=np.float64)
    gains = _staircase_gains(points) if points.shape[1] == 2 else _box_gains(points)
    # the sum of many shares of one box may round beyond it
    return np.asarray(np.minimum(np.cumsum(gains), 1.0), dtype=np.float64)


@nb.njit(cache=True)
def _staircase_gains(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the area that each point adds to those before it, shape (n,)."""
    gains = np.zeros(len(points))
    # corners of the front: first objective ascending, second descending
    first, second = np.empty(len(points)), np.empty(len(points))
    count = 0
    for step in range(len(points)):
        x, y = points[step]
        if not (x < 1.0 and y < 1.0):
            continue
        place = np.searchsorted(first[:count], x, side="right")
        if place > 0 and second[place - 1] <= y:
            continue
        if place > 0 and first[place - 1] == x:
            place -= 1
        ceiling = second[place - 1] if place > 0 else 1.0
        left, end, area = x, place, 0.0
        while end < count and second[end] >= y:
            area += (first[end] - left) * (ceiling - y)
            left, ceiling = first[end], second[end]
            end += 1
        right = first[end] if end < count else 1.0
        gains[step] = area + (right - left) * (ceiling - y)
        kept = count - end
        if place + 1 != end:
            moved = first[end:count].copy()
            first[place + 1 : place + 1 + kept] = moved
            moved = second[end:count].copy()
            second[place + 1 : place + 1 + kept] = moved
        first[place], second[place] = x, y
        count = place + 1 + kept
    return gains


def _box_gains(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the volume that each point adds to those before it, shape (n,)."""
    gains = np.zeros(len(points))
    front = np.empty((0, points.shape[1]))
    corner = np.ones(points.shape[1])
    for step in np.flatnonzero(_uncovered(points)).tolist():
        point = points[step]
        limited = np.maximum(front, point)
        inside = limited[(limited < 1.0).all(axis=1)]
        covered = float(moocore.hypervolume(inside, ref=corner)) if len(inside) else 0.0
        gains[step] = max(0.0, float(np.prod(1.0 - point)) - covered)
        front = np.vstack([front[(front < point).any(axis=1)], point])
    return gains


@nb.njit(cache=True)
def _uncovered(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points lie within the reference point and are not weakly dominated by an earlier one."""
    size, objectives = points.shape
    new = np.zeros(size, dtype=np.bool_)
    front, count = np.empty(size, dtype=np.int64), 0
    for step in range(size):
        counts = True
        for column in range(objectives):
            counts &= points[step, column] < 1.0
        place = 0
        while counts and place < count:
            covers = True
            for column in range(objectives):
                if points[front[place], column] > points[step, column]:
                    covers = False
                    break
            counts = not covers
            place += 1
        if not counts:
            continue
        new[step] = True
        kept = 0
        for place in range(count):
            better = False
            for column in range(objectives):
                better |= points[front[place], column] < points[step, column]
            if better:
                front[kept] = front[place]
                kept += 1
        front[kept] = step
        count = kept + 1
    return new


def anytime_table(evaluations: pd.DataFrame, box: Box, objectives: Sequence[str], training_sample: int) -> pd.DataFrame:
    """Return the hypervolume over the evaluations of every search.

    Args:
        evaluations: evaluations of all arms, schema ``search.evaluations``.
        box: normalisation of the objectives.
        objectives: names of the objectives, in the order of the box.
        training_sample: architectures that trained the surrogate, added to the evaluations of the arms that need one.

    Returns:
        A table of the schema ``ANYTIME``, sorted by its key: the first and the last evaluation of each search and
        those at which its hypervolume changed.
    """
    order, starts = search_order(evaluations)
    normalised = box.normalise(evaluations[list(objectives)].to_numpy(dtype=np.float64)[order])
    volumes = np.zeros(len(order))
    shown = np.zeros(len(order), dtype=np.bool_)
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        own = hypervolume_over_time(normalised[start:end])
        volumes[start:end] = own
        shown[start:end] = np.append(True, np.diff(own) > 0)
        shown[end - 1] = True
    table = evaluations.iloc[order[shown]][["arm", "dataset", "seed", "evaluation"]]
    extra = table["arm"].map({arm: charge(arm, training_sample) for arm in table["arm"].unique()})
    return ANYTIME.validate(table.assign(charged=table["evaluation"] + extra, hypervolume=volumes[shown]))


def search_order(evaluations: pd.DataFrame) -> tuple[NDArray[np.int64], list[int]]:
    """Return the order that sorts evaluations by arm, seed and evaluation, and where in it each search begins."""
    # numbers sort much faster than texts
    arms = pd.factorize(evaluations["arm"], sort=True)[0]
    seeds = evaluations["seed"].to_numpy()
    order = np.lexsort((evaluations["evaluation"].to_numpy(), seeds, arms))
    search = np.stack([arms[order], seeds[order]])
    begins = np.append(True, (np.diff(search, axis=1) != 0).any(axis=0)) if len(order) else np.empty(0, dtype=np.bool_)
    return order, np.flatnonzero(begins).tolist()
