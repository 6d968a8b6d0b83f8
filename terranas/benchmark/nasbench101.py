"""Importing NAS-Bench-101 (Ying et al., ICML 2019) from its own TFRecord files.

A record is a JSON row: the cell's MD5 hash, epochs trained, adjacency matrix, operations, and a base64 ``ModelMetrics``
message. One row stands for one training; a cell was trained three times at 4, 12, 36 and 108 epochs
(``nasbench_full.tfrecord``) or at 108 only (``nasbench_only108.tfrecord``).
"""

import base64
import json
import logging
from array import array
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.model_metrics import FinalMetrics, parse_model_metrics
from terranas.benchmark.schema import BENCHMARK, METRICS
from terranas.benchmark.tfrecord import Record, count_blocks, read_blocks
from terranas.core.errors import CellError, DataError
from terranas.core.logs import progress
from terranas.space.batch import CellBatch
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape, macs_of

logger = logging.getLogger(__name__)

SOURCE = "NAS-Bench-101"
DATASET = "CIFAR-10"
NETWORK = NetworkShape(bands=3, classes=10, image_size=32, stem_channels=128, stacks=3, cells_per_stack=3)
"""The network that the published trainings used."""

FACTS = {
    "source": SOURCE,
    "licence": "Apache-2.0",
    "citation": "C. Ying, A. Klein, E. Christiansen, E. Real, K. Murphy, F. Hutter. NAS-Bench-101: Towards "
    "Reproducible Neural Architecture Search. ICML 2019, PMLR 97:7105-7114.",
}

MAX_EPOCHS = 10_000

# CIFAR-10 has equally many images of each class, but the published figure is the share of correct images
_COLUMNS = {
    "training_seconds": "training_seconds",
    "train_micro_accuracy": "train_accuracy",
    "validation_micro_accuracy": "validation_accuracy",
    "test_micro_accuracy": "test_accuracy",
    "parameters": "parameters",
}


class _Collector:
    """Gathers the records' values in compact arrays: 46 bytes a record, whatever the length of its JSON."""

    def __init__(self, cells: pd.DataFrame) -> None:
        self._row_of: dict[str, int] = {cell: row for row, cell in enumerate(cells["hash"])}
        self._adjacency: list[str] = cells["adjacency"].tolist()
        self._operations: list[str] = cells["operations"].tolist()
        self.rows = array("i")
        self.epochs = array("i")
        self.metrics = {name: array("d") for name in FinalMetrics._fields}
        self.unknown = 0
        self.first_unknown = ""

    def add(self, record: Record) -> None:
        """Add one record, or count it when its cell is not in the space.

        Raises:
            ValueError: the payload is no valid row.
        """
        architecture, epochs, adjacency, operations, metrics = _parse_row(record.payload)
        row = self._row_of.get(architecture)
        if row is None:
            self.unknown += 1
            place = f"record {record.number} (at byte {record.offset:,}), {architecture[:40]!r}"
            self.first_unknown = self.first_unknown or place
            return
        if adjacency != self._adjacency[row] or operations != self._operations[row]:
            _require_same_cell(architecture, adjacency, operations)
        self.rows.append(row)
        self.epochs.append(epochs)
        for values, value in zip(self.metrics.values(), metrics, strict=True):
            values.append(value)


def import_nasbench101(file: BinaryIO, name: str, cells: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return NAS-Bench-101 as a benchmark table, and facts about it to store with the table.

    A file that holds only a part of the published records is welcome; the facts and the log say how much of the space
    it covers. Values that a record does not give stay NaN. MACs are those of the published network, computed.

    Args:
        file: seekable TFRecord file, at its start.
        name: what to call the file in messages.
        cells: table of the search space (schema ``space.cells``).

    Raises:
        DataError: a record is damaged, is no NAS-Bench-101 row, or names a cell outside of the space.
    """
    collector = _Collector(cells)
    for block in progress(read_blocks(file, name), count_blocks(file), f"Importing {name} (MiB)", logger):
        for record in block:
            _add(collector, record, name)
    total = len(collector.rows) + collector.unknown
    if not total:
        raise DataError(f"{name} holds no records; expected NAS-Bench-101's TFRecord file. Fetch it again.")
    if collector.unknown:
        raise DataError(
            f"{collector.unknown:,} of the {total:,} records of {name} name a cell outside of the study's space of "
            f"{len(cells):,} cells; the first one is {collector.first_unknown}. NAS-Bench-101 needs the whole space: "
            "set space.max_vertices to 7 and space.max_edges to 9."
        )
    table = _to_table(collector, cells)
    covered = len(np.unique(np.asarray(collector.rows)))
    fidelities = sorted(set(collector.epochs))
    logger.info(
        "%s: %d records of %d cells (%.2f %% of the space), epochs %s",
        name,
        total,
        covered,
        100 * covered / len(cells),
        ", ".join(map(str, fidelities)),
    )
    coverage = {"records": total, "cells": covered, "cells_in_space": len(cells), "epochs": fidelities}
    return table, FACTS | coverage


def _add(collector: _Collector, record: Record, name: str) -> None:
    try:
        collector.add(record)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"Record {record.number} of {name} (at byte {record.offset:,}) is no row of NAS-Bench-101: {error}. Fetch "
            "the file again."
        ) from error


def _parse_row(payload: bytes) -> tuple[str, int, str, str, FinalMetrics]:
    row = json.loads(payload.decode("utf-8"))
    if not isinstance(row, list) or len(row) != 5:
        raise ValueError("expected a JSON list of 5 entries")
    architecture, epochs, adjacency, operations, metrics = row
    for entry in (architecture, adjacency, operations, metrics):
        if not isinstance(entry, str):
            raise ValueError(f"expected a text, got {str(entry)[:40]!r}")
    if type(epochs) is not int or not 1 <= epochs <= MAX_EPOCHS:
        raise ValueError(f"expected epochs from 1 to {MAX_EPOCHS}, got {str(epochs)[:40]}")
    message = base64.b64decode(metrics.replace("\n", ""), validate=True)
    return architecture, epochs, adjacency, operations, parse_model_metrics(message)


def _require_same_cell(architecture: str, adjacency: str, operations: str) -> None:
    """Check that a graph drawn otherwise than in the space's table still is the cell that its hash names."""
    try:
        found = Cell.from_strings(adjacency, operations).hash
    except CellError as error:
        raise ValueError(f"its graph is no valid cell ({error})") from error
    if found != architecture:
        raise ValueError(f"its graph has the hash {found}, but the record says {architecture}")


def _to_table(collector: _Collector, cells: pd.DataFrame) -> pd.DataFrame:
    rows = np.asarray(collector.rows)
    epochs = np.asarray(collector.epochs)
    order = np.lexsort((epochs, rows))  # stable: repeats stay in the order of the file
    rows, epochs = rows[order], epochs[order]
    table = pd.DataFrame(
        {
            "hash": cells["hash"].take(rows).array,
            "id": cells["id"].take(rows).array,
            "epochs": epochs,
            "repeat": _count_within(rows, epochs),
            "outcome": "ok",
            "dataset": DATASET,
            "source": SOURCE,
            "device": "",
        }
    )
    known = {column: np.asarray(collector.metrics[field])[order] for column, field in _COLUMNS.items()}
    known["macs"] = _published_macs(cells, rows)
    for column in METRICS:
        table[column.name] = known.get(column.name, np.nan)
    return BENCHMARK.validate(table)


def _count_within(rows: NDArray[np.intc], epochs: NDArray[np.intc]) -> NDArray[np.int64]:
    """Return the index of each entry within its run of equal (row, epochs)."""
    index = np.arange(len(rows))
    starts = np.ones(len(rows), dtype=bool)
    starts[1:] = (rows[1:] != rows[:-1]) | (epochs[1:] != epochs[:-1])
    return index - np.maximum.accumulate(np.where(starts, index, 0))


def _published_macs(cells: pd.DataFrame, rows: NDArray[np.intc]) -> NDArray[np.float64]:
    """Return the MACs of the published network for rows of the table of cells."""
    used, position = np.unique(rows, return_inverse=True)
    counts = np.empty(len(used))
    batch = CellBatch.from_table(cells.take(used))
    for vertices, group in batch.groups():
        labels = batch.labels[group, : vertices - 2].astype(np.int64)
        counts[group] = macs_of(batch.adjacency[group, :vertices, :vertices], labels, NETWORK)
    return counts[position]
