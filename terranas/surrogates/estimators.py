"""Regressors of scikit-learn as models of a standardised target: one thread, in blocks, deterministic by seed."""

import inspect
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from threadpoolctl import threadpool_limits

from terranas.surrogates.regressors import Parameter, Regressor

_BLOCK = 8192
"""Rows predicted at once: a Gaussian process holds a number for each of them and each training architecture."""

KERNEL_ROWS = 500
"""Training architectures, at most, that the parameters of a Gaussian process's kernel are found on."""


@dataclass(frozen=True)
class Estimator:
    """A fitted regressor of scikit-learn, and how its features are standardised (zeros and ones: not at all)."""

    fitted: Any
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return predictions, shape (n,), for features of shape (n, d)."""
        result = np.empty(len(features))
        with threadpool_limits(1):
            for start in range(0, len(features), _BLOCK):
                rows = slice(start, start + _BLOCK)
                result[rows] = np.ravel(self.fitted.predict((features[rows] - self.centre) / self.scale))
        return result


def fit_estimator(
    regressor: Regressor,
    features: NDArray[np.float32],
    targets: NDArray[np.float64],
    parameters: Mapping[str, Parameter],
    *,
    seed: int,
) -> Estimator:
    """Fit a regressor of scikit-learn.

    A Gaussian process has a Matern kernel (5/2, one length) with a factor and noise. Its parameters maximise the
    marginal likelihood of at most :data:`KERNEL_ROWS` random rows; the process itself is fitted to all (cubic in their
    number).

    Args:
        regressor: which.
        features: shape (n, d).
        targets: standardised targets, shape (n,).
        parameters: of its constructor.
        seed: of its randomness.

    Raises:
        ValueError: it does not take a parameter's value, or so few rows.
    """
    made = regressor.load()
    given: dict[str, Any] = dict(parameters)
    neighbours = given.get("n_neighbors", 5)
    if regressor.class_name == "KNeighborsRegressor" and int(neighbours) > len(features):
        raise ValueError(f"{neighbours} neighbours are asked for")
    if "random_state" in inspect.signature(made).parameters:
        given["random_state"] = seed % 2**32
    centre, scale = np.zeros(features.shape[1]), np.ones(features.shape[1])
    if regressor.scales_features and not np.isin(features, (0, 1)).all():
        centre = features.mean(axis=0, dtype=np.float64)
        scale = features.std(axis=0, dtype=np.float64)
        scale[np.ptp(features, axis=0) == 0] = 1.0
    scaled = (features - centre) / scale
    if not targets.any():  # constant targets, which a perceptron would meet only roughly
        made, given = DummyRegressor, {}
    with threadpool_limits(1), warnings.catch_warnings():
        # a perceptron that stops at max_iter, or a kernel at its bounds, is still a surrogate; its scores tell
        warnings.simplefilter("ignore", ConvergenceWarning)
        if made.__name__ == "GaussianProcessRegressor":
            given |= {"kernel": _kernel(made, scaled, targets, given, seed), "optimizer": None}
        return Estimator(made(**given).fit(scaled, targets), centre, scale)


def _kernel(made: Any, features: NDArray[np.float64], targets: NDArray[np.float64], parameters: Any, seed: int) -> Any:
    """Return the kernel with the parameters that suit some of the rows best."""
    kernel = ConstantKernel(1.0, (1e-2, 1e3)) * Matern(features.shape[1] ** 0.5, (1e-1, 1e3), nu=2.5) + WhiteKernel(
        0.1, (1e-6, 1e1)
    )
    rows = np.random.Generator(np.random.PCG64(seed)).permutation(len(features))[:KERNEL_ROWS]
    return made(**parameters, kernel=kernel).fit(features[rows], targets[rows]).kernel_
