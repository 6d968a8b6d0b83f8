"""The search space as a table."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.space.batch import CellBatch
from terranas.space.cell import INPUT, MAX_EDGES, MAX_VERTICES, OPERATIONS, OUTPUT
from terranas.space.complexity import NetworkShape, macs_of, parameters_of
from terranas.space.enumeration import enumerate_cells
from terranas.space.md5 import cell_hashes


def cells_table(max_vertices: int, max_edges: int, shape: NetworkShape) -> pd.DataFrame:
    """Return all cells of at most so many vertices and edges, ascending by hash.

    Args:
        max_vertices: 2 to 7.
        max_edges: 1 to 9.
        shape: the network that parameters and MACs are counted for.

    Returns:
        A table of the schema ``CELLS``. ``id`` is the rank of the hash in the whole space of NAS-Bench-101 (the
        numbers the thesis uses) when that is what the table holds, else null.

    Raises:
        CellError: the network has too few channels for some cell.
    """
    batch = enumerate_cells(max_vertices, max_edges)
    hashes = np.array(cell_hashes(batch), dtype="U32")
    order = np.argsort(hashes)
    batch = batch[order]
    parameters = np.empty(len(batch), dtype=np.int64)
    macs = np.empty(len(batch), dtype=np.int64)
    for vertices, rows in batch.groups():
        matrices = batch.adjacency[rows, :vertices, :vertices]
        labels = batch.labels[rows, : vertices - 2].astype(np.int64)
        parameters[rows] = parameters_of(matrices, labels, shape)
        macs[rows] = macs_of(matrices, labels, shape)
    whole = (max_vertices, max_edges) == (MAX_VERTICES, MAX_EDGES)
    ids = np.arange(len(batch)) if whole else [None] * len(batch)
    adjacency, operations = _as_strings(batch)
    return pd.DataFrame(
        {
            "id": pd.array(ids, dtype="Int64"),
            "hash": hashes[order].tolist(),
            "num_vertices": batch.num_vertices,
            "num_edges": batch.adjacency.sum(axis=(1, 2), dtype=np.int64),
            "adjacency": adjacency,
            "operations": operations,
            "depth": longest_paths(batch),
            **{
                f"num_{name.split('-')[0]}": (batch.labels == label).sum(axis=1)
                for label, name in enumerate(OPERATIONS)
            },
            "parameters": parameters,
            "macs": macs,
        }
    )


def longest_paths(batch: CellBatch) -> NDArray[np.int64]:
    """Return the number of edges on each cell's longest path from input to output, shape (cells,)."""
    lengths = np.zeros((len(batch), MAX_VERTICES), dtype=np.int64)
    for target in range(1, MAX_VERTICES):
        through = (lengths[:, :target] + 1) * batch.adjacency[:, :target, target]
        lengths[:, target] = through.max(axis=1)
    return lengths[np.arange(len(batch)), batch.num_vertices - 1]


def _as_strings(batch: CellBatch) -> tuple[list[str], list[str]]:
    """Return adjacency and operations of each cell as :class:`terranas.space.cell.Cell` writes them."""
    adjacency = np.empty(len(batch), dtype=object)
    operations = np.empty(len(batch), dtype=object)
    for vertices, rows in batch.groups():
        digits = batch.adjacency[rows, :vertices, :vertices].reshape(len(rows), -1) + ord("0")
        adjacency[rows] = digits.astype(np.uint8).view(f"S{vertices**2}")[:, 0].astype("U").tolist()
        names = [[OPERATIONS[label] for label in cell] for cell in batch.labels[rows, : vertices - 2].tolist()]
        operations[rows] = [",".join((INPUT, *cell, OUTPUT)) for cell in names]
    return adjacency.tolist(), operations.tolist()
