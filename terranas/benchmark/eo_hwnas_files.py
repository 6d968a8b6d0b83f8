"""The six files of the published EO benchmark (E. Demir, thesis, TUM 2023) as plain records.

=====================================  ================================================================================
``path_logs.json``                     walks: id, hash, step and graph of each cell visited
``test_results_sampled_all_paths.json`` by ``arch_<id>``: test accuracies, latency, parameters, size of the checkpoint
``database_pickle_{macro,micro}``      by hash: graph, parameters, accuracies of the three splits, training time
``database_pickle_{latency,MACs}``     the same with a cost in the place of all three accuracies
=====================================  ================================================================================
"""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, TypeVar

from terranas.benchmark.pickles import load_plain
from terranas.benchmark.small_files import load_json
from terranas.core.errors import DataError
from terranas.space.cell import MAX_VERTICES, Cell

Parsed = TypeVar("Parsed")

EPOCHS = 108

_CHECKPOINT = re.compile(r"epoch=(\d{1,9})-step=(\d{1,9})\.ckpt$")
_ARCHITECTURE = re.compile(r"arch_(\d{1,9})$")
_COUNT = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)([KM])$")
_UNITS = {"K": 1e3, "M": 1e6}


class PublishedFile(NamedTuple):
    """An open file and what to call it in messages."""

    file: BinaryIO
    name: str


@dataclass(frozen=True)
class Visit:
    """A cell that a walk visited."""

    walk: int
    step: int
    id: int
    hash: str
    adjacency: str
    operations: str


@dataclass(frozen=True)
class Measurement:
    """What was measured after a training.

    Attributes:
        macro_accuracy: mean of the class accuracies on the test images.
        micro_accuracy: share of correct test images.
        latency_ms: mean time of a forward pass.
        latency_std_ms: its standard deviation.
        parameters: trainable parameters.
        checkpoint_kib: size of the checkpoint.
        macs_label: the number published as MACs.
        last_epoch: last epoch of the training, from 0.
        last_step: last optimiser step of the training, from 0.
    """

    macro_accuracy: float
    micro_accuracy: float
    latency_ms: float
    latency_std_ms: float
    parameters: int
    checkpoint_kib: float
    macs_label: float
    last_epoch: int
    last_step: int


@dataclass(frozen=True)
class Training:
    """A cell's entry in one of the pickles.

    Attributes:
        adjacency: entries of the matrix, row by row.
        operations: operations, comma-separated.
        parameters: trainable parameters.
        train: value in the place of the training accuracy.
        validation: value in the place of the validation accuracy.
        test: value in the place of the test accuracy.
        seconds: training time.
    """

    adjacency: str
    operations: str
    parameters: int
    train: float
    validation: float
    test: float
    seconds: float


def read_walks(source: PublishedFile) -> list[list[Visit]]:
    """Return the visits of each walk in the order of the file.

    Raises:
        DataError: the file is damaged or no list of walks.
    """
    walks = load_json(source.file, source.name)
    if not isinstance(walks, list) or not walks or not all(isinstance(walk, list) and walk for walk in walks):
        raise DataError(f"{source.name} is no list of walks. Is it the published path_logs.json?")
    return [
        [
            _parsed(source, f"visit {place} of walk {number}", _visit, number, place, entry)
            for place, entry in enumerate(walk)
        ]
        for number, walk in enumerate(walks)
    ]


def read_measurements(source: PublishedFile) -> dict[int, Measurement]:
    """Return the test results by the architecture's id.

    Raises:
        DataError: the file is damaged or no table of test results.
    """
    entries = _table(source, load_json(source.file, source.name))
    results: dict[int, Measurement] = {}
    for name, entry in entries.items():
        found = _ARCHITECTURE.match(str(name))
        if found is None:
            raise DataError(f"{source.name} has the entry {str(name)[:60]!r}, expected names such as 'arch_1234'.")
        if int(found[1]) in results:
            raise DataError(f"{source.name} has two entries of the architecture {int(found[1])}. Fetch it again.")
        results[int(found[1])] = _parsed(source, name, _measurement, entry)
    return results


def read_trainings(source: PublishedFile, *, shares: bool) -> dict[str, Training]:
    """Return the entries of one of the pickles by the cell's hash.

    Args:
        source: the pickle.
        shares: whether its values are accuracies, so from 0 to 1.

    Raises:
        DataError: the file asks for anything but plain values, is damaged, or no table of trainings.
    """
    entries = _table(source, load_plain(source.file, source.name))
    return {str(name): _parsed(source, str(name)[:60], _training, entry, shares) for name, entry in entries.items()}


def _table(source: PublishedFile, content: Any) -> dict[Any, Any]:
    if not isinstance(content, dict) or not content:
        raise DataError(f"{source.name} has no entries by architecture. Is it the right one of the published files?")
    return content


def _parsed(source: PublishedFile, place: object, parse: Callable[..., Parsed], *values: Any) -> Parsed:
    try:
        return parse(*values)
    except ValueError as error:
        raise DataError(f"{source.name}, {place}: {error}. Fetch the file again.") from error


def _visit(walk: int, step: int, entry: Any) -> Visit:
    row = _fields(entry, {"id", "unique_hash", "step", "module_adjacency", "module_operations"})
    if (found := _whole(row, "step")) != step:
        raise ValueError(f"step is {found}, expected {step}")
    return Visit(walk, step, _whole(row, "id"), _text(row, "unique_hash"), *_graph(row))


def _measurement(entry: Any) -> Measurement:
    row = _fields(
        entry,
        {"accuracy", "avg_inference_time", "std_inference_time", "num_params", "arch_size", "MACs", "checkpoint_path"},
    )
    accuracy = _fields(row["accuracy"], {"micro", "macro"})
    label = _COUNT.match(_text(row, "MACs"))
    if label is None:
        raise ValueError(f"MACs is {row['MACs'][:40]!r}, expected a number such as '4.178M'")
    checkpoint = _CHECKPOINT.search(_text(row, "checkpoint_path"))
    if checkpoint is None:
        raise ValueError("checkpoint_path does not end as in 'epoch=107-step=148715.ckpt'")
    return Measurement(
        macro_accuracy=_share(accuracy, "macro"),
        micro_accuracy=_share(accuracy, "micro"),
        latency_ms=_amount(row, "avg_inference_time"),
        latency_std_ms=_amount(row, "std_inference_time"),
        parameters=_whole(row, "num_params"),
        checkpoint_kib=_amount(row, "arch_size"),
        macs_label=float(label[1]) * _UNITS[label[2]],
        last_epoch=int(checkpoint[1]),
        last_step=int(checkpoint[2]),
    )


def _training(entry: Any, shares: bool) -> Training:
    if not isinstance(entry, tuple) or len(entry) != 2:
        raise ValueError("expected a pair of the cell and its trainings")
    cell = _fields(entry[0], {"module_adjacency", "module_operations", "trainable_parameters"})
    adjacency, operations = _graph(cell)
    runs = _fields(entry[1], {EPOCHS})[EPOCHS]
    if not isinstance(runs, list) or len(runs) != 1:
        raise ValueError(f"expected one training of {EPOCHS} epochs")
    splits = ("train", "validation", "test")
    run = _fields(runs[0], {"final_training_time", *(f"final_{split}_accuracy" for split in splits)})
    read = _share if shares else _amount
    train, validation, test = (read(run, f"final_{split}_accuracy") for split in splits)
    return Training(
        adjacency=adjacency,
        operations=operations,
        parameters=_whole(cell, "trainable_parameters"),
        train=train,
        validation=validation,
        test=test,
        seconds=_amount(run, "final_training_time"),
    )


def _graph(row: Mapping[Any, Any]) -> tuple[str, str]:
    """Return the graph of an entry as strings, after checking that it is a cell."""
    matrix, names = row["module_adjacency"], row["module_operations"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("module_operations is no list of texts")
    if not isinstance(matrix, list) or not 2 <= len(matrix) <= MAX_VERTICES:
        raise ValueError(f"module_adjacency is no list of 2 to {MAX_VERTICES} rows")
    if not all(isinstance(line, list) and len(line) == len(matrix) for line in matrix):
        raise ValueError("module_adjacency is no square matrix")
    if not all(type(entry) is int and entry in (0, 1) for line in matrix for entry in line):
        raise ValueError("module_adjacency has other entries than 0 and 1")
    adjacency = "".join(str(entry) for line in matrix for entry in line)
    cell = Cell.from_strings(adjacency, ",".join(names))  # a CellError is a ValueError
    return cell.adjacency_string, cell.operations_string


def _fields(entry: Any, names: set[Any]) -> dict[Any, Any]:
    """Return an entry after checking that it has exactly the given names."""
    if not isinstance(entry, dict):
        raise ValueError("expected a table of names and values")
    for word, lot in (("lacks", names - entry.keys()), ("has the unknown entry", entry.keys() - names)):
        if lot:
            raise ValueError(f"it {word} {', '.join(sorted(str(name)[:40] for name in lot))}")
    return entry


def _text(row: Mapping[Any, Any], name: str) -> str:
    if not isinstance(row[name], str):
        raise ValueError(f"{name} is no text")
    return str(row[name])


def _whole(row: Mapping[Any, Any], name: str) -> int:
    value = row[name]
    if type(value) is not int or not 0 <= value < 1 << 31:
        raise ValueError(f"{name} is no whole number from 0 to {(1 << 31) - 1}")
    return value


def _amount(row: Mapping[Any, Any], name: str) -> float:
    value = row[name]
    if type(value) not in (int, float) or not 0 <= value <= sys.float_info.max:
        raise ValueError(f"{name} is no finite number of at least 0")
    return float(value)


def _share(row: Mapping[Any, Any], name: str) -> float:
    if (value := _amount(row, name)) > 1:
        raise ValueError(f"{name} is {value:g}, expected a share from 0 to 1, not per cent")
    return value
