"""Which metrics of a table can be analysed, and its values on the rows of a table of cells."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import TableError

logger = logging.getLogger(__name__)


def known_metrics(benchmark: TabularBenchmark, names: Sequence[str], *, required: bool = True) -> list[str]:
    """Return those metrics that a table has values of, in their order; the others are logged.

    Args:
        benchmark: the table.
        names: metrics.
        required: whether at least one of them must be known.

    Raises:
        TableError: it has values of none, and one is required.
    """
    known = [name for name in names if name in benchmark.metrics and has_values(benchmark, name)]
    if required and not known:
        raise TableError(
            f"The table of {benchmark.dataset} has no value of {', '.join(names)}. It has: "
            f"{', '.join(benchmark.metrics)}."
        )
    if missing := [name for name in names if name not in known]:
        logger.info("The table of %s has no values of %s", benchmark.dataset, ", ".join(missing))
    return known


def has_values(benchmark: TabularBenchmark, metric: str) -> bool:
    """Return whether any architecture has a value of a metric of the table."""
    return not np.isnan(benchmark.values([metric])).all()


def shared_architectures(first: TabularBenchmark, second: TabularBenchmark) -> list[str]:
    """Return the keys of the architectures that two tables over the same search space both have, ascending."""
    keys = np.array(first.architectures, dtype=object)
    shared: list[str] = keys[second.find(keys.tolist()) >= 0].tolist()
    return shared


def require_shared(first: TabularBenchmark, second: TabularBenchmark) -> list[str]:
    """Return the shared architectures of two tables.

    Raises:
        TableError: there is none.
    """
    if not (shared := shared_architectures(first, second)):
        raise TableError(
            f"The tables on {first.dataset} and {second.dataset} have no architecture in common; expected tables over "
            "the same search space."
        )
    return shared


def values_of_cells(benchmark: TabularBenchmark, metrics: Sequence[str], hashes: pd.Series) -> NDArray[np.float64]:
    """Return metrics of the cells of a table, shape (cells, metrics); NaN for cells that the benchmark does not know.

    Raises:
        TableError: it knows none of the cells.
    """
    names = hashes.tolist()
    found = benchmark.find(names) >= 0
    if not found.any():
        raise TableError(
            f"The table of {benchmark.dataset} has none of the {len(names):,} cells of the search space. Raise "
            "space.max_vertices, or leave it out of landscape.benchmarks."
        )
    values = np.full((len(names), len(metrics)), np.nan)
    values[found] = benchmark.values(metrics, hashes[found].tolist())
    return values
