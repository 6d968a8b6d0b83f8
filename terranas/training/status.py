"""The record of one training: how it ended, what it reached, and what it ran on."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from terranas import __version__
from terranas.core.errors import DataError
from terranas.core.files import read_json, write_json

Outcome = Literal["ok", "diverged", "out_of_memory", "accepted_failure"]
"""How a training ended."""


class StatusScores(BaseModel):
    """Scores of one split."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    loss: float = Field(ge=0)
    macro_accuracy: float = Field(ge=0, le=1)
    micro_accuracy: float = Field(ge=0, le=1)


class TrainingStatus(BaseModel):
    """Content of ``status.json``.

    Attributes:
        hash: the architecture.
        outcome: ``ok``, or why there is no full result.
        reason: empty for ``ok``, else a sentence.
        epochs: finished epochs.
        validation: scores after the last epoch, None where the outcome is not ``ok``.
        test: scores of the final network, None where the outcome is not ``ok``.
        processes: processes that trained together.
        device: device that it ran on; empty where nothing ran.
        seconds: wall time of the training.
        resumed: whether it went on from a checkpoint.
        code: fingerprint of the code that trained.
        numerics: version of the training's numbers.
        software: versions of the software.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    hash: str = Field(pattern="^[0-9a-f]{32}$")
    outcome: Outcome
    reason: str
    epochs: int = Field(ge=0)
    validation: StatusScores | None
    test: StatusScores | None
    processes: int = Field(ge=1)
    device: str
    seconds: float = Field(ge=0)
    resumed: bool
    code: str
    numerics: int
    software: dict[str, str]


def software_versions() -> dict[str, str]:
    """Return the versions of what decides a training's numbers."""
    packages = {name: version(name) for name in ("torch", "numpy")}
    return {"python": platform.python_version(), "terranas": __version__, **packages}


def write_status(status: TrainingStatus, path: str | Path) -> None:
    """Write the record as JSON, atomically."""
    write_json(path, status.model_dump(mode="json"))


def read_status(path: str | Path) -> TrainingStatus:
    """Read a record.

    Raises:
        DataError: the file is no such record, or of an incompatible version.
    """
    try:
        return TrainingStatus.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"])) or "content"
        raise DataError(
            f"{path} is no training status of this version of terranas ({key}: {first['msg']}). "
            "Remove that architecture's folder and run again."
        ) from error
