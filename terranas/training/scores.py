"""Loss and accuracies, counted exactly over batches and processes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Scores:
    """Mean loss and accuracies of one pass.

    Attributes:
        loss: mean cross-entropy an image.
        macro_accuracy: mean of the accuracies of the classes that have images.
        micro_accuracy: share of correct images.
    """

    loss: float
    macro_accuracy: float
    micro_accuracy: float


class Tally:
    """Counts of images and of correct ones per class, and the summed loss; it stays on the device until asked."""

    def __init__(self, classes: int, device: torch.device):
        self._images = torch.zeros(classes, dtype=torch.int64, device=device)
        self._correct = torch.zeros(classes, dtype=torch.int64, device=device)
        self._loss = torch.zeros((), dtype=torch.float64, device=device)

    def add(self, logits: Tensor, labels: Tensor, summed_loss: Tensor) -> None:
        """Count a batch: logits (n, classes), labels (n,) and the sum of its losses."""
        hits = labels[logits.argmax(dim=1) == labels]
        classes = len(self._images)
        self._images += torch.bincount(labels, minlength=classes)
        self._correct += torch.bincount(hits, minlength=classes)
        self._loss += summed_loss.detach()

    def scores(self, all_reduce: Callable[[Tensor], None]) -> Scores:
        """Return the scores over all processes.

        Args:
            all_reduce: sums a tensor over the processes, in place.
        """
        for tensor in (self._images, self._correct, self._loss):
            all_reduce(tensor)
        images, correct = self._images.double(), self._correct.double()
        present = images > 0
        return Scores(
            loss=(self._loss / images.sum()).item(),
            macro_accuracy=(correct[present] / images[present]).mean().item(),
            micro_accuracy=(correct.sum() / images.sum()).item(),
        )
