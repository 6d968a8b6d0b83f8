"""Data of the explorer: a page that shows every architecture of a tabular benchmark as a point.

All architectures of the table, by ascending keys, are the rows of the page. Columns are shards of their own and load
when an axis, a colour, a filter or a file needs them; keys, graphs and neighbours load with a click.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import TableError
from terranas.report.explorer_cells import (
    KEY_ROWS,
    NEIGHBOUR_ROWS,
    are_hashes,
    key_shards,
    neighbour_shards,
    packed_graphs,
)
from terranas.report.explorer_columns import (
    ExplorerColumn,
    benchmark_columns,
    cell_columns,
    described,
    operation_columns,
    packed,
)
from terranas.report.findings import NEIGHBOURHOODS
from terranas.report.shards import plane_bytes, write_shard
from terranas.space.neighbours import NeighbourGraph
from terranas.space.schema import CELLS


@dataclass(frozen=True)
class ExplorerSource:
    """A tabular benchmark and what belongs to its architectures.

    Attributes:
        name: the benchmark's name in file names: letters, digits, ``_``, ``-``.
        benchmark: the table.
        cells: the table of cells of the schema ``CELLS``, for architectures that are cells of NAS-Bench-101; None for
            other search spaces.
        graph: neighbours among the rows of ``cells``; None where there are none to show.
        neighbourhood: name of the graph's neighbourhood; empty without a graph.
        walks: table of the schema ``WALKS``; None where no walk belongs to the table.
        objectives: names of metrics; the first two are the first axes.
    """

    name: str
    benchmark: TabularBenchmark
    cells: pd.DataFrame | None
    graph: NeighbourGraph | None
    neighbourhood: str
    walks: pd.DataFrame | None
    objectives: Sequence[str]


def write_explorer(source: ExplorerSource, site: str | Path) -> dict[str, Any]:
    """Write the shards of an explorer and return what its page must know (``manifest`` of ``explorer.html``).

    Args:
        source: what is explored.
        site: folder of the report's pages.

    Raises:
        TableError: fewer than two columns have a value, an objective has none, or a graph came without its cells.
    """
    if source.graph is not None and source.cells is None:
        raise TableError("Neighbours are rows of the table of cells; give the explorer that table too.")
    keys = source.benchmark.architectures
    row_of = _rows(source.cells, keys)
    known = _columns(source, row_of)
    axes = _axes(source, [column.key for column in known if not np.isnan(column.values).all()])
    folder = f"explorer/{source.name}"
    columns = []
    for number, column in enumerate(known):
        facts, content = packed(column.values)
        shard = f"{folder}/column-{number:02d}"
        columns.append({**described(column), **facts, "shard": shard})
        write_shard(site, shard, content)

    graphs = None if source.cells is None else packed_graphs(source.cells, row_of)
    for number, content in enumerate(key_shards(keys, graphs)):
        write_shard(site, f"{folder}/keys-{number:02d}", content)
    if source.graph is not None:
        for number, content in enumerate(neighbour_shards(source.graph, row_of)):
            write_shard(site, f"{folder}/neighbours-{number:03d}", content)
    walks = _visits(source.walks, keys)
    if len(walks):
        write_shard(site, f"{folder}/walks", b"".join(plane_bytes(walks[:, part]) for part in range(3)))
    return {
        "name": source.name,
        "folder": folder,
        "rows": len(keys),
        "key": source.benchmark.key,
        "hashes": are_hashes(keys),
        "heads": keys[::KEY_ROWS],
        "key_rows": KEY_ROWS,
        "neighbour_rows": NEIGHBOUR_ROWS,
        "columns": columns,
        "axes": axes,
        "graphs": graphs is not None,
        "neighbourhood": source.neighbourhood if source.graph is not None else "",
        "neighbourhood_words": NEIGHBOURHOODS.get(source.neighbourhood, source.neighbourhood),
        "visits": len(walks),
        "walks": len(np.unique(walks[:, 0])),
        "dataset": source.benchmark.dataset,
        "measured_by": source.benchmark.measured_by,
        "epochs": source.benchmark.epochs,
        "fidelities": source.benchmark.fidelities,
        "space_size": source.benchmark.space_size,
    }


def _rows(cells: pd.DataFrame | None, keys: Sequence[str]) -> NDArray[np.int64]:
    """Return the row of each architecture in the table of cells, -1 where it is not there."""
    if cells is None:
        return np.full(len(keys), -1, dtype=np.int64)
    return np.asarray(pd.Index(cells["hash"]).get_indexer(pd.Index(keys)), dtype=np.int64)


def _columns(source: ExplorerSource, row_of: NDArray[np.int64]) -> list[ExplorerColumn]:
    """Return all columns: metrics, then what is known of the graphs, then ids where all architectures have one."""
    columns = [*benchmark_columns(source.benchmark), *operation_columns(source.benchmark.architectures)]
    if source.cells is not None:
        columns += cell_columns(source.cells, row_of, {column.key for column in columns})
        ids = np.append(source.cells["id"].to_numpy(dtype=np.float64, na_value=np.nan), np.nan)[row_of]
        if not np.isnan(ids).any():
            columns.append(ExplorerColumn("id", "id", CELLS.column("id").meaning, "", "", "state", ids))
    return columns


def _axes(source: ExplorerSource, keys: Sequence[str]) -> list[str]:
    """Return the keys of the first two axes: the second objective is the abscissa, as costs are in the figures.

    Raises:
        TableError: there are no two columns, or an objective is none of them.
    """
    if len(keys) < 2:
        raise TableError(
            f"The explorer of '{source.name}' needs two columns with values, found: {', '.join(keys) or 'none'}."
        )
    wanted = [_column_of(name, source.benchmark.device, keys) for name in source.objectives[:2]]
    for name, found in zip(source.objectives, wanted, strict=False):
        if not found:
            raise TableError(
                f"The explorer of '{source.name}' has no values of the objective '{name}'. Known: {', '.join(keys)}."
            )
    others = [key for key in keys if key not in wanted]
    return [*wanted, *others][:2][::-1]


def _column_of(metric: str, device: str, keys: Sequence[str]) -> str:
    """Return the key of a metric's column: on the chosen device, or on the only one with values; empty without one."""
    if metric in keys:
        return metric
    on_devices = [key for key in keys if key.startswith(f"{metric}@") and "#" not in key]
    chosen = f"{metric}@{device}"
    if chosen in on_devices:
        return chosen
    return on_devices[0] if len(on_devices) == 1 else ""


def _visits(walks: pd.DataFrame | None, keys: Sequence[str]) -> NDArray[np.int32]:
    """Return walk, step and row (-1: not in the table) of each visit, in order; shape (visits, 3)."""
    if walks is None:
        return np.empty((0, 3), dtype=np.int32)
    ordered = walks.sort_values(["walk", "step"])
    row = pd.Index(keys).get_indexer(pd.Index(ordered["hash"]))
    return np.column_stack([ordered["walk"], ordered["step"], row]).astype(np.int32)
