"""Scores by training-set size, and their figure."""

import numpy as np
import pandas as pd
import pytest

from terranas.core.errors import ConfigError
from terranas.surrogates.figures import size_figure
from terranas.surrogates.plateau import summarise_scores
from terranas.surrogates.regressors import RegressorSettings
from terranas.surrogates.size_analysis import analyse_sizes

from .synthetic import OBJECTIVES, linear_problem

XGBOOST = RegressorSettings("xgboost", {"n_estimators": 60, "max_depth": 3, "learning_rate": 0.3}, "bits")
RIDGE = RegressorSettings("ridge", encoding="bits")
COMPUTED = ["spearman", "kendall", "pearson", "mae", "rmse", "r2"]


def analyse(values: np.ndarray, features: np.ndarray, **options: object) -> pd.DataFrame:
    defaults = {"dataset": "synthetic", "sizes": [20, 200], "repeats": 3, "compared": {"xgboost": XGBOOST}, "seed": 1}
    return analyse_sizes({"bits": features}, values, OBJECTIVES, **(defaults | options))


def test_learns_a_linear_function_better_from_more_architectures() -> None:
    features, values = linear_problem()
    scores = analyse(values, features)
    means = scores.groupby(["objective", "size"])[["spearman", "r2"]].mean()
    for objective in OBJECTIVES:
        assert means.loc[(objective, 200), "spearman"] > 0.95
        assert means.loc[(objective, 200), "r2"] > means.loc[(objective, 20), "r2"]
    assert set(scores["surrogate"]) == {"xgboost"}
    assert set(scores["encoding"]) == {"bits"}
    assert (scores[["fit_seconds", "predict_seconds"]] > 0).all(axis=None)


def test_equal_input_gives_equal_bits_and_seeds_differ() -> None:
    features, values = linear_problem()
    first, again = analyse(values, features)[COMPUTED], analyse(values, features)[COMPUTED]
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert not first.equals(analyse(values, features, seed=2)[COMPUTED])


@pytest.mark.parametrize(
    "more",
    [
        {"sizes": [20, 50, 200]},
        {"compared": {"ridge": RIDGE, "xgboost": XGBOOST}},
        {"repeats": 5},
    ],
)
def test_scores_do_not_depend_on_what_else_is_analysed(more: dict[str, object]) -> None:
    features, values = linear_problem()
    key = ["surrogate", "objective", "size", "repeat"]
    alone = analyse(values, features).set_index(key)[["held_out", *COMPUTED]]
    among = analyse(values, features, **more).set_index(key)[["held_out", *COMPUTED]]
    pd.testing.assert_frame_equal(among.loc[alone.index], alone, check_exact=True)


def test_larger_training_sets_hold_smaller_ones_and_are_tested_on_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    features, values = linear_problem()
    features = np.arange(len(features), dtype=np.float32)[:, None]  # features that name their row
    seen = []

    class Model:
        def __init__(self, rows: np.ndarray) -> None:
            self.rows = set(rows.ravel().tolist())

        def predict(self, rows: np.ndarray) -> np.ndarray:
            seen.append((self.rows, set(rows.ravel().tolist())))
            return np.zeros(len(rows))

    monkeypatch.setattr("terranas.surrogates.size_analysis.fit", lambda rows, *_, **__: Model(rows))
    analyse(values, features, repeats=2, max_held_out=100)
    (small, tested), (large, tested_too) = seen[0], seen[4]
    assert (len(small), len(large), len(tested)) == (20, 200, 100)
    assert small < large
    assert tested == tested_too
    assert not large & tested
    assert seen[0] == seen[1]  # both objectives
    assert seen[2][0] != small  # another repeat


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
    assert analyse(values, features, max_held_out=500, sizes=[50, 200]).groupby("size")[
        "held_out"
    ].first().tolist() == [
        500,
        400,
    ]


def test_logarithm_changes_the_fit_of_the_objectives_named() -> None:
    features, values = linear_problem()
    log = RegressorSettings("ridge", encoding="bits", log_targets=("macs",))
    both = analyse(values, features, compared={"plain": RIDGE, "log": log}).set_index(["objective", "surrogate"])
    assert (both.loc[("macs", "plain"), "r2"].to_numpy() > both.loc[("macs", "log"), "r2"].to_numpy()).all()
    same = both.loc[OBJECTIVES[0], COMPUTED]
    np.testing.assert_array_equal(same.loc["plain"], same.loc["log"])


def test_too_few_trained_architectures_is_a_clear_error() -> None:
    features, values = linear_problem(60)
    values[:25, 0] = np.nan
    with pytest.raises(ConfigError, match=r"asks for 45 training .* only 35 of the 60 architectures have values"):
        analyse(values, features, sizes=[15, 45])


def test_features_of_an_encoding_are_lacking() -> None:
    features, values = linear_problem()
    with pytest.raises(ConfigError, match="Features are lacking for paths; given: bits"):
        analyse(values, features, compared={"xgboost": RegressorSettings(encoding="paths")})


# --- the figure ------------------------------------------------------------------------------------------------------


def texts(legend: object) -> list[str]:
    return [text.get_text() for text in legend.get_texts()]


def test_figure_of_one_surrogate() -> None:
    features, values = linear_problem()
    scores = analyse(values, features, sizes=[20, 100, 200, 300])
    scores.loc[0, "spearman"] = np.nan
    with size_figure(scores, 0.1) as (drawn, numbers):
        assert drawn.get_suptitle().startswith("XGBoost by training-set size; mean and 95% interval of 3 random")
        assert drawn.get_suptitle().endswith("synthetic")
        assert [axes.get_title(loc="left") for axes in drawn.axes[:2]] == ["Validation micro accuracy", "MACs"]
        assert texts(drawn.axes[0].get_legend()) == ["Spearman", "Kendall", "Pearson"]
        assert texts(drawn.legends[0]) == ["begin of the plateau of Spearman's correlation (loss below 0.1)"]
        begin = drawn.axes[1].get_lines()[-1].get_xdata()
    assert len(numbers) == len(summarise_scores(scores))
    rows = numbers.set_index(["objective", "size", "score"])
    assert rows.loc[(OBJECTIVES[0], 20, "spearman"), "repeats"] == 2
    marked = numbers[numbers["plateau"]]
    assert set(marked["score"]) == {"spearman"}
    assert set(begin) == set(marked.loc[marked["objective"] == "macs", "size"])


def test_figure_of_several_surrogates() -> None:
    features, values = linear_problem()
    compared = {"xgboost": XGBOOST, "ridge": RIDGE, "mine": RIDGE}
    scores = analyse(values, features, compared=compared, sizes=[50, 100, 200])
    with size_figure(scores, 0.02) as (drawn, numbers):
        assert drawn.get_suptitle().startswith("3 surrogates by")
        assert texts(drawn.legends[0]) == [
            "XGBoost",
            "Ridge",
            "mine".capitalize(),
            "filled: on the plateau of Spearman's correlation (loss below 0.02)",
        ]
        hollow = [line for line in drawn.axes[0].get_lines() if line.get_markerfacecolor() == "white"]
        plateaus = numbers[numbers["plateau"] & (numbers["objective"] == OBJECTIVES[0])]
        # xgboost's plateau, if any, is not at the smallest size; ridge knows a linear function from the first
        assert plateaus.set_index("surrogate")["size"].to_dict().items() >= {"ridge": 50, "mine": 50}.items()
        assert len(hollow) == 1
        assert drawn.axes[0].get_ylabel() == "Spearman's correlation"


def test_figure_without_intervals_plateaus_or_correlations() -> None:
    features, _ = linear_problem(100)
    constant = np.column_stack([np.full(100, 0.5), np.full(100, 2e9)])
    scores = analyse(constant, features, repeats=1, sizes=[20])
    with size_figure(scores, 0.01) as (drawn, numbers):
        assert "one training set" in drawn.get_suptitle()
        assert not drawn.legends
        drawn.draw_without_rendering()
    assert not numbers["plateau"].any()
    assert numbers.loc[numbers["score"] == "spearman", "mean"].isna().all()
