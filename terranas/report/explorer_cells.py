"""What the explorer shows of single architectures, packed in shards of some thousand rows: keys, graphs, neighbours."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.report.shards import plane_bytes
from terranas.space.batch import MAX_INNER, CellBatch
from terranas.space.cell import MAX_VERTICES
from terranas.space.neighbours import NeighbourGraph

KEY_ROWS = 1 << 14
"""Architectures a shard of keys and graphs: a click loads one, of some 300 kB."""

NEIGHBOUR_ROWS = 1 << 12
"""Architectures a shard of neighbours, of which each has about 18 in the whole space of NAS-Bench-101."""

HASH_BYTES = 16
_PAIRS = np.triu_indices(MAX_VERTICES, 1)
"""Pairs of vertices in the order of a graph's bits: 21 of them, above which the number of vertices stands."""


def are_hashes(keys: Sequence[str]) -> bool:
    """Return whether all keys are MD5 hashes, which need half the room as bytes."""
    return all(len(key) == 2 * HASH_BYTES for key in keys) and set("".join(keys)) <= set("0123456789abcdef")


def key_shards(keys: Sequence[str], graphs: tuple[NDArray[np.uint32], NDArray[np.uint16]] | None) -> Iterator[bytes]:
    """Yield the keys of each :data:`KEY_ROWS` architectures and, where given, their graphs.

    A shard begins with the number of the bytes of its keys; these are hashes byte by byte (first bytes of all, second
    bytes of all, ...) or texts, one a line. Edges and operations of the graphs follow.
    """
    hashes = are_hashes(keys)
    for start in range(0, len(keys), KEY_ROWS):
        rows = slice(start, start + KEY_ROWS)
        if hashes:
            raw = np.frombuffer(bytes.fromhex("".join(keys[rows])), dtype=np.uint8)
            content = raw.reshape(-1, HASH_BYTES).T.tobytes()
        else:
            content = "\n".join(keys[rows]).encode()
        shard = np.array([len(content)], dtype="<u4").tobytes() + content
        if graphs is not None:
            shard += plane_bytes(graphs[0][rows]) + plane_bytes(graphs[1][rows])
        yield shard


def packed_graphs(cells: pd.DataFrame, row_of: NDArray[np.int64]) -> tuple[NDArray[np.uint32], NDArray[np.uint16]]:
    """Return the graphs of architectures as integers.

    Args:
        cells: table of the schema ``CELLS``.
        row_of: row in it of each architecture, -1 where there is none.

    Returns:
        Shape (architectures,) each: a bit an edge with the number of vertices above them, 0 without a graph; and two
        bits an inner vertex, the position of its operation in ``OPERATIONS``.
    """
    edges = np.zeros(len(row_of), dtype=np.uint32)
    operations = np.zeros(len(row_of), dtype=np.uint16)
    known = np.flatnonzero(row_of >= 0)
    # piece by piece: parsing all cells at once would take 300 MB
    for start in range(0, len(known), KEY_ROWS):
        rows = known[start : start + KEY_ROWS]
        batch = CellBatch.from_table(cells.iloc[row_of[rows]])
        edges[rows] = batch.num_vertices << len(_PAIRS[0])
        for bit, (source, target) in enumerate(zip(*_PAIRS, strict=True)):
            edges[rows] |= batch.adjacency[:, source, target].astype(np.uint32) << np.uint32(bit)
        for vertex in range(MAX_INNER):
            operations[rows] |= np.maximum(batch.labels[:, vertex], 0).astype(np.uint16) << np.uint16(2 * vertex)
    return edges, operations


def neighbour_shards(graph: NeighbourGraph, row_of: NDArray[np.int64]) -> Iterator[bytes]:
    """Yield the neighbours of each :data:`NEIGHBOUR_ROWS` architectures.

    A shard holds, for each architecture, the number of its neighbours in the space and of those in the table; and then
    the table's rows of the latter, ascending, as differences: of the first to zero, of each other to the one before.

    Args:
        graph: over the rows of the table of cells.
        row_of: row in it of each architecture, ascending; -1 where there is none, which has no neighbours.
    """
    table_row = np.full(len(graph) + 1, -1, dtype=np.int64)
    table_row[row_of] = np.arange(len(row_of))
    table_row[-1] = -1
    starts = np.append(graph.indptr, graph.indptr[-1])  # the -1 of an unknown cell: from the end to the end
    for start in range(0, len(row_of), NEIGHBOUR_ROWS):
        cells = row_of[start : start + NEIGHBOUR_ROWS]
        first = np.where(cells < 0, 0, starts[cells])
        degree = np.where(cells < 0, 0, starts[cells + 1] - first)
        arcs = np.arange(degree.sum()) - np.repeat(np.cumsum(degree) - degree, degree) + np.repeat(first, degree)
        # they ascend as in the graph, since rows of the table follow the table of cells
        found = table_row[graph.indices[arcs]]
        source = np.repeat(np.arange(len(cells)), degree)[found >= 0]
        found = found[found >= 0]
        inside = np.bincount(source, minlength=len(cells))
        differences = np.diff(found, prepend=0)
        heads = (np.cumsum(inside) - inside)[inside > 0]
        differences[heads] = found[heads]
        yield (
            plane_bytes(degree.astype(np.uint16))
            + plane_bytes(inside.astype(np.uint16))
            + plane_bytes(differences.astype(np.uint32))
        )
