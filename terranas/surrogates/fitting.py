"""Fitting a surrogate of one objective, and asking it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from terranas.core.errors import ConfigError
from terranas.surrogates.regressors import RegressorSettings, find_regressor


class Model(Protocol):
    """A fitted regressor of a standardised target."""

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return predictions, shape (n,), for features of shape (n, d)."""
        ...


@dataclass(frozen=True)
class TrainingSample:
    """What a surrogate was fitted to: features of shape (n, d) and targets of shape (n,), in the objective's unit."""

    features: NDArray[np.float32]
    targets: NDArray[np.float64]


@dataclass(frozen=True)
class Surrogate:
    """A fitted predictor of one objective; made by :func:`fit`.

    Attributes:
        settings: what it was fitted with.
        log: whether the logarithm of the objective was fitted.
        seed: of the regressor's randomness.
        width: number of features.
        centre: mean of the fitted targets, of their logarithm where ``log``.
        scale: their standard deviation; 1 for constant targets.
        model: the fitted regressor of the standardised target.
        sample: what it was fitted to.
    """

    settings: RegressorSettings
    log: bool
    seed: int
    width: int
    centre: float
    scale: float
    model: Model
    sample: TrainingSample | None

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return predictions in the objective's unit, shape (n,), for features of shape (n, d).

        Where the logarithm was fitted, the prediction is the exponential of the predicted logarithm: the median of the
        objective under errors that are symmetric on that scale, which is less than its mean.

        Raises:
            ValueError: the features have another number of columns than those it was fitted to.
        """
        fitted = self.predict_fitted(features)
        return np.exp(fitted) if self.log else fitted

    def predict_fitted(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return predictions on the scale that was fitted: of the logarithm where ``log``. As :meth:`predict` else."""
        if features.ndim != 2 or features.shape[1] != self.width:
            raise ValueError(f"features have the shape {features.shape}, expected (n, {self.width})")
        if not len(features):
            return np.empty(0)
        return self.centre + self.scale * self.model.predict(np.asarray(features, dtype=np.float32))


def fit(
    features: NDArray[np.float32], targets: NDArray[np.float64], settings: RegressorSettings, *, log: bool, seed: int
) -> Surrogate:
    """Fit a surrogate, on one thread: equal input gives equal bits.

    Targets are standardised, so that parameters mean the same in every unit. Regressors that depend on distances or
    sums of features get them standardised too, unless all are 0 or 1 already.

    Args:
        features: encoded architectures, shape (n, d).
        targets: values of the objective, shape (n,), all finite.
        settings: regressor and parameters.
        log: whether to fit the logarithm; see :meth:`~terranas.surrogates.regressors.RegressorSettings.is_log`.
        seed: of the regressor's randomness.

    Raises:
        ConfigError: the regressor does not exist, does not take its parameters or so few architectures, or the
            logarithm of a value that is not positive was asked for.
        ValueError: the shapes do not fit together, there is no row, or a value is not finite.
    """
    features = np.ascontiguousarray(features, dtype=np.float32)
    targets = np.asarray(targets, dtype=np.float64)
    if features.ndim != 2 or targets.shape != features.shape[:1] or not features.size:
        raise ValueError(f"features and targets have the shapes {features.shape} and {targets.shape}")
    if not (np.isfinite(features).all() and np.isfinite(targets).all()):
        raise ValueError("features and targets of a training sample must be finite; leave out rows without values")
    sample = TrainingSample(features, targets)
    if log:
        if targets.min() <= 0:
            raise ConfigError(
                f"The logarithm of a target is to be fitted, but its smallest value is {targets.min():g}. Take the "
                "metric out of log_targets."
            )
        targets = np.log(targets)
    # mean and spread of equal numbers may carry rounding errors, which must not become what is fitted
    constant = np.ptp(targets) == 0
    centre = float(targets[0] if constant else np.mean(targets))
    scale = 1.0 if constant else float(np.std(targets)) or 1.0
    model = _fit_model(features, (targets - centre) / scale, settings, seed)
    return Surrogate(settings, log, seed, features.shape[1], centre, scale, model, sample)


def _fit_model(
    features: NDArray[np.float32], targets: NDArray[np.float64], settings: RegressorSettings, seed: int
) -> Model:
    regressor = find_regressor(settings.regressor)
    try:
        if regressor.is_boosting:
            from terranas.surrogates.boosting import fit_trees

            return fit_trees(features, targets, settings.all_parameters, seed=seed)
        from terranas.surrogates.estimators import fit_estimator

        return fit_estimator(regressor, features, targets, settings.all_parameters, seed=seed)
    except (ValueError, TypeError) as error:
        text = str(error).strip().splitlines()[0]
        raise ConfigError(
            f"{settings.regressor} could not be fitted to {len(targets)} architectures with {features.shape[1]} "
            f"features: {text}. Change its parameters or the number of training architectures."
        ) from error
