"""Rank correlations with intervals: between metrics, fidelities and tables.

Spearman's rho is Pearson's correlation of midranks, Kendall's is tau-b; both allow for ties. Architectures are taken
as a sample of a population: on a complete table the interval says what another draw of as many cells would give.
Up to :data:`BOOTSTRAP_LIMIT` architectures the interval is the BCa bootstrap's; above, where a bootstrap of ranks
would take minutes and no longer differs, it is the normal one on Fisher's scale, with a standard error from empirical
influence values, which needs no assumption about the joint distribution (Hoeffding, Annals of Mathematical Statistics
19, 1948; for Kendall's also Daniels and Kendall, Biometrika 34, 1947).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numba as nb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from terranas.core.randomness import generator
from terranas.landscape.bootstrap import (
    CONFIDENCE,
    MIN_SAMPLE,
    RESAMPLES,
    UNDEFINED,
    Interval,
    bca_interval,
    bootstrap_counts,
)
from terranas.landscape.pairs import Series
from terranas.landscape.schema import CORRELATIONS

Array = NDArray[np.float64]
Coefficient = Literal["spearman", "kendall"]
COEFFICIENTS: tuple[Coefficient, ...] = get_args(Coefficient)

BOOTSTRAP_LIMIT = 20_000
"""Most architectures whose intervals are bootstrapped: a pair of metrics then takes a second."""


@dataclass(frozen=True)
class RankCorrelation:
    """A rank correlation.

    Attributes:
        statistic: from -1 to 1; NaN where it is not defined.
        interval: its confidence interval.
        n: pairs of values.
        method: ``bca``, ``asymptotic``, or empty where there is no interval.
        reason: why something is NaN; empty where nothing is.
    """

    statistic: float
    interval: Interval
    n: int
    method: str
    reason: str

    def columns(self) -> dict[str, float | int | str]:
        """Return the columns that tables of correlations have in common."""
        return {
            "n": self.n,
            "statistic": self.statistic,
            "statistic_low": self.interval.low,
            "statistic_high": self.interval.high,
            "method": self.method,
            "reason": self.reason,
        }


def rank_correlations(
    first: Array,
    second: Array,
    rng: np.random.Generator,
    *,
    coefficients: Sequence[Coefficient] = COEFFICIENTS,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    bootstrap_limit: int = BOOTSTRAP_LIMIT,
) -> list[RankCorrelation]:
    """Return rank correlations of two series of equal length, over the places where both have a value.

    Args:
        first: shape (n,); NaN where not known.
        second: shape (n,); NaN where not known.
        rng: draws the bootstrap's resamples; all coefficients use the same ones.
        coefficients: which ones, in this order.
        confidence: nominal coverage of the intervals.
        resamples: bootstrap resamples.
        bootstrap_limit: with more pairs than these the interval is asymptotic.
    """
    known = ~(np.isnan(first) | np.isnan(second))
    n = int(known.sum())
    x, y = _dense(first[known]), _dense(second[known])
    constant = [name for name, codes in (("first", x), ("second", y)) if n and codes.max() == 0]
    if n < 2 or constant:
        reason = f"the {' and the '.join(constant)} is constant" if constant and n >= 2 else f"{n} pairs of values"
        return [RankCorrelation(np.nan, UNDEFINED, n, "", reason) for _ in coefficients]
    # resamples are drawn from the pairs in the order of their values: equal for rows in any order
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    once = np.ones(n, dtype=np.int64)
    statistics = _statistics(x, y, once, coefficients)
    if n < MIN_SAMPLE:
        reason = f"too few for an interval: {n} pairs of values"
        return [RankCorrelation(float(value), UNDEFINED, n, "", reason) for value in statistics]
    influences = [_influence(x, y, name) for name in coefficients]
    if n > bootstrap_limit:
        return [
            RankCorrelation(float(value), _asymptotic(float(value), influence, confidence), n, "asymptotic", "")
            for value, influence in zip(statistics, influences, strict=True)
        ]
    drawn = bootstrap_counts(n, resamples, rng, lambda counts: _statistics(x, y, counts, coefficients))
    return [
        RankCorrelation(
            float(value), bca_interval(float(value), drawn[:, number], influences[number], confidence), n, "bca", ""
        )
        for number, value in enumerate(statistics)
    ]


def correlate(
    pairs: Iterable[tuple[Series, Series]],
    *,
    seed: int,
    coefficients: Sequence[Coefficient] = COEFFICIENTS,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    bootstrap_limit: int = BOOTSTRAP_LIMIT,
) -> pd.DataFrame:
    """Return the rank correlations of pairs of series over the same architectures.

    Args:
        pairs: series of equal length, the same architecture at the same place.
        seed: the study's seed.
        coefficients: which ones.
        confidence: nominal coverage of the intervals.
        resamples: bootstrap resamples.
        bootstrap_limit: with more architectures than these the interval is asymptotic.

    Returns:
        A table of the schema ``CORRELATIONS``.
    """
    rows = []
    for first, second in pairs:
        names = (first.dataset, first.metric, first.epochs, second.dataset, second.metric, second.epochs)
        found = rank_correlations(
            first.values,
            second.values,
            generator(seed, "landscape.correlation", *names),
            coefficients=coefficients,
            confidence=confidence,
            resamples=resamples,
            bootstrap_limit=bootstrap_limit,
        )
        head = dict(zip(CORRELATIONS.key[:-1], names, strict=True))
        rows += [
            {**head, "coefficient": name, "confidence": confidence, **result.columns()}
            for name, result in zip(coefficients, found, strict=True)
        ]
    return CORRELATIONS.from_rows(rows)


def _dense(values: Array) -> NDArray[np.int64]:
    """Return the place of each value among the different ones, from 0."""
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.int64)


def _statistics(
    x: NDArray[np.int64], y: NDArray[np.int64], counts: NDArray[np.int64], coefficients: Sequence[Coefficient]
) -> Array:
    """Return the coefficients of a sample in which each pair stands ``counts`` times; x ascends."""
    return np.array(
        [_spearman(x, y, counts) if name == "spearman" else _kendall(x, y, counts) for name in coefficients]
    )


@nb.njit(cache=True)
def _centred_midranks(codes: NDArray[np.int64], counts: NDArray[np.int64]) -> Array:
    """Return midranks as shares of the sample, minus 1/2."""
    weights = np.zeros(codes.max() + 1)
    for row in range(len(codes)):
        weights[codes[row]] += counts[row]
    total = weights.sum()
    places, before = np.empty(len(weights)), 0.0
    for code in range(len(weights)):
        places[code] = (before + weights[code] / 2) / total - 0.5
        before += weights[code]
    return places[codes]


@nb.njit(cache=True)
def _spearman(x: NDArray[np.int64], y: NDArray[np.int64], counts: NDArray[np.int64]) -> float:
    u, v = _centred_midranks(x, counts), _centred_midranks(y, counts)
    both, first, second = 0.0, 0.0, 0.0
    for row in range(len(x)):
        both += counts[row] * u[row] * v[row]
        first += counts[row] * u[row] * u[row]
        second += counts[row] * v[row] * v[row]
    if first == 0 or second == 0:
        return np.nan
    # rounding can leave the range
    return float(min(max(both / np.sqrt(first * second), -1.0), 1.0))


@nb.njit(cache=True)
def _add(tree: Array, place: int, weight: float) -> None:
    place += 1
    while place < len(tree):
        tree[place] += weight
        place += place & -place


@nb.njit(cache=True)
def _sum_below(tree: Array, place: int) -> float:
    total = 0.0
    while place > 0:
        total += tree[place]
        place -= place & -place
    return total


@nb.njit(cache=True)
def _concordance_before(x: NDArray[np.int64], y: NDArray[np.int64], counts: NDArray[np.int64]) -> Array:
    """Return, for each pair, how many with a smaller x have a smaller y, minus those with a larger y; x ascends.

    A Fenwick tree over y counts the pairs before: n log n steps (Knight, JASA 61, 1966, sorts instead).
    """
    found = np.zeros(len(x))
    tree = np.zeros(y.max() + 2)
    seen, start = 0.0, 0
    while start < len(x):
        stop = start
        while stop < len(x) and x[stop] == x[start]:
            if counts[stop]:
                found[stop] = _sum_below(tree, y[stop]) - (seen - _sum_below(tree, y[stop] + 1))
            stop += 1
        for row in range(start, stop):
            if counts[row]:
                _add(tree, y[row], counts[row])
                seen += counts[row]
        start = stop
    return found


@nb.njit(cache=True)
def _untied_share(codes: NDArray[np.int64], counts: NDArray[np.int64]) -> float:
    weights = np.zeros(codes.max() + 1)
    for row in range(len(codes)):
        weights[codes[row]] += counts[row]
    total = weights.sum()
    return float(1 - (weights**2).sum() / total**2)


@nb.njit(cache=True)
def _kendall(x: NDArray[np.int64], y: NDArray[np.int64], counts: NDArray[np.int64]) -> float:
    untied = _untied_share(x, counts) * _untied_share(y, counts)
    if untied <= 0:
        return np.nan
    balance = 2 * (counts * _concordance_before(x, y, counts)).sum() / counts.sum() ** 2
    return float(min(max(balance / np.sqrt(untied), -1.0), 1.0))


def _influence(x: NDArray[np.int64], y: NDArray[np.int64], coefficient: Coefficient) -> Array:
    """Return the empirical influence values of a coefficient, which is A / sqrt(B C) of three moments; x ascends."""
    once = np.ones(len(x), dtype=np.int64)
    if coefficient == "spearman":
        u, v = _centred_midranks(x, once), _centred_midranks(y, once)
        moments = [
            (first * second, _mean_above(second, codes_first) + _mean_above(first, codes_second), 3)
            for first, second, codes_first, codes_second in ((u, v, x, y), (u, u, x, x), (v, v, y, y))
        ]
        (a, of_a), (b, of_b), (c, of_c) = [
            (float(product.mean()), product + moved - order * product.mean()) for product, moved, order in moments
        ]
    else:
        before = _concordance_before(x, y, once)
        # the pairs behind, seen from the other end: both axes turned round
        x_turned, y_turned = (np.ascontiguousarray((codes.max() - codes)[::-1]) for codes in (x, y))
        behind = _concordance_before(x_turned, y_turned, once)[::-1]
        shares = [(before + behind) / len(x), *(1 - np.bincount(codes)[codes] / len(codes) for codes in (x, y))]
        (a, of_a), (b, of_b), (c, of_c) = [(float(share.mean()), 2 * (share - share.mean())) for share in shares]
    scale = np.sqrt(b * c)
    return np.asarray(of_a / scale - a / scale / 2 * (of_b / b + of_c / c), dtype=np.float64)


def _mean_above(values: Array, codes: NDArray[np.int64]) -> Array:
    """Return, for each member, the sum of the values whose code is larger, and half of those equal, over all."""
    sums = np.bincount(codes, values)
    above = sums[::-1].cumsum()[::-1] - sums
    return np.asarray((above + sums / 2)[codes] / len(codes), dtype=np.float64)


def _asymptotic(statistic: float, influence: Array, confidence: float) -> Interval:
    """Return the normal interval on Fisher's scale, atanh, whose ends stay between -1 and 1."""
    error = float(np.sqrt(np.sum(influence**2))) / len(influence)
    if error == 0 or abs(statistic) >= 1:
        return Interval(statistic, statistic)
    reach = float(norm.ppf((1 + confidence) / 2)) * error / (1 - statistic**2)
    low, high = np.tanh(np.arctanh(statistic) + np.array([-reach, reach]))
    return Interval(float(low), float(high))
