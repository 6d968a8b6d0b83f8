"""What Snakemake noted of the job that made a file, and what running the job took.

Snakemake keeps one JSON file an output below ``.snakemake/metadata`` (its default file backend), and writes what a job
took to the tab-separated file that its rule names under ``benchmark``. Both are files on a disk that anyone may have
edited: what has another form than expected counts as missing.
"""

import csv
import json
import math
import os
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LARGEST_RECORD = 64 * 1024 * 1024
"""Bytes of a record that is still read; one that names 100,000 inputs takes about 10 million."""


@dataclass(frozen=True)
class Record:
    """What Snakemake noted of the job that made an output.

    Attributes:
        rule: name of the rule.
        inputs: paths of the files it read.
        params: its parameters as Python expressions; Snakemake drops their names.
        code: what stands under ``script`` or ``shell`` of the rule.
        logs: paths of its log files.
        checksums: SHA-256 of the small inputs (by default those under 1 MB) when it ran, by path.
        started: seconds since 1970, None where it is not known.
        ended: the same, of the job's end.
        incomplete: whether the job was under way when Snakemake last heard of it.
    """

    rule: str
    inputs: tuple[str, ...]
    params: tuple[str, ...]
    code: str
    logs: tuple[str, ...]
    checksums: Mapping[str, str]
    started: float | None
    ended: float | None
    incomplete: bool


@dataclass(frozen=True)
class Resources:
    """What running a job took.

    Attributes:
        wall_seconds: from start to end.
        cpu_seconds: of all its processes together; None where the job ended before it was looked at.
        memory_mb: most resident memory of all its processes together, in MB (2^20 bytes); None likewise.
    """

    wall_seconds: float
    cpu_seconds: float | None
    memory_mb: float | None


def record_path(metadata: Path, output: str) -> Path:
    """Return where Snakemake keeps the record of an output; the path is coded and cut at the longest file name.

    Args:
        metadata: the folder ``.snakemake/metadata``.
        output: the output's path as the rules spell it.
    """
    try:
        longest = os.pathconf(metadata, "PC_NAME_MAX") or 255
    except (OSError, ValueError):
        longest = 255
    name = urlsafe_b64encode(output.encode()).decode()
    pieces = [name[start : start + longest - 1] for start in range(0, len(name), longest - 1)]
    return metadata.joinpath(*(f"@{piece}" for piece in pieces[:-1]), pieces[-1])


def read_record(metadata: Path, output: str) -> Record | None:
    """Return what Snakemake noted of the job that made an output; None where there is nothing that can be read.

    Args:
        metadata: the folder ``.snakemake/metadata``.
        output: the output's path as the rules spell it.
    """
    return _read(record_path(metadata, output)) if output else None


def records(metadata: Path) -> Iterator[Record]:
    """Yield all records that can be read.

    Args:
        metadata: the folder ``.snakemake/metadata``.
    """
    for path in sorted(path for path in metadata.rglob("*") if path.is_file()):
        record = _read(path)
        if record is not None:
            yield record


def read_resources(path: Path) -> Resources | None:
    """Return what a job took, from its benchmark file; None where there is nothing that can be read.

    A job that was repeated has several rows, of which the last is told.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            row = list(csv.DictReader(file, delimiter="\t"))[-1]
    except (OSError, ValueError, csv.Error, IndexError):
        return None
    wall = _number(row.get("s"))
    if wall is None:
        return None
    return Resources(wall, _number(row.get("cpu_time")), _number(row.get("max_rss")))


def _read(path: Path) -> Record | None:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_RECORD:
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or not isinstance(content.get("rule"), str) or not content["rule"]:
        return None
    sums = content.get("input_checksums")
    return Record(
        rule=_writable(content["rule"]),
        inputs=_texts(content.get("input")),
        params=_texts(content.get("params")),
        code=_writable(code) if isinstance(code := content.get("code"), str) else "",
        logs=_texts(content.get("log")),
        checksums=_checksums(sums) if isinstance(sums, dict) else {},
        started=_number(content.get("starttime")),
        ended=_number(content.get("endtime")),
        incomplete=content.get("incomplete") is True,
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_writable(text) for text in value if isinstance(text, str)) if isinstance(value, list) else ()


def _writable(text: str) -> str:
    """Return a text that UTF-8 can hold: JSON can name halves of characters, which no file can."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _checksums(content: Mapping[Any, Any]) -> dict[str, str]:
    """Return SHA-256 sums by path; Snakemake writes ``sha256:`` before the digits."""
    named = {path: text.removeprefix("sha256:") for path, text in content.items() if isinstance(text, str)}
    return {path: text for path, text in named.items() if len(text) == 64 and set(text) <= set("0123456789abcdef")}


def _number(value: Any) -> float | None:
    """Return a finite number that is not negative, also from its text; None for anything else (``NA``, ``-``)."""
    try:
        number = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None
