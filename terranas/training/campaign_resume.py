"""Going on with a campaign whose snakemake was killed while its jobs run on, and stopping one for good.

Jobs that survive snakemake hold their architectures' leases, so that nothing is trained twice whatever is submitted.
But a second job of the same architecture would hold its GPUs and wait. Survivors are therefore adopted: everything but
their architectures goes on at once, and these follow when the survivors have ended. Their jobs then run once more, find
the finished training and only write its result: Snakemake has no record of what a job did whose snakemake was dead, and
without the record it would not notice when settings change.
"""

import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Any

from terranas.core.errors import TerranasError
from terranas.core.logs import format_duration
from terranas.training.campaign import Campaign, Training, listed_architectures, read_campaign
from terranas.training.campaign_run import MainProcess, announced, forget, is_locked, lock_of_another
from terranas.training.slurm_jobs import SlurmJob, cancel, jobs_of_study

logger = logging.getLogger(__name__)

POLL_SECONDS = 15.0
LOG_SECONDS = 300.0
CANCEL_SECONDS = 180.0
INTERRUPTED_CODE = 130
_STATUS_FILE = re.compile(r"(?:.*/)?training/([0-9a-f]{32})/status\.json")


class StillRunningError(TerranasError):
    """The study's snakemake lives, so that there is nothing to resume."""


@dataclass
class Study:
    """A study, as its campaign's commands see it.

    Attributes:
        configfile: its configuration.
        results: its results folder.
        lease_seconds: age at which a sign of life counts as dead.
        architectures: hashes of what it trains.
        folder: where snakemake is started.
    """

    configfile: Path
    results: Path
    lease_seconds: float
    architectures: Sequence[str]
    folder: Path = field(default_factory=Path.cwd)

    @classmethod
    def of_settings(cls, settings: Mapping[str, Any], configfile: Path = Path("config/config.yaml")) -> "Study":
        """Return the study of a configuration, given as plain values; snakemake is started from the current folder."""
        results = Path(settings["results_dir"])
        listed = listed_architectures(results / "sampling" / "architectures.csv")
        return cls(configfile, results, float(settings["campaign"]["lease_seconds"]), listed)

    def queue(self) -> list[SlurmJob] | None:
        """Return the study's jobs in Slurm's queue; None where Slurm does not answer."""
        main = announced(self.results)
        return jobs_of_study(self.folder, self.architectures, main.run_names() if main else ())

    def look(self) -> Campaign:
        """Return where the trainings stand."""
        return read_campaign(self.results, self.architectures, self.queue(), fresh_seconds=self.lease_seconds)

    def status_file(self, architecture: str) -> str:
        """Return the workflow's target of one training."""
        return f"{self.results}/training/{architecture}/status.json"

    def command(self, options: Sequence[str], *more: str) -> list[str]:
        """Return a snakemake call; ``more`` (targets, switches) comes before the user's options."""
        given = any(option.split("=")[0] in ("--profile", "--executor", "-e") for option in options)
        # with "=", since the option takes as many values as follow it
        call = [sys.executable, "-m", "snakemake", *more, f"--configfile={self.configfile}"]
        return [*call, *([] if given else ["--profile=slurm"]), *options]


def resume(
    study: Study,
    options: Sequence[str],
    *,
    targets: Sequence[str] = (),
    cancel_running: bool = False,
    gone: bool = False,
) -> int:
    """Go on with a campaign and return snakemake's exit code.

    Args:
        study: the study.
        options: further options of snakemake; without a profile or executor among them, the profile slurm is used.
        targets: what to make; the workflow's default without any.
        cancel_running: whether survivors are cancelled rather than adopted; they go on from their last checkpoint.
        gone: whether the caller knows that the study's snakemake, on a machine that cannot be seen from here, is gone.

    Raises:
        StillRunningError: the study's snakemake lives, or may live.
        TerranasError: Slurm refuses to cancel, or another study has its lock in this folder.
    """
    require_gone(study, gone)
    adopted = settle_survivors(study, cancel_running)
    unlock(study, options)
    unrecorded = without_record(study, options)
    failed = 0
    if adopted:
        others = [study.status_file(name) for name in study.architectures if name not in adopted]
        logger.info("Trainings that run on: %d; everything else goes on now", len(adopted))
        failed = run_snakemake(study.command(options, *others)) if others else 0
        if failed >= INTERRUPTED_CODE:
            logger.error("snakemake was stopped; adopted trainings that run on: %d", len(adopted))
            return failed
        if failed:
            logger.error("snakemake ended with exit code %d; the adopted trainings are collected all the same", failed)
        if (code := wait_for(study, adopted)) != 0:
            return code
    again = [study.status_file(name) for name in study.architectures if name in adopted | unrecorded]
    forced = ["--forcerun", *again] if again else []
    # what failed was tried as often as the profile says, and is not tried once more here
    wanted = again if failed else targets
    code = run_snakemake(study.command(options, *wanted, *forced))
    return failed or code


def stop(study: Study, *, gone: bool = False) -> int:
    """Stop the study's snakemake and cancel all its jobs; return how many were cancelled.

    Raises:
        StillRunningError: snakemake runs on a machine that cannot be seen from here, or does not end.
        TerranasError: Slurm refuses to cancel.
    """
    main = announced(study.results)
    if main is not None and main.process.is_gone() is False:
        logger.info("Stopping %s", main)
        # Snakemake cancels its jobs on the first one; started in the background by a script it may ignore it
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(main.process.pid, number)
            if _ends(main, 60):
                break
        else:
            raise StillRunningError(f"{main} does not end. Look at what it waits for, and end it yourself.")
    else:
        require_gone(study, gone)
    jobs = study.queue() or []
    _cancel(study, jobs)
    forget(study.results)
    return len(jobs)


def require_gone(study: Study, gone: bool) -> None:
    """Refuse while the study's snakemake lives."""
    main = announced(study.results)
    ended = None if main is None else main.process.is_gone()
    if main is None or ended or (ended is None and gone):
        return
    if ended is None:
        raise StillRunningError(
            f"{main} announced itself, and its machine cannot be seen from here. Look there whether it runs; where it "
            "does not, say --gone."
        )
    raise StillRunningError(f"{main} runs this study; there is nothing to resume. Ctrl-C there stops it.")


def settle_survivors(study: Study, cancel_running: bool) -> set[str]:
    """Cancel what a dead snakemake left in the queue, but not trainings that run; return the architectures of these."""
    queue = study.queue()
    if queue is None:
        logger.info("Slurm does not answer or is not there; only trainings on this machine can be seen")
    campaign = study.look()
    trains = {training.job.id for training in campaign.trainings if training.job is not None}
    # a step that is no training is cheap and has no lease: it is cancelled and done again
    useless = [job for job in queue or () if job.pending or job.id not in trains or cancel_running]
    if useless:
        logger.info("Cancelling %d jobs that the dead snakemake left behind", len(useless))
        _cancel(study, useless)
    if cancel_running:
        _end_local(study)
    return {training.hash for training in study.look().of("running", "waiting")}


def unlock(study: Study, options: Sequence[str]) -> None:
    """Remove the lock that the dead snakemake left.

    Raises:
        TerranasError: another study's lock is there, or snakemake refuses.
    """
    if not is_locked(study.folder):
        return
    if (other := lock_of_another(study.results, study.folder)) is not None:
        raise TerranasError(
            f"Another study has a lock in this folder ({other} and more), and snakemake removes all locks together. "
            "Where no snakemake runs for that study, remove them with `snakemake --unlock --configfile ...`, and "
            "resume again."
        )
    if code := run_snakemake(study.command(options, "--unlock")):
        raise TerranasError(f"snakemake --unlock ended with exit code {code}; see above.")


def without_record(study: Study, options: Sequence[str]) -> set[str]:
    """Return the architectures that have a result of which snakemake has no record, by `snakemake --summary`."""
    files = [study.status_file(name) for name in study.architectures if Path(study.status_file(name)).is_file()]
    if not files:
        return set()
    call = study.command(options, *files, "--summary")
    answer = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=False)
    if answer.returncode:
        raise TerranasError(f"snakemake --summary ended with exit code {answer.returncode}; see above.")
    return unrecorded_in(answer.stdout)


def unrecorded_in(summary: str) -> set[str]:
    """Return the architectures whose status file is there, and without a record, in snakemake's table of its files."""
    found = set()
    for line in summary.splitlines():
        parts = line.split("\t")
        if len(parts) >= 4 and (match := _STATUS_FILE.fullmatch(parts[0])):
            date, log = parts[1], parts[3]
            if date != "-" and log == "-":  # the record knows the log
                found.add(match[1])
    return found


def wait_for(study: Study, adopted: set[str]) -> int:
    """Wait until adopted trainings have ended, with a line now and then; return 0, or 130 where the user stops."""
    told = float("-inf")
    try:
        while left := [found for found in study.look().of("running", "waiting", "queued") if found.hash in adopted]:
            if time.monotonic() - told >= LOG_SECONDS:
                logger.info("Waiting for %s", "; ".join(describe(training) for training in left))
                told = time.monotonic()
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        logger.warning("Stopped; the adopted trainings run on. Resume again, or `terranas campaign cancel`.")
        return INTERRUPTED_CODE
    return 0


def describe(training: Training) -> str:
    """Return where a training stands, in a few words."""
    job = f", job {training.job.id}" if training.job else ""
    left = f", {format_duration(training.left)} left" if training.left is not None else ""
    return f"{training.hash} ({training.state}{job}, epoch {training.epochs}{left})"


def run_snakemake(
    command: Sequence[str], *, output: IO[bytes] | None = None, each_second: Callable[[int], None] | None = None
) -> int:
    """Run snakemake in the foreground and return its exit code; whoever stops this process stops it.

    Ctrl-C reaches snakemake by itself: it cancels its jobs and ends, and this process waits for that.

    Args:
        command: the call.
        output: file that takes what snakemake prints; by default it goes where this process's goes.
        each_second: called with the number of snakemake's process, at once and every second meanwhile.
    """
    child = subprocess.Popen(command, stdout=output, stderr=output)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    before = signal.signal(signal.SIGTERM, pass_on)
    interrupted = False
    try:
        while True:
            try:
                if each_second is not None:
                    each_second(child.pid)
                code = child.wait(None if each_second is None else 1.0)
                break
            except subprocess.TimeoutExpired:
                continue
            except KeyboardInterrupt:
                interrupted = True
    finally:
        signal.signal(signal.SIGTERM, before)
    if interrupted:
        return INTERRUPTED_CODE
    return code if code >= 0 else 128 - code


def _cancel(study: Study, jobs: Sequence[SlurmJob]) -> None:
    """Cancel jobs and wait until they are out of the queue."""
    ids = {job.id for job in jobs}
    if not ids:
        return
    cancel(sorted(ids))
    end = time.monotonic() + CANCEL_SECONDS
    while time.monotonic() < end:
        queue = study.queue()
        if queue is not None and ids.isdisjoint(job.id for job in queue):
            return
        time.sleep(1.0)
    raise TerranasError(f"The jobs {', '.join(sorted(ids))} were cancelled, but stay in the queue. Try again later.")


def _end_local(study: Study) -> None:
    """Ask trainings that run on this machine outside Slurm to save themselves and end, and wait for them."""
    for training in study.look().of("running"):
        process = training.holder.process if training.holder and training.job is None else None
        if process is not None and process.is_gone() is False:
            os.kill(process.pid, signal.SIGTERM)
            end = time.monotonic() + CANCEL_SECONDS
            while process.is_gone() is False and time.monotonic() < end:
                time.sleep(0.2)


def _ends(main: MainProcess, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if main.process.is_gone():
            return True
        time.sleep(0.2)
    return False
