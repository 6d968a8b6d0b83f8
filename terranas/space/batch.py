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
            CellError: the columns of a row do not fit together or describe no graph of a cell. Whether all vertices
                lie on paths is left to :meth:`are_cells`.
        """
        batch = cls.empty(len(cells))
        batch.num_vertices[:] = _numbers(cells["num_vertices"])
        coded = _strings(cells["operations"]).dictionary_encode()
        labels, counts = _parsed_operations(coded.dictionary.to_pylist())
        which = coded.indices.to_numpy()
        digits = _strings(cells["adjacency"])
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
            entries = text[starts[rows, None] + np.arange(vertices**2)] - ord("0")
            # below the diagonal and on it an edge would close a cycle
            largest = np.triu(np.ones((vertices, vertices), dtype=np.uint8), 1).ravel()
            if (entries.max(axis=0, initial=0) > largest).any():
                row = int(rows[(entries > largest).any(axis=1)][0])
                raise CellError(
                    "An adjacency string has a digit 0 or 1 for each entry of a matrix, row by row, with 1 above the "
                    f"diagonal only; row {row} has '{digits[row]}'."
                )
            batch.adjacency[rows, :vertices, :vertices] = entries.reshape(-1, vertices, vertices)
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


def _strings(column: pd.Series) -> pyarrow.LargeStringArray:
    """Return a column as strings, one in every row."""
    try:
        array = arrow_strings(column)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as error:
        raise CellError(f"The column {column.name} must hold strings ({error}).") from error
    if array.null_count:
        row = int(np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False))[0])
        raise CellError(f"The column {column.name} must hold a string in every row; row {row} has none.")
    return array


def _numbers(column: pd.Series) -> NDArray[np.int64]:
    """Return a column as whole numbers, one in every row."""
    if not pd.api.types.is_integer_dtype(column) or column.hasnans:
        raise CellError(
            f"The column {column.name} must hold a whole number in every row, got the type {column.dtype}"
            f"{' with gaps' if column.hasnans else ''}."
        )
    return column.to_numpy(dtype=np.int64)


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
        if names[0] != INPUT or names[-1] != OUTPUT:
            raise CellError(f"The operations of a cell lead from '{INPUT}' to '{OUTPUT}', got '{text}'.")
        try:
            labels[row, : len(names) - 2] = [codes[name] for name in names[1:-1]]
        except (KeyError, ValueError) as error:
            raise CellError(f"'{text}' are no operations of a cell.") from error
    return labels, counts
