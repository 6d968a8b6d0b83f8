"""The starts of every seed of an arm, from the tables of the stage ``surrogates`` where it needs them."""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.core.errors import TableError
from terranas.core.pareto import to_minimise
from terranas.core.randomness import generator
from terranas.search.problem import Problem
from terranas.search.starts import SpaceFilling, best_subset, random_subset, spread_subset

logger = logging.getLogger(__name__)

_STREAMS = {"surrogate_published": "surrogate", "random_published": "random"}
"""Arms that start where another one does, so that the two differ in the search alone."""


@dataclass(frozen=True)
class StartMaterial:
    """Tables of the stage ``surrogates`` that starts are drawn from; an arm needs at most one of them.

    Attributes:
        fronts: predicted fronts, schema ``surrogates.predicted_fronts``.
        samples: training samples, schema ``surrogates.training_samples``.
    """

    fronts: pd.DataFrame | None = None
    samples: pd.DataFrame | None = None


def choose_starts(
    problem: Problem, arm: str, material: StartMaterial, *, seeds: int, count: int, seed: int
) -> list[NDArray[np.int64]]:
    """Return the starts of each seed, all different and with values, in the order of their evaluation.

    All candidates are used where there are fewer than ``count``, and that is logged.

    Args:
        problem: what is searched.
        arm: an arm whose search is given starts.
        material: tables that hold a part for each seed, where the arm needs one.
        seeds: repetitions.
        count: starts wanted.
        seed: the study's seed.

    Raises:
        TableError: a table lacks a seed, or names an architecture that is not in the space.
        ValueError: the arm's search has no starts, or a table it needs is not given.
    """
    stream = _STREAMS.get(arm, arm)
    rngs = [generator(seed, "search.starts", stream, index) for index in range(seeds)]
    if stream == "random":
        chosen = [random_subset(problem.available, count, rng) for rng in rngs]
    elif stream == "latin":
        filling = SpaceFilling.of(problem.space.outline(), problem.available)
        chosen = [filling.draw(count, rng) for rng in rngs]
    elif stream in ("surrogate", "surrogate_spread") and material.fronts is not None:
        fronts = predicted_candidates(problem, material.fronts, seeds)
        if stream == "surrogate":
            chosen = [random_subset(rows, count, rng) for (rows, _), rng in zip(fronts, rngs, strict=True)]
        else:
            chosen = [spread_subset(*front, count, rng) for front, rng in zip(fronts, rngs, strict=True)]
    elif stream == "sample" and material.samples is not None:
        samples = measured_sample(problem, material.samples, seeds)
        chosen = [
            best_subset(rows, problem.minimised[rows], count, rng) for rows, rng in zip(samples, rngs, strict=True)
        ]
    else:
        raise ValueError(f"the arm '{arm}' has no starts, or its table of the stage surrogates is not given")
    fewest = min(map(len, chosen), default=count)
    if fewest < count:
        logger.warning(
            "%d of %d seeds had fewer than the %d starts wanted (smallest: %d); they used all there were",
            sum(len(rows) < count for rows in chosen),
            seeds,
            count,
            fewest,
        )
    return chosen


def predicted_candidates(
    problem: Problem, fronts: pd.DataFrame, seeds: int
) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return, for every seed, the rows of its predicted front that have values, and their minimised predictions.

    Rows that are on the front among known architectures only (scope ``known``) count where no other has a value.

    Args:
        problem: what is searched.
        fronts: table of predicted fronts.
        seeds: number of repetitions; the table must have a front for each.

    Returns:
        Rows, ascending, shape (k,), and predictions, shape (k, m), for each seed.

    Raises:
        TableError: the table lacks a seed, or names an architecture that is not in the space.
    """
    rows = _rows_of(problem, fronts, "predicted fronts")
    predicted = to_minimise(fronts[list(problem.objectives)].to_numpy(dtype=np.float64), problem.directions)
    has_value = np.isin(rows, problem.available)
    of_seed = fronts["seed"].to_numpy()
    whole = (fronts["scope"] == "space").to_numpy()
    candidates = []
    for seed in range(seeds):
        usable = (of_seed == seed) & has_value
        picked = np.flatnonzero(usable & whole)
        if not len(picked):
            picked = np.flatnonzero(usable)
        if not len(picked):
            raise TableError(
                f"The predicted front of seed {seed} holds no architecture with values. Remove the surrogates folder "
                "of this study and run again."
            )
        picked = picked[np.argsort(rows[picked])]
        candidates.append((rows[picked], predicted[picked]))
    lacking = np.count_nonzero(~has_value[whole])
    if lacking:
        logger.info(
            "%d of %d members of the predicted fronts (all seeds) have no value and are no starts",
            lacking,
            np.count_nonzero(whole),
        )
    return candidates


def measured_sample(problem: Problem, samples: pd.DataFrame, seeds: int) -> list[NDArray[np.int64]]:
    """Return, for every seed, the rows of its surrogate's training sample, ascending.

    Args:
        problem: what is searched.
        samples: table of training samples.
        seeds: number of repetitions; the table must have a sample for each.

    Raises:
        TableError: the table lacks a seed, or names an architecture that is not in the space or was not measured.
    """
    rows = _rows_of(problem, samples, "training samples")
    measured = np.asarray(np.isfinite(problem.values).all(axis=1))
    of_seed = samples["seed"].to_numpy()
    found = [np.sort(rows[of_seed == seed]) for seed in range(seeds)]
    for seed, own in enumerate(found):
        if not len(own) or not measured[own].all():
            what = "names an architecture that was not measured" if len(own) else "is missing"
            raise TableError(
                f"The training sample of seed {seed} {what}. Remove the surrogates folder of this study and run again."
            )
    return found


def _rows_of(problem: Problem, table: pd.DataFrame, what: str) -> NDArray[np.int64]:
    rows = pd.Index(problem.space.names).get_indexer(pd.Index(table["architecture"]))
    if (rows < 0).any():
        strange = table["architecture"].iloc[int(np.argmin(rows))]
        raise TableError(
            f"The {what} name the architecture {strange}, which is not in the search space. Remove the surrogates "
            "folder of this study and run again."
        )
    return np.asarray(rows, dtype=np.int64)
