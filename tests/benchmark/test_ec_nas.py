"""Importing EC-NAS-Bench: CSV files in the published form, each kind of damage, and the real ones."""

import csv
import functools
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from terranas.benchmark.ec_nas import COLUMNS, CsvFile, import_ec_nas
from terranas.benchmark.imported import ImportedTable
from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.space_index import SpaceIndex
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import DataError
from terranas.core.files import read_json
from terranas.core.tables import read_table, write_table
from terranas.space.cell import Cell
from terranas.space.complexity import CIFAR10_NETWORK, macs, parameters
from terranas.space.schema import CELLS
from terranas.space.table import cells_table

from .checks import failed

CHAIN = Cell.from_strings("010001000", "input,conv3x3-bn-relu,output")
WIDE = Cell.from_strings("0110000100010000", "input,conv1x1-bn-relu,maxpool3x3,output")
LONG = Cell.from_strings("0100000100000100000100000", "input,maxpool3x3,conv3x3-bn-relu,maxpool3x3,output")

Row = dict[str, Any]


@functools.cache
def index(max_vertices: int = 5) -> SpaceIndex:
    return SpaceIndex(cells_table(max_vertices, 9, CIFAR10_NETWORK))


def row(cell: Cell, epochs: int = 4, seconds: float = 100.0, **changes: Any) -> Row:
    energy = seconds * 400 / 3.6e6
    return {
        "hash": cell.hash,
        "epochs": epochs,
        "adj": cell.adjacency_string,
        "ops": cell.operations_string,
        "params": parameters(cell, CIFAR10_NETWORK),
        "total_time": seconds,
        "train_time": seconds / 2,
        "train_acc": 9000 / 9984,
        "val_acc": 8000 / 9984,
        "test_acc": 7000 / 9984,
        "energy_kWh": energy,
        "co2eq_g": energy * 100,
        "avg_intensity": 100.0,
        "in_nb101": True,
    } | changes


def written(*rows: Row) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def imported(four: bytes, five: bytes, max_vertices: int = 5) -> ImportedTable:
    files = [CsvFile(io.BytesIO(four), "four.csv", 4), CsvFile(io.BytesIO(five), "five.csv", 5)]
    return import_ec_nas(files, index(max_vertices))


FOUR = [row(cell, epochs, seconds) for cell in (WIDE, CHAIN) for epochs in (108, 4) for seconds in (90.0, 80.0, 70.0)]
FIVE = [row(cell, seconds=60.0) for cell in (LONG, CHAIN, WIDE)]


# --- what is imported ----------------------------------------------------------------------------------------------


def test_files_as_published_agree_and_repeats_go_on_from_file_to_file() -> None:
    result = imported(written(*FOUR), written(*FIVE))
    assert failed(result) == {}
    assert all(check.compared == 15 for check in result.checks)
    assert result.facts == {"rows": {"four.csv": 12, "five.csv": 3}}
    table = BENCHMARK.validate(result.table)
    found = {(r.hash, r.epochs, r.repeat): r.total_seconds for r in table.itertuples()}
    expected = {(LONG.hash, 4, 0): 60.0}
    for cell in (WIDE, CHAIN):
        expected |= {(cell.hash, 108, repeat): seconds for repeat, seconds in enumerate((90.0, 80.0, 70.0))}
        expected |= {(cell.hash, 4, repeat): seconds for repeat, seconds in enumerate((90.0, 80.0, 70.0, 60.0))}
    assert found == expected
    assert table["hash"].is_monotonic_increasing


def test_columns_of_the_table() -> None:
    result = imported(written(row(CHAIN)), written(row(WIDE)))
    only = result.table.set_index("hash").loc[WIDE.hash]
    expected = {
        "dataset": "CIFAR-10",
        "source": "EC-NAS-Bench",
        "outcome": "ok",
        "device": "",
        "training_seconds": 50.0,
        "total_seconds": 100.0,
        "train_micro_accuracy": 9000 / 9984,
        "validation_micro_accuracy": 8000 / 9984,
        "test_micro_accuracy": 7000 / 9984,
        "training_energy_kwh": 100 * 400 / 3.6e6,
        "training_co2_g": 100 * 400 / 3.6e4,
        "parameters": parameters(WIDE, CIFAR10_NETWORK),
        "macs": macs(WIDE, CIFAR10_NETWORK),
    }
    assert only[list(expected)].to_dict() == pytest.approx(expected)
    assert result.table[["latency_ms", "test_macro_accuracy", "model_bytes"]].isna().all(axis=None)


def test_a_graph_with_idle_vertices_drawn_otherwise_is_its_pruned_cell() -> None:
    # vertex 2 leads nowhere, so this is the chain
    drawn = {"adj": "0110000100000000", "ops": "input,conv3x3-bn-relu,maxpool3x3,output"}
    result = imported(written(row(CHAIN)), written(row(CHAIN, seconds=60.0, **drawn)))
    assert failed(result) == {}
    assert result.table["hash"].tolist() == [CHAIN.hash, CHAIN.hash]


def test_script(tmp_path: Path, run_import: Callable[..., None]) -> None:
    (tmp_path / "four.csv").write_bytes(written(*FOUR))
    (tmp_path / "five.csv").write_bytes(written(*FIVE))
    write_table(cells_table(5, 9, CIFAR10_NETWORK), tmp_path / "cells.parquet", CELLS)
    paths = {"cells": tmp_path / "cells.parquet", "four": tmp_path / "four.csv", "five": tmp_path / "five.csv"}
    outputs = {"table": tmp_path / "table.parquet", "report": tmp_path / "report.json"}
    run_import("ec_nas", input=paths, output=outputs)
    assert len(read_table(outputs["table"], BENCHMARK)) == 15
    assert read_json(outputs["report"])["repeats"] == {"1": 1, "3": 2, "4": 2}
    benchmark = TabularBenchmark.open(outputs["table"])
    assert benchmark.fidelities == [4, 108]
    assert benchmark.true_front(["validation_micro_accuracy", "training_energy_kwh"])


# --- files that disagree -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"params": 5}, "parameters equal the closed form"),
        ({"in_nb101": False}, "cells are marked as NAS-Bench-101's"),
        ({"val_acc": 0.9}, "val_acc counts whole images"),
        ({"train_time": 0.5}, "training takes at least a second"),
        ({"train_time": 101.0}, "training takes no longer than with evaluations"),
        # watt-hours, joules, and hours in place of seconds
        ({"energy_kWh": 11.1, "co2eq_g": 1110.0}, "mean power is that of a machine with a GPU (W)"),
        ({"energy_kWh": 4e4, "co2eq_g": 4e6}, "mean power is that of a machine with a GPU (W)"),
        ({"energy_kWh": 0.0, "co2eq_g": 0.0}, "mean power is that of a machine with a GPU (W)"),
        ({"co2eq_g": 1.1e-3}, "carbon dioxide is about energy times intensity"),
        ({"avg_intensity": 0.1}, "carbon dioxide is about energy times intensity"),
    ],
)
def test_a_disagreement_is_found_once(changes: Row, name: str) -> None:
    result = imported(written(*FOUR), written(row(LONG, **changes)))
    assert failed(result) == {name: 1}


def test_times_in_hours_are_found() -> None:
    result = imported(written(*FOUR), written(row(LONG, total_time=100 / 3600, train_time=50 / 3600)))
    assert failed(result) == {
        "training takes at least a second": 1,
        "mean power is that of a machine with a GPU (W)": 1,
    }


def test_a_row_that_stands_twice_and_swapped_files_are_found() -> None:
    result = imported(written(*FOUR), written(*FIVE, FIVE[0]))
    assert failed(result) == {"no row stands twice": 2}
    result = imported(written(*FOUR), written(*FOUR))
    assert failed(result) == {"no row stands twice": 24}
    result = imported(written(*FIVE), written(*FOUR))
    assert failed(result) == {"cells have at most the vertices of their file": 1}


# --- files that are damaged ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"val_acc": 58.6}, ["'58.6' in the column val_acc for row 1", "up to 1"]),
        ({"val_acc": ""}, ["'' in the column val_acc for row 1"]),
        ({"test_acc": "nan"}, ["'nan' in the column test_acc"]),
        ({"energy_kWh": "inf"}, ["'inf' in the column energy_kWh"]),
        ({"energy_kWh": -1}, ["'-1' in the column energy_kWh"]),
        ({"train_time": "fast"}, ["'fast' in the column train_time"]),
        ({"epochs": 4.5}, ["'4.5' in the column epochs", "whole number"]),
        ({"epochs": 0}, ["'0' in the column epochs"]),
        ({"params": 0}, ["'0' in the column params"]),
        ({"in_nb101": "yes"}, ["'yes' in the column in_nb101 in row 1", "expected True or False"]),
        ({"hash": "abc"}, ["1 of the 14 entries of four.csv and five.csv", "five.csv, row 1, 'abc'"]),
        ({"hash": CHAIN.hash}, [f"five.csv, row 1: its graph has the hash {LONG.hash}, expected {CHAIN.hash}"]),
        # a spreadsheet takes the matrix for a number
        ({"adj": LONG.adjacency_string[1:]}, ["five.csv, row 1: its graph is no valid cell", "25 digits, got 24"]),
        ({"adj": "1.00001E+23"}, ["five.csv, row 1: its graph is no valid cell"]),
        ({"ops": "input,sum,sum,sum,output"}, ["Unknown operation 'sum'"]),
    ],
)
def test_a_damaged_row_is_refused_with_its_place(changes: Row, words: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        imported(written(*FOUR), written(FIVE[1], row(LONG, **changes)))
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("five", "words"),
    [
        (written(row(LONG, gpu="A100")), "five.csv does not have the columns of the published file; unknown: gpu"),
        (written({name: value for name, value in row(LONG).items() if name != "ops"}), "missing: ops"),
        (written(), "five.csv has no rows"),
        (b"", "five.csv does not have the columns of the published file; missing: hash, epochs"),
        (b"\xff\xfe" + written(row(LONG)), "five.csv is no CSV file"),
        (written(row(LONG)) + b"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n", "five.csv is no CSV file"),
        (written(row(LONG)) + LONG.hash.encode() + b",4\n", "row 1 has 2 fields, expected 14"),
    ],
)
def test_a_damaged_file_is_refused(five: bytes, words: str) -> None:
    with pytest.raises(DataError) as caught:
        imported(written(*FOUR), five)
    assert words in str(caught.value)


def test_a_smaller_space_is_named() -> None:
    with pytest.raises(DataError) as caught:
        imported(written(*FOUR), written(*FIVE), max_vertices=4)
    text = str(caught.value)
    assert "1 of the 15 entries of four.csv and five.csv name a cell that is none of the 91 it is looked up in" in text
    assert f"five.csv, row 0, '{LONG.hash}'" in text
    assert "the table of all 423,624 cells" in text


# --- the real files ------------------------------------------------------------------------------------------------


def test_real_files(shared_data: Path) -> None:
    folder = shared_data / "ec-nas"
    result = imported((folder / "energy_4V9E.csv").read_bytes(), (folder / "energy_5V9E.csv").read_bytes())
    assert failed(result) == {}
    assert all(check.compared == 3_624 for check in result.checks)
    table = BENCHMARK.validate(result.table)
    assert result.facts == {"rows": {"four.csv": 1_092, "five.csv": 2_532}}
    # every cell of up to 5 vertices, those of up to 4 also three times at each fidelity
    assert set(table["hash"]) == set(cells_table(5, 9, CIFAR10_NETWORK)["hash"])
    runs = table.groupby(["hash", "epochs"])["repeat"].max() + 1
    assert runs.value_counts().to_dict() == {1: 2_441, 3: 273, 4: 91}
    co2 = next(check for check in result.checks if check.name.startswith("carbon dioxide"))
    assert co2.largest == pytest.approx(0.617, abs=0.001)
    assert np.isclose(table["training_energy_kwh"].sum(), 216.67, rtol=0.01)
