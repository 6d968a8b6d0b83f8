"""Data that the surrogates' tests share."""

import numpy as np

OBJECTIVES = ("validation_micro_accuracy", "macs")


def linear_problem(count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Binary features and two linear functions of them, one of the size of accuracies, one of MACs."""
    rng = np.random.default_rng(0)
    features = rng.integers(0, 2, size=(count, 12)).astype(np.float32)
    accuracy = 0.5 + features @ np.linspace(0.001, 0.02, 12)
    macs = 1e9 + features @ np.geomspace(1e6, 1e9, 12)
    return features, np.column_stack([accuracy, macs])
