"""An ensemble of surrogates that predicts a metric with its uncertainty, and a report of how true that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from terranas.core.errors import ConfigError
from terranas.core.randomness import derive_seed, generator
from terranas.surrogates.fitting import Surrogate, fit
from terranas.surrogates.regressors import RegressorSettings
from terranas.surrogates.scores import prediction_scores

LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Levels of the intervals whose coverage is reported."""

FEWEST = 10
"""Architectures with values below which no ensemble is fitted: some train, some calibrate and some test."""

MAX_HELD_OUT = 20_000
"""Held-out architectures, at most."""

_ONE_SIGMA = float(stats.norm.cdf(1) - stats.norm.cdf(-1))


@dataclass(frozen=True)
class Ensemble:
    """Surrogates of one metric; made by :func:`fit_ensemble`.

    Attributes:
        members: the surrogates.
        residual_std: error that the members share, on the fitted scale.
        log: whether the logarithm was fitted.
    """

    members: tuple[Surrogate, ...]
    residual_std: float
    log: bool

    def predict(self, features: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return predictions and their standard deviations in the metric's unit, both of shape (n,).

        Where the logarithm was fitted, the prediction is the median of a log-normal distribution, and the deviation is
        that distribution's.

        Args:
            features: shape (n, d).
        """
        mean, std = self.predict_fitted(features)
        if not self.log:
            return mean, std
        median = np.exp(mean)
        return median, median * np.sqrt(np.expm1(std**2) * np.exp(std**2))

    def predict_fitted(self, features: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and standard deviation on the fitted scale, both of shape (n,)."""
        mean, variance = _moments(self.members, features)
        return mean, np.sqrt(variance + self.residual_std**2)


@dataclass(frozen=True)
class Calibration:
    """How well an ensemble's predictions and intervals fit architectures that it was not fitted to.

    Attributes:
        coverage: share of held-out values in the interval of each of :data:`LEVELS`.
        facts: numbers of architectures and scores; columns of schema ``surrogates.calibration``.
    """

    coverage: tuple[float, ...]
    facts: dict[str, Any]


def fit_ensemble(
    features: NDArray[np.float32],
    targets: NDArray[np.float64],
    settings: RegressorSettings,
    *,
    log: bool,
    members: int,
    held_out: float,
    max_training: int,
    seed: int,
) -> tuple[Ensemble, Calibration]:
    """Fit an ensemble and measure its calibration.

    As in NAS-Bench-301 (Zela et al., ICLR 2022), members differ in seed and in the fold of the training architectures
    that they do not see. The mean of the members is the prediction. They agree with each other more than with the
    truth, so that their variance alone is too small: half of the held-out architectures tell a residual variance that
    is added to it. It is the smallest with which one standard deviation covers 68.3 % of them (split conformal
    prediction, Lei et al. 2018, with squared errors less the members' variance as scores). A few wild errors, such as
    trainings that failed, hence do not widen all intervals. The other half of the held-out architectures reports
    coverage and scores.

    Args:
        features: shape (n, d).
        targets: shape (n,), all finite.
        settings: regressor of every member.
        log: whether to fit the logarithm.
        members: surrogates, from 1 on.
        held_out: share of the architectures that no member sees; at most :data:`MAX_HELD_OUT` are used.
        max_training: most architectures that the members see, altogether.
        seed: of the folds and the regressors.

    Raises:
        ConfigError: there are fewer than :data:`FEWEST` architectures, or fewer that train than members need.
        ValueError: members or the held-out share are out of range.
    """
    if members < 1 or not 0 < held_out < 1:
        raise ValueError(f"members >= 1 and a held-out share between 0 and 1 are expected, got {members}, {held_out}")
    order = generator(seed, "surrogates.ensemble").permutation(len(targets))
    apart = min(max(4, round(held_out * len(targets))), MAX_HELD_OUT)
    train = order[apart:][:max_training]
    if len(targets) < FEWEST or len(train) < 2 * members:
        raise ConfigError(
            f"An ensemble of {members} needs at least {max(FEWEST, 2 * members)} architectures to train on "
            f"besides those held out, but {len(targets)} have values and at most {max_training} may train. Train more "
            "architectures, or ask for fewer members."
        )
    fitted = tuple(
        fit(features[rows], targets[rows], settings, log=log, seed=derive_seed(seed, "surrogates.member", member))
        for member, rows in enumerate(_folds(train, members))
    )
    calibrate, test = order[: apart // 2], order[apart // 2 : apart]
    mean, variance = _moments(fitted, features[calibrate])
    ensemble = Ensemble(fitted, _residual_std(_scaled(targets[calibrate], log) - mean, variance), log)
    mean, std = ensemble.predict_fitted(features[test])
    errors = np.abs(_scaled(targets[test], log) - mean)
    coverage = tuple(float(np.mean(errors <= stats.norm.ppf((1 + level) / 2) * std)) for level in LEVELS)
    scores = prediction_scores(targets[test], np.exp(mean) if log else mean)
    facts = {
        "held_out": len(test),
        "trained": len(train),
        "calibrated": len(calibrate),
        "members": members,
        "log": log,
        "member_std": float(np.sqrt(np.mean(_moments(fitted, features[test])[1]))),
        "residual_std": ensemble.residual_std,
        "spearman": scores.spearman,
        "rmse": scores.rmse,
        "r2": scores.r2,
    }
    return ensemble, Calibration(coverage, facts)


def _folds(rows: NDArray[np.int64], members: int) -> list[NDArray[np.int64]]:
    """Return the rows that each member sees: all but its fold, and all where there is one member."""
    if members == 1:
        return [rows]
    position = np.arange(len(rows)) % members
    return [rows[position != member] for member in range(members)]


def _moments(
    members: tuple[Surrogate, ...], features: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance over the members, on the fitted scale."""
    total, squares = np.zeros(len(features)), np.zeros(len(features))
    for count, member in enumerate(members, start=1):
        # Welford's update: no matrix of all members' predictions, and no loss of digits
        predicted = member.predict_fitted(features)
        step = predicted - total
        total += step / count
        squares += step * (predicted - total)
    return total, squares / max(len(members) - 1, 1)


def _scaled(targets: NDArray[np.float64], log: bool) -> NDArray[np.float64]:
    return np.log(targets) if log else targets


def _residual_std(errors: NDArray[np.float64], variance: NDArray[np.float64]) -> float:
    """Return the smallest deviation whose square, added to the variances, lets one sigma cover its share of errors."""
    lacking = np.sort(errors**2 - variance)
    rank = min(int(np.ceil((len(lacking) + 1) * _ONE_SIGMA)), len(lacking)) - 1
    return float(np.sqrt(max(lacking[rank], 0.0)))
