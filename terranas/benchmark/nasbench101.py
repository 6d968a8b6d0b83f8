"""Importing NAS-Bench-101 (Ying et al., ICML 2019) from its own TFRecord files.

A record is a JSON row: the cell's MD5 hash, epochs trained, adjacency matrix, operations, and a base64 ``ModelMetrics``
message. One row stands for one training; a cell was trained three times at 4, 12, 36 and 108 epochs
(``nasbench_full.tfrecord``) or at 108 only (``nasbench_only108.tfrecord``).
"""

import base64
import logging
from array import array
from typing import BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.imported import ImportedTable, Source
from terranas.benchmark.model_metrics import FinalMetrics, parse_model_metrics
from terranas.benchmark.published import whole_counts
from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.small_files import decode_json
from terranas.benchmark.space_index import SPACE, SPACE_SIZE, SpaceIndex, count_within, outside_space_error
from terranas.benchmark.tfrecord import Record, count_blocks, read_blocks
from terranas.benchmark.validation import Check, RowNames, compare, within
from terranas.core.errors import DataError
from terranas.core.logs import progress
from terranas.space.complexity import CIFAR10_NETWORK

logger = logging.getLogger(__name__)

DATASET = "CIFAR-10"
EVALUATION_IMAGES = 9_984
"""Images behind each published accuracy: 39 whole batches of 256 of the 10,000 images of a split."""

REPEATS = 3
"""Trainings of a cell at each fidelity in the published files."""

SOURCE = Source(
    name="NAS-Bench-101",
    space=SPACE,
    space_size=SPACE_SIZE,
    licence="Apache-2.0",
    citation="C. Ying, A. Klein, E. Christiansen, E. Real, K. Murphy, F. Hutter. NAS-Bench-101: Towards Reproducible "
    "Neural Architecture Search. ICML 2019, PMLR 97:7105-7114.",
    notes=(
        "Repeats are numbered in the order of the file.",
        "An accuracy is the share of correct ones among 9,984 images (39 batches of 256); the training accuracy is "
        "that of 9,984 of the training images.",
        "Times were measured on TPUs; total_seconds includes the evaluations.",
        "MACs are not published: they are those of the published network by terranas' closed form.",
    ),
)

MAX_EPOCHS = 10_000

TRAINING_IMAGES = 40_000
"""Images of CIFAR-10 that an epoch sees."""

TPU_FLOPS = 180e12
"""Most floating-point operations per second that the maker states for a Cloud TPU v2 (four chips)."""

EPOCH_SECONDS = 500.0
"""An epoch takes no longer: 80 images a second. Published ones, at 108 epochs, take 2.6 to 50 s."""

# CIFAR-10 has equally many images of each class, but the published figure is the share of correct images
_COLUMNS = {
    "training_seconds": "training_seconds",
    "total_seconds": "total_seconds",
    "train_micro_accuracy": "train_accuracy",
    "validation_micro_accuracy": "validation_accuracy",
    "test_micro_accuracy": "test_accuracy",
    "parameters": "parameters",
}


class _Collector:
    """Gathers the records' values in compact arrays: 56 bytes a record, whatever the length of its JSON."""

    def __init__(self, index: SpaceIndex) -> None:
        self._index = index
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
        row = self._index.row(architecture)
        if row is None:
            self.unknown += 1
            place = f"record {record.number} (at byte {record.offset:,}), {architecture[:40]!r}"
            self.first_unknown = self.first_unknown or place
            return
        self._index.require_graph(row, adjacency, operations)
        self.rows.append(row)
        self.epochs.append(epochs)
        for values, value in zip(self.metrics.values(), metrics, strict=True):
            values.append(value)


def import_nasbench101(file: BinaryIO, name: str, index: SpaceIndex) -> ImportedTable:
    """Return NAS-Bench-101 as a benchmark table.

    A file that holds only a part of the published records is welcome; the log and the validation report say how much
    of the space it covers. Values that a record does not give stay NaN. MACs are those of the published network,
    computed.

    Args:
        file: seekable TFRecord file, at its start.
        name: what to call the file in messages.
        index: the search space.

    Raises:
        DataError: a record is damaged, is no NAS-Bench-101 row, or names a cell outside of the space.
    """
    collector = _Collector(index)
    for block in progress(read_blocks(file, name), count_blocks(file), f"Importing {name} (MiB)", logger):
        for record in block:
            _add(collector, record, name)
    total = len(collector.rows) + collector.unknown
    if not total:
        raise DataError(f"{name} holds no records; expected NAS-Bench-101's TFRecord file. Fetch it again.")
    if collector.unknown:
        raise outside_space_error(name, collector.unknown, collector.first_unknown, total, index)
    covered = len(np.unique(np.asarray(collector.rows)))
    fidelities = sorted(set(collector.epochs))
    logger.info(
        "%s: %d records of %d cells (%.2f %% of the space), epochs %s",
        name,
        total,
        covered,
        100 * covered / SPACE_SIZE,
        ", ".join(map(str, fidelities)),
    )
    table, checks = _to_table(collector, index)
    return ImportedTable(table, BENCHMARK, SOURCE, checks, {"records": total, "cells": covered, "epochs": fidelities})


def _add(collector: _Collector, record: Record, name: str) -> None:
    try:
        collector.add(record)
    except ValueError as error:
        raise DataError(
            f"Record {record.number} of {name} (at byte {record.offset:,}) is no row of NAS-Bench-101: {error}. Fetch "
            "the file again."
        ) from error


def _parse_row(payload: bytes) -> tuple[str, int, str, str, FinalMetrics]:
    row = decode_json(payload)
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


def _to_table(collector: _Collector, index: SpaceIndex) -> tuple[pd.DataFrame, tuple[Check, ...]]:
    """Return the table, ascending by cell, epochs and order in the file, and its checks."""
    rows, epochs = np.asarray(collector.rows), np.asarray(collector.epochs)
    order = np.lexsort((epochs, rows))  # stable: repeats keep the order of the file
    rows, epochs = rows[order], epochs[order]
    repeats = count_within(rows, epochs)
    metrics = {column: np.asarray(collector.metrics[field])[order] for column, field in _COLUMNS.items()}
    parameters, metrics["macs"] = index.complexity(rows, CIFAR10_NETWORK)
    table = index.table(rows, epochs, repeats, metrics, dataset=DATASET, source=SOURCE.name)
    names = RowNames(table)
    checks = (
        compare("parameters equal the closed form", metrics["parameters"], parameters, names),
        *(
            whole_counts(
                f"{split} accuracy counts whole images", metrics[f"{split}_micro_accuracy"], EVALUATION_IMAGES, names
            )
            for split in ("train", "validation", "test")
        ),
        # forward and backward pass cost three forward passes, and a MAC is two operations; the published trainings at
        # 108 epochs did 1.4 to 38 tera-operations a second, so that only times in another unit are found
        within(
            "a training lasts as long as the images and a TPU need",
            metrics["training_seconds"],
            epochs * (TRAINING_IMAGES * 3 * 2 / TPU_FLOPS) * metrics["macs"],
            epochs * EPOCH_SECONDS,
            names,
        ),
        within(
            "training takes no longer than with evaluations",
            metrics["training_seconds"],
            0,
            metrics["total_seconds"],
            names,
        ),
        within(
            "evaluating takes no longer than the images need",
            metrics["total_seconds"],
            0,
            metrics["training_seconds"] + epochs * EPOCH_SECONDS,
            names,
        ),
        _twice_check(rows, epochs, metrics, names),
        within(f"a cell was trained at most {REPEATS} times at a fidelity", repeats + 1, 1, REPEATS, names),
        _longer_check(rows, epochs, metrics["training_seconds"], names),
    )
    return table, checks


def _twice_check(
    rows: NDArray[np.intc], epochs: NDArray[np.intc], metrics: dict[str, NDArray[np.float64]], names: RowNames
) -> Check:
    """Check that no record is that of another repeat of the same cell at the same fidelity.

    Two trainings do not take the same time to the last digit. Where no time is known they may have equal accuracies;
    then most repeats have to be equal to count.
    """
    twice = np.zeros(len(rows), dtype=np.bool_)
    again = np.zeros(len(rows), dtype=np.bool_)
    for apart in range(1, min(REPEATS, len(rows))):
        later, earlier = slice(apart, None), slice(None, -apart)
        same = (rows[later] == rows[earlier]) & (epochs[later] == epochs[earlier])
        again[later] |= same
        for values in metrics.values():
            same &= (values[later] == values[earlier]) | (np.isnan(values[later]) & np.isnan(values[earlier]))
        twice[later] |= same
    timed = ~(np.isnan(metrics["training_seconds"]) & np.isnan(metrics["total_seconds"]))
    by_chance = 2 * np.count_nonzero(twice & ~timed) <= np.count_nonzero(again & ~timed)
    return compare("no record stands twice", twice & (timed | (not by_chance)), np.zeros(len(rows)), names)


def _longer_check(
    rows: NDArray[np.intc], epochs: NDArray[np.intc], seconds: NDArray[np.float64], names: RowNames
) -> Check:
    """Check that the mean training time of a cell grows with the epochs, where several fidelities have one."""
    known = np.flatnonzero(~np.isnan(seconds))
    starts = known[count_within(rows[known], epochs[known]) == 0]
    runs = np.searchsorted(known, starts)
    lengths = np.diff(runs, append=len(known))
    means = np.full(len(seconds), np.nan)
    means[starts] = np.add.reduceat(seconds[known], runs) / lengths if len(runs) else np.nan
    before = np.full(len(seconds), np.nan)
    same_cell = rows[starts[1:]] == rows[starts[:-1]]
    before[starts[1:][same_cell]] = means[starts[:-1][same_cell]]
    return within("mean training time grows with the epochs", means, before, np.inf, names)
