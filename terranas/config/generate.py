"""``config/config.yaml`` and ``config/schema.json``, generated from the models."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from terranas.config.study import StudyConfig
from terranas.core.files import write_text

HEADER = """\
# yaml-language-server: $schema=schema.json
# The default study: every setting with its default. Generated from the models in terranas/config by
# `terranas config write`; to change a study, write only what differs into a file of your own (see eurosat.yaml)
# and run `snakemake --configfile my_study.yaml`, or edit the values here.
"""


def default_yaml() -> str:
    """Return the text of the default configuration, every key with its description as a comment."""
    return HEADER + "\n".join(_lines(StudyConfig, StudyConfig(), "")) + "\n"


def json_schema() -> str:
    """Return the JSON schema (draft 2020-12) of the configuration, for editors and other tools."""
    schema = StudyConfig.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2) + "\n"


def write_generated(folder: str | Path) -> None:
    """Write both generated files into the config folder."""
    write_text(Path(folder) / "config.yaml", default_yaml())
    write_text(Path(folder) / "schema.json", json_schema())


def _lines(model: type[BaseModel], values: BaseModel, indent: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        value = getattr(values, name)
        if isinstance(value, BaseModel):
            if not indent:
                yield ""
            yield f"{indent}# {(type(value).__doc__ or '').splitlines()[0]}"
            yield f"{indent}{name}:"
            yield from _lines(type(value), value, indent + "  ")
        else:
            for line in _wrap(_comment(field), 108 - len(indent)):
                yield f"{indent}# {line}"
            yield f"{indent}{name}: {scalar(value)}"


def _comment(field: FieldInfo) -> str:
    choices = getattr(field.annotation, "__args__", ())
    texts = [choice for choice in choices if isinstance(choice, str)]
    return (field.description or "") + (f" One of: {', '.join(texts)}." if texts else "")


def scalar(value: Any) -> str:
    """Return a value as YAML in one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("...\n").strip()


def _wrap(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    if line:
        yield line
