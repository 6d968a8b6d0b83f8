"""What comes out of a training."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from terranas.training.scores import Scores
from terranas.training.status import Outcome, Precision


@dataclass(frozen=True)
class BestEpoch:
    """The epoch with the best validation, and what its network reached.

    Attributes:
        epoch: index of the epoch, from 1.
        validation: scores of that epoch.
        test: scores of its network on the test images.
    """

    epoch: int
    validation: Scores
    test: Scores


@dataclass
class TrainingResult:
    """What came out of a training.

    Attributes:
        outcome: ``ok``, or why there is no full result.
        reason: a sentence where the outcome is not ``ok``.
        interrupted: why the training saved itself and stopped before its end; empty where it did not.
        rows: one dictionary a finished epoch, the columns of EPOCHS without ``hash`` and ``source``.
        class_rows: images and correct ones of each class, the columns of CLASS_ACCURACIES without these.
        confusions: confusion matrices of last and best network, the columns of CONFUSIONS without these.
        weights: the network's final state on the CPU; empty where the outcome is not ``ok``.
        best_weights: the state after the best epoch; empty where the outcome is not ``ok``.
        validation: scores after the last epoch, None where the outcome is not ``ok``.
        test: scores of the final network, None where the outcome is not ``ok``.
        best: the best epoch, None where the outcome is not ``ok``.
        micro_batch: most images of a process that went through the network at once; 0 where nothing ran.
        precision: precision of the forward pass; None where nothing ran.
        device: device that it ran on; empty where nothing ran.
        seconds: wall time, that before an interruption included.
        resumed: whether it went on from a checkpoint, or had been finished by an earlier run.
        peak_host_mb: most memory of the machine that the processes held together, in MB (10^6 bytes).
        peak_device_mb: most memory of one GPU, in MB; 0 where it trained on CPUs.
    """

    outcome: Outcome = "ok"
    reason: str = ""
    interrupted: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    class_rows: list[dict[str, Any]] = field(default_factory=list)
    confusions: list[dict[str, Any]] = field(default_factory=list)
    weights: dict[str, Tensor] = field(default_factory=dict)
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    validation: Scores | None = None
    test: Scores | None = None
    best: BestEpoch | None = None
    micro_batch: int = 0
    precision: Precision | None = None
    device: str = ""
    seconds: float = 0.0
    resumed: bool = False
    peak_host_mb: float = 0.0
    peak_device_mb: float = 0.0

    def fail(self, outcome: Outcome, reason: str) -> None:
        """Note that there is no full result, and why; the rows of finished epochs stay."""
        self.outcome, self.reason = outcome, reason
        self.confusions, self.weights, self.best_weights = [], {}, {}
        self.validation, self.test, self.best = None, None, None

    def state(self) -> dict[str, Any]:
        """Return the result as plain values and tensors."""
        content = {part.name: getattr(self, part.name) for part in fields(self)}
        for part in ("validation", "test", "best"):
            content[part] = asdict(content[part]) if content[part] else None
        return content

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "TrainingResult":
        """Return the result that :meth:`state` described."""
        content = dict(state)
        for part in ("validation", "test"):
            content[part] = Scores(**content[part]) if content[part] else None
        if best := content["best"]:
            content["best"] = BestEpoch(best["epoch"], Scores(**best["validation"]), Scores(**best["test"]))
        return cls(**content)


def save_result(result: TrainingResult, path: Path) -> None:
    """Hand a result to the process that started this one."""
    torch.save(result.state(), path)


def load_result(path: Path) -> TrainingResult:
    """Take a result that :func:`save_result` wrote."""
    return TrainingResult.from_state(torch.load(path, weights_only=True))


def given_up(reason: str) -> TrainingResult:
    """Return the result of a training whose failure somebody accepted: no rows, no weights."""
    result = TrainingResult()
    result.fail("accepted_failure", reason)
    return result


def copy_state(network: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a network's state on the CPU, each tensor in plain order."""
    return {name: value.detach().cpu().clone().contiguous() for name, value in network.state_dict().items()}


def validation_scores(row: Mapping[str, Any]) -> Scores:
    """Return the validation scores that stand in an epoch's row."""
    return Scores(**{part.name: row[f"validation_{part.name}"] for part in fields(Scores)})


def class_rows(epoch: int, split: str, confusion: Tensor) -> list[dict[str, Any]]:
    """Return the rows of CLASS_ACCURACIES for a confusion matrix, rows being true classes."""
    counts = zip(confusion.sum(dim=1).tolist(), confusion.diagonal().tolist(), strict=True)
    return [
        {"epoch": epoch, "split": split, "class_index": index, "images": images, "correct": correct}
        for index, (images, correct) in enumerate(counts)
    ]


def confusion_rows(network: str, split: str, confusion: Tensor) -> list[dict[str, Any]]:
    """Return the rows of CONFUSIONS for a confusion matrix, those without images included."""
    return [
        {"network": network, "split": split, "true_class": true, "predicted_class": predicted, "images": images}
        for true, line in enumerate(confusion.tolist())
        for predicted, images in enumerate(line)
    ]
