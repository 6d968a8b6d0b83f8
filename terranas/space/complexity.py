"""Parameters, multiply-accumulates (MACs), activations and depth of a cell's network, in closed form.

The rules for channels are those of NAS-Bench-101 (Ying et al. 2019, section 2.1 and the released model builder);
:mod:`terranas.space.network` builds the same network, and tests hold the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from terranas.core.errors import CellError, ConfigError
from terranas.space.cell import CONV1X1, CONV3X3, OPERATIONS, Cell

if TYPE_CHECKING:  # batches come with pandas, which nothing may import that is parsed with the Snakefile
    from terranas.space.batch import CellBatch

# weights of an operation for one input and one output channel, by label; pooling has none
_KERNEL_AREA = np.array([{CONV3X3: 9, CONV1X1: 1}.get(name, 0) for name in OPERATIONS], dtype=np.int64)


@dataclass(frozen=True)
class NetworkShape:
    """Everything about a network that does not depend on its cell.

    Attributes:
        bands: bands of an image.
        classes: number of classes.
        image_size: height and width of an image in pixels.
        stem_channels: channels after the stem; every further stack doubles them.
        stacks: number of stacks; height and width are halved (rounded down) between them.
        cells_per_stack: cells in a stack.

    Raises:
        ConfigError: a number is below 1, or the image cannot be halved that often.
    """

    bands: int
    classes: int
    image_size: int
    stem_channels: int
    stacks: int
    cells_per_stack: int

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise ConfigError(f"{name} of a network must be at least 1, got {value}.")
        if self.image_size >> (self.stacks - 1) < 1:
            raise ConfigError(
                f"An image of {self.image_size} pixels cannot be halved {self.stacks - 1} times. Use fewer stacks."
            )

    def stack_channels(self, stack: int) -> int:
        """Return the channels of the cells in a stack, counted from 0."""
        return self.stem_channels << stack

    def stack_size(self, stack: int) -> int:
        """Return height and width of the feature maps in a stack, in pixels."""
        return self.image_size >> stack


CIFAR10_NETWORK = NetworkShape(bands=3, classes=10, image_size=32, stem_channels=128, stacks=3, cells_per_stack=3)
"""The network of NAS-Bench-101's published trainings."""


def vertex_channels(adjacency: NDArray[np.uint8], channels: int) -> NDArray[np.int64]:
    """Return the channels of the vertices of cells that have equally many vertices.

    Vertices that feed the output share its channels, the remainder going one each to the first of them; another
    vertex has as many as the widest of its successors.

    Args:
        adjacency: matrices of pruned cells, shape (cells, vertices, vertices).
        channels: channels of the cells' output.

    Returns:
        Channels, shape (cells, vertices). The entry of the input is 0: its channels are those of the cell before.

    Raises:
        CellError: the output has fewer channels than vertices that share them.
    """
    cells, vertices, _ = adjacency.shape
    last = vertices - 1
    result = np.zeros((cells, vertices), dtype=np.int64)
    result[:, last] = channels
    feeds_output = adjacency[:, 1:last, last].astype(np.int64)
    sharing = feeds_output.sum(axis=1)
    if len(sharing) and (most := int(sharing.max())) > channels:
        raise CellError(
            f"{most} vertices of a cell share the {channels} channels of its output. Use at least {most} stem channels."
        )
    share, remainder = np.divmod(channels, np.maximum(sharing, 1))
    for vertex in range(last - 1, 0, -1):
        order = feeds_output[:, : vertex - 1].sum(axis=1)
        own = share + (order < remainder)
        widest = (result[:, vertex + 1 : last] * adjacency[:, vertex, vertex + 1 : last]).max(axis=1, initial=0)
        result[:, vertex] = np.where(feeds_output[:, vertex - 1], own, widest)
    return result


def complexity_of(batch: CellBatch, shape: NetworkShape) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return parameters and MACs of the networks of any cells, each of shape (cells,).

    Args:
        batch: pruned cells.
        shape: what surrounds the cells.

    Raises:
        CellError: the network has too few channels for some cell.
    """
    counted = np.empty((2, len(batch)), dtype=np.int64)
    for vertices, rows in batch.groups():
        matrices = batch.adjacency[rows, :vertices, :vertices]
        labels = batch.labels[rows, : vertices - 2].astype(np.int64)
        counted[:, rows] = parameters_of(matrices, labels, shape), macs_of(matrices, labels, shape)
    return counted[0], counted[1]


def parameters_of(adjacency: NDArray[np.uint8], labels: NDArray[np.int64], shape: NetworkShape) -> NDArray[np.int64]:
    """Return the trainable parameters of the networks of cells that have equally many vertices.

    Args:
        adjacency: matrices of pruned cells, shape (cells, vertices, vertices).
        labels: positions of the inner vertices' operations in ``OPERATIONS``, shape (cells, vertices - 2).
        shape: what surrounds the cells.
    """
    stem = shape.stem_channels
    total = np.full(len(adjacency), 9 * shape.bands * stem + 2 * stem, dtype=np.int64)
    for stack in range(shape.stacks):
        weights, projected, normalised = _cell_terms(adjacency, labels, shape.stack_channels(stack))
        # scale and shift of a batch normalisation make two parameters a channel
        total += shape.cells_per_stack * (weights + 2 * normalised) + _input_channels(shape, stack) * projected
    return total + (shape.stack_channels(shape.stacks - 1) + 1) * shape.classes


def macs_of(adjacency: NDArray[np.uint8], labels: NDArray[np.int64], shape: NetworkShape) -> NDArray[np.int64]:
    """Return the multiply-accumulates for one image of the networks of cells that have equally many vertices.

    Convolutions and the linear layer count; normalisation, activation, pooling, sums and biases do not (the
    convention of ``torch.utils.flop_counter``, which counts two operations for one multiply-accumulate). Arguments
    as in :func:`parameters_of`.
    """
    total = np.full(len(adjacency), 9 * shape.bands * shape.stem_channels * shape.image_size**2, dtype=np.int64)
    for stack in range(shape.stacks):
        weights, projected, _ = _cell_terms(adjacency, labels, shape.stack_channels(stack))
        per_pixel = shape.cells_per_stack * weights + _input_channels(shape, stack) * projected
        total += shape.stack_size(stack) ** 2 * per_pixel
    return total + shape.stack_channels(shape.stacks - 1) * shape.classes


def convolved_of(adjacency: NDArray[np.uint8], labels: NDArray[np.int64], shape: NetworkShape) -> NDArray[np.int64]:
    """Return the elements that all convolutions put out for one image, shape (cells,).

    They follow the latency on GPUs more closely than multiply-accumulates do (Radosavovic et al. 2020, "Designing
    Network Design Spaces", section 3, who call them activations). Arguments as in :func:`parameters_of`.
    """
    total = np.full(len(adjacency), shape.stem_channels * shape.image_size**2, dtype=np.int64)
    for stack in range(shape.stacks):
        # each convolution is normalised, so these channels are those that convolutions put out
        _, _, normalised = _cell_terms(adjacency, labels, shape.stack_channels(stack))
        total += shape.cells_per_stack * shape.stack_size(stack) ** 2 * normalised
    return total


@dataclass(frozen=True)
class Activations:
    """What a network keeps of the forward pass for the backward pass, for one image.

    Attributes:
        values: elements of feature maps, of the type that is computed in (4 bytes in fp32, 2 in bf16 and fp16).
        indices: places of the maxima of poolings, of 8 bytes each.
    """

    values: NDArray[np.int64]
    indices: NDArray[np.int64]


def activations_of(adjacency: NDArray[np.uint8], labels: NDArray[np.int64], shape: NetworkShape) -> Activations:
    """Return what torch's autograd keeps of each image while :mod:`terranas.space.network` trains.

    A convolution keeps its input, a normalisation its input, a rectifier its output, a pooling its input and the
    places of its maxima, the linear layer its input; each tensor counts once. Weights, and the numbers that are kept
    once a channel, do not grow with the images and do not count; nor does the loss. Arguments as in
    :func:`parameters_of`; both counts have the shape (cells,).
    """
    cells = len(adjacency)
    # the images, and the stem's convolution and rectifier
    values = np.full(cells, (shape.bands + 2 * shape.stem_channels) * shape.image_size**2, dtype=np.int64)
    indices = np.zeros(cells, dtype=np.int64)
    for stack in range(shape.stacks):
        pixels, channels = shape.stack_size(stack) ** 2, shape.stack_channels(stack)
        kept, output, places = _kept_terms(adjacency, labels, channels)
        is_last = stack == shape.stacks - 1
        # only the mean over the pixels reads the last output, and keeps nothing of it
        values += pixels * (shape.cells_per_stack * kept + (shape.cells_per_stack - is_last) * output)
        indices += pixels * shape.cells_per_stack * places
        if not is_last:
            between = shape.stack_size(stack + 1) ** 2 * channels
            values += between
            indices += between
    return Activations(values + shape.stack_channels(shape.stacks - 1), indices)


def _kept_terms(
    adjacency: NDArray[np.uint8], labels: NDArray[np.int64], channels: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the channels that a cell keeps, those of its output that are kept if it is, and the pooled ones."""
    widths = vertex_channels(adjacency, channels)
    inner, is_convolution = widths[:, 1:-1], _KERNEL_AREA[labels] > 0
    sources = adjacency.sum(axis=1, dtype=np.int64)
    projected = (adjacency[:, 0] * widths).sum(axis=1)
    sums = ((sources[:, 1:-1] > 1) * inner).sum(axis=1)
    # a pooling's output is kept where it enters another operation as it is, not as part of a sum
    alone = sources[:, None, :] == 1
    enters_alone = (adjacency * alone)[:, 1:-1, 1:-1].any(axis=2)
    pooled = (~is_convolution & enters_alone) * inner
    kept = 2 * projected + 2 * (is_convolution * inner).sum(axis=1) + sums + pooled.sum(axis=1)

    feeds_output = adjacency[:, 1:-1, -1].astype(np.bool_)
    # the output is a tensor of its own where it joins or adds, and else that of the vertex that feeds it
    is_own = sources[:, -1] > 1
    is_new_pooling = (feeds_output & ~is_convolution & ~enters_alone).any(axis=1)
    output = np.where(is_own | is_new_pooling, channels, 0)
    return kept, output, (~is_convolution * inner).sum(axis=1)


def _cell_terms(
    adjacency: NDArray[np.uint8], labels: NDArray[np.int64], channels: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return weights of the operations, channels projected from the input, and channels that are normalised."""
    widths = vertex_channels(adjacency, channels)
    area = _KERNEL_AREA[labels]
    inner = widths[:, 1:-1]
    weights = (area * inner**2).sum(axis=1)
    projected = (adjacency[:, 0] * widths).sum(axis=1)
    normalised = ((area > 0) * inner).sum(axis=1) + projected
    return weights, projected, normalised


def _input_channels(shape: NetworkShape, stack: int) -> int:
    """Return the channels that enter the cells of a stack, summed over its cells."""
    channels = shape.stack_channels(stack)
    before = channels if stack == 0 else shape.stack_channels(stack - 1)
    return before + (shape.cells_per_stack - 1) * channels


def parameters(cell: Cell, shape: NetworkShape) -> int:
    """Return the trainable parameters of a cell's network."""
    return int(parameters_of(*_as_batch(cell), shape)[0])


def macs(cell: Cell, shape: NetworkShape) -> int:
    """Return the multiply-accumulates of a cell's network for one image; see :func:`macs_of` for what counts."""
    return int(macs_of(*_as_batch(cell), shape)[0])


def convolved(cell: Cell, shape: NetworkShape) -> int:
    """Return the elements that all convolutions of a cell's network put out for one image."""
    return int(convolved_of(*_as_batch(cell), shape)[0])


def depth(cell: Cell, shape: NetworkShape) -> int:
    """Return the convolutions and linear layers on the longest path from image to logits, projections included."""
    pruned = cell.prune()
    longest = [0]
    for vertex, name in enumerate(pruned.operations[1:], start=1):
        # the input enters through a projection
        sources = np.flatnonzero(pruned.adjacency[:, vertex]).tolist()
        entering = max(longest[source] + (source == 0) for source in sources)
        longest.append(entering + (name in (CONV3X3, CONV1X1)))
    stem, classifier = 1, 1
    return stem + shape.stacks * shape.cells_per_stack * longest[-1] + classifier


def activations(cell: Cell, shape: NetworkShape) -> tuple[int, int]:
    """Return the values and the indices that a cell's network keeps of an image; see :func:`activations_of`."""
    kept = activations_of(*_as_batch(cell), shape)
    return int(kept.values[0]), int(kept.indices[0])


def _as_batch(cell: Cell) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    pruned = cell.prune()
    labels = np.array([[OPERATIONS.index(name) for name in pruned.operations[1:-1]]], dtype=np.int64)
    return pruned.adjacency[None], labels
