"""Tables with schemas."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from terranas.core.errors import TableError
from terranas.core.tables import METADATA_KEY, Column, TableSchema, read_attributes, read_table, write_table

SCHEMA = TableSchema(
    name="test.table",
    version=2,
    key=("hash",),
    columns=(
        Column("id", "Int64", "an identifier that may be null"),
        Column("hash", "string", "key"),
        Column("accuracy", "float64", "share", direction="maximise", ge=0, le=1),
        Column("seconds", "float64", "time", unit="s", measured=True),
        Column("split", "string", "part", isin=("train", "test")),
    ),
)


def rows(**changes):
    table = {
        "hash": ["a", "b"],
        "id": [1, None],
        "accuracy": [0.5, np.nan],
        "seconds": [1, 2],
        "split": ["train", "test"],
    }
    return pd.DataFrame(table | changes)


def test_round_trip_keeps_values_types_order_and_attributes(tmp_path):
    write_table(rows(), tmp_path / "t.parquet", SCHEMA, {"licence": "MIT"})
    table = read_table(tmp_path / "t.parquet", SCHEMA)
    assert list(table.columns) == ["id", "hash", "accuracy", "seconds", "split"]
    assert table["id"].dtype == "Int64"
    assert table["id"].isna().tolist() == [False, True]
    assert table["seconds"].dtype == np.float64
    assert read_attributes(tmp_path / "t.parquet") == {"licence": "MIT"}
    assert list(read_table(tmp_path / "t.parquet", SCHEMA, ["hash", "accuracy"]).columns) == ["hash", "accuracy"]
    assert SCHEMA.measured == ["seconds"]


def test_equal_tables_give_equal_files(tmp_path):
    for name in ("a", "b"):
        write_table(rows(), tmp_path / name, SCHEMA)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_empty_table_keeps_its_types(tmp_path):
    write_table(SCHEMA.from_rows([]), tmp_path / "e.parquet", SCHEMA)
    table = read_table(tmp_path / "e.parquet", SCHEMA)
    assert len(table) == 0
    assert table["id"].dtype == "Int64"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"accuracy": [0.5, 1.5]}, r"column 'accuracy' breaks 'less_than_or_equal_to\(1\)' with the value '1\.5'"),
        ({"hash": ["a", "a"]}, r"two rows have the same key \(hash a\); 1 such rows in all"),
        ({"hash": ["a", None]}, "column 'hash' breaks 'not_nullable'"),
        ({"split": ["train", "exam"]}, "'exam'"),
        ({"seconds": ["soon", 1]}, "wrong type"),
        ({"extra": [1, 2]}, "unknown: extra"),
    ],
)
def test_rows_that_break_the_schema_are_named(changes, message):
    with pytest.raises(TableError, match=message):
        SCHEMA.validate(rows(**changes))


def test_a_missing_column_is_named():
    with pytest.raises(TableError, match="missing: split"):
        SCHEMA.validate(rows().drop(columns="split"))
    with pytest.raises(TableError, match="no column 'speed'"):
        SCHEMA.column("speed")


def test_extra_columns_follow_their_template():
    schema = TableSchema("t", 1, SCHEMA.columns[:2], ("hash",), extra=Column("<x>", "float64", "an objective"))
    table = schema.validate(pd.DataFrame({"id": [1], "hash": ["a"], "macs": [3]}))
    assert table["macs"].dtype == np.float64
    with pytest.raises(TableError, match="wrong type"):
        schema.validate(pd.DataFrame({"id": [1], "hash": ["a"], "macs": ["many"]}))


def test_other_versions_and_damaged_files_are_refused_with_advice(tmp_path):
    path = tmp_path / "t.parquet"
    write_table(rows(), path, TableSchema("test.table", 1, SCHEMA.columns, ("hash",)))
    with pytest.raises(TableError, match=r"version 1; expected test\.table version 2.*results_dir"):
        read_table(path, SCHEMA)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(TableError, match="no readable parquet"):
        read_table(path, SCHEMA)
    with pytest.raises(TableError, match="does not exist"):
        read_table(tmp_path / "none.parquet", SCHEMA)
    pq.write_table(pa.table({"x": [1]}), path)
    with pytest.raises(TableError, match="of another program"):
        read_table(path, SCHEMA)


def test_the_file_names_units_and_directions_for_other_readers(tmp_path):
    write_table(rows(), tmp_path / "t.parquet", SCHEMA)
    facts = json.loads(pq.read_schema(tmp_path / "t.parquet").metadata[METADATA_KEY])
    expected = {"unit": "s", "direction": None, "measured": True, "per_device": False, "meaning": "time"}
    assert facts["columns"]["seconds"] == expected
