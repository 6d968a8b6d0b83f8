"""Made-up tables for the explorer: all 91 cells of at most four vertices, or as many rows as the whole space."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from terranas.benchmark.schema import BENCHMARK, METRICS, metrics_named, table_schema
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.tables import Column
from terranas.report.explorer import ExplorerSource
from terranas.sampling.schema import WALKS
from terranas.space.complexity import NetworkShape
from terranas.space.neighbours import build_neighbours
from terranas.space.table import cells_table

OBJECTIVES = ("validation_micro_accuracy", "macs")
SPACE = 423_624
SMALL_NETWORK = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=8, stacks=3, cells_per_stack=1)


@cache
def small_cells() -> pd.DataFrame:
    """Return the cells of at most four vertices."""
    return cells_table(4, 9, SMALL_NETWORK)


def small_table(dataset: str = "images") -> pd.DataFrame:
    """Return a table with one training of each cell."""
    cells = small_cells()
    rng = np.random.default_rng(3)
    weight = np.log(cells["macs"].to_numpy(dtype=np.float64))
    known = {
        "train_loss": 2.0 - weight / 20,
        "validation_micro_accuracy": np.clip(weight / 30 + rng.normal(0, 0.05, len(cells)), 0, 1),
        "test_micro_accuracy": np.clip(weight / 31 + rng.normal(0, 0.05, len(cells)), 0, 1),
        "parameters": cells["parameters"].astype("float64"),
        "macs": cells["macs"].astype("float64"),
        "latency_ms": 3 + cells["macs"] / 1e6 + rng.gamma(2, 0.2, len(cells)),
    }
    about = {
        "hash": cells["hash"],
        "id": cells["id"],
        "dataset": dataset,
        "epochs": 4,
        "repeat": 0,
        "device": "cpu",
        "outcome": "ok",
        "source": "terranas",
    }
    unknown = {column.name: np.nan for column in METRICS if column.name not in known}
    return BENCHMARK.validate(pd.DataFrame({**about, **known, **unknown}))


def with_failures(table: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Return the table with the first trainings failed: what only a training can tell is not known."""
    changed = table.copy()
    changed.loc[: rows - 1, "outcome"] = "diverged"
    changed.loc[: rows - 1, ["train_loss", "validation_micro_accuracy", "test_micro_accuracy"]] = np.nan
    return BENCHMARK.validate(changed)


def small_source(table: pd.DataFrame | None = None) -> ExplorerSource:
    """Return the cells with neighbours and two walks of five steps."""
    cells = small_cells()
    rng = np.random.default_rng(5)
    rows = [
        {"walk": walk, "step": step, "redraws": 0, "hash": name, "id": None}
        for walk in range(2)
        for step, name in enumerate(rng.choice(cells["hash"].to_numpy(dtype=object), 5, replace=False))
    ]
    graph = build_neighbours(cells, "edit_symmetric")
    benchmark = TabularBenchmark(small_table() if table is None else table)
    return ExplorerSource("study", benchmark, cells, graph, "edit_symmetric", WALKS.from_rows(rows), OBJECTIVES)


def large_source() -> ExplorerSource:
    """Return as many architectures as the whole space has, without graphs, with values that are all different."""
    rng = np.random.default_rng(7)
    cost = np.exp(rng.normal(17, 1, SPACE))
    table = pd.DataFrame(
        {
            "hash": [f"{number * 803_000_000_000_000_000_000_000_000_000_000:032x}" for number in range(SPACE)],
            "dataset": "images",
            "epochs": 4,
            "repeat": 0,
            "device": "",
            "outcome": "ok",
            "source": "made up",
            "validation_micro_accuracy": 1 / (1 + np.exp(-rng.normal(np.log(cost) - 16, 1))),
            "macs": cost,
        }
    )
    table.loc[:99, "validation_micro_accuracy"] = np.nan
    schema = table_schema(
        "benchmark.made_up",
        Column("hash", "string", "architecture"),
        metrics_named("validation_micro_accuracy", "macs"),
        1,
    )
    return replace(small_source(), benchmark=TabularBenchmark(table, schema=schema), cells=None, graph=None, walks=None)
