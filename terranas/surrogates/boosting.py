"""Gradient-boosted trees (XGBoost; Chen and Guestrin, KDD 2016)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xgboost
from numpy.typing import NDArray

from terranas.surrogates.regressors import Parameter


@dataclass(frozen=True)
class BoostedTrees:
    """Fitted trees of a standardised target."""

    booster: xgboost.Booster

    @classmethod
    def of_json(cls, model: bytes) -> "BoostedTrees":
        """Return trees in XGBoost's JSON, which :mod:`terranas.surrogates.tree_check` has checked.

        Raises:
            ValueError: XGBoost does not read them.
        """
        # the number of threads is not stored with the trees; predictions are the same with any
        return cls(xgboost.Booster({"nthread": 1}, model_file=bytearray(model)))

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return predictions, shape (n,), for features of shape (n, d)."""
        return np.asarray(self.booster.inplace_predict(features), dtype=np.float64)


def fit_trees(
    features: NDArray[np.float32], targets: NDArray[np.float64], parameters: Mapping[str, Parameter], *, seed: int
) -> BoostedTrees:
    """Fit boosted trees on one thread.

    Without subsampling of rows or columns there is no randomness; with it, the seed decides.

    Args:
        features: shape (n, d).
        targets: standardised targets, shape (n,). XGBoost refuses splits that gain less than 1e-6, whatever the unit,
            and computes in 32 bits: standardised targets make the fit the same for accuracies, seconds and
            multiply-accumulates.
        parameters: of ``xgboost.XGBRegressor``, ``n_estimators`` among them.
        seed: of the subsampling.

    Raises:
        ValueError: XGBoost does not take a parameter's value.
    """
    rest = {name: value for name, value in parameters.items() if name != "n_estimators"}
    ours = {"base_score": 0.0, "tree_method": "hist", "nthread": 1, "seed": seed % 2**31}
    matrix = xgboost.DMatrix(features, label=targets, nthread=1)
    booster = xgboost.train(
        {"objective": "reg:squarederror", **rest, **ours}, matrix, num_boost_round=int(parameters["n_estimators"])
    )
    return BoostedTrees(booster)
