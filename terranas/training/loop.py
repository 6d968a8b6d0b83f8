"""The training loop: epochs over shuffled batches, a validation after each, a test at the end.

What happens in order: restore the last checkpoint if there is one; for every epoch train, validate, note a row, save
now and then; test; hand back rows and weights. A training that diverges or does not fit into memory is a result, not an
error: the caller gets the rows so far and the reason.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from terranas.core.errors import DataError
from terranas.core.logs import format_duration, progress
from terranas.training.batches import ImageSet, epoch_batches, epoch_steps, shard_batches
from terranas.training.checkpoint import Checkpoint
from terranas.training.distributed import ALONE, Ranks
from terranas.training.recipe import Recipe
from terranas.training.scores import Scores, Tally
from terranas.training.status import Outcome

logger = logging.getLogger(__name__)

EVALUATION_BATCH = 128


@dataclass
class TrainingResult:
    """What came out of a training.

    Attributes:
        outcome: ``ok``, or why there is no full result.
        reason: a sentence where the outcome is not ``ok``.
        rows: one dictionary a finished epoch, the columns of EPOCHS without ``hash`` and ``source``.
        weights: the network's final state on the CPU; empty where the outcome is not ``ok``.
        validation: scores after the last epoch, None where the outcome is not ``ok``.
        test: scores of the final network, None where the outcome is not ``ok``.
        device: device that it ran on.
        seconds: wall time, that before an interruption included.
        resumed: whether it went on from a checkpoint.
    """

    outcome: Outcome = "ok"
    reason: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    weights: dict[str, Tensor] = field(default_factory=dict)
    validation: Scores | None = None
    test: Scores | None = None
    device: str = ""
    seconds: float = 0.0
    resumed: bool = False

    def fail(self, outcome: Outcome, reason: str) -> None:
        """Note that there is no full result, and why."""
        self.outcome, self.reason = outcome, reason
        self.weights, self.validation, self.test = {}, None, None
        logger.warning("%s: %s", outcome, reason)


def train(
    network: nn.Module,
    data: Mapping[str, ImageSet],
    classes: int,
    recipe: Recipe,
    order: Callable[[int], NDArray[np.int64]],
    device: torch.device,
    checkpoint: Checkpoint | None = None,
    ranks: Ranks = ALONE,
) -> TrainingResult:
    """Train a network and return its rows, scores and weights.

    Equal arguments give equal numbers on a CPU, whether or not the training was interrupted on the way.

    Args:
        network: the initialised network, (n, bands, height, width) -> (n, classes).
        data: the splits ``train``, ``validation`` and ``test`` on ``device``.
        classes: number of classes.
        recipe: the settings.
        order: gives the permutation of the training images in an epoch, counted from 1.
        device: the device of this process.
        checkpoint: where to save and to go on from; None saves nothing.
        ranks: this process among those that train together.

    Raises:
        DataError: there are fewer than two training images a process.
    """
    if len(data["train"]) < 2 * ranks.size:
        raise DataError(f"Training needs at least 2 images a process, got {len(data['train'])} for {ranks.size}.")
    result = TrainingResult(device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu")
    try:
        _run(result, network, data, classes, recipe, order, device, checkpoint, ranks)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        result.fail("out_of_memory", f"The training does not fit into memory: {str(error).splitlines()[0]}")
    return result


def _run(
    result: TrainingResult,
    network: nn.Module,
    data: Mapping[str, ImageSet],
    classes: int,
    recipe: Recipe,
    order: Callable[[int], NDArray[np.int64]],
    device: torch.device,
    checkpoint: Checkpoint | None,
    ranks: Ranks,
) -> None:
    """Fill ``result``; arguments as in :func:`train`."""
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = recipe.build_optimizer(network.parameters())
    if checkpoint is not None and (saved := checkpoint.load(device)) is not None:
        network.load_state_dict(saved["network"])
        if len(saved["rows"]) < recipe.epochs:
            optimizer.load_state_dict(saved["optimizer"])
        result.rows, result.seconds, result.resumed = saved["rows"], saved["seconds"], True
        logger.info("going on after epoch %d of %d", len(result.rows), recipe.epochs)
    model = ranks.wrap(network)
    before, started, first = result.seconds, time.perf_counter(), len(result.rows) + 1

    for epoch in range(first, recipe.epochs + 1):
        start = time.perf_counter()
        trained, images = _train_epoch(model, optimizer, data["train"], classes, recipe, order(epoch), epoch, ranks)
        training_seconds = time.perf_counter() - start
        ranks.share_buffers(network)
        start = time.perf_counter()
        validated = evaluate(network, data["validation"], classes, recipe, ranks)
        if not (math.isfinite(trained.loss) and math.isfinite(validated.loss)):
            part = "training" if not math.isfinite(trained.loss) else "validation"
            result.fail("diverged", f"The {part} loss was not finite in epoch {epoch} of {recipe.epochs}.")
            return
        result.rows.append(
            {
                "epoch": epoch,
                "train_loss": trained.loss,
                "validation_loss": validated.loss,
                "train_macro_accuracy": trained.macro_accuracy,
                "train_micro_accuracy": trained.micro_accuracy,
                "validation_macro_accuracy": validated.macro_accuracy,
                "validation_micro_accuracy": validated.micro_accuracy,
                "learning_rate": optimizer.param_groups[0]["lr"],
                "training_seconds": training_seconds,
                "validation_seconds": time.perf_counter() - start,
                "images_per_second": images / training_seconds,
            }
        )
        elapsed = time.perf_counter() - started
        result.seconds = before + elapsed
        left = elapsed / (epoch - first + 1) * (recipe.epochs - epoch)
        logger.info(
            "epoch %d of %d: loss %.4f, validation loss %.4f, macro %.2f %%, micro %.2f %%, %s left",
            *(epoch, recipe.epochs, trained.loss, validated.loss),
            *(100 * validated.macro_accuracy, 100 * validated.micro_accuracy, format_duration(left)),
        )
        if checkpoint is not None and ranks.rank == 0 and _is_saved(epoch, recipe):
            checkpoint.save(
                {
                    "network": network.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "rows": result.rows,
                    "seconds": result.seconds,
                }
            )

    last = result.rows[-1]
    result.validation = Scores(
        last["validation_loss"], last["validation_macro_accuracy"], last["validation_micro_accuracy"]
    )
    result.test = evaluate(network, data["test"], classes, recipe, ranks)
    if not math.isfinite(result.test.loss):
        result.fail("diverged", "The loss of the test images was not finite after the last epoch.")
        return
    result.weights = {name: value.cpu().contiguous() for name, value in network.state_dict().items()}
    result.seconds = before + time.perf_counter() - started


def _train_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: ImageSet,
    classes: int,
    recipe: Recipe,
    order: NDArray[np.int64],
    epoch: int,
    ranks: Ranks,
) -> tuple[Scores, int]:
    """Take one optimiser step a batch; return the scores while training and the images seen by all processes."""
    model.train()
    tally, seen = Tally(classes, images.labels.device), 0
    steps = epoch_steps(len(images), recipe.batch_size, ranks.size)
    batches = epoch_batches(order, recipe.batch_size, ranks.rank, ranks.size)
    for step, (indices, together) in enumerate(progress(batches, steps, f"epoch {epoch}", logger, every=30)):
        rate = recipe.learning_rate_at((epoch - 1) * steps + step, recipe.epochs * steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, labels = images.batch(indices)
        logits, loss = _forward(model, x, labels, recipe)
        optimizer.zero_grad(set_to_none=True)
        # processes average their gradients: with this scale the mean is that over all images of the step
        (loss * (ranks.size / together)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        tally.add(logits, labels, loss)
        seen += together
    return tally.scores(ranks.all_reduce), seen


@torch.no_grad()
def evaluate(network: nn.Module, images: ImageSet, classes: int, recipe: Recipe, ranks: Ranks = ALONE) -> Scores:
    """Return the scores of a network in evaluation mode over a whole split, each image counted once."""
    network.eval()
    tally = Tally(classes, images.labels.device)
    for indices in shard_batches(len(images), EVALUATION_BATCH, ranks.rank, ranks.size):
        x, labels = images.batch(indices)
        logits, loss = _forward(network, x, labels, recipe)
        tally.add(logits, labels, loss)
    return tally.scores(ranks.all_reduce)


def _forward(model: nn.Module, x: Tensor, labels: Tensor, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Return logits as float32 and the summed loss."""
    with torch.autocast(x.device.type, torch.bfloat16, enabled=recipe.precision == "bf16"):
        logits = model(x)
    logits = logits.float()
    return logits, F.cross_entropy(logits, labels, reduction="sum")


def _is_saved(epoch: int, recipe: Recipe) -> bool:
    return epoch % recipe.checkpoint_every == 0 or epoch == recipe.epochs


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out; on the CPU torch has only a message for it."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
