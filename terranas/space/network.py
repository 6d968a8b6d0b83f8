"""The network around a cell, in torch.

Source: Ying et al. 2019, section 2.1 and figure 1: a 3x3 convolution as stem, stacks of equal cells with 2x2
max-pooling and twice the channels between them, global average pooling and a linear layer.
"""

import numpy as np
import torch
from torch import Tensor, nn

from terranas.space.cell import CONV1X1, CONV3X3, Cell
from terranas.space.complexity import NetworkShape, vertex_channels


class ConvBnRelu(nn.Sequential):
    """Convolution without bias, batch normalisation and rectifier; height and width stay the same."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class CellModule(nn.Module):
    """One cell as a module, (N, in_channels, H, W) -> (N, out_channels, H, W).

    The 1x1 projections of the cell's input all read the same tensor, and normalisation acts channel by channel, so one
    convolution computes them together and the result is split: the same function and the same parameters in fewer
    and larger steps.
    """

    def __init__(self, cell: Cell, in_channels: int, out_channels: int) -> None:
        super().__init__()
        pruned = cell.prune()
        self._output = pruned.num_vertices - 1
        self._widths: list[int] = vertex_channels(pruned.adjacency[None], out_channels)[0].tolist()
        self._sources: list[list[int]] = [np.flatnonzero(column).tolist() for column in pruned.adjacency.T]
        self._projected: list[int] = np.flatnonzero(pruned.adjacency[0]).tolist()
        self._splits = [self._widths[vertex] for vertex in self._projected]
        self.projection = ConvBnRelu(in_channels, sum(self._splits), 1)
        self.operations = nn.ModuleList(
            _operation(name, width) for name, width in zip(pruned.operations[1:-1], self._widths[1:-1], strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the cell's output for a batch of feature maps."""
        projected = self.projection(x)
        # the gradient of a split is a copy, of one part too
        parts = projected.split(self._splits, dim=1) if len(self._splits) > 1 else (projected,)
        projections = dict(zip(self._projected, parts, strict=True))
        values: dict[int, Tensor] = {}
        for vertex, operation in enumerate(self.operations, start=1):
            # a source may be wider than this vertex: the first channels enter, as in NAS-Bench-101
            width = self._widths[vertex]
            entering = [values[source][:, :width] for source in self._sources[vertex] if source > 0]
            values[vertex] = operation(_sum(entering, projections.get(vertex)))
        ending = [values[source] for source in self._sources[self._output] if source > 0]
        joined = [torch.cat(ending, dim=1)] if len(ending) > 1 else ending
        return _sum(joined, projections.get(self._output))


class Network(nn.Module):
    """The classifier built from a cell, (N, bands, H, W) -> (N, classes) logits.

    Initial weights depend on torch's random state only: He's normal initialisation (He et al. 2015) for convolutions,
    torch's default for the linear layer.

    Args:
        cell: the cell; vertices on no path from input to output are left out.
        shape: bands, classes and size of everything around the cell.

    Raises:
        CellError: more vertices share the output's channels than there are channels.
    """

    def __init__(self, cell: Cell, shape: NetworkShape) -> None:
        super().__init__()
        self.stem = ConvBnRelu(shape.bands, shape.stem_channels, 3)
        modules: list[nn.Module] = []
        channels = shape.stem_channels
        for stack in range(shape.stacks):
            if stack > 0:
                modules.append(nn.MaxPool2d(2))
            for _ in range(shape.cells_per_stack):
                modules.append(CellModule(cell, channels, shape.stack_channels(stack)))
                channels = shape.stack_channels(stack)
        self.stacks = nn.Sequential(*modules)
        self.classifier = nn.Linear(channels, shape.classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (N, classes), for images of shape (N, bands, H, W)."""
        features: Tensor = self.stacks(self.stem(x))
        logits: Tensor = self.classifier(features.mean(dim=(2, 3)))
        return logits


def _operation(name: str, width: int) -> nn.Module:
    if name == CONV3X3:
        return ConvBnRelu(width, width, 3)
    if name == CONV1X1:
        return ConvBnRelu(width, width, 1)
    return nn.MaxPool2d(3, stride=1, padding=1)


def _sum(values: list[Tensor], projection: Tensor | None) -> Tensor:
    """Return the sum of at least one tensor, without starting from zeros."""
    first, *others = values if projection is None else [*values, projection]
    for other in others:
        first = first + other
    return first
