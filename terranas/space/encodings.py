"""Cells as vectors: the input of surrogates, and bit codes whose Hamming distance compares architectures."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.space.batch import MAX_INNER, CellBatch
from terranas.space.cell import CONV1X1, CONV3X3, MAX_VERTICES, MAXPOOL3X3, OPERATIONS

EXPANDED_VERTICES = 3 * MAX_INNER + 2
_WORDS = -(-(EXPANDED_VERTICES**2) // 64)


def adjacency_one_hot(cells: pd.DataFrame) -> NDArray[np.float32]:
    """Return the adjacency matrix and one-hot operations of each cell, shape (cells, 36).

    The layout is that of NASLib's ``encode_adj``: 21 entries above the diagonal of the 7-vertex matrix, row by row,
    then for each of 5 inner vertices whether it is a max-pooling, a 3x3 and a 1x1 convolution. A cell with fewer
    vertices gets vertices without edges and operation before its output.

    Args:
        cells: table with the columns num_vertices, adjacency and operations.
    """
    batch = CellBatch.from_table(cells)
    rows = np.arange(len(batch))
    matrices = batch.adjacency.copy()
    outputs = matrices[rows, :, batch.num_vertices - 1]
    matrices[rows, :, batch.num_vertices - 1] = 0
    matrices[:, :, -1] = outputs
    edges = matrices[:, *np.triu_indices(MAX_VERTICES, 1)]
    order = np.array([OPERATIONS.index(name) for name in (MAXPOOL3X3, CONV3X3, CONV1X1)])
    operations = batch.labels[:, :, None] == order
    return np.concatenate([edges, operations.reshape(len(batch), -1)], axis=1).astype(np.float32)


def expanded_bits(cells: pd.DataFrame) -> NDArray[np.uint64]:
    """Return the 17x17 expanded adjacency matrix of each cell as bits, shape (cells, 5).

    Rows and columns are the input, five slots each for conv1x1, conv3x3 and maxpool3x3, and the output; the k-th vertex
    of an operation takes the operation's k-th slot (Traoré, Camero and Zhu, arXiv 2111.01584). Entry (x, y) is bit
    ``(17 x + y) % 64`` of word ``(17 x + y) // 64``.

    Args:
        cells: table with the columns num_vertices, adjacency and operations.
    """
    batch = CellBatch.from_table(cells)
    slots = _slots(batch)
    result = np.zeros((len(batch), _WORDS), dtype=np.uint64)
    cell, source, target = np.nonzero(batch.adjacency)
    position = EXPANDED_VERTICES * slots[cell, source] + slots[cell, target]
    bits = np.uint64(1) << (position % 64).astype(np.uint64)
    np.bitwise_or.at(result, (cell, position // 64), bits)
    return result


def hamming_distances(codes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return in how many bits each two codes differ, shape (cells, cells).

    Args:
        codes: bit codes, shape (cells, words). Memory grows with the square of their number.
    """
    distances = np.zeros((len(codes), len(codes)), dtype=np.int64)
    for word in codes.T:
        distances += np.bitwise_count(word[:, None] ^ word)
    return distances


def _slots(batch: CellBatch) -> NDArray[np.int64]:
    """Return the row of each vertex in the expanded matrix, shape (cells, 7)."""
    slots = np.zeros((len(batch), MAX_VERTICES), dtype=np.int64)
    for block, name in enumerate((CONV1X1, CONV3X3, MAXPOOL3X3)):
        is_operation = batch.labels == OPERATIONS.index(name)
        place = 1 + block * MAX_INNER + is_operation.cumsum(axis=1) - 1
        slots[:, 1:-1] = np.where(is_operation, place, slots[:, 1:-1])
    slots[np.arange(len(batch)), batch.num_vertices - 1] = EXPANDED_VERTICES - 1
    return slots
