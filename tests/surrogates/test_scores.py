"""Scores against independent implementations and closed forms."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from terranas.surrogates.scores import prediction_scores


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scipy_and_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=200).round(1)  # with ties
    predicted = truth + rng.normal(size=200).round(1)
    scores = prediction_scores(truth, predicted)
    assert scores.spearman == pytest.approx(stats.spearmanr(truth, predicted).statistic)
    assert scores.kendall == pytest.approx(stats.kendalltau(truth, predicted).statistic)
    assert scores.pearson == pytest.approx(stats.pearsonr(truth, predicted).statistic)
    assert scores.mae == pytest.approx(metrics.mean_absolute_error(truth, predicted))
    assert scores.rmse == pytest.approx(metrics.root_mean_squared_error(truth, predicted))
    assert scores.r2 == pytest.approx(metrics.r2_score(truth, predicted))


def test_perfect_prediction_scores_one_and_no_more() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    scores = prediction_scores(values, values)
    assert (scores.mae, scores.rmse, scores.r2) == (0, 0, 1)
    for correlation in (scores.spearman, scores.kendall, scores.pearson):
        assert correlation == pytest.approx(1)
        assert correlation <= 1


def test_constant_predictions_have_errors_but_no_correlation() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = prediction_scores(np.array([1.0, 2.0, 3.0]), np.full(3, 2.0))
    assert np.isnan([scores.spearman, scores.kendall, scores.pearson]).all()
    assert scores.mae == pytest.approx(2 / 3)
    assert scores.r2 == 0


def test_constant_truth_has_no_coefficient_of_determination() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = prediction_scores(np.full(3, 2.0), np.array([1.0, 2.0, 3.0]))
    assert np.isnan([scores.spearman, scores.kendall, scores.pearson, scores.r2]).all()
    assert scores.rmse == pytest.approx(np.sqrt(2 / 3))


@given(st.floats(1e-150, 1e150), st.floats(-1e3, 1e3), st.integers(0, 1000))
def test_correlations_do_not_depend_on_unit_or_origin(factor: float, shift: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, predicted = rng.normal(size=(2, 30))
    plain = prediction_scores(truth, predicted)
    scaled = prediction_scores(factor * truth, factor * (predicted + shift))
    assert scaled.pearson == pytest.approx(plain.pearson, abs=1e-6)
    assert scaled.spearman == pytest.approx(plain.spearman)


def test_refuses_a_single_value_and_unequal_shapes() -> None:
    with pytest.raises(ValueError, match="expected twice"):
        prediction_scores(np.ones(1), np.ones(1))
    with pytest.raises(ValueError, match="expected twice"):
        prediction_scores(np.ones(3), np.ones(4))
