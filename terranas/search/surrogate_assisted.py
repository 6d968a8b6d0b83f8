"""Surrogate-assisted search: boosted trees choose what is evaluated, and learn from it."""

import numpy as np
from numpy.typing import NDArray

from terranas.core.pareto import nondominated
from terranas.search.candidates import Candidates
from terranas.search.driver import Search
from terranas.search.starts import best_subset
from terranas.space.neighbours import NeighbourGraph
from terranas.space.searchable import SearchableSpace
from terranas.surrogates.regressors import RegressorSettings, fit_surrogate

# half of the trees that XGBoost makes by default: fitting is what takes the time
_TREES = {"n_estimators": 50}
_GROWTH = 4
_POOL = 2000


def surrogate_assisted(
    space: SearchableSpace,
    graph: NeighbourGraph,
    available: NDArray[np.int64],
    objectives: int,
    rng: np.random.Generator,
    *,
    initial: int = 100,
    batch: int = 50,
    exploration: float = 0.1,
) -> Search:
    """Search by predicting candidates and evaluating those predicted best, in rounds.

    A round fits boosted trees to each objective of all that was evaluated. Its candidates are the neighbours of the
    non-dominated architectures, at most 2,000 of them drawn at random, and up to 2,000 random architectures. Those of
    the smallest predicted non-dominated rank are chosen, of the last rank those of the largest crowding distance; a
    share of the round is random instead. A round is a quarter of what was evaluated before, so that the trees see a
    sample that has grown enough to differ, and fitting does not take ever more of the time.

    Args:
        space: the search space; its first encoding is what the trees see.
        graph: neighbours by row.
        available: rows that can be evaluated, different ones.
        objectives: number of objectives.
        rng: source of all draws.
        initial: random architectures of the first round.
        batch: least number of architectures in a round.
        exploration: share of a round that is random.
    """
    candidates = Candidates(space, available, rng)
    encoding = space.encodings[0]
    features, settings = space.encode(encoding), RegressorSettings("xgboost", _TREES, encoding)
    rows, points = np.empty(0, dtype=np.int64), np.empty((0, objectives))
    asked = candidates.draw(initial)
    while len(asked):
        values = yield asked
        known = np.isfinite(values).all(axis=1)
        rows, points = np.concatenate([rows, asked[known]]), np.concatenate([points, values[known]])
        count = min(max(batch, len(rows) // _GROWTH), len(candidates))
        random = round(exploration * count) if len(rows) else count
        chosen = rows[:0]
        if random < count:
            pool = _pool(graph, rows[nondominated(points, ["minimise"] * objectives)], candidates, rng)
            models = [fit_surrogate(features[rows], column, settings, log=False, seed=0) for column in points.T]
            predicted = np.column_stack([model.predict(features[pool]) for model in models])
            chosen = best_subset(pool, predicted, count - random, rng)
            candidates.take(chosen)
        asked = np.concatenate([chosen, candidates.draw(count - len(chosen))])


def _pool(
    graph: NeighbourGraph, front: NDArray[np.int64], candidates: Candidates, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return rows to choose from, ascending."""
    around = np.unique(np.concatenate([graph.neighbours(row) for row in front.tolist()])).astype(np.int64)
    around = around[candidates.are_open(around)]
    if len(around) > _POOL:
        around = rng.choice(around, _POOL, replace=False)
    return np.union1d(around, candidates.sample(_POOL))
