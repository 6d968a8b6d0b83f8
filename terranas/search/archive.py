"""Archives of the non-dominated architectures met so far."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Protocol

import numba as nb
import numpy as np
from numpy.typing import NDArray


class ParetoArchive(Protocol):
    """Non-dominated architectures under minimised objectives; architectures with equal objectives are all kept."""

    def __contains__(self, architecture: int) -> bool:
        """Return whether an architecture is in the archive."""

    def __len__(self) -> int:
        """Return the number of architectures in the archive."""

    @property
    def members(self) -> list[int]:
        """The architectures in the archive, ascending."""

    def add(self, architecture: int, point: Sequence[float]) -> bool:
        """Insert an architecture unless the archive dominates it; drop those it dominates.

        Args:
            architecture: any integer that is not in the archive yet.
            point: its objectives, smaller is better; one that is not known (NaN) keeps it out.

        Returns:
            Whether the architecture entered.
        """


def pareto_archive(objectives: int) -> ParetoArchive:
    """Return an empty archive for a number of objectives.

    Raises:
        ValueError: there are fewer than two objectives.
    """
    if objectives < 2:
        raise ValueError(f"an archive needs two or more objectives, got {objectives}")
    return StaircaseArchive() if objectives == 2 else ListArchive(objectives)


class StaircaseArchive:
    """Archive for two objectives.

    The distinct points form a staircase: sorted by the first objective their second strictly descends, so an insertion
    is a binary search and a look at its right.
    """

    def __init__(self) -> None:
        self._first: list[float] = []
        self._second: list[float] = []
        self._at_point: list[list[int]] = []
        self._members: set[int] = set()

    def __contains__(self, architecture: int) -> bool:
        return architecture in self._members

    def __len__(self) -> int:
        return len(self._members)

    @property
    def members(self) -> list[int]:
        """The architectures in the archive, ascending."""
        return sorted(self._members)

    def add(self, architecture: int, point: Sequence[float]) -> bool:
        """Insert an architecture unless the archive dominates it; see :class:`ParetoArchive`."""
        first, second = point
        if first != first or second != second:  # NaN
            return False
        place = bisect_left(self._first, first)
        # of the points with a smaller first objective, the last has the smallest second
        if place and self._second[place - 1] <= second:
            return False
        if place < len(self._first) and self._first[place] == first:
            if self._second[place] < second:
                return False
            if self._second[place] == second:
                self._at_point[place].append(architecture)
                self._members.add(architecture)
                return True
        end = place
        while end < len(self._first) and self._second[end] >= second:
            self._members.difference_update(self._at_point[end])
            end += 1
        self._first[place:end] = [first]
        self._second[place:end] = [second]
        self._at_point[place:end] = [[architecture]]
        self._members.add(architecture)
        return True


class ListArchive:
    """Archive for any number of objectives: one compiled pass over the members for an insertion."""

    def __init__(self, objectives: int) -> None:
        self._points = np.empty((64, objectives))
        self._rows = np.empty(64, dtype=np.int64)
        self._members: set[int] = set()

    def __contains__(self, architecture: int) -> bool:
        return architecture in self._members

    def __len__(self) -> int:
        return len(self._members)

    @property
    def members(self) -> list[int]:
        """The architectures in the archive, ascending."""
        return sorted(self._members)

    def add(self, architecture: int, point: Sequence[float]) -> bool:
        """Insert an architecture unless the archive dominates it; see :class:`ParetoArchive`."""
        size = len(self._members)
        left = _without_dominated(self._points, self._rows, size, np.asarray(point, dtype=np.float64))
        if left < 0:
            return False
        # the rows behind those left are the dominated ones
        self._members.difference_update(self._rows[left:size].tolist())
        if left == len(self._rows):
            self._points = np.concatenate([self._points, np.empty_like(self._points)])
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        self._points[left] = point
        self._rows[left] = architecture
        self._members.add(architecture)
        return True


@nb.njit(cache=True)
def _without_dominated(
    points: NDArray[np.float64], rows: NDArray[np.int64], size: int, point: NDArray[np.float64]
) -> int:
    """Move members that a point dominates to the end and return how many are left; -1 where it may not enter."""
    for value in point:
        if np.isnan(value):
            return -1
    left = size
    place = 0
    while place < left:
        better = worse = False
        for column in range(len(point)):
            if points[place, column] < point[column]:
                better = True
            elif points[place, column] > point[column]:
                worse = True
        if better and not worse:
            return -1  # nothing was moved: no member dominates what dominates another
        if worse and not better:
            left -= 1
            rows[place], rows[left] = rows[left], rows[place]
            for column in range(len(point)):
                points[place, column], points[left, column] = points[left, column], points[place, column]
        else:
            place += 1
    return left
