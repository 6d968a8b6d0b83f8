"""The search space of NAS-Bench-201 (Dong and Yang, ICLR 2020).

A cell has four vertices and an operation on each of the six edges between them. In the published notation
``|a~0|+|b~0|c~1|+|d~0|e~1|f~2|`` each group lists the edges into a vertex. All 5^6 choices are different architectures
here, even where their networks compute the same.
"""

import itertools
import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from terranas.core.errors import DataError
from terranas.space.neighbours import NeighbourGraph

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""Source and target of the edges, in the order of the text."""

SPACE_SIZE: int = len(OPERATIONS) ** len(EDGES)

_EDGE = r"\|({})~{}"
NOTATION = re.compile(
    r"\|\+".join(
        "".join(_EDGE.format("|".join(OPERATIONS), start) for start in range(vertex)) for vertex in range(1, 4)
    )
    + r"\|"
)
NOTATION_HINT = f"|op~0|+|op~0|op~1|+|op~0|op~1|op~2| with the operations {', '.join(OPERATIONS)}"

# edges of each way from input to output
_PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))
_WEIGHTS = len(OPERATIONS) ** np.arange(len(EDGES), dtype=np.int64)


def parse_cells(architectures: Sequence[str]) -> NDArray[np.int64]:
    """Return the operations of cells as positions in :data:`OPERATIONS`, shape (n, 6), edges in the order of the text.

    Raises:
        DataError: a text is no cell.
    """
    labels = np.empty((len(architectures), len(EDGES)), dtype=np.int64)
    for row, text in enumerate(architectures):
        match = NOTATION.fullmatch(text)
        if match is None:
            raise DataError(f"{text[:120]!r} is no cell of NAS-Bench-201; expected {NOTATION_HINT}.")
        labels[row] = [OPERATIONS.index(name) for name in match.groups()]
    return labels


def has_path(open_edges: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which cells of four vertices connect their input with their output, shape (n,).

    Args:
        open_edges: whether an edge passes anything on, shape (n, 6), in the order of :data:`EDGES`.
    """
    return np.asarray(_open_paths(open_edges).any(axis=1))


def _open_paths(open_edges: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which ways from input to output are open, shape (n, 4)."""
    return np.column_stack([open_edges[:, edges].all(axis=1) for edges in _PATHS])


class NasBench201Space:
    """All 15,625 cells of NAS-Bench-201; names are the texts, and rows ascend by them."""

    key = "architecture"
    encodings = ("one_hot",)

    def __init__(self) -> None:
        labels = np.array(list(itertools.product(range(len(OPERATIONS)), repeat=len(EDGES))), dtype=np.int64)
        texts = [_as_text(cell) for cell in labels.tolist()]
        order = sorted(range(SPACE_SIZE), key=texts.__getitem__)
        self.names: Sequence[str] = [texts[place] for place in order]
        self._labels = labels[order]
        self._codes = self._labels @ _WEIGHTS
        self._row_of = np.empty(SPACE_SIZE, dtype=np.int64)
        self._row_of[self._codes] = np.arange(SPACE_SIZE)
        is_operation = self._labels[:, :, None] == np.arange(len(OPERATIONS))
        self._one_hot: NDArray[np.float32] = is_operation.reshape(SPACE_SIZE, -1).astype(np.float32)
        self._one_hot.flags.writeable = False

    def __len__(self) -> int:
        return SPACE_SIZE

    @cached_property
    def graph(self) -> NeighbourGraph:
        """Neighbours differ in one operation: 24 of every cell, undirected."""
        changes = np.arange(1, len(OPERATIONS))
        # each operation moves on by one to four places, cyclically
        moved = (self._labels[:, :, None] + changes) % len(OPERATIONS) - self._labels[:, :, None]
        codes = self._codes[:, None] + (moved * _WEIGHTS[:, None]).reshape(SPACE_SIZE, -1)
        neighbours = np.sort(self._row_of[codes], axis=1)
        starts = np.arange(0, neighbours.size + 1, neighbours.shape[1], dtype=np.int64)
        return NeighbourGraph(starts, neighbours.ravel().astype(np.int32))

    def encode(self, encoding: str) -> NDArray[np.float32]:
        """Return all cells as vectors, shape (15625, d).

        Args:
            encoding: ``one_hot`` (d = 30): for each edge in the order of :data:`EDGES`, which of :data:`OPERATIONS` it
                carries.

        Raises:
            ValueError: there is no such encoding.
        """
        if encoding not in self.encodings:
            raise ValueError(
                f"encoding of NAS-Bench-201 cells must be one of {', '.join(self.encodings)}, got '{encoding}'"
            )
        return self._one_hot

    def distances(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return in how many of the six operations each two cells differ, shape (k, k)."""
        labels = self._labels[rows]
        differ: NDArray[np.int64] = (labels[:, None] != labels).sum(axis=2, dtype=np.int64)
        return differ

    def outline(self) -> NDArray[np.float64]:
        """Return the number of each operation but ``none``, and of open ways to the output, shape (15625, 5)."""
        counts = [(self._labels == label).sum(axis=1) for label in range(1, len(OPERATIONS))]
        paths = _open_paths(self._labels != OPERATIONS.index("none")).sum(axis=1)
        return np.column_stack([*counts, paths]).astype(np.float64)

    def mutate(self, row: int, rng: np.random.Generator) -> int:
        """Return a cell with one operation changed: each of the 24 neighbours is equally likely.

        Raises:
            IndexError: there is no such row.
        """
        _require_rows(row)
        edge, change = divmod(int(rng.integers(len(EDGES) * (len(OPERATIONS) - 1))), len(OPERATIONS) - 1)
        label = int(self._labels[row, edge])
        moved = (label + change + 1) % len(OPERATIONS) - label
        return int(self._row_of[self._codes[row] + moved * _WEIGHTS[edge]])

    def crossover(self, first: int, second: int, rng: np.random.Generator) -> int:
        """Return a cell that has each operation from either parent, equally likely (uniform crossover).

        Draws that give a parent again do not count. Parents that differ in fewer than two operations have no third cell
        between them: then it is a mutant of either.

        Raises:
            IndexError: there is no such row.
        """
        _require_rows(first, second)
        apart = np.flatnonzero(self._labels[first] != self._labels[second])
        if len(apart) < 2:
            return self.mutate(first if rng.random() < 0.5 else second, rng)
        # numbers that stand for some, but not all, of the operations that differ
        chosen = int(rng.integers(1, 2 ** len(apart) - 1))
        taken = apart[(chosen >> np.arange(len(apart))) & 1 == 1]
        moved = self._labels[second, taken] - self._labels[first, taken]
        return int(self._row_of[self._codes[first] + moved @ _WEIGHTS[taken]])


def _as_text(labels: Sequence[int]) -> str:
    """Return the published notation of a cell."""
    parts = [f"{OPERATIONS[label]}~{source}" for label, (source, _) in zip(labels, EDGES, strict=True)]
    groups = (parts[:1], parts[1:3], parts[3:])
    return "+".join(f"|{'|'.join(group)}|" for group in groups)


def _require_rows(*rows: int) -> None:
    for row in rows:
        if not 0 <= row < SPACE_SIZE:
            raise IndexError(f"NAS-Bench-201 has the rows 0 to {SPACE_SIZE - 1}, got {row}")
