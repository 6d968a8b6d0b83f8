"""Two-sample statistics against counting, hand computation and independent libraries."""

import warnings
from itertools import combinations, product

import numpy as np
import pingouin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from terranas.comparison.statistics import (
    EXACT_PAIRS,
    EXACT_WITH_TIES,
    a12,
    effect_intervals,
    kolmogorov_smirnov,
    mann_whitney,
    separated_a12,
    shapiro_wilk,
    welch,
    wilcoxon,
)
from terranas.core.holm import holm

samples = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=12).map(np.array)
small = st.lists(st.integers(0, 4).map(float), min_size=1, max_size=5).map(np.array)


def intervals(first: np.ndarray, second: np.ndarray, seed: int = 0, **options: object) -> object:
    defaults = {"alpha": 0.05, "resamples": 500, "rng": np.random.default_rng(seed)}
    return effect_intervals(first, second, **(defaults | options))


@given(samples, samples)
def test_a12_counts_pairs(first: np.ndarray, second: np.ndarray) -> None:
    won = sum(1.0 if x > y else 0.5 if x == y else 0.0 for x in first for y in second)
    assert a12(first, second) == pytest.approx(won / (len(first) * len(second)))
    assert a12(first, second) + a12(second, first) == pytest.approx(1)
    assert mann_whitney(first, second).share == pytest.approx(a12(first, second))


@pytest.mark.parametrize("seed", range(4))
def test_a12_and_u_agree_with_pingouin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 9, size=60) + seed / 2, rng.integers(0, 9, size=55).astype(float)
    reference = pingouin.mwu(first, second, method="asymptotic").iloc[0]
    test = mann_whitney(first, second)
    assert a12(first, second) == pytest.approx(reference["CLES"])
    assert 2 * a12(first, second) - 1 == pytest.approx(reference["RBC"])  # Cliff's delta
    assert (test.method, test.p) == ("asymptotic", pytest.approx(reference[p_column(reference)]))
    assert a12(first, second) == pytest.approx(test.statistic / (60 * 55))


def p_column(row: object) -> str:
    return next(name for name in row.index if name.startswith("p"))


def test_mann_whitney_agrees_with_the_example_of_scipy() -> None:
    test = mann_whitney(np.array([19.0, 22, 16, 29, 24]), np.array([20.0, 11, 17, 12]))
    assert (test.statistic, test.method) == (17, "exact")
    assert test.p == pytest.approx(0.1111111111111111)


@settings(max_examples=60, deadline=None)
@given(small, small)
def test_the_rank_test_is_exact_with_and_without_ties(first: np.ndarray, second: np.ndarray) -> None:
    # the definition: of all ways to pick the first sample's members, those with a statistic at least as far out
    both, size = np.concatenate([first, second]), len(first)
    test = mann_whitney(first, second)
    ranks = stats.rankdata(both)
    sums = np.array([ranks[list(members)].sum() for members in combinations(range(len(both)), size)])
    centre = size * (len(both) + 1) / 2
    far = np.mean(np.abs(sums - centre) >= abs(ranks[:size].sum() - centre) - 1e-9)
    assert test.method in ("exact", "exact_with_ties", "degenerate")
    assert test.p == pytest.approx(far)


def test_exact_at_thirty_a_side_agrees_with_scipy() -> None:
    first, second = np.random.default_rng(0).normal(size=(2, 30))
    assert mann_whitney(first, second).p == stats.mannwhitneyu(first, second, method="exact").pvalue


def test_one_tie_changes_the_exact_distribution_little() -> None:
    first, second = np.random.default_rng(0).normal(size=(2, 30))
    untied = mann_whitney(first, second)
    tied = mann_whitney(np.append(first[1:], second[0]), second)
    assert (untied.method, tied.method) == ("exact", "exact_with_ties")
    near = stats.mannwhitneyu(np.append(first[1:], second[0]), second, method="asymptotic").pvalue
    assert tied.p == pytest.approx(near, abs=0.01)


def test_many_ties_fall_back_to_the_corrected_normal_approximation() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 5, size=(2, EXACT_WITH_TIES)).astype(float)
    expected = stats.mannwhitneyu(first, second, method="asymptotic")
    test = mann_whitney(first, second)
    assert (test.method, test.p) == ("asymptotic", pytest.approx(expected.pvalue))


def test_wilcoxon_agrees_with_the_example_of_scipy() -> None:
    # Darwin's differences in height of cross- and self-fertilised plants
    differences = np.array([6.0, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75])
    test = wilcoxon(differences, np.zeros(15))
    assert (15 * 16 / 2 - test.statistic, test.method) == (24, "exact")
    assert test.p == pytest.approx(0.041259765625)
    assert test.share == pytest.approx(96 / 120)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=8).map(np.array))
def test_the_signed_rank_test_is_exact_with_and_without_ties(differences: np.ndarray) -> None:
    test = wilcoxon(differences + 1, np.ones(len(differences)))
    unequal = differences[differences != 0]
    if not len(unequal):
        assert (test.p, test.method) == (1, "degenerate")
        return
    ranks = stats.rankdata(np.abs(unequal))
    sums = np.array([np.dot(signs, ranks) for signs in product((0, 1), repeat=len(unequal))])
    centre = ranks.sum() / 2
    assert test.statistic == ranks[unequal > 0].sum()
    assert test.p == pytest.approx(np.mean(np.abs(sums - centre) >= abs(test.statistic - centre) - 1e-9))


def test_wilcoxon_agrees_with_pingouin() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(0.3, size=24), rng.normal(size=24)
    reference = pingouin.wilcoxon(first, second, method="exact").iloc[0]
    test = wilcoxon(first, second)
    assert test.p == pytest.approx(reference[p_column(reference)])
    assert 2 * test.share - 1 == pytest.approx(reference["RBC"])


def test_wilcoxon_of_very_many_pairs_is_normal() -> None:
    differences = np.random.default_rng(0).normal(0.1, size=EXACT_PAIRS + 1)
    test = wilcoxon(differences, np.zeros(len(differences)))
    assert (test.method, test.p) == ("asymptotic", stats.wilcoxon(differences, method="approx").pvalue)


def test_kolmogorov_smirnov_is_exact_for_small_samples() -> None:
    first, second = np.array([0.1, 0.4, 0.5, 0.6, 2.0]), np.array([0.7, 0.8, 0.9, 1.5])
    both = np.concatenate([first, second])

    def distance(members: tuple[int, ...]) -> float:
        inside = np.isin(np.arange(9), members)
        return max(abs(np.mean(both[inside] <= x) - np.mean(both[~inside] <= x)) for x in both)

    observed = distance(tuple(range(5)))
    far = np.mean([distance(members) >= observed - 1e-12 for members in combinations(range(9), 5)])
    assert kolmogorov_smirnov(first, second) == pytest.approx(far)


def test_welch_agrees_with_pingouin() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.5, size=12), rng.normal(scale=3, size=20)
    reference = pingouin.ttest(first, second, correction=True).iloc[0]
    assert welch(first, second) == pytest.approx(reference[p_column(reference)], rel=1e-6)


def test_welch_needs_a_spread() -> None:
    assert np.isnan(welch(np.full(5, 0.3), np.full(5, 0.4)))
    assert np.isnan(welch(np.array([0.3]), np.arange(5.0)))
    assert welch(np.full(5, 0.3), np.arange(5.0)) < 1


def test_shapiro_wilk_agrees_with_the_example_of_scipy() -> None:
    weights = np.array([148.0, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236])
    assert shapiro_wilk(weights) == pytest.approx(0.0067038, rel=1e-4)
    assert shapiro_wilk(weights * 1e-9 + 4) == pytest.approx(0.0067038, rel=1e-2)


def test_shapiro_wilk_needs_a_spread() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(shapiro_wilk(np.full(30, 0.7)))
        assert np.isnan(shapiro_wilk(np.array([1.0, 2.0])))
        assert np.isnan(shapiro_wilk(np.full(30, 0.7) + 1e-16 * np.arange(30)))


def test_equal_samples_differ_in_nothing() -> None:
    same = np.full(30, 0.7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        test = mann_whitney(same, same)
        found = intervals(same, same)
    assert (test.p, test.share, test.method, a12(same, same)) == (1, 0.5, "degenerate", 0.5)
    assert (found.median_difference.low, found.median_difference.high) == (0, 0)
    assert (found.a12.low, found.a12.high) == (0.5, 0.5)
    assert (found.cliffs_delta.low, found.cliffs_delta.high) == (0, 0)


def test_holm_by_hand() -> None:
    # sorted .01, .02, .03, .04 times 4, 3, 2, 1 is .04, .06, .06, .04; the running maximum keeps .06
    np.testing.assert_allclose(holm(np.array([0.04, 0.01, 0.03, 0.02])), [0.06, 0.04, 0.06, 0.06])
    np.testing.assert_allclose(holm(np.array([0.5, 0.9])), [1, 1])
    # what was not tested is no member of the family
    np.testing.assert_allclose(holm(np.array([0.04, np.nan, 0.01])), [0.04, np.nan, 0.02])
    assert np.isnan(holm(np.array([np.nan]))).all()


def test_holm_agrees_with_statsmodels() -> None:
    rng = np.random.default_rng(0)
    for p in (rng.random(20) ** 3, np.round(rng.random(30), 1)):
        np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])


def test_intervals_agree_with_scipy() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.4, size=30), rng.normal(size=30)
    found = intervals(first, second, alpha=0.1, resamples=20_000, rng=rng)
    options = {"vectorized": False, "paired": False, "confidence_level": 0.9, "n_resamples": 4000}
    for interval, statistic, method in (
        (found.median_difference, lambda x, y: np.median(x) - np.median(y), "percentile"),
        (found.a12, a12, "BCa"),
    ):
        expected = stats.bootstrap((first, second), statistic, rng=np.random.default_rng(1), method=method, **options)
        assert interval.low == pytest.approx(expected.confidence_interval.low, abs=0.03)
        assert interval.high == pytest.approx(expected.confidence_interval.high, abs=0.03)


def test_paired_intervals_resample_pairs() -> None:
    rng = np.random.default_rng(0)
    shared = rng.normal(size=30)
    first, second = shared + 0.1, shared + 0.02 * rng.normal(size=30)
    apart, together = intervals(first, second, resamples=2000), intervals(first, second, paired=True, resamples=2000)
    assert together.a12.high - together.a12.low < 0.5 * (apart.a12.high - apart.a12.low)
    assert together.a12.low <= a12(first, second) <= together.a12.high
    expected = stats.bootstrap(
        (first, second), a12, paired=True, vectorized=False, n_resamples=2000, rng=np.random.default_rng(1)
    ).confidence_interval
    assert together.a12.low == pytest.approx(expected.low, abs=0.02)
    assert together.a12.high == pytest.approx(expected.high, abs=0.02)


@pytest.mark.parametrize(("shift", "true"), [(0.0, 0.5), (1.0, stats.norm.cdf(1 / np.sqrt(2))), (3.0, 0.98305)])
def test_intervals_hold_the_truth_about_as_often_as_they_say(shift: float, true: float) -> None:
    rng = np.random.default_rng(7)
    effects = medians = 0
    for _ in range(300):
        found = intervals(rng.normal(shift, size=20), rng.normal(size=20), resamples=300, rng=rng)
        effects += found.a12.holds(true)
        medians += found.median_difference.holds(shift)
    assert 0.9 <= effects / 300 <= 0.995
    assert 0.9 <= medians / 300 <= 0.995


def test_separated_samples_have_an_interval_with_a_width() -> None:
    first, second = np.arange(4.0), np.arange(7.0) + 100
    found = intervals(first, second)
    assert found.a12.low == 0
    assert 0.1 < found.a12.high < 0.6
    turned = intervals(second, first)
    assert (turned.a12.low, turned.a12.high) == (pytest.approx(1 - found.a12.high), 1)
    assert separated_a12(30, 30, 0.025) > separated_a12(10, 10, 0.025)


def test_bound_of_separated_samples_follows_its_model() -> None:
    assert separated_a12(1, 1, 0.3) == pytest.approx(0.3)  # a single pair is won with probability A12 itself
    bound = separated_a12(3, 3, 0.2)
    theta = bound / (1 - bound)
    rng = np.random.default_rng(0)
    first, second = rng.random((40_000, 3)) ** (1 / theta), rng.random((40_000, 3))
    assert np.mean(first > second) == pytest.approx(bound, abs=0.01)
    assert np.mean(first.min(axis=1) > second.max(axis=1)) == pytest.approx(0.2, abs=0.01)


def test_intervals_are_the_same_for_the_same_generator() -> None:
    first, second = np.random.default_rng(0).normal(size=(2, 10))
    runs = [intervals(first, second, seed) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
