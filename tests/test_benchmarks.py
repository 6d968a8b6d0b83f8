"""The plain references that benchmarks/ compares speeds with give what the library gives."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from terranas.benchmark.nasbench101 import import_nasbench101
from terranas.benchmark.space_index import SpaceIndex
from terranas.space import encodings
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.neighbours import build_neighbours
from terranas.space.table import cells_table

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def plain() -> ModuleType:
    spec = importlib.util.spec_from_file_location("plain", BENCHMARKS / "plain.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    return cells_table(5, 9, CIFAR10_NETWORK)


@pytest.fixture(scope="module")
def parsed(plain: ModuleType, cells: pd.DataFrame) -> list:
    return [plain.parse(*row) for row in cells[["adjacency", "operations"]].itertuples(index=False, name=None)]


def test_plain_enumeration_and_hashes(plain: ModuleType, cells: pd.DataFrame, parsed: list) -> None:
    assert [plain.cell_hash(cell) for cell in parsed] == cells["hash"].tolist()
    assert set(plain.enumerate_cells(4)) == set(cells.loc[cells["num_vertices"] <= 4, "hash"])


def test_plain_neighbours(plain: ModuleType, cells: pd.DataFrame, parsed: list) -> None:
    row_of = {name: row for row, name in enumerate(cells["hash"])}
    codes = [plain.bits(plain.expanded(cell)) for cell in parsed]
    row_of_code = {code: row for row, code in enumerate(codes)}
    edges = cells["num_edges"].to_numpy()
    rows = range(0, len(cells), 7)
    edit, hamming, anyone = (build_neighbours(cells, name) for name in ("edit", "hamming", "hamming_any"))
    for row in rows:
        assert plain.edit_neighbours(parsed[row], row_of) == set(edit.neighbours(row).tolist())
        assert plain.hamming_neighbours(codes[row], row_of_code) == set(hamming.neighbours(row).tolist())
        fewer = plain.fewer_edges(parsed[row], row_of)
        assert fewer == {other for other in anyone.neighbours(row).tolist() if edges[other] < edges[row]}


def test_plain_encodings(plain: ModuleType, cells: pd.DataFrame, parsed: list) -> None:
    expanded = encodings.expanded_adjacency(cells).reshape(len(cells), -1)
    np.testing.assert_array_equal(expanded, [plain.expanded(cell) for cell in parsed])
    np.testing.assert_array_equal(encodings.adjacency_one_hot(cells), [plain.one_hot(cell) for cell in parsed])
    np.testing.assert_array_equal(encodings.path_encoding(cells), [plain.paths(cell) for cell in parsed])


def test_a_made_up_file_reads_the_same_both_ways(plain: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "made.tfrecord"
    program = [sys.executable, str(BENCHMARKS / "make_nasbench101.py"), str(path), "--cells", "50", "--repeats", "2"]
    subprocess.run(program, check=True, timeout=240, stdout=subprocess.DEVNULL)
    read = plain.read_nasbench101(path)
    index = SpaceIndex(cells_table(7, 9, CIFAR10_NETWORK))
    with path.open("rb") as file:
        imported = import_nasbench101(file, path.name, index)
    assert all(check.passed for check in imported.checks)
    assert len(imported.table) == 100
    for row in imported.table.to_dict("records"):
        fixed, runs = read[row["hash"]]
        run = runs[row["epochs"]][row["repeat"]]
        assert fixed["trainable_parameters"] == row["parameters"]
        assert run["final_validation_accuracy"] == row["validation_micro_accuracy"]
        assert run["final_training_time"] == row["training_seconds"]
