"""Everything of a training that changes while it runs, and how it goes into a checkpoint and comes back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from terranas.core.errors import EnvironmentLackError
from terranas.training.distributed import Ranks
from terranas.training.recipe import Recipe
from terranas.training.scores import Tally


@dataclass
class Best:
    """The best epoch so far.

    Attributes:
        epoch: its index, from 1.
        confusion: confusion matrix of its validation, (classes, classes).
        weights: the network's state after it, on the CPU.
    """

    epoch: int
    confusion: Tensor
    weights: dict[str, Tensor]


class State:
    """Network, optimiser and what else goes on changing, with the position in the training.

    Attributes:
        network: the network.
        optimizer: its optimiser.
        scaler: scales losses so that fp16 gradients do not vanish; does nothing in other precisions.
        generator: what this process draws augmentations from.
        epochs: finished epochs.
        steps: steps taken of the next epoch.
        tally: counts of these steps.
        rows: rows of the finished epochs.
        class_rows: their rows by class.
        best: the best epoch so far.
        validated: confusion matrix of the last validation.
        seconds: wall time up to the last checkpoint or row.
        epoch_seconds: time that the steps of the unfinished epoch took.
    """

    def __init__(self, network: nn.Module, recipe: Recipe, tally: Tally, precision: str, generator: torch.Generator):
        self.network = network
        self.optimizer = recipe.build_optimizer(network.parameters())
        self.scaler = torch.amp.GradScaler(tally.confusion.device.type, enabled=precision == "fp16")
        self.generator = generator
        self.epochs, self.steps = 0, 0
        self.tally = tally
        self.rows: list[dict[str, Any]] = []
        self.class_rows: list[dict[str, Any]] = []
        self.best: Best | None = None
        self.validated = torch.zeros_like(tally.confusion, device="cpu")
        self.seconds, self.epoch_seconds = 0.0, 0.0

    def snapshot(self, ranks: Ranks) -> dict[str, Any]:
        """Return the content of a checkpoint; all processes call this, since each has random states and counts."""
        self.tally.reduce(ranks.all_reduce)
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "epochs": self.epochs,
            "steps": self.steps,
            "tally": self.tally.state(),
            "rows": self.rows,
            "class_rows": self.class_rows,
            "best": asdict(self.best) if self.best else None,
            "validated": self.validated,
            "seconds": self.seconds,
            "epoch_seconds": self.epoch_seconds,
            "random": {name: gather(state, ranks, self._device) for name, state in self._random_states().items()},
        }

    def restore(self, saved: dict[str, Any], ranks: Ranks) -> None:
        """Go back to where a checkpoint was written."""
        self.network.load_state_dict(saved["network"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.scaler.load_state_dict(saved["scaler"])
        self.epochs, self.steps = saved["epochs"], saved["steps"]
        self.tally.restore(saved["tally"], ranks.rank)
        self.rows, self.class_rows = saved["rows"], saved["class_rows"]
        self.best = Best(**saved["best"]) if saved["best"] else None
        self.validated = saved["validated"]
        self.seconds, self.epoch_seconds = saved["seconds"], saved["epoch_seconds"]
        # copies: torch crashes on a state that starts in the middle of a tensor's memory
        random = {name: states[ranks.rank].clone() for name, states in saved["random"].items()}
        torch.set_rng_state(random["torch"])
        self.generator.set_state(random["augmentation"])
        if "cuda" in random:
            torch.cuda.set_rng_state(random["cuda"], self._device)

    def is_finite(self, ranks: Ranks) -> bool:
        """Return whether all numbers of the network are finite, in all processes."""
        values = [value for value in self.network.state_dict().values() if value.is_floating_point()]
        wrong = (~torch.stack([value.isfinite().all() for value in values])).sum()
        ranks.all_reduce(wrong)
        return not wrong.item()

    @property
    def _device(self) -> torch.device:
        return self.tally.confusion.device

    def _random_states(self) -> dict[str, Tensor]:
        states = {"torch": torch.get_rng_state(), "augmentation": self.generator.get_state()}
        if self._device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(self._device)
        return states


def gather(values: Tensor, ranks: Ranks, device: torch.device) -> Tensor:
    """Return the tensors (n,) of all processes as one (processes, n) on the CPU."""
    table = torch.zeros((ranks.size, len(values)), dtype=values.dtype, device=device)
    table[ranks.rank] = values.to(device)
    ranks.all_reduce(table)
    return table.cpu()


def require_same_arithmetic(saved: Mapping[str, Any], arithmetic: str) -> None:
    """Check that a training goes on as it began, where device or precision are left to the machine.

    Raises:
        EnvironmentLackError: this machine would compute otherwise.
    """
    if saved["arithmetic"] != arithmetic:
        raise EnvironmentLackError(
            f"The training began in {saved['arithmetic']}, and would go on in {arithmetic} here. Run it where it "
            "began, or set training.device and training.precision instead of auto, with which it starts anew."
        )


def require_same_place(saved: dict[str, Any] | None, ranks: Ranks, device: torch.device) -> None:
    """Check that all processes go on from the same checkpoint, without which they would wait for each other for ever.

    Raises:
        EnvironmentLackError: they found different ones.
    """
    place = torch.tensor([saved["epochs"], saved["steps"]] if saved is not None else [-1, -1])
    found = gather(place, ranks, device).tolist()
    if any(other != found[0] for other in found):
        raise EnvironmentLackError(
            "The processes found different checkpoints (epochs and steps, -1 for none: "
            f"{', '.join(f'{epochs}-{steps}' for epochs, steps in found)}). Their folder must be one that all nodes "
            "share."
        )
