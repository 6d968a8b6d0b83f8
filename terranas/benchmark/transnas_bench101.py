"""Importing TransNAS-Bench-101 (Duan et al., CVPR 2021): two search spaces, trained on seven tasks of Taskonomy.

A code of the macro space has a digit a module, 4 to 6 of them: 1 keeps resolution and channels, 2 doubles the channels,
3 halves the resolution, 4 does both. A code of the micro space names the operations on the six edges 0-1, 0-2, 1-2,
0-3, 1-3, 2-3 of a cell: 0 none, 1 skip connection, 2 convolution 1x1, 3 convolution 3x3 (``1_02_333`` in the
benchmark's own notation is ``102333`` here).
"""

import itertools
import re
from typing import BinaryIO, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.imported import ImportedTable, Source
from terranas.benchmark.published import (
    architecture_keys,
    fractions,
    numbers,
    read_csv,
    to_rows,
    whole_counts,
)
from terranas.benchmark.schema import metrics_named, table_schema
from terranas.benchmark.validation import Check, compare
from terranas.core.errors import DataError
from terranas.core.tables import Column
from terranas.space.nasbench201 import has_path

Space = Literal["macro", "micro"]


class _Task(NamedTuple):
    """A task: its name, the epochs trained, and the metric that its published number becomes."""

    name: str
    epochs: int
    metric: str


_TASKS = (
    _Task("autoencoder", 30, "validation_ssim"),
    _Task("class_object", 25, "validation_micro_accuracy"),
    _Task("class_scene", 25, "validation_micro_accuracy"),
    _Task("jigsaw", 10, "validation_micro_accuracy"),
    _Task("normal", 30, "validation_ssim"),
    _Task("room_layout", 25, "validation_l2_loss"),
    _Task("segmentsemantic", 30, "validation_pixel_accuracy"),
)
_COLUMN = "{}.val_accuracy"
_CLASSIFIED_IMAGES = 157 * 128
"""Images behind an accuracy: whole batches of 128 (found from the values, which are multiples of one in 20,096)."""

_METRICS = (
    *metrics_named("validation_micro_accuracy"),
    Column(
        "validation_pixel_accuracy",
        "float64",
        "share of correct pixels of the validation images",
        direction="maximise",
        ge=0,
        le=1,
    ),
    Column(
        "validation_ssim",
        "float64",
        "structural similarity of predicted and true validation images",
        direction="maximise",
        ge=-1,
        le=1,
    ),
    Column(
        "validation_l2_loss",
        "float64",
        "mean squared error on the validation images",
        direction="minimise",
        ge=0,
    ),
)

SCHEMAS = {
    "macro": table_schema(
        "benchmark.transnas_bench101_macro",
        Column("architecture", "string", "what each module does to resolution and channels, a digit a module"),
        _METRICS,
        version=1,
    ),
    "micro": table_schema(
        "benchmark.transnas_bench101_micro",
        Column("architecture", "string", "operations on the six edges of the cell, a digit an edge"),
        _METRICS,
        version=1,
    ),
}

_CITATION = (
    "Y. Duan, X. Chen, H. Xu, Z. Chen, X. Liang, T. Zhang, Z. Li. TransNAS-Bench-101: Improving Transferability and "
    "Generalizability of Cross-Task Neural Architecture Search. CVPR 2021. By way of NASLib."
)
_NOTES = (
    "The set of images is the name of the task on Taskonomy; each network was trained once.",
    "Epochs are those of the benchmark's released training configurations: 25 for class_object, class_scene and "
    "room_layout, 10 for jigsaw, 30 for autoencoder, normal and segmentsemantic (that of class_scene was not seen and "
    "is taken to be that of class_object). Numbers are of the last epoch.",
    "NASLib calls every number a validation accuracy; autoencoder and normal are structural similarities, and "
    "room_layout is a negative loss, here turned positive (smaller is better).",
    "segmentsemantic is the share of correct pixels, not the mean intersection over union that the paper ranks by; a "
    "network without a path from input to output reaches 91.9 %.",
)
_CODES = {"macro": re.compile("[1-4]{4,6}"), "micro": re.compile("[0-3]{6}")}
_HINTS = {
    "macro": "4 to 6 digits from 1 to 4, 1 to 4 of them 3 or 4 and 1 to 3 of them 2 or 4",
    "micro": "6 digits from 0 to 3, leading zeros included",
}


def architectures_of(space: Space) -> list[str]:
    """Return the codes of all architectures of a search space, ascending: 3,256 (macro) or 4,096 (micro)."""
    if space == "micro":
        return ["".join(code) for code in itertools.product("0123", repeat=6)]
    codes = ("".join(code) for modules in (4, 5, 6) for code in itertools.product("1234", repeat=modules))
    return sorted(code for code in codes if _is_macro(code))


def _is_macro(code: str) -> bool:
    """Return whether 1 to 4 modules halve the resolution and 1 to 3 double the channels."""
    halved = code.count("3") + code.count("4")
    doubled = code.count("2") + code.count("4")
    return 1 <= halved <= 4 and 1 <= doubled <= 3


def import_transnas_bench101(file: BinaryIO, name: str, space: Space) -> ImportedTable:
    """Return one of TransNAS-Bench-101's search spaces as a benchmark table, a row for each architecture and task.

    A file with only a part of the architectures is welcome; the report says how much of the space it covers.

    Args:
        file: the CSV file, one row an architecture.
        name: what to call the file in errors.
        space: which search space the file is about.

    Raises:
        DataError: the file is damaged, or its columns, codes, numbers or units are not those of the published one.
    """
    columns = ["arch", *(_COLUMN.format(task.name) for task in _TASKS)]
    space_size = len(architectures_of(space))
    records = read_csv(file, name, columns, space_size)
    codes = architecture_keys(records, "arch", _CODES[space], _HINTS[space], name)
    if space == "macro":
        outside = [code for code in codes if not _is_macro(code)]
        if outside:
            raise DataError(
                f"{name} has {len(outside):,} architectures outside of the macro space, the first one is {outside[0]}; "
                f"expected {_HINTS[space]}. Fetch the published file again."
            )
    values = {task.name: _values(records, task, codes, name) for task in _TASKS}
    about = pd.DataFrame({"architecture": codes, "repeat": 0, "source": "TransNAS-Bench-101"})
    parts = [about.assign(dataset=task.name, epochs=task.epochs, **{task.metric: values[task.name]}) for task in _TASKS]
    source = Source(
        name=f"TransNAS-Bench-101 ({space})",
        space=f"TransNAS-Bench-101, {space}",
        space_size=space_size,
        licence="Apache-2.0",
        citation=_CITATION,
        notes=_NOTES,
    )
    checks = [
        whole_counts(f"{task.name} counts whole images", values[task.name], _CLASSIFIED_IMAGES, codes)
        for task in _TASKS
        if task.metric == "validation_micro_accuracy"
    ]
    if space == "micro":
        checks += _path_checks(values, codes)
    return ImportedTable(to_rows(parts, SCHEMAS[space]), SCHEMAS[space], source, tuple(checks))


def _values(records: pd.DataFrame, task: _Task, codes: list[str], name: str) -> NDArray[np.float64]:
    column = _COLUMN.format(task.name)
    if task.metric == "validation_ssim":
        return numbers(records, column, codes, name, ge=-1, le=1)
    if task.metric == "validation_l2_loss":
        return -numbers(records, column, codes, name, le=0)
    return fractions(records, column, codes, name)


def _path_checks(values: dict[str, NDArray[np.float64]], codes: list[str]) -> list[Check]:
    """Compare cells without a path from input to output: what they learn does not depend on the cell."""
    operations = np.array([list(code) for code in codes])
    cut = np.flatnonzero(~has_path(operations != "0"))
    names = [codes[row] for row in cut]
    return [
        compare(
            f"{task.name} is the same for all cells without a path from input to output",
            values[task.name][cut],
            np.full(len(cut), np.median(values[task.name][cut]) if len(cut) else np.nan),
            names,
            tolerance=1e-3,
        )
        for task in _TASKS
        if task.metric != "validation_ssim"  # a decoder learns to draw an average image, each time another one
    ]
