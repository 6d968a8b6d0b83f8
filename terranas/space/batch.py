"""Many pruned cells as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow
from numpy.typing import NDArray

from terranas.core.errors import CellError
from terranas.space.cell import INPUT, MAX_EDGES, MAX_VERTICES, OPERATIONS, OUTPUT

MAX_INNER = MAX_VERTICES - 2


@dataclass(frozen=True)
class CellBatch:
    """Pruned cells, each in the upper left corner of its arrays.

    Attributes:
        adjacency: shape (cells, 7, 7), zero beyond a cell's vertices.
        labels: positions of the inner vertices' operations in ``OPERATIONS``, shape (cells, 5), -1 where there is none.
        num_vertices: shape (cells,).
    """

    adjacency: NDArray[np.uint8]
    labels: NDArray[np.int8]
    num_vertices: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.num_vertices)

    @classmethod
    def empty(cls, cells: int) -> CellBatch:
        """Return a batch with room for so many cells."""
        return cls(
            np.zeros((cells, MAX_VERTICES, MAX_VERTICES), dtype=np.uint8),
            np.full((cells, MAX_INNER), -1, dtype=np.int8),
            np.zeros(cells, dtype=np.int64),
        )

    @classmethod
    def from_table(cls, cells: pd.DataFrame) -> CellBatch:
        """Return the cells of a table with the columns num_vertices, adjacency and operations, in its order.

        Raises:
            CellError: the columns of a row do not fit together.
        """
        batch = cls.empty(len(cells))
        batch.num_vertices[:] = cells["num_vertices"]
        coded = arrow_strings(cells["operations"]).dictionary_encode()
        labels, counts = _parsed_operations(coded.dictionary.to_pylist())
        which = coded.indices.to_numpy()
        digits = arrow_strings(cells["adjacency"])
        starts, text = string_buffers(digits)
        wrong = (np.diff(starts) != batch.num_vertices**2) | (counts[which] != batch.num_vertices)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise CellError(
                f"A cell of {batch.num_vertices[row]} vertices needs as many operations and an adjacency string of "
                f"{batch.num_vertices[row] ** 2} digits; row {row} has '{coded.dictionary[which[row]]}' and "
                f"'{digits[row]}'."
            )
        batch.labels[:] = labels[which]
        for vertices, rows in batch.groups():
            entries = text[starts[rows, None] + np.arange(vertices**2)]
            batch.adjacency[rows, :vertices, :vertices] = (entries - ord("0")).reshape(-1, vertices, vertices)
        return batch

    def to_strings(self) -> tuple[list[str], list[str]]:
        """Return adjacency and operations of each cell as :class:`terranas.space.cell.Cell` writes them."""
        adjacency = np.empty(len(self), dtype=object)
        operations = np.empty(len(self), dtype=object)
        for vertices, rows in self.groups():
            digits = self.adjacency[rows, :vertices, :vertices].reshape(len(rows), -1) + ord("0")
            adjacency[rows] = digits.astype(np.uint8).view(f"S{vertices**2}")[:, 0].astype("U").tolist()
            names = [[OPERATIONS[label] for label in cell] for cell in self.labels[rows, : vertices - 2].tolist()]
            operations[rows] = [",".join((INPUT, *cell, OUTPUT)) for cell in names]
        return adjacency.tolist(), operations.tolist()

    def are_cells(self) -> NDArray[np.bool_]:
        """Return whether each graph is a pruned cell, shape (cells,); one of arrays from outside may not be."""
        place, last = np.arange(MAX_VERTICES), self.num_vertices[:, None] - 1
        # without cycles, an edge in and one out are enough: following them ends at the input and at the output
        fed = self.adjacency.any(axis=1) == ((place > 0) & (place <= last))
        feeding = self.adjacency.any(axis=2) == (place < last)
        labelled = (self.labels >= 0) == (place[:MAX_INNER] < last - 1)
        edges = self.adjacency.sum(axis=(1, 2), dtype=np.int64)
        return np.asarray((fed & feeding).all(axis=1) & labelled.all(axis=1) & (edges <= MAX_EDGES))

    def groups(self) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Yield each number of vertices that occurs, ascending, with the rows of its cells."""
        for vertices in np.unique(self.num_vertices).tolist():
            yield vertices, np.flatnonzero(self.num_vertices == vertices)

    def __getitem__(self, rows: NDArray[np.int64]) -> CellBatch:
        """Return the cells of some rows, in that order."""
        return CellBatch(self.adjacency[rows], self.labels[rows], self.num_vertices[rows])


def arrow_strings(column: pd.Series) -> pyarrow.LargeStringArray:
    """Return a column of strings as one arrow array; free where the column is stored as such."""
    array = pyarrow.array(column, type=pyarrow.large_string())
    return array.combine_chunks() if isinstance(array, pyarrow.ChunkedArray) else array


def string_buffers(array: pyarrow.LargeStringArray) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return where each string begins (and the last one ends), shape (strings + 1,), and the bytes of all."""
    _, offsets, text = array.buffers()
    if offsets is None or not len(array):
        return np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.uint8)
    starts = np.frombuffer(offsets, dtype=np.int64, count=len(array) + 1, offset=8 * array.offset)
    return starts, np.frombuffer(text, dtype=np.uint8)


def _parsed_operations(texts: list[str]) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Return the labels of each comma-separated list of operations, shape (texts, 5), and how many it names."""
    codes = {name: label for label, name in enumerate(OPERATIONS)}
    labels = np.full((len(texts), MAX_INNER), -1, dtype=np.int8)
    counts = np.zeros(len(texts), dtype=np.int64)
    for row, text in enumerate(texts):
        names = text.split(",")
        counts[row] = len(names)
        try:
            labels[row, : len(names) - 2] = [codes[name] for name in names[1:-1]]
        except (KeyError, ValueError) as error:
            raise CellError(f"'{text}' are no operations of a cell.") from error
    return labels, counts
