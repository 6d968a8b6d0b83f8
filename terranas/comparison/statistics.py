"""Two-sample statistics of searches: tests, effect sizes with bootstrap intervals, Holm's correction.

Intervals of A12 are BCa ones. Simulated for two samples of 30 (1,500 trials, nominal 95 %), they hold the true A12 in
94 to 96 % of the cases where it is between .3 and .92 and in 90 % at .98; percentile intervals do so in 92 to 95 % and
84 %. Of samples of 10, BCa holds it in 91 to 97 % up to .92, percentile intervals in 86 to 95 %. Where the samples do
not overlap at all, every resample says the same and a bootstrap interval has no width: its open end then comes from
Lehmann's alternatives (not yet in those numbers), see :func:`effect_intervals`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from terranas.landscape.bootstrap import Interval, bca_interval, percentile_interval

Sample = NDArray[np.float64]

EXACT_WITH_TIES = 100
"""Most values, of both samples together, whose tied rank sums are counted one by one."""

EXACT_PAIRS = 100
"""Most unequal pairs whose signed ranks are counted one by one."""


@dataclass(frozen=True)
class RankTest:
    """Result of a two-sided rank test.

    Attributes:
        statistic: of Mann-Whitney, the pairs that the first sample wins, ties counting half; of Wilcoxon, the sum of
            the ranks of the positive differences.
        share: the statistic as a share of its largest value; .5 says that neither sample is ahead.
        p: two-sided p-value.
        method: null distribution, as named in ``terranas.comparison.schema.METHODS``.
    """

    statistic: float
    share: float
    p: float
    method: str


def mann_whitney(first: Sample, second: Sample) -> RankTest:
    """Test whether two independent samples differ in location (Mann and Whitney, 1947), two-sided.

    The distribution is exact: that of untied ranks, or, with ties, the permutation distribution of the tied ranks at
    hand (Streitberg and Röhmel, 1986), whose p-value counts the splits in which U is at least as far from its mean.
    Tied samples of more than :data:`EXACT_WITH_TIES` values get the normal approximation, corrected for ties and
    continuity.

    Args:
        first: shape (n,), finite.
        second: shape (m,), finite.
    """
    both = np.concatenate([first, second])
    pairs = len(first) * len(second)
    if np.ptp(both) == 0:
        return RankTest(pairs / 2, 0.5, 1.0, "degenerate")
    tied = len(np.unique(both)) < len(both)
    if tied and len(both) <= EXACT_WITH_TIES:
        ranks = stats.rankdata(both)
        u = float(ranks[: len(first)].sum()) - len(first) * (len(first) + 1) / 2
        return RankTest(u, u / pairs, _tied_rank_sum_p(ranks, len(first)), "exact_with_ties")
    method: Literal["exact", "asymptotic"] = "asymptotic" if tied else "exact"
    result = stats.mannwhitneyu(first, second, alternative="two-sided", method=method)
    u = float(result.statistic)
    return RankTest(u, u / pairs, min(1.0, float(result.pvalue)), method)


def _tied_rank_sum_p(ranks: Sample, size: int) -> float:
    """Return how likely a random choice of ``size`` midranks has a sum as far from its mean as the first ones have."""
    doubled = np.rint(2 * ranks).astype(np.int64)  # midranks are halves
    chosen = min(size, len(ranks) - size)  # the others' sum is as far from its own mean
    observed = doubled[:size].sum() if chosen == size else doubled[size:].sum()
    ways = np.zeros((chosen + 1, int(np.sort(doubled)[-chosen:].sum()) + 1))
    ways[0, 0] = 1.0
    for rank in doubled.tolist():
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank]
    sums = np.arange(ways.shape[1])
    # in whole numbers: mean times the count of ranks
    far = np.abs(sums * len(ranks) - chosen * doubled.sum())
    counted = ways[chosen]
    return float(counted[far >= abs(observed * len(ranks) - chosen * doubled.sum())].sum() / counted.sum())


def wilcoxon(first: Sample, second: Sample) -> RankTest:
    """Test whether paired values differ (Wilcoxon's signed-rank test, 1945), two-sided.

    Equal pairs are left out, as Wilcoxon did. The distribution is exact for up to :data:`EXACT_PAIRS` unequal pairs,
    with ties that of the tied ranks at hand; beyond that it is normal, corrected for ties.

    Args:
        first: shape (n,), finite.
        second: shape (n,), finite; values of one place belong together.
    """
    differences = first - second
    unequal = differences[differences != 0]
    if not len(unequal):
        return RankTest(0.0, 0.5, 1.0, "degenerate")
    ranks = stats.rankdata(np.abs(unequal))
    w = float(ranks[unequal > 0].sum())
    share = w / float(ranks.sum())
    if len(unequal) > EXACT_PAIRS:
        return RankTest(w, share, float(stats.wilcoxon(unequal, method="approx").pvalue), "asymptotic")
    doubled = np.rint(2 * ranks).astype(np.int64)
    total = int(doubled.sum())
    likely = np.zeros(total + 1)
    likely[0] = 1.0
    for rank in doubled.tolist():
        likely[rank:] += likely[: total + 1 - rank]
        likely /= 2
    far = np.abs(2 * np.arange(total + 1) - total)
    tied = len(np.unique(ranks)) < len(ranks)
    p = float(likely[far >= abs(round(4 * w) - total)].sum())
    return RankTest(w, share, min(1.0, p), "exact_with_ties" if tied else "exact")


def kolmogorov_smirnov(first: Sample, second: Sample) -> float:
    """Return the two-sided p-value that both samples come from one distribution; conservative with ties."""
    return float(stats.ks_2samp(first, second).pvalue)


def welch(first: Sample, second: Sample) -> float:
    """Return the two-sided p-value of Welch's t-test (1947); NaN where neither sample varies or one is too small."""
    if min(len(first), len(second)) < 2 or (np.ptp(first) == 0 and np.ptp(second) == 0):
        return np.nan
    # from their moments: the test itself warns of samples that do not vary
    moments = [(float(one.mean()), float(one.std(ddof=1)), len(one)) for one in (first, second)]
    return float(stats.ttest_ind_from_stats(*moments[0], *moments[1], equal_var=False).pvalue)


def shapiro_wilk(sample: Sample) -> float:
    """Return the p-value that a sample is normal (Shapiro and Wilk, 1965).

    Returns:
        NaN for fewer than three values, and for those that do not vary or vary by no more than rounding does.
    """
    spread = float(np.ptp(sample))
    if len(sample) < 3 or spread <= 1e-12 * float(np.abs(sample).max()):
        return np.nan
    # in units of their range: the test would lose small deviations from a large mean
    return float(stats.shapiro((sample - np.median(sample)) / spread).pvalue)


def a12(first: Sample, second: Sample) -> float:
    """Return P(first > second) + P(first = second) / 2 (Vargha and Delaney, 2000); .5 means no difference."""
    return float(_pairs_won(first, second).mean())


@dataclass(frozen=True)
class EffectIntervals:
    """Bootstrap intervals of a comparison; Cliff's delta is 2 A12 - 1, and so are the ends of its interval.

    Attributes:
        median_difference: percentile interval of median(first) - median(second).
        a12: BCa interval of A12.
    """

    median_difference: Interval
    a12: Interval

    @property
    def cliffs_delta(self) -> Interval:
        """Interval of Cliff's delta."""
        return Interval(2 * self.a12.low - 1, 2 * self.a12.high - 1)


def effect_intervals(
    first: Sample, second: Sample, *, paired: bool = False, alpha: float, resamples: int, rng: np.random.Generator
) -> EffectIntervals:
    """Return bootstrap intervals of the difference of medians (first - second) and of A12.

    Both statistics use the same resamples. Where one sample is wholly above the other, A12's interval ends at 0 or 1,
    and its other end is the A12 with which this would happen with a probability of alpha / 2 if one distribution
    function were a power of the other (Lehmann, Annals of Mathematical Statistics 24, 1953).

    Args:
        first: shape (n,), finite.
        second: shape (m,), finite.
        paired: resample places instead of both samples apart; needs n = m.
        alpha: the intervals cover 1 - alpha.
        resamples: number of resamples.
        rng: draws them.
    """
    drawn_first = rng.integers(len(first), size=(resamples, len(first)))
    drawn_second = drawn_first if paired else rng.integers(len(second), size=(resamples, len(second)))
    differences = np.median(first[drawn_first], axis=1) - np.median(second[drawn_second], axis=1)
    return EffectIntervals(
        median_difference=percentile_interval(differences, 1 - alpha),
        a12=_a12_interval(_pairs_won(first, second), drawn_first, drawn_second, paired, alpha),
    )


def _a12_interval(
    won: NDArray[np.float64],
    drawn_first: NDArray[np.int64],
    drawn_second: NDArray[np.int64],
    paired: bool,
    alpha: float,
) -> Interval:
    """Return the interval of the mean of ``won``, shape (n, m), whose rows and columns were resampled."""
    effect = float(won.mean())
    rows, columns = won.shape
    if effect == 0 or effect == 1:
        bound = separated_a12(rows, columns, alpha / 2)
        return Interval(bound, 1.0) if effect else Interval(0.0, 1 - bound)
    # how often each member was drawn turns the pairs of a resample into one bilinear form
    times_first = _counts(drawn_first, rows)
    times_second = times_first if paired else _counts(drawn_second, columns)
    effects = np.einsum("rj,rj->r", times_first @ won, times_second) / won.size
    own_first, own_second = won.mean(axis=1) - effect, won.mean(axis=0) - effect
    influence = own_first + own_second if paired else np.concatenate([own_first / rows, own_second / columns])
    return bca_interval(effect, effects, influence, 1 - alpha)


def separated_a12(first: int, second: int, probability: float) -> float:
    """Return the smallest A12 with which all of one sample exceed all of the other with a given probability.

    If the first sample's distribution function is the second's to the power of theta, A12 is theta / (1 + theta), and
    the first sample is wholly above with probability prod_i (i theta / (i theta + m)), i = 1 .. n. The same with the
    roles of the samples exchanged gives another bound; the smaller of the two is returned.

    Args:
        first: size n of the first sample.
        second: size m of the second sample.
        probability: between 0 and 1.
    """
    bounds = []
    for size, other in ((first, second), (second, first)):
        places = np.arange(1, size + 1)

        def excess(log_theta: float, places: NDArray[np.int64] = places, other: int = other) -> float:
            return float(-np.log1p(other / (places * np.exp(log_theta))).sum() - np.log(probability))

        theta = np.exp(brentq(excess, -40.0, 40.0))
        bounds.append(theta / (1 + theta))
    return float(min(bounds))


def _pairs_won(first: Sample, second: Sample) -> NDArray[np.float64]:
    """Return 1 where a member of the first sample is larger, .5 at ties, 0 elsewhere; shape (n, m)."""
    return np.asarray((first[:, None] > second) + 0.5 * (first[:, None] == second), dtype=np.float64)


def _counts(drawn: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Return how often each of ``size`` members stands in each row of ``drawn``, shape (rows, size)."""
    rows = np.arange(len(drawn))[:, None]
    counts = np.bincount((rows * size + drawn).ravel(), minlength=len(drawn) * size)
    return counts.reshape(len(drawn), size).astype(np.float64)
