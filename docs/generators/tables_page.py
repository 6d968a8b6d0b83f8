"""The page of all tables, from their schemas."""

from collections.abc import Iterator

from terranas.core.tables import Column, TableSchema
from terranas.inspection.tables import known_schemas

INTRODUCTION = """\
# Tables

Every table that crosses a stage is a parquet file with one of these schemas, generated from the modules of the stages
that declare them. A table is validated when it is written and when it is read; name and version of its schema stand in
the file ([how to read one](../tables.md#what-the-tables-have-in-common)).

*Computed* values are equal in every run of the same settings; *measured* ones (time, energy, memory) are not.
"""


def tables_page() -> str:
    """Return the page in Markdown: a section a schema, a row a column."""
    lines = [INTRODUCTION]
    for _, schema in sorted(known_schemas().items()):
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
