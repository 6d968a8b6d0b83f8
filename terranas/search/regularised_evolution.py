"""Regularised evolution, with the objectives made one or kept apart.

The population is a queue: a child of the winner of a tournament enters, and the oldest member leaves, however good it
is (Real et al., "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019, algorithm 1).
"""

from collections.abc import Callable

import moocore
import numpy as np
from numpy.typing import NDArray

from terranas.search.candidates import Candidates
from terranas.search.crowding import crowding_distances
from terranas.search.driver import Search
from terranas.space.neighbours import NeighbourGraph
from terranas.space.searchable import SearchableSpace

_AUGMENTATION = 0.05


def regularised_evolution(
    space: SearchableSpace,
    _graph: NeighbourGraph,
    available: NDArray[np.int64],
    objectives: int,
    rng: np.random.Generator,
    *,
    population: int = 100,
    tournament: int = 25,
    children: int = 1,
) -> Search:
    """Search by regularised evolution of scalarised objectives.

    Each tournament draws weights, uniformly from those that sum to one, and is won by the smallest augmented
    Tchebycheff value, each objective scaled to the population's range (Knowles, "ParEGO: A Hybrid Algorithm With
    On-Line Landscape Approximation for Expensive Multiobjective Optimization Problems", 2006, with its augmentation of
    0.05). New weights for each tournament spread the search along the front; fixed ones would lead to one point of it.

    Args:
        space: the search space.
        available: rows that can be evaluated, different ones.
        objectives: number of objectives.
        rng: source of all draws.
        population: members of the population, 100 as in the paper; the first are random.
        tournament: members drawn for a tournament, with replacement, 25 as in the paper.
        children: children made, and asked for, at a time; 1 as in the paper. More can be evaluated side by side.
    """

    def winner(points: NDArray[np.float64], contestants: NDArray[np.int64]) -> int:
        weights = rng.standard_exponential(objectives)
        least = points.min(axis=0)
        span = points.max(axis=0) - least
        weighted = (points[contestants] - least) / np.where(span > 0, span, 1.0) * (weights / weights.sum())
        return int(contestants[np.argmin(weighted.max(axis=1) + _AUGMENTATION * weighted.sum(axis=1))])

    return _evolve(space, available, objectives, rng, winner, population, tournament, children)


def regularised_evolution_ranked(
    space: SearchableSpace,
    _graph: NeighbourGraph,
    available: NDArray[np.int64],
    objectives: int,
    rng: np.random.Generator,
    *,
    population: int = 100,
    tournament: int = 10,
    children: int = 1,
) -> Search:
    """Search by multi-objective regularised evolution.

    A tournament is won by the smallest non-dominated rank in the population; of equal ranks, by the largest crowding
    distance. Syne Tune's MO-REA, whose population and tournament the defaults are, does the same with a ranking of its
    own within fronts (Salinas et al., "Syne Tune", AutoML 2022).

    Arguments as in :func:`regularised_evolution`.
    """

    def winner(points: NDArray[np.float64], contestants: NDArray[np.int64]) -> int:
        ranks = moocore.pareto_rank(points)
        best = ranks[contestants].min()
        equals = contestants[ranks[contestants] == best]
        if equals.min() == equals.max():
            return int(equals[0])
        front = np.flatnonzero(ranks == best)
        distances = crowding_distances(points[front])
        return int(equals[np.argmax(distances[np.searchsorted(front, equals)])])

    return _evolve(space, available, objectives, rng, winner, population, tournament, children)


def _evolve(
    space: SearchableSpace,
    available: NDArray[np.int64],
    objectives: int,
    rng: np.random.Generator,
    winner: Callable[[NDArray[np.float64], NDArray[np.int64]], int],
    population: int,
    tournament: int,
    children: int,
) -> Search:
    """Evolve; ``winner`` takes the population's objectives and the places of the contestants, and returns a place.

    What has no value joins nothing.
    """
    candidates = Candidates(space, available, rng)
    rows = np.empty(population, dtype=np.int64)
    points = np.empty((population, objectives))
    size = 0
    while size < population and len(candidates):
        batch = candidates.draw(population - size)
        values = yield batch
        known = np.isfinite(values).all(axis=1)
        end = size + int(np.count_nonzero(known))
        rows[size:end], points[size:end] = batch[known], values[known]
        size = end
    oldest = 0
    while len(candidates):
        # parents are chosen before the first child joins: children of a batch do not depend on each other
        parents = [winner(points, rng.integers(population, size=tournament)) for _ in range(children)]
        batch = np.array([candidates.mutant_of(int(rows[p])) for p in parents[: len(candidates)]], dtype=np.int64)
        values = yield batch
        for row, point in zip(batch, values, strict=True):
            if np.isfinite(point).all():
                rows[oldest], points[oldest] = row, point
                oldest = (oldest + 1) % population
