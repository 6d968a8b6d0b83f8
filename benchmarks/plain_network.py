"""A cell's network built plainly: each edge from a cell's input has a projection of its own, sums begin with zeros.

The reference of the programs here that compare networks; a test holds it equal to the library's network.
"""

import numpy as np
import torch
from torch import Tensor, nn

from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape, vertex_channels
from terranas.space.network import CellModule, ConvBnRelu, Network


class PlainCell(nn.Module):
    """A cell with separate projections and sums that begin with zeros, of the weights of the other build."""

    def __init__(self, cell: Cell, channels: int, module: CellModule) -> None:
        super().__init__()
        self.sources = [np.flatnonzero(column).tolist() for column in cell.adjacency.T]
        self.widths: list[int] = vertex_channels(cell.adjacency[None], channels)[0].tolist()
        self.operations = module.operations
        self.projections = nn.ModuleDict()
        weights = module.projection.state_dict()
        first = 0
        for target in np.flatnonzero(cell.adjacency[0]).tolist():
            own = slice(first, first := first + self.widths[target])
            block = ConvBnRelu(weights["0.weight"].shape[1], self.widths[target], 1)
            block.load_state_dict({name: value[own] if value.ndim else value for name, value in weights.items()})
            self.projections[str(target)] = block

    def forward(self, x: Tensor) -> Tensor:
        """Return the cell's output for a batch of feature maps."""
        last = len(self.widths) - 1
        values: dict[int, Tensor] = {}
        for vertex in range(1, last):
            values[vertex] = self.operations[vertex - 1](self._sum(x, vertex, values))
        ending = [values[source] for source in self.sources[last] if source > 0]
        if not ending:
            return self._sum(x, last, values)
        result = torch.cat(ending, dim=1)
        return result + self.projections[str(last)](x) if 0 in self.sources[last] else result

    def _sum(self, x: Tensor, vertex: int, values: dict[int, Tensor]) -> Tensor:
        total = torch.zeros(len(x), self.widths[vertex], *x.shape[2:])
        for source in self.sources[vertex]:
            entering = self.projections[str(vertex)](x) if source == 0 else values[source]
            total = total + entering[:, : self.widths[vertex]]
        return total


def make_plain(network: Network, cell: Cell, shape: NetworkShape) -> Network:
    """Put plain cells of equal weights into a network that was built for a pruned cell, and return it."""
    place = 0
    for position, module in enumerate(network.stacks):
        if isinstance(module, CellModule):
            channels = shape.stack_channels(place // shape.cells_per_stack)
            network.stacks[position] = PlainCell(cell, channels, module)
            place += 1
    return network
