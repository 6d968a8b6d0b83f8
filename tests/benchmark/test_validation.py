"""Comparing tables with what is expected, describing them, and storing imported ones."""

import io
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.benchmark.imported import ImportedTable, Source, store_import
from terranas.benchmark.schema import BENCHMARK, METRICS
from terranas.benchmark.small_files import MAX_BYTES, load_json, read_small
from terranas.benchmark.space_index import SpaceIndex, count_within
from terranas.benchmark.validation import Check, RowNames, compare, describe_table, require_agreement, within
from terranas.core.errors import DataError, TableError
from terranas.core.files import read_json
from terranas.core.tables import read_attributes, read_table
from terranas.space.cell import Cell
from terranas.space.complexity import CIFAR10_NETWORK, macs, parameters
from terranas.space.table import cells_table

NAN, INFINITY = float("nan"), float("inf")
SOURCE = Source("A table", "A space", 10, "MIT", "Somebody. Something. Some year.", ("A note.",))


# --- comparing -----------------------------------------------------------------------------------------------------


def test_equal_values_agree_and_unknown_ones_are_left_out() -> None:
    check = compare("x", [1.0, NAN, 0.0, INFINITY, 5.0], [1.0, 2.0, 0.0, INFINITY, NAN], list("abcde"))
    assert (check.compared, check.disagreeing, check.largest, check.example) == (3, 0, 0.0, "")
    assert check.passed


def test_the_largest_difference_is_the_example() -> None:
    check = compare("x", [1.0, 2.5, 7.0], [1.0, 2.0, 3.0], ["a", "b", "c"], tolerance=0.1)
    assert (check.compared, check.disagreeing, check.largest) == (3, 2, 4.0)
    assert check.example == "c: 7, expected 3"
    assert not check.passed


def test_differences_can_be_relative() -> None:
    assert compare("x", [101.0, -99.0], [100.0, -100.0], ["a", "b"], tolerance=0.011, relative=True).passed
    check = compare("x", [1.0, 3.0], [0.0, 2.0], ["a", "b"], tolerance=0.6, relative=True)
    assert (check.disagreeing, check.largest, check.example) == (1, INFINITY, "a: 1, expected 0")


@pytest.mark.parametrize("value", [INFINITY, -INFINITY])
def test_infinity_disagrees_with_any_number(value: float) -> None:
    assert compare("x", [value], [1.0], ["a"], tolerance=1e300).disagreeing == 1


def test_nothing_to_compare() -> None:
    check = compare("x", [NAN], [1.0], ["a"])
    assert check.passed
    assert check.compared == 0
    assert np.isnan(check.largest)
    assert compare("x", [], [], []).passed


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=20), st.floats(0, 1e9), st.booleans())
@settings(max_examples=100, deadline=None)
def test_counts_equal_those_of_a_plain_loop(pairs: list[tuple[float, float]], tolerance: float, relative: bool) -> None:
    wrong = known = 0
    for found, wanted in pairs:
        if np.isnan(found) or np.isnan(wanted):
            continue
        known += 1
        with np.errstate(all="ignore"):
            apart = np.float64(abs(np.float64(found) - wanted))
            apart = apart / abs(np.float64(wanted)) if relative else apart
        wrong += found != wanted and not apart <= tolerance
    found, wanted = ([pair[side] for pair in pairs] for side in (0, 1))
    check = compare(
        "x", found, wanted, [str(number) for number in range(len(pairs))], tolerance=tolerance, relative=relative
    )
    assert (check.compared, check.disagreeing) == (known, wrong)
    assert check.passed == (check.example == "")


def test_limits() -> None:
    check = within("x", [0.5, 1.0, 2.0, 58.6, NAN], 1.0, [5.0, NAN, 2.0, 1.0, 9.0], list("abcde"))
    assert (check.compared, check.disagreeing, check.example) == (3, 2, "d: 58.6, expected 1")


def test_rows_are_named_by_key_epochs_and_repeat() -> None:
    names = RowNames(pd.DataFrame({"hash": ["a", "b"], "epochs": [4, 12], "repeat": [0, 2]}))
    assert names[np.int64(1)] == "b (12 epochs, repeat 2)"
    assert list(names) == ["a (4 epochs, repeat 0)", "b (12 epochs, repeat 2)"]


def failing(name: str) -> Check:
    return compare(name, [1.0, 3.0], [1.0, 2.0], ["a", "b"], tolerance=0.5)


def test_failed_checks_are_all_named() -> None:
    with pytest.raises(DataError) as caught:
        require_agreement(
            [failing("one"), compare("two", [1.0], [1.0], ["a"]), failing("three")], "A table", tolerate=False
        )
    text = str(caught.value)
    assert text.startswith(
        "A table disagrees with what was expected: 'one' fails for 1 of 2 values (tolerance 0.5; b: 3"
    )
    assert "'three'" in text
    assert "'two'" not in text
    assert "set benchmark.disagreement to report" in text


def test_tolerated_failures_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        require_agreement([failing("one")], "A table", tolerate=True)
    assert "A table disagrees with what was expected: 'one' fails for 1 of 2" in caplog.text


# --- describing ----------------------------------------------------------------------------------------------------


def rows(*entries: dict[str, Any]) -> pd.DataFrame:
    usual = {"id": None, "dataset": "D", "epochs": 4, "repeat": 0, "device": "", "outcome": "ok", "source": "S"}
    usual |= {column.name: NAN for column in METRICS}
    table = pd.DataFrame([usual | entry for entry in entries])
    return BENCHMARK.validate(table.astype({"id": "Int64"}))


def test_description() -> None:
    table = rows(
        {"hash": "a", "macs": 5.0},
        {"hash": "a", "repeat": 1, "macs": 5.0},
        {"hash": "a", "repeat": 2, "macs": 6.0},
        {"hash": "a", "epochs": 12, "outcome": "diverged"},
        {"hash": "b", "device": "GPU", "latency_ms": 3.0},
        {"hash": "b", "device": "CPU", "latency_ms": 30.0},
        {"hash": "b", "dataset": "E", "macs": 5.0},
    )
    found = describe_table(table, BENCHMARK, 8, [compare("x", [NAN], [1.0], ["a"])])
    json.dumps(found, allow_nan=False)
    assert found["rows"] == 7
    assert (found["architectures"], found["space_size"], found["coverage"]) == (2, 8, 0.25)
    assert found["datasets"] == {"D": 6, "E": 1}
    assert found["fidelities"] == {"4": 2, "12": 1}
    assert found["repeats"] == {"1": 4, "3": 1}
    assert found["devices"] == {"": 5, "CPU": 1, "GPU": 1}
    assert found["outcomes"] == {"diverged": 1, "ok": 6}
    assert found["identical_rows"] == 1
    assert found["metrics"] == {
        "macs": {
            "known": 4,
            "missing": 3,
            "min": 5.0,
            "median": 5.0,
            "max": 6.0,
            "unit": "MAC",
            "direction": "minimise",
        },
        "latency_ms": {
            "known": 2,
            "missing": 5,
            "min": 3.0,
            "median": 16.5,
            "max": 30.0,
            "unit": "ms",
            "direction": "minimise",
        },
    }
    assert "train_loss" in found["unknown_metrics"]
    assert "macs" not in found["unknown_metrics"]
    assert found["checks"][0]["largest"] is None
    assert found["checks"][0]["passed"] is True


def test_a_table_without_rows_and_a_space_of_unknown_size() -> None:
    found = describe_table(BENCHMARK.empty(), BENCHMARK, None, [])
    assert (found["rows"], found["coverage"], found["repeats"], found["metrics"]) == (0, None, {}, {})


ENTRIES = st.fixed_dictionaries(
    {
        "hash": st.sampled_from("abc"),
        "dataset": st.sampled_from("DE"),
        "epochs": st.sampled_from([4, 12]),
        "repeat": st.integers(0, 9),
        "device": st.sampled_from(["", "GPU"]),
        "macs": st.sampled_from([1.0, 2.0, NAN]),
        "train_loss": st.sampled_from([0.0, 1.0, NAN]),
    }
)


@given(st.lists(ENTRIES, min_size=1, max_size=40, unique_by=lambda entry: tuple(entry[name] for name in BENCHMARK.key)))
@settings(max_examples=40, deadline=None)
def test_counts_equal_those_of_plain_groups(entries: list[dict[str, Any]]) -> None:
    table = rows(*entries)
    found = describe_table(table, BENCHMARK, None, [])
    group = ["hash", "dataset", "epochs", "device"]
    runs = table.groupby(group).size()
    assert found["repeats"] == {str(key): value for key, value in runs.value_counts().sort_index().items()}
    assert found["identical_rows"] == table.duplicated([*group, *(column.name for column in METRICS)]).sum()
    assert found["fidelities"] == {str(k): g["hash"].nunique() for k, g in table.groupby("epochs")}


# --- storing -------------------------------------------------------------------------------------------------------


def imported(table: pd.DataFrame, *checks: Check) -> ImportedTable:
    return ImportedTable(table, BENCHMARK, SOURCE, checks, {"records": 1})


def test_table_and_report_carry_the_source(tmp_path: Path) -> None:
    table = rows({"hash": "a", "macs": 5.0})
    store_import(imported(table, compare("x", [1.0], [1.0], ["a"])), tmp_path / "t.parquet", tmp_path / "t.json")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet", BENCHMARK), table)
    report = read_json(tmp_path / "t.json")
    assert read_attributes(tmp_path / "t.parquet") == report["source"]
    assert report["source"]["licence"] == "MIT"
    assert report["source"]["records"] == 1
    assert (report["architectures"], report["coverage"]) == (1, 0.1)
    assert [check["name"] for check in report["checks"]] == ["x"]


def test_nothing_is_written_for_a_table_that_disagrees_or_does_not_fit(tmp_path: Path) -> None:
    good = rows({"hash": "a", "macs": 5.0})
    with pytest.raises(DataError, match="'one' fails"):
        store_import(imported(good, failing("one")), tmp_path / "t.parquet", tmp_path / "t.json")
    with pytest.raises(TableError, match="test_micro_accuracy"):
        store_import(imported(good.assign(test_micro_accuracy=58.6)), tmp_path / "t.parquet", tmp_path / "t.json")
    with pytest.raises(TableError, match="same key"):
        store_import(imported(pd.concat([good, good])), tmp_path / "t.parquet", tmp_path / "t.json")
    assert list(tmp_path.iterdir()) == []


def test_a_tolerated_disagreement_stands_in_the_report(tmp_path: Path) -> None:
    table = rows({"hash": "a", "macs": 5.0})
    store_import(imported(table, failing("one")), tmp_path / "t.parquet", tmp_path / "t.json", tolerate=True)
    (check,) = read_json(tmp_path / "t.json")["checks"]
    assert check["passed"] is False
    assert check["example"] == "b: 3, expected 2"
    assert (tmp_path / "t.parquet").exists()


# --- files and the space -------------------------------------------------------------------------------------------


def test_json_is_read_strictly() -> None:
    assert load_json(io.BytesIO(b'{"a": [1, {"a": 2}]}'), "f.json") == {"a": [1, {"a": 2}]}
    for content, reason in (
        (b'{"a": 1, "a": 2}', "the key 'a' stands twice in one object"),
        (b"[NaN]", "NaN is no JSON number"),
        (b"[-Infinity]", "-Infinity is no JSON number"),
        (b"[1", "Expecting"),
        (b"", "Expecting value"),
        (b"[1, \xff]", "it is no UTF-8 text from byte 4 on"),
        (b"[" * 100_000, "its lists and objects are nested too deeply"),
        (b"1" * 5_000, "a number has 5,000 digits, expected at most 300"),
        (b'{"a": 1e999}', "1e999 is too large for a number"),
        (b"[-1.5e400]", "-1.5e400 is too large for a number"),
    ):
        with pytest.raises(DataError, match=r"^f\.json is no valid JSON file") as caught:
            load_json(io.BytesIO(content), "f.json")
        assert reason in str(caught.value)
        assert caught.value.__cause__ is not None


def test_a_large_file_is_not_read_to_its_end() -> None:
    file = io.BytesIO(b" " * (3 << 20))
    with pytest.raises(DataError, match=r"^f\.json has more than 1 MiB, expected a small table"):
        read_small(file, "f.json", 1 << 20)
    assert file.tell() == (1 << 20) + 1
    with pytest.raises(DataError, match=r"^f\.json has more than 16 MiB"):
        load_json(io.BytesIO(bytes(MAX_BYTES + 1)), "f.json")


def test_index_of_the_space() -> None:
    cells = cells_table(4, 9, CIFAR10_NETWORK)
    index = SpaceIndex(cells)
    assert len(index) == 91
    assert np.isnan(index.ids).all()
    assert [index.row(name) for name in cells["hash"]] == list(range(91))
    assert index.row("0" * 32) is None
    wanted = np.array([40, 3, 3, 90])
    pd.testing.assert_frame_equal(
        index.cells(wanted).reset_index(drop=True),
        cells[["hash", "id", "num_vertices", "adjacency", "operations"]].take(wanted).reset_index(drop=True),
        check_dtype=False,
    )
    counted, multiplied = index.complexity(wanted, CIFAR10_NETWORK)
    graphs = [Cell.from_strings(*cells.loc[row, ["adjacency", "operations"]]) for row in wanted]
    assert counted.tolist() == [parameters(cell, CIFAR10_NETWORK) for cell in graphs]
    assert multiplied.tolist() == [macs(cell, CIFAR10_NETWORK) for cell in graphs]


def test_a_drawing_of_another_cell_is_no_published_one() -> None:
    cells = cells_table(3, 9, CIFAR10_NETWORK)
    index = SpaceIndex(cells)
    first, second = (cells.loc[row, ["adjacency", "operations"]].tolist() for row in (0, 1))
    assert index.is_published_drawing(0, *first)
    assert not index.is_published_drawing(0, *second)
    assert not index.is_published_drawing(0, "unheard", "of")
    with pytest.raises(ValueError, match=f"its graph has the hash {cells['hash'][1]}, expected {cells['hash'][0]}"):
        index.require_graph(0, *second)
    with pytest.raises(ValueError, match="its graph is no valid cell"):
        index.require_graph(0, "unheard", "of")


def test_repeats_are_counted_within_runs() -> None:
    first, second = np.array([1, 1, 1, 2, 2, 1]), np.array([4, 4, 12, 12, 12, 12])
    assert count_within(first, second).tolist() == [0, 1, 0, 0, 1, 0]
    assert count_within(first[:0], second[:0]).tolist() == []
