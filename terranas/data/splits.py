"""Splits drawn by class, for sources that come without any."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def stratified_splits(
    labels: NDArray[np.int64], shares: Mapping[str, float], rng: np.random.Generator
) -> dict[str, NDArray[np.int64]]:
    """Draw disjoint splits in which every class has its share, to within one image.

    Args:
        labels: labels of all images, shape (n,).
        shares: share of each split; together at most 1. Images beyond the shares belong to no split.
        rng: randomness of the draw.

    Returns:
        The ascending indices of each split's images.
    """
    parts: dict[str, list[NDArray[np.int64]]] = {name: [] for name in shares}
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        bounds = _bounds(len(members), shares)
        for name, begin, end in zip(shares, bounds, bounds[1:], strict=False):
            parts[name].append(members[begin:end])
    return {name: np.sort(np.concatenate(part)) if part else np.empty(0, np.int64) for name, part in parts.items()}


def split_sizes(class_sizes: Sequence[int], shares: Mapping[str, float]) -> dict[str, int]:
    """Return how many images :func:`stratified_splits` puts into each split, given the images of each class."""
    bounds = np.array([_bounds(size, shares) for size in class_sizes]).reshape(-1, len(shares) + 1)
    return dict(zip(shares, np.diff(bounds, axis=1).sum(axis=0).tolist(), strict=True))


def _bounds(size: int, shares: Mapping[str, float]) -> NDArray[np.int64]:
    return np.asarray(np.rint(np.cumsum([0.0, *shares.values()]) * size), dtype=np.int64)
