"""Copying the arrays to fast storage of the node, once a node, however many trainings start there together.

The copy lies in ``<place>/terranas-<user number>/<digest of the manifest>``. Places such as /dev/shm are open to all
users of a machine, so the folder must be this user's own and closed to others, or it is not used.

Two locks on a file beside the copy keep order; the system lets go of them when a process ends, however it ends. Whoever
copies or removes holds it alone, whoever reads holds it together with others. A copy is made under another name,
compared with the manifest's checksums on the way, and renamed when it is complete: what a killed process left is
never taken for one. A copy that is found is compared by the sizes of its files only, since nobody else can write there.
"""

import fcntl
import hashlib
import logging
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from terranas.core.digests import digest_of
from terranas.core.errors import DataError, EnvironmentLackError
from terranas.core.files import read_json, write_json
from terranas.core.logs import format_duration, progress
from terranas.data.layout import SPLITS

logger = logging.getLogger(__name__)

AUTO_PLACES = ("$SLURM_TMPDIR", "$TMPDIR", "/dev/shm")
"""Where ``auto`` looks for room, in this order."""

PIECE = 1 << 22
SPARE_BYTES = 100_000_000
PATIENCE = 100
"""Times that an incomplete copy may be found in use, some hundredths of a second apart, before it is given up."""

LIST = "complete.json"
_DIGEST = re.compile(r"[0-9a-f]{16}")
_NAMES = tuple(f"{split}_{part}" for split in SPLITS for part in ("images", "labels"))


class _UnfitError(Exception):
    """A place cannot be used; the message says why."""


@contextmanager
def staged(
    arrays: Mapping[str, str], manifest: Mapping[str, Any], place: str | None, cleanup: bool
) -> Iterator[dict[str, str]]:
    """Yield the paths to read the arrays from: copies on the node's fast storage, or the given ones.

    A place that cannot be used (no room, no permission, missing) is no error: the log says why, and the given paths are
    used.

    Args:
        arrays: path of each array, keyed ``<split>_images`` and ``<split>_labels``.
        manifest: the manifest of the prepared data.
        place: setting ``campaign.staging``: a folder, whose environment variables are expanded; ``auto``; None: none.
        cleanup: whether to remove the copy when the block ends and nobody else uses it.

    Raises:
        EnvironmentLackError: an environment variable of the place is not set.
        DataError: an array changed since it was prepared.
    """
    for path in _places(place):
        try:
            lock = _enter(path, arrays, manifest)
        except (_UnfitError, OSError) as error:
            logger.warning("%s is not used for staging: %s", path, error)
            continue
        copy = path / _own_name() / digest_of(manifest)[:16]
        try:
            yield {name: str(copy / f"{name}.npy") for name in arrays}
        finally:
            if cleanup:
                _remove_unused(copy, lock)
            os.close(lock)
        return
    if place is not None:
        logger.warning("No place for staging; the arrays are read from %s", Path(arrays["train_images"]).parent)
    yield dict(arrays)


def clean(place: str) -> int:
    """Remove all copies of this user below a place (or all places of ``auto``) that nobody uses.

    Returns:
        Bytes that became free.

    Raises:
        EnvironmentLackError: an environment variable of the place is not set.
    """
    freed = 0
    for path in _places(place):
        own = path / _own_name()
        try:
            _check_own(own)
        except (_UnfitError, OSError):
            continue  # nothing of ours
        names = {entry.name.partition(".")[0] for entry in own.iterdir()}
        for name in sorted(filter(_DIGEST.fullmatch, names)):
            lock = _open_lock(own / name)
            freed += _remove_unused(own / name, lock)
            os.close(lock)
        with suppress(OSError):  # others use it
            own.rmdir()
    return freed


def expanded(place: str) -> Path:
    """Return a place with its environment variables (``$NAME``, ``${NAME}``) expanded.

    Raises:
        EnvironmentLackError: one is not set.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1) or match.group(2)
        if not os.environ.get(name):
            raise EnvironmentLackError(
                f"campaign.staging is {place}, but the environment variable {name} is not set here. Set it, name "
                "another folder, or let campaign.staging be auto or null."
            )
        return os.environ[name]

    return Path(re.sub(r"\$(?:(\w+)|\{(\w+)\})", value, place)).absolute()


def _places(place: str | None) -> list[Path]:
    if place is None:
        return []
    if place != "auto":
        return [expanded(place)]
    found = [expanded(name) for name in AUTO_PLACES if not name.startswith("$") or os.environ.get(name[1:])]
    return list(dict.fromkeys(path for path in found if path.is_dir()))


def _own_name() -> str:
    return f"terranas-{os.getuid()}"


def _enter(place: Path, arrays: Mapping[str, str], manifest: Mapping[str, Any]) -> int:
    """Make sure that the copy is there and return the lock that keeps it, shared with other readers."""
    own = place / _own_name()
    if not place.is_dir():
        raise _UnfitError("there is no such folder")
    with suppress(FileExistsError):
        own.mkdir(mode=0o700)
    _check_own(own)
    copy = own / digest_of(manifest)[:16]
    waited = found_broken = 0
    while True:
        lock = _open_lock(copy)
        try:
            # a complete copy may be in use for days, so whoever finds one does not ask to be alone
            waited += _wait_shared(lock, copy)
            if _is_current(lock, copy) and _is_complete(copy):
                logger.info("The arrays are staged in %s%s", copy, " already" if not waited else "")
                return lock
            if _is_alone(lock) and _is_current(lock, copy) and not _is_complete(copy):
                _copy(copy, arrays, manifest)
                waited = 1
            else:
                found_broken += 1
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)
        if found_broken > PATIENCE:
            raise _UnfitError(f"{copy} is not complete any more and still in use")
        # others that just looked, too, are gone the next time, unless all of them come at the same pace
        time.sleep(0.02 + os.getpid() % 50 / 1000)


def _check_own(own: Path) -> None:
    """Refuse a folder that somebody else could have made or could change."""
    facts = own.lstat()
    if not stat.S_ISDIR(facts.st_mode):
        raise _UnfitError(f"{own} is no folder (links are not followed)")
    if facts.st_uid != os.getuid():
        raise _UnfitError(f"{own} belongs to user {facts.st_uid}, not to you ({os.getuid()})")
    if facts.st_mode & 0o077:
        raise _UnfitError(f"{own} is open to other users (mode {stat.S_IMODE(facts.st_mode):o}, expected 700)")
    around = own.parent.stat()
    if around.st_mode & 0o022 and not around.st_mode & stat.S_ISVTX:
        raise _UnfitError(f"others can rename what is in {own.parent} (mode {stat.S_IMODE(around.st_mode):o})")


def _open_lock(copy: Path) -> int:
    path = copy.with_suffix(".lock")
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _wait_shared(lock: int, copy: Path) -> bool:
    """Take the lock together with other readers; return whether there was somebody to wait for."""
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        logger.info("Another process copies the arrays to %s; waiting for it", copy)
        fcntl.flock(lock, fcntl.LOCK_SH)
        return True
    return False


def _is_alone(lock: int) -> bool:
    """Take the lock alone, if nobody else has it; else nothing is held any more."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_current(lock: int, copy: Path) -> bool:
    """Return whether the lock file was not removed since it was opened."""
    try:
        return os.path.samestat(os.fstat(lock), copy.with_suffix(".lock").lstat())
    except FileNotFoundError:
        return False


def _is_complete(copy: Path) -> bool:
    try:
        sizes = read_json(copy / LIST)
        return all(sizes[name] == (copy / f"{name}.npy").stat().st_size for name in _NAMES)
    except (OSError, DataError, KeyError, TypeError):
        return False


def _copy(copy: Path, arrays: Mapping[str, str], manifest: Mapping[str, Any]) -> None:
    """Copy all arrays, compare them with the manifest and give the copy its name."""
    growing = copy.with_suffix(".growing")
    for left in (copy, growing):
        if left.exists():
            logger.info("%s is not complete (its process was killed); it is copied again", left)
            shutil.rmtree(left)
    sizes = {name: Path(arrays[name]).stat().st_size for name in _NAMES}
    total = sum(sizes.values())
    free = _free_bytes(copy.parent)
    if free < total + SPARE_BYTES:
        raise _UnfitError(f"{(total + SPARE_BYTES) / 1e9:.2f} GB are needed, {free / 1e9:.2f} GB are free")
    start = time.monotonic()
    growing.mkdir(mode=0o700)
    try:
        for name in _NAMES:
            split, _, part = name.rpartition("_")
            digest = _copy_file(Path(arrays[name]), growing / f"{name}.npy", sizes[name])
            expected = manifest["splits"][split][f"sha256_{part}"]
            if digest != expected:
                raise DataError(
                    f"{arrays[name]} changed since it was prepared: its SHA-256 is {digest}, the manifest says "
                    f"{expected}. Remove it and run again."
                )
        write_json(growing / LIST, sizes)
        growing.rename(copy)
    except BaseException:
        shutil.rmtree(growing, ignore_errors=True)
        raise
    logger.info("Staged %.2f GB in %s", total / 1e9, format_duration(time.monotonic() - start))


def _copy_file(source: Path, target: Path, size: int) -> str:
    """Copy a file and return the SHA-256 of what was written."""
    digest = hashlib.sha256()
    with source.open("rb") as reading, target.open("xb") as writing:
        pieces = iter(lambda: reading.read(PIECE), b"")
        for piece in progress(pieces, -(-size // PIECE), f"staging {target.stem}, pieces of 4 MiB", logger):
            digest.update(piece)
            writing.write(piece)
        writing.flush()
        os.fsync(writing.fileno())
    target.chmod(0o400)
    return digest.hexdigest()


def _free_bytes(folder: Path) -> int:
    """Return the room in a folder; /dev/shm promises half of the memory, whether or not it is in use."""
    free = shutil.disk_usage(folder).free
    in_memory = folder.resolve().is_relative_to("/dev/shm")
    return min(free, psutil.virtual_memory().available) if in_memory else free


def _remove_unused(copy: Path, lock: int) -> int:
    """Remove a copy, and what a killed process left of one, unless somebody uses it; return the bytes freed."""
    if not (_is_alone(lock) and _is_current(lock, copy)):
        return 0
    freed = 0
    for folder in (copy, copy.with_suffix(".growing")):
        if folder.is_dir():
            freed += sum(file.stat().st_size for file in folder.iterdir())
            shutil.rmtree(folder)
    copy.with_suffix(".lock").unlink()
    if freed:
        logger.info("Removed the staged arrays in %s (%.2f GB)", copy, freed / 1e9)
    return freed
