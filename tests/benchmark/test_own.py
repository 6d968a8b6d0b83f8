"""The importer of a table of one's own, on the space of all cells of up to four vertices."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from terranas.benchmark.own import import_own
from terranas.benchmark.space_index import CELL_COLUMNS, SpaceIndex
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import DataError
from terranas.core.tables import write_table
from terranas.space.complexity import NetworkShape
from terranas.space.schema import CELLS
from terranas.space.table import cells_table

SHAPE = NetworkShape(bands=3, classes=10, image_size=32, stem_channels=16, stacks=3, cells_per_stack=1)


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    return cells_table(4, 9, SHAPE)


@pytest.fixture(scope="module")
def index(cells: pd.DataFrame) -> SpaceIndex:
    return SpaceIndex(cells[list(CELL_COLUMNS)])


def as_csv(table: pd.DataFrame) -> io.BytesIO:
    return io.BytesIO(table.to_csv(index=False).encode())


def as_parquet(table: pd.DataFrame) -> io.BytesIO:
    file = io.BytesIO()
    table.to_parquet(file)
    return io.BytesIO(file.getvalue())


@pytest.mark.parametrize("written", [as_csv, as_parquet])
def test_rows_in_any_order_become_a_benchmark(
    written: Callable[[pd.DataFrame], io.BytesIO], cells: pd.DataFrame, index: SpaceIndex
) -> None:
    names = [cells["hash"][row] for row in (5, 2, 5, 90)]
    table = pd.DataFrame({"hash": names, "epochs": [4, 4, 4, 2], "validation_micro_accuracy": [0.5, np.nan, 0.7, 0.25]})
    imported = import_own(written(table), "mine.csv", index, SHAPE)
    rows = imported.schema.validate(imported.table)
    assert rows["hash"].tolist() == [names[1], names[0], names[0], names[3]]
    assert rows["repeat"].tolist() == [0, 0, 1, 0]
    np.testing.assert_array_equal(rows["validation_micro_accuracy"], [np.nan, 0.5, 0.7, 0.25])
    benchmark = TabularBenchmark(imported.table)
    assert benchmark.dataset == "mine"
    assert benchmark.values(["validation_micro_accuracy"], [names[0]], epochs=4)[0, 0] == pytest.approx(0.6)
    # what the table does not have is computed for the study's network
    expected = cells.set_index("hash").loc[rows["hash"], ["parameters", "macs"]]
    np.testing.assert_array_equal(rows[["parameters", "macs"]], expected)


def test_what_the_table_says_of_images_and_devices_is_kept(cells: pd.DataFrame, index: SpaceIndex) -> None:
    table = pd.DataFrame(
        {
            "hash": cells["hash"][[3, 3, 3]],
            "dataset": ["b", "a", "a"],
            "device": ["gpu", "phone", "gpu"],
            "latency_ms": [1.0, 2.0, 3.0],
            "macs": [7, 7, 7],
        }
    )
    rows = import_own(as_csv(table), "mine.csv", index, SHAPE).table
    assert rows[["dataset", "device", "latency_ms"]].to_numpy().tolist() == [
        ["a", "gpu", 3.0],
        ["a", "phone", 2.0],
        ["b", "gpu", 1.0],
    ]
    assert set(rows["macs"]) == {7}


ROW = "hash,test_micro_accuracy\n{hash},{value}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hash,test_acc\nx,1\n", "has the column 'test_acc', which is none of a benchmark. Did you mean 'test_"),
        ("name,test_micro_accuracy\nx,1\n", "has the column 'name'"),
        ("test_micro_accuracy\n1\n", "must name its architectures by one of the columns hash or id"),
        ("hash,id,test_micro_accuracy\nx,1,1\n", "must name its architectures by one of the columns hash or id"),
        ("hash,epochs\nx,1\n", "has no metric"),
        ("hash,test_micro_accuracy\n", "has no rows"),
        (
            ROW.format(hash="{hash}", value="92.1"),
            "in the column test_micro_accuracy for row 0; expected a number from 0",
        ),
        (ROW.format(hash="{hash}", value="good"), "'good' in the column test_micro_accuracy for row 0"),
        (ROW.format(hash="f" * 32, value="0.5"), "name a cell that is none of the 91"),
        ("id,test_micro_accuracy\n3,0.5\n", "this study's space is smaller and has no ids"),
        ("\x00\xff", "which is none of a benchmark"),
        ("hash,epochs,macs\n{hash},1e19,5\n", "'1e19' in the column epochs for row 0; expected a whole number"),
        ("hash,dataset,macs\n{hash},a,5\n{hash},,5\n", "does not say which images row 1 was measured on"),
        ("hash,macs\n{hash},5,7\n{hash},6,8\n", "is no readable table"),
    ],
)
def test_other_tables_are_refused(text: str, message: str, cells: pd.DataFrame, index: SpaceIndex) -> None:
    content = text.replace("{hash}", cells["hash"][0]).encode()
    with pytest.raises(DataError, match=message.replace("(", r"\(")):
        import_own(io.BytesIO(content), "mine.csv", index, SHAPE)


def test_commas_at_the_ends_of_all_rows_shift_no_column(cells: pd.DataFrame) -> None:
    numbered = cells.assign(id=pd.array(range(len(cells)), dtype="Int64"))
    index = SpaceIndex(numbered[list(CELL_COLUMNS)])
    rows = import_own(io.BytesIO(b"id,parameters,macs\n3,10,20,\n4,11,21,\n"), "mine.csv", index, SHAPE).table
    assert rows["hash"].tolist() == cells["hash"][[3, 4]].tolist()
    assert rows[["parameters", "macs"]].to_numpy().tolist() == [[10, 20], [11, 21]]


@pytest.mark.parametrize("text", ["hash,macs\n{hash},0\n", "hash,macs\nx,1\n"])
def test_advice_is_about_a_table_of_ones_own(text: str, cells: pd.DataFrame, index: SpaceIndex) -> None:
    content = text.replace("{hash}", cells["hash"][0]).encode()
    with pytest.raises(DataError, match=r"Correct the table|Leave these rows out") as caught:
        import_own(io.BytesIO(content), "mine.csv", index, SHAPE)
    assert "etch" not in str(caught.value), "there is nowhere to fetch it from"


def test_a_damaged_parquet_file_is_refused(cells: pd.DataFrame, index: SpaceIndex) -> None:
    content = as_parquet(pd.DataFrame({"hash": cells["hash"][:2], "macs": [1, 2]})).getvalue()
    with pytest.raises(DataError, match="is no readable parquet file"):
        import_own(io.BytesIO(content[:-20]), "mine.parquet", index, SHAPE)


def test_long_texts_are_refused_before_they_are_unpacked(index: SpaceIndex) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 50, pa.int32()), pa.array(["x" * 1_000_000]))
    file = io.BytesIO()
    pq.write_table(pa.table({"hash": texts, "macs": [1.0] * 50}), file)
    with pytest.raises(DataError, match=r"a text of 1,000,000 bytes in the column hash, .* Correct the table"):
        import_own(io.BytesIO(file.getvalue()), "mine.parquet", index, SHAPE)


def test_ids_name_cells_of_the_whole_space(cells: pd.DataFrame) -> None:
    numbered = cells.assign(id=pd.array(range(len(cells)), dtype="Int64"))
    index = SpaceIndex(numbered[list(CELL_COLUMNS)])
    rows = import_own(as_csv(pd.DataFrame({"id": [7, 1], "macs": [1, 2]})), "mine.csv", index, SHAPE).table
    assert rows["hash"].tolist() == [cells["hash"][1], cells["hash"][7]]
    with pytest.raises(DataError, match="none of the 91"):
        import_own(as_csv(pd.DataFrame({"id": [91], "macs": [1]})), "mine.csv", index, SHAPE)


def test_the_script_writes_table_and_report(
    tmp_path: Path, run_import: Callable[..., None], cells: pd.DataFrame
) -> None:
    records, table, report = tmp_path / "mine.csv", tmp_path / "own.parquet", tmp_path / "own.json"
    records.write_bytes(as_csv(pd.DataFrame({"hash": cells["hash"], "test_micro_accuracy": 0.5})).getvalue())
    write_table(cells, tmp_path / "cells.parquet", CELLS)
    files = {"cells": tmp_path / "cells.parquet", "records": records}
    run_import("own", network=vars(SHAPE), input=files, output={"table": table, "report": report})
    assert len(TabularBenchmark.open(table)) == 91
    assert "mine.csv" in report.read_text()
