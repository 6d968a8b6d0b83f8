"""What a training is given beside the network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from terranas.training.batches import ImageSet, epoch_steps
from terranas.training.checkpoint import Checkpoints
from terranas.training.distributed import ALONE, Ranks
from terranas.training.estimate import EVALUATED_TOGETHER
from terranas.training.precision import resolve_precision
from terranas.training.recipe import Recipe
from terranas.training.status import Precision


@dataclass(frozen=True)
class Task:
    """What a training is given beside the network.

    Attributes:
        data: the splits ``train``, ``validation`` and ``test`` on ``device``.
        classes: number of classes.
        recipe: the settings.
        order: gives the permutation of the training images in an epoch, counted from 1.
        device: the device of this process.
        ranks: this process among those that train together.
        micro_batch: most images of a process that go through the network at once; 0: a whole batch.
        class_counts: training images of each class, for balanced class weights.
        seed: seed of the augmentation, another one in each process.
        checkpoints: where to save and to go on from; None saves nothing.
        stop: asked again and again; a text other than "" is the reason why to save and stop.
        report: told of every epoch and checkpoint in process 0, in plain values.
    """

    data: Mapping[str, ImageSet]
    classes: int
    recipe: Recipe
    order: Callable[[int], NDArray[np.int64]]
    device: torch.device
    ranks: Ranks = ALONE
    micro_batch: int = 0
    class_counts: Sequence[int] = ()
    seed: int = 0
    checkpoints: Checkpoints | None = None
    stop: Callable[[], str] = lambda: ""
    report: Callable[[dict[str, Any]], None] = lambda _: None

    @cached_property
    def epoch_steps(self) -> int:
        """Steps of an epoch."""
        return epoch_steps(len(self.data["train"]), self.recipe.batch_size, self.ranks.size)

    @cached_property
    def precision(self) -> Precision:
        """Precision of the forward pass on this device."""
        return resolve_precision(self.recipe.precision, self.device)

    @cached_property
    def arithmetic(self) -> str:
        """What the training computes in, and on what kind of device; settings may leave both to the machine."""
        return f"{self.precision} on {self.device.type}"

    @cached_property
    def together(self) -> int:
        """Most training images of a process that go through the network at once."""
        return min(self.micro_batch or self.recipe.batch_size, self.recipe.batch_size)

    @cached_property
    def evaluated_together(self) -> int:
        """Images of a process that are evaluated at once; where memory was short, no more than are trained on."""
        usual = EVALUATED_TOGETHER[self.device.type]
        return min(usual, self.together) if self.together < self.recipe.batch_size else usual
