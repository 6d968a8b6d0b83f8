"""Neighbour graphs written down by hand."""

from collections.abc import Sequence

import numpy as np

from terranas.space.neighbours import NeighbourGraph


def graph_of(neighbours: Sequence[Sequence[int]]) -> NeighbourGraph:
    """Return the graph in which each row has these neighbours, ascending."""
    indptr = np.cumsum([0, *map(len, neighbours)]).astype(np.int64)
    return NeighbourGraph(indptr, np.array([target for row in neighbours for target in row], dtype=np.int32))
