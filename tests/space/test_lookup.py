"""Finding cells in a table by every name they have, and what happens when they are not there."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from terranas.core.errors import CellError
from terranas.space.cell import CONV1X1, MAXPOOL3X3, Cell
from terranas.space.complexity import NetworkShape
from terranas.space.encodings import adjacency_one_hot
from terranas.space.features import graph_features
from terranas.space.lookup import CellIndex, Names, parse_name
from terranas.space.table import cells_table

SHAPE = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=8, stacks=3, cells_per_stack=1)
UNKNOWN = "0" * 32


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Cells of at most four vertices with ids as the whole space would give them: ascending, with gaps."""
    cells = cells_table(4, 9, SHAPE)
    cells["id"] = pd.array(np.arange(len(cells)) * 1_000 + 7, dtype="Int64")
    return cells


def test_every_name_finds_its_row(table: pd.DataFrame, numberings: Callable[[Cell], list[Cell]]) -> None:
    index = CellIndex(table)
    assert len(index) == 91
    for row in range(0, 91, 3):
        facts = table.iloc[row]
        cell = Cell.from_strings(facts["adjacency"], facts["operations"])
        names = [facts["hash"], int(facts["id"]), np.int64(facts["id"]), *numberings(cell)]
        for name in names:
            assert name in index
            assert index.row(name) == row
            assert index.cell(name) == cell
            assert index.id(name) == facts["id"]


def test_many_names_find_their_rows(table: pd.DataFrame) -> None:
    shuffled = table.sample(frac=1, random_state=0)
    index = CellIndex(shuffled)
    rows = np.random.default_rng(0).integers(0, 91, 200)
    ids = shuffled["id"].iloc[rows]
    hashes = shuffled["hash"].iloc[rows]
    cells = [Cell.from_strings(*text) for text in zip(shuffled["adjacency"], shuffled["operations"], strict=True)]
    mixed = [(int(ids.iloc[k]), hashes.iloc[k], cells[row])[k % 3] for k, row in enumerate(rows)]
    numbers = ids.to_numpy(dtype=np.int64)
    of_ids = (ids, numbers, numbers.astype(np.uint32), pd.Index(numbers), numbers.tolist(), tuple(numbers))
    of_hashes = (hashes, hashes.tolist(), hashes.to_numpy(dtype=object), hashes.to_numpy(dtype="U32"), pd.Index(hashes))
    for names in (*of_ids, *of_hashes, [cells[row] for row in rows], mixed):
        found = index.rows(names)
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found, rows)
    pd.testing.assert_frame_equal(index.table(mixed), shuffled.iloc[rows])


def test_no_names_find_no_rows(table: pd.DataFrame) -> None:
    for names in ([], (), np.zeros(0, dtype=np.int64), table["hash"].iloc[:0], table["id"].iloc[:0]):
        assert CellIndex(table).rows(names).shape == (0,)
        assert len(CellIndex(table).table(names)) == 0
    assert len(CellIndex(table.iloc[:0]).rows([])) == 0


def test_encodings_over_names(table: pd.DataFrame) -> None:
    index = CellIndex(table)
    ids = np.array([90_007, 7, 42_007])
    np.testing.assert_array_equal(adjacency_one_hot(index.table(ids)), adjacency_one_hot(table)[[90, 0, 42]])
    features = graph_features(index.table(table["hash"].iloc[::-1]), SHAPE)
    pd.testing.assert_frame_equal(features, graph_features(table, SHAPE).iloc[::-1])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (np.array([7, 8, 9]), r"table of 91 cells has no id 8; its ids are 7 to 90007\."),
        ([7, -1, UNKNOWN], "has no id -1"),
        ([2**70], f"has no id {2**70}"),
        ([7, UNKNOWN, -1], f"table of 91 cells does not hold the hash {UNKNOWN}"),
        (pd.Series([7, None], dtype="Int64"), "named by its id, its hash or a Cell, got <NA>"),
        (pd.Series([None], dtype="str"), "named by its id, its hash or a Cell, got nan of type float"),
        (np.array([7.0]), r"named by its id, its hash or a Cell, got np.float64\(7.0\)"),
        ([7, None], "got None of type NoneType"),
        (np.array([[7]]), r"must stand in one dimension, got an array of the shape \(1, 1\)"),
        ("abc", "32 hexadecimal digits in lower case, got 'a'"),
    ],
)
def test_the_first_unknown_of_many_is_named(table: pd.DataFrame, names: Names, message: str) -> None:
    for ask in (CellIndex(table).rows, CellIndex(table).table):
        with pytest.raises(CellError, match=message):
            ask(names)


def test_unpruned_cells_and_shuffled_tables(table: pd.DataFrame) -> None:
    index = CellIndex(table.sample(frac=1, random_state=0))
    dangling = Cell.from_strings("0110" + "0001" + "0000" + "0000", f"input,{CONV1X1},{MAXPOOL3X3},output")
    assert index.cell(dangling) == dangling.prune()
    assert index.cell(dangling.hash) == dangling.prune()
    assert index.id(dangling) == CellIndex(table).id(dangling)


def test_a_smaller_space_has_no_ids() -> None:
    index = CellIndex(cells_table(3, 9, SHAPE))
    chain = Cell.from_strings("010001000", f"input,{MAXPOOL3X3},output")
    assert index.id(chain) is None
    with pytest.raises(CellError, match="table of 7 cells covers a smaller space and has no ids, so there is no id 5"):
        index.row(5)
    with pytest.raises(CellError, match="so there is no id 6"):
        index.rows(np.array([6, 5]))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (8, r"table of 91 cells has no id 8; its ids are 7 to 90007\."),
        (-1, "has no id -1"),
        (UNKNOWN, f"table of 91 cells does not hold the hash {UNKNOWN}\\."),
        ("0a1b", "32 hexadecimal digits in lower case, got '0a1b'"),
        ("A" * 32, "32 hexadecimal digits in lower case"),
        (
            Cell.from_strings(
                "01000" + "00100" + "00010" + "00001" + "00000", f"input,{','.join([CONV1X1] * 3)},output"
            ),
            r"does not hold the hash [0-9a-f]{32} \(the cell 0100000100",
        ),
    ],
)
def test_what_is_not_there_is_named(table: pd.DataFrame, name: int | str | Cell, message: str) -> None:
    index = CellIndex(table)
    assert name not in index
    for ask in (index.row, index.cell, index.id):
        with pytest.raises(CellError, match=message):
            ask(name)


def test_names_in_words() -> None:
    assert parse_name("423623") == 423_623
    assert parse_name(UNKNOWN) == UNKNOWN
    cell = parse_name(f"010001000:input,{MAXPOOL3X3},output")
    assert isinstance(cell, Cell)
    assert cell.operations == ("input", MAXPOOL3X3, "output")


@pytest.mark.parametrize("text", ["", "-1", "1.5", "zz", "9" * 19, "9" * 5_000, UNKNOWN[1:], "ABCDEF" * 5 + "00", "²"])
def test_other_words_name_no_cell(text: str) -> None:
    with pytest.raises(CellError, match=r"names no cell\. Give its hash"):
        parse_name(text)


def test_strings_of_no_cell_say_what_is_wrong() -> None:
    with pytest.raises(CellError, match="only the digits 0 and 1, got '01x0'"):
        parse_name("01x0:input,output")
