"""Pareto local search (Dubois-Lacoste, López-Ibáñez and Stützle, GECCO 2012) on a table of known values."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terranas.search.archive import ParetoArchive
from terranas.space.neighbours import NeighbourGraph


@dataclass(frozen=True)
class SearchRun:
    """What one search did.

    Attributes:
        evaluated: architectures (rows of the space) in the order of their evaluation, shape (e,), all different.
        entered: whether each entered the archive, shape (e,).
        archive: architectures in the archive at the end, ascending.
        starts: how many of the first evaluations were starts.
        without_value: different neighbours met that have no value and so could not be evaluated.
    """

    evaluated: NDArray[np.int64]
    entered: NDArray[np.bool_]
    archive: NDArray[np.int64]
    starts: int
    without_value: int


def pareto_local_search(
    values: NDArray[np.float64],
    graph: NeighbourGraph,
    starts: NDArray[np.int64],
    budget: int,
    rng: np.random.Generator,
) -> SearchRun:
    """Search for non-dominated architectures from given starts with one archive and one first-in-first-out queue.

    Starts are evaluated in their order. Then the oldest architecture of the queue is taken, all its neighbours that
    were not evaluated yet are evaluated in random order, and those the archive does not dominate enter archive and
    queue; what they dominate leaves both. A neighbourhood is always finished, even when its centre becomes dominated
    meanwhile. The search ends when the queue is empty or the budget is spent, be it amid a neighbourhood. Each
    architecture is evaluated, and counted, once.

    The budget only cuts: a run with a smaller budget and an equal ``rng`` is a prefix of one with a larger.

    Args:
        values: two minimised objectives of every architecture, shape (n, 2); a row that is not finite has no value.
        graph: neighbours of every row.
        starts: different rows with values.
        budget: evaluations allowed, at least 1.
        rng: orders the neighbourhoods.

    Raises:
        ValueError: a start has no value, or stands twice.
    """
    known = np.asarray(np.isfinite(values).all(axis=1), dtype=np.bool_)
    if not known[starts].all() or len(np.unique(starts)) < len(starts):
        raise ValueError("starts must be different architectures with values")
    seen = np.zeros(len(values), dtype=np.bool_)  # evaluated, or found to have no value
    evaluated: list[int] = []
    entered: list[bool] = []
    archive = ParetoArchive()
    queue: deque[int] = deque()
    without_value = 0

    def evaluate(architectures: NDArray[np.int64]) -> None:
        seen[architectures] = True
        for architecture, (first, second) in zip(architectures.tolist(), values[architectures].tolist(), strict=True):
            evaluated.append(architecture)
            entered.append(archive.add(architecture, first, second))
            if entered[-1]:
                queue.append(architecture)

    evaluate(starts[:budget])
    while queue and len(evaluated) < budget:
        centre = queue.popleft()
        if centre not in archive:  # dominated since it was queued
            continue
        neighbours = np.asarray(graph.neighbours(centre), dtype=np.int64)
        neighbours = neighbours[~seen[neighbours]]
        lacking = neighbours[~known[neighbours]]
        seen[lacking] = True
        without_value += len(lacking)
        evaluate(rng.permutation(neighbours[known[neighbours]])[: budget - len(evaluated)])
    return SearchRun(
        evaluated=np.array(evaluated, dtype=np.int64),
        entered=np.array(entered, dtype=np.bool_),
        archive=np.array(archive.members, dtype=np.int64),
        starts=min(len(starts), budget),
        without_value=without_value,
    )


def stop_reason(evaluations: int, budget: int, known: int) -> str:
    """Return why a search ended, as named in :data:`~terranas.search.schema.STOP_REASONS`.

    Args:
        evaluations: evaluations spent.
        budget: evaluations allowed.
        known: architectures that have values.
    """
    if evaluations == known:
        return "space_exhausted"
    return "budget" if evaluations == budget else "nothing_left_to_expand"
