"""Cells as integers: one code for a numbered cell, one for a cell whatever its numbering.

Inner vertices stand in slots, sorted by operation; equal operations take their slots in vertex order. The 36 low
bits of a code are the edges from input and slots (6 rows) to slots and output (6 columns); above them stand the counts
of the three operations, 3 bits each. Two numbered cells have the same code exactly when their 17x17 expanded
adjacency matrices are equal, and codes that differ in one edge bit belong to matrices that differ in one bit.

The canonical code is the smallest one over all orders of equal operations: equal for isomorphic cells and different
for all others. Since operations already split the vertices, ten orders suffice on average, at most 120.

The compiled functions that call each other stand together in this module, because numba notices an edit only in the
file of the function it has cached. Mutation and crossover of :mod:`terranas.space.searchable` are here for that reason.
"""

from itertools import permutations, product

import numba as nb
import numpy as np
from numpy.typing import NDArray

from terranas.space.batch import MAX_INNER, CellBatch
from terranas.space.cell import MAX_EDGES

EDGE_BITS = 36
# 6 x 6 bits less 5 for edges from a slot to itself; as it happens, also 5 x 2 operations and 21 edges
_CANDIDATES = 31


def slot_codes(batch: CellBatch) -> NDArray[np.int64]:
    """Return the code of each cell as it is numbered, shape (cells,)."""
    return _codes(batch.adjacency, batch.labels, batch.num_vertices, False)


def canonical_codes(batch: CellBatch) -> NDArray[np.int64]:
    """Return the code of each cell that does not depend on its numbering, shape (cells,)."""
    return _codes(batch.adjacency, batch.labels, batch.num_vertices, True)


def codes_one_bit_away(batch: CellBatch) -> NDArray[np.int64]:
    """Return the slot codes that differ from a cell's in one edge, shape (cells, 31), -1 where there are fewer.

    Only bits of a cell's own slots count: any other bit of the 17x17 matrix would make a vertex with a single edge,
    which no cell has. Not every code belongs to a cell.
    """
    return _one_bit_away(batch.adjacency, batch.labels, batch.num_vertices)


def codes_one_edit_away(batch: CellBatch) -> NDArray[np.int64]:
    """Return the canonical codes of the pruned cells one edit away, shape (cells, 31), -1 where there are fewer.

    An edit changes one operation of an inner vertex, or adds or removes one edge from a lower to a higher vertex. A
    code may have more edges than a cell is allowed to have.
    """
    return _one_edit_away(batch.adjacency, batch.labels, batch.num_vertices)


def codes_one_edge_fewer(batch: CellBatch) -> NDArray[np.int64]:
    """Return the canonical codes of the cells that lack one edge, shape (cells, 9), -1 where there are fewer.

    Only edges count without which every vertex still lies on a path from input to output.
    """
    return _one_edge_fewer(batch.adjacency, batch.labels, batch.num_vertices)


def _block_permutations() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the orders of slots that keep operations together, and where those of each count of operations begin.

    Returns:
        Orders, shape (orders, 5), and limits, shape (6 * 6 * 6 + 1,): orders of the counts (a, b, c) stand from
        ``limits[36 a + 6 b + c]`` up to the next limit; the identity comes first.
    """
    orders: list[list[int]] = []
    limits = [0]
    for counts in product(range(MAX_INNER + 1), repeat=3):
        if sum(counts) <= MAX_INNER:
            starts = (0, counts[0], counts[0] + counts[1])
            blocks = [permutations(range(start, start + count)) for start, count in zip(starts, counts, strict=True)]
            for parts in product(*blocks):
                order = [slot for part in parts for slot in part]
                orders.append(order + list(range(len(order), MAX_INNER)))
        limits.append(len(orders))
    return np.array(orders, dtype=np.int64), np.array(limits, dtype=np.int64)


_ORDERS, _LIMITS = _block_permutations()


@nb.njit(cache=True)
def code_of(matrix: NDArray[np.uint8], labels: NDArray[np.int8], vertices: int, canonical: bool) -> int:
    """Return the code of one pruned cell.

    Args:
        matrix: adjacency, at least (vertices, vertices).
        labels: operations of the inner vertices, at least (vertices - 2,).
        vertices: number of vertices.
        canonical: whether to take the smallest code over all orders of equal operations.
    """
    inner = vertices - 2
    slots = np.empty(MAX_INNER, dtype=np.int64)
    counts = np.zeros(3, dtype=np.int64)
    taken = 0
    for label in range(3):
        for vertex in range(inner):
            if labels[vertex] == label:
                slots[vertex] = taken
                taken += 1
                counts[label] += 1
    sources = np.empty(16, dtype=np.int64)
    targets = np.empty(16, dtype=np.int64)
    edges = 0
    for source in range(vertices - 1):
        for target in range(source + 1, vertices):
            if matrix[source, target]:
                # rows: input, then slots; columns: slots, then output, marked by a negative number
                sources[edges] = -1 if source == 0 else slots[source - 1]
                targets[edges] = -1 if target == vertices - 1 else slots[target - 1]
                edges += 1
    group = 36 * counts[0] + 6 * counts[1] + counts[2]
    last = _LIMITS[group + 1] if canonical else _LIMITS[group] + 1
    smallest = np.int64(1) << EDGE_BITS
    for permutation in range(_LIMITS[group], last):
        order = _ORDERS[permutation]
        code = np.int64(0)
        for edge in range(edges):
            row = 0 if sources[edge] < 0 else order[sources[edge]] + 1
            column = MAX_INNER if targets[edge] < 0 else order[targets[edge]]
            code |= np.int64(1) << (6 * row + column)
        smallest = min(smallest, code)
    above = counts[0] | (counts[1] << 3) | (counts[2] << 6)
    return int(smallest | (above << EDGE_BITS))


@nb.njit(cache=True)
def _codes(
    adjacency: NDArray[np.uint8], labels: NDArray[np.int8], num_vertices: NDArray[np.int64], canonical: bool
) -> NDArray[np.int64]:
    result = np.empty(len(adjacency), dtype=np.int64)
    for cell in range(len(adjacency)):
        result[cell] = code_of(adjacency[cell], labels[cell], num_vertices[cell], canonical)
    return result


@nb.njit(cache=True)
def _one_bit_away(
    adjacency: NDArray[np.uint8], labels: NDArray[np.int8], num_vertices: NDArray[np.int64]
) -> NDArray[np.int64]:
    result = np.full((len(adjacency), _CANDIDATES), -1, dtype=np.int64)
    for cell in range(len(adjacency)):
        code = code_of(adjacency[cell], labels[cell], num_vertices[cell], False)
        inner = num_vertices[cell] - 2
        count = 0
        for row in range(inner + 1):
            for column in range(inner + 1):
                if row == column + 1:
                    continue  # an edge from a slot to itself
                target = MAX_INNER if column == inner else column
                result[cell, count] = code ^ (np.int64(1) << (6 * row + target))
                count += 1
    return result


@nb.njit(cache=True)
def _one_edit_away(
    adjacency: NDArray[np.uint8], labels: NDArray[np.int8], num_vertices: NDArray[np.int64]
) -> NDArray[np.int64]:
    result = np.full((len(adjacency), _CANDIDATES), -1, dtype=np.int64)
    matrix = np.empty((7, 7), dtype=np.uint8)
    operations = np.empty(MAX_INNER, dtype=np.int8)
    for cell in range(len(adjacency)):
        vertices = num_vertices[cell]
        count = 0
        operations[:] = labels[cell]
        for vertex in range(vertices - 2):
            for label in range(3):
                if label != labels[cell, vertex]:
                    operations[vertex] = label
                    result[cell, count] = code_of(adjacency[cell], operations, vertices, True)
                    count += 1
            operations[vertex] = labels[cell, vertex]
        for source in range(vertices - 1):
            for target in range(source + 1, vertices):
                matrix[:] = adjacency[cell]
                matrix[source, target] ^= 1
                operations[:] = labels[cell]
                kept = _prune(matrix, operations, vertices)
                if kept > 0:
                    result[cell, count] = code_of(matrix, operations, kept, True)
                    count += 1
    return result


@nb.njit(cache=True)
def _one_edge_fewer(
    adjacency: NDArray[np.uint8], labels: NDArray[np.int8], num_vertices: NDArray[np.int64]
) -> NDArray[np.int64]:
    result = np.full((len(adjacency), MAX_EDGES), -1, dtype=np.int64)
    matrix = np.empty((7, 7), dtype=np.uint8)
    for cell in range(len(adjacency)):
        vertices = num_vertices[cell]
        matrix[:] = adjacency[cell]
        count = 0
        for source in range(vertices - 1):
            for target in range(source + 1, vertices):
                # in a pruned cell, all vertices stay on a path as long as none loses its last edge on one side
                if matrix[source, target] and matrix[source].sum() > 1 and matrix[:, target].sum() > 1:
                    matrix[source, target] = 0
                    result[cell, count] = code_of(matrix, labels[cell], vertices, True)
                    matrix[source, target] = 1
                    count += 1
    return result


@nb.njit(cache=True)
def _prune(matrix: NDArray[np.uint8], labels: NDArray[np.int8], vertices: int) -> int:
    """Move the vertices on a path from input to output to the front; return their number, 0 if there is no path."""
    last = vertices - 1
    fed, feeding = 1, 1 << last
    for target in range(1, vertices):
        for source in range(target):
            if matrix[source, target] and (fed >> source) & 1:
                fed |= 1 << target
    for source in range(last - 1, -1, -1):
        for target in range(source + 1, vertices):
            if matrix[source, target] and (feeding >> target) & 1:
                feeding |= 1 << source
    on_path = fed & feeding
    if not on_path & 1:
        return 0
    kept = 0
    for vertex in range(vertices):
        if (on_path >> vertex) & 1:
            # rows and columns only move towards the front, over entries that were read before
            for other in range(vertices):
                matrix[kept, other] = matrix[vertex, other]
            for other in range(vertices):
                matrix[other, kept] = matrix[other, vertex]
            if 0 < vertex < last:
                labels[kept - 1] = labels[vertex - 1]
            kept += 1
    return kept


@nb.njit(cache=True)
def mutant_row(
    adjacency: NDArray[np.uint8],
    labels: NDArray[np.int8],
    num_vertices: NDArray[np.int64],
    codes: NDArray[np.int64],
    rows: NDArray[np.int64],
    vertices: int,
    row: int,
    attempts: int,
    rng: np.random.Generator,
) -> int:
    """Return the row of a mutant of a cell; see :meth:`terranas.space.searchable.CellSpace.mutate`.

    Args:
        adjacency: arrays of the batch of all cells, with the next two.
        labels: see there.
        num_vertices: see there.
        codes: canonical codes of the cells, ascending.
        rows: the row of the cell of each code.
        vertices: most vertices of a cell.
        row: the cell.
        attempts: mutants to make at most.
        rng: source of all draws.

    Returns:
        The row, or -1 where no attempt led to another cell of the table.
    """
    inner = vertices - 2
    edges = vertices * (vertices - 1) // 2
    matrix = np.empty((7, 7), dtype=np.uint8)
    operations = np.empty(MAX_INNER, dtype=np.int8)
    for _ in range(attempts):
        _fill_up(adjacency[row], labels[row], num_vertices[row], vertices, matrix, operations, rng)
        for source in range(vertices - 1):
            for target in range(source + 1, vertices):
                if rng.random() * edges < 1:
                    matrix[source, target] ^= 1
        for vertex in range(inner):
            if rng.random() * inner < 1:
                operations[vertex] = (operations[vertex] + 1 + int(2 * rng.random())) % 3
        found = _row_of(matrix, operations, vertices, codes, rows)
        if found >= 0 and found != row:
            return found
    return -1


@nb.njit(cache=True)
def child_row(
    adjacency: NDArray[np.uint8],
    labels: NDArray[np.int8],
    num_vertices: NDArray[np.int64],
    codes: NDArray[np.int64],
    rows: NDArray[np.int64],
    vertices: int,
    first: int,
    second: int,
    attempts: int,
    rng: np.random.Generator,
) -> int:
    """Return the row of a child of two cells; see :meth:`terranas.space.searchable.CellSpace.crossover`.

    Arguments as in :func:`mutant_row`; ``first`` and ``second`` are the rows of the parents.

    Returns:
        The row, or -1 where no attempt led to a third cell of the table.
    """
    one = np.empty((7, 7), dtype=np.uint8)
    other = np.empty((7, 7), dtype=np.uint8)
    its_operations = np.empty(MAX_INNER, dtype=np.int8)
    other_operations = np.empty(MAX_INNER, dtype=np.int8)
    for _ in range(attempts):
        _fill_up(adjacency[first], labels[first], num_vertices[first], vertices, one, its_operations, rng)
        _fill_up(adjacency[second], labels[second], num_vertices[second], vertices, other, other_operations, rng)
        for source in range(vertices - 1):
            for target in range(source + 1, vertices):
                if rng.random() < 0.5:
                    one[source, target] = other[source, target]
        for vertex in range(vertices - 2):
            if rng.random() < 0.5:
                its_operations[vertex] = other_operations[vertex]
        found = _row_of(one, its_operations, vertices, codes, rows)
        if found >= 0 and found != first and found != second:
            return found
    return -1


@nb.njit(cache=True)
def _fill_up(
    cell: NDArray[np.uint8],
    labels: NDArray[np.int8],
    size: int,
    vertices: int,
    matrix: NDArray[np.uint8],
    operations: NDArray[np.int8],
    rng: np.random.Generator,
) -> None:
    """Write a cell of some size with as many idle vertices more as it lacks, at random places, random operations."""
    matrix[:] = 0
    places = np.zeros(7, dtype=np.int64)
    places[size - 1] = vertices - 1
    placed = 1
    for vertex in range(1, vertices - 1):
        # each choice of places is equally likely (selection sampling: Knuth, TAOCP 2, 3.4.2, algorithm S)
        if rng.random() * (vertices - 1 - vertex) < size - 1 - placed:
            places[placed] = vertex
            operations[vertex - 1] = labels[placed - 1]
            placed += 1
        else:
            operations[vertex - 1] = int(3 * rng.random())
    for source in range(size - 1):
        for target in range(source + 1, size):
            matrix[places[source], places[target]] = cell[source, target]


@nb.njit(cache=True)
def _row_of(
    matrix: NDArray[np.uint8],
    operations: NDArray[np.int8],
    vertices: int,
    codes: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> int:
    """Prune a graph in place and return the row of its cell, -1 where it is none of the table."""
    kept = _prune(matrix, operations, vertices)
    if kept == 0 or matrix[:kept, :kept].sum() > MAX_EDGES:
        return -1
    code = code_of(matrix, operations, kept, True)
    place = np.searchsorted(codes, code)
    return rows[place] if place < len(codes) and codes[place] == code else -1
