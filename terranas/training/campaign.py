"""Where the trainings of a study stand: read from what each of them leaves behind, while they run and afterwards.

Nothing is asked of the workflow itself. The list of architectures says what there is to train, a status file that a
training has its result, journals and leases tell of every attempt, and the queue of what waits or runs.
"""

import os
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from terranas.core.errors import DataError
from terranas.core.files import read_json
from terranas.training.acceptance import HASH
from terranas.training.attempts import Attempt, Ending, attempts_of
from terranas.training.journal import FILE_NAME, read_journal
from terranas.training.lease import Holder, process_gone, read_leases
from terranas.training.slurm_jobs import SlurmJob

State = Literal["finished", "running", "waiting", "queued", "failed", "stopped", "missing"]

STATES: dict[State, str] = {
    "finished": "has its result",
    "running": "trains now",
    "waiting": "has a job that waits for another one's lease, or that has just begun",
    "queued": "has a job that waits in the queue",
    "failed": "ended with an error, and has no job",
    "stopped": "was stopped or killed before its end, and has no job",
    "missing": "has not begun, and has no job",
}
"""States of a training, and what they mean."""

RULE = "training_train"
PACK_RULE = "training_pack"
LOG_LINES = 15
LOG_BYTES = 20_000
SLURM_LOGS = Path(".snakemake/slurm_logs")
"""Where Snakemake's Slurm plugin keeps the logs of jobs, below the folder that snakemake was started in."""


@dataclass(frozen=True)
class Training:
    """Where the training of one architecture stands.

    Attributes:
        hash: the architecture.
        state: one of STATES.
        outcome: how a finished training ended; empty before.
        reason: why it failed or stopped, or the finished one's reason.
        attempts: every go at it, oldest first.
        job: its Slurm job in the queue, if it has one.
        epochs: finished epochs.
        seconds: time that training took: what the result says, else the sum over the attempts.
        left: seconds that a running one still needs, by its own pace; None where that is not known.
        energy: joules; None where no attempt knows.
        used_host_mb: most memory of the machine that it held; None where that is not known.
        used_device_mb: most memory of one GPU; None where that is not known.
        log_tail: end of its log, where it failed or stopped.
        holder: the process that held its lease last.
    """

    hash: str
    state: State
    outcome: str = ""
    reason: str = ""
    attempts: Sequence[Attempt] = ()
    job: SlurmJob | None = None
    epochs: int = 0
    seconds: float = 0.0
    left: float | None = None
    energy: float | None = None
    used_host_mb: float | None = None
    used_device_mb: float | None = None
    log_tail: Sequence[str] = ()
    holder: Holder | None = None

    @property
    def wasted(self) -> float:
        """Seconds of work that were lost."""
        return sum(attempt.wasted for attempt in self.attempts)

    @property
    def kept(self) -> float:
        """Seconds of all attempts without those that were lost: what it took, getting started included."""
        if not self.attempts:
            return self.seconds
        return sum(attempt.seconds - attempt.wasted for attempt in self.attempts)

    @property
    def process_seconds(self) -> float:
        """Seconds of all attempts, times the processes (one a GPU where it trains on GPUs)."""
        spent = sum(attempt.seconds * attempt.processes for attempt in self.attempts)
        return spent or self.seconds

    def endings(self, *kinds: Ending) -> int:
        """Return how many attempts ended so."""
        return sum(attempt.ending in kinds for attempt in self.attempts)


@dataclass(frozen=True)
class Campaign:
    """All trainings of a study at one moment.

    Attributes:
        trainings: one an architecture, in the order of the list.
        time: Unix time of the look.
        queue_known: whether Slurm answered.
    """

    trainings: Sequence[Training]
    time: float
    queue_known: bool

    def of(self, *states: State) -> list[Training]:
        """Return the trainings in one of these states."""
        return [training for training in self.trainings if training.state in states]


def listed_architectures(path: str | Path) -> list[str]:
    """Return the hashes in a study's list of architectures, whatever settings it belongs to.

    Raises:
        DataError: there is no list yet, or it is none.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise DataError(
            f"There is no list of architectures at {path}. Is the configuration the study's? Its first snakemake call "
            "makes the list."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as a list of architectures ({error}).") from error
    hashes = [line.split(",", 1)[0] for line in lines[2:]]
    if not lines or not lines[0].startswith("# ") or not all(HASH.fullmatch(name) for name in hashes):
        raise DataError(f"{path} is no list of architectures. Remove it and run again; it is made anew.")
    return hashes


def read_campaign(
    results: str | Path,
    architectures: Sequence[str],
    queue: Sequence[SlurmJob] | None,
    *,
    fresh_seconds: float,
    now: float | None = None,
) -> Campaign:
    """Return where the trainings of a study stand.

    Args:
        results: the study's results folder.
        architectures: hashes of all that the study trains.
        queue: the study's jobs in the queue; None where Slurm does not answer or there is none.
        fresh_seconds: how old the last sign of life of a training on another machine may be for it to count as running.
        now: Unix time; the clock's by default.
    """
    now = time.time() if now is None else now
    folders = state_folders(Path(results) / "training" / "_state", architectures)
    jobs = {job.wildcards: job for job in queue or () if job.rule == RULE}
    packs = {job.id: job for job in queue or () if job.rule == PACK_RULE}
    running = {job.id for job in queue or () if not job.pending}
    reader = _Reader(Path(results), now, fresh_seconds, running)
    trainings = [reader.training(name, folders.get(name), jobs.get(name), packs) for name in architectures]
    return Campaign(trainings, now, queue is not None)


def state_folders(place: Path, architectures: Collection[str]) -> dict[str, Path]:
    """Return the state folder of each architecture that has one; of several recipes' the one last written to.

    Args:
        place: folder of all states, ``_state/<recipe>/<architecture>``.
        architectures: hashes to look for.
    """
    known = set(architectures)
    newest: dict[str, tuple[float, Path]] = {}
    for folder in place.glob("*/*") if place.is_dir() else ():
        if folder.name in known:
            changed = max((_changed(folder / name) for name in (FILE_NAME, "lease")), default=0.0)
            if folder.name not in newest or changed > newest[folder.name][0]:
                newest[folder.name] = (changed, folder)
    return {name: folder for name, (_, folder) in newest.items()}


def holds(lease: Holder | None, jobs: Collection[str], now: float, fresh_seconds: float) -> bool:
    """Return whether a lease's holder trains, as far as one look tells.

    Its process tells where it is one of this machine; else the queue, or a sign of life that is not too old. Clocks of
    two machines are compared here, which is good enough for a look and for nothing else.

    Args:
        lease: the lease that counts, if any.
        jobs: Slurm jobs that run.
        now: Unix time.
        fresh_seconds: how old a sign of life may be.
    """
    if lease is None:
        return False
    gone = process_gone(lease)
    if gone is not None:
        return not gone
    return lease.slurm_job in jobs or abs(now - lease.heartbeat) < fresh_seconds


@dataclass(frozen=True)
class _Reader:
    """Reads single trainings of one study."""

    results: Path
    now: float
    fresh_seconds: float
    running: Collection[str]

    def training(self, name: str, folder: Path | None, job: SlurmJob | None, packs: Mapping[str, SlurmJob]) -> Training:
        events = read_journal(folder) if folder else []
        leases = read_leases(folder) if folder else []
        lease = leases[-1] if leases else None
        alive = holds(lease, self.running, self.now, self.fresh_seconds)
        attempts = attempts_of(events, leases, alive)
        if job is None and lease is not None and lease.slurm_job is not None:
            job = packs.get(lease.slurm_job)
        energies = [attempt.energy for attempt in attempts if attempt.energy is not None]
        common: dict[str, Any] = {
            "hash": name,
            "attempts": attempts,
            "job": job,
            "holder": lease,
            "epochs": _largest(events, "epoch"),
            "seconds": sum(attempt.seconds for attempt in attempts),
            "energy": sum(energies) if energies else None,
        }
        status = self._status(name)
        # a job of a finished training would mean that it is done again
        if status is not None and not alive:
            return _finished(common, status)
        if alive:
            return Training(**common, state="running", left=_left(events))
        if job is not None:
            return Training(**common, state="queued" if job.pending else "waiting", reason=job.reason)
        if not attempts:
            tail = self._log_tail(name)
            if not tail:
                return Training(**common, state="missing")
            return Training(**common, state="failed", reason=last_error(tail), log_tail=tail)
        last, tail = attempts[-1], self._log_tail(name)
        if last.ending == "finished":
            # trained, but its outputs were not written: the next run collects them
            return Training(**common, state="stopped", reason="trained; its result is not collected yet")
        reason = last.reason or last_error(tail) or f"killed on {last.host}"
        state: State = "failed" if last.ending == "failed" else "stopped"
        return Training(**common, state=state, reason=reason, log_tail=tail)

    def _status(self, name: str) -> Mapping[str, Any] | None:
        """Return the content of a training's status file; reports read results of other versions too."""
        path = self.results / "training" / name / "status.json"
        try:
            content = read_json(path)
        except (DataError, OSError):
            return None
        return content if isinstance(content, dict) and isinstance(content.get("outcome"), str) else None

    def _log_tail(self, name: str) -> list[str]:
        """Return the last lines of the training's log, or of its newest Slurm log where it has none."""
        lines = tail_of(self.results / "logs" / "training" / f"{name}.log")
        folder = SLURM_LOGS / f"rule_{RULE}" / name
        if not lines and folder.is_dir():
            logs = sorted(folder.glob("*.log"), key=_changed)
            lines = tail_of(logs[-1]) if logs else []
        return lines


def tail_of(path: Path, lines: int = LOG_LINES) -> list[str]:
    """Return the last lines of a text file; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LOG_BYTES))
            return file.read().decode("utf-8", errors="replace").splitlines()[-lines:]
    except OSError:
        return []


def _finished(common: Mapping[str, Any], status: Mapping[str, Any]) -> Training:
    known = {**common}
    known["epochs"] = int(_number(status.get("epochs")) or 0)
    known["seconds"] = _number(status.get("seconds")) or common["seconds"]
    if common["energy"] is None:
        known["energy"] = _number(status.get("energy_joule"))
    used = status.get("used")
    used = used if isinstance(used, dict) else {}
    return Training(
        **known,
        state="finished",
        outcome=str(status["outcome"]),
        reason=str(status.get("reason", "")),
        used_host_mb=_number(used.get("host_mb")) or None,
        used_device_mb=_number(used.get("device_mb")) or None,
    )


def _left(events: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the seconds that a training still needs by the pace of its epochs; None before the first one has ended."""
    for event in reversed(events):
        facts = [_number(event.get(name)) for name in ("seconds", "step", "steps")]
        if event["event"] == "epoch" and all(facts):
            seconds, done, total = (fact or 0.0 for fact in facts)
            return max(0.0, seconds / done * (total - done))
    return None


def last_error(lines: Sequence[str]) -> str:
    """Return the message of the last error in a log; empty where it has none."""
    for line in reversed(lines):
        _, marker, message = line.partition(" ERROR ")
        if marker:
            return message.strip().partition(": ")[2] or message.strip()
        if "oom-kill" in line or "Out Of Memory" in line:
            return line.strip()
    return ""


def _largest(events: Sequence[Mapping[str, Any]], name: str) -> int:
    return int(max((event[name] for event in events if isinstance(event.get(name), int)), default=0))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
