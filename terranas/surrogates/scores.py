"""How well predictions agree with measured values."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats


@dataclass(frozen=True)
class Scores:
    """Agreement of predictions with the truth; NaN where a score is undefined.

    Attributes:
        spearman: Spearman's rank correlation, ties at their mean rank.
        kendall: Kendall's tau-b.
        pearson: Pearson's correlation.
        mae: mean absolute error, in the truth's unit.
        rmse: root mean squared error, in the truth's unit.
        r2: coefficient of determination, 1 - residual / total sum of squares.
    """

    spearman: float
    kendall: float
    pearson: float
    mae: float
    rmse: float
    r2: float


def prediction_scores(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> Scores:
    """Score predictions.

    Correlations are undefined (NaN) where either side is constant, the coefficient of determination where the truth is.

    Args:
        truth: measured values, shape (n,), finite.
        predicted: predictions of the same architectures, shape (n,), finite.

    Raises:
        ValueError: the shapes differ or there are fewer than two values.
    """
    if truth.shape != predicted.shape or truth.ndim != 1 or len(truth) < 2:
        raise ValueError(
            f"truth and predictions have shapes {truth.shape} and {predicted.shape}, expected twice (n >= 2,)"
        )
    errors = predicted - truth
    spread = float(np.sum((truth - truth.mean()) ** 2))
    constant = np.ptp(truth) == 0 or np.ptp(predicted) == 0
    kendall = np.nan if constant else float(stats.kendalltau(truth, predicted).statistic)
    return Scores(
        spearman=_correlation(stats.rankdata(truth), stats.rankdata(predicted)),
        kendall=kendall,
        pearson=_correlation(truth, predicted),
        mae=float(np.mean(np.abs(errors))),
        rmse=float(np.sqrt(np.mean(errors**2))),
        r2=np.nan if np.ptp(truth) == 0 else 1.0 - float(np.sum(errors**2)) / spread,
    )


def _correlation(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Return Pearson's correlation, NaN where a side is constant, never beyond 1 by rounding."""
    if np.ptp(left) == 0 or np.ptp(right) == 0:
        return float("nan")
    left, right = left - left.mean(), right - right.mean()
    # unit vectors first: squares of values near the limits of the floats would vanish or overflow
    left, right = left / np.abs(left).max(), right / np.abs(right).max()
    value = float(left @ right / (np.linalg.norm(left) * np.linalg.norm(right)))
    return min(1.0, max(-1.0, value))
