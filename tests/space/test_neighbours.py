"""Neighbour graphs against slow definitions, and files that do not belong together."""

import json
from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import combinations
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from terranas.core.errors import CellError, DataError, TableError
from terranas.space.cell import OPERATIONS, Cell
from terranas.space.complexity import NetworkShape
from terranas.space.encodings import expanded_bits, hamming_distances
from terranas.space.neighbours import (
    NEIGHBOURHOODS,
    NeighbourGraph,
    build_neighbours,
    digest_of,
    read_graph,
    summarise,
    write_graph,
)
from terranas.space.table import cells_table

SHAPE = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=8, stacks=3, cells_per_stack=1)


@pytest.fixture(scope="module")
def four() -> pd.DataFrame:
    return cells_table(4, 9, SHAPE)


@pytest.fixture(scope="module")
def five() -> pd.DataFrame:
    return cells_table(5, 9, SHAPE)


@pytest.fixture(scope="module")
def sparse() -> pd.DataFrame:
    return cells_table(5, 6, SHAPE)


def pairs(graph: NeighbourGraph) -> set[tuple[int, int]]:
    return {(row, int(other)) for row in range(len(graph)) for other in graph.neighbours(row)}


def expanded_matrix(cell: Cell) -> np.ndarray:
    """Return the 17x17 matrix from its definition, one vertex at a time."""
    blocks = {"conv1x1-bn-relu": 1, "conv3x3-bn-relu": 6, "maxpool3x3": 11}
    slots = []
    for vertex, name in enumerate(cell.operations):
        before = cell.operations[:vertex].count(name)
        slots.append({"input": 0, "output": 16}.get(name, blocks.get(name, 0) + before))
    matrix = np.zeros((17, 17), dtype=np.uint8)
    for source, target in np.argwhere(cell.adjacency):
        matrix[slots[source], slots[target]] = 1
    return matrix


@cache
def hash_of(cell: Cell) -> str:
    """Return the hash of a cell, computed once although many edits lead to it."""
    return cell.hash


def edited_slowly(cell: Cell, max_edges: int) -> set[str]:
    """Return the hashes of the cells one edit away, built as cells and hashed by hashlib."""
    found = set()
    for vertex in range(1, cell.num_vertices - 1):
        for name in set(OPERATIONS) - {cell.operations[vertex]}:
            operations = (*cell.operations[:vertex], name, *cell.operations[vertex + 1 :])
            found.add(hash_of(Cell(cell.adjacency, operations)))
    for edge in combinations(range(cell.num_vertices), 2):
        matrix = cell.adjacency.copy()
        matrix[edge] ^= 1
        try:
            edited = Cell(matrix, cell.operations).prune()
        except CellError:
            continue
        if edited.num_edges <= max_edges:
            found.add(hash_of(edited))
    return found


@pytest.mark.parametrize("space", ["five", "sparse"])
def test_hamming_any_neighbours_have_numberings_that_differ_in_one_bit(
    space: str, request: pytest.FixtureRequest, numberings: Callable[[Cell], list[Cell]]
) -> None:
    cells = request.getfixturevalue(space)
    # all 17x17 matrices of each cell as integers of 289 bits, and each of their bits flipped in turn
    matrices = [
        {int("".join(map(str, expanded_matrix(copy).ravel())), 2) for copy in numberings(Cell.from_strings(*text))}
        for text in texts(cells)
    ]
    row_of = {matrix: row for row, copies in enumerate(matrices) for matrix in copies}
    assert len(row_of) == sum(map(len, matrices)), "a matrix belongs to one cell only"
    expected = {
        (row, row_of[other])
        for row, copies in enumerate(matrices)
        for matrix in copies
        for bit in range(17 * 17)
        if (other := matrix ^ (1 << bit)) in row_of
    }
    graph = build_neighbours(cells, "hamming_any")
    assert pairs(graph) == expected
    assert pairs(build_neighbours(cells, "hamming")) < expected


@pytest.mark.parametrize("space", ["four", "five", "sparse"])
def test_hamming_neighbours_differ_in_one_bit(space: str, request: pytest.FixtureRequest) -> None:
    cells = request.getfixturevalue(space)
    bits = np.array([expanded_matrix(Cell.from_strings(*row)).ravel() for row in texts(cells)])
    expected = {
        (row, int(other)) for row in range(len(bits)) for other in np.flatnonzero((bits[row] != bits).sum(axis=1) == 1)
    }
    assert pairs(build_neighbours(cells, "hamming")) == expected


@pytest.mark.parametrize(("space", "max_edges"), [("five", 9), ("sparse", 6)])
def test_edit_neighbours_are_one_edit_away(space: str, max_edges: int, request: pytest.FixtureRequest) -> None:
    cells = request.getfixturevalue(space)
    row_of = {hash_: row for row, hash_ in enumerate(cells["hash"])}
    expected = {
        (row, row_of[hash_])
        for row, text in enumerate(texts(cells))
        for hash_ in edited_slowly(Cell.from_strings(*text), max_edges)
    }
    directed = pairs(build_neighbours(cells, "edit"))
    assert directed == expected
    assert any((other, row) not in directed for row, other in directed), "pruning cannot be undone by one edit"
    both = pairs(build_neighbours(cells, "edit_symmetric"))
    assert both == expected | {(other, row) for row, other in expected}


def texts(cells: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(cells["adjacency"], cells["operations"], strict=True))


@pytest.mark.parametrize("neighbourhood", NEIGHBOURHOODS)
def test_neighbours_ascend_and_exclude_the_cell_itself(five: pd.DataFrame, neighbourhood: str) -> None:
    graph = build_neighbours(five, neighbourhood)
    assert graph.indptr.dtype == np.int64
    assert graph.indices.dtype == np.int32
    for row in range(len(graph)):
        others = graph.neighbours(row)
        assert (np.diff(others) > 0).all()
        assert row not in others


def test_components_of_the_default_space(four: pd.DataFrame) -> None:
    graph = build_neighbours(four, "hamming")
    sizes = sorted(np.bincount(graph.components()), reverse=True)
    assert sizes == [18, 18, 18, 10, 10, 10, 2, 2, 2, 1]
    labels = graph.components()
    for members in nx.connected_components(nx.Graph(sorted(pairs(graph)))):
        assert len({labels[row] for row in members}) == 1


def test_order_of_the_rows_only_renumbers(four: pd.DataFrame) -> None:
    order = np.random.default_rng(0).permutation(len(four))
    shuffled = build_neighbours(four.iloc[order].reset_index(drop=True), "hamming")
    assert {(order[row], order[other]) for row, other in pairs(shuffled)} == pairs(build_neighbours(four, "hamming"))


def test_unknown_neighbourhood_is_refused(four: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="must be one of hamming, hamming_any, edit, edit_symmetric, got 'swap'"):
        build_neighbours(four, "swap")


def test_summary_counts(four: pd.DataFrame) -> None:
    graph = build_neighbours(four, "hamming")
    summary = summarise(graph, four, "hamming")
    degrees = Counter(len(graph.neighbours(row)) for row in range(91))
    digest = summary.pop("digest")
    assert len(digest) == 64
    assert summary == {
        "neighbourhood": "hamming",
        "cells": 91,
        "edges": 135,
        "arcs": 270,
        "isolated": 1,
        "components": 10,
        "largest_components": [18, 18, 18, 10, 10, 10, 2, 2, 2, 1],
        "degree": {"min": 0, "median": 3.0, "mean": pytest.approx(270 / 91), "max": max(degrees)},
        "degree_counts": {str(degree): degrees[degree] for degree in sorted(degrees)},
    }
    assert json.loads(json.dumps(summary)) == summary
    directed = summarise(build_neighbours(four, "edit"), four, "edit")
    assert directed["edges"] < directed["arcs"] < 2 * directed["edges"]


@pytest.mark.parametrize("neighbourhood", NEIGHBOURHOODS)
def test_no_cells_have_a_graph_of_none(four: pd.DataFrame, neighbourhood: str, tmp_path: Path) -> None:
    none = four.iloc[:0]
    graph = build_neighbours(none, neighbourhood)
    assert len(graph) == len(graph.symmetric()) == len(graph.degrees()) == len(graph.components()) == 0
    assert (graph.indptr.tolist(), graph.indptr.dtype) == ([0], np.int64)
    assert (graph.indices.tolist(), graph.indices.dtype) == ([], np.int32)
    with pytest.raises(TableError, match="graph without cells has no degrees to summarise"):
        summarise(graph, none, neighbourhood)
    paths = (tmp_path / "indptr.npy", tmp_path / "indices.npy", tmp_path / "summary.json")
    write_graph(graph, {"digest": digest_of(none)}, *paths)
    assert len(read_graph(*paths, none)) == 0
    with pytest.raises(TableError, match="built for other cells than these 91"):
        read_graph(*paths, four)


def written(cells: pd.DataFrame, folder: Path) -> tuple[Path, Path, Path]:
    graph = build_neighbours(cells, "hamming")
    paths = (folder / "indptr.npy", folder / "indices.npy", folder / "summary.json")
    write_graph(graph, summarise(graph, cells, "hamming"), *paths)
    return paths


def test_written_graph_reads_back(four: pd.DataFrame, tmp_path: Path) -> None:
    graph = read_graph(*written(four, tmp_path), four[["hash"]])
    assert pairs(graph) == pairs(build_neighbours(four, "hamming"))
    assert not graph.indices.flags.writeable


def test_graph_without_edges_reads_back(tmp_path: Path) -> None:
    single = cells_table(2, 9, SHAPE)
    graph = read_graph(*written(single, tmp_path), single)
    assert graph.indptr.tolist() == [0, 0]
    assert graph.components().tolist() == [0]


def test_graph_of_other_cells_is_refused(four: pd.DataFrame, tmp_path: Path) -> None:
    paths = written(four, tmp_path)
    with pytest.raises(TableError, match="was built for other cells than these 90"):
        read_graph(*paths, four.iloc[1:])
    with pytest.raises(TableError, match="was built for other cells"):
        read_graph(*paths, four.iloc[::-1])


def test_digest_depends_on_the_hashes_only(four: pd.DataFrame) -> None:
    cells = four[["hash"]]
    plain = pd.DataFrame({"hash": np.array(cells["hash"].tolist(), dtype=object)})
    assert digest_of(plain) == digest_of(cells) == digest_of(pd.concat([cells.iloc[:3], cells.iloc[3:]]))
    assert digest_of(cells.iloc[2:5]) == digest_of(plain.iloc[2:5].reset_index(drop=True))
    parts = [cells.iloc[:0], cells.iloc[:1], cells.iloc[1:2], cells.iloc[:2], cells.iloc[1::-1]]
    # the same letters cut elsewhere
    parts += [pd.DataFrame({"hash": ["ab", "c"]}), pd.DataFrame({"hash": ["a", "bc"]})]
    assert len({digest_of(part) for part in parts}) == len(parts)


def test_damaged_graph_files_are_refused(four: pd.DataFrame, tmp_path: Path) -> None:
    indptr, indices, summary = written(four, tmp_path)
    whole = indices.read_bytes()
    indices.write_bytes(whole[:100])
    with pytest.raises(TableError, match="is no readable array"):
        read_graph(indptr, indices, summary, four)
    np.save(indices, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(TableError, match="is no readable array"):
        read_graph(indptr, indices, summary, four)
    np.save(indices, np.zeros(270))
    with pytest.raises(TableError, match="must be one-dimensional of type int32, got 1 dimensions of type float64"):
        read_graph(indptr, indices, summary, four)
    np.save(indices, np.zeros(3, dtype=np.int32))
    with pytest.raises(TableError, match="do not fit together"):
        read_graph(indptr, indices, summary, four)
    indices.write_bytes(whole)
    summary.write_text("{")
    with pytest.raises(DataError, match="no valid JSON"):
        read_graph(indptr, indices, summary, four)


def test_hamming_neighbours_have_distance_one_in_packed_codes(five: pd.DataFrame) -> None:
    distances = hamming_distances(expanded_bits(five))
    assert pairs(build_neighbours(five, "hamming")) == {tuple(pair) for pair in np.argwhere(distances == 1).tolist()}
