"""What the training of an architecture is expected to take, from its closed forms, before anything is started.

Used for the memory and the time that a job asks a cluster for, for packing trainings that take equally long, and for
the hours of a whole study. docs/speed.md says how far off they were where both were measured. Parsed with the
Snakefile: no torch here.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape, activations, macs, parameters, vertex_channels
from terranas.training.roofline import A100, layers_of, step_time

MB = 1e6


@dataclass(frozen=True)
class CpuCosts:
    """Seconds of one thread in a training step, added up: layers overlap nothing on a CPU.

    Attributes:
        mac: of a multiply-accumulate of the forward pass.
        value: of an element that is kept for the backward pass.
        index: of a place of a maximum that is kept.
        layer: of a layer, whatever its size.
    """

    mac: float
    value: float
    index: float
    layer: float


CPU_COSTS = {
    "fp32": CpuCosts(mac=2.7e-11, value=1.0e-9, index=1.45e-8, layer=2.6e-4),
    "bf16": CpuCosts(mac=1.4e-11, value=5.0e-10, index=1.95e-8, layer=3.3e-4),
}
"""Fitted to the processor time of 96 kinds of step: six cells, stems of 8 to 128 channels, batches of 8 to 64, on one
core of an AMD EPYC with AVX-512 and its bf16 instructions, torch 2.13, channels_last (docs/speed.md)."""

EVALUATION_SHARE = 0.3
"""Time of an image's evaluation as a share of its training; measured in the same steps: quartiles 0.26 to 0.33."""

THREAD_SCALING = 0.8
"""Power of the number of threads by which a step gets faster; assumed: two threads made networks of 128 stem channels
1.97 times as fast, and help little with 16."""

CUDA_STEP_SECONDS = 0.031
CUDA_OVER_ROOFLINE = 2.1
"""Time of a step that no arithmetic explains, and what a step takes over the roofline's time (computing and moving
bytes one after the other). A line through the published epochs of 56.0, 80.2 and 122.7 s (5 %, median, 95 % of 907
trainings; 1,377 steps of 4 x 64 images in fp32 on 4 A100), against the roofline's 6.6, 12.2 and 28.3 ms at the same
quantiles of 225 published cells (15 of the 30 walks). It takes the published trainings' framework along; better ones
finish earlier."""

START_UP_SECONDS = {"cpu": 5.0, "cuda": 30.0}
"""Imports, opening the arrays and the first step. CPU: measured; CUDA: assumed, with the choice of algorithms."""

FRAMEWORK_MB = {"cpu": 430.0, "cuda": 3000.0}
"""Resident memory of a process that has imported everything and taken a step. CPU: measured, torch 2.13 without CUDA;
CUDA: assumed, the CUDA build's libraries."""

WEIGHTS_FACTOR, EVALUATION_FACTOR = 1.9, 0.8
"""What weights (with gradients and optimiser) and an evaluation take of a CPU's memory over their own size: copies that
live for a moment, and feature maps of another size that find no gap among those of the training. Fitted with
FRAMEWORK_MB to the peaks of 28 processes (docs/speed.md); what is kept for the backward pass came out at 0.99."""

CUDA_CONTEXT_MB = 600.0
"""Memory of a GPU that CUDA's context and its libraries' workspaces take; assumed (400 to 600 MB on an A100)."""

CUDA_SLACK = 1.15
"""Memory that torch takes of a GPU over what it needs: gradients of feature maps that live for a moment, and gaps
between blocks; assumed."""

EVALUATED_TOGETHER = {"cpu": 128, "cuda": 512}
"""Images that a training evaluates at once, by kind of device."""

VALUE_BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}

MEMORY_MARGIN, MEMORY_RESERVE_MB = 1.25, 400.0
"""What a job asks for beyond the estimate; the reserve is for the two snakemake processes within a Slurm job (140 MB
each, measured)."""

TIME_MARGIN, TIME_RESERVE_MINUTES = 2.0, 10
"""The largest error of the estimate in a comparison was 1.8; a training that needs longer saves itself and goes on in a
new job."""


@dataclass(frozen=True)
class Estimate:
    """What a training is expected to take.

    Attributes:
        seconds: wall time from start to end.
        host_mb: memory of the machine (10^6 bytes) over all processes.
        device_mb: memory of one GPU (10^6 bytes), the images included where they fit; 0 on CPUs.
        shared_mb: part of host_mb that trainings on one machine share: the images, as they are mapped from their files.
    """

    seconds: float
    host_mb: float
    device_mb: float
    shared_mb: float = 0.0


def estimate(
    cell: Cell, shape: NetworkShape, recipe: Mapping[str, Any], images: Mapping[str, int], stored_bytes: int
) -> Estimate:
    """Return what the training of a cell's network is expected to take.

    Args:
        cell: the architecture.
        shape: what surrounds the cells.
        recipe: settings of the section ``training``. Device ``auto`` counts as CUDA, and precision ``auto`` as bf16 on
            CUDA and fp32 on CPUs, which needs more memory and time there.
        images: images of each split, keyed ``train``, ``validation`` and ``test``.
        stored_bytes: bytes of a stored pixel value.
    """
    device = "cpu" if recipe["device"] == "cpu" else "cuda"
    precision = recipe["precision"]
    if precision == "auto":
        precision = "fp32" if device == "cpu" else "bf16"
    pixels = sum(images.values()) * shape.bands * shape.image_size**2 * stored_bytes / MB
    weights, kept, evaluated = _memory(cell, shape, recipe, precision, EVALUATED_TOGETHER[device])
    seconds = _seconds(cell, shape, recipe, precision, images, device)
    # the mapped arrays are shared by the processes of a machine
    host = recipe["processes"] * FRAMEWORK_MB[device] + pixels
    if device == "cpu":
        process = WEIGHTS_FACTOR * weights + kept + EVALUATION_FACTOR * evaluated
        return Estimate(seconds, host + recipe["processes"] * process, 0.0, pixels)
    device_mb = CUDA_CONTEXT_MB + weights + CUDA_SLACK * max(kept, evaluated) + pixels
    return Estimate(seconds, host, device_mb, pixels)


def resources_of(estimates: Iterable[Estimate]) -> dict[str, int]:
    """Return memory (``mem_mb``) and minutes (``runtime``) to ask for, for trainings side by side in one job.

    Both have a margin: a quarter and 400 MB of memory, and twice the time and ten minutes.
    """
    together = list(estimates)
    memory = sum(each.host_mb - each.shared_mb for each in together)
    memory += max((each.shared_mb for each in together), default=0.0)
    minutes = max((each.seconds for each in together), default=0.0) / 60
    return {
        "mem_mb": math.ceil(MEMORY_MARGIN * memory + MEMORY_RESERVE_MB),
        "runtime": math.ceil(TIME_MARGIN * minutes + TIME_RESERVE_MINUTES),
    }


def optimizer_values(recipe: Mapping[str, Any]) -> int:
    """Return how many numbers the optimiser of a recipe keeps for each weight."""
    with_momentum = {"adamw": 2, "rmsprop": 2, "sgd": 1}[recipe["optimizer"]]
    spared = recipe["optimizer"] != "adamw" and recipe["momentum"] == 0
    return with_momentum - int(spared)


def _memory(
    cell: Cell, shape: NetworkShape, recipe: Mapping[str, Any], precision: str, evaluated: int
) -> tuple[float, float, float]:
    """Return what a process needs, in MB, for weights, for what a step keeps and for an evaluation."""
    size = VALUE_BYTES[precision]
    copies = optimizer_values(recipe)
    # weights, gradients and optimiser in fp32, and autocast's copy of the weights
    weights = parameters(cell, shape) * (4 * (2 + copies) + (0 if precision == "fp32" else size))
    values, indices = activations(cell, shape)
    kept: float = recipe["batch_size"] * (values * size + indices * 8)
    return weights / MB, kept / MB, evaluated * _evaluated_values(cell, shape) * size / MB


def _evaluated_values(cell: Cell, shape: NetworkShape) -> int:
    """Return the elements that live at once where nothing is kept: all of a cell of the first stack, which has most."""
    pruned = cell.prune()
    channels = shape.stack_channels(0)
    widths = vertex_channels(pruned.adjacency[None], channels)[0]
    projected = int((widths * pruned.adjacency[0]).sum())
    return int(shape.stack_size(0) ** 2 * (2 * channels + 2 * projected + widths[1:-1].sum()))


def _seconds(
    cell: Cell, shape: NetworkShape, recipe: Mapping[str, Any], precision: str, images: Mapping[str, int], device: str
) -> float:
    """Return the wall time of a training."""
    batch: int = recipe["batch_size"]
    processes: int = recipe["processes"]
    epochs: int = recipe["epochs"]
    steps = math.ceil(images["train"] / (batch * processes))
    if device == "cpu":
        step = _cpu_step(cell, shape, batch, precision) / math.pow(recipe["threads"], THREAD_SCALING)
    else:
        time = step_time(layers_of(cell, shape), parameters(cell, shape), batch, A100, precision)
        step = CUDA_STEP_SECONDS + CUDA_OVER_ROOFLINE * time.unoverlapped
    evaluated = math.ceil((epochs * images["validation"] + 2 * images["test"]) / (batch * processes))
    return START_UP_SECONDS[device] + step * (epochs * steps + EVALUATION_SHARE * evaluated)


def _cpu_step(cell: Cell, shape: NetworkShape, batch: int, precision: str) -> float:
    """Return the seconds of one step on one thread; fp16, in which CPUs do not compute, counts as bf16."""
    costs = CPU_COSTS["fp32" if precision == "fp32" else "bf16"]
    values, indices = activations(cell, shape)
    image = costs.mac * macs(cell, shape) + costs.value * values + costs.index * indices
    # a projection and the inner vertices a cell; stem, poolings between the stacks and the linear layer
    layers = shape.stacks * shape.cells_per_stack * (cell.prune().num_vertices - 1) + shape.stacks + 1
    return batch * image + costs.layer * layers
