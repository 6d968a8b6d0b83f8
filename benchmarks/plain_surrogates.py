"""Prediction and fronts once more in plain Python: one architecture at a time.

The references that ``surrogates.py`` compares speeds with; that program fails where results differ.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, ...]


def predictions(
    predict: Callable[[NDArray[np.float32]], NDArray[np.float64]], features: NDArray[np.float32]
) -> list[float]:
    """Return the prediction of each row, asked for one at a time."""
    return [float(predict(row[None, :])[0]) for row in features]


def front(points: list[Point]) -> list[int]:
    """Return the positions of the points that no other dominates, where smaller is better; equal ones are all kept."""
    kept: list[int] = []
    for position, point in enumerate(points):
        if any(_dominates(points[other], point) for other in kept):
            continue
        kept = [other for other in kept if not _dominates(point, points[other])]
        kept.append(position)
    return kept


def _dominates(one: Point, other: Point) -> bool:
    return one != other and all(x <= y for x, y in zip(one, other, strict=True))
