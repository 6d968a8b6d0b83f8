"""Two-sample statistics: Mann-Whitney U, Vargha and Delaney's A12, bootstrap intervals, Holm's correction."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests

Sample = NDArray[np.float64]


@dataclass(frozen=True)
class MannWhitney:
    """Result of a two-sided Mann-Whitney test.

    Attributes:
        u: the statistic of the first sample: pairs in which it is larger, ties counting half.
        p: two-sided p-value.
        method: ``exact``; ``asymptotic`` where ties forbid the exact distribution (normal approximation with
            correction for ties and continuity); ``degenerate`` where all values are equal.
    """

    u: float
    p: float
    method: str


def mann_whitney(first: Sample, second: Sample) -> MannWhitney:
    """Test whether two independent samples differ in location (Mann and Whitney, 1947), two-sided.

    Args:
        first: shape (n,), finite.
        second: shape (m,), finite.
    """
    both = np.concatenate([first, second])
    if np.ptp(both) == 0:
        return MannWhitney(len(first) * len(second) / 2, 1.0, "degenerate")
    method: Literal["exact", "asymptotic"] = "exact" if len(np.unique(both)) == len(both) else "asymptotic"
    result = stats.mannwhitneyu(first, second, alternative="two-sided", method=method)
    return MannWhitney(float(result.statistic), min(1.0, float(result.pvalue)), method)


def a12(first: Sample, second: Sample) -> float:
    """Return P(first > second) + P(first = second) / 2 (Vargha and Delaney, 2000); .5 means no difference."""
    return float(_pairs_won(first, second).mean())


@dataclass(frozen=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float


def bootstrap_intervals(
    first: Sample, second: Sample, *, alpha: float, resamples: int, rng: np.random.Generator
) -> tuple[Interval, Interval]:
    """Return percentile-bootstrap intervals of the difference of medians (first - second) and of A12.

    Both samples are resampled independently; both statistics use the same resamples.

    Args:
        first: shape (n,), finite.
        second: shape (m,), finite.
        alpha: the intervals cover 1 - alpha.
        resamples: number of resamples.
        rng: draws them.
    """
    drawn_first = rng.integers(len(first), size=(resamples, len(first)))
    drawn_second = rng.integers(len(second), size=(resamples, len(second)))
    differences = np.median(first[drawn_first], axis=1) - np.median(second[drawn_second], axis=1)
    # how often each member was drawn turns the pairs of a resample into one bilinear form
    times_first = _counts(drawn_first, len(first))
    times_second = _counts(drawn_second, len(second))
    pairs = np.einsum("ri,ij,rj->r", times_first, _pairs_won(first, second), times_second, optimize=True)
    effects = pairs / (len(first) * len(second))
    return _percentiles(differences, alpha), _percentiles(effects, alpha)


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p-values adjusted for the family of all of them (Holm, 1979), in the same order."""
    return np.asarray(multipletests(p_values, method="holm")[1], dtype=np.float64)


def _pairs_won(first: Sample, second: Sample) -> NDArray[np.float64]:
    """Return 1 where a member of the first sample is larger, .5 at ties, 0 elsewhere; shape (n, m)."""
    return np.asarray((first[:, None] > second) + 0.5 * (first[:, None] == second), dtype=np.float64)


def _counts(drawn: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Return how often each of ``size`` members stands in each row of ``drawn``, shape (rows, size)."""
    rows = np.arange(len(drawn))[:, None]
    counts = np.bincount((rows * size + drawn).ravel(), minlength=len(drawn) * size)
    return counts.reshape(len(drawn), size).astype(np.float64)


def _percentiles(values: NDArray[np.float64], alpha: float) -> Interval:
    low, high = np.quantile(values, [alpha / 2, 1 - alpha / 2])
    return Interval(float(low), float(high))
