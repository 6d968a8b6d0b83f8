"""What a training minimises. What it records is the plain cross-entropy in any case."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

FOCUS = 2.0
"""Exponent gamma of the focal loss; Lin et al. 2017 (section 5.1) found 2 to work best."""

Objective = Callable[[Tensor, Tensor], Tensor]
"""Logits (n, classes) as float32 and labels (n,) -> the sum of the losses of the n images."""


def summed_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the sum of the plain cross-entropies, the loss that is recorded."""
    return F.cross_entropy(logits, labels, reduction="sum")


def build_objective(
    loss: str, label_smoothing: float, class_weights: str, class_counts: Sequence[int], device: torch.device
) -> Objective:
    """Return what is minimised; :func:`summed_cross_entropy` itself where the settings ask for no more.

    With s the smoothing, w the weights and q = (1 - s) * one_hot(label) + s / classes, an image's loss is
    -sum_c w_c q_c log p_c (cross-entropy, as torch defines it) or -sum_c w_c q_c (1 - p_c)^2 log p_c (focal loss).

    Args:
        loss: ``cross_entropy`` or ``focal``.
        label_smoothing: share of each label spread over all classes.
        class_weights: ``none`` or ``balanced``.
        class_counts: training images of each class, needed for balanced weights.
        device: device of the logits.
    """
    weights = balanced_weights(class_counts).to(device) if class_weights == "balanced" else None
    if loss == "cross_entropy" and label_smoothing == 0 and weights is None:
        return summed_cross_entropy

    def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits, labels, weights, reduction="sum", label_smoothing=label_smoothing)

    def focal(logits: Tensor, labels: Tensor) -> Tensor:
        log_p = F.log_softmax(logits, dim=1)
        spread = label_smoothing / logits.shape[1]
        target = torch.full_like(log_p, spread).scatter_(1, labels[:, None], 1 - label_smoothing + spread)
        if weights is not None:
            target = target * weights
        return -(target * (-torch.expm1(log_p)) ** FOCUS * log_p).sum()

    return focal if loss == "focal" else cross_entropy


def balanced_weights(class_counts: Sequence[int]) -> Tensor:
    """Return weights inverse to the counts, whose mean over the images is 1; classes without images weigh nothing.

    With a mean of 1 the learning rate keeps its meaning, whatever the classes' sizes.
    """
    counts = torch.tensor(class_counts, dtype=torch.float64)
    present = counts > 0
    weights = torch.zeros_like(counts)
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return weights.float()
