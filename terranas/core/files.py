"""Writing files whole or not at all, and reading small ones."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from terranas.core.errors import DataError, EnvironmentLackError


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` when the block ends without an error.

    The temporary file carries the suffix of the final one, since some writers choose the format by it. On an error it
    is removed and a file that was at ``path`` before stays as it was. The data are flushed to disk before the rename,
    so that a crash of the machine leaves either the old or the new content.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{final.stem}.", suffix=final.suffix, dir=final.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; put it in the place of ``path`` when the block ends without an error.

    On an error it is removed and a folder that was at ``path`` before stays as it was. A folder cannot take the name of
    one that is not empty in one step: where a machine crashes between the two renames, ``path`` is missing, but never
    half written.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{final.name}.", dir=final.parent) as place:
        made, old = Path(place) / "made", Path(place) / "old"
        made.mkdir()
        yield made
        if final.exists():
            final.rename(old)
        try:
            made.rename(final)
        except OSError:
            if old.exists():
                old.rename(final)
            raise


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: Any) -> None:
    """Write ``content`` as indented JSON with sorted keys, atomically; NaN and infinity are refused."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        DataError: the file is no valid JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is no valid JSON file ({error}). Remove it and run again.") from error


def sha256_file(path: str | Path) -> str:
    """Return the SHA-256 of a file as hex digits, reading it in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def require_free_space(folder: str | Path, needed_bytes: int) -> None:
    """Raise when the file system that holds ``folder`` has less than ``needed_bytes`` free.

    Raises:
        EnvironmentLackError: there is too little space; the message gives both sizes.
    """
    existing = Path(folder).absolute()
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if free < needed_bytes:
        raise EnvironmentLackError(
            f"Not enough disk space below {folder}: {needed_bytes / 1e9:.2f} GB are needed, {free / 1e9:.2f} GB are "
            "free. Free some space, or set the folder (results_dir, download.folder) to another disk."
        )
