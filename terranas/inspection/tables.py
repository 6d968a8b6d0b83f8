"""What a table file holds: its schema, architectures, metrics, and whether its values follow what they promise."""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet as pq

from terranas.benchmark.own import read_own
from terranas.benchmark.schema import BENCHMARK, METRICS
from terranas.core.errors import TableError
from terranas.core.tables import METADATA_KEY, Column, ColumnType, TableSchema, read_facts, read_table

SCHEMA_MODULES = (
    "space.schema",
    "data.schema",
    "sampling.schema",
    "training.schema",
    "profiling.schema",
    "benchmark.schema",
    "benchmark.nasbench201",
    "benchmark.hw_nas_bench",
    "benchmark.transnas_bench101",
    "benchmark.nasbench_macro",
    "landscape.schema",
    "landscape.graph_schema",
    "surrogates.schema",
    "search.schema",
    "comparison.schema",
)
"""Modules of terranas that declare schemas."""

_LARGEST_CSV = 1 << 28
_METRICS = {column.name for column in METRICS}
_ABOUT_RUNS = ("dataset", "device", "outcome", "source")


@dataclass(frozen=True)
class ColumnSummary:
    """A column of numbers.

    Attributes:
        name: its name.
        meaning: what the values are.
        unit: their unit, empty where there is none.
        direction: which way is better; None where it is no metric.
        measured: whether values differ from run to run by nature (time, energy, memory); else they are computed.
        least: smallest known value; None where none is known.
        greatest: largest known value, likewise.
        missing: rows without a value.
    """

    name: str
    meaning: str
    unit: str
    direction: str | None
    measured: bool
    least: float | None
    greatest: float | None
    missing: int


@dataclass(frozen=True)
class TableSummary:
    """What a table holds.

    Attributes:
        file: the file.
        schema: name of its schema.
        version: version of the schema; None for a CSV file, which names none.
        rows: number of rows.
        key: columns that together name a row.
        architectures: number of different architectures; None where the key has none.
        values: different values of the columns that say what a row is about (``dataset``, ``device``, ...).
        columns: columns of numbers, without those of the key.
        attributes: what the writer stored beside the table: source, licence, citation.
        problem: why it does not validate; empty where it does.
    """

    file: str
    schema: str
    version: int | None
    rows: int
    key: Sequence[str]
    architectures: int | None
    values: Mapping[str, Sequence[str]]
    columns: Sequence[ColumnSummary]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def valid(self) -> bool:
        """Whether the table follows its schema."""
        return not self.problem

    def facts(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"valid": self.valid, **asdict(self)}


def known_schemas() -> dict[str, TableSchema]:
    """Return every declared schema by name."""
    found: dict[str, TableSchema] = {}
    for name in SCHEMA_MODULES:
        for value in vars(importlib.import_module(f"terranas.{name}")).values():
            held = value.values() if isinstance(value, dict) else [value]
            found |= {schema.name: schema for schema in held if isinstance(schema, TableSchema)}
    return found


def summarise_table(path: Path) -> TableSummary:
    """Return what a table holds, and whether it validates.

    Args:
        path: a parquet file that terranas wrote, a CSV file with the columns of one of its schemas, or a table of
            one's own as ``benchmark.own`` takes it (whether its architectures are in a study's space is not looked at).

    Raises:
        TableError: the file is missing or damaged, or is no table of a known schema.
    """
    if path.suffix.lower() == ".csv":
        return _of_csv(path)
    if METADATA_KEY not in (_arrow_schema(path).metadata or {}):
        return _of_own(path)
    facts = read_facts(path)
    schema = _declared(path, facts)
    problem = ""
    try:
        table = read_table(path, schema)
    except TableError as error:
        problem = str(error)
        table = _unchecked(path)
    return _summary(path, table, schema, facts["version"], dict(facts.get("attributes") or {}), problem)


def _declared(path: Path, facts: Mapping[str, Any]) -> TableSchema:
    """Return the schema that a file names; one that is made at run time (surrogates) as the file describes it."""
    known = known_schemas().get(str(facts["schema"]))
    if known is not None:
        return known
    columns, key = facts.get("columns"), facts.get("key")
    held = {item.name: str(item.type) for item in _arrow_schema(path)}
    described = isinstance(columns, dict) and all(isinstance(about, dict) for about in columns.values())
    if not described or not isinstance(key, list) or not set(key) <= set(held):
        raise TableError(f"{path} names the schema '{facts['schema']}', which this terranas does not know.")
    directions = {"maximise", "minimise"}
    made = [
        Column(
            name,
            _column_type(held[name]),
            str(about.get("meaning", "")),
            str(about.get("unit", "")),
            about["direction"] if about.get("direction") in directions else None,
            bool(about.get("measured")),
            bool(about.get("per_device")),
        )
        for name, about in cast("dict[str, dict[str, Any]]", columns).items()
        if name in held
    ]
    return TableSchema(str(facts["schema"]), facts["version"], tuple(made), tuple(key))


def _column_type(arrow: str) -> ColumnType:
    names: dict[str, ColumnType] = {"bool": "bool", "double": "float64", "int64": "Int64"}
    return names.get(arrow, "string")


def _arrow_schema(path: Path) -> pyarrow.Schema:
    try:
        return pq.read_schema(path)
    except FileNotFoundError as error:
        raise TableError(f"Table {path} does not exist.") from error
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise TableError(
            f"{path} is no readable parquet file ({error}). Tables end with .parquet or .csv; one that the workflow "
            "made and that is damaged is made again by `snakemake FILE` once it is removed."
        ) from error


def _unchecked(path: Path) -> pd.DataFrame:
    try:
        return cast("pd.DataFrame", pq.read_table(path).to_pandas())
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise TableError(f"{path} is damaged ({error}). Remove it; `snakemake FILE` makes it again.") from error


def _of_csv(path: Path) -> TableSummary:
    """Return what a CSV file holds; its header tells the schema."""
    try:
        if path.stat().st_size > _LARGEST_CSV:
            raise TableError(f"{path} has more than {_LARGEST_CSV >> 20} MB. Look at its parquet file instead.")
        table = pd.read_csv(path, comment="#")
    except FileNotFoundError as error:
        raise TableError(f"Table {path} does not exist.") from error
    except (OSError, ValueError) as error:
        raise TableError(f"{path} is no readable CSV file ({error}).") from error
    header = list(map(str, table.columns))
    fitting = [schema for schema in known_schemas().values() if _fits(header, schema)]
    if not fitting:
        if _begins_with_comment(path):
            raise TableError(
                f"{path} is a list that the workflow keeps for itself. Its cells stand in space/cells.parquet."
            )
        if not {"hash", "id"} & set(header):
            raise TableError(
                f"{path} has the columns {', '.join(header)[:300]}, which no schema of terranas has. CSV files beside "
                "figures hold the figures' numbers and have none; a table of your own has a column hash or id."
            )
        return _of_own(path)
    # a schema with open columns fits much; the one with the most declared columns says most
    schema = max(fitting, key=lambda schema: len(schema.columns))
    problem = ""
    try:
        # texts that are empty are not told from missing ones in a CSV file
        texts = [column.name for column in schema.columns if column.dtype == "string"]
        table = schema.validate(table.fillna(dict.fromkeys(texts, "")))
    except TableError as error:
        problem = str(error)
    return _summary(path, table, schema, None, {}, problem)


def _begins_with_comment(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(1) == b"#"


def _of_own(path: Path) -> TableSummary:
    """Return what a table of one's own holds, which has any columns of a benchmark."""
    with path.open("rb") as file:
        table = read_own(file, path.name)
    texts = {"hash": "architecture", "dataset": "name of the images", "device": "device"}
    declared = [Column(name, "string", meaning) for name, meaning in texts.items() if name in table]
    numbers = [BENCHMARK.column(name) for name in ("id", "epochs") if name in table]
    declared += [Column(column.name, "float64", column.meaning, ge=0) for column in numbers]
    declared += [column for column in METRICS if column.name in table]
    schema = TableSchema("benchmark.own", 1, tuple(declared), ())
    problem = ""
    try:
        table = table.replace("", np.nan).fillna(dict.fromkeys(texts, ""))
        table = schema.validate(table)
    except TableError as error:
        problem = str(error)
    return _summary(path, table, schema, None, {}, problem)


def _fits(header: Sequence[str], schema: TableSchema) -> bool:
    further = set(header) - set(schema.names)
    return set(schema.names) <= set(header) and (not further or (schema.extra is not None and further <= _METRICS))


def _summary(
    path: Path,
    table: pd.DataFrame,
    schema: TableSchema,
    version: int | None,
    attributes: dict[str, Any],
    problem: str,
) -> TableSummary:
    architectures = next((name for name in ("hash", "architecture") if name in table), None)
    if schema.name == "benchmark.own" and architectures is None:
        architectures = "id"
    if architectures is None and schema.name.startswith("benchmark.") and schema.key[0] in table:
        architectures = schema.key[0]
    values = {name: sorted(map(str, table[name].dropna().unique())) for name in _ABOUT_RUNS if name in table}
    return TableSummary(
        str(path),
        schema.name,
        version,
        len(table),
        schema.key,
        None if architectures is None else int(table[architectures].nunique()),
        {name: [value for value in found if value] for name, found in values.items()},
        list(_columns(table, schema)),
        attributes,
        problem,
    )


def _columns(table: pd.DataFrame, schema: TableSchema) -> Iterator[ColumnSummary]:
    declared = {column.name: column for column in schema.columns}
    for name in table.columns:
        column = declared.get(name, schema.extra)
        if column is None or name in schema.key or column.dtype in ("string", "bool"):
            continue
        values = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        known = values[np.isfinite(values)]
        yield ColumnSummary(
            str(name),
            column.meaning,
            column.unit,
            column.direction,
            column.measured,
            float(known.min()) if len(known) else None,
            float(known.max()) if len(known) else None,
            int(np.isnan(values).sum()),
        )
