"""All cells of the search space, each once, in the numbering that NAS-Bench-101 published.

Source: the released ``generate_graphs.py`` of Ying et al. 2019, whose order this module keeps: vertices ascending, then
the bit mask of the edges ascending (bit of the edge x -> y: ``x + y (y - 1) / 2``), then operations in product order;
of isomorphic cells the first one met stands for all.
"""

import numba as nb
import numpy as np
from numpy.typing import NDArray

from terranas.space.batch import CellBatch
from terranas.space.cell import MAX_EDGES, OPERATIONS
from terranas.space.codes import canonical_codes


def enumerate_cells(max_vertices: int, max_edges: int = MAX_EDGES) -> CellBatch:
    """Return one cell of each isomorphism class, in the published order and numbering.

    Args:
        max_vertices: largest number of vertices, 2 to 7.
        max_edges: largest number of edges, 1 to 9.
    """
    parts = []
    for vertices in range(2, max_vertices + 1):
        labelled = labelled_cells(vertices, max_edges)
        _, first = np.unique(canonical_codes(labelled), return_index=True)
        parts.append(labelled[np.sort(first)])
    return CellBatch(
        np.concatenate([part.adjacency for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.num_vertices for part in parts]),
    )


def labelled_cells(vertices: int, max_edges: int = MAX_EDGES) -> CellBatch:
    """Return all pruned cells of exactly so many vertices in the order they are met, isomorphic ones included."""
    inner = vertices - 2
    graphs = _graphs(vertices, max_edges)
    labelling = np.indices((len(OPERATIONS),) * inner).reshape(inner, len(OPERATIONS) ** inner).T
    batch = CellBatch.empty(len(graphs) * len(labelling))
    batch.num_vertices[:] = vertices
    batch.adjacency[:, :vertices, :vertices] = np.repeat(graphs, len(labelling), axis=0)
    batch.labels[:, :inner] = np.tile(labelling, (len(graphs), 1))
    return batch


@nb.njit(cache=True)
def _graphs(vertices: int, max_edges: int) -> NDArray[np.uint8]:
    """Return the adjacency matrices whose vertices all lie on a path from input to output, by ascending mask."""
    last = vertices - 1
    masks = 1 << (vertices * last // 2)
    rows = np.empty(vertices, dtype=np.int64)
    columns = np.empty(vertices, dtype=np.int64)
    found = []
    for mask in range(1, masks):
        if _bits(mask) > max_edges:
            continue
        rows[:] = 0
        columns[0] = 0
        fed = True
        for target in range(1, vertices):
            columns[target] = (mask >> (target * (target - 1) // 2)) & ((1 << target) - 1)
            fed = fed and columns[target] != 0
            for source in range(target):
                rows[source] |= ((columns[target] >> source) & 1) << target
        # in a directed acyclic graph, a predecessor and a successor for each are enough: following them ends at
        # the input and at the output
        feeding = True
        for source in range(last):
            feeding = feeding and rows[source] != 0
        if fed and feeding:
            found.append(mask)
    result = np.zeros((len(found), vertices, vertices), dtype=np.uint8)
    for graph in range(len(found)):
        for target in range(1, vertices):
            for source in range(target):
                result[graph, source, target] = (found[graph] >> (source + target * (target - 1) // 2)) & 1
    return result


@nb.njit(cache=True)
def _bits(mask: int) -> int:
    """Return the number of ones in a non-negative number."""
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count
