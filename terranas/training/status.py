"""The record of one training: how it ended, what it reached, what it took and what it ran on."""

import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from terranas import __version__
from terranas.core.errors import DataError
from terranas.core.files import read_json, write_json
from terranas.training import NUMERICS_VERSION

if TYPE_CHECKING:  # they import torch, which readers of a record do not need
    from terranas.training.job import TrainingJob
    from terranas.training.result import TrainingResult

Outcome = Literal["ok", "diverged", "out_of_memory", "accepted_failure"]
"""How a training ended."""

Precision = Literal["fp32", "bf16", "fp16"]
"""What the forward passes of a network compute in."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class StatusScores(_Record):
    """Scores of one split."""

    loss: float = Field(ge=0)
    macro_accuracy: float = Field(ge=0, le=1)
    micro_accuracy: float = Field(ge=0, le=1)
    kappa: float = Field(ge=-1, le=1)


class StatusBest(_Record):
    """The epoch with the best validation, and what its network reached."""

    epoch: int = Field(ge=1)
    validation: StatusScores
    test: StatusScores


class Cost(_Record):
    """What a training takes; memory in MB (10^6 bytes), of the machine over all processes, and of one GPU."""

    seconds: float = Field(ge=0)
    host_mb: float = Field(ge=0)
    device_mb: float = Field(ge=0)


class TrainingStatus(_Record):
    """Content of ``status.json``.

    Attributes:
        hash: the architecture.
        outcome: ``ok``, or why there is no full result.
        reason: empty for ``ok``, else a sentence.
        epochs: finished epochs.
        validation: scores after the last epoch, None where the outcome is not ``ok``.
        test: scores of the network of the last epoch, None where the outcome is not ``ok``.
        best: the best epoch, None where the outcome is not ``ok``.
        micro_batch: most images of a process that went through the network at once; 0 where nothing ran.
        precision: precision of the forward pass; None where nothing ran.
        processes: processes that trained together.
        device: device that it ran on; empty where nothing ran.
        seconds: wall time of the training, that of earlier parts included.
        energy_joule: energy that the GPUs took in all runs that were not killed, None where none measured it.
        estimate: what was expected before the start, None where nothing was.
        used: what it took, None where nothing ran; memory is that of the last run, and starting up does not count to
            the seconds, as it does to those expected.
        resumed: whether it went on from a checkpoint, or had been finished by an earlier run.
        interruptions: how often it was stopped or killed on the way.
        code: fingerprint of the code that trained.
        numerics: version of the training's numbers.
        software: versions of the software.
    """

    hash: str = Field(pattern="^[0-9a-f]{32}$")
    outcome: Outcome
    reason: str
    epochs: int = Field(ge=0)
    validation: StatusScores | None
    test: StatusScores | None
    best: StatusBest | None
    micro_batch: int = Field(ge=0)
    precision: Precision | None
    processes: int = Field(ge=1)
    device: str
    seconds: float = Field(ge=0)
    energy_joule: float | None = Field(ge=0)
    estimate: Cost | None
    used: Cost | None
    resumed: bool
    interruptions: int = Field(ge=0)
    code: str
    numerics: int
    software: dict[str, str]


def status_of(
    result: "TrainingResult",
    job: "TrainingJob",
    code: str,
    energy_joule: float | None = None,
    estimate: Cost | None = None,
    interruptions: int = 0,
) -> TrainingStatus:
    """Return the record of a training.

    Args:
        result: what came out.
        job: the training.
        code: fingerprint of the code that trained.
        energy_joule: energy of all runs, None where it was not measured.
        estimate: what was expected before the start.
        interruptions: how often it was stopped or killed on the way.
    """
    ran = result.device != ""
    used = Cost(seconds=result.seconds, host_mb=result.peak_host_mb, device_mb=result.peak_device_mb)
    return TrainingStatus(
        hash=job.cell.hash,
        outcome=result.outcome,
        reason=result.reason,
        epochs=len(result.rows),
        validation=None if result.validation is None else StatusScores(**asdict(result.validation)),
        test=None if result.test is None else StatusScores(**asdict(result.test)),
        best=None if result.best is None else StatusBest.model_validate(asdict(result.best)),
        micro_batch=result.micro_batch,
        precision=result.precision,
        processes=job.recipe["processes"],
        device=result.device,
        seconds=result.seconds,
        energy_joule=energy_joule,
        estimate=estimate,
        used=used if ran else None,
        resumed=result.resumed,
        interruptions=interruptions,
        code=code,
        numerics=NUMERICS_VERSION,
        software=software_versions(),
    )


def software_versions() -> dict[str, str]:
    """Return the versions of what decides a training's numbers."""
    import torch  # slow to import, and readers of a record do not need it

    versions = {"python": platform.python_version(), "terranas": __version__}
    versions |= {name: version(name) for name in ("torch", "numpy")}
    if torch.cuda.is_available():
        cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
        versions |= {"cuda": str(torch.version.cuda), "cudnn": str(cudnn)}
    return versions


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
