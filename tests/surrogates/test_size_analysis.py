"""Fitting, and scores by training-set size."""

import numpy as np
import pandas as pd
import pytest

from terranas.core.errors import ConfigError
from terranas.surrogates.boosting import BoostingSettings, fit_surrogate
from terranas.surrogates.figures import size_figure, summarise_scores
from terranas.surrogates.size_analysis import analyse_sizes

SETTINGS = BoostingSettings(n_estimators=60, max_depth=3, learning_rate=0.3)
OBJECTIVES = ("validation_micro_accuracy", "macs")


def linear_problem(count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Binary features and two linear functions of them, one of the size of accuracies, one of MACs."""
    rng = np.random.default_rng(0)
    features = rng.integers(0, 2, size=(count, 12)).astype(np.float32)
    accuracy = 0.5 + features @ np.linspace(0.001, 0.02, 12)
    macs = 1e9 + features @ np.geomspace(1e6, 1e9, 12)
    return features, np.column_stack([accuracy, macs])


def analyse(values: np.ndarray, features: np.ndarray, **options: object) -> pd.DataFrame:
    defaults = {"dataset": "synthetic", "sizes": [20, 200], "repeats": 3, "settings": SETTINGS, "seed": 1}
    return analyse_sizes(features, values, OBJECTIVES, **(defaults | options))


def test_learns_a_linear_function_better_from_more_architectures() -> None:
    features, values = linear_problem()
    scores = analyse(values, features)
    means = scores.groupby(["objective", "size"])[["spearman", "r2"]].mean()
    for objective in OBJECTIVES:
        assert means.loc[(objective, 200), "spearman"] > 0.95
        assert means.loc[(objective, 200), "r2"] > means.loc[(objective, 20), "r2"]


def test_fit_does_not_depend_on_the_unit() -> None:
    features, values = linear_problem()
    accuracy = values[:, 0]
    plain = fit_surrogate(features, accuracy, SETTINGS).predict(features)
    tiny = fit_surrogate(features, accuracy * 2.0**-20, SETTINGS).predict(features)
    np.testing.assert_array_equal(tiny, plain * 2.0**-20)


def test_constant_target_is_predicted_exactly() -> None:
    features, _ = linear_problem()
    predicted = fit_surrogate(features, np.full(len(features), 0.3), SETTINGS).predict(features)
    np.testing.assert_array_equal(predicted, 0.3)


def test_equal_input_gives_equal_bits_and_seeds_differ() -> None:
    features, values = linear_problem()
    computed = ["spearman", "kendall", "pearson", "mae", "rmse", "r2"]
    first, again = analyse(values, features)[computed], analyse(values, features)[computed]
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert not first.equals(analyse(values, features, seed=2)[computed])


def test_scores_of_a_size_do_not_depend_on_the_other_sizes() -> None:
    features, values = linear_problem()
    alone = analyse(values, features, sizes=[200])
    among = analyse(values, features, sizes=[20, 50, 200])
    columns = ["objective", "repeat", "spearman", "rmse"]
    expected = among.loc[among["size"] == 200, columns].sort_values(columns[:2], ignore_index=True)
    pd.testing.assert_frame_equal(
        alone[columns].sort_values(columns[:2], ignore_index=True), expected, check_exact=True
    )


def test_architectures_without_values_are_left_out() -> None:
    features, values = linear_problem()
    holed = values.copy()
    holed[::3, 0] = np.nan
    kept = np.isfinite(holed).all(axis=1)
    columns = ["held_out", "spearman", "rmse"]
    pd.testing.assert_frame_equal(
        analyse(holed, features)[columns], analyse(values[kept], features[kept])[columns], check_exact=True
    )


def test_held_out_architectures_are_all_others_up_to_the_limit() -> None:
    features, values = linear_problem()
    assert set(analyse(values, features)["held_out"]) == {400, 580}
    assert set(analyse(values, features, max_held_out=90)["held_out"]) == {90}


def test_too_few_trained_architectures_is_a_clear_error() -> None:
    features, values = linear_problem(60)
    values[:25, 0] = np.nan
    with pytest.raises(ConfigError, match=r"asks for 45 training .* only 35 of the 60 architectures have values"):
        analyse(values, features, sizes=[15, 45])


def test_figure_shows_means_over_the_repeats_that_have_a_value() -> None:
    features, values = linear_problem()
    scores = analyse(values, features)
    scores.loc[0, "spearman"] = np.nan
    summary = summarise_scores(scores).set_index(["objective", "size", "score"])
    own = scores[(scores["objective"] == OBJECTIVES[0]) & (scores["size"] == 20)]
    shown = summary.loc[(OBJECTIVES[0], 20, "spearman")]
    assert shown["repeats"] == 2
    assert shown["mean"] == pytest.approx(own["spearman"].iloc[1:].mean())
    with size_figure(scores) as (drawn, numbers):
        assert "synthetic" in drawn.get_suptitle()
        assert [axes.get_title(loc="left") for axes in drawn.axes[:2]] == ["Validation micro accuracy", "MACs"]
        assert len(numbers) == len(summary)
