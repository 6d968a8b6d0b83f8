"""Crowding distance (Deb et al., IEEE Transactions on Evolutionary Computation 6(2), 2002) and thinning by it."""

from heapq import heapify, heappop, heappush
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


def crowding_distances(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far apart the two neighbours of each point are, summed over objectives, shape (n,).

    Neighbours are the next points below and above in an objective; their difference is a share of the objective's
    range. A point that is least or most in an objective that varies is infinitely far. Equal points count as one and
    share its distance (in NSGA-II, which of them is far depends on their order).

    Args:
        points: objectives, shape (n, m); finite.
    """
    distinct, place = np.unique(points, axis=0, return_inverse=True)
    distances = np.zeros(len(distinct))
    for column in distinct.T:
        order = np.argsort(column, kind="stable")
        ordered = column[order]
        if not len(order) or ordered[0] == ordered[-1]:
            continue
        gaps = np.full(len(order), np.inf)
        gaps[1:-1] = (ordered[2:] - ordered[:-2]) / (ordered[-1] - ordered[0])
        distances[order] += gaps
    if len(distinct) == 1:
        distances[:] = np.inf
    return np.asarray(distances[place.reshape(-1)])


def thin(points: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Return which points are left when the most crowded is dropped, one at a time, ascending, shape (at most count,).

    After each drop the distances are those among the points left (Kukkonen and Deb, "Improved Pruning of
    Non-Dominated Solutions Based on Crowding Distance", CEC 2006). Of equal points all but the first are the most
    crowded. Of equally crowded ones, the last is dropped first.

    Args:
        points: objectives, shape (n, m); finite.
        count: points to keep; all are kept where there are no more.
    """
    surplus = len(points) - count
    if surplus <= 0:
        return np.arange(len(points))
    firsts = np.sort(np.unique(points, axis=0, return_index=True)[1])
    again = np.setdiff1d(np.arange(len(points)), firsts)
    if len(again) >= surplus:
        return np.delete(np.arange(len(points)), again[len(again) - surplus :])
    return firsts[_thin_distinct(points[firsts], count)]


def _thin_distinct(points: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Thin different points: a chain an objective, and a heap in which outdated entries are passed over."""
    size = len(points)
    # ties in an objective are put in the order that the distances above put them in
    by_point = np.unique(points, axis=0, return_inverse=True)[1].reshape(-1)
    chains = []
    for column in points.T:
        if column.min() == column.max():
            continue
        order = np.lexsort((by_point, column)).tolist()
        before = {above: below for below, above in pairwise(order)}
        after = dict(pairwise(order))
        chains.append((column.tolist(), float(column.max() - column.min()), before, after))

    def distance(point: int) -> float:
        total = 0.0
        for values, width, before, after in chains:
            if point not in before or point not in after:
                return np.inf
            total += (values[after[point]] - values[before[point]]) / width
        return total

    distances = [distance(point) for point in range(size)]
    heap = [(crowding, -point) for point, crowding in enumerate(distances)]
    heapify(heap)
    left = set(range(size))
    while len(left) > count:
        crowding, negative = heappop(heap)
        point = -negative
        if point not in left or crowding != distances[point]:
            continue
        left.remove(point)
        changed = set()
        for _, _, before, after in chains:
            below, above = before.pop(point, None), after.pop(point, None)
            if above is not None:
                _link(before, above, below)
                changed.add(above)
            if below is not None:
                _link(after, below, above)
                changed.add(below)
        for other in changed:
            distances[other] = distance(other)
            heappush(heap, (distances[other], -other))
    return np.array(sorted(left), dtype=np.int64)


def _link(chain: dict[int, int], point: int, neighbour: int | None) -> None:
    """Let a point have another neighbour, or none."""
    if neighbour is None:
        chain.pop(point)
    else:
        chain[point] = neighbour
