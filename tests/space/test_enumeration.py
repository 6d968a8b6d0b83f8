"""All cells, each once: golden counts, the published order, hashes against hashlib, and the table's columns."""

from itertools import product

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terranas.core.errors import CellError
from terranas.space.batch import CellBatch
from terranas.space.cell import OPERATIONS, Cell
from terranas.space.complexity import NetworkShape
from terranas.space.enumeration import enumerate_cells, labelled_cells
from terranas.space.md5 import _before, cell_hashes
from terranas.space.schema import CELLS
from terranas.space.table import cells_table

SHAPE = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=8, stacks=3, cells_per_stack=1)


def as_cells(batch: CellBatch) -> list[Cell]:
    return [
        Cell(
            batch.adjacency[row, :vertices, :vertices],
            ("input", *(OPERATIONS[label] for label in batch.labels[row, : vertices - 2]), "output"),
        )
        for row, vertices in enumerate(batch.num_vertices.tolist())
    ]


def enumerated_slowly(max_vertices: int, max_edges: int) -> list[Cell]:
    """Return the cells in published order, from nothing but the definition and hashes by hashlib."""
    found: dict[str, Cell] = {}
    for vertices in range(2, max_vertices + 1):
        for mask in range(1 << (vertices * (vertices - 1) // 2)):
            matrix = np.zeros((vertices, vertices), dtype=np.uint8)
            for y in range(vertices):
                for x in range(y):
                    matrix[x, y] = (mask >> (x + y * (y - 1) // 2)) & 1
            if matrix[:, 1:].any(axis=0).all() and matrix[:-1].any(axis=1).all() and matrix.sum() <= max_edges:
                for inner in product(OPERATIONS, repeat=vertices - 2):
                    cell = Cell(matrix, ("input", *inner, "output"))
                    found.setdefault(cell.hash, cell)
    return list(found.values())


@pytest.mark.parametrize(("max_vertices", "max_edges"), [(4, 9), (4, 4), (5, 5), (5, 9)])
def test_equals_a_slow_enumeration(max_vertices: int, max_edges: int) -> None:
    assert as_cells(enumerate_cells(max_vertices, max_edges)) == enumerated_slowly(max_vertices, max_edges)


def test_golden_counts_up_to_six_vertices() -> None:
    assert np.bincount(enumerate_cells(6).num_vertices).tolist() == [0, 0, 1, 6, 84, 2_441, 62_010]
    assert len(enumerate_cells(4)) == 91


def test_one_vertex_pair_and_one_edge() -> None:
    assert [cell.adjacency_string for cell in as_cells(enumerate_cells(2, 1))] == ["0100"]
    # with two edges at most: the bare projection, and a chain for each operation
    assert len(enumerate_cells(7, 2)) == 4


def test_hashes_equal_hashlib() -> None:
    batch = enumerate_cells(6)
    rows = np.random.default_rng(0).choice(len(batch), 3_000, replace=False)
    assert cell_hashes(batch[rows]) == [cell.hash for cell in as_cells(batch[rows])]


def test_hashes_of_seven_vertices_equal_hashlib() -> None:
    # rows of every largest degree: texts of all lengths, up to 4 neighbours on one side
    batch = labelled_cells(7, 9)
    degrees = np.maximum(batch.adjacency.sum(axis=1).max(axis=1), batch.adjacency.sum(axis=2).max(axis=1))
    rows = np.concatenate([np.flatnonzero(degrees == degree)[::997][:60] for degree in np.unique(degrees)])
    assert degrees.max() == 4
    assert cell_hashes(batch[rows]) == [cell.hash for cell in as_cells(batch[rows])]


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 200])
def test_hashes_of_any_number_of_cells_in_any_order(count: int) -> None:
    batch = enumerate_cells(5)
    rows = np.random.default_rng(count).choice(len(batch), count, replace=False)
    assert cell_hashes(batch[rows]) == [cell.hash for cell in as_cells(batch[rows])]


@given(st.binary(min_size=0, max_size=15), st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_digits_are_compared_as_text(common: bytes, left: bytes, right: bytes) -> None:
    # real hashes practically never begin alike
    texts = [(common + end)[:16].hex() for end in (left, right)]
    words = [np.frombuffer(text.encode(), dtype=np.uint64) for text in texts]
    assert _before(*words) == (texts[0] < texts[1])


def test_table_describes_its_cells() -> None:
    table = CELLS.validate(cells_table(4, 9, SHAPE))
    assert len(table) == 91
    assert table["hash"].is_monotonic_increasing
    assert table["id"].isna().all()
    for row in table.itertuples():
        cell = Cell.from_strings(row.adjacency, row.operations)
        assert cell.prune() is cell
        assert (cell.hash, cell.num_vertices, cell.num_edges) == (row.hash, row.num_vertices, row.num_edges)
        graph = nx.from_numpy_array(cell.adjacency, create_using=nx.DiGraph)
        assert nx.dag_longest_path_length(graph, weight=None) == row.depth
        counts = tuple(cell.operations.count(name) for name in OPERATIONS)
        assert (row.num_conv3x3, row.num_conv1x1, row.num_maxpool3x3) == counts


def test_a_smaller_space_is_a_part_of_a_larger_one() -> None:
    larger = cells_table(5, 9, SHAPE).set_index("hash")
    smaller = cells_table(5, 6, SHAPE).set_index("hash")
    assert len(smaller) == (larger["num_edges"] <= 6).sum()
    assert smaller.equals(larger.loc[smaller.index])


def test_table_survives_the_way_through_a_batch() -> None:
    table = cells_table(4, 9, SHAPE).sample(frac=1, random_state=0)
    cells = as_cells(CellBatch.from_table(table))
    assert [cell.hash for cell in cells] == table["hash"].tolist()


def test_too_few_channels_for_some_cell_are_refused() -> None:
    narrow = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=1, stacks=1, cells_per_stack=1)
    with pytest.raises(CellError, match="2 vertices of a cell share the 1 channels"):
        cells_table(4, 9, narrow)
