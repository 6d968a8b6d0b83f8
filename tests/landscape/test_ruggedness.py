"""Intervals of autocorrelations: simulated coverage, statsmodels, closed forms of what is derived, degenerate walks."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.tsa.stattools import acf

from terranas.core.randomness import generator
from terranas.landscape.bootstrap import (
    UNDEFINED,
    Interval,
    _first_order_autocorrelations,
    autocorrelation_intervals,
    bca_interval,
    bootstrap_counts,
    lag1_autocorrelations,
    mean_interval,
    start_twice,
)
from terranas.landscape.ruggedness import (
    UNBOUNDED,
    analyse_walks,
    length_interval,
    ruggedness_interval,
    summarise_ruggedness,
)

from .tables import DATASET, benchmark_of, first_order, walks_of

METRIC = "validation_macro_accuracy"
ENDS = ["autocorrelation_low", "autocorrelation_high"]


def rng(*index: int) -> np.random.Generator:
    return generator(11, "test", *index)


# --- of one walk -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coefficient", [-0.5, 0.0, 0.5, 0.9])
@pytest.mark.parametrize("visits", [5, 15])
def test_intervals_of_short_walks_hold_the_truth_as_often_as_they_say(coefficient: float, visits: int) -> None:
    series = first_order(rng(), 300, visits, coefficient)
    found = [autocorrelation_intervals(walk, rng(), resamples=199) for walk in series]
    for variant in range(2):
        coverage = np.mean([pair[variant].holds(coefficient) for pair in found])
        # 95 % nominal; three standard errors of 300 series are 4 %, and five visits cost some more
        assert 0.89 <= coverage <= 0.995


def test_percentiles_of_a_sieve_would_miss_the_truth() -> None:
    # why the grid is worth its cost: series built of the biased estimate never reach a rho of .9
    series = first_order(rng(), 50, 15, 0.9)
    highest = []
    for walk in series:
        estimate = float(lag1_autocorrelations(walk))
        residuals = walk[1:] - walk.mean() - estimate * (walk[:-1] - walk.mean())
        noise = rng().choice(residuals - residuals.mean(), size=(199, 15))
        highest.append(np.quantile(_first_order_autocorrelations(noise, np.array([estimate]))[0, 0], 0.975))
    assert np.mean(np.array(highest) >= 0.9) < 0.1


def test_interval_of_a_long_walk_is_narrow_and_that_of_statsmodels() -> None:
    (series,) = first_order(rng(), 1, 4000, 0.6)
    defined, published = autocorrelation_intervals(series, rng(), resamples=199)
    assert defined.holds(0.6)
    # for long series Bartlett's standard error holds: sqrt((1 - rho^2) / n)
    estimate, error = acf(series, nlags=1)[1], math.sqrt((1 - 0.36) / 4000)
    assert defined.low == pytest.approx(estimate - 1.96 * error, abs=0.01)
    assert defined.high == pytest.approx(estimate + 1.96 * error, abs=0.01)
    assert published.low == pytest.approx(defined.low, abs=0.005)


@given(st.integers(3, 30), st.floats(-0.95, 0.95), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_sums_give_the_autocorrelations_of_the_series(visits: int, coefficient: float, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(size=(4, visits))
    series = np.empty_like(noise)
    series[:, 0] = noise[:, 0] / math.sqrt(1 - coefficient**2)
    for step in range(1, visits):
        series[:, step] = coefficient * series[:, step - 1] + noise[:, step]
    found = _first_order_autocorrelations(noise, np.array([coefficient]))[0]
    np.testing.assert_allclose(found[0], [acf(walk, nlags=1)[1] for walk in series], atol=1e-7)
    np.testing.assert_allclose(found[1], [acf(walk, nlags=1)[1] for walk in start_twice(series)], atol=1e-7)


@given(st.floats(-5, 5), st.floats(0.01, 100))
@settings(max_examples=15, deadline=None)
def test_interval_does_not_depend_on_place_and_unit(offset: float, scale: float) -> None:
    (series,) = first_order(rng(), 1, 15, 0.4)
    plain, _ = autocorrelation_intervals(series, rng(), resamples=49)
    moved, _ = autocorrelation_intervals(offset + scale * series, rng(), resamples=49)
    assert (moved.low, moved.high) == pytest.approx((plain.low, plain.high), abs=1e-6)


@pytest.mark.parametrize("series", [[], [0.5], [0.1, 0.2, 0.3, 0.2], [0.4] * 15])
def test_constant_and_too_short_walks_have_no_interval(series: list[float]) -> None:
    assert autocorrelation_intervals(np.array(series), rng()) == (UNDEFINED, UNDEFINED)


def test_more_confidence_is_wider() -> None:
    (series,) = first_order(rng(), 1, 15, 0.2)
    wide, narrow = (autocorrelation_intervals(series, rng(), confidence=level)[0] for level in (0.99, 0.5))
    assert wide.low < narrow.low < narrow.high < wide.high


# --- what is derived from an interval -------------------------------------------------------------------------------


def test_inverse_of_an_interval_turns_round_and_is_unbounded_across_zero() -> None:
    assert ruggedness_interval(Interval(0.2, 0.5)) == Interval(2, 5)
    assert ruggedness_interval(Interval(-0.5, -0.25)) == Interval(-4, -2)
    for low, high in ((-0.1, 0.4), (0.0, 0.4), (-0.4, 0.0), (math.nan, math.nan)):
        found = ruggedness_interval(Interval(low, high))
        assert math.isnan(found.low)
        assert math.isnan(found.high)


def test_length_of_an_interval_starts_at_zero_where_the_sign_may_change() -> None:
    length = length_interval(Interval(math.exp(-1), math.exp(-0.25)))
    assert (length.low, length.high) == pytest.approx((1, 4))
    turned = length_interval(Interval(-math.exp(-0.25), -math.exp(-1)))
    assert (turned.low, turned.high) == pytest.approx((1, 4))
    across = length_interval(Interval(-math.exp(-0.5), math.exp(-1)))
    assert (across.low, across.high) == pytest.approx((0, 2))
    endless = length_interval(Interval(math.exp(-1), 1))
    assert endless.low == pytest.approx(1)
    assert math.isnan(endless.high)
    assert math.isnan(length_interval(UNDEFINED).low)


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_derived_intervals_hold_what_they_are_derived_of(one: float, other: float) -> None:
    interval = Interval(min(one, other), max(one, other))
    for value in np.linspace(interval.low, interval.high, 7):
        lengths = length_interval(interval)
        length = -1 / math.log(abs(value)) if 0 < abs(value) < 1 else 0.0 if value == 0 else math.inf
        assert length >= lengths.low - 1e-9 or math.isnan(lengths.low)
        assert length <= lengths.high + 1e-6 * abs(lengths.high) or math.isnan(lengths.high)
        inverses = ruggedness_interval(interval)
        if not math.isnan(inverses.low) and not math.isnan(inverses.high):
            assert inverses.low - 1e-9 * abs(inverses.low) <= 1 / value <= inverses.high + 1e-9 * abs(inverses.high)


# --- tables ----------------------------------------------------------------------------------------------------------


def test_table_has_intervals_and_says_why_one_is_missing() -> None:
    smooth = np.concatenate([np.linspace(0.2, 0.8, 10), np.linspace(0.8, 0.2, 10)])
    noisy = rng().uniform(0.2, 0.8, 15)
    values = np.concatenate([smooth, noisy, [0.3] * 5, [0.1, 0.2, 0.4, 0.3], [math.nan]])
    benchmark = benchmark_of(**{METRIC: {4: values}})
    walks = walks_of(list(range(20)), list(range(20, 35)), list(range(35, 40)), list(range(40, 44)), [44, 40])
    table = analyse_walks(walks, benchmark, [METRIC], seed=3).set_index("walk")
    assert table["visits"].tolist() == [20, 15, 5, 4, 1]
    assert table["reason"].tolist() == [
        "",
        UNBOUNDED,
        "constant: all visits have the same value",
        "too short for an interval: 4 visits with a value, 5 needed",
        "too short: 1 visits with a value, 3 needed",
    ]
    first = table.loc[0]
    assert first["autocorrelation_low"] < first["autocorrelation"] < first["autocorrelation_high"]
    assert first["ruggedness_low"] == pytest.approx(1 / first["autocorrelation_high"])
    assert first["ruggedness_high"] == pytest.approx(1 / first["autocorrelation_low"])
    assert first["autocorrelation_published"] == pytest.approx(acf(start_twice(smooth), nlags=1)[1])
    assert first["ruggedness_published"] == pytest.approx(1 / first["autocorrelation_published"])
    second = table.loc[1]
    assert second["autocorrelation_low"] < 0 < second["autocorrelation_high"]
    assert math.isnan(second["ruggedness_low"])
    assert second["correlation_length_low"] == 0
    assert table.loc[[2, 3, 4], ENDS].isna().all(axis=None)
    assert not np.isinf(table.select_dtypes("number")).any(axis=None)


def test_table_depends_neither_on_the_order_of_rows_nor_on_other_walks() -> None:
    values = rng().random(45)
    metrics = [METRIC, "test_micro_accuracy"]
    benchmark = benchmark_of(**{METRIC: {4: values}, "test_micro_accuracy": {4: values[::-1]}})
    walks = walks_of(*np.arange(45).reshape(3, 15).tolist())
    table = analyse_walks(walks, benchmark, metrics, seed=3, resamples=49)
    mixed = benchmark_of(shuffle=1, **{METRIC: {4: values}, "test_micro_accuracy": {4: values[::-1]}})
    again = analyse_walks(walks.sample(frac=1, random_state=2), mixed, metrics, seed=3, resamples=49)
    pd.testing.assert_frame_equal(table, again)
    alone = analyse_walks(walks[walks["walk"] == 1], benchmark, metrics, seed=3, resamples=49)
    pd.testing.assert_frame_equal(table[table["walk"] == 1].reset_index(drop=True), alone)
    other = analyse_walks(walks, benchmark, metrics, seed=4, resamples=49)
    assert not table[ENDS].equals(other[ENDS])


def test_summary_averages_before_it_inverts() -> None:
    series = first_order(rng(), 12, 15, 0.7)
    values = 0.5 + series.ravel() / 100
    walks = walks_of(*np.arange(180).reshape(12, 15).tolist(), [0, 1])
    table = analyse_walks(walks, benchmark_of(**{METRIC: {4: values}}), [METRIC], seed=3, resamples=49)
    summary = summarise_ruggedness(table.sample(frac=1, random_state=1), seed=3).set_index("variant")
    expected = np.mean([acf(walk, nlags=1)[1] for walk in series])
    row = summary.loc["defined"]
    assert row[["dataset", "metric", "walks", "undefined"]].tolist() == [DATASET, METRIC, 12, 1]
    assert row["autocorrelation"] == pytest.approx(expected)
    assert row["ruggedness"] == pytest.approx(1 / expected)
    assert row["correlation_length"] == pytest.approx(-1 / math.log(abs(expected)))
    assert row["autocorrelation_low"] < expected < row["autocorrelation_high"]
    inverses = table["ruggedness"].dropna()
    assert row["median_ruggedness"] == inverses.median()
    assert row["share_0_to_5"] == ((inverses >= 0) & (inverses <= 5)).mean()
    doubled = np.mean([acf(walk, nlags=1)[1] for walk in start_twice(series)])
    assert summary.loc["published", "autocorrelation"] == pytest.approx(doubled)


def test_summary_of_nothing_and_of_few_walks_says_so() -> None:
    values = rng().random(15)
    benchmark = benchmark_of(**{METRIC: {4: values}})
    few = summarise_ruggedness(analyse_walks(walks_of([*range(15)]), benchmark, [METRIC], seed=1), seed=1)
    assert few["reason"].tolist() == ["too few walks for an interval: 1"] * 2
    assert few[ENDS].isna().all(axis=None)
    none = summarise_ruggedness(analyse_walks(walks_of([0, 1]), benchmark, [METRIC], seed=1), seed=1)
    assert none["reason"].tolist() == ["no walk has an autocorrelation"] * 2
    assert none[["autocorrelation", "ruggedness", "median_ruggedness", "share_0_to_5"]].isna().all(axis=None)


# --- over walks ------------------------------------------------------------------------------------------------------


def test_mean_interval_of_short_walks_holds_their_mean() -> None:
    truth = lag1_autocorrelations(first_order(rng(), 100_000, 15, 0.5)).mean()
    # Marriott and Pope's closed form of the bias
    assert truth == pytest.approx(0.5 - (1 + 4 * 0.5) / 15, abs=0.01)
    samples = lag1_autocorrelations(first_order(rng(1), 400 * 15, 15, 0.5)).reshape(400, 15)
    held = [mean_interval(sample, rng(), resamples=199).holds(truth) for sample in samples]
    assert 0.92 <= np.mean(held) <= 0.98


def test_mean_interval_of_many_values_is_students() -> None:
    values = rng().normal(3, 2, 5000)
    found = mean_interval(values, rng())
    expected = stats.t.interval(0.95, 4999, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected, abs=0.01)


def test_mean_interval_of_degenerate_samples() -> None:
    assert mean_interval(np.array([1.0, 2.0, math.nan, 3.0, 4.0]), rng()) == UNDEFINED
    assert mean_interval(np.full(6, 0.3), rng()) == Interval(0.3, 0.3)
    cut = mean_interval(np.array([0.0, 0.0, 0.0, 0.0, 0.0, 1.0]), rng(), bounds=(0, 1))
    assert cut.low == 0
    assert cut.high <= 1


def test_bca_interval_is_that_of_scipy() -> None:
    values = rng().lognormal(size=60)

    def statistic(sample: np.ndarray, axis: int = -1) -> np.ndarray:
        return sample.mean(axis=axis)

    expected = stats.bootstrap((values,), statistic, n_resamples=20_000, method="BCa", rng=rng(1))
    drawn = bootstrap_counts(60, 20_000, rng(2), lambda counts: np.array([counts @ values / 60]))[:, 0]
    found = bca_interval(values.mean(), drawn, values - values.mean(), 0.95)
    assert found.low == pytest.approx(expected.confidence_interval.low, rel=0.02)
    assert found.high == pytest.approx(expected.confidence_interval.high, rel=0.02)
