"""Two-sample statistics against counting, hand computation and independent libraries."""

import math
import warnings
from itertools import combinations

import numpy as np
import pingouin
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from terranas.comparison.statistics import a12, bootstrap_intervals, holm, mann_whitney

samples = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=12).map(np.array)


@given(samples, samples)
def test_a12_counts_pairs(first: np.ndarray, second: np.ndarray) -> None:
    won = sum(1.0 if x > y else 0.5 if x == y else 0.0 for x in first for y in second)
    assert a12(first, second) == pytest.approx(won / (len(first) * len(second)))
    assert a12(first, second) + a12(second, first) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(4))
def test_a12_and_p_agree_with_pingouin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 9, size=30) + seed / 2, rng.integers(0, 9, size=25).astype(float)
    reference = pingouin.mwu(first, second, method="asymptotic").iloc[0]
    assert a12(first, second) == pytest.approx(reference["CLES"])
    test = mann_whitney(first, second)
    assert test.p == pytest.approx(reference[next(name for name in reference.index if name.startswith("p"))])
    assert a12(first, second) == pytest.approx(test.u / (30 * 25))


@pytest.mark.parametrize("seed", range(3))
def test_without_ties_the_test_is_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=5), rng.normal(0.8, size=4)
    test = mann_whitney(first, second)
    # the definition: of all ways to pick the first sample's members, those with a statistic at least as far out
    both = np.concatenate([first, second])
    statistics = []
    for members in combinations(range(9), 5):
        others = [index for index in range(9) if index not in members]
        statistics.append(sum(both[i] > both[j] for i in members for j in others))
    far = np.mean([abs(value - 10) >= abs(test.u - 10) for value in statistics])
    assert (test.method, test.p) == ("exact", pytest.approx(far))


def test_exact_at_thirty_a_side_agrees_with_scipy() -> None:
    first, second = np.random.default_rng(0).normal(size=(2, 30))
    assert mann_whitney(first, second).p == stats.mannwhitneyu(first, second, method="exact").pvalue


def test_ties_fall_back_to_the_corrected_normal_approximation() -> None:
    first, second = np.array([1.0, 2.0, 2.0, 3.0]), np.array([2.0, 4.0, 5.0, 5.0])
    test = mann_whitney(first, second)
    # by hand: 3 beats 2 once and 2 ties with 2 twice; the groups of 3 and 2 equal values correct the variance
    assert test.u == 2
    deviation = math.sqrt(16 / 12 * (9 - (3**3 - 3 + 2**3 - 2) / (8 * 7)))
    assert test.method == "asymptotic"
    assert test.p == pytest.approx(2 * stats.norm.sf((abs(2 - 8) - 0.5) / deviation))


def test_equal_samples_differ_in_nothing() -> None:
    same = np.full(30, 0.7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        test = mann_whitney(same, same)
        difference, effect = bootstrap_intervals(same, same, alpha=0.05, resamples=100, rng=np.random.default_rng(0))
    assert (test.p, test.method, a12(same, same)) == (1, "degenerate", 0.5)
    assert (difference.low, difference.high) == (0, 0)
    assert (effect.low, effect.high) == (0.5, 0.5)


def test_holm_by_hand() -> None:
    # sorted .01, .02, .03, .04 times 4, 3, 2, 1 is .04, .06, .06, .04; the running maximum keeps .06
    np.testing.assert_allclose(holm(np.array([0.04, 0.01, 0.03, 0.02])), [0.06, 0.04, 0.06, 0.06])
    np.testing.assert_allclose(holm(np.array([0.5, 0.9])), [1, 1])


def test_bootstrap_intervals_agree_with_scipy() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.4, size=30), rng.normal(size=30)
    difference, effect = bootstrap_intervals(first, second, alpha=0.1, resamples=20_000, rng=rng)
    options = {
        "vectorized": False,
        "paired": False,
        "confidence_level": 0.9,
        "method": "percentile",
        "n_resamples": 5000,
    }
    for interval, statistic in (
        (difference, lambda x, y: np.median(x) - np.median(y)),
        (effect, a12),
    ):
        expected = stats.bootstrap((first, second), statistic, rng=np.random.default_rng(1), **options)
        assert interval.low == pytest.approx(expected.confidence_interval.low, abs=0.03)
        assert interval.high == pytest.approx(expected.confidence_interval.high, abs=0.03)


def test_bootstrap_is_the_same_for_the_same_generator() -> None:
    first, second = np.random.default_rng(0).normal(size=(2, 10))
    runs = [
        bootstrap_intervals(first, second, alpha=0.05, resamples=200, rng=np.random.default_rng(seed))
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1] != runs[2]


def test_bootstrap_handles_samples_of_unequal_size() -> None:
    first, second = np.arange(4.0), np.arange(7.0) + 100
    _, effect = bootstrap_intervals(first, second, alpha=0.05, resamples=100, rng=np.random.default_rng(0))
    assert (effect.low, effect.high) == (0, 0)
