"""Asking Slurm: which jobs of a study are in the queue, whether a job still runs, and how long it may.

Slurm's commands can be missing, slow or refuse while its controller restarts. A question that was not answered is
therefore never taken for a no: functions return None or say ``unknown``.
"""

import logging
import os
import re
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from terranas.core.errors import TerranasError

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 60.0
"""How long a command may take; Slurm's own patience with its controller is about this long."""

OVER = {
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "REVOKED",
    "TIMEOUT",
}
"""States of jobs that have ended."""

WAITING = {"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"}
"""States of jobs that have not started."""

# the comment may hold anything, so it comes last; a unit separator stands in none of the others
SEPARATOR = "\x1f"
_FIELDS = ("%i", "%j", "%T", "%N", "%r", "%Z", "%k")
QUEUE_FORMAT = SEPARATOR.join(_FIELDS)

# Snakemake's Slurm plugin writes rule and wildcards into the comment; a job's name is the run's, since the plugin asks
# for its jobs by name
_COMMENT = re.compile(r"rule_(?P<rule>[a-z0-9_]+?)(?:_wildcards_(?P<wildcards>.*))?")


@dataclass(frozen=True)
class SlurmJob:
    """One job of a study in the queue.

    Attributes:
        id: number of the job.
        run: name of the job, which all jobs of one snakemake call share.
        state: Slurm's word for it, such as ``RUNNING``.
        rule: rule that it runs.
        wildcards: values of the rule's wildcards, joined by underscores; a training's is its architecture.
        nodes: names of its nodes.
        reason: why it waits.
    """

    id: str
    run: str
    state: str
    rule: str
    wildcards: str
    nodes: str
    reason: str

    @property
    def pending(self) -> bool:
        """Whether it has not started."""
        return self.state in WAITING


def ask(command: Sequence[str]) -> "subprocess.CompletedProcess[str] | None":
    """Run one of Slurm's commands; None where it is missing or does not answer in time."""
    # a format or a limit of the user's own would change what the answer looks like
    own = ("SQUEUE_", "SCANCEL_", "SLURM_TIME_FORMAT")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=ANSWER_SECONDS,
            check=False,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def job_state(job: str) -> Literal["running", "pending", "over", "unknown"]:
    """Return whether a job runs, waits or has ended.

    A job that Slurm has forgotten has ended. Whatever else goes wrong makes the answer ``unknown``.
    """
    answer = ask(["squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T"])
    if answer is None:
        return "unknown"
    if answer.returncode:
        return "over" if "invalid job id" in answer.stderr.lower() else "unknown"
    states = answer.stdout.split()
    if not states or all(state in OVER for state in states):
        return "over"
    return "pending" if all(state in WAITING or state in OVER for state in states) else "running"


def seconds_left(job: str) -> float | None:
    """Return the seconds until a running job's time limit; None where it has none or Slurm does not tell."""
    answer = ask(["squeue", "--noheader", f"--jobs={job}", "--format=%L"])
    if answer is None or answer.returncode:
        logger.warning("Slurm does not tell the time left of job %s; it is taken to have no limit.", job)
        return None
    return parse_time(answer.stdout.strip())


def parse_time(text: str) -> float | None:
    """Return the seconds of Slurm's ``[days-][hours:]minutes:seconds``; None for UNLIMITED, NOT_SET and the like."""
    found = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", text)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def jobs_of_study(
    folder: Path, architectures: Collection[str], runs: Collection[str] = (), ids: Collection[str] = ()
) -> list[SlurmJob] | None:
    """Return this user's waiting and running jobs that belong to a study.

    A job belongs to it that was submitted from the folder and trains one of its architectures, that was submitted by
    one of its snakemake calls, or whose number is known.

    Args:
        folder: where snakemake was started.
        architectures: hashes of all that the study trains.
        runs: names that the jobs of its snakemake calls bear.
        ids: numbers of jobs that are known to be its own.

    Returns:
        The jobs, or None where Slurm is not there or does not answer.
    """
    answer = ask(["squeue", "--noheader", "--me", f"--format={QUEUE_FORMAT}"])
    if answer is None or answer.returncode:
        return None
    place, known = folder.resolve(), set(architectures)
    jobs = []
    for line in answer.stdout.split("\n"):
        parts = [part.strip() for part in line.split(SEPARATOR, len(_FIELDS) - 1)]
        if len(parts) != len(_FIELDS) or not parts[0].isdigit():
            continue
        number, run, state, nodes, reason, started_in, comment = parts
        found = _COMMENT.fullmatch(comment)
        rule, wildcards = (found["rule"], found["wildcards"] or "") if found else ("", "")
        own = wildcards in known and Path(started_in).resolve() == place
        if own or run in runs or number in ids:
            jobs.append(SlurmJob(number, run, state, rule, wildcards, nodes, reason))
    return jobs


def cancel(jobs: Sequence[str]) -> None:
    """Cancel jobs.

    Raises:
        TerranasError: Slurm refuses or does not answer.
    """
    for start in range(0, len(jobs), 100):  # a command line has a limit
        answer = ask(["scancel", *jobs[start : start + 100]])
        if answer is None or answer.returncode:
            why = "scancel is missing or does not answer" if answer is None else answer.stderr.strip()
            raise TerranasError(f"Slurm does not cancel the jobs {', '.join(jobs)}: {why}. Cancel them and run again.")


def requeue(job: str) -> None:
    """Put a running job back into the queue; Slurm then ends its processes.

    Raises:
        TerranasError: Slurm refuses, for example since the job was submitted with ``--no-requeue``.
    """
    answer = ask(["scontrol", "requeue", job])
    if answer is None or answer.returncode:
        why = "scontrol is missing or does not answer" if answer is None else answer.stderr.strip()
        raise TerranasError(
            f"Slurm does not queue job {job} again: {why}. The training is saved; the next attempt goes on from there. "
            "`slurm-requeue: true` in slurm/config.yaml lets Slurm do so."
        )
