"""Importing EC-NAS-Bench (Bakhtiarifard, Igel, Selvan, ICASSP 2024): NAS-Bench-101 cells with measured energy.

``energy_4V9E.csv`` has every cell of up to 4 vertices, trained three times for 4, 12, 36 and 108 epochs;
``energy_5V9E.csv`` every cell of up to 5 vertices, trained once for 4 epochs, those of up to 4 vertices anew.
"""

import logging
from collections.abc import Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.imported import ImportedTable, Source
from terranas.benchmark.nasbench101 import DATASET, EVALUATION_IMAGES, MAX_EPOCHS
from terranas.benchmark.published import numbers, read_csv, whole_counts
from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.space_index import SPACE, SPACE_SIZE, SpaceIndex, count_within, outside_space_error
from terranas.benchmark.validation import Check, RowNames, compare, within
from terranas.core.errors import DataError
from terranas.space.complexity import CIFAR10_NETWORK

logger = logging.getLogger(__name__)

SOURCE = Source(
    name="EC-NAS-Bench",
    space=SPACE,
    space_size=SPACE_SIZE,
    licence="MIT",
    citation="P. Bakhtiarifard, C. Igel, R. Selvan. EC-NAS: Energy Consumption Aware Tabular Benchmarks for Neural "
    "Architecture Search. ICASSP 2024, 5660-5664.",
    notes=(
        "Repeats are numbered in the order of the files, first those of energy_4V9E.csv: repeat 3 at 4 epochs is the "
        "training of energy_5V9E.csv, and the only one of a cell with 5 vertices is repeat 0.",
        "An accuracy is the share of correct ones among 9,984 images, as in NAS-Bench-101.",
        "The files do not say on which GPU a row was measured, so device is empty; times and energies of different "
        "rows may come from different machines.",
        "training_co2_g depends on where and when the electricity was drawn; it is close to energy times the mean "
        "carbon intensity of the row, but not equal to it.",
        "MACs are not published: they are those of NAS-Bench-101's network by terranas' closed form.",
    ),
)

COLUMNS = (
    *("hash", "epochs", "adj", "ops", "params", "total_time", "train_time", "train_acc", "val_acc", "test_acc"),
    *("energy_kWh", "co2eq_g", "avg_intensity", "in_nb101"),
)
"""Columns of the published files."""

MAX_ROWS = 100_000
"""More are refused: the cells of up to 5 vertices, 2,532, trained three times at four fidelities make 30,384."""

WATTS = (10.0, 10_000.0)
"""Mean power of a training: a machine with one GPU lies between."""

CO2_TOLERANCE = 0.7
"""Relative difference from energy times mean intensity: the published figure follows the intensity over time."""

_METRICS = {
    "training_seconds": "train_time",
    "total_seconds": "total_time",
    "train_micro_accuracy": "train_acc",
    "validation_micro_accuracy": "val_acc",
    "test_micro_accuracy": "test_acc",
    "training_energy_kwh": "energy_kWh",
    "training_co2_g": "co2eq_g",
    "parameters": "params",
}
_SHARES = ("train_acc", "val_acc", "test_acc")


class CsvFile(NamedTuple):
    """An open file, what to call it in messages, and the largest number of vertices of its cells."""

    file: BinaryIO
    name: str
    max_vertices: int


def import_ec_nas(files: Sequence[CsvFile], index: SpaceIndex) -> ImportedTable:
    """Return EC-NAS-Bench as a benchmark table.

    Args:
        files: the published files in the order in which repeats are numbered.
        index: the search space; cells of up to 5 vertices suffice.

    Raises:
        DataError: a file is damaged or none of the published ones, or a cell is not in the space.
    """
    parts = [_read(file) for file in files]
    rows = pd.concat(parts, ignore_index=True)
    names = " and ".join(file.name for file in files)
    outside = [number for number, name in enumerate(rows["hash"]) if index.row(name) is None]
    if outside:
        first = f"{rows['place'].iloc[outside[0]]}, {rows['hash'].iloc[outside[0]][:40]!r}"
        raise outside_space_error(names, len(outside), first, len(rows), index)
    graphs = zip(rows["place"], rows["hash"], rows["adj"], rows["ops"], strict=True)
    rows["row"] = [_require_cell(index, *graph) for graph in graphs]
    # stable: repeats keep the order of the files
    rows = rows.sort_values(["row", "epochs"], kind="stable", ignore_index=True)
    where, epochs = rows["row"].to_numpy(dtype=np.int64), rows["epochs"].to_numpy(dtype=np.int64)
    metrics = {column: rows[field].to_numpy(dtype=np.float64) for column, field in _METRICS.items()}
    parameters, metrics["macs"] = index.complexity(where, CIFAR10_NETWORK)
    repeats = count_within(where, epochs)
    table = index.table(where, epochs, repeats, metrics, dataset=DATASET, source=SOURCE.name)
    logger.info("%s: %d trainings of %d cells", names, len(rows), len(np.unique(where)))
    facts = {"rows": {file.name: len(part) for file, part in zip(files, parts, strict=True)}}
    return ImportedTable(table, BENCHMARK, SOURCE, _checks(rows, table, parameters), facts)


def _require_cell(index: SpaceIndex, place: str, name: str, adjacency: str, operations: str) -> int:
    """Return the row of a training's cell in the space, after checking that its graph has its hash."""
    row = index.row(name)
    assert row is not None, name
    try:
        index.require_graph(row, adjacency, operations)
    except ValueError as error:
        raise DataError(f"{place}: {error}. Fetch the file again.") from error
    return row


def _read(source: CsvFile) -> pd.DataFrame:
    """Return the columns of a file, the numbers as such, with the place of each row and the vertices it may have.

    Raises:
        DataError: it is no CSV file with the published columns, or a value is none.
    """
    rows = read_csv(source.file, source.name, COLUMNS, MAX_ROWS)
    places = [f"row {number}" for number in range(len(rows))]
    limits: dict[str, dict[str, Any]] = {
        "epochs": {"ge": 1, "le": MAX_EPOCHS, "whole": True},
        "params": {"ge": 1, "whole": True},
        **{name: {"ge": 0, "le": 1} for name in _SHARES},
    }
    read = {
        name: numbers(rows, name, places, source.name, **limits.get(name, {"ge": 0}))
        for name in ("epochs", "avg_intensity", *_METRICS.values())
    }
    wrong = ~rows["in_nb101"].isin(["True", "False"]).to_numpy()
    if wrong.any():
        raise DataError(
            f"{source.name} has {str(rows['in_nb101'].iloc[wrong.argmax()])[:40]!r} in the column in_nb101 in row "
            f"{wrong.argmax()}; expected True or False. Fetch the file again."
        )
    return rows.assign(
        **read,
        in_nb101=rows["in_nb101"] == "True",
        place=[f"{source.name}, {place}" for place in places],
        max_vertices=source.max_vertices,
    )


def _checks(rows: pd.DataFrame, table: pd.DataFrame, parameters: NDArray[np.float64]) -> tuple[Check, ...]:
    """Return the checks; rows are those of the table, in its order."""
    names = RowNames(table)
    energy, total, training = (rows[name].to_numpy() for name in ("energy_kWh", "total_time", "train_time"))
    watts = np.divide(3.6e6 * energy, total, out=np.full(len(rows), np.inf), where=total > 0)
    copies = rows.groupby(list(COLUMNS))["hash"].transform("size")
    return (
        compare("parameters equal the closed form", rows["params"], parameters, names),
        compare("cells are marked as NAS-Bench-101's", rows["in_nb101"], np.ones(len(rows)), names),
        within(
            "cells have at most the vertices of their file",
            rows["ops"].str.count(",") + 1,
            2,
            rows["max_vertices"],
            names,
        ),
        compare("no row stands twice", copies, np.ones(len(rows)), names),
        *(
            whole_counts(f"{name} counts whole images", rows[name].to_numpy(), EVALUATION_IMAGES, names)
            for name in _SHARES
        ),
        within("training takes at least a second", training, 1, np.inf, names),
        within("training takes no longer than with evaluations", training, 0, total, names),
        within("mean power is that of a machine with a GPU (W)", watts, *WATTS, names),
        compare(
            "carbon dioxide is about energy times intensity",
            rows["co2eq_g"],
            energy * rows["avg_intensity"].to_numpy(),
            names,
            tolerance=CO2_TOLERANCE,
            relative=True,
        ),
    )
