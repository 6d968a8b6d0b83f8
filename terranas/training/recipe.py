"""How one architecture is trained: settings, optimiser, learning-rate schedule and device."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from terranas.core.errors import EnvironmentLackError

RMSPROP_DECAY = 0.9
RMSPROP_EPSILON = 1.0
"""What NAS-Bench-101 trained with, so that its learning rates keep their meaning (model_builder.py hands epsilon 1.0 to
TensorFlow's RMSProp, whose decay is 0.9). TensorFlow adds epsilon under the root and torch outside: sqrt(v + 1) and
sqrt(v) + 1 are alike for the small squared gradients v of a training."""


@dataclass(frozen=True)
class Recipe:
    """Settings of the section ``training`` of a study's configuration, under the same names.

    ``fp32`` leaves torch's own default on CUDA, where convolutions may use TF32 tensor cores.
    """

    device: str
    processes: int
    threads: int
    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    momentum: float
    weight_decay: float
    schedule: str
    loss: str
    label_smoothing: float
    class_weights: str
    augmentation: str
    precision: str
    memory_format: str
    compile: bool
    deterministic: bool
    best_metric: str

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "Recipe":
        """Return the recipe of a configuration section, which has already taken the values of a named one."""
        return cls(**settings)

    def build_optimizer(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Return the optimiser over a network's parameters, all of which decay.

        SGD and AdamW (Loshchilov and Hutter 2019; betas ``momentum`` and 0.999, epsilon 1e-8) as torch has them,
        RMSprop with the constants of NAS-Bench-101.
        """
        rate, decay = self.learning_rate, self.weight_decay
        if self.optimizer == "adamw":
            return torch.optim.AdamW(parameters, lr=rate, betas=(self.momentum, 0.999), weight_decay=decay)
        if self.optimizer == "rmsprop":
            smoothing, epsilon = RMSPROP_DECAY, RMSPROP_EPSILON
            return torch.optim.RMSprop(parameters, rate, smoothing, epsilon, decay, self.momentum)
        return torch.optim.SGD(parameters, lr=rate, momentum=self.momentum, weight_decay=decay)

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate of a step.

        The cosine and the linear schedule rise linearly to their peak over the first tenth of all steps; then they fall
        along half a cosine (Loshchilov and Hutter 2017, without restarts) or a line to almost 0 in the last step.

        Args:
            step: index of the step, from 0 over all epochs.
            steps: number of steps of the whole training.
        """
        if self.schedule == "constant":
            return self.learning_rate
        warm = max(1, steps // 10)
        if step < warm:
            return self.learning_rate * (step + 1) / warm
        passed = (step + 1 - warm) / (steps + 1 - warm)
        if self.schedule == "linear":
            return self.learning_rate * (1 - passed)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * passed))

    def is_better(self, row: Mapping[str, Any], best: Mapping[str, Any]) -> bool:
        """Return whether an epoch's row beats the best one so far; of equal ones the first stays."""
        new, old = row[self.best_metric], best[self.best_metric]
        return bool(new < old if self.best_metric.endswith("loss") else new > old)


def resolve_device(name: str, local_rank: int = 0, processes: int = 1) -> torch.device:
    """Return the device that ``auto``, ``cpu`` or ``cuda`` stands for.

    Raises:
        EnvironmentLackError: CUDA is asked for and there are too few devices.
    """
    available = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "cpu" or (name == "auto" and not available):
        return torch.device("cpu")
    if available < processes:
        raise EnvironmentLackError(
            f"training.device {name} with training.processes {processes} needs as many CUDA devices, but torch "
            f"{torch.__version__} finds {available} here. Set training.device to cpu, ask for more GPUs, or "
            "install torch's CUDA build (make TORCH=cuda)."
        )
    return torch.device("cuda", local_rank)
