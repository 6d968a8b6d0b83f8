"""Records of trainings that nobody ran."""

from typing import Any

from terranas.training.status import StatusScores, TrainingStatus

_RECORD: dict[str, Any] = {
    "outcome": "ok",
    "reason": "",
    "epochs": 1,
    "validation": None,
    "test": None,
    "best": None,
    "micro_batch": 16,
    "precision": "fp32",
    "processes": 1,
    "device": "cpu",
    "seconds": 1.0,
    "energy_joule": None,
    "estimate": None,
    "used": None,
    "resumed": False,
    "interruptions": 0,
    "code": "0" * 16,
    "numerics": 1,
    "software": {},
}


def status(cell: str, **changed: Any) -> TrainingStatus:
    """Return the record of a training of a cell, by its hash."""
    return TrainingStatus.model_validate(_RECORD | {"hash": cell} | changed)


def scores(micro: float, macro: float) -> StatusScores:
    """Return scores with these accuracies."""
    return StatusScores(loss=1.0, micro_accuracy=micro, macro_accuracy=macro, kappa=0.4)
