"""What a campaign took, lost and still needs: the numbers behind its page, and the table of its trainings."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.training.campaign import Campaign, Training

CORRECTED_FROM = 3
"""Finished trainings from which on their times correct the estimate of those to come."""


@dataclass(frozen=True)
class Expected:
    """What a training is expected to take.

    Attributes:
        seconds: time.
        host_mb: memory of the machine.
        device_mb: memory of one GPU; 0 on CPUs.
    """

    seconds: float
    host_mb: float
    device_mb: float


@dataclass(frozen=True)
class Outlook:
    """What a campaign took and still needs, in seconds of one process (of one GPU, where it trains on GPUs).

    Attributes:
        planned: for all trainings, as expected before any of them began.
        spent: so far.
        lost: of what was spent, work that no checkpoint kept.
        left: for what is not finished yet.
        longest: time that the longest of the trainings to come is expected to take.
        correction: what the times expected are multiplied by, from the trainings finished so far; 1 before there are
            enough.
        energy: joules, as far as they are known.
        energy_known: share of the time spent whose energy is known.
    """

    planned: float
    spent: float
    lost: float
    left: float
    longest: float
    correction: float
    energy: float
    energy_known: float


def outlook(campaign: Campaign, expected: Mapping[str, Expected], processes: int) -> Outlook:
    """Return what a campaign took and still needs.

    Args:
        campaign: where the trainings stand.
        expected: what each is expected to take.
        processes: processes of one training.
    """
    ratios = time_ratios(campaign, expected)
    correction = float(np.median(ratios)) if len(ratios) >= CORRECTED_FROM else 1.0
    spent = sum(training.process_seconds for training in campaign.trainings)
    measured = sum(
        attempt.seconds * attempt.processes
        for training in campaign.trainings
        for attempt in training.attempts
        if attempt.energy is not None
    )
    to_come = [_left(training, expected[training.hash], correction) for training in campaign.trainings]
    return Outlook(
        planned=processes * sum(one.seconds for one in expected.values()),
        spent=spent,
        lost=sum(attempt.wasted * attempt.processes for found in campaign.trainings for attempt in found.attempts),
        left=processes * sum(to_come),
        longest=max(to_come, default=0.0),
        correction=correction,
        energy=sum(training.energy or 0.0 for training in campaign.trainings),
        energy_known=measured / spent if spent else 0.0,
    )


def time_ratios(campaign: Campaign, expected: Mapping[str, Expected]) -> NDArray[np.float64]:
    """Return the time taken over the time expected of the trainings that reached their end."""
    ratios = [
        training.kept / expected[training.hash].seconds
        for training in campaign.of("finished")
        if training.outcome == "ok" and training.kept > 0 and expected[training.hash].seconds > 0
    ]
    return np.array(ratios, dtype=np.float64)


def memory_ratios(campaign: Campaign, expected: Mapping[str, Expected], device: bool) -> NDArray[np.float64]:
    """Return the memory taken over the memory expected, of one GPU or of the machine."""
    ratios = []
    for training in campaign.of("finished"):
        used = training.used_device_mb if device else training.used_host_mb
        thought = expected[training.hash].device_mb if device else expected[training.hash].host_mb
        if used is not None and thought > 0:
            ratios.append(used / thought)
    return np.array(ratios, dtype=np.float64)


def slowest(campaign: Campaign, count: int = 10) -> list[Training]:
    """Return the trainings that took longest, the slowest first."""
    timed = [training for training in campaign.trainings if training.kept > 0]
    return sorted(timed, key=lambda training: -training.kept)[:count]


def trainings_table(campaign: Campaign, expected: Mapping[str, Expected]) -> pd.DataFrame:
    """Return one row a training, for programs; what is not known is empty."""
    rows: Sequence[dict[str, Any]] = [
        {
            "hash": training.hash,
            "state": training.state,
            "outcome": training.outcome,
            "reason": training.reason,
            "epochs": training.epochs,
            "attempts": len(training.attempts),
            "interrupted": training.endings("interrupted"),
            "requeued": sum(attempt.requeued for attempt in training.attempts),
            "failed": training.endings("failed"),
            "killed": training.endings("killed"),
            "seconds": round(training.seconds, 1),
            "process_hours": round(training.process_seconds / 3600, 4),
            "lost_seconds": round(training.wasted, 1),
            "seconds_left": _rounded(training.left),
            "energy_joule": _rounded(training.energy),
            "expected_seconds": _rounded(expected[training.hash].seconds),
            "expected_host_mb": _rounded(expected[training.hash].host_mb),
            "used_host_mb": _rounded(training.used_host_mb),
            "expected_device_mb": _rounded(expected[training.hash].device_mb),
            "used_device_mb": _rounded(training.used_device_mb),
            "slurm_job": training.job.id if training.job else "",
            "host": training.attempts[-1].host if training.attempts else "",
        }
        for training in campaign.trainings
    ]
    return pd.DataFrame(rows)


def _left(training: Training, expected: Expected, correction: float) -> float:
    """Return the seconds that a training still needs."""
    if training.state == "finished":
        return 0.0
    if training.left is not None:
        return training.left
    whole = expected.seconds * correction
    # what its checkpoints hold need not be done again
    return max(0.0, whole - training.kept)


def _rounded(value: float | None) -> float:
    return math.nan if value is None else round(value, 1)
