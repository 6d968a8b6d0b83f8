"""The table of all cells, as importers of tables over NAS-Bench-101's cells look into it."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.schema import METRICS
from terranas.core.errors import CellError, DataError
from terranas.space.batch import CellBatch
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape, complexity_of

SPACE = "NAS-Bench-101"
SPACE_SIZE = 423_624
"""Cells of the whole search space."""

CELL_COLUMNS = ("id", "hash", "num_vertices", "adjacency", "operations")
"""What a :class:`SpaceIndex` takes of the table of cells."""

_AT_ONCE = 1 << 16  # cells whose arrays are in memory together


class SpaceIndex:
    """Rows of the table of cells by their hash."""

    def __init__(self, cells: pd.DataFrame) -> None:
        """Index a table with the columns ``CELL_COLUMNS``, ascending by hash."""
        self._cells = cells[["hash", "id", "num_vertices"]]
        self._row_of: dict[str, int] = {name: row for row, name in enumerate(cells["hash"].tolist())}
        # some thousand of the strings differ, so a row keeps their numbers
        self._adjacency, self._matrices = _numbered(cells["adjacency"])
        self._operations, self._lists = _numbered(cells["operations"])
        self._number_of = {text: number for texts in (self._matrices, self._lists) for number, text in enumerate(texts)}

    def __len__(self) -> int:
        return len(self._cells)

    @property
    def ids(self) -> NDArray[np.float64]:
        """Id of the cell of each row, NaN where the table covers a smaller space."""
        return self._cells["id"].to_numpy(dtype=np.float64, na_value=np.nan)

    def row(self, architecture: str) -> int | None:
        """Return the row of a cell, None where the space does not hold it."""
        return self._row_of.get(architecture)

    def is_published_drawing(self, row: int, adjacency: str, operations: str) -> bool:
        """Return whether a graph has the very matrix and operations of the space's table."""
        matrix, names = self._number_of.get(adjacency), self._number_of.get(operations)
        return matrix == self._adjacency[row] and names == self._operations[row]

    def require_graph(self, row: int, adjacency: str, operations: str) -> None:
        """Check that a graph, drawn in whatever way, is the cell of a row.

        Raises:
            ValueError: it is no valid cell, or another one.
        """
        if self.is_published_drawing(row, adjacency, operations):
            return
        try:
            found = Cell.from_strings(adjacency, operations).hash
        except CellError as error:
            raise ValueError(f"its graph is no valid cell ({error})") from error
        named = self._cells["hash"].iloc[row]
        if found != named:
            raise ValueError(f"its graph has the hash {found}, expected {named}")

    def cells(self, rows: NDArray[np.integer[Any]]) -> pd.DataFrame:
        """Return rows of the table of cells: hash, id, num_vertices, adjacency and operations."""
        part = self._cells.take(rows)
        return part.assign(
            adjacency=self._matrices[np.asarray(self._adjacency)[rows]],
            operations=self._lists[np.asarray(self._operations)[rows]],
        )

    def complexity(
        self, rows: NDArray[np.integer[Any]], shape: NetworkShape
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return parameters and MACs of the cells of some rows in a network of the given shape, by the closed form."""
        used, position = np.unique(rows, return_inverse=True)
        parameters, macs = np.empty(len(used)), np.empty(len(used))
        for start in range(0, len(used), _AT_ONCE):
            piece = slice(start, start + _AT_ONCE)
            parameters[piece], macs[piece] = complexity_of(CellBatch.from_table(self.cells(used[piece])), shape)
        return parameters[position], macs[position]

    def table(
        self,
        rows: NDArray[np.integer[Any]],
        epochs: NDArray[np.integer[Any]],
        repeats: NDArray[np.integer[Any]],
        metrics: Mapping[str, NDArray[np.float64]],
        *,
        dataset: str,
        source: str,
        device: str = "",
    ) -> pd.DataFrame:
        """Return rows of the schema ``BENCHMARK``; metrics that are not given are not known.

        Args:
            rows: rows of the table of cells, ascending, and within a cell ascending by epochs and repeat.
            epochs: fidelity of each row.
            repeats: index of each row's training.
            metrics: columns by name.
            dataset: name of the images.
            source: name of the published table.
            device: device that was measured on.
        """
        visited = self._cells.take(rows)
        unknown = np.full(len(rows), np.nan)
        return pd.DataFrame(
            {
                "hash": visited["hash"].array,
                "id": visited["id"].array,
                "dataset": dataset,
                "epochs": epochs.astype(np.int64),
                "repeat": repeats.astype(np.int64),
                "device": device,
                "outcome": "ok",
                "source": source,
                **{column.name: metrics.get(column.name, unknown) for column in METRICS},
            },
            copy=False,
        )


def _numbered(texts: pd.Series) -> tuple[array[int], NDArray[np.object_]]:
    """Return the number of each text among the different ones, and those."""
    numbers, different = pd.factorize(texts)
    return array("i", numbers.astype(np.intc).tobytes()), np.asarray(different, dtype=object)


def outside_space_error(name: str, unknown: int, first: str, total: int, index: SpaceIndex) -> DataError:
    """Return the error that some cells of a published table are none of those it is looked up in.

    Args:
        name: what to call the table.
        unknown: number of its entries with such a cell.
        first: what to call the first of them.
        total: entries of the table.
        index: the cells that it is looked up in.
    """
    return DataError(
        f"{unknown:,} of the {total:,} entries of {name} name a cell that is none of the {len(index):,} it is looked "
        f"up in; the first one is {first}. Look it up in the table of all {SPACE_SIZE:,} cells; if it was that one, "
        "the file is damaged or another one: fetch it again."
    )


def count_within(*labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return the index of each entry within its run of equal labels, such as the repeat of a training.

    Args:
        labels: arrays of equal length; a run is where none of them changes.
    """
    index = np.arange(len(labels[0]))
    starts = np.ones(len(index), dtype=np.bool_)
    starts[1:] = np.logical_or.reduce([values[1:] != values[:-1] for values in labels])
    return index - np.maximum.accumulate(np.where(starts, index, 0))
