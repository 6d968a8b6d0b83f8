"""The page of all tables, from their schemas."""

import importlib
import pkgutil
from collections.abc import Iterator

import terranas
from terranas.core.tables import Column, TableSchema

INTRODUCTION = """\
# Tables

Every table that crosses a stage is a parquet file with one of these schemas, generated from the modules `schema.py` of
the stages. A table is validated when it is written and when it is read; name and version of its schema stand in the
file ([how to read one](../tables.md#what-the-tables-have-in-common)).

*Computed* values are equal in every run of the same settings; *measured* ones (time, energy, memory) are not.
"""


def schemas() -> dict[str, TableSchema]:
    """Return all schemas of the package by name, in the order of their names."""
    found: dict[str, TableSchema] = {}
    for module in pkgutil.walk_packages(terranas.__path__, "terranas."):
        if module.name.rpartition(".")[2].endswith("schema"):
            content = vars(importlib.import_module(module.name)).values()
            found |= {value.name: value for value in content if isinstance(value, TableSchema)}
    return dict(sorted(found.items()))


def tables_page() -> str:
    """Return the page in Markdown: a section a schema, a row a column."""
    lines = [INTRODUCTION]
    for schema in schemas().values():
        lines += _section(schema)
    return "\n".join(lines) + "\n"


def _section(schema: TableSchema) -> Iterator[str]:
    yield f"\n## `{schema.name}`\n"
    key = ", ".join(f"`{name}`" for name in schema.key) or "none"
    yield f"Version {schema.version}. Key: {key}.\n"
    yield "| column | type | meaning | unit | values |\n|---|---|---|---|---|"
    yield from map(_row, schema.columns)
    if schema.extra is not None:
        yield _row(schema.extra, "further columns")


def _row(column: Column, name: str = "") -> str:
    better = {"maximise": "larger is better", "minimise": "smaller is better", None: ""}[column.direction]
    meaning = column.meaning.replace("|", "\\|").replace("<", "&lt;")
    bounds = [f"≥ {column.ge:g}"] if column.ge is not None else []
    bounds += [f"≤ {column.le:g}"] if column.le is not None else []
    if bounds:
        meaning += f" ({', '.join(bounds)})"
    if column.isin is not None and all(column.isin):
        meaning += ": " + ", ".join(f"`{value}`" for value in column.isin)
    origin = ("measured" if column.measured else "computed") + (", of a device" if column.per_device else "")
    shown = name or f"`{column.name}`"
    values = f"{origin}; {better}" if better else origin
    return f"| {shown} | {column.dtype} | {meaning} | {column.unit} | {values} |"
