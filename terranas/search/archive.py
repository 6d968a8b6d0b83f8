"""Archive of the non-dominated architectures met so far, for two objectives."""

from bisect import bisect_left


class ParetoArchive:
    """Non-dominated architectures under two minimised objectives.

    Architectures with equal objectives are all kept. The distinct points form a staircase: sorted by the first
    objective their second strictly descends, so an insertion is a binary search and a look at its right.
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

    def add(self, architecture: int, first: float, second: float) -> bool:
        """Insert an architecture unless the archive dominates it; drop those it dominates.

        Args:
            architecture: any integer that is not in the archive yet.
            first: first objective, smaller is better; not NaN.
            second: second objective, likewise.

        Returns:
            Whether the architecture entered.
        """
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
