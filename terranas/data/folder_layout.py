"""Which files a folder of images a class holds; only names are looked at, and nothing heavy is imported."""

import os
from pathlib import Path

from terranas.core.errors import DataError
from terranas.data.layout import FOLDER_SUFFIXES

HIDDEN = (".", "__")
"""Beginnings of folders that programs leave behind."""


def class_folders(root: Path, classes: int | None = None) -> list[Path]:
    """Return the folders of the classes, sorted by name.

    Args:
        root: the folder that holds them.
        classes: how many there must be.

    Raises:
        DataError: there is no such folder, there are more or fewer of them, or one leads elsewhere.
    """
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        raise DataError(f"the folder {root.absolute()} {what}.")
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(HIDDEN))
    for folder in folders:
        _stays_below(folder, root)
    if not folders or classes not in (None, len(folders)):
        listed = ", ".join(folder.name for folder in folders) or "none"
        raise DataError(
            f"{root.absolute()} has {len(folders)} folders ({listed}); expected one for each of the {classes} classes "
            "by data.images.classes."
        )
    return folders


def image_files(folder: Path, root: Path) -> list[Path]:
    """Return the image files of a class, sorted by name, so that their order does not depend on the disk.

    Raises:
        DataError: there are none, or one leads out of the folder.
    """
    with os.scandir(folder) as entries:
        found = sorted((e.name, e.is_symlink()) for e in entries if e.name.lower().endswith(FOLDER_SUFFIXES))
    names = [(name, link) for name, link in found if not name.startswith(".")]
    if not names:
        raise DataError(
            f"{folder.absolute()} has no images; expected files that end in {', '.join(FOLDER_SUFFIXES)}. Add the "
            "images of this class, or remove the folder and lower data.images.classes."
        )
    for name, link in names:
        if link:
            _stays_below(folder / name, root)
    return [folder / name for name, _ in names]


def _stays_below(path: Path, root: Path) -> None:
    if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
        raise DataError(f"{path.absolute()} is a link that leads out of {root.absolute()}; copy what it points to.")
