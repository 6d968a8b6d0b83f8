"""Importing, loading and querying a table of NAS-Bench-101's full size, beside plain Python.

    python benchmarks/nasbench101_table.py [--cells 423624] [--file FILE]

The file is made up in the published format (see make_nasbench101.py) unless one is given. The reference reads it into
nested dictionaries, as NAS-Bench-101's own reader does.
"""

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measure import measured, parser_of, seconds, show

from terranas.benchmark.tabular import TabularBenchmark

# other parts of the library are imported where they are used: a process that loads a table needs nothing but the above

METRICS = ["validation_micro_accuracy", "training_seconds"]
QUERIES = 100_000


def import_file(folder: Path, records: Path) -> int:
    """Import a file as the workflow does, report included, and return the number of rows."""
    from terranas.benchmark.imported import store_import
    from terranas.benchmark.nasbench101 import import_nasbench101
    from terranas.benchmark.space_index import SpaceIndex
    from terranas.core.tables import read_table
    from terranas.space.schema import CELLS

    index = SpaceIndex(read_table(folder / "cells.parquet", CELLS))
    with records.open("rb") as file:
        imported = import_nasbench101(file, records.name, index)
    store_import(imported, folder / "table.parquet", folder / "report.json")
    return len(imported.table)


def load(folder: Path) -> int:
    """Open the imported table and read two metrics."""
    benchmark = TabularBenchmark.open(folder / "table.parquet")
    benchmark.values(METRICS, [])
    return len(benchmark)


def query(folder: Path) -> tuple[float, float]:
    """Return the seconds of a query by hashes and of one by ids, 100,000 architectures each."""
    benchmark = TabularBenchmark.open(folder / "table.parquet")
    names = random.Random(0).choices(benchmark.architectures, k=QUERIES)
    benchmark.values(METRICS, names)
    start = time.perf_counter()
    benchmark.values(METRICS, names)
    by_hash = time.perf_counter() - start
    of_name = dict(pd.read_parquet(folder / "table.parquet", columns=["hash", "id"]).itertuples(index=False, name=None))
    ids = np.array([of_name[name] for name in names])
    benchmark.values(METRICS, ids)
    start = time.perf_counter()
    benchmark.values(METRICS, ids)
    return by_hash, time.perf_counter() - start


def plain_read(records: Path) -> tuple[int, float]:
    """Return the number of cells, and the seconds of a query, of the reference."""
    import plain

    cells: dict[str, Any] = plain.read_nasbench101(records)
    names = random.Random(0).choices(sorted(cells), k=QUERIES)
    (epochs,) = next(iter(cells.values()))[1]
    start = time.perf_counter()
    for name in names:
        runs = cells[name][1][epochs]
        [sum(run[key] for run in runs) / len(runs) for key in ("final_validation_accuracy", "final_training_time")]
    return len(cells), time.perf_counter() - start


def main() -> None:
    """Print times, memory and ratios."""
    from terranas.core.tables import write_table
    from terranas.space.complexity import CIFAR10_NETWORK
    from terranas.space.schema import CELLS
    from terranas.space.table import cells_table

    parser = parser_of(__doc__)
    parser.add_argument("--cells", type=int, default=423_624, help="cells of the made-up file, three records each")
    parser.add_argument("--file", type=Path, help="a published file instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        records = options.file or folder / "records.tfrecord"
        if options.file is None:
            program = Path(__file__).with_name("make_nasbench101.py")
            subprocess.run([sys.executable, program, records, "--cells", str(options.cells)], check=True)
        write_table(cells_table(7, 9, CIFAR10_NETWORK), folder / "cells.parquet", CELLS)
        importing = measured(import_file, folder, records, runs=1)
        loading = measured(load, folder)
        asking = measured(query, folder, runs=1)
        reference = measured(plain_read, records, runs=1)
        size = records.stat().st_size
    by_hash, by_id = asking.result
    _, asked = reference.result
    read = [seconds(reference.seconds - asked), f"{reference.megabytes:.0f}"]
    rows = [
        ["import to parquet, with checks", seconds(importing.seconds), f"{importing.megabytes:.0f}", *read],
        ["load, two metrics", seconds(loading.seconds), f"{loading.megabytes:.0f}", *read],
        [f"query {QUERIES:,} by hash", seconds(by_hash), f"{asking.megabytes:.0f}", seconds(asked), ""],
        [f"query {QUERIES:,} by id", seconds(by_id), f"{asking.megabytes:.0f}", seconds(asked), ""],
    ]
    plainly = [reference.seconds - asked, reference.seconds - asked, asked, asked]
    ours = [importing.seconds, loading.seconds, by_hash, by_id]
    for row, slow, fast in zip(rows, plainly, ours, strict=True):
        row.append(f"{slow / fast:.1f}" if slow < 100 * fast else f"{slow / fast:.0f}")
    print(f"{importing.result:,} records of {loading.result:,} cells, {size / 1e6:.0f} MB")
    show(["what", "ours", "MiB", "plain", "MiB", "ratio"], rows, options.json)


if __name__ == "__main__":
    main()
