"""The closed forms of what convolutions put out and of depth, against the built networks."""

from functools import cache

import pytest
import torch
from hypothesis import given
from torch import Tensor, nn

from terranas.core.errors import CellError
from terranas.space.cell import CONV1X1, CONV3X3, MAXPOOL3X3, Cell
from terranas.space.complexity import NetworkShape, convolved, depth
from terranas.space.enumeration import enumerate_cells
from terranas.space.network import Network

SHAPES = (
    NetworkShape(bands=3, classes=5, image_size=9, stem_channels=7, stacks=2, cells_per_stack=2),
    NetworkShape(bands=2, classes=3, image_size=8, stem_channels=6, stacks=3, cells_per_stack=1),
)


def counted(cell: Cell, shape: NetworkShape) -> tuple[int, int]:
    """Return what the convolutions of a built network put out for an image, and its depth as autograd recorded it."""
    network = Network(cell, shape).eval()
    put_out: list[int] = []

    def note(_: nn.Module, __: object, output: Tensor) -> None:
        put_out.append(output[0].numel())

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(note)
    logits = network(torch.randn(1, shape.bands, shape.image_size, shape.image_size))

    @cache
    def layers_up_to(node: torch.autograd.graph.Node | None) -> int:
        if node is None:
            return 0
        own = node.name() in ("ConvolutionBackward0", "AddmmBackward0")
        return own + max((layers_up_to(before) for before, _ in node.next_functions), default=0)

    return sum(put_out), layers_up_to(logits.grad_fn)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.stacks} stacks")
def test_all_91_small_cells(shape: NetworkShape) -> None:
    for text in zip(*enumerate_cells(4).to_strings(), strict=True):
        cell = Cell.from_strings(*text)
        assert (convolved(cell, shape), depth(cell, shape)) == counted(cell, shape), str(cell)


@given(...)
def test_any_cell(cell: Cell) -> None:
    try:
        expected = counted(cell, SHAPES[0])
    except CellError:  # more vertices at the output than channels; the other closed forms refuse it as well
        return
    assert (convolved(cell, SHAPES[0]), depth(cell, SHAPES[0])) == expected


def test_one_network_by_hand() -> None:
    # input -> 3x3 -> pooling -> output, input -> 1x1 -> output; vertices 2 and 3 share the output's channels
    cell = Cell.from_strings(
        "01010" + "00100" + "00001" + "00001" + "00000", f"input,{CONV3X3},{MAXPOOL3X3},{CONV1X1},output"
    )
    shape = NetworkShape(bands=2, classes=3, image_size=8, stem_channels=4, stacks=2, cells_per_stack=1)
    # channels: stem; projections to 3x3 and 1x1, and both themselves
    assert convolved(cell, shape) == 64 * 4 + 64 * 4 * 2 + 16 * 4 * 4
    # stem, twice projection and one convolution, linear layer
    assert depth(cell, shape) == 1 + 2 * 2 + 1


def test_a_cell_without_operations_is_one_projection_deep() -> None:
    shape = NetworkShape(bands=2, classes=3, image_size=8, stem_channels=4, stacks=3, cells_per_stack=3)
    assert depth(Cell.from_strings("0100", "input,output"), shape) == 1 + 9 + 1
