"""The page of all settings, from the configuration's models."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from terranas.config.study import StudyConfig

INTRODUCTION = """\
# Settings

All settings of a study, generated from the models in `terranas/config`. A study's file names only those that differ;
a key that is not here is refused, and the message names the nearest one that is. `config/config.yaml` holds the same
tree with its defaults, `config/schema.json` as a JSON schema for editors.
"""


def settings_page() -> str:
    """Return the page in Markdown: one section a part of the tree, one row a key."""
    schema = StudyConfig.model_json_schema()
    return "\n".join([INTRODUCTION, *_section(StudyConfig(), schema, schema["$defs"], "")]) + "\n"


def _section(values: BaseModel, schema: dict[str, Any], defined: dict[str, Any], path: str) -> Iterator[str]:
    """Yield the lines of one section and of those below it."""
    parts = {name: value for name, value in values if isinstance(value, BaseModel)}
    keys = {name: value for name, value in values if name not in parts}
    if path:
        yield f"\n## `{path}`\n"
        yield (type(values).__doc__ or "").splitlines()[0] + "\n"
    if keys:
        yield "| key | type | default | meaning |\n|---|---|---|---|"
    for name, value in keys.items():
        field = schema["properties"][name]
        meaning = _escaped(field.get("description", ""))
        default = _escaped(json.dumps(_plain(value), ensure_ascii=False))
        yield f"| `{name}` | {_kind(field, defined)} | `{default}` | {meaning} |"
    for name, value in parts.items():
        below = _resolved(schema["properties"][name], defined)
        yield from _section(value, below, defined, f"{path}.{name}" if path else name)


def _plain(value: Any) -> Any:
    """Return a default as YAML would hold it."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _resolved(field: dict[str, Any], defined: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in field:
        return dict(defined[field["$ref"].rpartition("/")[2]])
    return field


def _kind(field: dict[str, Any], defined: dict[str, Any]) -> str:
    """Return type and allowed values of a key, in words."""
    field = _resolved(field, defined)
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_kind(option, defined) for option in field["anyOf"]))
    if "enum" in field:
        return "one of " + ", ".join(f"`{choice}`" for choice in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    kind = {
        "integer": "whole number",
        "number": "number",
        "string": "text",
        "boolean": "`true` or `false`",
        "array": "list",
        "object": "mapping",
        "null": "`null`",
        None: "any",
    }[field.get("type")]
    if field.get("type") == "array":
        kind = _list(field, defined)
    signs = {"minimum": "≥", "maximum": "≤", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {field[name]:g}" for name, sign in signs.items() if name in field]
    return ", ".join([kind, *bounds])


def _list(field: dict[str, Any], defined: dict[str, Any]) -> str:
    if "prefixItems" in field:
        return "[" + ", ".join(_kind(item, defined) for item in field["prefixItems"]) + "]"
    return f"list of {_kind(field['items'], defined)}" if field.get("items") else "list"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
