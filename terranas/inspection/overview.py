"""Where a study stands: of each stage, what is done, running, failed, missing or stale, and why."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from terranas.core.errors import DataError
from terranas.core.records import read_record, record_path
from terranas.core.stages import STAGES
from terranas.inspection.failures import Failure, read_failures
from terranas.inspection.reasons import Cause, causes_of
from terranas.inspection.workflow import Job, StudyCall
from terranas.training.acceptance import read_accepted
from terranas.training.campaign import Training, last_error, tail_of
from terranas.training.campaign_resume import Study
from terranas.training.campaign_run import MainProcess, announced

State = Literal["done", "running", "queued", "failed", "missing", "stale"]

STATES: dict[State, str] = {
    "done": "its files are there and belong to the settings",
    "running": "a job makes its files now",
    "queued": "its job waits in Slurm's queue",
    "failed": "its last attempt ended with an error",
    "missing": "was not made yet",
    "stale": "its files are there, but belong to other inputs, settings or code",
}
"""States of a job, and what they mean."""

Runner = Literal["none", "running", "gone", "unknown"]
SAME_MOMENT = 2.0
"""Seconds between a failure in Snakemake's log, which tells whole seconds, and the failed job's record."""

TRAINING_RULE = "training_train"
_OF_TRAINING: dict[str, State] = {"running": "running", "queued": "queued", "waiting": "queued", "failed": "failed"}


@dataclass(frozen=True)
class JobState:
    """Where one job stands.

    Attributes:
        job: the job.
        state: its state.
        causes: why it would run; none for a finished one.
        error: why it failed, as far as that is known.
        log: its log file, where there is one.
        log_tail: the log's last lines, of a failed job.
    """

    job: Job
    state: State
    causes: Sequence[Cause] = ()
    error: str = ""
    log: str | None = None
    log_tail: Sequence[str] = ()

    def facts(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "rule": self.job.rule,
            "stage": self.job.stage,
            "wildcards": dict(self.job.wildcards),
            "outputs": list(self.job.outputs),
            "state": self.state,
            "causes": [cause.facts() for cause in self.causes],
            "error": self.error,
            "log": self.log,
            "log_tail": list(self.log_tail),
        }


@dataclass(frozen=True)
class Overview:
    """Where a study stands.

    Attributes:
        results: its results folder.
        main: the snakemake process that announced itself last.
        runner: whether it runs.
        has_list: whether the list of architectures was made, without which trainings are not known.
        jobs: every job of the study.
        accepted: reasons of trainings whose failure was accepted, by hash.
    """

    results: Path
    main: MainProcess | None
    runner: Runner
    has_list: bool
    jobs: Sequence[JobState]
    accepted: Mapping[str, str]

    def of(self, *states: State) -> list[JobState]:
        """Return the jobs in one of these states."""
        return [job for job in self.jobs if job.state in states]

    def stages(self) -> list[tuple[str, Counter[str]]]:
        """Return how many jobs are in which state, for each stage that has jobs, in the order the data flow."""
        counts: dict[str, Counter[str]] = {stage: Counter() for stage in STAGES}
        for job in self.jobs:
            counts.setdefault(job.job.stage, Counter())[job.state] += 1
        return [(stage, states) for stage, states in counts.items() if states]

    def facts(self) -> dict[str, Any]:
        """Return it as plain values; finished jobs are counted and not listed."""
        return {
            "results_dir": str(self.results),
            "snakemake": {"state": self.runner, "process": str(self.main) if self.main else None},
            "architectures_listed": self.has_list,
            "stages": [
                {"stage": stage, "jobs": states.total(), **{state: states[state] for state in STATES}}
                for stage, states in self.stages()
            ],
            "jobs": [job.facts() for job in self.jobs if job.state != "done"],
            "accepted": dict(self.accepted),
        }


def look(call: StudyCall) -> Overview:
    """Return where a study stands: what Snakemake would do, what its logs tell, and what trainings left behind.

    Raises:
        TerranasError: snakemake refuses.
    """
    with ThreadPoolExecutor(2) as pool:  # two dry runs of some seconds each
        every, planned = pool.submit(call.planned, everything=True), pool.submit(call.planned)
        jobs, to_run = every.result(), planned.result()
    main = announced(call.folder / call.results)
    runner = _runner(main)
    scene = _Scene(call, runner == "running", _trainings(call), read_failures(call.folder / ".snakemake" / "log"))
    waiting = {_key(job): job for job in to_run}
    states = [scene.state(waiting.get(_key(job)), job) for job in jobs]
    accepted = read_accepted(call.folder / call.results / "training" / "accepted.json")
    return Overview(call.results, main, runner, call.has_list, states, accepted)


def _key(job: Job) -> tuple[str, str]:
    return job.rule, job.outputs[0]


def _runner(main: MainProcess | None) -> Runner:
    if main is None:
        return "none"
    states: dict[bool | None, Runner] = {True: "gone", False: "running", None: "unknown"}
    return states[main.process.is_gone()]


def _trainings(call: StudyCall) -> Mapping[str, Training]:
    try:
        study = Study.of_settings(call.config.model_dump(mode="json"), call.configfile)
    except DataError:  # there is no list of architectures yet
        return {}
    return {training.hash: training for training in study.look().trainings}


@dataclass
class _Scene:
    """What is known of a study besides Snakemake's plan."""

    call: StudyCall
    runs: bool
    trainings: Mapping[str, Training]
    failures: Mapping[str, Failure]
    _marked: Collection[Path] = field(init=False)

    def __post_init__(self) -> None:
        place = self.call.folder / ".snakemake" / "incomplete"
        self._marked = {path for path in place.rglob("*") if path.is_file()} if self.runs else set()

    def state(self, planned: Job | None, job: Job) -> JobState:
        """Return where a job stands.

        Args:
            planned: the same job as Snakemake would run it; None where it would not.
            job: the job.
        """
        log = next((name for name in job.logs if (self.call.folder / name).is_file()), None)
        training = self.trainings.get(job.wildcards.get("hash", "")) if job.rule == TRAINING_RULE else None
        if self._runs_now(job):
            return JobState(job, "running", log=log)
        if planned is None:
            # Snakemake makes a file between others again only when something needs it
            gone = tuple(name for name in job.outputs if not (self.call.folder / name).exists())
            return JobState(job, "missing", [Cause("removed", gone)]) if gone else JobState(job, "done", log=log)
        causes = causes_of(planned, self.call.metadata, self.call.config)
        lacking = not any((self.call.folder / name).exists() for name in job.outputs)
        state: State = "missing" if any(cause.kind == "missing_output" for cause in causes) else "stale"
        if training is not None and training.state in _OF_TRAINING and (lacking or training.state != "failed"):
            tail = training.log_tail if training.state == "failed" else ()
            return JobState(job, _OF_TRAINING[training.state], causes, training.reason, log, tail)
        if lacking and (failure := self._failure(job)) is not None:
            tail = tail_of(self.call.folder / log) if log else ()
            error = last_error(tail) or f"ended without a word in its log; {failure.log} tells of the call"
            return JobState(job, "failed", causes, error, log, tail)
        return JobState(job, state, causes, log=log)

    def _runs_now(self, job: Job) -> bool:
        """Return whether Snakemake, which runs, began the job and did not end it."""
        place = self.call.folder / ".snakemake" / "incomplete"
        return any(record_path(place, name) in self._marked for name in job.outputs)

    def _failure(self, job: Job) -> Failure | None:
        """Return the failure of a job that did not succeed since."""
        failure = self.failures.get(job.outputs[0])
        record = read_record(self.call.metadata, job.outputs[0])
        # Snakemake writes a record of a failed job too, in the same moment as its log
        if failure is None or record is None or record.ended is None:
            return failure
        return None if record.ended > failure.time + SAME_MOMENT else failure
