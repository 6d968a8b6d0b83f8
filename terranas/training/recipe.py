"""How one architecture is trained: settings, optimiser, learning-rate schedule and device."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from terranas.core.errors import EnvironmentLackError


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
    precision: str
    checkpoint_every: int

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "Recipe":
        """Return the recipe of a configuration section."""
        return cls(**settings)

    def deciding(self) -> dict[str, Any]:
        """Return the settings that decide a training's numbers: all but how often it is saved."""
        return {name: value for name, value in asdict(self).items() if name != "checkpoint_every"}

    def build_optimizer(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Return the optimiser over a network's parameters."""
        if self.optimizer == "adamw":
            return torch.optim.AdamW(
                parameters,
                lr=self.learning_rate,
                betas=(self.momentum, 0.999),
                weight_decay=self.weight_decay,
            )
        return torch.optim.SGD(
            parameters, lr=self.learning_rate, momentum=self.momentum, weight_decay=self.weight_decay
        )

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate of a step.

        The cosine schedule rises linearly to its peak over the first tenth of all steps and then falls along half a
        cosine (Loshchilov and Hutter 2017, without restarts) to almost 0 in the last step.

        Args:
            step: index of the step, from 0 over all epochs.
            steps: number of steps of the whole training.
        """
        if self.schedule == "constant":
            return self.learning_rate
        warm = max(1, steps // 10)
        if step < warm:
            return self.learning_rate * (step + 1) / warm
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (step + 1 - warm) / (steps + 1 - warm)))


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


def prepare_torch(recipe: Recipe) -> None:
    """Set torch's threads and, on the CPU, deterministic algorithms for this process.

    CUDA has no deterministic backward pass of max-pooling; there, results can differ in the last bits.
    """
    torch.set_num_threads(recipe.threads)
    if recipe.device == "cpu" or not torch.cuda.is_available():
        torch.use_deterministic_algorithms(True)
        # filling fresh memory costs time and would only guard against defects of torch
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
