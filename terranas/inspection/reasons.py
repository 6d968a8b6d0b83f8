"""Why Snakemake would run a job, as facts: which files, which settings and their old and new values, or the code."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from terranas.config.load import known_keys
from terranas.config.study import StudyConfig
from terranas.core.formats import counted, listed, shortened
from terranas.core.records import read_record
from terranas.inspection.workflow import Job

Kind = Literal[
    "missing_output",
    "incomplete_output",
    "updated_input",
    "upstream",
    "inputs",
    "setting",
    "code",
    "forced",
    "removed",
    "other",
]

# how snakemake.jobs.Reason spells each cause; it joins them by "; ", which file names may hold too
_SAID: dict[str, Kind] = {
    "Missing output files: ": "missing_output",
    "Incomplete output files: ": "incomplete_output",
    "Updated input files: ": "updated_input",
    "Input files updated by another job: ": "upstream",
    "Set of input files has changed since last execution": "inputs",
    "Code has changed since last execution": "code",
    "Params have changed since last execution: ": "setting",
    "Software environment definition has changed since last execution": "other",
    "Forced execution": "forced",
}
_STARTS = re.compile("(?:^|; )(" + "|".join(re.escape(text) for text in _SAID) + ")")
_PARAMS = re.compile(r"before: (?P<before>.*?) now: (?P<now>.*)$", re.DOTALL)
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_NOTHING = "<nothing exclusive>"
_ABSENT: Any = object()
_SHOWN_FILES = 3
_SHOWN_LETTERS = 60


@dataclass(frozen=True)
class Cause:
    """One cause of a rerun.

    Attributes:
        kind: what sort of cause.
        files: the files it is about.
        name: of a setting its dotted name, or what is known of it; of changed inputs ``added`` or ``removed``.
        old: the value that the file was made with; None where there was none.
        new: the value now; None where there is none.
    """

    kind: Kind
    files: tuple[str, ...] = ()
    name: str = ""
    old: Any = None
    new: Any = None

    def __str__(self) -> str:
        files = _shown(self.files)
        match self.kind:
            case "missing_output":
                return f"does not exist: {files}"
            case "incomplete_output":
                return f"was interrupted while it wrote {files}"
            case "updated_input":
                return f"input is newer: {files}"
            case "upstream":
                return f"input is made again: {files}"
            case "inputs":
                words = {"added": "further inputs", "removed": "no longer an input"}
                return f"{words[self.name]}: {files}" if self.name else "reads other files than before"
            case "setting":
                return f"params: {self.name} {_value(self.old)} -> {_value(self.new)}"
            case "code":
                return "code: the script, or what it imports, was changed"
            case "removed":
                return f"was removed, and nothing that is left to do needs it: {files}"
            case "forced":
                return "is always run"
            case "other":
                return self.name

    def facts(self) -> dict[str, Any]:
        """Return the cause as plain values; only a setting has ``setting``, ``old`` and ``new``."""
        found: dict[str, Any] = {"kind": self.kind, "text": str(self), "files": list(self.files)}
        if self.kind == "setting":
            found |= {"setting": self.name, "old": self.old, "new": self.new}
        return found


def causes_of(job: Job, metadata: Path, config: StudyConfig) -> list[Cause]:
    """Return why a job would run.

    Args:
        job: a job of a dry run.
        metadata: Snakemake's folder of records, ``.snakemake/metadata``.
        config: the configuration now, by which settings are named.
    """
    starts = list(_STARTS.finditer(job.reason))
    ends = [*(match.start() for match in starts[1:]), len(job.reason)][: len(starts)]
    found: list[Cause] = []
    for match, end in zip(starts, ends, strict=True):
        kind, rest = _SAID[match[1]], job.reason[match.end() : end]
        if kind == "setting":
            found += _settings(rest, config)
        elif kind == "inputs":
            found += _inputs(job, metadata)
        elif kind == "other":
            found.append(Cause("other", name=match[1].strip()))
        else:
            # the files' own names tell where one ends, whatever they hold
            known = job.outputs if kind in ("missing_output", "incomplete_output") else job.inputs
            found.append(Cause(kind, _named(rest, known)))
    return found or [Cause("other", name=job.reason or "Snakemake gives no reason")]


def _named(text: str, known: Sequence[str]) -> tuple[str, ...]:
    said = set(text.split(", "))
    # an interrupted or stored file is followed by a flag in brackets
    return tuple(name for name in known if name in said) or tuple(sorted(filter(None, said)))


def _inputs(job: Job, metadata: Path) -> Iterator[Cause]:
    records = [record for output in job.outputs if (record := read_record(metadata, output)) is not None]
    if not records:
        yield Cause("inputs")
        return
    before = {name for record in records for name in record.inputs}
    added, removed = set(job.inputs) - before, before - set(job.inputs)
    if added:
        yield Cause("inputs", tuple(sorted(added)), "added")
    if removed:
        yield Cause("inputs", tuple(sorted(removed)), "removed")


def _settings(text: str, config: StudyConfig) -> list[Cause]:
    match = _PARAMS.search(text.strip())
    before = _literals(match["before"]) if match else None
    now = _literals(match["now"]) if match else None
    if before is None or now is None:
        return [Cause("other", name=f"params: {text.strip()[:300]}")]
    found: list[Cause] = []
    left = list(before)
    for value in now:
        partner = _partner(value, left)
        if partner is not _ABSENT:
            left.remove(partner)
        found += _changes(partner, value, config)
    for value in left:
        found += _changes(value, _ABSENT, config)
    # Snakemake keeps params in sets, which have no order
    return sorted({str(cause): cause for cause in found}.values(), key=lambda cause: (cause.kind == "code", str(cause)))


def _literals(text: str) -> list[Any] | None:
    """Return the values of Python expressions that commas part; None where they are no plain values."""
    if text.strip() == _NOTHING:
        return []
    try:
        return list(ast.literal_eval(f"[{text.strip()}]"))
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _partner(value: Any, candidates: Sequence[Any]) -> Any:
    """Return the old value that a new one took the place of: the alike, since Snakemake drops the names of params."""
    alike = [old for old in candidates if type(old) is type(value) and _is_code(old) == _is_code(value)]
    if isinstance(value, Mapping):
        shared = [(len(set(old) & set(value)), -place) for place, old in enumerate(alike)]
        best = max(shared, default=(0, 0))
        return alike[-best[1]] if best[0] else _ABSENT
    return alike[0] if alike else _ABSENT


def _is_code(value: Any) -> bool:
    """Return whether a param is a fingerprint of code, or a list of them."""
    if isinstance(value, list):
        return bool(value) and all(map(_is_code, value))
    return isinstance(value, str) and _FINGERPRINT.fullmatch(value) is not None


def _changes(old: Any, new: Any, config: StudyConfig) -> Iterator[Cause]:
    if _is_code(old) or _is_code(new):
        yield Cause("code")
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for path, before, after in _differences(old, new, ()):
            yield _named_setting(path, before, after, config)
    else:
        yield _named_setting((), old, new, config)


def _differences(
    old: Mapping[Any, Any], new: Mapping[Any, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    for key in dict.fromkeys((*new, *old)):
        before, after = old.get(key, _ABSENT), new.get(key, _ABSENT)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _differences(before, after, (*path, str(key)))
        elif before is _ABSENT or after is _ABSENT or before != after:
            yield (*path, str(key)), before, after


def _named_setting(path: tuple[str, ...], old: Any, new: Any, config: StudyConfig) -> Cause:
    """Return the change of a setting; it has its full name where only one setting has that ending and that value."""
    ending = ".".join(path)
    keys = [key for key in known_keys() if not path or key == ending or key.endswith(f".{ending}")]
    values = config.model_dump(mode="json")
    alike = [key for key in keys if _setting(values, key) == new and type(_setting(values, key)) is type(new)]
    chosen = alike if new is not _ABSENT else keys
    name = chosen[0] if len(chosen) == 1 else ending or "a value"
    return Cause("setting", (), name, *(None if value is _ABSENT else value for value in (old, new)))


def _setting(values: Mapping[str, Any], key: str) -> Any:
    found: Any = values
    for part in key.split("."):
        found = found[part]
    return found


def _shown(files: Sequence[str]) -> str:
    if len(files) <= _SHOWN_FILES:
        return listed(files) if files else "some file"
    return f"{', '.join(files[:_SHOWN_FILES])} and {counted(len(files) - _SHOWN_FILES, 'more file')}"


def _value(value: Any) -> str:
    return shortened("(none)" if value is None else str(value), _SHOWN_LETTERS)
