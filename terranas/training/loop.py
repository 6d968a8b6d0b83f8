"""The training loop: epochs over shuffled batches, a validation after each, a test at the end.

What happens in order: restore the last checkpoint if there is one; for every epoch train, validate, note a row, save
now and then; test the last and the best network; hand back rows, confusion matrices and weights. A training that
diverges or does not fit into memory is a result, not an error: the caller gets the rows so far and the reason. One that
is told to stop saves itself and says so.
"""

import logging
import math
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from terranas.core.errors import DataError
from terranas.core.logs import format_duration, progress
from terranas.core.processes import host_peak_mb
from terranas.training.augmentation import augment
from terranas.training.batches import ImageSet, shard_batches
from terranas.training.losses import build_objective, summed_cross_entropy
from terranas.training.memory import device_peak_mb, is_out_of_memory
from terranas.training.precision import autocast, is_channels_last
from terranas.training.result import (
    BestEpoch,
    TrainingResult,
    class_rows,
    confusion_rows,
    copy_state,
    validation_scores,
)
from terranas.training.scores import Scores, Tally
from terranas.training.state import Best, State, gather, require_same_arithmetic, require_same_place
from terranas.training.steps import plan_epoch
from terranas.training.task import Task
from terranas.training.watch import STEPS_BETWEEN_LOOKS, DivergedError, look, require_finite

logger = logging.getLogger(__name__)


def train(network: nn.Module, task: Task) -> TrainingResult:
    """Train a network and return its rows, scores and weights.

    Equal arguments give equal numbers on a CPU, whether or not the training was interrupted on the way.

    Args:
        network: the initialised network, (n, bands, height, width) -> (n, classes).
        task: data, settings and means.

    Raises:
        DataError: there are fewer than two training images a process.
    """
    images, ranks, device = len(task.data["train"]), task.ranks, task.device
    if images < 2 * ranks.size:
        raise DataError(f"Training needs at least 2 images a process, got {images} for {ranks.size}.")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    result = TrainingResult(device=name, precision=task.precision, micro_batch=task.together)
    try:
        _run(result, network, task)
    except DivergedError as error:
        result.fail("diverged", str(error))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        # the other processes do not know of it and would be waited for in vain: nothing is exchanged any more
        result.fail("out_of_memory", f"The training does not fit into memory: {str(error).splitlines()[0]}")
        result.peak_host_mb, result.peak_device_mb = host_peak_mb(), device_peak_mb(device)
        return result
    host, gpu = gather(torch.tensor([host_peak_mb(), device_peak_mb(device)]), ranks, device).T
    result.peak_host_mb, result.peak_device_mb = host.sum().item(), gpu.max().item()
    return result


def _run(result: TrainingResult, network: nn.Module, task: Task) -> None:
    """Fill ``result``."""
    recipe, ranks, device = task.recipe, task.ranks, task.device
    layout = torch.channels_last if is_channels_last(recipe.memory_format) else torch.contiguous_format
    network = network.to(device, memory_format=layout)  # type: ignore[call-overload]
    generator = torch.Generator(device).manual_seed(task.seed)
    state = State(network, recipe, Tally(task.classes, task.epoch_steps, device), task.precision, generator)
    saved = task.checkpoints.load() if task.checkpoints is not None else None
    require_same_place(saved, ranks, device)
    if saved is not None:
        require_same_arithmetic(saved, task.arithmetic)
        state.restore(saved, ranks)
        result.resumed = True
        logger.info("going on after %d of %d epochs and %d steps", state.epochs, recipe.epochs, state.steps)
    result.rows, result.class_rows = state.rows, state.class_rows
    called: nn.Module = torch.compile(network) if recipe.compile else network  # type: ignore[assignment]
    model = ranks.wrap(called)
    started = time.perf_counter() - state.seconds

    while state.epochs < recipe.epochs:
        begun = time.perf_counter()
        reason = _train_epoch(model, state, task)
        state.epoch_seconds += time.perf_counter() - begun
        state.seconds = result.seconds = time.perf_counter() - started
        if reason:
            require_finite(state, task)
            _save(state, task)
            result.interrupted = reason
            return
        ranks.share_buffers(network)
        begun = time.perf_counter()
        validated = evaluate(called, task.data["validation"], task)
        _end_epoch(state, task, validated, time.perf_counter() - begun)
        state.seconds = result.seconds = time.perf_counter() - started
        _tell(state, task)
        if task.checkpoints is not None and task.checkpoints.is_due(state.epochs, recipe.epochs):
            _save(state, task)

    _test(result, called, state, task)
    result.seconds = time.perf_counter() - started


def _train_epoch(model: nn.Module, state: State, task: Task) -> str:
    """Take the steps that are left of the epoch; return why to stop, "" where there is no reason."""
    recipe, ranks, tally, device = task.recipe, task.ranks, state.tally, task.device
    objective = build_objective(recipe.loss, recipe.label_smoothing, recipe.class_weights, task.class_counts, device)
    parameters = list(state.network.parameters())
    plan = plan_epoch(task.order(state.epochs + 1), recipe.batch_size, task.together, ranks.rank, ranks.size)
    todo = plan[state.steps :]
    batches = task.data["train"].batches(piece for step in todo for piece in step.pieces)
    model.train()
    for step in progress(todo, len(todo), f"epoch {state.epochs + 1}", logger, every=30):
        rate = recipe.learning_rate_at(state.epochs * len(plan) + state.steps, recipe.epochs * len(plan))
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        state.optimizer.zero_grad(set_to_none=True)
        for piece in range(1, len(step.pieces) + 1):
            x, labels = next(batches)
            with _exchange(model, piece == len(step.pieces)):
                logits, plain = _forward(model, augment(x, recipe.augmentation, state.generator), labels, task)
                loss = plain if objective is summed_cross_entropy else objective(logits, labels)
                # processes average their gradients: with this scale the mean is that over all images of the step
                state.scaler.scale(loss * (ranks.size / step.images)).backward()  # type: ignore[no-untyped-call]
            tally.add(state.steps, logits.detach(), labels, plain.detach())
        state.scaler.unscale_(state.optimizer)
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        tally.norms[state.steps] = torch.nn.utils.get_total_norm(gradients)
        state.scaler.step(state.optimizer)
        state.scaler.update()
        state.steps += 1
        due = state.steps % STEPS_BETWEEN_LOOKS[device.type] == 0 or state.steps == len(plan)
        if (due or (ranks.size == 1 and task.stop())) and (reason := look(state, task)):
            return reason
    return ""


def _exchange(model: nn.Module, last: bool) -> AbstractContextManager[None]:
    """Return the context of a piece's two passes: processes exchange their gradients in the last one of a step."""
    if last or not isinstance(model, DistributedDataParallel):
        return nullcontext()
    without: AbstractContextManager[None] = model.no_sync()
    return without


@torch.no_grad()
def evaluate(network: nn.Module, images: ImageSet, task: Task) -> Tally:
    """Return the counts of a network in evaluation mode over a whole split, each image once, over all processes."""
    network.eval()
    tally = Tally(task.classes, 1, task.device)
    shares = shard_batches(len(images), task.evaluated_together, task.ranks.rank, task.ranks.size)
    for x, labels in images.batches(shares):
        logits, loss = _forward(network, x, labels, task)
        tally.add(0, logits, labels, loss)
    tally.reduce(task.ranks.all_reduce)
    tally.fetch()
    return tally


def _forward(network: nn.Module, x: Tensor, labels: Tensor, task: Task) -> tuple[Tensor, Tensor]:
    """Return logits as float32 and the summed plain cross-entropy."""
    with autocast(task.precision, task.device):
        logits = network(x)
    logits = logits.float()
    return logits, summed_cross_entropy(logits, labels)


def _end_epoch(state: State, task: Task, validated: Tally, validation_seconds: float) -> None:
    """Note the rows of the epoch, and its network where it is the best."""
    epoch, tally = state.epochs + 1, state.tally
    tally.reduce(task.ranks.all_reduce)
    tally.fetch()
    trained, scores = tally.scores(), validated.scores()
    if not math.isfinite(scores.loss):
        raise DivergedError(f"The validation loss was not finite after epoch {epoch} of {task.recipe.epochs}.")
    require_finite(state, task)
    row = {
        "epoch": epoch,
        "train_loss": trained.loss,
        "validation_loss": scores.loss,
        "train_macro_accuracy": trained.macro_accuracy,
        "train_micro_accuracy": trained.micro_accuracy,
        "train_kappa": trained.kappa,
        "validation_macro_accuracy": scores.macro_accuracy,
        "validation_micro_accuracy": scores.micro_accuracy,
        "validation_kappa": scores.kappa,
        "learning_rate": state.optimizer.param_groups[0]["lr"],
        "gradient_norm": tally.mean_norm(),
        "micro_batch": task.together,
        "training_seconds": state.epoch_seconds,
        "validation_seconds": validation_seconds,
        "images_per_second": tally.confusion.sum().item() / state.epoch_seconds,
        "peak_memory_mb": device_peak_mb(task.device) or host_peak_mb(),
    }
    state.validated = validated.confusion
    if state.best is None or task.recipe.is_better(row, state.rows[state.best.epoch - 1]):
        state.best = Best(epoch, state.validated, copy_state(state.network))
    state.rows.append(row)
    state.class_rows.extend(
        class_rows(epoch, "train", tally.confusion) + class_rows(epoch, "validation", state.validated)
    )
    state.epochs, state.steps, state.epoch_seconds = epoch, 0, 0.0
    state.tally = Tally(task.classes, task.epoch_steps, task.device)


def _test(result: TrainingResult, network: nn.Module, state: State, task: Task) -> None:
    """Test the last and the best network and fill in what is final."""
    assert state.best is not None
    last, best = task.recipe.epochs, state.best.epoch
    result.weights, result.best_weights = copy_state(state.network), state.best.weights
    tested: dict[int, Scores] = {}
    for name, epoch, weights, validated in (
        ("last", last, result.weights, state.validated),
        ("best", best, result.best_weights, state.best.confusion),
    ):
        state.network.load_state_dict(weights)
        counts = evaluate(network, task.data["test"], task)
        scores = counts.scores()
        if not math.isfinite(scores.loss):
            raise DivergedError(f"The loss of the test images was not finite with the network of epoch {epoch}.")
        if epoch not in tested:
            result.class_rows.extend(class_rows(epoch, "test", counts.confusion))
        tested[epoch] = scores
        result.confusions += confusion_rows(name, "validation", validated)
        result.confusions += confusion_rows(name, "test", counts.confusion)
    result.validation, result.test = validation_scores(state.rows[-1]), tested[last]
    result.best = BestEpoch(best, validation_scores(state.rows[best - 1]), tested[best])


def _save(state: State, task: Task) -> None:
    """Write a checkpoint in process 0; all processes take part."""
    if task.checkpoints is None:
        return
    content = state.snapshot(task.ranks) | {"arithmetic": task.arithmetic}
    if task.ranks.rank == 0:
        path = task.checkpoints.save(content, state.epochs, state.steps)
        task.report(_position(state, task) | {"event": "checkpoint", "file": path.name})


def _tell(state: State, task: Task) -> None:
    """Log and report the epoch that has just ended."""
    row = state.rows[-1]
    left = state.seconds / state.epochs * (task.recipe.epochs - state.epochs)
    logger.info(
        "epoch %d of %d: loss %.4f, validation loss %.4f, macro %.2f %%, micro %.2f %%, %s left",
        *(state.epochs, task.recipe.epochs, row["train_loss"], row["validation_loss"]),
        *(100 * row["validation_macro_accuracy"], 100 * row["validation_micro_accuracy"], format_duration(left)),
    )
    if task.ranks.rank == 0:
        told = ("train_loss", "validation_loss", "validation_macro_accuracy", "validation_micro_accuracy")
        task.report(_position(state, task) | {"event": "epoch"} | {name: row[name] for name in told})


def _position(state: State, task: Task) -> dict[str, Any]:
    return {
        "epoch": state.epochs,
        "epochs": task.recipe.epochs,
        "step": state.epochs * task.epoch_steps + state.steps,
        "steps": task.recipe.epochs * task.epoch_steps,
        "seconds": state.seconds,
    }
