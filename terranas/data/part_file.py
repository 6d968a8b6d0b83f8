"""The bytes received so far of a file, what they are a part of, and who is receiving them.

Beside ``<file>.part``, ``<file>.part.json`` keeps the address, the server's mark of the content and its size;
``<file>.lock`` is there while a process fetches or checks the file.
"""

import errno
import fcntl
import logging
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from terranas.core.errors import DataError, TerranasError
from terranas.core.files import read_json, write_json

logger = logging.getLogger(__name__)

# errors of file systems that have no locks, or no second name for a file
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


class HeldError(TerranasError):
    """Another process is fetching or checking the same file."""


@dataclass(frozen=True)
class PartState:
    """What a part file is a part of.

    Attributes:
        address: where the bytes come from.
        mark: strong ETag or Last-Modified of the content; empty where the server gives neither.
        total: size of the whole in bytes, or None where the server does not tell.
    """

    address: str
    mark: str
    total: int | None


class PartFile:
    """The bytes received so far of a file, and what they are a part of.

    All but :meth:`held` is for the process that holds the file.
    """

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self._target = target
        self._state_path = target.with_name(f"{target.name}.part.json")
        self._lock_path = target.with_name(f"{target.name}.lock")

    @property
    def size(self) -> int:
        """Bytes received so far."""
        return self.path.lstat().st_size if self.path.exists() else 0

    @property
    def state(self) -> PartState | None:
        """What the bytes are a part of; None where there are none or nothing is known of them."""
        try:
            return PartState(**read_json(self._state_path)) if self.size else None
        except (FileNotFoundError, DataError, TypeError):
            return None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the file for this process, so that no two write it; the lock ends with the process, however it ends.

        A second process is refused rather than made to wait: the first may take hours, and a job that waits for it
        looks as if it hung.

        Raises:
            HeldError: another process holds it; the message says which.
            DataError: something else has the name of the lock, the part or its state.
        """
        lock = self._locked()
        try:
            self._require_own_files()
            yield
        finally:
            # the name goes before the lock does: whoever locks a file without a name tries again (_locked)
            self._lock_path.unlink(missing_ok=True)
            os.close(lock)

    def begin(self, state: PartState) -> None:
        """Start anew. The old bytes go first: no bytes may ever stand beside the mark of other ones."""
        self.path.unlink(missing_ok=True)
        self.append().close()
        write_json(self._state_path, asdict(state))

    def append(self) -> BinaryIO:
        """Open the bytes for further ones; a link in their place is not followed."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.fdopen(os.open(self.path, flags, 0o666), "ab")

    def become_target(self) -> bool:
        """Give the bytes the name of the file unless something has it by now; return whether they got it."""
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())
        try:
            # unlike a rename, a second name never takes the place of a file
            os.link(self.path, self._target, follow_symlinks=False)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if os.path.lexists(self._target):
                return False
            self.path.rename(self._target)
        self.discard()
        return True

    def discard(self) -> None:
        """Remove bytes and state, the bytes first."""
        self.path.unlink(missing_ok=True)
        self._state_path.unlink(missing_ok=True)

    def _locked(self) -> int:
        """Return the descriptor of the locked lock file, which says who holds it."""
        while True:
            lock = self._opened_lock()
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                holder = os.pread(lock, 200, 0).decode("utf-8", "replace").strip()
                os.close(lock)
                raise HeldError(
                    f"{self._target} is being fetched or checked by {holder or 'another process'}. Two at once would "
                    f"spoil each other's bytes, so wait until that one is through and run again; if it hangs, end it."
                ) from error
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    os.close(lock)
                    raise
                logger.warning(
                    "%s: this file system has no locks, so nothing keeps a second call from fetching it too",
                    self._target,
                )
            # the one before may have removed the name since it was opened
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock), self._lock_path.lstat()):
                    break
            os.close(lock)
        os.ftruncate(lock, 0)
        holder = f"process {os.getpid()} on {socket.gethostname()} since {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        os.pwrite(lock, holder.encode(), 0)
        return lock

    def _opened_lock(self) -> int:
        try:
            return os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EISDIR):
                raise _no_file(self._lock_path, "lock") from error
            raise

    def _require_own_files(self) -> None:
        """Refuse what a download would write into or remove although it did not make it."""
        for path, what in ((self.path, "part"), (self._state_path, "state")):
            try:
                facts = path.lstat()
            except FileNotFoundError:
                continue
            if not stat.S_ISREG(facts.st_mode):
                raise _no_file(path, what)
            # a file that got its name just before its process was killed still has that of the part
            if facts.st_nlink > 1 and not (self._target.exists() and self._target.samefile(path)):
                raise DataError(
                    f"{path} has a second name somewhere (a hard link), and what a download writes would be written "
                    "there too. Remove it and run again."
                )


def _no_file(path: Path, what: str) -> DataError:
    kind = "a link" if path.is_symlink() else "a folder or device"
    return DataError(
        f"{path} is {kind}, where the {what} file of a download belongs; it is left alone. Move it away and run again."
    )
