"""Loss, accuracies and kappa, counted exactly over batches and processes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Scores:
    """Mean loss and agreement of one pass over a split.

    Attributes:
        loss: mean cross-entropy an image.
        macro_accuracy: mean of the accuracies of the classes that have images.
        micro_accuracy: share of correct images.
        kappa: Cohen's kappa (1960), agreement beyond chance; 0 where there is one class only, true and predicted.
    """

    loss: float
    macro_accuracy: float
    micro_accuracy: float
    kappa: float

    @classmethod
    def of(cls, confusion: Tensor, loss: float) -> "Scores":
        """Return the scores of a confusion matrix, rows being true classes, and the mean loss."""
        counts = confusion.double()
        images, correct, total = counts.sum(dim=1), counts.diagonal(), counts.sum()
        present = images > 0
        agreement = (correct.sum() / total).item()
        chance = ((images * counts.sum(dim=0)).sum() / total**2).item()
        return cls(
            loss=loss,
            macro_accuracy=(correct[present] / images[present]).mean().item(),
            micro_accuracy=agreement,
            kappa=(agreement - chance) / (1 - chance) if chance < 1 else 0.0,
        )


class Tally:
    """Counts of a pass, held on the device until asked, so that the device never waits for them.

    Attributes:
        confusion: images by true and predicted class, shape (classes, classes).
        losses: summed cross-entropies of each step, shape (steps,).
        norms: gradient norm of each step, shape (steps,); equal in all processes.
    """

    def __init__(self, classes: int, steps: int, device: torch.device):
        self.confusion = torch.zeros((classes, classes), dtype=torch.int64, device=device)
        self.losses = torch.zeros(steps, dtype=torch.float64, device=device)
        self.norms = torch.zeros(steps, dtype=torch.float64, device=device)

    def add(self, step: int, logits: Tensor, labels: Tensor, loss: Tensor) -> None:
        """Count a batch of a step: logits (n, classes), labels (n,) and the sum of its cross-entropies."""
        cells = labels * len(self.confusion) + logits.argmax(dim=1)
        # not bincount, for whose size CUDA would have to wait
        self.confusion.view(-1).index_add_(0, cells, torch.ones_like(cells))
        self.losses[step] += loss.detach()

    def reduce(self, all_reduce: Callable[[Tensor], None]) -> None:
        """Sum the counts over the processes, in place; after that, only process 0 may go on counting with them.

        Args:
            all_reduce: sums a tensor over the processes, in place.
        """
        all_reduce(self.confusion)
        all_reduce(self.losses)

    def fetch(self) -> None:
        """Bring the counts to the CPU, once the device has counted all of them."""
        self.confusion, self.losses, self.norms = self.confusion.cpu(), self.losses.cpu(), self.norms.cpu()

    def scores(self) -> Scores:
        """Return the scores of reduced and fetched counts."""
        return Scores.of(self.confusion, (self.losses.sum() / self.confusion.sum()).item())

    def mean_norm(self) -> float:
        """Return the mean of the gradient norms; those of steps that were skipped (fp16) are not finite."""
        return self.norms[self.norms.isfinite()].mean().item()

    def state(self) -> dict[str, Any]:
        """Return the counts as tensors on the CPU."""
        return {name: getattr(self, name).cpu() for name in ("confusion", "losses", "norms")}

    def restore(self, state: dict[str, Any], rank: int) -> None:
        """Take reduced counts: process 0 all of them, the others none, so that their sum is what it was."""
        if rank == 0:
            self.confusion.copy_(state["confusion"])
            self.losses.copy_(state["losses"])
        self.norms.copy_(state["norms"])
