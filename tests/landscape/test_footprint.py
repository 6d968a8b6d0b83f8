"""The footprint: persistence against brute force by sets, closed forms, and what a table lacks."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from terranas.core.errors import TerranasError
from terranas.core.randomness import generator
from terranas.landscape.bootstrap import Interval
from terranas.landscape.footprint import OptimaEstimate, _levels, _shares, _surpassed, footprint, persistence
from terranas.landscape.ruggedness import analyse_walks, summarise_ruggedness
from terranas.landscape.schema import FOOTPRINT_MEASURES

from .tables import DATASET, benchmark_of, walks_of

METRIC = "validation_micro_accuracy"
PERSISTENCE = [f"{kind}_persistence{part}" for kind in ("positive", "negative") for part in ("", "_area")]


def best(values: list[float], percent: int) -> set[int]:
    """Return the best N % by sorting: as many as they are, and all that are equal to the last of them."""
    size = max(1, round(len(values) * percent / 100))
    edge = sorted(values, reverse=True)[size - 1]
    return {row for row, value in enumerate(values) if value >= edge}


@given(arrays(np.float64, st.tuples(st.integers(4, 40), st.integers(2, 4)), elements=st.integers(0, 9)))
@settings(max_examples=100, deadline=None)
def test_persistence_is_that_of_sets(values: np.ndarray) -> None:
    found = persistence(values, 30)
    assert found.shape == (30, values.shape[1])
    for percent in (1, 10, 25, 30):
        sets = [best(column, percent) for column in values.T.tolist()]
        pairs = [len(sets[0] & other) / len(sets[0]) for other in sets[1:]]
        everywhere = len(set.intersection(*sets)) / len(sets[0])
        np.testing.assert_allclose(found[percent - 1], [*pairs, everywhere])


@given(arrays(np.int64, 15, elements=st.integers(0, 3)), st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_counts_are_the_same_as_repeated_rows(counts: np.ndarray, seed: int) -> None:
    if counts.sum() == 0:
        return
    values = np.random.default_rng(seed).integers(0, 6, size=(15, 3)).astype(float)
    found = _shares(_surpassed(_levels(values), counts), counts.astype(float), 25)
    np.testing.assert_allclose(found, persistence(np.repeat(values, counts, axis=0), 25))


def test_persistence_of_equal_and_of_reversed_rankings() -> None:
    values = np.arange(100.0)
    np.testing.assert_array_equal(persistence(np.column_stack([values, values * 2]), 25), 1)
    np.testing.assert_array_equal(persistence(np.column_stack([values, -values]), 25), 0)
    # beyond a half, the best and the reversed best must meet: 60 and 60 of 100 share 20
    assert persistence(np.column_stack([values, -values]), 60)[-1, 0] == pytest.approx(20 / 60)


def test_persistence_of_independent_rankings_is_chance() -> None:
    found = persistence(generator(1, "test").random((20_000, 3)), 25)
    np.testing.assert_allclose(found[24], [0.25, 0.25, 0.0625], atol=0.02)


def test_all_eight_metrics() -> None:
    rng = generator(1, "test")
    low = rng.random(200)
    levels = {4: low, 12: (low + rng.random(200)) / 2, 36: (low + 2 * rng.random(200)) / 3}
    benchmark = benchmark_of(**{METRIC: levels}, epochs=12)
    walks = walks_of(*rng.permutation(200).reshape(10, 20).tolist())
    summary = summarise_ruggedness(analyse_walks(walks, benchmark, [METRIC], seed=1, resamples=19), seed=1)
    optima = OptimaEstimate(349, Interval(200, 500), 22, "birthday estimate")
    table = footprint(benchmark, METRIC, seed=1, walks=summary, optima=optima, resamples=1999)
    assert set(table["measure"]) == set(FOOTPRINT_MEASURES)
    assert (table["reason"][table["value"].notna() & table["value_low"].notna()] == "").all()
    single = table[table["across"] == ""].set_index("measure")
    assert single.loc["fitness_mean", "value"] == pytest.approx(levels[12].mean())
    assert single.loc["fitness_std", "value"] == pytest.approx(levels[12].std(ddof=1))
    # the percentile interval of a mean of 200 is the normal one
    reach = 1.96 * levels[12].std(ddof=1) / math.sqrt(200)
    assert single.loc["fitness_mean", "value_high"] - levels[12].mean() == pytest.approx(reach, rel=0.25)
    assert single.loc["fitness_std", ["value_low", "value_high"]].between(0.1, 0.4).all()
    assert single.loc["ruggedness", "value"] == summary.loc[0, "ruggedness"]
    assert single.loc["ruggedness", "n"] == 10
    assert single.loc["optima", ["value", "value_low", "value_high", "n", "method"]].tolist() == [
        349, 200, 500, 22, "birthday estimate",
    ]  # fmt: skip
    spans = table[table["measure"] == "positive_persistence"].set_index(["from_epochs", "to_epochs", "across"])
    assert spans.index.tolist() == [(4, 12, "pair"), (4, 36, "pair"), (4, 36, "all")]
    sets = [best(levels[epochs].tolist(), 25) for epochs in (4, 12, 36)]
    assert spans["value"].tolist() == [
        len(sets[0] & sets[1]) / 50, len(sets[0] & sets[2]) / 50, len(sets[0] & sets[1] & sets[2]) / 50,
    ]  # fmt: skip
    assert (spans["value_low"] <= spans["value"]).all()
    assert (spans["value"] <= spans["value_high"]).all()
    area = table[(table["measure"] == "negative_persistence_area") & (table["across"] == "all")]["value"].item()
    shares = []
    for percent in range(1, 26):
        worst = [best((-levels[epochs]).tolist(), percent) for epochs in (4, 12, 36)]
        shares.append(len(set.intersection(*worst)) / len(worst[0]))
    assert area == pytest.approx(sum(100 * share for share in shares) / (100 * 25))


def test_what_a_metric_should_be_small_in_is_turned_round() -> None:
    costs = 1 + np.arange(40.0)
    benchmark = benchmark_of(training_seconds={4: costs, 12: np.where(costs <= 10, costs, 80 - costs)})
    table = footprint(benchmark, "training_seconds", seed=1, resamples=9)
    pair = table[table["across"] == "pair"].set_index("measure")["value"]
    assert pair["positive_persistence"] == 1  # the ten fastest stay so
    assert pair["negative_persistence"] == 0


def test_neither_order_of_rows_nor_fidelity_looked_up_changes_persistence() -> None:
    rng = generator(2, "test")
    levels = {4: rng.integers(0, 20, 60) / 20, 12: rng.integers(0, 20, 60) / 20}
    plain = footprint(benchmark_of(**{METRIC: levels}), METRIC, seed=1)
    pd.testing.assert_frame_equal(plain, footprint(benchmark_of(shuffle=3, **{METRIC: levels}), METRIC, seed=1))
    low = footprint(benchmark_of(epochs=4, **{METRIC: levels}), METRIC, seed=1)
    chosen = [table[table["measure"].isin(PERSISTENCE)]["value"].tolist() for table in (plain, low)]
    assert chosen[0] == chosen[1]


@pytest.mark.parametrize(
    ("levels", "reason"),
    [
        ({4: np.linspace(0, 1, 9)}, "one fidelity only: 4 epochs"),
        (
            {4: np.linspace(0, 1, 9), 12: np.full(9, 0.5)},
            "all architectures have the same value at one of the fidelities",
        ),
        (
            {4: np.array([0.1, 0.2, 0.3, math.nan, math.nan, 0.1]), 12: np.array([0.1, 0.2, 0.3, 0.4, 0.5, math.nan])},
            "3 architectures with a value at each fidelity, 5 needed",
        ),
    ],
)
def test_what_is_not_defined_is_nan_with_its_reason(levels: dict[int, np.ndarray], reason: str) -> None:
    table = footprint(benchmark_of(**{METRIC: levels}), METRIC, seed=1)
    rows = table[table["measure"].isin(PERSISTENCE)]
    assert rows["reason"].unique().tolist() == [reason]
    assert rows[["value", "value_low", "value_high"]].isna().all(axis=None)
    others = table.set_index("measure")["reason"]
    assert others["ruggedness"] == "no walks in this metric"
    assert others["optima"] == "not estimated"


def test_few_values_have_a_mean_and_no_interval() -> None:
    table = footprint(benchmark_of(**{METRIC: {4: np.array([0.2, 0.4, math.nan])}}), METRIC, seed=1)
    mean = table.set_index("measure").loc["fitness_mean"]
    assert mean[["value", "n", "reason", "method"]].tolist() == [
        pytest.approx(0.3), 2, "2 architectures with a value, 5 needed", "",
    ]  # fmt: skip
    assert math.isnan(mean["value_low"])
    assert mean["dataset"] == DATASET


@pytest.mark.parametrize("percent", [0, 101])
def test_an_impossible_share_is_refused(percent: int) -> None:
    with pytest.raises(TerranasError, match=f"from 1 to 100 percent, got {percent}"):
        footprint(benchmark_of(**{METRIC: {4: np.ones(3)}}), METRIC, seed=1, percent=percent)
