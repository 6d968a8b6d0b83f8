"""Tests of several methods against published values, hand computation and independent libraries."""

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats

from terranas.comparison.rank_statistics import (
    critical_difference,
    dunn,
    friedman,
    kruskal_wallis,
    nemenyi,
    pairwise_wilcoxon,
)
from terranas.core.holm import holm

PULSES = np.array(
    [[72, 96, 88, 92, 74, 76, 82], [120, 120, 132, 120, 101, 96, 112], [76, 95, 104, 96, 84, 72, 76]], dtype=float
).T


def test_friedman_agrees_with_the_example_of_scipy() -> None:
    result = friedman(PULSES)
    assert result.statistic == pytest.approx(10.57142857142857)
    np.testing.assert_allclose(result.mean_ranks, stats.rankdata(PULSES, axis=1).mean(axis=0))


@pytest.mark.parametrize("tied", [False, True])
def test_iman_davenport_agrees_with_pingouin(tied: bool) -> None:
    values = np.random.default_rng(0).normal(size=(9, 5)) + np.arange(5) / 3
    values = np.round(values) if tied else values
    long = pd.DataFrame(values).melt(ignore_index=False, var_name="method").reset_index(names="block")
    options = {"data": long, "dv": "value", "within": "method", "subject": "block"}
    result = friedman(values)
    assert result.f == pytest.approx(pingouin.friedman(method="f", **options)["F"].iloc[0])
    assert result.statistic == pytest.approx(pingouin.friedman(method="chisq", **options)["Q"].iloc[0])
    assert result.p == pytest.approx(stats.f.sf(result.f, 4, 4 * 8))


def test_friedman_where_all_blocks_agree() -> None:
    values = np.tile(np.array([3.0, 1.0, 2.0]), (4, 1))
    result = friedman(values)
    assert (result.f, result.p) == (np.inf, pytest.approx((1 / 6) ** 3))
    assert result.statistic == 8
    assert result.mean_ranks.tolist() == [3, 1, 2]


def test_friedman_of_equal_methods_finds_nothing() -> None:
    result = friedman(np.ones((4, 3)))
    assert (result.statistic, result.f, result.p) == (0, 0, 1)
    assert result.mean_ranks.tolist() == [2, 2, 2]


@pytest.mark.parametrize("shape", [(1, 4), (5, 2)])
def test_friedman_needs_blocks_and_methods(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected at least 2 blocks and 3 methods"):
        friedman(np.ones(shape))


def test_critical_difference_agrees_with_the_published_table() -> None:
    # Demsar (2006), table 5a, q at .05 for 2 to 10 methods; his example has 4 methods on 14 data sets
    published = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]
    for methods, quantile in enumerate(published, start=2):
        expected = quantile * np.sqrt(methods * (methods + 1) / (6 * 14))
        assert critical_difference(14, methods, 0.05) == pytest.approx(expected, rel=4e-4)
    assert critical_difference(14, 4, 0.05) == pytest.approx(1.25, abs=0.005)


def test_nemenyi_is_at_its_level_at_the_critical_difference() -> None:
    difference = critical_difference(10, 5, 0.05)
    p = nemenyi(np.array([1.0, 1.0 + difference, 3.0, 3.0, 2.0]), 10)
    assert p[0, 1] == pytest.approx(0.05)
    assert p[2, 3] == 1
    np.testing.assert_array_equal(p, p.T)
    assert nemenyi(np.array([1.0, 3.0]), 12)[0, 1] == pytest.approx(2 * stats.norm.sf(2 / np.sqrt(6 / 72)))


def test_pairwise_wilcoxon_corrects_for_all_pairs() -> None:
    p, adjusted = pairwise_wilcoxon(PULSES)
    plain = [stats.wilcoxon(PULSES[:, a], PULSES[:, b], method="exact").pvalue for a, b in ((0, 1), (1, 2))]
    assert p[0, 1] == pytest.approx(plain[0])
    assert p[2, 1] == pytest.approx(plain[1])
    upper = np.triu_indices(3, k=1)
    np.testing.assert_allclose(adjusted[upper], holm(p[upper]))
    assert (np.diag(adjusted) == 1).all()


def test_kruskal_wallis_agrees_with_the_examples_of_scipy() -> None:
    result = kruskal_wallis([np.array([1.0, 3, 5, 7, 9]), np.array([2.0, 4, 6, 8, 10])])
    assert (result.statistic, result.p) == (pytest.approx(0.2727272727272734), pytest.approx(0.6015081344405895))
    tied = kruskal_wallis([np.ones(3), np.full(3, 2.0), np.full(2, 2.0)])
    assert (tied.statistic, tied.p) == (pytest.approx(7.0), pytest.approx(0.0301973834223185))
    assert tied.mean_ranks.tolist() == [2, 6, 6]
    assert kruskal_wallis([np.ones(3), np.ones(2)]).p == 1


def test_dunn_of_two_samples_is_kruskal_wallis() -> None:
    rng = np.random.default_rng(0)
    for samples in ([rng.normal(size=8), rng.normal(1, size=11)], [rng.integers(0, 4, n) * 1.0 for n in (9, 12)]):
        assert dunn(samples)[0][0, 1] == pytest.approx(kruskal_wallis(samples).p)


def test_dunn_by_hand() -> None:
    samples = [np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0])]
    p, adjusted = dunn(samples)
    # mean ranks 1.5, 3.5, 5.5; variance 6 * 7 / 12 * (1/2 + 1/2)
    near, far = (2 * stats.norm.sf(distance / np.sqrt(3.5)) for distance in (2, 4))
    np.testing.assert_allclose(p, [[1, near, far], [near, 1, near], [far, near, 1]])
    assert adjusted[0, 2] == pytest.approx(3 * far)
    assert (dunn([np.ones(3), np.ones(3)])[0] == 1).all()
