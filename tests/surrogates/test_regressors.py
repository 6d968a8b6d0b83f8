"""Fitting surrogates of every kind, and checking their parameters."""

import subprocess
import sys

import numpy as np
import pytest
import xgboost
from threadpoolctl import threadpool_limits

from terranas.core.errors import ConfigError
from terranas.surrogates import estimators
from terranas.surrogates.fitting import Surrogate, fit
from terranas.surrogates.regressors import (
    LOG_TARGETS,
    REGRESSORS,
    RegressorSettings,
    check_parameters,
    find_regressor,
    fit_surrogate,
)

from .synthetic import linear_problem

NAMES = [*REGRESSORS, "sklearn.svm.SVR"]


def fitted(name: str, features: np.ndarray, targets: np.ndarray, *, log: bool = False, seed: int = 3) -> Surrogate:
    return fit(features, targets, RegressorSettings(name), log=log, seed=seed)


def test_xgboost_is_plain_xgboost_of_standardised_targets() -> None:
    features, values = linear_problem(200)
    targets = values[:, 1]
    matrix = xgboost.DMatrix(features, label=(targets - targets.mean()) / targets.std(), nthread=1)
    plain = {"objective": "reg:squarederror", "base_score": 0.0, "tree_method": "hist", "nthread": 1}
    booster = xgboost.train(plain | {"max_depth": 4, "learning_rate": 0.2}, matrix, num_boost_round=30)
    expected = targets.mean() + targets.std() * booster.inplace_predict(features).astype(np.float64)
    settings = RegressorSettings("xgboost", {"n_estimators": 30, "max_depth": 4, "learning_rate": 0.2})
    surrogate = fit_surrogate(features, targets, settings, log=False, seed=9)
    np.testing.assert_array_equal(surrogate.predict(features), expected)


@pytest.mark.parametrize("name", NAMES)
def test_every_regressor_learns_and_is_deterministic(name: str) -> None:
    features, values = linear_problem(300)
    targets = values[:, 0]
    predicted = fitted(name, features[:200], targets[:200]).predict(features[200:])
    with threadpool_limits(2):  # more threads around it change nothing
        again = fitted(name, features[:200], targets[:200]).predict(features[200:])
    np.testing.assert_array_equal(again, predicted)
    assert predicted.dtype == np.float64
    assert np.corrcoef(predicted, targets[200:])[0, 1] > 0.7


@pytest.mark.parametrize("name", NAMES)
def test_hostile_samples(name: str) -> None:
    features, values = linear_problem(60)
    constant = fitted(name, features, np.full(60, 0.3)).predict(features)
    np.testing.assert_allclose(constant, 0.3, rtol=1e-14)
    one_feature = fitted(name, features[:, -1:], values[:, 1]).predict(features[:, -1:])
    assert one_feature[features[:, -1] == 1].min() > one_feature[features[:, -1] == 0].max()
    same_features = fitted(name, np.ones((20, 3), dtype=np.float32), values[:20, 0]).predict(np.ones((1, 3)))
    assert abs(same_features - values[:20, 0].mean()) < values[:20, 0].std()
    few = 5 if name == "nearest_neighbours" else 2
    assert np.isfinite(fitted(name, features[:few], values[:few, 0]).predict(features)).all()


def test_randomness_goes_by_the_seed() -> None:
    features, values = linear_problem(100)
    for name in ("random_forest", "mlp", "xgboost_tuned"):
        first, other = (fitted(name, features, values[:, 0], seed=seed).predict(features) for seed in (1, 2**62))
        assert (first != other).any()


def test_logarithm_is_undone() -> None:
    features, values = linear_problem(100)
    for name in ("xgboost", "ridge"):
        of_log = fitted(name, features, np.log(values[:, 1])).predict(features)
        predicted = fitted(name, features, values[:, 1], log=True)
        np.testing.assert_array_equal(predicted.predict(features), np.exp(of_log))
        np.testing.assert_array_equal(predicted.predict_fitted(features), of_log)


def test_which_targets_are_logarithmic() -> None:
    settings = RegressorSettings(log_targets=LOG_TARGETS)
    assert settings.is_log("latency_ms@a device")
    assert settings.is_log("training_seconds")
    assert not settings.is_log("validation_micro_accuracy")
    assert not RegressorSettings().is_log("training_seconds")


def test_fit_does_not_depend_on_the_unit() -> None:
    features, values = linear_problem()
    accuracy = values[:, 0]
    plain = fitted("xgboost", features, accuracy).predict(features)
    tiny = fitted("xgboost", features, accuracy * 2.0**-20).predict(features)
    np.testing.assert_array_equal(tiny, plain * 2.0**-20)


def test_distances_do_not_depend_on_the_units_of_features() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(80, 3)).astype(np.float32)
    targets = features[:, 0].astype(np.float64)
    plain = fitted("nearest_neighbours", features, targets).predict(features)
    scaled = fitted("nearest_neighbours", features * np.float32(2.0**20) * [1, 2, 4], targets)
    np.testing.assert_array_equal(scaled.predict(features * np.float32(2.0**20) * [1, 2, 4]), plain)


def test_gaussian_process_knows_its_noise_free_sample_and_predicts_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    features, values = linear_problem(200)
    surrogate = fitted("gaussian_process", features, values[:, 0])
    whole = surrogate.predict(features)
    np.testing.assert_allclose(whole, values[:, 0], atol=1e-3 * np.ptp(values[:, 0]))
    monkeypatch.setattr(estimators, "_BLOCK", 7)
    np.testing.assert_allclose(surrogate.predict(features), whole, rtol=1e-12)


def test_kernel_is_found_on_some_rows_and_the_process_fitted_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    features, values = linear_problem(200)
    monkeypatch.setattr(estimators, "KERNEL_ROWS", 50)
    model = fitted("gaussian_process", features, values[:, 0]).model
    assert isinstance(model, estimators.Estimator)
    assert len(model.fitted.X_train_) == 200
    assert model.fitted.kernel_ == model.fitted.kernel


@pytest.mark.parametrize(
    ("features", "targets", "message"),
    [
        (np.ones((3, 2)), np.array([1.0, np.nan, 2.0]), "must be finite"),
        (np.array([[1.0, np.inf]] * 3), np.ones(3), "must be finite"),
        (np.ones((3, 2)), np.ones(4), "shapes"),
        (np.ones((0, 2)), np.ones(0), "shapes"),
        (np.ones((3, 0)), np.ones(3), "shapes"),
    ],
)
def test_refuses_samples_that_are_none(features: np.ndarray, targets: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(features, targets, RegressorSettings("ridge"), log=False, seed=0)


def test_refuses_the_logarithm_of_what_is_not_positive() -> None:
    with pytest.raises(ConfigError, match=r"its smallest value is 0\. Take the metric out of log_targets"):
        fit(np.ones((3, 2)), np.array([1.0, 0.0, 2.0]), RegressorSettings("ridge"), log=True, seed=0)


def test_too_few_architectures_for_the_neighbours() -> None:
    with pytest.raises(ConfigError, match=r"could not be fitted to 3 .* with 2 features: 5 neighbours are asked for"):
        fit(np.ones((3, 2)), np.arange(3.0), RegressorSettings("nearest_neighbours"), log=False, seed=0)


def test_asked_with_other_features() -> None:
    features, values = linear_problem(50)
    surrogate = fitted("ridge", features, values[:, 0])
    assert surrogate.predict(features[:0]).shape == (0,)
    for other in (features[:, 1:], features[0]):
        with pytest.raises(ValueError, match=r"expected \(n, 12\)"):
            surrogate.predict(other)


# --- parameters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_valid_parameters(name: str) -> None:
    check_parameters(name, find_regressor(name).defaults)
    check_parameters(name, {})


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("xgboost", {"max_dept": 3}, r"no parameter 'max_dept' \(the nearest is 'max_depth'\)"),
        ("random_forest", {"n_estimator": 3}, r"the nearest is 'n_estimators'"),
        ("ridge", {"max_depth": 3}, r"ridge has no parameter 'max_depth'"),
        ("xgboost", {"n_jobs": 4}, r"'n_jobs' of xgboost cannot be set: a surrogate is fitted on one thread"),
        ("mlp", {"random_state": 4}, r"cannot be set: it is derived from the study's seed"),
        ("gaussian_process", {"kernel": "rbf"}, r"'kernel' of gaussian_process cannot be set"),
        ("ridge", {"alpha": [1.0]}, r"must be a number, a text or a boolean, got \[1.0\]"),
        ("ridge", {"alpha": -1.0}, r"A parameter of ridge has a value that it does not take: .*alpha"),
        ("mlp", {"activation": "step"}, r"activation"),
        ("xgboost", {"max_depth": -3}, r"max_depth"),
        ("xgboost", {"n_estimators": 0}, r"'n_estimators' must be a whole number from 1 on, got 0"),
        ("xgboost", {"n_estimators": 2.5}, r"got 2.5"),
        (
            "xgboost_tuned",
            {"objective": "rank:ndcg"},
            r"'objective' must be one of reg:squarederror, .* got 'rank:ndcg'",
        ),
        ("xgbost", {}, r"no regressor 'xgbost' \(the nearest is 'xgboost'\)"),
        ("sklearn.svm.SVC", {}, r"no regressor 'sklearn.svm.SVC'"),
        ("sklearn.nothing.Ridge", {}, r"no regressor"),
        ("subprocess.Popen", {}, r"no regressor"),
    ],
)
def test_refuses_parameters(name: str, parameters: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_parameters(name, parameters)


def test_parameters_reach_the_regressor() -> None:
    features, values = linear_problem(100)
    settings = RegressorSettings("random_forest", {"n_estimators": 7})
    model = fit(features, values[:, 0], settings, log=False, seed=0).model
    assert isinstance(model, estimators.Estimator)
    assert len(model.fitted.estimators_) == 7


def test_naming_regressors_loads_no_library() -> None:
    program = (
        "import sys; from terranas.surrogates.regressors import REGRESSORS, check_parameters\n"
        "for name in REGRESSORS: check_parameters(name, {})\n"
        "print(sorted({'numpy', 'sklearn', 'xgboost', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
