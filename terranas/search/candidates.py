"""The architectures that a search may still ask for."""

import numpy as np
from numpy.typing import NDArray

from terranas.space.searchable import SearchableSpace

_ATTEMPTS = 100


class Candidates:
    """Available architectures that were not given out yet; each is given out once.

    Evaluating an architecture again tells nothing new, so a method that takes all its rows from here asks for new ones
    only, and ends when there are none. All methods draw from here at random, by their own generator.
    """

    def __init__(self, space: SearchableSpace, available: NDArray[np.int64], rng: np.random.Generator) -> None:
        """Take what can be evaluated.

        Args:
            space: the search space.
            available: its rows that can be evaluated, different ones.
            rng: source of all draws.
        """
        self._space = space
        self._rng = rng
        self._order = rng.permutation(available)
        self._next = 0
        self._open = np.zeros(len(space.names), dtype=np.bool_)
        self._open[available] = True
        self._left = len(available)

    def __len__(self) -> int:
        return self._left

    def are_open(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which rows are available and were not given out, shape (k,)."""
        return self._open[rows]

    def take(self, rows: NDArray[np.int64]) -> None:
        """Give out rows, different ones that were not given out before."""
        self._open[rows] = False
        self._left -= len(rows)

    def draw(self, count: int) -> NDArray[np.int64]:
        """Give out rows at random, uniformly; fewer where fewer are left."""
        found: list[int] = []
        while len(found) < count and self._next < len(self._order):
            stretch = self._order[self._next : self._next + count - len(found)]
            self._next += len(stretch)
            found.extend(stretch[self._open[stretch]].tolist())
        rows = np.array(found, dtype=np.int64)
        self.take(rows)
        return rows

    def sample(self, count: int) -> NDArray[np.int64]:
        """Return about that many rows at random, ascending, without giving them out.

        Rows given out before are left out, and so are repeated draws: the fewer are left, the fewer these are. Where
        no more than ``count`` are left, they are all there.
        """
        if self._left <= count:
            return np.flatnonzero(self._open)
        drawn = self._order[self._rng.integers(len(self._order), size=count)]
        return np.unique(drawn[self._open[drawn]])

    def mutant_of(self, row: int) -> int:
        """Give out a mutant of a row.

        Where a mutant was given out before or is not available, the next one is made either of the row again or of that
        mutant, so that the search moves on where the neighbourhood is known. After 100 attempts it is a random row.

        Raises:
            IndexError: none is left.
        """
        parent = row
        for _ in range(_ATTEMPTS):
            mutant = self._space.mutate(parent, self._rng)
            if self._open[mutant]:
                self.take(np.array([mutant], dtype=np.int64))
                return mutant
            parent = row if self._rng.random() < 0.5 else mutant
        return int(self.draw(1)[0])
