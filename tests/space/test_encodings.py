"""Encodings against their definitions."""

from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from terranas.core.errors import CellError
from terranas.space.batch import CellBatch
from terranas.space.cell import OPERATIONS, Cell
from terranas.space.codes import canonical_codes
from terranas.space.complexity import NetworkShape
from terranas.space.encodings import (
    adjacency_one_hot,
    expanded_adjacency,
    expanded_bits,
    from_adjacency_one_hot,
    from_expanded_adjacency,
    from_expanded_bits,
    hamming_distances,
    path_encoding,
)
from terranas.space.table import cells_table

SHAPE = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=8, stacks=3, cells_per_stack=1)
TableOf = Callable[[list[Cell]], pd.DataFrame]


def one_row(adjacency: str, operations: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"num_vertices": [operations.count(",") + 1], "adjacency": [adjacency], "operations": [operations]}
    )


def test_one_hot_of_a_full_cell() -> None:
    rows = ["0110001", "0001000", "0000100", "0000010", "0000011", "0000001", "0000000"]
    names = ["maxpool3x3", "conv3x3-bn-relu", "conv1x1-bn-relu", "conv1x1-bn-relu", "maxpool3x3"]
    code = adjacency_one_hot(one_row("".join(rows), ",".join(["input", *names, "output"])))[0]
    assert code.dtype == np.float32
    assert code[:21].tolist() == [*[1, 1, 0, 0, 0, 1], *[0, 1, 0, 0, 0], *[0, 1, 0, 0], *[0, 1, 0], *[1, 1], 1]
    assert code[21:].reshape(5, 3).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1], [1, 0, 0]]


def test_one_hot_of_a_smaller_cell_moves_its_output_to_the_end() -> None:
    code = adjacency_one_hot(one_row("011" + "001" + "000", "input,conv3x3-bn-relu,output"))[0]
    matrix = np.zeros((7, 7))
    matrix[np.triu_indices(7, 1)] = code[:21]
    assert sorted(map(tuple, np.argwhere(matrix).tolist())) == [(0, 1), (0, 6), (1, 6)]
    assert code[21:].tolist() == [0, 1, 0] + [0] * 12


def test_one_hot_tells_all_cells_apart() -> None:
    codes = adjacency_one_hot(cells_table(5, 9, SHAPE))
    assert codes.shape == (2_532, 36)
    assert len(np.unique(codes, axis=0)) == 2_532


def test_expanded_bits_by_hand() -> None:
    # input -> conv3x3 (slot 6) -> conv1x1 (slot 1) -> output; the second matrix row of words holds bit 6 * 17 + 1
    code = expanded_bits(one_row("0100" + "0010" + "0001" + "0000", "input,conv3x3-bn-relu,conv1x1-bn-relu,output"))[0]
    positions = [64 * word + bit for word in range(5) for bit in range(64) if int(code[word]) >> bit & 1]
    assert positions == [0 * 17 + 6, 1 * 17 + 16, 6 * 17 + 1]


def test_expanded_matrices_and_their_bits_say_the_same() -> None:
    table = cells_table(5, 9, SHAPE)
    matrices, bits = expanded_adjacency(table), expanded_bits(table)
    assert matrices.shape == (2_532, 17, 17)
    assert matrices.dtype == np.uint8
    assert (matrices.sum(axis=(1, 2)) == table["num_edges"]).all()
    for x, y in np.ndindex(17, 17):
        word, bit = divmod(17 * x + y, 64)
        assert np.array_equal(matrices[:, x, y], bits[:, word] >> np.uint64(bit) & np.uint64(1))
    # equal matrices, equal cells; the last row and the first column are empty in all
    assert len(np.unique(bits, axis=0)) == 2_532
    assert not matrices[:, -1].any()
    assert not matrices[:, :, 0].any()


@given(cell=...)
def test_expanded_matrix_follows_its_definition(cell: Cell, table_of: TableOf) -> None:
    pruned = cell.prune()
    expected = np.zeros((17, 17), dtype=np.uint8)
    blocks = {"conv1x1-bn-relu": 1, "conv3x3-bn-relu": 6, "maxpool3x3": 11}
    slots = []
    for vertex, name in enumerate(pruned.operations):
        earlier = pruned.operations[:vertex].count(name)
        slots.append({"input": 0, "output": 16}.get(name, blocks.get(name, 0) + earlier))
    for source, target in np.argwhere(pruned.adjacency):
        expected[slots[source], slots[target]] = 1
    assert np.array_equal(expanded_adjacency(table_of([pruned]))[0], expected)


@given(cell=...)
def test_one_hot_decodes_to_the_very_cell(cell: Cell, table_of: TableOf) -> None:
    pruned = cell.prune()
    decoded = from_adjacency_one_hot(adjacency_one_hot(table_of([pruned])))
    assert decoded.to_strings() == ([pruned.adjacency_string], [pruned.operations_string])


@given(cell=...)
def test_expanded_codes_decode_to_a_cell_with_the_same_code(
    cell: Cell, table_of: TableOf, numberings: Callable[[Cell], list[Cell]]
) -> None:
    copies = numberings(cell.prune())
    for encode, decode in ((expanded_adjacency, from_expanded_adjacency), (expanded_bits, from_expanded_bits)):
        codes = encode(table_of(copies))
        decoded = [Cell.from_strings(*text) for text in zip(*decode(codes).to_strings(), strict=True)]
        assert {other.hash for other in decoded} == {cell.hash}
        assert np.array_equal(encode(table_of(decoded)), codes)


def test_all_cells_up_to_five_vertices_come_back() -> None:
    table = cells_table(5, 9, SHAPE)
    strings = (table["adjacency"].tolist(), table["operations"].tolist())
    assert from_adjacency_one_hot(adjacency_one_hot(table)).to_strings() == strings
    batch = CellBatch.from_table(table)
    assert np.array_equal(canonical_codes(from_expanded_bits(expanded_bits(table))), canonical_codes(batch))


CHAIN = one_row("010" + "001" + "000", "input,conv3x3-bn-relu,output")


def flipped(codes: np.ndarray, *places: tuple[int, ...]) -> np.ndarray:
    """Return the codes with some zeros and ones of the first row exchanged."""
    changed = codes.copy()
    for place in places:
        changed[0][place] = 1 - changed[0][place]
    return changed


@pytest.mark.parametrize(
    "code",
    [
        flipped(adjacency_one_hot(CHAIN), (22,)),  # no operation, but edges to where it was
        flipped(adjacency_one_hot(CHAIN), (21,)),  # two operations in one vertex
        flipped(adjacency_one_hot(CHAIN), (25,), (22,)),  # the first vertex is left out
        flipped(adjacency_one_hot(CHAIN), (0,)),  # the vertex gets nothing
        flipped(adjacency_one_hot(CHAIN), (1,)),  # an edge to a vertex that is not there
        2 * adjacency_one_hot(CHAIN),
        np.nan * adjacency_one_hot(CHAIN),
        np.zeros((1, 36)),
        np.ones((1, 36)),
    ],
)
def test_what_is_no_one_hot_of_a_cell_is_refused(code: np.ndarray) -> None:
    with pytest.raises(CellError, match=r"Row 1 is no code of a cell; 1 such rows in all\."):
        from_adjacency_one_hot(np.concatenate([adjacency_one_hot(CHAIN), code]))


@pytest.mark.parametrize(
    "matrix",
    [
        flipped(expanded_adjacency(CHAIN), (0, 6)),
        flipped(expanded_adjacency(CHAIN), (6, 6)),
        flipped(expanded_adjacency(CHAIN), (0, 8)),  # a vertex that leads nowhere
        flipped(expanded_adjacency(CHAIN), (0, 6), (6, 16), (0, 7), (7, 16)),  # the first slot is left out
        flipped(expanded_adjacency(CHAIN), (0, 7), (6, 7), (7, 6), (7, 16)),  # a cycle
        flipped(expanded_adjacency(CHAIN), (16, 0)),
        np.zeros((1, 17, 17)),
        np.ones((1, 17, 17)),
        2 * expanded_adjacency(CHAIN),
    ],
)
def test_what_is_no_expanded_matrix_of_a_cell_is_refused(matrix: np.ndarray) -> None:
    with pytest.raises(CellError, match=r"Row 1 is no code of a cell; 1 such rows in all\."):
        from_expanded_adjacency(np.concatenate([expanded_adjacency(CHAIN), matrix]))


def test_codes_of_wrong_shape_are_refused() -> None:
    with pytest.raises(CellError, match=r"must have the shape \(cells, 36\), got \(1, 35\)"):
        from_adjacency_one_hot(np.zeros((1, 35)))
    with pytest.raises(CellError, match=r"must have the shape \(cells, 17, 17\), got \(1, 16, 17\)"):
        from_expanded_adjacency(np.zeros((1, 16, 17)))
    with pytest.raises(CellError, match=r"must have the shape \(cells, 5\), got \(5,\)"):
        from_expanded_bits(np.zeros(5, dtype=np.uint64))
    beyond = expanded_bits(CHAIN)
    beyond[0, 4] |= np.uint64(1 << 40)
    with pytest.raises(CellError, match="has no bits from 289 on"):
        from_expanded_bits(beyond)


def test_path_encoding_by_hand() -> None:
    # input -> conv1x1 -> maxpool -> output, input -> maxpool, input -> output
    code = path_encoding(one_row("0111" + "0010" + "0001" + "0000", "input,conv1x1-bn-relu,maxpool3x3,output"))
    assert code.shape == (1, 364)
    assert np.flatnonzero(code[0]).tolist() == [0, 3, 2 + 3 * 3]
    longest = one_row(
        "".join("".join("1" if y == x + 1 else "0" for y in range(7)) for x in range(7)),
        ",".join(["input", *["maxpool3x3"] * 5, "output"]),
    )
    assert np.flatnonzero(path_encoding(longest)[0]).tolist() == [363]


@given(cell=...)
def test_path_encoding_marks_what_networkx_finds(cell: Cell, table_of: TableOf) -> None:
    pruned = cell.prune()
    graph = nx.from_numpy_array(pruned.adjacency, create_using=nx.DiGraph)
    found = {
        sum(3**place * (OPERATIONS.index(pruned.operations[v]) + 1) for place, v in enumerate(path[1:-1]))
        for path in nx.all_simple_paths(graph, 0, pruned.num_vertices - 1)
    }
    assert set(np.flatnonzero(path_encoding(table_of([pruned]))[0]).tolist()) == found


@given(cell=...)
def test_path_encoding_does_not_depend_on_the_numbering(
    cell: Cell, table_of: TableOf, numberings: Callable[[Cell], list[Cell]]
) -> None:
    assert len(np.unique(path_encoding(table_of(numberings(cell.prune()))), axis=0)) == 1


def test_rows_whose_columns_do_not_fit_are_refused() -> None:
    good = one_row("0100", "input,output")
    with pytest.raises(CellError, match=r"of 9 digits; row 1 has 'input,output' and '0100'"):
        CellBatch.from_table(pd.concat([good, good.assign(num_vertices=3)]))
    with pytest.raises(CellError, match=r"row 0 has 'input,maxpool3x3,output' and '0100'"):
        CellBatch.from_table(good.assign(operations="input,maxpool3x3,output"))
    with pytest.raises(CellError, match="'input,conv5x5,output' are no operations"):
        CellBatch.from_table(good.assign(operations="input,conv5x5,output"))
    with pytest.raises(CellError, match="are no operations"):
        CellBatch.from_table(good.assign(operations=",".join(["input", *["maxpool3x3"] * 6, "output"])))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"adjacency": "010007000"}, "1 above the diagonal only; row 1 has '010007000'"),
        ({"adjacency": "01000/000"}, "digit 0 or 1 for each entry .* row 1 has '01000/000'"),
        ({"adjacency": "01000é00"}, "digit 0 or 1 for each entry .* row 1 has"),
        ({"adjacency": "010101000"}, "1 above the diagonal only; row 1 has '010101000'"),
        ({"adjacency": "010011000"}, "1 above the diagonal only; row 1 has '010011000'"),
        ({"adjacency": None}, "column adjacency must hold a string in every row; row 1 has none"),
        ({"adjacency": 10001000}, "column adjacency must hold strings"),
        ({"operations": "output,maxpool3x3,input"}, "lead from 'input' to 'output', got 'output,maxpool3x3,input'"),
        ({"operations": "input,maxpool3x3,maxpool3x3"}, "lead from 'input' to 'output', got"),
        ({"operations": "maxpool3x3,maxpool3x3,output"}, "lead from 'input' to 'output', got"),
        ({"operations": ""}, "lead from 'input' to 'output', got ''"),
        ({"operations": None}, "column operations must hold a string in every row; row 1 has none"),
        ({"num_vertices": None}, "column num_vertices must hold a whole number in every row, got the type"),
        ({"num_vertices": 3.0}, "column num_vertices must hold a whole number in every row, got the type float64"),
        ({"num_vertices": -3}, "A cell of -3 vertices needs"),
    ],
)
def test_what_describes_no_graph_of_a_cell_is_refused(changed: dict[str, Any], message: str) -> None:
    good = {"num_vertices": 3, "adjacency": "010001000", "operations": "input,maxpool3x3,output"}
    table = pd.DataFrame([good, good | changed, good])
    for encode in (CellBatch.from_table, adjacency_one_hot, path_encoding):
        with pytest.raises(CellError, match=message):
            encode(table)
    # what pandas keeps apart from other types
    if changed == {"num_vertices": None}:
        with pytest.raises(CellError, match="got the type Int64 with gaps"):
            CellBatch.from_table(table.astype({"num_vertices": "Int64"}))


def test_hamming_distances_count_bits() -> None:
    codes = np.array([[0, 0], [1, 0], [2**64 - 1, 3]], dtype=np.uint64)
    assert hamming_distances(codes).tolist() == [[0, 1, 66], [1, 0, 65], [66, 65, 0]]
    assert hamming_distances(codes[:0]).shape == (0, 0)


@pytest.mark.parametrize("encode", [adjacency_one_hot, expanded_adjacency, expanded_bits, path_encoding])
def test_encodings_leave_their_input_alone_and_follow_its_order(encode) -> None:  # type: ignore[no-untyped-def]
    table = cells_table(4, 9, SHAPE)
    before = table.copy()
    codes = encode(table)
    assert table.equals(before)
    assert len(encode(table.iloc[:0])) == 0
    order = np.random.default_rng(0).permutation(len(table))
    assert np.array_equal(encode(table.iloc[order]), codes[order])
