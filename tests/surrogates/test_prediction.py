"""Predicted fronts."""

import logging

import numpy as np
import pandas as pd
import pytest

from terranas.core.errors import ConfigError
from terranas.core.pareto import nondominated
from terranas.surrogates.prediction import PredictionTables, predict_fronts
from terranas.surrogates.regressors import RegressorSettings

OBJECTIVES = ["validation_micro_accuracy", "macs"]
DIRECTIONS = ["maximise", "minimise"]


def problem(count: int = 80) -> tuple[list[str], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    features = rng.integers(0, 2, size=(count, 8)).astype(np.float32)
    values = np.column_stack([features @ rng.random(8), 1e6 * (1 + features @ rng.random(8))])
    return [f"{row:032x}" for row in range(count)], features, values


SETTINGS = RegressorSettings("xgboost", {"n_estimators": 20, "max_depth": 3})


def predict(
    values: np.ndarray,
    sample_size: int = 15,
    repetitions: int = 4,
    seed: int = 5,
    settings: RegressorSettings = SETTINGS,
) -> PredictionTables:
    names, features, _ = problem(len(values))
    return predict_fronts(
        names,
        features,
        values,
        OBJECTIVES,
        DIRECTIONS,
        dataset="synthetic",
        sample_size=sample_size,
        repetitions=repetitions,
        settings=settings,
        seed=seed,
    )


def test_front_is_the_non_dominated_set_of_the_predictions() -> None:
    names, _, values = problem()
    tables = predict(values)
    predictions = tables.predictions
    assert predictions["architecture"].tolist() == names
    mask = nondominated(predictions[OBJECTIVES].to_numpy(), DIRECTIONS)
    front = tables.fronts[tables.fronts["seed"] == 0]
    assert front["architecture"].tolist() == predictions.loc[mask, "architecture"].tolist()
    np.testing.assert_array_equal(front[OBJECTIVES].to_numpy(), predictions.loc[mask, OBJECTIVES].to_numpy())
    assert set(tables.fronts["scope"]) == {"space"}


def test_samples_are_random_known_architectures_of_the_right_number() -> None:
    names, _, values = problem()
    values[::2] = np.nan
    samples = predict(values).samples
    assert samples.groupby("seed").size().tolist() == [15] * 4
    assert set(samples["architecture"]) <= set(names[1::2])
    sets = samples.groupby("seed")["architecture"].agg(frozenset)
    assert sets.nunique() == 4


def test_equal_input_gives_equal_tables_and_repetitions_do_not_depend_on_their_number() -> None:
    _, _, values = problem()
    first, again, more = predict(values), predict(values), predict(values, repetitions=6)
    pd.testing.assert_frame_equal(first.fronts, again.fronts, check_exact=True)
    pd.testing.assert_frame_equal(first.predictions, again.predictions, check_exact=True)
    kept = more.fronts[more.fronts["seed"] < 4].reset_index(drop=True)
    pd.testing.assert_frame_equal(first.fronts, kept, check_exact=True)


def test_front_among_known_architectures_is_listed_where_the_front_holds_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # the first feature alone decides accuracy, the second alone cost; no architecture with both advantages is known,
    # so the predicted front of the space holds only unknown ones
    features = np.array([[a, b] for a in (0, 1) for b in (0, 1)] * 10, dtype=np.float32)
    values = np.column_stack([0.5 + 0.2 * features[:, 0], 2e6 - 1e6 * features[:, 1]])
    both = features.all(axis=1)
    values[both] = np.nan
    names = [f"{row:032x}" for row in range(40)]
    with caplog.at_level(logging.WARNING):
        tables = predict_fronts(
            names,
            features,
            values,
            OBJECTIVES,
            DIRECTIONS,
            dataset="synthetic",
            sample_size=30,
            repetitions=2,
            settings=RegressorSettings("xgboost", {"n_estimators": 60, "max_depth": 3}),
            seed=0,
        )
    one_advantage = features.sum(axis=1) == 1
    for _, rows in tables.fronts.groupby("seed"):
        scopes = rows.groupby("scope")["architecture"].agg(set)
        assert scopes["space"] == set(np.array(names)[both])
        assert scopes["known"] <= set(np.array(names)[one_advantage])
    assert "no architecture of the predicted front has known values" in caplog.text


def test_too_few_trained_architectures_is_a_clear_error() -> None:
    _, _, values = problem(40)
    values[:30, 1] = np.nan
    with pytest.raises(ConfigError, match=r"training_sample is 15, but only 10 of the 40 architectures"):
        predict(values)


@pytest.mark.parametrize("regressor", ["ridge", "random_forest", "xgboost_tuned"])
def test_any_regressor_and_number_of_objectives(regressor: str) -> None:
    names, features, values = problem()
    values = np.column_stack([values, -values[:, 1] + 3 * values[:, 0], values[:, 1] ** 2])
    objectives = [*OBJECTIVES, "train_loss", "latency_ms@board"]
    directions = [*DIRECTIONS, "minimise", "minimise"]
    for count in (1, 3, 4):
        tables = predict_fronts(
            names,
            features,
            values[:, :count],
            objectives[:count],
            directions[:count],
            dataset="synthetic",
            sample_size=40,
            repetitions=2,
            settings=RegressorSettings(regressor, log_targets=("latency_ms",)),
            seed=1,
        )
        predicted = tables.predictions[objectives[:count]].to_numpy()
        front = tables.fronts[tables.fronts["seed"] == 0]
        assert list(front.columns)[-count:] == objectives[:count]
        mask = nondominated(predicted, directions[:count])
        assert front["architecture"].tolist() == np.array(names)[mask].tolist()


def test_randomness_of_the_regressor_goes_by_repetition() -> None:
    _, _, values = problem()
    forest = RegressorSettings("random_forest", {"n_estimators": 5})
    first, again = predict(values, settings=forest), predict(values, settings=forest, repetitions=2)
    kept = first.fronts[first.fronts["seed"] < 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, again.fronts, check_exact=True)
