"""What a setting means: its type, what it may be, its default and its value in a study."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel

from terranas.config.load import known_keys
from terranas.config.study import StudyConfig
from terranas.core.errors import ConfigError

_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "greater than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "length at least {}",
    "minItems": "entries: at least {}",
    "maxItems": "entries: at most {}",
}
_TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "array": "list",
    "object": "mapping",
    "null": "null",
}


@dataclass(frozen=True)
class SettingFacts:
    """What is known of a setting.

    Attributes:
        key: its dotted name.
        meaning: what it decides.
        type: what its value is, in words.
        allowed: the values it may have, or its entries in the case of a list; empty where there are too many to name.
        bounds: limits in words.
        default: its default.
        value: its value in the study.
    """

    key: str
    meaning: str
    type: str
    allowed: tuple[Any, ...]
    bounds: tuple[str, ...]
    default: Any
    value: Any

    def facts(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class SectionFacts:
    """What is known of a section.

    Attributes:
        key: its dotted name.
        meaning: what it is about.
        settings: its settings, those of its own sections included.
    """

    key: str
    meaning: str
    settings: tuple[SettingFacts, ...]

    def facts(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def sections() -> list[str]:
    """Return the dotted names of all sections, in order."""
    return list(dict.fromkeys(section for key in known_keys() for section in _ancestors(key)))


def explain_key(key: str, study: StudyConfig | None = None) -> SettingFacts | SectionFacts:
    """Return what is known of a setting or a section.

    Args:
        key: dotted name, such as ``search.seeds`` or ``search``.
        study: the configuration that values are taken from; the defaults without one.

    Raises:
        ConfigError: there is no such key; the nearest ones are named.
    """
    schema = _schema()
    values = (study or StudyConfig()).model_dump(mode="json")
    defaults = StudyConfig().model_dump(mode="json")
    if key in set(known_keys()):
        return _setting(key, schema, defaults, values)
    if key in sections():
        inside = tuple(_setting(name, schema, defaults, values) for name in known_keys() if name.startswith(f"{key}."))
        return SectionFacts(key, _section_meaning(key), inside)
    near = _nearest(key)
    raise ConfigError(
        f"There is no setting '{key}'; the nearest {'is' if len(near) == 1 else 'are'} {', '.join(near)}."
    )


@cache
def _schema() -> dict[str, Any]:
    return StudyConfig.model_json_schema()


def _nearest(key: str) -> list[str]:
    candidates = [*known_keys(), *sections()]
    same = [name for name in candidates if name.rpartition(".")[2] == key.rpartition(".")[2]]
    # a bare name is compared with last parts, a dotted one with whole names
    if not same and "." not in key:
        parts = [name.rpartition(".")[2] for name in candidates]
        close = difflib.get_close_matches(key, parts, n=3, cutoff=0.6)
        same = [name for part in close for name in candidates if name.rpartition(".")[2] == part]
    found = same or difflib.get_close_matches(key, candidates, n=3, cutoff=0.0)
    return list(dict.fromkeys(found))[:3]


def _ancestors(key: str) -> Iterator[str]:
    parts = key.split(".")
    for length in range(1, len(parts)):
        yield ".".join(parts[:length])


def _section_meaning(key: str) -> str:
    model: type[BaseModel] = StudyConfig
    for part in key.split("."):
        annotation = model.model_fields[part].annotation
        assert isinstance(annotation, type)
        assert issubclass(annotation, BaseModel)
        model = annotation
    return (model.__doc__ or "").splitlines()[0]


def _setting(
    key: str, schema: Mapping[str, Any], defaults: Mapping[str, Any], values: Mapping[str, Any]
) -> SettingFacts:
    about: Mapping[str, Any] = schema
    for part in key.split("."):
        about = _resolved(about, schema)["properties"][part]
        defaults, values = defaults[part], values[part]
    return SettingFacts(
        key,
        str(about.get("description", "")),
        _type(about),
        tuple(_allowed(about)),
        tuple(_bounds(about)),
        defaults,
        values,
    )


def _resolved(about: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = about.get("$ref")
    return about if reference is None else schema["$defs"][reference.rpartition("/")[2]]


def _type(about: Mapping[str, Any]) -> str:
    if "anyOf" in about:
        return " or ".join(map(_type, about["anyOf"]))
    if "const" in about:
        return _TYPES["string"] if isinstance(about["const"], str) else str(about["const"])
    name = _TYPES[about["type"]]
    if about["type"] == "array" and "items" in about:
        return f"list of {_plural(_type(about['items']))}"
    if about["type"] == "object" and isinstance(about.get("additionalProperties"), Mapping):
        return f"mapping to {_type(about['additionalProperties'])}"
    return name


def _plural(words: str) -> str:
    return {
        "whole number": "whole numbers",
        "number": "numbers",
        "text": "texts",
        "list of texts": "lists of texts",
    }.get(words, words)


def _allowed(about: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the values that are named one by one, those of a list's entries included."""
    if "const" in about:
        yield about["const"]
    yield from about.get("enum", ())
    for part in (*about.get("anyOf", ()), *([about["items"]] if "items" in about else [])):
        yield from _allowed(part)


def _bounds(about: Mapping[str, Any]) -> Iterator[str]:
    yield from (text.format(about[name]) for name, text in _BOUNDS.items() if name in about)
    for part in about.get("anyOf", ()):
        yield from _bounds(part)
