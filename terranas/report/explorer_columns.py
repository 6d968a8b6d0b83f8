"""Columns of the explorer: all that is known of a table's architectures, packed without loss."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.schema import BENCHMARK, metric_name
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import TableError
from terranas.core.formats import counted
from terranas.report.shards import plane_bytes
from terranas.space.nasbench201 import NOTATION, OPERATIONS, parse_cells
from terranas.space.schema import CELLS

FEW_FIDELITIES = 4
"""Up to so many fidelities, the lower ones are columns too; learning curves of every epoch would fill the page."""

FEW_LEVELS = 16
"""Up to so many different values, the page offers each one to choose from."""

STRUCTURE = {
    "depth": "depth",
    "num_conv3x3": "3×3 convolutions",
    "num_conv1x1": "1×1 convolutions",
    "num_maxpool3x3": "3×3 max-poolings",
    "num_vertices": "vertices",
    "num_edges": "edges",
}
"""Columns of the table of cells that say how a cell is built, with their names in words."""

OPERATION_WORDS = dict(
    zip(
        OPERATIONS,
        ("edges without operation", "skip connections", "1×1 convolutions", "3×3 convolutions", "average poolings"),
        strict=True,
    )
)
"""Operations of NAS-Bench-201 in words."""

Kind = Literal["metric", "structure", "state"]


@dataclass(frozen=True)
class ExplorerColumn:
    """A column and what the page says about it.

    Attributes:
        key: name in links and CSV files.
        name: name in words.
        meaning: what the values are; empty where no schema says so.
        unit: unit of the values, empty where there is none.
        direction: ``minimise`` or ``maximise``; empty for what is no objective.
        kind: a metric, a fact of the architecture's graph, or the state of its measurement.
        values: shape (architectures,); NaN where not known.
    """

    key: str
    name: str
    meaning: str
    unit: str
    direction: str
    kind: Kind
    values: NDArray[np.float64] = field(repr=False)


def benchmark_columns(benchmark: TabularBenchmark) -> Iterator[ExplorerColumn]:
    """Yield the metrics that are known of at least one architecture.

    The highest fidelity comes first; a metric that was measured on several devices is a column a device. Lower
    fidelities follow where there are few and the metric depends on them. At last: which architectures failed and which
    values are predicted, where there are any.
    """
    names = [name for metric in benchmark.metrics for name in _on_devices(benchmark, metric)]
    known = []
    for name in names:
        column = _metric(benchmark, name, benchmark.epochs)
        if not np.isnan(column.values).all():
            known.append(name)
            yield column
    if len(benchmark.fidelities) <= FEW_FIDELITIES:
        for epochs in reversed([epochs for epochs in benchmark.fidelities if epochs != benchmark.epochs]):
            for name in known:
                column = _metric(benchmark, name, epochs)
                highest = benchmark.values([name])[:, 0]
                same = np.isnan(column.values) | (column.values == highest)
                if not same.all():
                    yield column
    failed = benchmark.failed(benchmark.architectures)
    if failed.any():
        yield _state("failed", "training failed", "1 where no training gave a full result", failed)
    predicted = benchmark.predicted(known) if known else failed
    if predicted.any():
        yield _state("predicted", "predicted values", "1 where some value is a surrogate's prediction", predicted)


def cell_columns(cells: pd.DataFrame, row_of: NDArray[np.int64], taken: set[str]) -> Iterator[ExplorerColumn]:
    """Yield what the table of cells knows of the architectures.

    Args:
        cells: table of the schema ``CELLS``.
        row_of: row in it of each architecture, -1 where there is none.
        taken: keys of columns that the benchmark has itself.
    """
    wanted = [*STRUCTURE, *(name for name in ("parameters", "macs") if name not in taken)]
    for name in wanted:
        column = CELLS.column(name)
        values = np.append(cells[name].to_numpy(dtype=np.float64), np.nan)[row_of]
        structure = name in STRUCTURE
        words = STRUCTURE[name] if structure else metric_name(name)
        kind: Kind = "structure" if structure else "metric"
        yield ExplorerColumn(name, words, column.meaning, column.unit, column.direction or "", kind, values)


def operation_columns(keys: Sequence[str]) -> Iterator[ExplorerColumn]:
    """Yield the number of edges with each operation, where all architectures are cells of NAS-Bench-201."""
    if not all(map(NOTATION.fullmatch, keys)):
        return
    labels = parse_cells(keys)
    for label, (operation, words) in enumerate(OPERATION_WORDS.items()):
        counts = (labels == label).sum(axis=1).astype(np.float64)
        meaning = f"edges that are {operation}"
        yield ExplorerColumn(f"num_{operation}", words, meaning, "", "", "structure", counts)


def packed(values: NDArray[np.float64]) -> tuple[dict[str, Any], bytes]:
    """Return a column as bytes, and what it takes to read them.

    A column with few different values becomes these, ascending, and their positions, of which the one behind the last
    stands for what is not known. Nothing is rounded.
    """
    known = ~np.isnan(values)
    different, position = np.unique(values[known] + 0.0, return_inverse=True)  # -0.0 and 0.0 are one value
    facts = {
        "known": int(known.sum()),
        "different": len(different),
        "levels": different.tolist() if len(different) <= FEW_LEVELS and np.isfinite(different).all() else [],
    }
    for width, dtype in ((1, np.uint8), (2, np.uint16)):
        if len(different) < 1 << (8 * width):
            codes = np.full(len(values), len(different), dtype=dtype)
            codes[known] = position
            content = plane_bytes(different) + plane_bytes(codes)
            return {**facts, "width": width}, content
    return {**facts, "width": 8}, plane_bytes(values)


def described(column: ExplorerColumn) -> dict[str, Any]:
    """Return what the page says about a column."""
    facts = asdict(column)
    del facts["values"]
    return facts


def _on_devices(benchmark: TabularBenchmark, metric: str) -> list[str]:
    """Return the names to ask for a metric, one a device where several have values of it."""
    if len(benchmark.devices) < 2:
        return [metric]
    named = [f"{metric}@{device}" for device in benchmark.devices]
    try:
        benchmark.device_of(named[0])
    except TableError:  # the metric does not depend on a device
        return [metric]
    return named


def _metric(benchmark: TabularBenchmark, name: str, epochs: int) -> ExplorerColumn:
    plain = name.partition("@")[0]
    highest = epochs == benchmark.epochs
    meaning = BENCHMARK.column(plain).meaning if plain in BENCHMARK.names else ""
    return ExplorerColumn(
        key=name if highest else f"{name}#{epochs}",
        name=metric_name(name) if highest else f"{metric_name(name)} at {counted(epochs, 'epoch')}",
        meaning=meaning,
        unit=benchmark.unit(plain),
        direction=benchmark.direction(plain),
        kind="metric",
        values=benchmark.values([name], epochs=epochs)[:, 0],
    )


def _state(key: str, name: str, meaning: str, values: NDArray[np.bool_]) -> ExplorerColumn:
    return ExplorerColumn(key, name, meaning, "", "", "state", values.astype(np.float64))
