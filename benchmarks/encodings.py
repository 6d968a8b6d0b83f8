"""Encoding the whole space, beside plain Python on a sample.

    python benchmarks/encodings.py [--sample 20000]

Times start from the table of cells, strings included.
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import plain
from measure import measured, parser_of, seconds, show

from terranas.core.tables import write_table
from terranas.space import encodings
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.features import graph_features
from terranas.space.schema import CELLS
from terranas.space.table import cells_table


def cells_of(path: Path) -> pd.DataFrame:
    """Return the table of cells."""
    return pd.read_parquet(path)


def sampled(path: Path, number: int) -> list[tuple[str, str]]:
    """Return adjacency and operations of cells, evenly spread."""
    cells = pd.read_parquet(path, columns=["adjacency", "operations"])
    cells = cells.iloc[np.linspace(0, len(cells) - 1, number).astype(int)]
    return list(cells.itertuples(index=False, name=None))


def expanded_matrices(cells: pd.DataFrame) -> int:
    """Encode as 17x17 matrices."""
    return encodings.expanded_adjacency(cells).size


def expanded_bits(cells: pd.DataFrame) -> int:
    """Encode as 17x17 matrices of single bits."""
    return encodings.expanded_bits(cells).size


def one_hot(cells: pd.DataFrame) -> int:
    """Encode as adjacency and one-hot operations."""
    return encodings.adjacency_one_hot(cells).size


def paths(cells: pd.DataFrame) -> int:
    """Encode as paths."""
    return encodings.path_encoding(cells).size


def features(cells: pd.DataFrame) -> int:
    """Encode as features of the graph."""
    return graph_features(cells, CIFAR10_NETWORK).size


def plain_expanded(cells: list[tuple[str, str]]) -> int:
    """Encode one by one as 17x17 matrices."""
    return np.array([plain.expanded(plain.parse(*cell)) for cell in cells], dtype=np.uint8).size


def plain_one_hot(cells: list[tuple[str, str]]) -> int:
    """Encode one by one as adjacency and one-hot operations."""
    return np.array([plain.one_hot(plain.parse(*cell)) for cell in cells], dtype=np.float32).size


def plain_paths(cells: list[tuple[str, str]]) -> int:
    """Encode one by one as paths."""
    return np.array([plain.paths(plain.parse(*cell)) for cell in cells], dtype=np.uint8).size


def main() -> None:
    """Print times, memory and ratios."""
    parser = parser_of(__doc__)
    parser.add_argument("--sample", type=int, default=20_000, help="cells that the reference encodes")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells.parquet"
        cells = cells_table(7, 9, CIFAR10_NETWORK)
        write_table(cells, path, CELLS)
        for name, encode, reference in (
            ("17x17, entries", expanded_matrices, plain_expanded),
            ("17x17, bits", expanded_bits, plain_expanded),
            ("adjacency one-hot", one_hot, plain_one_hot),
            ("paths", paths, plain_paths),
            ("graph features", features, None),
        ):
            ours = measured(encode, path, prepare=cells_of)
            row = [name, seconds(ours.seconds), f"{ours.before:.0f} to {ours.megabytes:.0f}"]
            if reference is not None:
                slow = measured(reference, path, options.sample, prepare=sampled, runs=1)
                whole = slow.seconds / options.sample * len(cells)
                row += [f"{seconds(whole)} (from {options.sample:,})", f"{whole / ours.seconds:.0f}"]
            else:
                row += ["", ""]
            rows.append(row)
    print(f"{len(cells):,} cells")
    show(["encoding", "ours", "MiB before to peak", "plain", "ratio"], rows, options.json)


if __name__ == "__main__":
    main()
