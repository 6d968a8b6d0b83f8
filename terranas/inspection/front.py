"""The exact Pareto front of a benchmark table, as a table of its own."""

import difflib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import TableError


def true_front(
    path: Path,
    objectives: Sequence[str],
    *,
    dataset: str | None = None,
    device: str | None = None,
    epochs: int | None = None,
) -> tuple[pd.DataFrame, TabularBenchmark]:
    """Return the architectures that no other one dominates, the best in the first objective first, and the benchmark.

    Args:
        path: a benchmark table that terranas wrote.
        objectives: two or more metrics, each once.
        dataset: images, where the table has several.
        device: device, where the table has several.
        epochs: fidelity; the highest by default.

    Returns:
        Columns: the table's key and the objectives, and ``predicted`` where a value of the front is predicted.

    Raises:
        TableError: the file is no benchmark table, does not have what was chosen, or an objective is none of its
            metrics, which is answered with the nearest ones.
    """
    if len(objectives) < 2 or len(set(objectives)) < len(objectives):
        raise TableError(f"A front needs two or more different objectives, got: {', '.join(objectives) or 'none'}.")
    benchmark = TabularBenchmark.open(path, dataset=dataset, device=device, epochs=epochs)
    for objective in objectives:
        _require_metric(objective, benchmark.metrics, path)
    front = benchmark.true_front(objectives)
    values = benchmark.values(objectives, front) if front else np.empty((0, len(objectives)))
    table = pd.DataFrame({benchmark.key: front, **dict(zip(objectives, values.T, strict=True))})
    if front and (predicted := benchmark.predicted(objectives, front)).any():
        table["predicted"] = predicted
    ascending = [benchmark.direction(objective) == "minimise" for objective in objectives]
    table = table.sort_values([*objectives, benchmark.key], ascending=[*ascending, True], ignore_index=True)
    return table, benchmark


def _require_metric(objective: str, known: Sequence[str], path: Path) -> None:
    name = objective.partition("@")[0]
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.0)
    raise TableError(f"'{name}' is no metric of {path}; the nearest are {', '.join(near)}. All: {', '.join(known)}.")
