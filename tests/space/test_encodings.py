"""Encodings against their definitions."""

import numpy as np
import pandas as pd
import pytest

from terranas.space.complexity import NetworkShape
from terranas.space.encodings import adjacency_one_hot, expanded_bits, hamming_distances
from terranas.space.table import cells_table

SHAPE = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=8, stacks=3, cells_per_stack=1)


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


def test_hamming_distances_count_bits() -> None:
    codes = np.array([[0, 0], [1, 0], [2**64 - 1, 3]], dtype=np.uint64)
    assert hamming_distances(codes).tolist() == [[0, 1, 66], [1, 0, 65], [66, 65, 0]]
    assert hamming_distances(codes[:0]).shape == (0, 0)


@pytest.mark.parametrize("encode", [adjacency_one_hot, expanded_bits])
def test_encodings_leave_their_input_alone_and_follow_its_order(encode) -> None:  # type: ignore[no-untyped-def]
    table = cells_table(4, 9, SHAPE)
    before = table.copy()
    codes = encode(table)
    assert table.equals(before)
    order = np.random.default_rng(0).permutation(len(table))
    assert np.array_equal(encode(table.iloc[order]), codes[order])
