"""Rank correlations and their intervals: scipy, the jackknife, simulated coverage, ties, tables joined by key."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from terranas.core.errors import TableError
from terranas.core.randomness import generator
from terranas.landscape.correlation import (
    Coefficient,
    _influence,
    _statistics,
    correlate,
    rank_correlations,
)
from terranas.landscape.pairs import Series, fidelity_pairs, metric_pairs, table_pairs
from terranas.landscape.schema import CORRELATIONS

from .tables import DATASET, benchmark_of

LIBRARY: dict[Coefficient, Any] = {"spearman": stats.spearmanr, "kendall": stats.kendalltau}


def rng(*index: int) -> np.random.Generator:
    return generator(5, "test", *index)


def related(count: int, strength: float = 0.6, levels: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    first = rng(0).normal(size=count)
    second = strength * first + rng(1).normal(size=count)
    if levels:
        first, second = np.round(first * levels), np.round(second * levels)
    return first, second


codes = arrays(np.int64, 12, elements=st.integers(0, 5))


@given(codes, codes)
@settings(max_examples=100, deadline=None)
def test_statistics_are_those_of_scipy_with_ties(first: np.ndarray, second: np.ndarray) -> None:
    found = rank_correlations(first.astype(float), second.astype(float), rng(), resamples=9)
    for result, library in zip(found, LIBRARY.values(), strict=True):
        if len(np.unique(first)) == 1 or len(np.unique(second)) == 1:
            assert math.isnan(result.statistic)
            assert "is constant" in result.reason
        else:
            assert result.statistic == pytest.approx(library(first, second).statistic, abs=1e-9)


@given(codes, codes, arrays(np.int64, 12, elements=st.integers(0, 3)))
@settings(max_examples=100, deadline=None)
def test_counts_are_the_same_as_repeated_rows(first: np.ndarray, second: np.ndarray, counts: np.ndarray) -> None:
    order = np.lexsort((second, first))
    x, y, times = first[order], second[order], counts[order]
    many_x, many_y = np.repeat(x, times), np.repeat(y, times)
    if len(np.unique(many_x)) < 2 or len(np.unique(many_y)) < 2:
        return
    found = _statistics(x, y, times, ("spearman", "kendall"))
    expected = [library(many_x, many_y).statistic for library in LIBRARY.values()]
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("coefficient", ["spearman", "kendall"])
@pytest.mark.parametrize("levels", [None, 1])
def test_influences_are_those_of_the_jackknife(coefficient: Coefficient, levels: int | None) -> None:
    count = 200
    first, second = related(count, levels=levels)
    order = np.lexsort((second, first))
    x, y = (np.unique(values[order], return_inverse=True)[1] for values in (first, second))
    left_out = [LIBRARY[coefficient](np.delete(x, row), np.delete(y, row)).statistic for row in range(count)]
    jackknife = (count - 1) * (np.mean(left_out) - np.array(left_out))
    influence = _influence(x, y, coefficient)
    assert influence.sum() == pytest.approx(0, abs=1e-9)
    assert np.corrcoef(influence, jackknife)[0, 1] > 0.9999
    assert influence.std() == pytest.approx(jackknife.std(), rel=0.02)


@pytest.mark.parametrize("limit", [1000, 10])
def test_intervals_are_near_those_of_scipys_bootstrap(limit: int) -> None:
    first, second = related(150)
    found = rank_correlations(first, second, rng(), resamples=1999, bootstrap_limit=limit)
    assert [result.method for result in found] == ["bca" if limit == 1000 else "asymptotic"] * 2
    for result, library in zip(found, LIBRARY.values(), strict=True):
        expected = stats.bootstrap(
            (first, second),
            lambda x, y, library=library: library(x, y).statistic,
            paired=True,
            vectorized=False,
            n_resamples=999,
            method="BCa",
            rng=rng(9),
        ).confidence_interval
        assert result.interval.low == pytest.approx(expected.low, abs=0.03)
        assert result.interval.high == pytest.approx(expected.high, abs=0.03)


@pytest.mark.parametrize("limit", [1000, 10])
def test_intervals_hold_the_truth_as_often_as_they_say(limit: int) -> None:
    # bivariate normal: rho_s = 6/pi asin(r/2), tau = 2/pi asin(r)
    r, count = 0.5, 60
    truth = [6 / math.pi * math.asin(r / 2), 2 / math.pi * math.asin(r)]
    held = []
    for sample in range(300):
        first, other = rng(2, sample).normal(size=(2, count))
        second = r * first + math.sqrt(1 - r**2) * other
        found = rank_correlations(first, second, rng(), resamples=199, bootstrap_limit=limit)
        held.append([result.interval.holds(value) for result, value in zip(found, truth, strict=True)])
    assert (np.mean(held, axis=0) > 0.9).all()
    assert (np.mean(held, axis=0) < 0.99).all()


def test_perfect_agreement_and_row_order() -> None:
    values = np.arange(30.0)
    for limit in (1000, 10):
        same, turned = (
            rank_correlations(values, sign * values, rng(), resamples=19, bootstrap_limit=limit) for sign in (1, -1)
        )
        assert [(result.statistic, result.interval.low) for result in same] == [
            (pytest.approx(1), pytest.approx(1))
        ] * 2
        assert [result.interval.high for result in turned] == [pytest.approx(-1)] * 2
    first, second = related(40, levels=2)
    order = rng(3).permutation(40)
    assert rank_correlations(first, second, rng()) == rank_correlations(first[order], second[order], rng())


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ([1.0, 2, 3, 4, 5, 6], [2.0] * 6, "the second is constant"),
        ([2.0] * 6, [2.0] * 6, "the first and the second is constant"),
        ([1.0, math.nan, 3], [math.nan, 2, 3], "1 pairs of values"),
        ([], [], "0 pairs of values"),
        ([1.0, 2, 3, 4], [1.0, 3, 2, 4], "too few for an interval: 4 pairs of values"),
    ],
)
def test_what_is_not_defined_says_why(first: list[float], second: list[float], reason: str) -> None:
    for result in rank_correlations(np.array(first), np.array(second), rng()):
        assert result.reason == reason
        assert result.method == ""
        assert math.isnan(result.interval.low)
        assert math.isnan(result.statistic) == (len(first) != 4)


def test_pairs_of_metrics_and_fidelities() -> None:
    low, high = related(40)
    benchmark = benchmark_of(validation_micro_accuracy={4: low % 1, 12: high % 1}, macs={12: 1 + np.arange(40.0)})
    table = correlate(fidelity_pairs(benchmark, "validation_micro_accuracy"), seed=1)
    assert table[["first_epochs", "second_epochs", "coefficient"]].values.tolist() == [
        [4, 12, "spearman"],
        [4, 12, "kendall"],
    ]
    assert table["statistic"].iloc[0] == pytest.approx(stats.spearmanr(low % 1, high % 1).statistic)
    pairs = metric_pairs(benchmark, ["validation_micro_accuracy", "latency_ms", "macs"])
    table = correlate(pairs, seed=1, coefficients=("kendall",))
    assert table[["first_metric", "second_metric"]].values.tolist() == [["validation_micro_accuracy", "macs"]]
    assert table["statistic"].item() == pytest.approx(stats.kendalltau(high % 1, np.arange(40)).statistic)
    assert correlate([], seed=1).columns.tolist() == CORRELATIONS.names


def test_tables_are_joined_by_key_not_by_row() -> None:
    accuracy, macs = rng().random(50), rng(1).random(60) + 1
    first = benchmark_of(test_micro_accuracy={108: accuracy}, shuffle=1)
    second = benchmark_of("other images", macs={36: macs}, shuffle=2)
    (pair,) = table_pairs(first, second, [("test_micro_accuracy", "macs")])
    table = correlate([pair], seed=1, coefficients=("spearman",))
    row = table.iloc[0]
    assert row[["first_dataset", "first_epochs", "second_dataset", "second_epochs", "n"]].tolist() == [
        DATASET, 108, "other images", 36, 50,
    ]  # fmt: skip
    assert row["statistic"] == pytest.approx(stats.spearmanr(accuracy, macs[:50]).statistic)
    again = correlate(table_pairs(second, first, [("macs", "test_micro_accuracy")]), seed=1, coefficients=("spearman",))
    assert again["statistic"].item() == pytest.approx(row["statistic"])


def test_tables_without_a_common_architecture_are_refused() -> None:
    first = benchmark_of(test_micro_accuracy={4: rng().random(3)})
    second = benchmark_of("other images", test_micro_accuracy={4: rng().random(3)})
    second.find = lambda keys: np.full(len(keys), -1)  # type: ignore[method-assign]
    with pytest.raises(TableError, match="synthetic test images and other images have no architecture in common"):
        table_pairs(first, second, [("test_micro_accuracy", "test_micro_accuracy")])


def test_a_series_with_missing_values_uses_what_both_have() -> None:
    first, second = related(30)
    first[:3], second[-2:] = math.nan, math.nan
    pair = (Series(DATASET, "a", 4, first), Series(DATASET, "b", 4, second))
    table = correlate([pair], seed=1)
    assert table["n"].tolist() == [25, 25]
    assert table["statistic"].iloc[0] == pytest.approx(stats.spearmanr(first[3:-2], second[3:-2]).statistic)
    assert pd.DataFrame(table).equals(correlate([pair], seed=1))
