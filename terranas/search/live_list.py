"""Architectures that live searches chose, as the workflow reads them while it is parsed. Nothing heavy is imported.

The list has the form of the list of architectures to train. It only says what the architectures are that somebody may
ask the workflow to train; none of the study's targets needs them.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from terranas import LAYOUT_VERSION
from terranas.sampling.architectures import Architecture, list_key, read_architectures, write_architectures


def live_folder(results: str | Path) -> Path:
    """Return the folder of all live searches of a study.

    Args:
        results: the study's results folder.
    """
    return Path(results) / "search" / "live"


def live_list(results: str | Path) -> Path:
    """Return the file with the architectures that live searches of a study chose."""
    return live_folder(results) / "architectures.csv"


def read_chosen(results: str | Path, space: Mapping[str, Any]) -> dict[str, Architecture]:
    """Return the architectures chosen so far, by hash; none where the list belongs to another space.

    Args:
        results: the study's results folder.
        space: settings of the section ``space``.

    Raises:
        TableError: the file is damaged, or of another layout of results.
    """
    listed = read_architectures(live_list(results), _key(space)) or []
    return {architecture.hash: architecture for architecture in listed}


def add_chosen(results: str | Path, space: Mapping[str, Any], architectures: Iterable[Architecture]) -> None:
    """Add architectures to the list, atomically; earlier ones stay, since their jobs may still wait in a queue.

    Raises:
        TableError: as for :func:`read_chosen`.
    """
    before = read_chosen(results, space)
    chosen = before | {architecture.hash: architecture for architecture in architectures}
    if chosen != before:
        write_architectures(live_list(results), _key(space), [chosen[name] for name in sorted(chosen)])


def _key(space: Mapping[str, Any]) -> str:
    return list_key(LAYOUT_VERSION, "live", dict(space))
