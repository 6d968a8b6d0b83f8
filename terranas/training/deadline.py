"""When a training has to save itself and stop: a job's time limit, and the signals that announce one.

Three lines of defence. The first is the training's own clock: it knows its job's time limit and stops a margin before
it. The second is a signal that Slurm sends early where the job asks for it (``--signal=USR1@120``). The third is
SIGTERM, which Slurm sends some seconds before the kill, if at all.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

from terranas.training.slurm_jobs import seconds_left

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGUSR1, signal.SIGTERM)


class Stop:
    """Tells a training when to stop.

    Args:
        until: Unix time by which the training must have saved itself; None: no such time.
        clock: what gives the Unix time.
    """

    def __init__(self, until: float | None, clock: Callable[[], float] = time.time) -> None:
        self.until = until
        self._clock = clock
        self._received = ""

    def listen(self) -> None:
        """Take SIGUSR1 and SIGTERM as requests to stop, from now on; does nothing outside the main thread.

        A second signal of a kind stays a request: whoever wants the process to end at once sends SIGKILL.
        """
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                signal.signal(number, self._receive)

    def request(self, reason: str) -> None:
        """Ask the training to stop for a reason of the caller's own."""
        self._received = self._received or reason

    def reason(self) -> str:
        """Return why to stop: "" (go on), ``time limit``, ``SIGUSR1``, ``SIGTERM``, or what was requested."""
        if self._received:
            return self._received
        return "time limit" if self.until is not None and self._clock() >= self.until else ""

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        # no log record here: the signal may have come while one was being written
        self.request(signal.Signals(number).name)


def job_deadline(margin: float) -> float | None:
    """Return the Unix time a margin before the time limit of the Slurm job that this process belongs to.

    Slurm's job steps know the end of their job by themselves only since Slurm 23; before, and where Snakemake has taken
    the variable away, Slurm is asked.

    Args:
        margin: seconds that saving may take.

    Returns:
        None outside Slurm and for jobs without a limit.
    """
    job = os.environ.get("SLURM_JOB_ID")
    if job is None:
        return None
    told = os.environ.get("SLURM_JOB_END_TIME", "")
    if told.isdigit() and int(told) > 0:
        return int(told) - margin
    left = seconds_left(job)
    if left is None:
        return None
    logger.info("Job %s has %.0f s left; the training saves itself %.0f s before its end", job, left, margin)
    return time.time() + left - margin


def made_progress(events: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the last run of a training saved more than the runs before it.

    A run that is queued again without having made a step would be queued again for ever: the job's time limit is too
    short for it, and more time, which a failed job's retry gets, is what it needs. Steps that a killed run took after
    its last checkpoint do not count; they have to be taken again.

    Args:
        events: the training's journal; checkpoints tell by ``step`` how many steps of all epochs are done.
    """
    starts = [index for index, event in enumerate(events) if event.get("event") == "started"]
    if not starts:
        return False
    before, after = _saved(events[: starts[-1]]), _saved(events[starts[-1] :])
    return after > before


def _saved(events: Sequence[Mapping[str, Any]]) -> float:
    """Return how many steps the checkpoint that got furthest holds."""
    steps = [event.get("step") for event in events if event.get("event") == "checkpoint"]
    return max((step for step in steps if isinstance(step, int | float)), default=0)
