"""The whole table of cells with MD5s, parameters and MACs, beside plain Python on a sample.

python benchmarks/cells_table.py [--sample 20000]
"""

import tempfile
from pathlib import Path

import pandas as pd
import plain
from measure import measured, parser_of, seconds, show

from terranas.core.tables import write_table
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.enumeration import enumerate_cells
from terranas.space.md5 import cell_hashes
from terranas.space.schema import CELLS
from terranas.space.table import cells_table


def write_cells(path: Path) -> int:
    """Write the table of all cells and return their number."""
    cells = cells_table(7, 9, CIFAR10_NETWORK)
    write_table(cells, path, CELLS)
    return len(cells)


def hash_all(vertices: int) -> int:
    """Hash all cells and return their number."""
    return len(cell_hashes(enumerate_cells(vertices)))


def sampled(path: Path, number: int) -> list[plain.PlainCell]:
    """Return cells of the table, evenly spread."""
    cells = pd.read_parquet(path, columns=["adjacency", "operations"])
    cells = cells.iloc[:: max(1, len(cells) // number)].head(number)
    return [plain.parse(*row) for row in cells.itertuples(index=False, name=None)]


def hash_sample(cells: list[plain.PlainCell]) -> int:
    """Hash cells one by one and return their number."""
    return len([plain.cell_hash(cell) for cell in cells])


def main() -> None:
    """Print times, memory and the ratio of the hashes."""
    parser = parser_of(__doc__)
    parser.add_argument("--sample", type=int, default=20_000, help="cells that the reference hashes")
    options = parser.parse_args()
    compiling = measured(hash_all, 3, runs=1, fresh_compilation=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells.parquet"
        whole = measured(write_cells, path, runs=1)
        hashes = measured(hash_all, 7, runs=1)
        reference = measured(hash_sample, path, options.sample, prepare=sampled, runs=1)
    each, plainly = hashes.seconds / hashes.result, reference.seconds / reference.result
    rows = [
        ["whole table, written", f"{whole.result:,}", seconds(whole.seconds), f"{whole.megabytes:.0f}", "", ""],
        [
            "enumeration and MD5s",
            f"{hashes.result:,}",
            seconds(hashes.seconds),
            f"{hashes.megabytes:.0f}",
            f"{seconds(plainly * hashes.result)} (from {reference.result:,}, MD5s only)",
            f"{plainly / each:.0f}",
        ],
    ]
    show(["what", "cells", "ours", "MiB", "plain", "ratio"], rows, options.json)
    print(f"Compilation, once a machine and not in the times above: {seconds(compiling.seconds)}.")


if __name__ == "__main__":
    main()
