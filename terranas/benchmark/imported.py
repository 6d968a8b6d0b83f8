"""What an importer of a published table returns, and how it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from terranas.benchmark.validation import Check, describe_table, require_agreement
from terranas.core.files import write_json
from terranas.core.tables import TableSchema, write_table


@dataclass(frozen=True)
class Source:
    """Where a published table comes from.

    Attributes:
        name: name of the source.
        space: name of the search space.
        space_size: architectures of the whole search space.
        licence: SPDX identifier of the licence of the published files.
        citation: whom to cite.
        notes: what a user of the numbers must know, one sentence each: what was renamed, left out or measured
            otherwise.
    """

    name: str
    space: str
    space_size: int
    licence: str
    citation: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImportedTable:
    """A published table in terranas' form.

    Attributes:
        table: rows of ``schema``, ascending by its key.
        schema: made by :func:`terranas.benchmark.schema.table_schema`.
        source: where it comes from.
        checks: comparisons with what can be computed or counted.
        facts: further JSON-serialisable facts of the import.
    """

    table: pd.DataFrame
    schema: TableSchema
    source: Source
    checks: tuple[Check, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


def store_import(
    imported: ImportedTable, table_path: str | Path, report_path: str | Path, *, tolerate: bool = False
) -> None:
    """Write a table with its origin, and the report of its validation.

    Args:
        imported: the table.
        table_path: parquet file to write.
        report_path: JSON file to write.
        tolerate: whether failed checks are only logged and reported.

    Raises:
        DataError: a check failed and is not tolerated; nothing is written.
        TableError: the table does not fit its schema.
    """
    require_agreement(imported.checks, imported.source.name, tolerate=tolerate)
    origin = asdict(imported.source) | dict(imported.facts)
    write_table(imported.table, table_path, imported.schema, origin)  # checks that it fits the schema
    description = describe_table(imported.table, imported.schema, imported.source.space_size, imported.checks)
    write_json(report_path, {"source": origin} | description)
