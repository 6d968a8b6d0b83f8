"""What a cell's graph and network look like in a few numbers: an input of surrogates that people can read."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.space.batch import CellBatch
from terranas.space.cell import MAX_VERTICES, OPERATIONS
from terranas.space.complexity import NetworkShape, complexity_of, vertex_channels


def graph_features(cells: pd.DataFrame, shape: NetworkShape) -> pd.DataFrame:
    """Return numbers that describe each cell, one row a cell in the table's order and with its index.

    Isomorphic cells may differ in channels, MACs and parameters where the output's channels cannot be shared out
    equally; in all else they agree.

    Args:
        cells: table with the columns num_vertices, adjacency and operations.
        shape: the network for channels, MACs and parameters.

    Returns:
        A table with these columns, of int64 where not said otherwise.

        - ``num_vertices``, ``num_edges``, ``num_conv3x3``, ``num_conv1x1``, ``num_maxpool3x3``: counts.
        - ``longest_path``, ``shortest_path``: edges on the longest and shortest path from input to output.
        - ``num_paths``: paths from input to output.
        - ``input_degree``, ``output_degree``: edges that leave the input and that enter the output.
        - ``has_skip``: 1 where an edge leads from input to output, else 0.
        - ``width``: most vertices at one depth, which is the longest way from the input.
        - ``min_channels``, ``mean_channels``, ``max_channels`` (float64): channels of the inner vertices as shares of
          the output's, in the first stack; 1 where there is no inner vertex.
        - ``log10_macs``, ``log10_parameters`` (float64): of the whole network.

    Raises:
        CellError: the network has too few channels for some cell.
    """
    batch = CellBatch.from_table(cells)
    rows, last = np.arange(len(batch)), batch.num_vertices - 1
    depths = _depths(batch)
    shortest, paths = _shortest_and_number(batch)
    channels = _channel_shares(batch, shape.stem_channels)
    parameters, macs = complexity_of(batch, shape)
    is_vertex = np.arange(MAX_VERTICES) < batch.num_vertices[:, None]
    at_depth = [((depths == depth) & is_vertex).sum(axis=1) for depth in range(MAX_VERTICES)]
    return pd.DataFrame(
        {
            "num_vertices": batch.num_vertices,
            "num_edges": batch.adjacency.sum(axis=(1, 2), dtype=np.int64),
            **operation_counts(batch),
            "longest_path": depths[rows, last],
            "shortest_path": shortest[rows, last],
            "num_paths": paths[rows, last],
            "input_degree": batch.adjacency[:, 0].sum(axis=1, dtype=np.int64),
            "output_degree": batch.adjacency[rows, :, last].sum(axis=1, dtype=np.int64),
            "has_skip": batch.adjacency[rows, 0, last].astype(np.int64),
            "width": np.max(at_depth, axis=0),
            "min_channels": np.nanmin(channels, axis=1),
            "mean_channels": np.nanmean(channels, axis=1),
            "max_channels": np.nanmax(channels, axis=1),
            "log10_macs": np.log10(macs),
            "log10_parameters": np.log10(parameters),
        },
        index=cells.index,
    )


def operation_counts(batch: CellBatch) -> dict[str, NDArray[np.int64]]:
    """Return the number of vertices of each operation, by column name (``num_conv3x3`` and so on)."""
    return {
        f"num_{name.split('-')[0]}": (batch.labels == label).sum(axis=1, dtype=np.int64)
        for label, name in enumerate(OPERATIONS)
    }


def longest_paths(batch: CellBatch) -> NDArray[np.int64]:
    """Return the number of edges on each cell's longest path from input to output, shape (cells,)."""
    return _depths(batch)[np.arange(len(batch)), batch.num_vertices - 1]


def _depths(batch: CellBatch) -> NDArray[np.int64]:
    """Return the number of edges on the longest way from the input to each vertex, shape (cells, 7)."""
    depths = np.zeros((len(batch), MAX_VERTICES), dtype=np.int64)
    for target in range(1, MAX_VERTICES):
        through = (depths[:, :target] + 1) * batch.adjacency[:, :target, target]
        depths[:, target] = through.max(axis=1)
    return depths


def _shortest_and_number(batch: CellBatch) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return edges on the shortest way from the input to each vertex, and the number of ways, each (cells, 7)."""
    shortest = np.full((len(batch), MAX_VERTICES), MAX_VERTICES, dtype=np.int64)
    number = np.zeros((len(batch), MAX_VERTICES), dtype=np.int64)
    shortest[:, 0], number[:, 0] = 0, 1
    for target in range(1, MAX_VERTICES):
        edges = batch.adjacency[:, :target, target]
        number[:, target] = (number[:, :target] * edges).sum(axis=1)
        shortest[:, target] = np.where(edges, shortest[:, :target] + 1, MAX_VERTICES).min(axis=1)
    return shortest, number


def _channel_shares(batch: CellBatch, channels: int) -> NDArray[np.float64]:
    """Return the channels of inner vertices by those of the output, shape (cells, 5), NaN where there is no vertex.

    A cell without inner vertices has the single entry 1.
    """
    shares = np.full((len(batch), MAX_VERTICES - 2), np.nan)
    shares[batch.num_vertices == 2, 0] = 1
    for vertices, rows in batch.groups():
        widths = vertex_channels(batch.adjacency[rows, :vertices, :vertices], channels)
        shares[rows, : vertices - 2] = widths[:, 1:-1] / channels
    return shares
