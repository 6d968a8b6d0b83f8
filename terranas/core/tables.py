"""Tables with declared schemas, stored as parquet.

A schema names each column, its type, unit, direction (for objectives), meaning, and whether its values are computed
(equal in every run) or measured (time, energy, memory: different in every run). A table is validated when written and
when read; name and version of its schema stand in the file's metadata.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet as pq

from terranas.core.errors import TableError
from terranas.core.files import atomic_path

ColumnType = Literal["string", "int64", "Int64", "float64", "bool"]
METADATA_KEY = b"terranas"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: column name.
        dtype: ``string``, ``int64``, ``Int64`` (may be null), ``float64`` (NaN means not known) or ``bool``.
        meaning: what the values are, in one sentence.
        unit: unit of the values, empty where there is none.
        direction: which way is better, for columns that can be an objective.
        measured: True for values that differ from run to run by nature (time, energy, memory).
        per_device: True for values that belong to the device of a row.
        ge: smallest value allowed.
        le: largest value allowed.
        isin: values allowed.
    """

    name: str
    dtype: ColumnType
    meaning: str
    unit: str = ""
    direction: Literal["maximise", "minimise"] | None = None
    measured: bool = False
    per_device: bool = False
    ge: float | None = None
    le: float | None = None
    isin: tuple[str, ...] | None = None

    def to_pandera(self) -> Any:
        """Return the pandera column that checks this one."""
        import pandera.pandas as pa  # slow to import, and not needed to look into a table

        checks: list[Any] = []
        if self.ge is not None:
            checks.append(pa.Check.ge(self.ge))
        if self.le is not None:
            checks.append(pa.Check.le(self.le))
        if self.isin is not None:
            checks.append(pa.Check.isin(list(self.isin)))
        return pa.Column(_PANDAS_TYPES[self.dtype], checks, nullable=self.dtype in ("Int64", "float64"))


_PANDAS_TYPES: dict[str, Any] = {
    "string": pd.StringDtype(na_value=float("nan")),
    "int64": "int64",
    "Int64": "Int64",
    "float64": "float64",
    "bool": "bool",
}


@dataclass(frozen=True)
class TableSchema:
    """Name, version, columns and unique key of a table.

    Attributes:
        name: name of the table's kind, such as ``space.cells``.
        version: raised when columns change their name or meaning.
        columns: the columns in their order.
        key: columns that together name a row; no two rows agree in all of them.
        extra: a column template for further columns whose names are only known at run time (objectives); None
            forbids them.
    """

    name: str
    version: int
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    extra: Column | None = None

    def column(self, name: str) -> Column:
        """Return the declaration of a column.

        Raises:
            TableError: the schema has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise TableError(f"Table {self.name} has no column '{name}'. It has: {', '.join(self.names)}.")

    @property
    def names(self) -> list[str]:
        """Names of the declared columns, in order."""
        return [column.name for column in self.columns]

    @property
    def measured(self) -> list[str]:
        """Names of the columns whose values differ from run to run by nature."""
        return [column.name for column in self.columns if column.measured]

    def empty(self) -> pd.DataFrame:
        """Return a table of this schema without rows."""
        return pd.DataFrame({c.name: pd.Series([], dtype=_PANDAS_TYPES[c.dtype]) for c in self.columns})

    def from_rows(self, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        """Return a validated table of row dictionaries, with the declared types even when there are no rows."""
        return self.validate(pd.DataFrame(list(rows))) if rows else self.empty()

    def validate(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return ``table`` with columns in declared order and type.

        Raises:
            TableError: a column is missing or unknown, a value has the wrong type or range, or a key stands twice.
        """
        missing = [name for name in self.names if name not in table.columns]
        unknown = [name for name in table.columns if name not in self.names]
        if missing or (unknown and self.extra is None):
            raise TableError(
                f"Table {self.name} must have the columns {', '.join(self.names)}; "
                + "; ".join(
                    f"{word}: {', '.join(map(str, names))}"
                    for word, names in (("missing", missing), ("unknown", unknown))
                    if names
                )
                + "."
            )
        columns = {column.name: column for column in self.columns}
        if self.extra is not None:
            columns |= dict.fromkeys(unknown, self.extra)
        import pandera.pandas as pa

        try:
            typed = table[list(columns)].astype({name: _PANDAS_TYPES[c.dtype] for name, c in columns.items()})
            checked = pa.DataFrameSchema({name: column.to_pandera() for name, column in columns.items()}).validate(
                typed.reset_index(drop=True), lazy=True, inplace=True
            )
        except pa.errors.SchemaErrors as error:
            cases = error.failure_cases
            first = cases.iloc[0]
            raise TableError(
                f"Table {self.name}: column '{first['column']}' breaks '{first['check']}' with the value "
                f"'{first['failure_case']}' (row {first['index']}); {len(cases)} such values in all."
            ) from error
        except (ValueError, TypeError) as error:
            raise TableError(f"Table {self.name}: a value has the wrong type: {error}") from error
        self._require_unique(checked)
        return pd.DataFrame(checked)

    def _require_unique(self, table: pd.DataFrame) -> None:
        """Raise when two rows have the same key."""
        if not self.key or _ascends(table, self.key):
            return
        twice = table.duplicated(list(self.key))
        if twice.any():
            first = ", ".join(f"{name} {table.loc[twice, name].iloc[0]}" for name in self.key)
            raise TableError(
                f"Table {self.name}: two rows have the same key ({first}); {int(twice.sum())} such rows in all."
            )


def _ascends(table: pd.DataFrame, columns: Sequence[str]) -> bool:
    """Return whether each row comes after the one before it, which proves cheaply that no two are equal."""
    after = np.zeros(max(len(table) - 1, 0), dtype=np.bool_)
    equal = ~after
    for name in columns:
        values = table[name].array
        later, earlier = values[1:], values[:-1]
        after |= equal & np.asarray(later > earlier, dtype=np.bool_)
        equal &= np.asarray(later == earlier, dtype=np.bool_)
    return bool(after.all())


def write_table(
    table: pd.DataFrame, path: str | Path, schema: TableSchema, attributes: Mapping[str, Any] | None = None
) -> None:
    """Validate ``table`` and write it as parquet (zstd), atomically.

    Args:
        table: rows in any column order.
        path: file to write.
        schema: declared schema; its name and version go into the file's metadata.
        attributes: further JSON-serialisable facts for the metadata, such as a source's licence.
    """
    checked = schema.validate(table)
    arrow = pyarrow.Table.from_pandas(checked, preserve_index=False)
    facts = {
        "schema": schema.name,
        "version": schema.version,
        "key": list(schema.key),
        "columns": {
            c.name: {
                "unit": c.unit,
                "direction": c.direction,
                "measured": c.measured,
                "per_device": c.per_device,
                "meaning": c.meaning,
            }
            for c in schema.columns
        },
        "attributes": dict(attributes or {}),
    }
    arrow = arrow.replace_schema_metadata(
        {**(arrow.schema.metadata or {}), METADATA_KEY: json.dumps(facts, sort_keys=True).encode()}
    )
    with atomic_path(path) as temporary:
        pq.write_table(arrow, temporary, compression="zstd")


def read_table(path: str | Path, schema: TableSchema, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table and validate it.

    Args:
        path: parquet file written by :func:`write_table`.
        schema: the schema the caller expects.
        columns: read only these columns (types are checked, keys are not); all by default.

    Raises:
        TableError: the file is missing or damaged, or has another schema or version.
    """
    facts = _facts(path)
    if facts.get("schema") != schema.name or facts.get("version") != schema.version:
        raise TableError(
            f"{path} holds the table {facts.get('schema', 'of another program')} version {facts.get('version', '?')}; "
            f"expected {schema.name} version {schema.version}. Results of an older terranas cannot be mixed with new "
            "ones: move that results folder away or set another results_dir, and run again."
        )
    table = pq.read_table(path, columns=None if columns is None else list(columns)).to_pandas()
    if columns is None:
        return schema.validate(table)
    part = TableSchema(schema.name, schema.version, tuple(map(schema.column, columns)), ())
    return part.validate(table)


def read_facts(path: str | Path) -> dict[str, Any]:
    """Return what :func:`write_table` stored with a table: schema, version, key, columns and attributes.

    Raises:
        TableError: the file is missing, or no table of terranas.
    """
    facts = _facts(path)
    if "schema" not in facts:
        raise TableError(f"{path} is a table of another program; expected one that terranas wrote.")
    return facts


def read_attributes(path: str | Path) -> dict[str, Any]:
    """Return the attributes that :func:`write_table` stored with a table."""
    return dict(_facts(path).get("attributes", {}))


def _facts(path: str | Path) -> dict[str, Any]:
    try:
        metadata = pq.read_schema(path).metadata or {}
        return dict(json.loads(metadata.get(METADATA_KEY, b"{}")))
    except FileNotFoundError as error:
        raise TableError(f"Table {path} does not exist.") from error
    except (pyarrow.ArrowInvalid, OSError, json.JSONDecodeError) as error:
        raise TableError(f"{path} is no readable parquet file ({error}). Remove it and run again.") from error
