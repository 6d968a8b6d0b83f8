"""The list of architectures: what is written is read, other settings and damage are noticed."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from terranas import LAYOUT_VERSION
from terranas.core.errors import TableError
from terranas.sampling.architectures import Architecture, list_key, read_architectures, write_architectures
from terranas.sampling.selection import select_architectures

KEY = list_key(1, {"seed": 0})
LISTED = [
    Architecture("00005c142e6f48ac74fdcf73e3439874", 0, "0100", "input,output"),
    Architecture("0000718c96730a92ea6d5242f8ce77e2", None, "010001000", "input,maxpool3x3,output"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "sampling" / "architectures.csv"
    write_architectures(path, KEY, LISTED)
    return path


def test_written_list_reads_back(path: Path) -> None:
    assert read_architectures(path, KEY) == LISTED
    assert pd.read_csv(path, comment="#")["adjacency"].astype(str).tolist()[1] == "10001000"  # readable as plain CSV
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_missing_list_and_list_of_other_settings_are_none(path: Path) -> None:
    assert read_architectures(path.with_name("missing.csv"), KEY) is None
    assert read_architectures(path, list_key(2)) is None


def test_key_ignores_the_order_of_settings_and_nothing_else() -> None:
    assert list_key({"a": 1, "b": [1, None]}) == list_key({"b": [1, None], "a": 1})
    keys = {list_key(), list_key({}), list_key({"a": 1}), list_key({"a": "1"}), list_key({"a": 1}, 2), list_key([1, 2])}
    assert len(keys) == 6
    assert all(len(key) == 16 for key in keys)


def test_list_of_another_layout_is_refused(path: Path) -> None:
    text = path.read_text()
    path.write_text(text.replace(f"layout: {LAYOUT_VERSION}", f"layout: {LAYOUT_VERSION + 1}"))
    with pytest.raises(
        TableError, match=f"layout version {LAYOUT_VERSION + 1}; this terranas reads and writes version"
    ):
        read_architectures(path, "another key")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# terranas", "# other", "does not begin like a list of architectures"),
        ("hash,id", "md5,id", "must have the columns hash, id, adjacency, operations"),
        ("0000718c", "../../..", "line 4, is no architecture"),
        ("0000718c", "0000718", "line 4, is no architecture"),
        (",0,0100", ",-1,0100", "line 3, is no architecture"),
        ("010001000", "010021000", "line 4, is no architecture"),
        ("input,output", "input", "line 3, is no architecture"),
        (",0,0100", ",0100", "line 3, is no architecture"),
        ("0000718c96730a92ea6d5242f8ce77e2", "00005c142e6f48ac74fdcf73e3439874", "lists an architecture twice"),
    ],
)
def test_damaged_list_is_refused(path: Path, old: str, new: str, message: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(TableError, match=message):
        read_architectures(path, KEY)


def test_cut_and_unreadable_lists_are_refused(path: Path) -> None:
    first, header, *_ = path.read_text().splitlines(keepends=True)
    path.write_text(first + header)
    with pytest.raises(
        TableError, match="at least one row, got the columns hash, id, adjacency, operations and 0 rows"
    ):
        read_architectures(path, KEY)
    path.write_text(first)
    with pytest.raises(TableError, match="and 0 rows"):
        read_architectures(path, KEY)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TableError, match="cannot be read as a list of architectures"):
        read_architectures(path, KEY)


def test_module_loads_nothing_heavy() -> None:
    program = (
        "import sys, terranas.sampling.architectures;"
        "print([name for name in ('torch', 'pandas', 'numba', 'numpy', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def cells() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": pd.array([2, 0, None], dtype="Int64"),
            "hash": ["c", "a", "b"],
            "adjacency": ["0100"] * 3,
            "operations": ["input,output"] * 3,
        }
    )


def test_selection_is_in_hash_order_and_without_repeats(cells: pd.DataFrame) -> None:
    walks = pd.DataFrame({"hash": ["c", "b", "c"]})
    assert [(chosen.hash, chosen.id) for chosen in select_architectures(cells, walks, "all")] == [
        ("a", 0),
        ("b", None),
        ("c", 2),
    ]
    assert [chosen.hash for chosen in select_architectures(cells, walks, "walks")] == ["b", "c"]


def test_walks_through_another_space_are_refused(cells: pd.DataFrame) -> None:
    with pytest.raises(TableError, match="visit 1 cells that are not in the table"):
        select_architectures(cells, pd.DataFrame({"hash": ["a", "z"]}), "walks")
