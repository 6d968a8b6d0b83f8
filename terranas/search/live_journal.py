"""The journal of a live search: every evaluation in its order, and the settings that they belong to.

The journal is all the state that a live search has. A search is deterministic, so that feeding it the journal's values
brings it back to where it stopped. The file is text, one JSON object a line, and is written whole or not at all.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from terranas.core.errors import DataError
from terranas.core.files import write_text

FORMAT = "terranas live search"
VERSION = 1
SHOWN = 5  # differences that a message names


class JournalError(DataError):
    """A journal is damaged, or belongs to another search."""


@dataclass(frozen=True)
class Evaluation:
    """One architecture that a live search evaluated.

    Attributes:
        round: call of the workflow that it belongs to, from 1.
        architecture: its name.
        outcome: how its training ended; ``ok``, or why there is no full result.
        values: its objectives in their own directions, m; not finite where it has none.
    """

    round: int
    architecture: str
    outcome: str
    values: tuple[float, ...]


class LiveJournal:
    """The evaluations of one live search.

    Attributes:
        path: its file.
        evaluations: in the order in which the search asked for them.
    """

    def __init__(
        self,
        path: Path,
        settings: Mapping[str, Any],
        objectives: Sequence[str],
        evaluations: Sequence[Evaluation] = (),
    ) -> None:
        """Describe a journal; :meth:`open` reads the one that is there."""
        self.path = path
        self.evaluations = list(evaluations)
        self._settings = dict(settings)
        self._objectives = list(objectives)

    @classmethod
    def open(cls, path: str | Path, settings: Mapping[str, Any], objectives: Sequence[str]) -> Self:
        """Return the journal in a file; an empty one where there is no file.

        Args:
            path: the journal.
            settings: plain values of all that decides what the search does and what it is told.
            objectives: names of the m objectives.

        Raises:
            JournalError: the file is damaged, or belongs to a search with other settings.
        """
        path = Path(path)
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return cls(path, settings, objectives)
        except (OSError, UnicodeDecodeError) as error:
            raise JournalError(f"{path} cannot be read as a journal of a live search ({error}). {_REMEDY}") from error
        contents = [_object(path, number, line) for number, line in enumerate(lines, start=1)]
        _require_same(path, contents[0] if contents else {}, settings, objectives)
        evaluations = [_evaluation(path, number, row, objectives) for number, row in enumerate(contents[1:], start=2)]
        if len({evaluation.architecture for evaluation in evaluations}) < len(evaluations):
            raise JournalError(f"{path} holds an architecture twice. {_REMEDY}")
        return cls(path, settings, objectives, evaluations)

    @property
    def rounds(self) -> int:
        """Number of the last round."""
        return self.evaluations[-1].round if self.evaluations else 0

    def add(self, evaluations: Sequence[Evaluation]) -> None:
        """Append the evaluations of a round, atomically."""
        rows = [*self.evaluations, *evaluations]
        head = {"format": FORMAT, "version": VERSION, "objectives": self._objectives, "settings": self._settings}
        text = "".join(f"{json.dumps(row, allow_nan=False)}\n" for row in [head, *map(self._row, rows)])
        write_text(self.path, text)
        self.evaluations = rows

    def _row(self, evaluation: Evaluation) -> dict[str, Any]:
        values = {
            name: value if math.isfinite(value) else None
            for name, value in zip(self._objectives, evaluation.values, strict=True)
        }
        about = {"round": evaluation.round, "architecture": evaluation.architecture, "outcome": evaluation.outcome}
        return {**about, "values": values}


_REMEDY = (
    "Remove the file and search again: what is trained is not trained again, and the search comes to the same place."
)


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except ValueError as error:
        raise JournalError(f"{path}, line {number}, is no JSON ({error}). {_REMEDY}") from error
    if not isinstance(content, dict):
        raise JournalError(f"{path}, line {number}, is no JSON object. {_REMEDY}")
    return content


def _require_same(path: Path, head: Mapping[str, Any], settings: Mapping[str, Any], objectives: Sequence[str]) -> None:
    """Raise where a journal belongs to another search than the one with these settings."""
    if head.get("format") != FORMAT or not isinstance(head.get("settings"), dict):
        raise JournalError(f"{path} does not begin like the journal of a live search. {_REMEDY}")
    if head.get("version") != VERSION:
        raise JournalError(
            f"{path} is a journal of version {head.get('version')}; this terranas reads and writes version {VERSION}. "
            f"{_REMEDY}"
        )
    there = dict(_leaves({"objectives": head.get("objectives"), **head["settings"]}))
    # what was written as JSON is compared with what would be
    here = dict(_leaves(json.loads(json.dumps({"objectives": list(objectives), **settings}))))
    different = [name for name in sorted(there.keys() | here.keys()) if there.get(name) != here.get(name)]
    if different:
        shown = "; ".join(f"{name} was {there.get(name)} and is {here.get(name)}" for name in different[:SHOWN])
        more = f"; and {len(different) - SHOWN} more" if len(different) > SHOWN else ""
        raise JournalError(
            f"The journal {path} belongs to a search with other settings: {shown}{more}. Set them back to go on with "
            "it, or move the journal away to search anew."
        )


def _leaves(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the value of every setting."""
    for name, value in content.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _evaluation(path: Path, number: int, row: Mapping[str, Any], objectives: Sequence[str]) -> Evaluation:
    values = row.get("values")
    sound = isinstance(row.get("round"), int) and row["round"] >= 1
    sound = sound and all(isinstance(row.get(name), str) for name in ("architecture", "outcome"))
    sound = sound and isinstance(values, dict) and list(values) == list(objectives)
    if not sound or not isinstance(values, dict) or not all(map(_is_value, values.values())):
        raise JournalError(f"{path}, line {number}, is no evaluation of {', '.join(objectives)}. {_REMEDY}")
    numbers = tuple(math.nan if value is None else float(value) for value in values.values())
    return Evaluation(row["round"], row["architecture"], row["outcome"], numbers)


def _is_value(value: object) -> bool:
    return value is None or (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(float(value))
    )
