"""Gradient-boosted trees (XGBoost; Chen and Guestrin, KDD 2016) as a surrogate of one objective."""

from dataclasses import dataclass

import numpy as np
import xgboost
from numpy.typing import NDArray


@dataclass(frozen=True)
class BoostingSettings:
    """Parameters of the trees, named as XGBoost names them.

    Attributes:
        n_estimators: number of trees.
        max_depth: depth of a tree.
        learning_rate: shrinkage of each tree.
    """

    n_estimators: int
    max_depth: int
    learning_rate: float


@dataclass(frozen=True)
class Surrogate:
    """A fitted predictor of one objective; made by :func:`fit_surrogate`."""

    booster: xgboost.Booster
    centre: float
    scale: float

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return predictions in the objective's unit, shape (n,), for features of shape (n, d)."""
        standard = np.asarray(self.booster.inplace_predict(features), dtype=np.float64)
        return self.centre + self.scale * standard


def fit_surrogate(features: NDArray[np.float32], targets: NDArray[np.float64], settings: BoostingSettings) -> Surrogate:
    """Fit boosted trees by squared error.

    Without subsampling of rows or columns and on one thread there is no randomness: equal input gives equal bits.

    Args:
        features: encoded architectures, shape (n, d).
        targets: values of the objective, shape (n,), all finite.
        settings: parameters of the trees.
    """
    # XGBoost refuses splits that gain less than 1e-6, whatever the unit, and computes in 32 bits: standardised
    # targets make the fit the same for accuracies, seconds and multiply-accumulates
    centre = float(np.mean(targets))
    scale = float(np.std(targets)) or 1.0
    matrix = xgboost.DMatrix(features, label=(targets - centre) / scale, nthread=1)
    booster = xgboost.train(
        {
            "objective": "reg:squarederror",
            "base_score": 0.0,
            "tree_method": "hist",
            "nthread": 1,
            "max_depth": settings.max_depth,
            "learning_rate": settings.learning_rate,
        },
        matrix,
        num_boost_round=settings.n_estimators,
    )
    return Surrogate(booster, centre, scale)
