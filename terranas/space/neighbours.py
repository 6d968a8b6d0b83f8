"""Which cells are neighbours: graphs over the rows of the table of cells, in compressed sparse rows (CSR)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from terranas.core.errors import TableError
from terranas.core.files import atomic_path, read_json, write_json
from terranas.space.batch import CellBatch, arrow_strings, string_buffers
from terranas.space.codes import (
    canonical_codes,
    codes_one_bit_away,
    codes_one_edge_fewer,
    codes_one_edit_away,
    slot_codes,
)

NEIGHBOURHOODS = ("hamming", "hamming_any", "edit", "edit_symmetric")
_PIECE = 50_000  # cells looked up at a time; bounds the memory for candidate codes to some 20 MB


@dataclass(frozen=True)
class NeighbourGraph:
    """A directed graph over cells; an undirected one holds both directions of each edge.

    Attributes:
        indptr: where each cell's neighbours begin in ``indices``, shape (cells + 1,).
        indices: rows of the neighbours, ascending for each cell.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def neighbours(self, row: int) -> NDArray[np.int32]:
        """Return the rows of a cell's neighbours, ascending."""
        return self.indices[self.indptr[row] : self.indptr[row + 1]]

    def degrees(self) -> NDArray[np.int64]:
        """Return the number of neighbours of each cell, shape (cells,)."""
        return np.diff(self.indptr)

    def components(self) -> NDArray[np.int32]:
        """Return the number of the connected component of each cell, shape (cells,); directions do not count."""
        _, labels = connected_components(self._matrix(), directed=True, connection="weak")
        return np.asarray(labels, dtype=np.int32)

    def symmetric(self) -> NeighbourGraph:
        """Return the graph with every edge in both directions."""
        matrix = self._matrix()
        return _from_matrix(matrix + matrix.T)

    def _matrix(self) -> csr_matrix[np.int8]:
        ones = np.ones(len(self.indices), dtype=np.int8)
        return csr_matrix((ones, self.indices, self.indptr), shape=(len(self), len(self)))


def build_neighbours(cells: pd.DataFrame, neighbourhood: str) -> NeighbourGraph:
    """Return the neighbour graph of a table of cells.

    Args:
        cells: table of the schema ``CELLS``; only cells of the table are neighbours.
        neighbourhood: which cells are neighbours.

            - ``hamming``: their 17x17 expanded adjacency matrices differ in exactly one bit (undirected). The matrix
              depends on the numbering of a cell, and each cell has that of the table (the published one).
            - ``hamming_any``: so do the matrices of some numberings of theirs (undirected). Two such matrices have
              the same slots, since a vertex with a single edge is on no path; so one cell is the other and one edge
              more, whatever the numbering, and an edge removed without losing a vertex leads to each neighbour.
            - ``edit``: one operation of an inner vertex is changed, or one edge from a lower to a higher vertex is
              added or removed; what then lies on no path from input to output is cut off (NASLib's rules, White et
              al., "Exploring the Loss Landscape in Neural Architecture Search", UAI 2021). Directed, since cutting off
              cannot be undone by one edit.
            - ``edit_symmetric``: ``edit`` in either direction.

    Raises:
        ValueError: there is no such neighbourhood.
    """
    if neighbourhood not in NEIGHBOURHOODS:
        raise ValueError(f"neighbourhood must be one of {', '.join(NEIGHBOURHOODS)}, got '{neighbourhood}'")
    batch = CellBatch.from_table(cells)
    if neighbourhood == "hamming":
        return _look_up(batch, slot_codes(batch), codes_one_bit_away)
    candidates = codes_one_edge_fewer if neighbourhood == "hamming_any" else codes_one_edit_away
    directed = _look_up(batch, canonical_codes(batch), candidates)
    return directed if neighbourhood == "edit" else directed.symmetric()


def _look_up(
    batch: CellBatch, codes: NDArray[np.int64], candidates: Callable[[CellBatch], NDArray[np.int64]]
) -> NeighbourGraph:
    """Return the graph from each cell to those of its candidate codes that belong to a cell of the batch."""
    order = np.argsort(codes)
    ascending = codes[order]
    sources, targets = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for start in range(0, len(batch), _PIECE):
        rows = np.arange(start, min(start + _PIECE, len(batch)))
        wanted = candidates(batch[rows])
        position = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
        source, slot = np.nonzero(ascending[position] == wanted)
        sources.append(source + start)
        targets.append(order[position[source, slot]])
    row, column = np.concatenate(sources), np.concatenate(targets)
    ones = np.ones(len(row), dtype=np.int8)
    return _from_matrix(csr_matrix((ones, (row, column)), shape=(len(batch), len(batch))))


def _from_matrix(matrix: csr_matrix[np.int8]) -> NeighbourGraph:
    """Return a graph whose neighbours ascend and stand once."""
    matrix.sum_duplicates()
    matrix.sort_indices()
    return NeighbourGraph(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32))


def digest_of(cells: pd.DataFrame) -> str:
    """Return 64 hex digits that change when the hashes of a table or their order change."""
    # on the table's own buffers: Python strings for 423,624 cells would take ten times as long
    starts, text = string_buffers(arrow_strings(cells["hash"]))
    digest = hashlib.sha256((starts - starts[0]).tobytes())
    digest.update(text[starts[0] : starts[-1]].tobytes())
    return digest.hexdigest()


def summarise(graph: NeighbourGraph, cells: pd.DataFrame, neighbourhood: str) -> dict[str, Any]:
    """Return what a neighbour graph looks like, and the digest of the cells it belongs to.

    ``edges`` counts pairs of neighbours, ``arcs`` the directions they are stored in; the sizes are those of the ten
    largest components. Degrees count the neighbours a cell leads to; ``degree_counts`` says how many cells have each
    degree that occurs (its keys are strings, as JSON wants them).

    Raises:
        TableError: there are no cells.
    """
    if not len(graph):
        raise TableError("A neighbour graph without cells has no degrees to summarise. Give a table with cells.")
    degrees = graph.degrees()
    # a cell that only others lead to is not isolated
    touched = (degrees + np.bincount(graph.indices, minlength=len(graph))) > 0
    cells_of = np.bincount(degrees)
    sizes = np.sort(np.bincount(graph.components()))[::-1]
    return {
        "neighbourhood": neighbourhood,
        "cells": len(graph),
        "edges": len(graph.symmetric().indices) // 2,
        "arcs": len(graph.indices),
        "isolated": int((~touched).sum()),
        "components": len(sizes),
        "largest_components": sizes[:10].tolist(),
        "degree": {
            "min": int(degrees.min()),
            "median": float(np.median(degrees)),
            "mean": float(degrees.mean()),
            "max": int(degrees.max()),
        },
        "degree_counts": {str(degree): int(cells_of[degree]) for degree in np.flatnonzero(cells_of)},
        "digest": digest_of(cells),
    }


def write_graph(
    graph: NeighbourGraph,
    summary: dict[str, Any],
    indptr_path: str | Path,
    indices_path: str | Path,
    summary_path: str | Path,
) -> None:
    """Write a graph as two ``.npy`` files and its summary as JSON, each atomically."""
    for path, array in ((indptr_path, graph.indptr), (indices_path, graph.indices)):
        with atomic_path(path) as temporary:
            np.save(temporary, array, allow_pickle=False)
    write_json(summary_path, summary)


def read_graph(
    indptr_path: str | Path, indices_path: str | Path, summary_path: str | Path, cells: pd.DataFrame
) -> NeighbourGraph:
    """Return a graph whose arrays are mapped into memory, not copied.

    Args:
        indptr_path: file of ``indptr``.
        indices_path: file of ``indices``.
        summary_path: file of the summary.
        cells: the table whose rows the graph connects; its hashes are enough.

    Raises:
        TableError: the graph was built for other cells, or a file is damaged.
    """
    summary = read_json(summary_path)
    if not isinstance(summary, dict) or summary.get("digest") != digest_of(cells):
        raise TableError(
            f"The neighbour graph of {summary_path} was built for other cells than these {len(cells)}. "
            "Remove its folder and run again."
        )
    graph = NeighbourGraph(_mapped(indptr_path, np.int64), _mapped(indices_path, np.int32))
    if len(graph) != len(cells) or graph.indptr[0] != 0 or graph.indptr[-1] != len(graph.indices):
        raise TableError(
            f"{indptr_path} and {indices_path} do not fit together or not to {len(cells)} cells. "
            "Remove their folder and run again."
        )
    return graph


def _mapped(path: str | Path, dtype: type[np.generic]) -> NDArray[Any]:
    """Return a one-dimensional array of a ``.npy`` file, mapped read-only."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise TableError(f"{path} is no readable array ({error}). Remove its folder and run again.") from error
    if array.ndim != 1 or array.dtype != dtype:
        raise TableError(
            f"{path} must be one-dimensional of type {np.dtype(dtype)}, got {array.ndim} dimensions of type "
            f"{array.dtype}. Remove its folder and run again."
        )
    return np.asarray(array)
