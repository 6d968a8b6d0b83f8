"""One architecture's training as a campaign runs it: never twice at once, from fast storage, with a record."""

import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from terranas.core.energy import EnergyMeter
from terranas.core.errors import TerranasError
from terranas.core.files import read_json
from terranas.core.tables import read_table
from terranas.data.schema import BAND_STATISTICS, CLASS_COUNTS, SPLITS
from terranas.data.staging import staged
from terranas.training.deadline import Stop, job_deadline, made_progress
from terranas.training.estimate import estimate
from terranas.training.inputs import verify_arrays
from terranas.training.job import TrainingJob, finished_result, run_job
from terranas.training.journal import Journal, read_journal
from terranas.training.lease import Lease, LeaseHeldError, hold
from terranas.training.result import TrainingResult
from terranas.training.slurm_jobs import requeue
from terranas.training.status import Cost, TrainingStatus, status_of

logger = logging.getLogger(__name__)

OUT_OF_TIME = ("time limit", "SIGUSR1")
"""Reasons to stop that a new allocation mends."""

REQUEUE_SECONDS = 120
"""How long a job that is queued again waits for Slurm to end it."""


@dataclass(frozen=True)
class PreparedImages:
    """What the preparation left, as the trainings take it.

    Attributes:
        manifest: manifest of the arrays.
        statistics: BAND_STATISTICS.
        class_counts: CLASS_COUNTS.
        arrays: path of each array, keyed ``<split>_images`` and ``<split>_labels``.
    """

    manifest: dict[str, Any]
    statistics: pd.DataFrame
    class_counts: pd.DataFrame
    arrays: dict[str, str]

    @classmethod
    def of_files(cls, paths: Mapping[str, str]) -> "PreparedImages":
        """Read ``manifest``, ``statistics`` and ``class_counts``; the arrays stay where they are.

        Raises:
            DataError: the manifest cannot be read.
            TableError: a table does not follow its schema.
        """
        return cls(
            read_json(paths["manifest"]),
            read_table(paths["statistics"], BAND_STATISTICS),
            read_table(paths["class_counts"], CLASS_COUNTS),
            {name: path for name, path in paths.items() if name.endswith(("_images", "_labels"))},
        )


def build_job(
    cell: Mapping[str, str],
    settings: Mapping[str, Any],
    campaign: Mapping[str, Any],
    images: PreparedImages,
    nodes: int = 1,
) -> TrainingJob:
    """Return the job of one architecture.

    Args:
        cell: adjacency and operations of the architecture.
        settings: ``network``, ``recipe``, ``normalisation``, ``seed`` and ``state`` of the training's rule.
        campaign: the section ``campaign``.
        images: what to train on.
        nodes: nodes that the scheduler granted.
    """
    by_split = {split: rows.sort_values("band") for split, rows in images.statistics.groupby("split")}
    chosen = {split: by_split["train" if settings["normalisation"] == "training" else split] for split in SPLITS}
    counted = images.class_counts[images.class_counts["split"] == "train"].sort_values("class_index")
    return TrainingJob(
        adjacency=cell["adjacency"],
        operations=cell["operations"],
        network=dict(settings["network"]),
        recipe=dict(settings["recipe"]),
        campaign=dict(campaign),
        seed=settings["seed"],
        manifest=images.manifest,
        arrays=images.arrays,
        statistics={
            split: {"mean": rows["mean"].tolist(), "std": rows["std"].tolist()} for split, rows in chosen.items()
        },
        class_counts=counted["count"].tolist(),
        state=str(settings["state"]),
        deadline=job_deadline(campaign["deadline_margin"]),
        nodes=nodes,
    )


def train_architecture(job: TrainingJob, stop: Stop) -> TrainingResult:
    """Train one architecture, or return at once what an earlier run finished.

    While another process trains the same architecture this one waits; a dead one's place is taken. What happens stands
    in the architecture's journal.

    Raises:
        TerranasError: the input is not what it must be, a device is missing, or a process of several died.
    """
    try:
        with hold(job.folder, job.campaign["lease_seconds"], {"hash": job.cell.hash}, stop=stop) as lease:
            return _train_alone(job, stop, lease)
    except LeaseHeldError as error:  # it had to stop while it waited; the one that trains goes on
        logger.warning("%s", error)
        return TrainingResult(interrupted=stop.reason())


def _train_alone(job: TrainingJob, stop: Stop, lease: Lease) -> TrainingResult:
    """Train under a lease that this process holds."""
    journal = Journal(job.folder)
    if (finished := finished_result(job)) is not None:
        logger.info("The training was finished before; its result is taken over.")
        return finished
    journal.add("started", processes=job.recipe["processes"])
    energy = EnergyMeter()

    def report(facts: Mapping[str, Any]) -> None:
        journal.add(**facts)
        lease.report(dict(facts))

    try:
        # of several nodes each has its own fast storage; the processes there stage for themselves
        place = job.campaign["staging"] if job.nodes == 1 else None
        with staged(job.arrays, job.manifest, place, job.campaign["staging_cleanup"]) as arrays:
            if arrays == job.arrays:  # copies were compared while they were made
                verify_arrays(arrays, job.manifest)
            result = run_job(replace(job, arrays=dict(arrays)), stop, report)
    except TerranasError as error:
        journal.add("failed", reason=str(error))
        raise
    if result.outcome != "ok":
        logger.warning("%s: %s", result.outcome, result.reason)
    spent = {"energy_joule": energy.joules()}
    if result.interrupted:
        journal.add("interrupted", reason=result.interrupted, **spent)
    else:
        journal.add("finished", outcome=result.outcome, seconds=result.seconds, **spent)
    return result


def collect_packed(job: TrainingJob, receipt: str | Path) -> TrainingResult:
    """Return what a pack finished of one architecture.

    Args:
        job: the training.
        receipt: what the pack wrote about its members.

    Raises:
        TerranasError: the pack did not finish it.
    """
    if (finished := finished_result(job)) is not None:
        return finished
    # the receipt stays: retries and the pack's other members need it. Parsing the workflow anew removes it
    reason = read_json(receipt).get(job.cell.hash, "it is none of the pack's architectures")
    raise TerranasError(
        f"The training of {job.cell.hash} did not finish in its pack: {reason}. Run again to go on from its last "
        "checkpoint, or accept the failure (terranas accept)."
    )


def record_of(result: TrainingResult, job: TrainingJob, code: str) -> TrainingStatus:
    """Return the record of a training: its result, beside what was expected and what its journal tells.

    Energy is that of the GPUs in all runs that were not killed, None where no run could measure it.

    Args:
        result: what came out.
        job: the training.
        code: fingerprint of the code that trained.
    """
    events = read_journal(job.folder)
    joules = [event["energy_joule"] for event in events if isinstance(event.get("energy_joule"), int | float)]
    runs = sum(event["event"] == "started" for event in events)
    images = {split: job.manifest["splits"][split]["images"] for split in SPLITS}
    stored_bytes = np.dtype(job.manifest["storage"]["dtype"]).itemsize
    expected = estimate(job.cell, job.shape, job.recipe, images, stored_bytes)
    cost = Cost(seconds=expected.seconds, host_mb=expected.host_mb, device_mb=expected.device_mb)
    energy = float(sum(joules)) if joules else None
    return status_of(result, job, code, energy, cost, max(0, runs - 1))


def leave(jobs: Sequence[TrainingJob], reason: str) -> NoReturn:
    """End a Slurm job whose trainings saved themselves before their end; queue it again where its time ran out.

    Queued again, the same job goes on from the checkpoints; the workflow sees it waiting, so no retry is used up.

    Args:
        jobs: the trainings that were interrupted, at least one.
        reason: why they stopped.

    Raises:
        TerranasError: the job is not queued again: it was told to end, it made no step in its whole time, or Slurm
            refuses. The next attempt goes on from the checkpoints.
    """
    number = os.environ.get("SLURM_JOB_ID")
    names = ", ".join(job.cell.hash for job in jobs)
    if number is not None and reason in OUT_OF_TIME:
        if not any(made_progress(read_journal(job.folder)) for job in jobs):
            raise TerranasError(
                f"The training of {names} made no step in the time that job {number} had. Give the rule more time "
                "(runtime in slurm/config.yaml), or fewer seconds to campaign.deadline_margin."
            )
        for job in jobs:
            Journal(job.folder).add("requeued")
        requeue(number)
        time.sleep(REQUEUE_SECONDS)  # Slurm ends this process meanwhile
    raise TerranasError(
        f"The training of {names} stopped ({reason}) and saved itself; the next attempt goes on from there."
    )
