"""Many pruned cells as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.space.cell import MAX_VERTICES, OPERATIONS

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
        """Return the cells of a table with the columns num_vertices, adjacency and operations, in its order."""
        batch = cls.empty(len(cells))
        batch.num_vertices[:] = cells["num_vertices"]
        codes = {name: label for label, name in enumerate(OPERATIONS)}
        names = cells["operations"].to_numpy(dtype=object)
        labels = {text: [codes[name] for name in text.split(",")[1:-1]] for text in set(names.tolist())}
        digits = cells["adjacency"].to_numpy(dtype=object)
        for vertices, rows in batch.groups():
            joined = "".join(digits[rows]).encode("ascii")
            matrices = np.frombuffer(joined, dtype=np.uint8).reshape(-1, vertices, vertices) - ord("0")
            batch.adjacency[rows, :vertices, :vertices] = matrices
            batch.labels[rows, : vertices - 2] = [labels[text] for text in names[rows]]
        return batch

    def groups(self) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Yield each number of vertices that occurs, ascending, with the rows of its cells."""
        for vertices in np.unique(self.num_vertices).tolist():
            yield vertices, np.flatnonzero(self.num_vertices == vertices)

    def __getitem__(self, rows: NDArray[np.int64]) -> CellBatch:
        """Return the cells of some rows, in that order."""
        return CellBatch(self.adjacency[rows], self.labels[rows], self.num_vertices[rows])
