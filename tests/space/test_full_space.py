"""All 423,624 cells: golden numbers, and the published ids, cells, walks and operation counts."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from terranas.core.randomness import generator
from terranas.sampling.walks import random_walks
from terranas.space.complexity import NetworkShape
from terranas.space.encodings import adjacency_one_hot, expanded_bits
from terranas.space.enumeration import labelled_cells
from terranas.space.neighbours import NeighbourGraph, build_neighbours, summarise
from terranas.space.table import cells_table

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
CIFAR10 = NetworkShape(bands=3, classes=10, image_size=32, stem_channels=128, stacks=3, cells_per_stack=3)


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    return cells_table(7, 9, CIFAR10)


@pytest.fixture(scope="module")
def hamming(cells: pd.DataFrame) -> NeighbourGraph:
    return build_neighbours(cells, "hamming")


@pytest.fixture(scope="module")
def published_walks() -> list[list[dict[str, Any]]]:
    path = SHARED / "eo-hwnas" / "path_logs.json"
    if not path.is_file():
        pytest.skip(f"the published walks are not at {path}")
    return json.loads(path.read_text())


def test_golden_counts(cells: pd.DataFrame) -> None:
    assert cells["num_vertices"].value_counts().sort_index().tolist() == [1, 6, 84, 2_441, 62_010, 359_082]
    assert cells["id"].tolist() == list(range(423_624))
    assert cells["hash"].is_unique
    assert cells["hash"].is_monotonic_increasing


def test_golden_count_of_labelled_cells() -> None:
    assert sum(len(labelled_cells(vertices)) for vertices in range(2, 8)) == 1_293_208


def test_published_ids_hashes_and_cells(cells: pd.DataFrame, published_walks: list[list[dict[str, Any]]]) -> None:
    visits = [visit for walk in published_walks for visit in walk]
    assert len(visits) == 225
    ours = cells.iloc[[visit["id"] for visit in visits]]
    assert ours["hash"].tolist() == [visit["unique_hash"] for visit in visits]
    assert ours["operations"].tolist() == [",".join(visit["module_operations"]) for visit in visits]
    matrices = ["".join(str(bit) for row in visit["module_adjacency"] for bit in row) for visit in visits]
    assert ours["adjacency"].tolist() == matrices


def test_published_steps_have_hamming_distance_one(
    cells: pd.DataFrame, hamming: NeighbourGraph, published_walks: list[list[dict[str, Any]]]
) -> None:
    ids = np.array([[visit["id"] for visit in walk] for walk in published_walks])
    codes = expanded_bits(cells.iloc[ids.ravel()]).reshape(*ids.shape, -1)
    assert (np.bitwise_count(codes[:, 1:] ^ codes[:, :-1]).sum(axis=2) == 1).all()
    assert all(after in hamming.neighbours(before) for walk in ids for before, after in pairwise(walk))


def test_golden_hamming_graph(cells: pd.DataFrame, hamming: NeighbourGraph) -> None:
    summary = summarise(hamming, cells, "hamming")
    assert (summary["edges"], summary["isolated"], summary["components"]) == (1_065_502, 4_318, 4_373)


def test_published_operation_counts_follow_the_ids(cells: pd.DataFrame) -> None:
    # that table counts normalisation too, so it lies a little above ours, cell by cell
    path = SHARED / "nas-bench-101" / "cifar10_test_accuracy_108.parquet"
    if not path.is_file():
        pytest.skip(f"the published operation counts are not at {path}")
    ratio = pd.read_parquet(path)["flops"].to_numpy() / cells["macs"].to_numpy()
    assert len(ratio) == 423_624
    assert ratio.min() > 1
    assert ratio.max() < 1.05


def test_walks_of_the_published_size(hamming: NeighbourGraph) -> None:
    generators = [generator(0, "sampling.walks", walk) for walk in range(30)]
    walks = random_walks(hamming, generators, steps=14, unique="study")
    assert len(np.unique(walks.rows)) == 450


def test_encodings_tell_all_cells_apart(cells: pd.DataFrame) -> None:
    codes = expanded_bits(cells)
    assert len(np.unique(codes.view(f"V{codes.itemsize * codes.shape[1]}"))) == 423_624
    assert adjacency_one_hot(cells).shape == (423_624, 36)
