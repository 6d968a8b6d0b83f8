"""Accuracy summary and ruggedness: closed forms, statsmodels, processes of known autocorrelation, degenerate walks."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.tsa.stattools import acf

from terranas.benchmark.schema import BENCHMARK, METRICS
from terranas.benchmark.tabular import TabularBenchmark
from terranas.landscape.accuracy import SUMMARY_COLUMNS, summarise_accuracy
from terranas.landscape.ruggedness import analyse_walks, correlation_length, lag1_autocorrelation, ruggedness
from terranas.landscape.schema import RUGGEDNESS
from terranas.sampling.schema import WALKS

DATASET = "synthetic test images"


def benchmark_of(**columns: list[float]) -> TabularBenchmark:
    """Return a benchmark whose n-th architecture has the hash n in 32 hex digits."""
    count = len(next(iter(columns.values())))
    table = pd.DataFrame({"hash": [f"{number:032x}" for number in range(count)], "id": None, "epochs": 4, "repeat": 0})
    table = table.assign(outcome="ok", dataset=DATASET, source="terranas", device="")
    for column in METRICS:
        table[column.name] = columns.get(column.name, [math.nan] * count)
    return TabularBenchmark(BENCHMARK.validate(table))


def walks_of(*walks: list[int]) -> pd.DataFrame:
    return WALKS.from_rows(
        [
            {"walk": walk, "step": step, "redraws": 0, "hash": f"{number:032x}", "id": None}
            for walk, numbers in enumerate(walks)
            for step, number in enumerate(numbers)
        ]
    )


# --- autocorrelation -------------------------------------------------------------------------------------------------


def test_autocorrelation_of_small_series_by_hand() -> None:
    # mean 2, deviations -1 0 1: (0 + 0) / 2
    assert lag1_autocorrelation(np.array([1.0, 2.0, 3.0])) == 0
    # mean 0, deviations 1 -1 1 -1: -3 / 4
    assert lag1_autocorrelation(np.array([1.0, -1.0, 1.0, -1.0])) == -0.75


@given(arrays(np.float64, st.integers(3, 40), elements=st.floats(0, 1, width=32)))
@settings(max_examples=100, deadline=None)
def test_autocorrelation_is_that_of_statsmodels(series: np.ndarray) -> None:
    found = lag1_autocorrelation(series)
    if np.var(series) < 1e-20:  # squares underflow: statsmodels divides 0 by 0
        assert math.isnan(found) or abs(found) <= 1
    else:
        assert found == pytest.approx(acf(series, nlags=1)[1], abs=1e-9)
        assert abs(found) < 1


@pytest.mark.parametrize("coefficient", [-0.6, 0.0, 0.4, 0.9])
def test_autocorrelation_of_a_first_order_process_is_its_coefficient(coefficient: float) -> None:
    noise = np.random.default_rng(7).normal(size=40_000)
    series = np.empty_like(noise)
    series[0] = noise[0] / math.sqrt(1 - coefficient**2)
    for step in range(1, len(noise)):
        series[step] = coefficient * series[step - 1] + noise[step]
    assert lag1_autocorrelation(series) == pytest.approx(coefficient, abs=0.02)


@given(st.floats(-5, 5), st.floats(0.1, 10))
@settings(max_examples=30, deadline=None)
def test_autocorrelation_does_not_depend_on_place_and_unit(offset: float, scale: float) -> None:
    series = np.random.default_rng(1).random(15)
    assert lag1_autocorrelation(offset + scale * series) == pytest.approx(lag1_autocorrelation(series), abs=1e-9)


@pytest.mark.parametrize("series", [[], [0.3], [0.3, 0.9], [0.1] * 10, [1e-200, 2e-200, 1e-200]])
def test_autocorrelation_of_constant_or_too_short_series_is_nan(series: list[float]) -> None:
    assert math.isnan(lag1_autocorrelation(np.array(series)))


def test_inverse_and_length_are_never_infinite() -> None:
    assert ruggedness(0.5) == 2
    assert ruggedness(-0.25) == -4
    for undefined in (0.0, 5e-324, math.nan):
        assert math.isnan(ruggedness(undefined))
    assert correlation_length(math.exp(-0.25)) == pytest.approx(4)
    assert correlation_length(-math.exp(-0.5)) == pytest.approx(2)
    assert correlation_length(0.0) == 0
    for undefined in (1.0, -1.0, math.nan):
        assert math.isnan(correlation_length(undefined))


# --- walks -----------------------------------------------------------------------------------------------------------


def test_each_walk_and_metric_has_a_row_with_the_published_variant() -> None:
    accuracy = [0.1, 0.3, 0.2, 0.6, 0.5]
    benchmark = benchmark_of(validation_micro_accuracy=accuracy, validation_macro_accuracy=accuracy[::-1])
    walks = walks_of([0, 1, 2, 3], [4, 3, 2, 1, 0]).sample(frac=1, random_state=0)
    metrics = ["validation_micro_accuracy", "validation_macro_accuracy"]
    table = RUGGEDNESS.validate(analyse_walks(walks, benchmark, metrics, seed=1))
    assert table[["walk", "metric"]].values.tolist() == [[walk, metric] for walk in (0, 1) for metric in metrics]
    assert table["visits"].tolist() == [4, 4, 5, 5]
    assert set(table["dataset"]) == {DATASET}
    series = [0.1, 0.3, 0.2, 0.6]
    first = table.iloc[0]
    assert first["autocorrelation"] == pytest.approx(acf(series, nlags=1)[1])
    assert first["ruggedness"] == pytest.approx(1 / acf(series, nlags=1)[1])
    assert first["correlation_length"] == pytest.approx(-1 / math.log(abs(acf(series, nlags=1)[1])))
    assert first["ruggedness_published"] == pytest.approx(1 / acf([0.1, *series], nlags=1)[1])


def test_failed_trainings_are_left_out_and_undefined_walks_are_nan() -> None:
    benchmark = benchmark_of(test_micro_accuracy=[0.1, math.nan, 0.4, 0.2, 0.7, 0.7, 0.7])
    walks = walks_of([0, 1, 2, 3], [4, 5, 6], [1, 99], [0, 2])
    table = analyse_walks(walks, benchmark, ["test_micro_accuracy"], seed=1).set_index("walk")
    assert table["visits"].to_dict() == {0: 3, 1: 3, 2: 0, 3: 2}
    assert table.loc[0, "autocorrelation"] == pytest.approx(acf([0.1, 0.4, 0.2], nlags=1)[1])
    numbers = ["autocorrelation", "ruggedness", "correlation_length", "ruggedness_published"]
    assert table.loc[[1, 2, 3], numbers].isna().all(axis=None)
    assert not np.isinf(table[numbers]).any(axis=None)


# --- summary ---------------------------------------------------------------------------------------------------------


def test_summary_of_accuracies() -> None:
    benchmark = benchmark_of(
        validation_macro_accuracy=[0.2, 0.4, math.nan, 0.9], test_micro_accuracy=[0.5, math.nan, math.nan, math.nan]
    )
    summary = summarise_accuracy(benchmark)
    assert tuple(summary.columns) == SUMMARY_COLUMNS
    assert summary[["split", "metric"]].values.tolist() == [
        [split, metric] for split in ("train", "validation", "test") for metric in ("macro_accuracy", "micro_accuracy")
    ]
    row = summary[(summary["split"] == "validation") & (summary["metric"] == "macro_accuracy")].iloc[0]
    assert row[["dataset", "epochs", "n", "left_out"]].tolist() == [DATASET, 4, 3, 1]
    assert row["mean"] == pytest.approx(0.5)
    assert row["std"] == pytest.approx(math.sqrt((0.09 + 0.01 + 0.16) / 2))
    assert row[["min", "median", "max"]].tolist() == [0.2, 0.4, 0.9]
    single = summary[(summary["split"] == "test") & (summary["metric"] == "micro_accuracy")].iloc[0]
    assert (single["n"], single["mean"]) == (1, 0.5)
    assert math.isnan(single["std"])
    nothing = summary[summary["split"] == "train"]
    assert nothing["n"].tolist() == [0, 0]
    assert nothing[["mean", "std", "min", "median", "max"]].isna().all(axis=None)
