"""The reader that belongs to a configured source."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from terranas.config.inputs import ImagesConfig
from terranas.core.digests import digest_of
from terranas.data.folder import FolderReader
from terranas.data.layout import SO2SAT_FILES
from terranas.data.npz import NpzReader
from terranas.data.own import OwnReader
from terranas.data.reader import Reader
from terranas.data.so2sat import So2SatReader


def open_source(settings: Mapping[str, Any], path: str | Path) -> Reader:
    """Open the images that a study reads.

    Args:
        settings: keys of the section ``data`` that belong to the source, and ``seed``.
        path: file or folder.

    Raises:
        DataError: the images are not in the layout of the source.
    """
    source, seed = settings["source"], settings["seed"]
    if source in ("synthetic", "so2sat"):
        files = {split: Path(path) / name for split, name in SO2SAT_FILES.items()}
        if settings["split"] == "official":
            return So2SatReader(files, settings["sensors"])
        del files["validation"]
        return So2SatReader(files, settings["sensors"], random_seed=seed)
    images = ImagesConfig.model_validate(settings["images"])
    if source == "own":
        return OwnReader(settings["reader"], path, images, seed)
    return FolderReader(path, images, seed) if source == "folder" else NpzReader(path, images, seed)


def source_key(settings: Mapping[str, Any], version: str, paths: Iterable[str | Path]) -> str:
    """Return a digest that changes with the settings, the version of the numbers and the files of a source."""
    return digest_of([settings, version, files_state(paths)])


def files_state(paths: Iterable[str | Path]) -> list[tuple[str, int, int]]:
    """Return name, size and time (ns) of every file at or below some paths, by which a change is seen cheaply."""
    found = []
    for path in map(Path, paths):
        files = [path] if path.is_file() else [Path(top) / name for top, _, names in os.walk(path) for name in names]
        for file in files:
            facts = file.stat() if file.exists() else file.lstat()
            found.append((str(file), facts.st_size, facts.st_mtime_ns))
    return sorted(found)
