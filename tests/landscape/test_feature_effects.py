"""Features of cells against a metric: scipy, scikit-learn's partial dependence, effects that are known."""

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest
import xgboost
from scipy import stats
from sklearn.inspection import partial_dependence as partial_dependence_of_sklearn

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import TableError
from terranas.landscape.feature_effects import (
    SurrogateSettings,
    correlate_features,
    feature_effects,
    grid_of,
    partial_dependence,
)
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.features import graph_features
from terranas.space.table import cells_table

from .tables import benchmark_of, name_of

METRIC = "test_micro_accuracy"


@cache
def features() -> pd.DataFrame:
    """Return the features of 2,532 cells, under the hashes of the tests' benchmarks."""
    found = graph_features(cells_table(5, 9, CIFAR10_NETWORK), CIFAR10_NETWORK)
    return found.set_axis([name_of(number) for number in range(len(found))])


def benchmark(noise: float = 0.01, shuffle: int | None = None) -> TabularBenchmark:
    """Return accuracies that rise with convolutions of 3x3 and fall with the shortest path."""
    random = np.random.default_rng(1).normal(size=len(features())) * noise
    accuracy = 0.8 + 0.03 * features()["num_conv3x3"] - 0.02 * features()["shortest_path"] + random
    return benchmark_of(shuffle=shuffle, **{METRIC: {108: accuracy.to_numpy()}})


def test_correlations_are_those_of_scipy_strongest_first() -> None:
    table = correlate_features(benchmark(), METRIC, features(), seed=1, bootstrap_limit=100)
    values = benchmark().values([METRIC])[:, 0]
    for row in table.itertuples():
        column = features()[row.feature]
        assert row.distinct == column.nunique()
        if column.nunique() > 1:
            assert row.statistic == pytest.approx(stats.spearmanr(values, column).statistic)
            assert row.statistic_low <= row.statistic <= row.statistic_high
    strengths = table["statistic"].abs().dropna()
    assert strengths.is_monotonic_decreasing
    assert table["place"].dropna().tolist() == list(range(1, len(strengths) + 1))
    assert table["feature"].iloc[0] == "num_conv3x3"


def test_constant_features_come_last_with_their_reason() -> None:
    few = pd.DataFrame({"same": 1, "rising": range(6)}, index=[name_of(number) for number in range(6)])
    table = correlate_features(benchmark_of(**{METRIC: {4: np.linspace(0.1, 0.9, 6)}}), METRIC, few, seed=1)
    assert table["feature"].tolist() == ["rising", "same"]
    assert table["reason"].tolist() == ["", "the second is constant"]
    assert table["place"].isna().tolist() == [False, True]


def test_partial_dependence_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    rows = rng.integers(0, 5, size=(200, 3)).astype(float)
    model = xgboost.XGBRegressor(n_estimators=30, max_depth=3, n_jobs=1).fit(rows, rows[:, 0] * rows[:, 1] + rows[:, 2])
    for column in range(3):
        places = grid_of(rows[:, column], 20)
        found = partial_dependence(lambda part: np.asarray(model.predict(part)), rows, column, places)
        expected = partial_dependence_of_sklearn(model, rows, [column], method="brute", grid_resolution=20)
        np.testing.assert_array_equal(places, expected["grid_values"][0])
        np.testing.assert_allclose(found, expected["average"][0], rtol=1e-5)


def test_effects_of_a_known_law() -> None:
    names = ["num_conv3x3", "num_maxpool3x3"]
    table = feature_effects(benchmark(), METRIC, features(), names, seed=1)
    rising = table[table["feature"] == "num_conv3x3"]
    assert rising["value"].tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(np.diff(rising["effect"]), 0.03, atol=0.01)
    flat = table[table["feature"] == "num_maxpool3x3"]
    assert np.ptp(flat["effect"]) < 0.01
    assert table["r2"].between(0.8, 1).all()
    assert table["spearman"].between(0.8, 1).all()
    assert table["held_out"].unique().tolist() == [506]
    assert table["trained"].unique().tolist() == [2532 - 506]
    assert rising["cells"].sum() == rising["background"].iloc[0] == 2000
    pd.testing.assert_frame_equal(table, feature_effects(benchmark(shuffle=4), METRIC, features(), names, seed=1))


def test_noise_is_scored_as_such() -> None:
    noise = benchmark_of(**{METRIC: {4: np.random.default_rng(3).random(300)}})
    settings = SurrogateSettings(n_estimators=20, training_cells=100, background_cells=50, places=4)
    table = feature_effects(noise, METRIC, features(), ["log10_macs"], seed=1, settings=settings)
    assert table["r2"].max() < 0.2
    assert len(table) <= 4
    assert (table["trained"].iloc[0], table["background"].iloc[0], table["held_out"].iloc[0]) == (100, 50, 60)


def test_equal_values_have_no_score() -> None:
    table = feature_effects(benchmark_of(**{METRIC: {4: np.full(20, 0.5)}}), METRIC, features(), ["width"], seed=1)
    assert table[["r2", "spearman"]].isna().all(axis=None)
    np.testing.assert_allclose(table["effect"], 0.5)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(TableError, match=r"There are no features deepness\. Known: num_vertices"):
        feature_effects(benchmark(), METRIC, features(), ["deepness"], seed=1)
    with pytest.raises(TableError, match="features lack 2,522 of the 2,532 architectures"):
        correlate_features(benchmark(), METRIC, features()[:10], seed=1)
    small = benchmark_of(**{METRIC: {4: np.append(np.linspace(0.1, 0.2, 9), math.nan)}})
    with pytest.raises(TableError, match=r"9 cells on .* have a value of test_micro_accuracy; a surrogate needs 10"):
        feature_effects(small, METRIC, features(), ["width"], seed=1)
