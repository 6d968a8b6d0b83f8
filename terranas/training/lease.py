"""A lease per training, so that no architecture is trained twice at once.

A killed snakemake leaves its jobs running, and a restarted one submits them again. The second copy of a training finds
the first one's lease, waits while its holder lives and takes over where it is dead.

Leases are small files ``lease/000001.json``, ``000002.json``, ... in the training's folder; the one with the highest
number counts. To take over is to create the next one, which by ``link`` succeeds for one process only, on network
file systems too. Files are never removed and only their own holder writes them, so that there is nothing that two
processes could race for. A holder renews its file ten times as often as it must; one that finds a higher number has
been taken for dead and ends at once. The old files stay as a record of when each attempt was last alive.

Whether a holder lives is told, in this order, by its own word (it let go), by its process (same machine), by Slurm, and
by its sign of life: where that has not changed for long enough on the clock of the one who waits, the holder is dead.
Clocks of different machines are never compared.
"""

import errno
import json
import logging
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from terranas.core.errors import TerranasError
from terranas.core.processes import Process
from terranas.training.deadline import Stop
from terranas.training.slurm_jobs import job_state

logger = logging.getLogger(__name__)

FOLDER_NAME = "lease"
_NAME = re.compile(r"(\d{6})\.json")
LOG_SECONDS = 60.0


class LeaseHeldError(TerranasError):
    """Another process trains the architecture, and this one has to stop before that one has ended."""


@dataclass(frozen=True)
class Holder:
    """Content of a lease: who holds it, and its last sign of life.

    Attributes:
        token: random text that no other lease has.
        host: name of the machine.
        boot: which start of the machine's system and which space of process numbers ``pid`` belongs to.
        pid: process.
        born: when the process started, in the system's ticks, since process numbers are used again.
        slurm_job: job it runs in; None outside Slurm.
        slurm_cluster: cluster that the job's number belongs to.
        acquired: Unix time at which it got the lease, on its own clock.
        heartbeat: Unix time of its last sign of life, on its own clock.
        released: whether it has let go.
        progress: what it reported of the training.
        facts: what it said about itself when it got the lease.
    """

    token: str
    host: str
    boot: str
    pid: int
    born: int
    slurm_job: str | None
    slurm_cluster: str | None
    acquired: float
    heartbeat: float
    released: bool = False
    progress: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def process(self) -> Process:
        """The process that holds it."""
        return Process(self.host, self.boot, self.pid, self.born)

    def __str__(self) -> str:
        job = f", Slurm job {self.slurm_job}" if self.slurm_job else ""
        return f"process {self.pid} on {self.host}{job}"


class Lease:
    """A lease that this process holds; :func:`hold` makes it."""

    def __init__(self, path: Path, holder: Holder, seconds: float, on_lost: Callable[[], None]) -> None:
        self.path = path
        self.lost = False
        self._holder = holder
        self._beat = seconds / 10
        self._on_lost = on_lost
        self._written = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew_for_ever, name="lease", daemon=True)

    def report(self, facts: Mapping[str, Any]) -> None:
        """Put facts on the training's progress (plain values) into the next sign of life."""
        self._holder = replace(self._holder, progress=self._holder.progress | dict(facts))

    def require(self) -> None:
        """Check that the lease is still this process's own; calls ``on_lost`` where it is not.

        A process that slept (a suspended job) may wake up to find another one training.
        """
        try:
            current = newest(self.path.parent)
        except OSError as error:  # a file system that does not answer says nothing about the lease
            logger.warning("The lease %s could not be looked at: %s", self.path, error)
            return
        if not self.lost and current != self.path:
            self.lost = True
            self._on_lost()

    def start(self) -> None:
        """Begin to give signs of life."""
        self._thread.start()

    def release(self) -> None:
        """Let go; the next one need not wait."""
        self._ended.set()
        self._thread.join()
        if not self.lost:
            self._holder = replace(self._holder, released=True)
            self._write()

    def _renew_for_ever(self) -> None:
        while not self._ended.wait(self._beat):
            self.require()
            if self.lost:
                return
            self._write()

    def _write(self) -> None:
        self._holder = replace(self._holder, heartbeat=time.time())
        try:
            with self._written:
                temporary = self.path.with_name(f".{self._holder.token}.json")
                temporary.write_text(_text(self._holder), encoding="utf-8")
                temporary.replace(self.path)
        except OSError:
            try:
                os.utime(self.path)  # a sign of life that needs no space on a full disk
            except OSError as error:
                logger.warning("The lease %s could not be renewed: %s", self.path, error)


@contextmanager
def hold(
    folder: str | Path,
    seconds: float,
    facts: Mapping[str, Any],
    *,
    stop: Stop | None = None,
    on_lost: Callable[[], None] | None = None,
) -> Iterator[Lease]:
    """Hold the lease of a training while the block runs; wait for a living holder before, take over a dead one's.

    Args:
        folder: the training's state folder.
        seconds: how long a holder may give no sign of life before it counts as dead.
        facts: plain values on this process, for those who wait and for the campaign's report.
        stop: where it says to stop while this process still waits, waiting ends.
        on_lost: called in a thread of its own when others took this process for dead; the default ends the process
            (and with it those that it started), since two may not train at once.

    Raises:
        LeaseHeldError: this process had to stop while another one held the lease.
    """
    path, holder = _acquire(Path(folder) / FOLDER_NAME, seconds, facts, stop)
    lease = Lease(path, holder, seconds, on_lost or _end_process)
    lease.start()
    try:
        yield lease
    finally:
        lease.release()


def newest(folder: Path) -> Path | None:
    """Return the lease that counts in a folder of leases; None where nobody ever held one."""
    try:
        return max((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), default=None)
    except FileNotFoundError:
        return None


def read_leases(folder: str | Path) -> list[Holder]:
    """Return all leases of a training, oldest first; unreadable ones are left out. The last one counts.

    Args:
        folder: the training's state folder.
    """
    place = Path(folder) / FOLDER_NAME
    if not place.is_dir():
        return []
    paths = sorted(path for path in place.iterdir() if _NAME.fullmatch(path.name))
    return [holder for path in paths if (holder := _read(path)[1]) is not None]


def process_gone(holder: Holder) -> bool | None:
    """Return whether a holder let go or its process has ended; None where that cannot be seen from this machine."""
    return True if holder.released else holder.process.is_gone()


def known_dead(holder: Holder) -> bool:
    """Return whether it is certain, without waiting, that a holder no longer trains."""
    if (gone := process_gone(holder)) is not None:
        return gone
    cluster = os.environ.get("SLURM_CLUSTER_NAME")
    if holder.slurm_job is None or cluster not in (None, holder.slurm_cluster):
        return False
    return job_state(holder.slurm_job) == "over"


def _acquire(folder: Path, seconds: float, facts: Mapping[str, Any], stop: Stop | None) -> tuple[Path, Holder]:
    folder.mkdir(parents=True, exist_ok=True)
    waiting: _Watch | None = None
    while True:
        current = newest(folder)
        if current is not None:
            if waiting is None or waiting.path != current:
                waiting = _Watch(current, seconds)
            if waiting.holder_lives():
                if stop is not None and (reason := stop.reason()):
                    raise LeaseHeldError(
                        f"{waiting.holder or 'Another process'} trains this architecture, and this process has to stop "
                        f"({reason}). The next attempt looks again."
                    )
                time.sleep(min(seconds / 20, 1.0))
                continue
        mine = _new_holder(facts)
        path = folder / f"{_number(current) + 1:06d}.json"
        if _create(path, mine):
            if waiting is not None and waiting.holder is not None and not waiting.holder.released:
                logger.warning("Took over the lease of %s, which is dead", waiting.holder)
            return path, mine


class _Watch:
    """Watches one lease until its holder is dead."""

    def __init__(self, path: Path, seconds: float) -> None:
        self.path = path
        self.holder: Holder | None = None
        self._seconds = seconds
        self._seen: tuple[str, int] | None = None
        self._changed = self._asked = self._told = float("-inf")

    def holder_lives(self) -> bool:
        """Look again; whoever shows no sign of life for long enough is dead, whatever else may speak for it."""
        now = time.monotonic()
        seen, self.holder = _read(self.path)
        if seen != self._seen:
            self._seen, self._changed = seen, now
        patience = self._seconds
        if self.holder is not None:
            # Slurm is asked seldom, the file and the process each time
            if self._is_dead(self.holder, now):
                return False
            if self.holder.slurm_job is not None and self.holder.slurm_job == os.environ.get("SLURM_JOB_ID"):
                # this very job, started again on another node: its first start should be over
                patience /= 3
        if now - self._changed >= patience:
            return False
        if now - self._told >= LOG_SECONDS:
            logger.info("Waiting: %s trains this architecture", self.holder or f"whoever wrote {self.path}")
            self._told = now
        return True

    def _is_dead(self, holder: Holder, now: float) -> bool:
        if (gone := process_gone(holder)) is not None:
            return gone
        if now - self._asked < max(self._seconds / 10, 10.0):
            return False
        self._asked = now
        return known_dead(holder)


def _create(path: Path, holder: Holder) -> bool:
    """Create a lease with its content at once; False where somebody else was faster."""
    private = path.with_name(f".{holder.token}.json")
    try:
        private.write_text(_text(holder), encoding="utf-8")
        os.link(private, path)
    except FileExistsError:
        # an answer that got lost on a network makes a success look like this
        return private.stat().st_nlink == 2
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            raise
        return _create_without_links(path, holder)
    finally:
        private.unlink(missing_ok=True)
    return True


def _create_without_links(path: Path, holder: Holder) -> bool:
    """Create a lease where the file system knows no links; its content comes a moment after the file."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_text(holder))
    except FileExistsError:
        return False
    return True


def _new_holder(facts: Mapping[str, Any]) -> Holder:
    now = time.time()
    return Holder(
        token=secrets.token_hex(8),
        **asdict(Process.this()),
        slurm_job=os.environ.get("SLURM_JOB_ID"),
        slurm_cluster=os.environ.get("SLURM_CLUSTER_NAME"),
        acquired=now,
        heartbeat=now,
        facts=dict(facts),
    )


def _text(holder: Holder) -> str:
    return json.dumps(asdict(holder), default=str)


def _read(path: Path) -> tuple[tuple[str, int], Holder | None]:
    """Return what changes with every sign of life, and the holder; None where the file holds something else."""
    try:
        text, changed = path.read_text(encoding="utf-8", errors="replace"), path.stat().st_mtime_ns
    except OSError:
        return ("", 0), None
    try:
        content = json.loads(text)
        holder = Holder(**content)
    except (ValueError, TypeError, RecursionError):
        return (text, changed), None
    numbers = (holder.pid, holder.born, holder.acquired, holder.heartbeat)
    sound = all(isinstance(number, int | float) for number in numbers) and holder.released in (True, False)
    sound &= isinstance(holder.progress, dict) and isinstance(holder.facts, dict)
    job = holder.slurm_job
    sound &= job is None or (isinstance(job, str) and re.fullmatch(r"[0-9_]+", job) is not None)
    return (text, changed), holder if sound else None


def _number(path: Path | None) -> int:
    return 0 if path is None else int(path.stem)


def _end_process() -> None:
    logger.critical("Another process took over this training's lease; ending at once")
    logging.shutdown()
    os._exit(1)
