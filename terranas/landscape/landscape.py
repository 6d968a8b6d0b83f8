"""A fitness landscape: values of one metric on the neighbour graph of the cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numba as nb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from terranas.core.errors import TableError
from terranas.core.pareto import Direction
from terranas.space.neighbours import NeighbourGraph

Hashes = Sequence[str] | pd.Series | pd.Index | NDArray[Any]
"""Hash of each row of a table of cells."""


@dataclass(frozen=True)
class Landscape:
    """Cells with known values, their neighbours among each other, and their fitness.

    Attributes:
        graph: neighbours among the cells with a value; the others keep their row, without neighbours.
        fitness: shape (cells,), larger is better whatever the metric's direction; NaN where the value is not known.
        ranks: place of each cell in the order that breaks ties, shape (cells,): that of the hashes, so that nothing
            depends on the order of the rows.
        hashes: hash of each cell.
        direction: which way the metric is better.
    """

    graph: NeighbourGraph
    fitness: NDArray[np.float64]
    ranks: NDArray[np.int64]
    hashes: pd.Index
    direction: Direction

    @classmethod
    def of(
        cls,
        values: NDArray[np.floating[Any]],
        graph: NeighbourGraph,
        direction: Direction,
        hashes: Hashes,
    ) -> Landscape:
        """Return the landscape of a metric.

        Args:
            values: the metric of each row of the table of cells, shape (cells,); NaN where it is not known.
            graph: neighbours of each row.
            direction: which way the metric is better.
            hashes: hash of each row; all differ.

        Raises:
            TableError: lengths differ, a value is infinite, no value is known, or a hash stands twice.
        """
        numbers: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
        if numbers.shape != (len(graph),):
            raise TableError(
                f"A landscape needs one value for each of the {len(graph):,} cells of its graph, got an array of the "
                f"shape {numbers.shape}. Align the values with the rows of the table of cells; NaN means not known."
            )
        require_known(numbers[:, None])
        fitness = numbers if direction == "maximise" else -numbers
        names = pd.Index(hashes)
        return cls(within(graph, ~np.isnan(numbers)), fitness, hash_ranks(names, len(graph)), names, direction)

    def __len__(self) -> int:
        return len(self.fitness)

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Whether each cell has a value, shape (cells,)."""
        return ~np.isnan(self.fitness)

    @cached_property
    def reversed_graph(self) -> NeighbourGraph:
        """The graph with every arc turned round."""
        return reverse(self.graph)

    @cached_property
    def undirected(self) -> bool:
        """Whether every arc has its counterpart."""
        turned = self.reversed_graph
        return bool(
            np.array_equal(turned.indptr, self.graph.indptr) and np.array_equal(turned.indices, self.graph.indices)
        )

    def require_undirected(self, purpose: str) -> None:
        """Raise where the graph is directed.

        Args:
            purpose: what needs an undirected graph, to begin the message with.

        Raises:
            TableError: some arc has no counterpart.
        """
        if not self.undirected:
            raise TableError(
                f"{purpose} needs an undirected neighbour graph: a random walk along directed arcs ends in dead ends. "
                "Use the neighbourhood edit_symmetric instead of edit."
            )

    @cached_property
    def isolated(self) -> NDArray[np.bool_]:
        """Whether each cell has a value but no arc from or to another cell with one, shape (cells,)."""
        return np.asarray(
            self.known & (self.graph.degrees() == 0) & (self.reversed_graph.degrees() == 0), dtype=np.bool_
        )

    @cached_property
    def components(self) -> NDArray[np.int32]:
        """Connected component of each cell, the largest first; -1 where the value is not known. Shape (cells,).

        Components are those of the cells with values; directions do not count. Of equally large ones, that with the
        first hash comes first.
        """
        labels = self.graph.components()
        numbers = np.full(len(self), -1, dtype=np.int32)
        known = np.flatnonzero(self.known)
        _, own = np.unique(labels[known], return_inverse=True)
        sizes = np.bincount(own)
        first = np.full(len(sizes), len(self), dtype=np.int64)
        np.minimum.at(first, own, self.ranks[known])
        place = np.empty(len(sizes), dtype=np.int32)
        place[np.lexsort((first, -sizes))] = np.arange(len(sizes))
        numbers[known] = place[own]
        return numbers

    def value_of(self, fitness: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return fitness in the metric's own direction."""
        return fitness if self.direction == "maximise" else -fitness


def hash_ranks(hashes: pd.Index, cells: int) -> NDArray[np.int64]:
    """Return the rank of each hash among all of them, shape (cells,).

    Raises:
        TableError: there are not so many hashes as cells, or one stands twice.
    """
    if len(hashes) != cells:
        raise TableError(f"A landscape needs one hash for each of its {cells:,} cells, got {len(hashes):,}.")
    if not hashes.is_unique:
        raise TableError(f"The hash {hashes[hashes.duplicated()][0]} stands twice among the cells of a landscape.")
    ranks = np.empty(cells, dtype=np.int64)
    ranks[hashes.argsort()] = np.arange(cells)
    return ranks


def require_known(values: NDArray[np.float64]) -> None:
    """Raise unless some row is without NaN and no value is infinite.

    Args:
        values: shape (cells, metrics).

    Raises:
        TableError: as said above.
    """
    if np.isinf(values).any():
        row = int(np.flatnonzero(np.isinf(values).any(axis=1))[0])
        raise TableError(
            f"A landscape's values must be finite, or NaN where they are not known; row {row} is infinite."
        )
    if np.isnan(values).any(axis=1).all():
        raise TableError(
            f"None of the {len(values):,} cells has a value, so there is no landscape. Choose a metric that the "
            "benchmark holds."
        )


def within(graph: NeighbourGraph, kept: NDArray[np.bool_]) -> NeighbourGraph:
    """Return the arcs between kept cells; the others keep their row, without neighbours."""
    if kept.all():
        return graph
    return NeighbourGraph(*_within(graph.indptr, graph.indices, kept))


def reverse(graph: NeighbourGraph) -> NeighbourGraph:
    """Return a graph with every arc turned round."""
    ones = np.ones(len(graph.indices), dtype=np.int8)
    matrix = csr_matrix((ones, graph.indices, graph.indptr), shape=(len(graph), len(graph))).T.tocsr()
    return NeighbourGraph(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32))


@nb.njit(cache=True)
def distances_from(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], sources: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Return the moves from the nearest of some cells to each cell along a graph, shape (cells,); -1: none leads."""
    distances = np.full(len(indptr) - 1, -1, dtype=np.int32)
    queue = np.empty(len(indptr) - 1, dtype=np.int32)
    end = 0
    for row in sources:
        distances[row] = 0
        queue[end] = row
        end += 1
    begin = 0
    while begin < end:
        row = queue[begin]
        begin += 1
        for arc in range(indptr[row], indptr[row + 1]):
            other = indices[arc]
            if distances[other] < 0:
                distances[other] = distances[row] + 1
                queue[end] = other
                end += 1
    return distances


@nb.njit(cache=True)
def _within(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], kept: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    starts = np.zeros_like(indptr)
    left = np.empty_like(indices)
    count = 0
    for row in range(len(kept)):
        if kept[row]:
            for arc in range(indptr[row], indptr[row + 1]):
                if kept[indices[arc]]:
                    left[count] = indices[arc]
                    count += 1
        starts[row + 1] = count
    return starts, left[:count].copy()
