"""What a training step costs at least on a device: operations and bytes layer by layer, and the time that bounds them.

The roofline model (Williams, Waterman and Patterson 2009): a layer takes at least its operations divided by what the
device can compute, and at least its bytes divided by what its memory can move. Arithmetic, not measurement: real
kernels stay below both, and kernels that are shorter than the time to launch them do not get shorter.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from terranas.space.cell import CONV1X1, CONV3X3, Cell
from terranas.space.complexity import NetworkShape, vertex_channels

# how often the forward and the backward pass read or write each element; in-place rectifiers write what they read
CONVOLUTION_PASSES = 3  # of input and output: forward, gradient of the input, gradient of the weights
NORMALISATION_PASSES = (
    8  # forward: read twice (moments, result), written once; backward: two tensors twice, one written
)
RECTIFIER_PASSES = 5  # forward: read, written; backward: gradient and output read, gradient written
POOLING_PASSES = 5  # forward: read, written; backward: read, cleared, written; the places of maxima besides
SUM_PASSES = 3  # two read, one written; forward where edges meet, backward where they part
JOIN_PASSES = 2  # read, written; forward where channels are joined, backward where a projection was split

INDEX_BYTES = 16  # places of maxima: 8 bytes, written and read

KERNELS = {"convolution": 3, "normalisation": 2, "rectifier": 2, "pooling": 3, "sum": 1, "join": 1}
"""GPU kernels of a layer in the forward and the backward pass together."""


@dataclass(frozen=True)
class Device:
    """What a device can do at most.

    Attributes:
        operations: operations a second by precision; a multiply-accumulate is two.
        bandwidth: bytes a second between the device and its memory.
        launch_seconds: time that the host needs to start a kernel (or one operation of torch).
    """

    operations: dict[str, float]
    bandwidth: float
    launch_seconds: float


A100 = Device({"fp32": 156e12, "bf16": 312e12, "fp16": 312e12}, 1.555e12, 10e-6)
"""NVIDIA's data sheet of the A100 with 40 GB (2020): TF32 for fp32 (torch's default for convolutions), dense. The time
of a launch is the usual 5 to 10 microseconds that eager torch needs for an operation; an assumption."""

VALUE_BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}


@dataclass(frozen=True)
class Layer:
    """One layer, for one image, forward and backward together.

    Attributes:
        kind: key of ``KERNELS``.
        name: what a reader calls it, such as ``convolution 3x3``.
        stack: stack it stands in, from 0; the stem counts to the first.
        operations: arithmetic operations of convolutions, two a multiply-accumulate; 0 elsewhere.
        values: elements of feature maps that are read or written.
        indices: elements whose places as maxima are written and read.
    """

    kind: str
    name: str
    stack: int
    operations: int
    values: int
    indices: int = 0

    def bytes(self, precision: str) -> int:
        """Return the bytes that are read or written."""
        return self.values * VALUE_BYTES[precision] + self.indices * INDEX_BYTES

    def seconds(self, device: Device, precision: str) -> float:
        """Return the least time for an image."""
        return max(self.seconds_apart(device, precision))

    def seconds_apart(self, device: Device, precision: str) -> tuple[float, float]:
        """Return the least time for an image of computing, and that of moving bytes."""
        return self.operations / device.operations[precision], self.bytes(precision) / device.bandwidth


def layers_of(cell: Cell, shape: NetworkShape) -> list[Layer]:
    """Return the layers of a cell's network in order.

    The mean over the pixels, the linear layer and the loss are left out, as they are negligible.
    """
    layers = list(_block(0, shape.image_size**2, shape.bands, shape.stem_channels, 3))
    entering = shape.stem_channels
    for stack in range(shape.stacks):
        pixels, channels = shape.stack_size(stack) ** 2, shape.stack_channels(stack)
        if stack > 0:
            before = shape.stack_size(stack - 1) ** 2 * entering
            moved = (before + pixels * entering) * POOLING_PASSES // 2
            layers.append(Layer("pooling", "pooling", stack, 0, moved, pixels * entering))
        for _ in range(shape.cells_per_stack):
            layers += _cell_layers(cell.prune(), stack, pixels, entering, channels)
            entering = channels
    return layers


def _block(stack: int, pixels: int, entering: int, leaving: int, kernel: int) -> Iterator[Layer]:
    """Yield a convolution with its normalisation and rectifier."""
    macs = kernel**2 * entering * leaving * pixels
    name = f"convolution {kernel}x{kernel}"
    # three products of that size: forward, gradient of the input, gradient of the weights
    yield Layer("convolution", name, stack, 3 * 2 * macs, CONVOLUTION_PASSES * pixels * (entering + leaving))
    yield Layer("normalisation", "normalisation", stack, 0, NORMALISATION_PASSES * pixels * leaving)
    yield Layer("rectifier", "rectifier", stack, 0, RECTIFIER_PASSES * pixels * leaving)


def _cell_layers(cell: Cell, stack: int, pixels: int, entering: int, channels: int) -> Iterator[Layer]:
    """Yield the layers of one cell."""
    widths: list[int] = vertex_channels(cell.adjacency[None], channels)[0].tolist()
    last = cell.num_vertices - 1
    targets = np.flatnonzero(cell.adjacency[0]).tolist()
    projected = sum(widths[target] for target in targets)
    yield from _block(stack, pixels, entering, projected, 1)
    if len(targets) > 1:
        yield Layer("join", "join", stack, 0, JOIN_PASSES * pixels * projected)
    for vertex in range(1, last):
        width, name = widths[vertex], cell.operations[vertex]
        # forward: one sum less than edges enter; backward: one less than edges leave
        sums = int(cell.adjacency[:, vertex].sum()) + int(cell.adjacency[vertex].sum()) - 2
        for _ in range(sums):
            yield Layer("sum", "sum", stack, 0, SUM_PASSES * pixels * width)
        if name in (CONV3X3, CONV1X1):
            yield from _block(stack, pixels, width, width, 3 if name == CONV3X3 else 1)
        else:
            yield Layer("pooling", "pooling", stack, 0, POOLING_PASSES * pixels * width, pixels * width)
    ending = int(cell.adjacency[1:last, last].sum())
    if ending > 1:
        yield Layer("join", "join", stack, 0, JOIN_PASSES * pixels * channels)
    if ending and cell.adjacency[0, last]:
        yield Layer("sum", "sum", stack, 0, SUM_PASSES * pixels * channels)


@dataclass(frozen=True)
class StepTime:
    """Least times of a training step, in seconds.

    Attributes:
        device: what the device needs.
        unoverlapped: the same where computing and moving bytes do not overlap within a layer.
        launches: what the host needs to start all kernels, while the device computes.
    """

    device: float
    unoverlapped: float
    launches: float

    @property
    def seconds(self) -> float:
        """The least time of a step: of device and launches the longer one."""
        return max(self.device, self.launches)


def step_time(layers: list[Layer], parameters: int, batch: int, device: Device, precision: str) -> StepTime:
    """Return the least time of a step: the layers for a batch, then the update of the weights.

    Args:
        layers: what :func:`layers_of` gives.
        parameters: trainable parameters.
        batch: images in the batch of one device.
        device: the device.
        precision: ``fp32``, ``bf16`` or ``fp16``.
    """
    images = batch * sum(layer.seconds(device, precision) for layer in layers)
    apart = batch * sum(sum(layer.seconds_apart(device, precision)) for layer in layers)
    # weight, gradient and momentum in fp32, read and written, and a copy of the weights in the smaller type
    update = parameters * (24 if precision == "fp32" else 30) / device.bandwidth
    kernels = sum(KERNELS[layer.kind] for layer in layers)
    return StepTime(images + update, apart + update, kernels * device.launch_seconds)
