"""Cells as vectors, and back: the input of surrogates, and bit codes whose Hamming distance compares architectures.

All work on a table of cells, whole or in part. :class:`terranas.space.lookup.CellIndex` picks cells by id or hash::

    index = CellIndex(read_table("results/demo/space/cells.parquet", CELLS))
    codes = adjacency_one_hot(index.table([7, 423_000, 12]))  # shape (3, 36)
"""

from typing import Any

import numba as nb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.core.errors import CellError
from terranas.space.batch import MAX_INNER, CellBatch
from terranas.space.cell import CONV1X1, CONV3X3, MAX_VERTICES, MAXPOOL3X3, OPERATIONS

EXPANDED_VERTICES = 3 * MAX_INNER + 2
PATHS = sum(len(OPERATIONS) ** length for length in range(MAX_INNER + 1))
"""Sequences of at most 5 operations: 364."""

_WORDS = -(-(EXPANDED_VERTICES**2) // 64)
_EDGES = MAX_VERTICES * (MAX_VERTICES - 1) // 2
# labels in the order that NASLib's encode_adj and the expanded matrix give to operations
_ONE_HOT_ORDER = np.array([OPERATIONS.index(name) for name in (MAXPOOL3X3, CONV3X3, CONV1X1)], dtype=np.int8)
_SLOT_ORDER = np.array([OPERATIONS.index(name) for name in (CONV1X1, CONV3X3, MAXPOOL3X3)], dtype=np.int8)


def adjacency_one_hot(cells: pd.DataFrame) -> NDArray[np.float32]:
    """Return the adjacency matrix and one-hot operations of each cell, shape (cells, 36).

    The layout is that of NASLib's ``encode_adj``: 21 entries above the diagonal of the 7-vertex matrix, row by row,
    then for each of 5 inner vertices whether it is a max-pooling, a 3x3 and a 1x1 convolution. A cell with fewer
    vertices gets vertices without edges and operation before its output.

    Args:
        cells: table with the columns num_vertices, adjacency and operations.
    """
    return _one_hot_of(CellBatch.from_table(cells))


def from_adjacency_one_hot(codes: NDArray[np.float32]) -> CellBatch:
    """Return the cells that :func:`adjacency_one_hot` encodes so.

    Args:
        codes: shape (cells, 36).

    Raises:
        CellError: a row is no such code.
    """
    codes = _checked_shape(codes, _EDGES + 3 * MAX_INNER)
    batch = CellBatch.empty(len(codes))
    operations = codes[:, _EDGES:].reshape(-1, MAX_INNER, len(OPERATIONS)) == 1
    batch.labels[:] = np.where(operations.any(axis=2), _ONE_HOT_ORDER[operations.argmax(axis=2)], -1)
    batch.num_vertices[:] = (batch.labels >= 0).sum(axis=1) + 2
    batch.adjacency[:, *np.triu_indices(MAX_VERTICES, 1)] = codes[:, :_EDGES] == 1
    outputs = batch.adjacency[:, :, -1].copy()
    batch.adjacency[:, :, -1] = 0
    batch.adjacency[np.arange(len(batch)), :, batch.num_vertices - 1] = outputs
    _require_cells(batch, _one_hot_of(batch), codes)
    return batch


def expanded_adjacency(cells: pd.DataFrame) -> NDArray[np.uint8]:
    """Return the 17x17 expanded adjacency matrix of each cell, zeros and ones, shape (cells, 17, 17).

    Rows and columns are the input, five slots each for conv1x1, conv3x3 and maxpool3x3, and the output; the k-th vertex
    of an operation takes the operation's k-th slot (Traoré, Camero and Zhu, arXiv 2111.01584).

    Args:
        cells: table with the columns num_vertices, adjacency and operations.
    """
    return _expanded_of(CellBatch.from_table(cells))


def from_expanded_adjacency(matrices: NDArray[np.uint8]) -> CellBatch:
    """Return cells with these expanded adjacency matrices.

    The matrix tells the order of equal operations only, so a cell may come back in another numbering: an isomorphic
    one with the same matrix.

    Args:
        matrices: shape (cells, 17, 17).

    Raises:
        CellError: a matrix is not that of a cell.
    """
    matrices = _checked_shape(matrices, EXPANDED_VERTICES, EXPANDED_VERTICES)
    bits = np.ascontiguousarray(matrices == 1)
    batch = CellBatch.empty(len(bits))
    batch.num_vertices[:] = _collapse(bits, batch.adjacency, batch.labels)
    _require_cells(batch, _expanded_of(batch), matrices)
    return batch


def expanded_bits(cells: pd.DataFrame) -> NDArray[np.uint64]:
    """Return the matrices of :func:`expanded_adjacency` as bits, shape (cells, 5).

    Entry (x, y) is bit ``(17 x + y) % 64`` of word ``(17 x + y) // 64``.

    Args:
        cells: table with the columns num_vertices, adjacency and operations.
    """
    matrices = expanded_adjacency(cells)
    packed = np.packbits(matrices.reshape(len(matrices), EXPANDED_VERTICES**2), axis=1, bitorder="little")
    padded = np.zeros((len(packed), 8 * _WORDS), dtype=np.uint8)
    padded[:, : packed.shape[1]] = packed
    return padded.view("<u8")


def from_expanded_bits(codes: NDArray[np.uint64]) -> CellBatch:
    """Return cells with these codes of :func:`expanded_bits`; see :func:`from_expanded_adjacency`.

    Args:
        codes: shape (cells, 5).

    Raises:
        CellError: a row is no such code.
    """
    codes = np.ascontiguousarray(_checked_shape(codes, _WORDS), dtype="<u8")
    bits = np.unpackbits(codes.view(np.uint8), axis=1, bitorder="little")
    if bits[:, EXPANDED_VERTICES**2 :].any():
        raise CellError(f"A code of a 17x17 matrix has no bits from {EXPANDED_VERTICES**2} on.")
    return from_expanded_adjacency(bits[:, : EXPANDED_VERTICES**2].reshape(-1, EXPANDED_VERTICES, EXPANDED_VERTICES))


def path_encoding(cells: pd.DataFrame) -> NDArray[np.uint8]:
    """Return which sequences of operations lie on a path from input to output, shape (cells, 364).

    The sequence (m_0, m_1, ...) has the column ``sum_i 3^i (m_i + 1)``, where m is the operation's position in
    ``OPERATIONS``: 0 is the bare edge from input to output, 1 to 3 the single operations, and so on (the path encoding
    of White et al., "A Study on Encodings for Neural Architecture Search", NeurIPS 2020, as NASLib numbers it).

    Args:
        cells: table with the columns num_vertices, adjacency and operations.
    """
    batch = CellBatch.from_table(cells)
    return _paths_of(batch.adjacency, batch.labels, batch.num_vertices)


def hamming_distances(codes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return in how many bits each two codes differ, shape (cells, cells).

    Args:
        codes: bit codes, shape (cells, words). Memory grows with the square of their number.
    """
    distances = np.zeros((len(codes), len(codes)), dtype=np.int64)
    for word in codes.T:
        distances += np.bitwise_count(word[:, None] ^ word)
    return distances


def _one_hot_of(batch: CellBatch) -> NDArray[np.float32]:
    rows = np.arange(len(batch))
    matrices = batch.adjacency.copy()
    outputs = matrices[rows, :, batch.num_vertices - 1]
    matrices[rows, :, batch.num_vertices - 1] = 0
    matrices[:, :, -1] = outputs
    result = np.empty((len(batch), _EDGES + 3 * MAX_INNER), dtype=np.float32)
    result[:, :_EDGES] = matrices[:, *np.triu_indices(MAX_VERTICES, 1)]
    result[:, _EDGES:] = (batch.labels[:, :, None] == _ONE_HOT_ORDER).reshape(len(batch), 3 * MAX_INNER)
    return result


def _expanded_of(batch: CellBatch) -> NDArray[np.uint8]:
    slots = np.zeros((len(batch), MAX_VERTICES), dtype=np.int64)
    for block, label in enumerate(_SLOT_ORDER):
        is_operation = batch.labels == label
        place = 1 + block * MAX_INNER + is_operation.cumsum(axis=1) - 1
        slots[:, 1:-1] = np.where(is_operation, place, slots[:, 1:-1])
    slots[np.arange(len(batch)), batch.num_vertices - 1] = EXPANDED_VERTICES - 1
    result = np.zeros((len(batch), EXPANDED_VERTICES, EXPANDED_VERTICES), dtype=np.uint8)
    for source, target in zip(*np.triu_indices(MAX_VERTICES, 1), strict=True):
        rows = np.flatnonzero(batch.adjacency[:, source, target])
        result[rows, slots[rows, source], slots[rows, target]] = 1
    return result


def _checked_shape(codes: NDArray[Any], *shape: int) -> NDArray[Any]:
    codes = np.asarray(codes)
    if codes.ndim != len(shape) + 1 or codes.shape[1:] != shape:
        raise CellError(f"Codes of cells must have the shape (cells, {', '.join(map(str, shape))}), got {codes.shape}.")
    return codes


def _require_cells(batch: CellBatch, encoded: NDArray[Any], given: NDArray[Any]) -> None:
    """Raise unless what was read from codes are pruned cells and their codes say the same as the given ones."""
    wrong = (encoded != given).any(axis=tuple(range(1, given.ndim))) | ~batch.are_cells()
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise CellError(f"Row {first} is no code of a cell; {int(wrong.sum())} such rows in all.")


@nb.njit(cache=True)
def _collapse(bits: NDArray[np.bool_], adjacency: NDArray[np.uint8], labels: NDArray[np.int8]) -> NDArray[np.int64]:
    """Fill the arrays of a batch from expanded matrices and return the numbers of vertices.

    Vertices are numbered in topological order; of those that may come next, the lowest slot does, so that equal
    operations keep the order of their slots. Rows of matrices that are no cell's get some cell.
    """
    vertices = np.empty(len(bits), dtype=np.int64)
    slots = np.empty(MAX_VERTICES, dtype=np.int64)
    for cell in range(len(bits)):
        matrix = bits[cell]
        placed = np.zeros(EXPANDED_VERTICES, dtype=np.bool_)
        placed[0] = True
        slots[0] = 0
        count = 1
        slot = 1
        while slot < EXPANDED_VERTICES - 1 and count < MAX_VERTICES - 1:
            ready = not placed[slot] and matrix[:, slot].any()
            # the slot before it holds the same operation and comes first
            ready = ready and ((slot - 1) % MAX_INNER == 0 or placed[slot - 1])
            for source in range(EXPANDED_VERTICES):
                ready = ready and (placed[source] or not matrix[source, slot])
            if ready:
                placed[slot] = True
                slots[count] = slot
                labels[cell, count - 1] = _SLOT_ORDER[(slot - 1) // MAX_INNER]
                count += 1
                slot = 0
            slot += 1
        slots[count] = EXPANDED_VERTICES - 1
        vertices[cell] = count + 1
        for source in range(count):
            for target in range(source + 1, count + 1):
                adjacency[cell, source, target] = matrix[slots[source], slots[target]]
    return vertices


@nb.njit(cache=True)
def _paths_of(
    adjacency: NDArray[np.uint8], labels: NDArray[np.int8], num_vertices: NDArray[np.int64]
) -> NDArray[np.uint8]:
    result = np.zeros((len(adjacency), PATHS), dtype=np.uint8)
    # open paths: their last vertex, the column of the operations so far, and the weight of the next operation
    last = np.empty(32, dtype=np.int64)
    column = np.empty(32, dtype=np.int64)
    weight = np.empty(32, dtype=np.int64)
    for cell in range(len(adjacency)):
        output = num_vertices[cell] - 1
        last[0], column[0], weight[0] = 0, 0, 1
        count = 1
        while count:
            count -= 1
            vertex, so_far, factor = last[count], column[count], weight[count]
            for target in range(vertex + 1, output):
                if adjacency[cell, vertex, target]:
                    last[count] = target
                    column[count] = so_far + factor * (labels[cell, target - 1] + 1)
                    weight[count] = 3 * factor
                    count += 1
            if adjacency[cell, vertex, output]:
                result[cell, so_far] = 1
    return result
