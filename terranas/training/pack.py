"""Several architectures side by side in one job, one GPU each: the other way to use the GPUs of a node.

Every member is a process of its own that does all of one architecture (``python -m terranas.training.pack_member
FOLDER``), with its own GPU, lease, checkpoints and log file. One that fails is started again, from its checkpoint, and
keeps none of the others from their end.
"""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from terranas.core.errors import DataError, EnvironmentLackError
from terranas.core.files import read_json, write_json
from terranas.training.deadline import Stop
from terranas.training.launch import INTERRUPTED_EXIT, LEAVE_SECONDS, SIGNAL_SECONDS, UNHURT, WATCHED

if TYPE_CHECKING:
    from terranas.training.job import TrainingJob

logger = logging.getLogger(__name__)

MEMBER = "terranas.training.pack_member"
ATTEMPTS = 3
POLL_SECONDS = 0.2
TAIL_LINES = 10

FINISHED, INTERRUPTED = "finished", "interrupted"


@dataclass
class _Member:
    """One architecture of the pack."""

    job: "TrainingJob"
    folder: Path
    log: Path
    environment: dict[str, str]
    started: int = 0
    outcome: str = ""
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return self.job.cell.hash

    def start(self) -> None:
        """Start the process; its messages go to the end of its log file."""
        self.started += 1
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*UNHURT, sys.executable, "-m", MEMBER, str(self.folder)],
                env=self.environment,
                stdin=subprocess.PIPE,  # its end tells the member that this process is gone
                stdout=log,
                stderr=log,
            )
        gpus = self.environment.get("CUDA_VISIBLE_DEVICES")
        logger.info("%s runs as process %d on %s", self.name, self.process.pid, f"GPU {gpus}" if gpus else "the CPU")

    def reason(self, code: int) -> str:
        """Return why it failed: its own sentence, or how the process ended."""
        with suppress(OSError, DataError, KeyError, TypeError):
            return str(read_json(self.folder / "outcome.json")["reason"])
        return f"killed by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def end(self) -> None:
        """Make sure that the process is gone."""
        if self.process is None:
            return
        if self.process.stdin is not None:
            self.process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(LEAVE_SECONDS)
        self.process.kill()
        self.process.wait()


def run_pack(jobs: "Sequence[TrainingJob]", attempts: int = ATTEMPTS, stop: Stop | None = None) -> dict[str, str]:
    """Train architectures side by side and return what became of each.

    What a member finished lies in its own state; collecting it is up to the caller. Requests to stop reach all members;
    they know their deadline themselves. Each member has a log, ``<hash>.packed.log``, beside the study's other logs.

    Args:
        jobs: the trainings, all of one study.
        attempts: how often a member is started at most.
        stop: what receives requests to stop, and knows the deadline of all; None: this function listens itself.

    Returns:
        By architecture: ``finished``, ``interrupted`` (saved, to be gone on with), or the reason of its failure.

    Raises:
        EnvironmentLackError: there are fewer GPUs than the members need.
    """
    if stop is None:
        stop = Stop(None)
        stop.listen()
    logs = Path(jobs[0].state).parent / "logs" / "training"
    logs.mkdir(parents=True, exist_ok=True)
    shares = gpu_shares(jobs)
    with tempfile.TemporaryDirectory(prefix="terranas.pack.") as name:
        members = []
        for job, gpus in zip(jobs, shares, strict=True):
            folder = Path(name) / job.cell.hash
            folder.mkdir()
            write_json(folder / "job.json", asdict(job))
            log = logs / f"{job.cell.hash}.packed.log"
            log.write_bytes(b"")
            environment = os.environ | {WATCHED: str(os.getpid()), "OMP_NUM_THREADS": str(job.recipe["threads"])}
            members.append(_Member(job, folder, log, environment | gpus))
        try:
            _run(members, attempts, stop)
        finally:
            for member in members:
                member.end()
    return {member.name: member.outcome for member in members}


def gpu_shares(
    jobs: "Sequence[TrainingJob]", environment: Mapping[str, str] = os.environ, found: int | None = None
) -> list[dict[str, str]]:
    """Return for each job the variable that shows it GPUs of its own; empty ones where it trains on the CPU.

    Args:
        jobs: the trainings.
        environment: its CUDA_VISIBLE_DEVICES, where it is set, are the GPUs that the scheduler granted.
        found: GPUs that torch finds; None: asks it.

    Raises:
        EnvironmentLackError: there are too few.
    """
    found = torch.cuda.device_count() if found is None else found
    granted = environment.get("CUDA_VISIBLE_DEVICES")
    gpus = [str(index) for index in range(found)] if granted is None else [g.strip() for g in granted.split(",") if g]
    needed = [int(job.recipe["processes"]) for job in jobs]
    if sum(needed) <= len(gpus):
        ends = [sum(needed[: place + 1]) for place in range(len(jobs))]
        return [
            {"CUDA_VISIBLE_DEVICES": ",".join(gpus[end - own : end])} for own, end in zip(needed, ends, strict=True)
        ]
    device = jobs[0].recipe["device"]
    if device == "cuda" or (device == "auto" and found):
        raise EnvironmentLackError(
            f"{len(jobs)} architectures in one job need {sum(needed)} GPUs, but there are {len(gpus)} "
            f"(CUDA_VISIBLE_DEVICES={granted}). Ask for as many GPUs as campaign.pack, or pack fewer."
        )
    return [{} for _ in jobs]


def _run(members: Sequence[_Member], attempts: int, stop: Stop) -> None:
    """Start all members and wait until each has its outcome."""
    for member in members:
        member.start()
    signalled = 0.0
    while any(not member.outcome for member in members):
        time.sleep(POLL_SECONDS)
        reason = stop.reason()
        # they know the deadline themselves; again and again, since one that is still starting up does not listen yet
        if reason not in ("", "time limit") and time.monotonic() - signalled > SIGNAL_SECONDS:
            signalled = time.monotonic()
            for member in members:
                if not member.outcome and member.process is not None:
                    member.process.send_signal(signal.SIGUSR1 if reason == "SIGUSR1" else signal.SIGTERM)
        for member in members:
            if not member.outcome and member.process is not None and (code := member.process.poll()) is not None:
                _judge(member, code, attempts, reason)


def _judge(member: _Member, code: int, attempts: int, stopping: str) -> None:
    """Note what became of a member that ended, or start it again."""
    if code == 0:
        member.outcome = FINISHED
    elif code == INTERRUPTED_EXIT or (stopping and -code in (signal.SIGTERM, signal.SIGUSR1)):
        member.outcome = INTERRUPTED
    if member.outcome:
        logger.info("%s: %s", member.name, member.outcome)
        return
    reason = member.reason(code)
    logger.warning(
        "%s failed in attempt %d of %d: %s. The end of %s:\n%s",
        member.name,
        member.started,
        attempts,
        reason,
        member.log,
        "\n".join(member.log.read_text("utf-8", "replace").splitlines()[-TAIL_LINES:]),
    )
    if member.started < attempts and not stopping:
        member.end()
        member.start()
    else:
        member.outcome = reason
