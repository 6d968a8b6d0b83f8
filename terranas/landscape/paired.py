"""Paired comparisons: Wilcoxon's signed-rank test, effect sizes and their bootstrap intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, wilcoxon

from terranas.landscape.bootstrap import (
    CONFIDENCE,
    MIN_SAMPLE,
    RESAMPLES,
    UNDEFINED,
    Interval,
    percentile_interval,
)

Array = NDArray[np.float64]

_AT_ONCE = 1 << 20  # values of resamples in memory together
_EXACT_LIMIT = 50


@dataclass(frozen=True)
class PairedTest:
    """Result of a paired comparison.

    Attributes:
        n: pairs.
        equal: pairs without a difference; the test leaves them out.
        w: sum of the ranks of the positive differences, by size.
        p: two-sided p-value; NaN without any pair.
        method: ``exact``; ``asymptotic`` where ties of differences, or more than 50 of them, call for the normal
            approximation; ``degenerate`` where all pairs are equal; empty without any pair.
        median_difference: median of first - second, with its interval.
        rank_biserial: matched-pairs rank-biserial correlation (ranks of positive minus of negative differences, over
            all; Kerby, Comprehensive Psychology 3, 2014), with its interval; 0 where all pairs are equal.
        cliffs_delta: P(first > second) - P(first < second) over all pairs of members, whatever the pairing (Cliff,
            Psychological Bulletin 114, 1993), with its interval.
    """

    n: int
    equal: int
    w: float
    p: float
    method: str
    median_difference: tuple[float, Interval]
    rank_biserial: tuple[float, Interval]
    cliffs_delta: tuple[float, Interval]

    @property
    def smallest_p(self) -> float:
        """Smallest two-sided p-value that so many unequal pairs can give."""
        return min(1.0, 2.0 ** (1 - (self.n - self.equal)))


def paired_test(
    first: Array,
    second: Array,
    rng: np.random.Generator,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> PairedTest:
    """Compare two series of paired values; pairs with a NaN are left out.

    Intervals are percentile-bootstrap ones over the pairs, undefined for fewer than five.

    Args:
        first: shape (n,).
        second: shape (n,).
        rng: draws the resamples.
        confidence: nominal coverage of the intervals.
        resamples: bootstrap resamples.
    """
    known = ~(np.isnan(first) | np.isnan(second))
    one, other = first[known], second[known]
    if not len(one):
        return PairedTest(0, 0, np.nan, np.nan, "", (np.nan, UNDEFINED), (np.nan, UNDEFINED), (np.nan, UNDEFINED))
    # resampled in the order of the values: equal for rows in any order
    order = np.lexsort((other, one))
    one, other = one[order], other[order]
    w, p, method = _wilcoxon(one - other)
    statistics = _statistics(one[None], other[None])[:, 0]
    intervals = [UNDEFINED] * len(statistics)
    if len(one) >= MIN_SAMPLE:
        drawn = _resampled(one, other, rng, resamples)
        intervals = [percentile_interval(values, confidence) for values in drawn]
    median, biserial, delta = zip(map(float, statistics), intervals, strict=True)
    return PairedTest(len(one), int(np.sum(one == other)), w, p, method, median, biserial, delta)


def _wilcoxon(differences: Array) -> tuple[float, float, str]:
    """Return statistic, p-value and method of the signed-rank test (Wilcoxon, Biometrics 1, 1945)."""
    unequal = differences[differences != 0]
    sizes = np.abs(unequal)
    if not len(unequal):
        return 0.0, 1.0, "degenerate"
    untied = len(np.unique(sizes)) == len(sizes)
    exact = untied and len(sizes) <= _EXACT_LIMIT
    result = wilcoxon(unequal, method="exact" if exact else "approx")
    ranks = float(rankdata(sizes)[unequal > 0].sum())
    return ranks, float(result.pvalue), "exact" if exact else "asymptotic"


def _statistics(one: Array, other: Array) -> Array:
    """Return median difference, rank-biserial correlation and Cliff's delta of samples, shape (3, samples)."""
    differences, pairs = one - other, one.shape[1]
    # equal pairs have the lowest ranks of all; without them, the others' ranks are smaller by their number
    ranks = rankdata(np.abs(differences), axis=1) - (differences == 0).sum(axis=1, keepdims=True)
    total = (ranks * (differences != 0)).sum(axis=1)
    signed = (ranks * np.sign(differences)).sum(axis=1)
    biserial = np.divide(signed, total, out=np.zeros(len(total)), where=total > 0)
    among_all = rankdata(np.concatenate([one, other], axis=1), axis=1)[:, :pairs].sum(axis=1)
    won = (among_all - pairs * (pairs + 1) / 2) / pairs**2
    return np.stack([np.median(differences, axis=1), biserial, 2 * won - 1])


def _resampled(one: Array, other: Array, rng: np.random.Generator, resamples: int) -> Array:
    """Return the statistics of resampled pairs, shape (3, resamples)."""
    parts, left = [], resamples
    while left:
        size = min(left, max(1, _AT_ONCE // len(one)))
        drawn = rng.integers(len(one), size=(size, len(one)))
        parts.append(_statistics(one[drawn], other[drawn]))
        left -= size
    return np.concatenate(parts, axis=1)
