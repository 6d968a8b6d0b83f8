"""A single cell: what is accepted, what is refused and why, pruning, and the published hashes."""

from collections.abc import Callable

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from terranas.core.errors import CellError
from terranas.space.batch import CellBatch
from terranas.space.cell import CONV1X1, CONV3X3, MAXPOOL3X3, Cell
from terranas.space.codes import canonical_codes
from terranas.space.md5 import cell_hashes

# from the released nasbench library: the cell of its README, and the cell that is nothing but a projection
README_CELL = (
    "0111010" + "0000001" + "0000001" + "0000100" + "0000010" + "0000001" + "0000000",
    f"input,{CONV1X1},{CONV3X3},{CONV3X3},{CONV3X3},{MAXPOOL3X3},output",
)


Numberings = Callable[[Cell], list[Cell]]


@given(cell=...)
def test_isomorphic_cells_have_one_hash_and_one_canonical_code(
    cell: Cell, numberings: Numberings, table_of: Callable[[list[Cell]], pd.DataFrame]
) -> None:
    assert {other.hash for other in numberings(cell)} == {cell.hash}
    batch = CellBatch.from_table(table_of(numberings(cell.prune())))
    assert len(np.unique(canonical_codes(batch))) == 1
    assert set(cell_hashes(batch)) == {cell.hash}


@given(cell=...)
def test_strings_describe_a_cell_fully(cell: Cell) -> None:
    again = Cell.from_strings(cell.adjacency_string, cell.operations_string)
    assert again == cell
    assert hash(again) == hash(cell)


@given(cell=...)
def test_prune_keeps_what_networkx_finds_between_input_and_output(cell: Cell) -> None:
    graph = nx.from_numpy_array(cell.adjacency, create_using=nx.DiGraph)
    last = cell.num_vertices - 1
    kept = sorted((nx.descendants(graph, 0) | {0}) & (nx.ancestors(graph, last) | {last}))
    pruned = cell.prune()
    assert pruned.operations == tuple(cell.operations[vertex] for vertex in kept)
    assert np.array_equal(pruned.adjacency, cell.adjacency[np.ix_(kept, kept)])
    assert pruned.prune() is pruned
    assert pruned.hash == cell.hash


def test_hash_of_the_smallest_cell_by_hand() -> None:
    from hashlib import md5

    def digest(text: str) -> str:
        return md5(text.encode()).hexdigest()

    first, last = digest("(1, 0, -1)"), digest("(0, 1, -2)")
    for _ in range(2):
        first, last = digest(f"|{last}|{first}"), digest(f"{first}||{last}")
    assert Cell.from_strings("0100", "input,output").hash == digest(str(sorted([first, last])))


def test_adjacency_is_a_read_only_copy() -> None:
    matrix = np.array([[0, 1], [0, 0]])
    cell = Cell(matrix, ("input", "output"))
    matrix[0, 1] = 0
    assert cell.num_edges == 1
    with pytest.raises(ValueError, match="read-only"):
        cell.adjacency[0, 1] = 0


def test_a_cell_prints_its_vertices_and_where_they_lead() -> None:
    shown = Cell.from_strings("0110" + "0001" + "0000" + "0000", f"input,{CONV1X1},{MAXPOOL3X3},output")
    assert str(shown).splitlines() == [
        "Cell of 4 vertices and 3 edges",
        "  0 input           -> 1, 2",
        "  1 conv1x1-bn-relu -> 3",
        "  2 maxpool3x3       (on no path from input to output)",
        "  3 output",
    ]
    assert str(Cell.from_strings("0100", "input,output")).splitlines() == [
        "Cell of 2 vertices and 1 edge",
        "  0 input  -> 1",
        "  1 output",
    ]


@given(cell=...)
def test_a_cell_can_be_read_from_what_it_prints(cell: Cell) -> None:
    matrix = np.zeros_like(cell.adjacency)
    names = []
    for vertex, line in enumerate(str(cell).splitlines()[1:]):
        number, name, *rest = line.split(" (on no")[0].replace(",", "").split()
        assert int(number) == vertex
        names.append(name)
        for target in rest[1:]:
            matrix[vertex, int(target)] = 1
    assert Cell(matrix, tuple(names)) == cell


def test_cells_differ_from_each_other_and_from_other_things() -> None:
    chain = "010001000"
    pooling = Cell.from_strings(chain, f"input,{MAXPOOL3X3},output")
    assert pooling != Cell.from_strings(chain, f"input,{CONV1X1},output")
    assert pooling != pooling.adjacency_string
    assert Cell.from_strings(*README_CELL).num_vertices == 7


def matrix_with(vertices: int, *edges: tuple[int, int]) -> np.ndarray:
    matrix = np.zeros((vertices, vertices), dtype=np.uint8)
    for edge in edges:
        matrix[edge] = 1
    return matrix


@pytest.mark.parametrize(
    ("matrix", "operations", "message"),
    [
        (matrix_with(3, (0, 1), (1, 0), (1, 2)), 1, "no cycle; got an edge from vertex 1 to vertex 0"),
        (matrix_with(3, (0, 1), (1, 1), (1, 2)), 1, "got an edge from vertex 1 to vertex 1"),
        (np.triu(np.ones((5, 5), dtype=np.uint8), 1), 3, "at most 9 edges, got 10. Remove 1 of them"),
        (matrix_with(4, (0, 1), (2, 3)), 2, "No path leads from input to output"),
        (matrix_with(3, (0, 1), (1, 2)), 2, "A cell of 3 vertices needs 3 operations, got 4"),
        (np.zeros((2, 3)), 1, r"is square, got the shape \(2, 3\)"),
        (np.zeros(4), 1, r"is square, got the shape \(4,\)"),
        (matrix_with(8, (0, 7)), 6, "2 to 7 vertices, got 8"),
        (np.zeros((1, 1)), 0, "2 to 7 vertices, got 1"),
        (2 * matrix_with(3, (0, 1), (1, 2)), 1, r"only the entries 0 and 1, got \[0, 2\]"),
        (matrix_with(3, (0, 1), (1, 2)) * 0.5, 1, "only the entries 0 and 1"),
    ],
)
def test_a_bad_matrix_is_refused(matrix: np.ndarray, operations: int, message: str) -> None:
    with pytest.raises(CellError, match=message):
        Cell(matrix, ("input", *[CONV3X3] * operations, "output"))


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        (("input", "conv5x5", "output"), "Unknown operation 'conv5x5' of an inner vertex, expected one of: conv3x3"),
        (("input", "input", "output"), "Unknown operation 'input'"),
        (("output", CONV1X1, "input"), "first operation must be 'input' and the last 'output', got 'output' and"),
    ],
)
def test_bad_operations_are_refused(operations: tuple[str, ...], message: str) -> None:
    with pytest.raises(CellError, match=message):
        Cell(matrix_with(3, (0, 1), (1, 2)), operations)


@pytest.mark.parametrize(
    ("adjacency", "operations", "message"),
    [
        ("010", "input,output", "2 operations need an adjacency string of 4 digits, got 3"),
        ("0a00", "input,output", "only the digits 0 and 1, got '0a00'"),
        ("", "", "1 operations need an adjacency string of 1 digits, got 0"),
    ],
)
def test_bad_strings_are_refused(adjacency: str, operations: str, message: str) -> None:
    with pytest.raises(CellError, match=message):
        Cell.from_strings(adjacency, operations)
