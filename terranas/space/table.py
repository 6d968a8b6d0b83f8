"""The search space as a table."""

import numpy as np
import pandas as pd

from terranas.space.cell import MAX_EDGES, MAX_VERTICES
from terranas.space.complexity import NetworkShape, complexity_of
from terranas.space.enumeration import enumerate_cells
from terranas.space.features import longest_paths, operation_counts
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
    parameters, macs = complexity_of(batch, shape)
    whole = (max_vertices, max_edges) == (MAX_VERTICES, MAX_EDGES)
    ids = np.arange(len(batch)) if whole else [None] * len(batch)
    adjacency, operations = batch.to_strings()
    return pd.DataFrame(
        {
            "id": pd.array(ids, dtype="Int64"),
            "hash": hashes[order].tolist(),
            "num_vertices": batch.num_vertices,
            "num_edges": batch.adjacency.sum(axis=(1, 2), dtype=np.int64),
            "adjacency": adjacency,
            "operations": operations,
            "depth": longest_paths(batch),
            **operation_counts(batch),
            "parameters": parameters,
            "macs": macs,
        }
    )
