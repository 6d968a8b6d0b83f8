"""The regressors that a surrogate may be, by name, and the check of their parameters.

Reading a configuration imports this module, so that neither xgboost nor scikit-learn (nor numpy) is loaded before a
parameter has to be checked or a surrogate is fitted.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from terranas.core.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from terranas.surrogates.fitting import Surrogate

Parameter = float | int | str | bool

LOG_TARGETS = (
    "training_seconds",
    "total_seconds",
    "parameters",
    "macs",
    "activations",
    "latency_ms",
    "peak_memory_bytes",
    "model_bytes",
    "checkpoint_bytes",
    "training_energy_kwh",
    "training_co2_g",
)
"""Metrics that are positive and span decades: what changes them multiplies them. The default of ``log_targets``."""

# what terranas decides for every regressor: randomness, threads, printing, and what takes no plain value
_OURS = {
    "random_state": "it is derived from the study's seed",
    "n_jobs": "a surrogate is fitted on one thread",
    "verbose": "nothing is printed",
    "verbosity": "nothing is printed",
    "warm_start": "every fit starts anew",
    "callbacks": "it takes functions",
    "kernel": "it takes an object; the kernel is a Matern kernel with noise",
    "optimizer": "the kernel's parameters are found by L-BFGS-B",
    "n_targets": "a surrogate has one target",
    "metric_params": "it takes a mapping",
    "monotonic_cst": "it takes one value a feature",
    "interaction_cst": "it takes sets of features",
    "categorical_features": "features are numbers",
    "copy_X": "features are never changed",
    "copy_X_train": "features are never changed",
    # of xgboost
    "booster": "the booster is gbtree",
    "tree_method": "trees are grown by histograms",
    "device": "a surrogate is fitted on the CPU, where results are the same everywhere",
    "base_score": "targets are standardised",
    "missing": "features are complete",
    "enable_categorical": "features are numbers",
    "feature_types": "features are numbers",
    "feature_weights": "it takes one value a feature",
    "monotone_constraints": "it takes one value a feature",
    "interaction_constraints": "it takes sets of features",
    "max_cat_to_onehot": "features are numbers",
    "max_cat_threshold": "features are numbers",
    "multi_strategy": "a surrogate has one target",
    "scale_pos_weight": "it belongs to classification",
    "eval_metric": "there is no evaluation set",
    "early_stopping_rounds": "there is no evaluation set",
    "importance_type": "importances are not asked for",
    "validate_parameters": "parameters are always checked",
}

_BOOSTING_OBJECTIVES = ("reg:squarederror", "reg:pseudohubererror", "reg:absoluteerror")


@dataclass(frozen=True)
class Regressor:
    """A kind of surrogate.

    Attributes:
        words: its name for people.
        module: where its class is.
        class_name: its class, whose constructor knows the parameters.
        defaults: parameters that differ from the class's own.
        scales_features: whether distances between or sums of features matter, so that they are standardised first.
    """

    words: str
    module: str
    class_name: str
    defaults: Mapping[str, Parameter] = field(default_factory=dict)
    scales_features: bool = False

    @property
    def is_boosting(self) -> bool:
        """Whether XGBoost fits it."""
        return self.module == "xgboost"

    def load(self) -> Any:
        """Return its class, imported now."""
        return getattr(importlib.import_module(self.module), self.class_name)


REGRESSORS: dict[str, Regressor] = {
    "xgboost": Regressor(
        "XGBoost",
        "xgboost",
        "XGBRegressor",
        {"n_estimators": 100, "max_depth": 6, "learning_rate": 0.3},  # XGBoost's own defaults
    ),
    "xgboost_tuned": Regressor(
        "XGBoost, tuned",
        "xgboost",
        "XGBRegressor",
        {
            "objective": "reg:pseudohubererror",
            "n_estimators": 100,
            "max_depth": 7,
            "learning_rate": 0.1,
            "subsample": 0.6,
            "reg_lambda": 10.0,
        },
    ),
    "random_forest": Regressor("random forest", "sklearn.ensemble", "RandomForestRegressor"),
    "gradient_boosting": Regressor("gradient boosting", "sklearn.ensemble", "HistGradientBoostingRegressor"),
    "ridge": Regressor("ridge", "sklearn.linear_model", "Ridge", scales_features=True),
    "gaussian_process": Regressor(
        "Gaussian process", "sklearn.gaussian_process", "GaussianProcessRegressor", scales_features=True
    ),
    "mlp": Regressor("multilayer perceptron", "sklearn.neural_network", "MLPRegressor", scales_features=True),
    "nearest_neighbours": Regressor(
        "nearest neighbours", "sklearn.neighbors", "KNeighborsRegressor", scales_features=True
    ),
}
"""Named regressors. Parameters that are not given are those of the library, except for these.

``xgboost`` has XGBoost's own defaults.

``xgboost_tuned`` was tuned on real tables of NAS-Bench-101 with the encoding ``adjacency_one_hot`` and 2,000 training
cells: CIFAR-10 test accuracy after 108 epochs of all 423,624 cells, and validation accuracy and training time of 19,960
cells. Of each table a random half served the tuning and the other half only the figures below. Of 170 random settings
(loss, trees, depth, rate, least child weight, shares of rows and columns, L2 penalty; three seeds, 8,000 validation
cells) a neighbour of the best in mean Spearman correlation was taken that predicts the whole space in less than 0.5 s.
What matters most is the pseudo-Huber loss: some trainings failed and have an accuracy of 0.1, and squared errors make
the trees serve those first. Spearman correlations on some 8,000 cells of the other half, means of ten seeds,
``xgboost`` against ``xgboost_tuned``:

====================  ============  ============  ============
training cells        300           1,000         2,000
====================  ============  ============  ============
test accuracy         .697 - .804   .732 - .874   .727 - .904
validation accuracy   .757 - .851   .869 - .915   .888 - .936
training time         .959 - .974   .985 - .988   .991 - .993
====================  ============  ============  ============

Of all the others the parameters are the library's; see :func:`~terranas.surrogates.estimators.fit_estimator` for the
kernel of the Gaussian process.
"""


@dataclass(frozen=True)
class RegressorSettings:
    """What a surrogate is fitted with.

    Attributes:
        regressor: a name of :data:`REGRESSORS`, or a regressor of scikit-learn by its path (``sklearn.svm.SVR``).
        parameters: of its constructor, where they differ from the defaults.
        encoding: name of the features it takes; kept so that a surrogate is not asked with others.
        log_targets: metrics whose logarithm is fitted; see :data:`LOG_TARGETS`.
    """

    regressor: str = "xgboost"
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    encoding: str = "adjacency_one_hot"
    log_targets: tuple[str, ...] = ()

    def is_log(self, objective: str) -> bool:
        """Return whether the logarithm of an objective is fitted; ``METRIC@DEVICE`` goes by its metric."""
        return objective.partition("@")[0] in self.log_targets

    @property
    def all_parameters(self) -> dict[str, Parameter]:
        """The parameters given and the defaults of the name."""
        return {**find_regressor(self.regressor).defaults, **self.parameters}


def find_regressor(name: str) -> Regressor:
    """Return a regressor by its name, or by its path in scikit-learn.

    Paths into other packages are refused: a configuration or a stored surrogate must not choose what is imported.

    Raises:
        ConfigError: there is no such regressor.
    """
    if name in REGRESSORS:
        return REGRESSORS[name]
    if name.startswith("sklearn."):
        from sklearn.base import BaseEstimator, RegressorMixin

        module, _, class_name = name.rpartition(".")
        try:
            found = getattr(importlib.import_module(module), class_name, None)
        except ImportError:
            found = None
        if isinstance(found, type) and issubclass(found, BaseEstimator) and issubclass(found, RegressorMixin):
            return Regressor(class_name, module, class_name, scales_features=True)
    raise ConfigError(
        f"There is no regressor '{name}'{_nearest(name, REGRESSORS)}. Regressors: {', '.join(REGRESSORS)}, or one of "
        "scikit-learn by its path, such as sklearn.svm.SVR."
    )


def check_parameters(regressor: str, parameters: Mapping[str, Parameter]) -> None:
    """Check that a regressor exists and takes these parameters.

    Without parameters, and for a name of :data:`REGRESSORS`, nothing is imported.

    Args:
        regressor: its name.
        parameters: of its constructor.

    Raises:
        ConfigError: there is no such regressor or parameter, the parameter is terranas' to set, or a value is no
            number, text or boolean, or is out of range.
    """
    found = find_regressor(regressor)
    if not parameters:
        return
    known = set(found.load()().get_params())
    allowed = sorted(known - set(_OURS))
    for name, value in parameters.items():
        if name in _OURS and name in known:
            raise ConfigError(f"The parameter '{name}' of {regressor} cannot be set: {_OURS[name]}.")
        if name not in allowed:
            raise ConfigError(
                f"{regressor} has no parameter '{name}'{_nearest(name, allowed)}. It has: {', '.join(allowed)}."
            )
        if not isinstance(value, float | int | str | bool):
            raise ConfigError(
                f"The parameter '{name}' of {regressor} must be a number, a text or a boolean, got {value!r}."
            )
    _check_values(regressor, found, {**found.defaults, **parameters})


def fit_surrogate(
    features: NDArray[np.float32], targets: NDArray[np.float64], settings: RegressorSettings, *, log: bool, seed: int
) -> Surrogate:
    """Fit a surrogate; see :func:`terranas.surrogates.fitting.fit`, which is imported when this is called."""
    from terranas.surrogates.fitting import fit

    return fit(features, targets, settings, log=log, seed=seed)


def _check_values(regressor: str, found: Regressor, parameters: Mapping[str, Parameter]) -> None:
    """Raise unless the library takes the values."""
    try:
        if found.is_boosting:
            _check_boosting(parameters)
        else:
            found.load()(**parameters)._validate_params()
    except (ValueError, TypeError) as error:
        text = str(error).strip().splitlines()[0]
        raise ConfigError(f"A parameter of {regressor} has a value that it does not take: {text}") from error


def _check_boosting(parameters: Mapping[str, Parameter]) -> None:
    """Raise ValueError unless XGBoost takes the parameters: it checks them when it trains, here on four rows."""
    import numpy as np

    from terranas.surrogates.boosting import fit_trees

    trees, objective = parameters["n_estimators"], parameters.get("objective", _BOOSTING_OBJECTIVES[0])
    if type(trees) is not int or trees < 1:
        raise ValueError(f"'n_estimators' must be a whole number from 1 on, got {trees!r}")
    if objective not in _BOOSTING_OBJECTIVES:
        raise ValueError(f"'objective' must be one of {', '.join(_BOOSTING_OBJECTIVES)}, got {objective!r}")
    rows = np.arange(8, dtype=np.float32).reshape(4, 2)
    fit_trees(rows, np.array([-1.0, 0.0, 0.0, 1.0]), {**parameters, "n_estimators": 1}, seed=0)


def _nearest(name: str, candidates: Any) -> str:
    close = difflib.get_close_matches(name, list(candidates), n=1, cutoff=0.0)
    return f" (the nearest is '{close[0]}')" if close else ""
