"""All 423,624 cells: golden numbers, and the published ids, cells, walks and operation counts."""

import base64
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from terranas.benchmark.model_metrics import parse_model_metrics
from terranas.benchmark.tfrecord import read_blocks
from terranas.core.randomness import generator
from terranas.sampling.walks import random_walks
from terranas.space.batch import CellBatch
from terranas.space.cell import Cell
from terranas.space.complexity import CIFAR10_NETWORK, vertex_channels
from terranas.space.encodings import adjacency_one_hot, expanded_bits, from_adjacency_one_hot, path_encoding
from terranas.space.enumeration import labelled_cells
from terranas.space.features import graph_features
from terranas.space.lookup import CellIndex
from terranas.space.neighbours import NeighbourGraph, build_neighbours, summarise
from terranas.space.table import cells_table


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    return cells_table(7, 9, CIFAR10_NETWORK)


@pytest.fixture(scope="module")
def hamming(cells: pd.DataFrame) -> NeighbourGraph:
    return build_neighbours(cells, "hamming")


@pytest.fixture(scope="module")
def published_walks(shared_data: Path) -> list[list[dict[str, Any]]]:
    return json.loads((shared_data / "eo-hwnas" / "path_logs.json").read_text())


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


@pytest.fixture(scope="module")
def index(cells: pd.DataFrame) -> CellIndex:
    return CellIndex(cells)


@given(cell=...)
def test_every_numbering_of_a_cell_has_its_id(
    cell: Cell, index: CellIndex, numberings: Callable[[Cell], list[Cell]]
) -> None:
    found = {index.id(copy) for copy in numberings(cell)}
    assert len(found) == 1
    assert index.cell(found.pop()).hash == cell.hash


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


def test_golden_hamming_any_graph(cells: pd.DataFrame, hamming: NeighbourGraph) -> None:
    graph = build_neighbours(cells, "hamming_any")
    summary = summarise(graph, cells, "hamming_any")
    assert (summary["edges"], summary["isolated"], summary["components"]) == (1_170_718, 577, 632)
    arcs, more = (
        np.repeat(np.arange(len(of), dtype=np.int64), of.degrees()) * len(of) + of.indices for of in (hamming, graph)
    )
    assert np.isin(arcs, more, assume_unique=True).all()

    edges = cells["num_edges"].to_numpy()
    for row in np.random.default_rng(0).choice(np.flatnonzero(cells["num_vertices"] == 7), 80, replace=False).tolist():
        cell = Cell.from_strings(cells["adjacency"].iloc[row], cells["operations"].iloc[row])
        smaller = set()
        for edge in np.argwhere(cell.adjacency).tolist():
            matrix = cell.adjacency.copy()
            matrix[tuple(edge)] = 0
            if matrix[:-1].any(axis=1).all() and matrix[:, 1:].any(axis=0).all():
                smaller.add(Cell(matrix, cell.operations).hash)
        found = graph.neighbours(row)
        assert set(cells["hash"].iloc[found[edges[found] < edges[row]]]) == smaller


def test_published_operation_counts(cells: pd.DataFrame, shared_data: Path) -> None:
    """The published FLOPs are multiply-accumulates plus two for each element that is normalised."""
    batch = CellBatch.from_table(cells)
    normalised = np.full(len(cells), 32 * 32 * 128)  # the stem
    for vertices, rows in batch.groups():
        adjacency, convolves = batch.adjacency[rows, :vertices, :vertices], batch.labels[rows, : vertices - 2] != 2
        for channels, size in ((128, 32), (256, 16), (512, 8)):
            widths = vertex_channels(adjacency, channels)
            in_cell = (convolves * widths[:, 1:-1]).sum(axis=1) + (adjacency[:, 0] * widths).sum(axis=1)
            normalised[rows] += 3 * size**2 * in_cell
    published = pd.read_parquet(shared_data / "nas-bench-101" / "cifar10_test_accuracy_108.parquet")["flops"].to_numpy()
    assert np.array_equal(published, cells["macs"].to_numpy() + 2 * normalised)


def test_published_parameters(cells: pd.DataFrame, shared_data: Path) -> None:
    path = shared_data / "nas-bench-101" / "nasbench_real_subset.tfrecord"
    ours = dict(zip(cells["hash"], cells["parameters"], strict=True))
    published = {}
    with path.open("rb") as file:
        for block in read_blocks(file, path.name):
            for record in block:
                architecture, *_, metrics = json.loads(record.payload)
                published[architecture] = parse_model_metrics(base64.b64decode(metrics)).parameters
    assert len(published) == 19_960
    assert published == {architecture: ours[architecture] for architecture in published}


def test_walks_of_the_published_size(hamming: NeighbourGraph) -> None:
    generators = [generator(0, "sampling.walks", walk) for walk in range(30)]
    walks = random_walks(hamming, generators, steps=14, unique="study")
    assert len(np.unique(walks.rows)) == 450


def test_encodings_tell_all_cells_apart(cells: pd.DataFrame) -> None:
    codes = expanded_bits(cells)
    assert len(np.unique(codes.view(f"V{codes.itemsize * codes.shape[1]}"))) == 423_624
    assert len(np.unique(adjacency_one_hot(cells).astype(np.uint8).view("V36"))) == 423_624
    decoded = from_adjacency_one_hot(adjacency_one_hot(cells))
    assert decoded.to_strings() == (cells["adjacency"].tolist(), cells["operations"].tolist())


def test_path_encodings_of_all_cells(cells: pd.DataFrame) -> None:
    paths, features = path_encoding(cells), graph_features(cells, CIFAR10_NETWORK)
    assert (paths[:, 0] == features["has_skip"]).all()
    # several paths may have the same operations
    assert (paths.sum(axis=1) <= features["num_paths"]).all()
    assert paths.any(axis=0).all()
