"""The neighbour graphs of the whole space, beside plain Python on a sample.

    python benchmarks/neighbours.py [--sample 500]

The reference finds the neighbours of single cells: edits and edges removed by pruning and hashing each result, one-bit
neighbours by trying all 289 bits against a dictionary of codes (which is made before the clock starts).
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plain
from measure import measured, parser_of, seconds, show, table

from terranas.core.tables import write_table
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.neighbours import NEIGHBOURHOODS, build_neighbours, read_graph, summarise, write_graph
from terranas.space.schema import CELLS
from terranas.space.table import cells_table

COLUMNS = ["hash", "num_vertices", "adjacency", "operations"]


def cells_of(folder: Path) -> pd.DataFrame:
    """Return the table of cells."""
    return pd.read_parquet(folder / "cells.parquet", columns=COLUMNS)


def with_name(folder: Path, name: str) -> tuple[pd.DataFrame, str]:
    """Return cells and neighbourhood as one argument."""
    return cells_of(folder), name


def build(given: tuple[pd.DataFrame, str]) -> int:
    """Build a graph and return the number of its arcs."""
    return len(build_neighbours(*given).indices)


def write(folder: Path, name: str) -> dict[str, Any]:
    """Write a graph and return its summary."""
    cells = cells_of(folder)
    graph = build_neighbours(cells, name)
    summary = summarise(graph, cells, name)
    write_graph(graph, summary, *(folder / f"{name}.{end}" for end in ("indptr.npy", "indices.npy", "json")))
    return summary


def load(given: tuple[pd.DataFrame, Path, str]) -> int:
    """Load a graph, mapped into memory, and return the number of its cells."""
    cells, folder, name = given
    return len(read_graph(*(folder / f"{name}.{end}" for end in ("indptr.npy", "indices.npy", "json")), cells))


def loadable(folder: Path, name: str) -> tuple[pd.DataFrame, Path, str]:
    """Return the arguments of :func:`load`."""
    return cells_of(folder)[["hash"]], folder, name


def plainly(folder: Path, name: str, sample: int) -> tuple[str, list[Any], dict[Any, int]]:
    """Return what the reference starts from: sampled cells, and rows by hash or by code."""
    cells = cells_of(folder)
    picked = np.linspace(0, len(cells) - 1, sample).astype(int)
    parsed = [plain.parse(*row) for row in cells[["adjacency", "operations"]].itertuples(index=False, name=None)]
    if name == "hamming":
        codes = [plain.bits(plain.expanded(cell)) for cell in parsed]
        return name, [codes[row] for row in picked], {code: row for row, code in enumerate(codes)}
    return name, [parsed[row] for row in picked], {name: row for row, name in enumerate(cells["hash"])}


def find(given: tuple[str, list[Any], dict[Any, int]]) -> int:
    """Return the number of neighbours of the sampled cells, found one by one."""
    name, cells, row_of = given
    neighbours = {"hamming": plain.hamming_neighbours, "hamming_any": plain.fewer_edges}.get(
        name, plain.edit_neighbours
    )
    return sum(len(neighbours(cell, row_of)) for cell in cells)


def main() -> None:
    """Print times, memory, ratios, and what the graphs look like."""
    parser = parser_of(__doc__)
    parser.add_argument("--sample", type=int, default=500, help="cells whose neighbours the reference finds")
    options = parser.parse_args()
    rows, facts = [], []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_table(cells_table(7, 9, CIFAR10_NETWORK), folder / "cells.parquet", CELLS)
        for name in NEIGHBOURHOODS:
            summary = measured(write, folder, name, runs=1).result
            ours = measured(build, folder, name, prepare=with_name, runs=2)
            loading = measured(load, folder, name, prepare=loadable)
            row = [name, f"{ours.result:,}", seconds(ours.seconds), f"{ours.megabytes:.0f}", seconds(loading.seconds)]
            if name == "edit_symmetric":
                row += ["as edit", ""]
            else:
                reference = measured(find, folder, name, options.sample, prepare=plainly, runs=1)
                whole = reference.seconds / options.sample * summary["cells"]
                row += [f"{seconds(whole)} (from {options.sample:,})", f"{whole / ours.seconds:.0f}"]
            rows.append(row)
            degree = summary["degree"]
            facts.append(
                [
                    name,
                    f"{summary['edges']:,}",
                    f"{summary['isolated']:,}",
                    f"{summary['components']:,}",
                    f"{summary['largest_components'][0]:,}",
                    f"{degree['min']} / {degree['median']:g} / {degree['mean']:.2f} / {degree['max']}",
                ]
            )
    show(["graph", "arcs", "build", "MiB", "load", "plain", "ratio"], rows, options.json)
    print()
    print(table(["graph", "edges", "isolated", "components", "largest", "degree min/median/mean/max"], facts))


if __name__ == "__main__":
    main()
