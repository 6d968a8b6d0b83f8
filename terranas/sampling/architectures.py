"""The list of architectures to train: a small text file that the workflow reads while it is parsed.

Nothing heavy is imported here, since every snakemake call and every cluster job reads the list.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from terranas import LAYOUT_VERSION
from terranas.core.errors import TableError
from terranas.core.files import atomic_path

_FIRST_LINE = re.compile(r"# terranas architectures; layout: (?P<layout>[0-9]+); key: (?P<key>[0-9a-f]{16})\n")
# hashes become names of files and folders, so nothing but hex digits may pass
_ROW = (
    re.compile(r"[0-9a-f]{32}"),
    re.compile(r"[0-9]*"),
    re.compile(r"[01]{4,49}"),
    re.compile(r"input(,[a-z0-9-]+){0,5},output"),
)


@dataclass(frozen=True)
class Architecture:
    """One architecture to train.

    Attributes:
        hash: MD5 of the cell.
        id: rank of the hash among all 423,624 cells; None when the space is smaller.
        adjacency: all entries of the adjacency matrix, row by row, as digits 0 and 1.
        operations: operations of the vertices, separated by commas.
    """

    hash: str
    id: int | None
    adjacency: str
    operations: str


_HEADER = [field.name for field in fields(Architecture)]


def list_key(*parts: object) -> str:
    """Return 16 hex digits that name the settings a list belongs to.

    Args:
        parts: anything JSON can hold; the order of dictionary keys does not count.
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_architectures(path: str | Path, key: str, architectures: Iterable[Architecture]) -> None:
    """Write a list as CSV below a line with layout version and key, atomically."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# terranas architectures; layout: {LAYOUT_VERSION}; key: {key}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADER)
        writer.writerows(astuple(architecture) for architecture in architectures)


def read_architectures(path: str | Path, key: str) -> list[Architecture] | None:
    """Return the listed architectures, or None when there is no list or it belongs to other settings.

    Raises:
        TableError: the list was written by a terranas with another layout of results, or is damaged.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path} cannot be read as a list of architectures ({error}). {_REMEDY}") from error
    first = _FIRST_LINE.match(text)
    if first is None:
        raise TableError(f"{path} does not begin like a list of architectures. {_REMEDY}")
    if int(first["layout"]) != LAYOUT_VERSION:
        raise TableError(
            f"{path} belongs to results with layout version {first['layout']}; this terranas reads and writes version "
            f"{LAYOUT_VERSION}. Results of the two cannot be mixed: move that results folder away or set another "
            "results_dir, and run again."
        )
    if first["key"] != key:
        return None
    header, *rows = list(csv.reader(text[first.end() :].splitlines())) or [[]]
    if header != _HEADER or not rows:
        raise TableError(
            f"{path} must have the columns {', '.join(_HEADER)} and at least one row, got the columns "
            f"{', '.join(header)} and {len(rows)} rows. {_REMEDY}"
        )
    listed = [_architecture(path, number, row) for number, row in enumerate(rows, start=3)]
    if len({architecture.hash for architecture in listed}) < len(listed):
        raise TableError(f"{path} lists an architecture twice. {_REMEDY}")
    return listed


_REMEDY = "Remove the file and run again; it is made anew."


def _architecture(path: str | Path, line: int, row: list[str]) -> Architecture:
    """Return the architecture of a row after checking its form."""
    if len(row) != len(_ROW) or not all(pattern.fullmatch(text) for pattern, text in zip(_ROW, row, strict=True)):
        raise TableError(f"{path}, line {line}, is no architecture: {','.join(row)[:120]}. {_REMEDY}")
    hash_, id_, adjacency, operations = row
    return Architecture(hash_, int(id_) if id_ else None, adjacency, operations)
