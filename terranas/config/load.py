"""Reading and checking a configuration, with errors that name the key and what to write instead."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from terranas.config.study import StudyConfig
from terranas.core.errors import ConfigError


def read_config(path: str | Path) -> StudyConfig:
    """Read a YAML file of settings that differ from the defaults and return the whole configuration.

    Raises:
        ConfigError: the file is missing, no YAML mapping, or holds an invalid setting.
    """
    return load_config(read_settings(path))


def read_settings(path: str | Path) -> dict[str, Any]:
    """Read a YAML file of settings and return them as they stand there, unchecked.

    Raises:
        ConfigError: the file is missing or no YAML mapping.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"Config file {path} does not exist. Start in the root of the repository, or name the study's own file."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Config file {path} cannot be read as text: {error}.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"Config file {path} is no valid YAML: {error}") from error
    if content is not None and not isinstance(content, Mapping):
        raise ConfigError(f"Config file {path} must hold keys and values, got a {type(content).__name__}.")
    return dict(content or {})


def load_config(settings: Mapping[str, Any]) -> StudyConfig:
    """Check settings and fill in the defaults.

    Raises:
        ConfigError: lists every invalid setting in a sentence of its own.
    """
    try:
        return StudyConfig.model_validate(settings)
    except ValidationError as error:
        problems = "\n".join(f"  - {line}" for line in _explain(error))
        raise ConfigError(f"The configuration is not valid:\n{problems}") from error


def typed(value: Any) -> Any:
    """Return settings from the command line with the types that YAML gives them.

    Snakemake leaves what stands within braces or brackets (``--config 'search={seeds: 100}'``) as texts.
    """
    if isinstance(value, Mapping):
        return {key: typed(content) for key, content in value.items()}
    if isinstance(value, list):
        return [typed(content) for content in value]
    try:
        return yaml.safe_load(value) if isinstance(value, str) else value
    except yaml.YAMLError:
        return value


def known_keys(model: type[BaseModel] = StudyConfig, prefix: str = "") -> Iterator[str]:
    """Yield the dotted names of all settings (leaves of the tree), in order."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from known_keys(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


def _explain(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            yield f"unknown key '{key}'; {_suggest(key)}"
        elif problem["type"] == "value_error":
            yield f"{key}: {problem['ctx']['error']}" if key else str(problem["ctx"]["error"])
        else:
            expected = problem["msg"].replace("Input should be", "must be")
            yield f"{key}: {expected[0].lower()}{expected[1:]}, got {problem['input']!r}{_hint(problem['input'])}"


def _hint(value: Any) -> str:
    """Explain YAML 1.1's oddest number: 1e-4 without a dot is a text."""
    try:
        number = float(value) if isinstance(value, str) else None
    except ValueError:
        return ""
    if number is None:
        return ""
    dot = "e" in value.lower() and "." not in value
    return (
        f" (a text; YAML reads {value} as a number only when written with a dot, like 1.0e-4)" if dot else " (a text)"
    )


def _suggest(key: str) -> str:
    leaves = list(known_keys())
    if key in leaves:  # --config search.seeds=4: one dotted name instead of a section and its setting
        section, _, name = key.rpartition(".")
        nested = "{" + name + ": ...}"
        for part in reversed(section.split(".")[1:]):
            nested = "{" + f"{part}: {nested}" + "}"
        return f"a setting stands inside its section, as in '{section.split('.')[0]}={nested}' after --config"
    sections = sorted({leaf.rsplit(".", 1)[0] for leaf in leaves if "." in leaf})
    candidates = leaves + sections
    # the same name under another section first, then spelling
    same_name = [name for name in candidates if name.split(".")[-1] == key.split(".")[-1]]
    close = same_name or difflib.get_close_matches(key, candidates, n=1, cutoff=0.0)
    return f"the nearest valid key is '{close[0]}'"
