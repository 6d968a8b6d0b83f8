"""How many local optima there are, estimated from the first repeat among random restarts of a local search.

Source: Traoré, Camero and Zhu, "Fitness Landscape Footprint" (arXiv:2111.01584) and its released notebooks. By the
birthday problem, among N equally likely optima a repeat is as likely as not after about sqrt(2 N ln 2) searches. Basins
are not equally large, so the estimate is of how many optima the searches find in effect; on a complete table the exact
count stands beside it.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terranas.landscape.bootstrap import CONFIDENCE
from terranas.landscape.landscape import Landscape
from terranas.landscape.optima import Optima

PUBLISHED_RESTARTS = 200
"""Restarts of each repetition in the released notebooks."""


@dataclass(frozen=True)
class Cardinality:
    """Number of local optima, exact and estimated.

    Attributes:
        first_repeats: searches of each repetition up to and with the first that ended in an optimum found before,
            shape (repetitions,); NaN where every cell was a start and none repeated.
        mean: mean of those that are known; NaN when none is.
        estimate: the birthday estimate for that mean; NaN when it is not known.
        low: lower end of its percentile bootstrap interval over repetitions.
        high: upper end.
        published: the estimate as published: repetitions end after 200 searches, and those without a repeat by then
            are dropped, which makes it smaller; NaN where all are dropped.
        published_dropped: repetitions dropped so.
        exact: local optima of the landscape that a search can end in: all but isolated cells.
    """

    first_repeats: NDArray[np.float64]
    mean: float
    estimate: float
    low: float
    high: float
    published: float
    published_dropped: int
    exact: int


def card_optima(searches: float, probability: float = 0.5) -> int:
    """Return the birthday estimate of the number of optima, cut to an integer as published.

    K^2 / (-2 ln(1 - P)) for K searches up to the first repeat and the probability P of a repeat among them.

    Raises:
        ValueError: the searches are negative or not finite, or the probability is not between 0 and 1.
    """
    if not (math.isfinite(searches) and searches >= 0):
        raise ValueError(f"searches must be a finite number of at least 0, got {searches}")
    if not 0 < probability < 1:
        raise ValueError(f"probability must be between 0 and 1, got {probability}")
    return int(searches**2 / (-2 * math.log1p(-probability)))


def estimate_cardinality(
    landscape: Landscape,
    optima: Optima,
    rng: np.random.Generator,
    *,
    repetitions: int,
    resamples: int = 1000,
    confidence: float = CONFIDENCE,
) -> Cardinality:
    """Estimate the number of local optima from best-improvement searches, beside the exact count.

    Each repetition starts searches from different cells drawn uniformly until the first repeated optimum, however long
    that takes. Isolated cells are no starts, since none of them is ever found twice. The searches are those of
    :func:`terranas.landscape.optima.find_optima`, whose basins say where each ends.

    Args:
        landscape: values and neighbours.
        optima: its local optima.
        rng: draws the starts and the bootstrap's repetitions.
        repetitions: at least 1.
        resamples: bootstrap samples.
        confidence: nominal coverage of the interval.
    """
    ends = optima.basin_of[landscape.known & ~landscape.isolated]
    repeats = np.array([_first_repeat(ends[rng.permutation(len(ends))]) for _ in range(repetitions)])
    known = repeats[~np.isnan(repeats)]
    kept = known[known <= PUBLISHED_RESTARTS]
    low = high = np.nan
    if len(known):
        means = rng.choice(known, size=(resamples, len(known))).mean(axis=1)
        ends = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
        low, high = (float(card_optima(end)) for end in ends)
    return Cardinality(
        repeats, _mean(known), _estimate(known), low, high, _estimate(kept), repetitions - len(kept), optima.count
    )


def _first_repeat(ends: NDArray[np.int32]) -> float:
    """Return how many values come up to and with the first that was there before; NaN where all differ."""
    length = 1024  # repeats come early, so the beginning nearly always is enough
    while True:
        head = ends[:length]
        order = np.argsort(head, kind="stable")
        again = order[1:][head[order][1:] == head[order][:-1]]
        if len(again):
            return float(again.min() + 1)
        if length >= len(ends):
            return np.nan
        length *= 4


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else np.nan


def _estimate(values: NDArray[np.float64]) -> float:
    return float(card_optima(_mean(values))) if len(values) else np.nan
