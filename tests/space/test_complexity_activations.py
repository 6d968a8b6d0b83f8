"""The closed form of kept activations against what torch's autograd keeps."""

import numpy as np
import pytest
import torch
from torch import Tensor

from terranas.space.cell import CONV1X1, CONV3X3, MAXPOOL3X3, Cell
from terranas.space.complexity import NetworkShape, activations, activations_of
from terranas.space.enumeration import enumerate_cells
from terranas.space.network import Network

SHAPES = (
    NetworkShape(bands=3, classes=5, image_size=9, stem_channels=7, stacks=2, cells_per_stack=2),
    NetworkShape(bands=2, classes=3, image_size=8, stem_channels=6, stacks=3, cells_per_stack=1),
    NetworkShape(bands=2, classes=3, image_size=4, stem_channels=5, stacks=1, cells_per_stack=3),
)
IMAGES = 3


def kept_by_torch(cell: Cell, shape: NetworkShape, images: int = IMAGES) -> tuple[int, int]:
    """Return values and indices a number of images, from the memory of all tensors that autograd keeps."""
    network = Network(cell, shape).train()
    constant = {state.untyped_storage().data_ptr() for state in network.state_dict().values()}
    kept: dict[int, tuple[torch.dtype, int]] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        # means and deviations of normalisations are vectors
        if storage.data_ptr() not in constant and tensor.ndim > 1:
            kept[storage.data_ptr()] = (tensor.dtype, storage.nbytes() // tensor.element_size())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        logits = network(torch.randn(images, shape.bands, shape.image_size, shape.image_size))
    assert logits.requires_grad
    counts = {
        kind: sum(size for other, size in kept.values() if other == kind) for kind in (torch.float32, torch.int64)
    }
    assert {kind for kind, _ in kept.values()} <= set(counts)
    return counts[torch.float32] // images, counts[torch.int64] // images


def drawn_cells(vertices: int, count: int) -> list[Cell]:
    """Return cells of so many vertices at most."""
    batch = enumerate_cells(vertices)
    rows = np.random.default_rng(11).permutation(len(batch))[:count]
    return [Cell.from_strings(*text) for text in zip(*batch[rows].to_strings(), strict=True)]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.stacks} stacks")
def test_kept_activations_of_all_91_small_cells(shape: NetworkShape) -> None:
    for cell in drawn_cells(4, 91):
        assert activations(cell, shape) == kept_by_torch(cell, shape), str(cell)


@pytest.mark.parametrize("vertices", [5, 6, 7])
def test_kept_activations_of_larger_cells(vertices: int) -> None:
    for cell in drawn_cells(vertices, 120):
        assert activations(cell, SHAPES[0]) == kept_by_torch(cell, SHAPES[0]), str(cell)


def test_kept_activations_of_one_network_by_hand() -> None:
    # images, stem (convolution, rectifier); projection (twice), pooling's places; features before the linear layer
    cell = Cell.from_strings("010001000", f"input,{MAXPOOL3X3},output")
    shape = NetworkShape(bands=2, classes=3, image_size=4, stem_channels=5, stacks=1, cells_per_stack=1)
    assert activations(cell, shape) == (16 * (2 + 2 * 5 + 2 * 5) + 5, 16 * 5)
    # a second cell keeps the first one's output, which is the pooling's
    twice = NetworkShape(bands=2, classes=3, image_size=4, stem_channels=5, stacks=1, cells_per_stack=2)
    assert activations(cell, twice) == (16 * (2 + 2 * 5 + 4 * 5 + 5) + 5, 2 * 16 * 5)


def test_a_batch_of_cells_gives_each_cells_activations() -> None:
    cells = [
        Cell.from_strings("0110" + "0011" + "0001" + "0000", f"input,{first},{second},output")
        for first in (CONV1X1, MAXPOOL3X3)
        for second in (CONV3X3, MAXPOOL3X3)
    ]
    names = (CONV3X3, CONV1X1, MAXPOOL3X3)
    labels = np.array([[names.index(name) for name in cell.operations[1:-1]] for cell in cells])
    kept = activations_of(np.stack([cell.adjacency for cell in cells]), labels, SHAPES[0])
    assert list(zip(kept.values.tolist(), kept.indices.tolist(), strict=True)) == [
        activations(cell, SHAPES[0]) for cell in cells
    ]
    assert len(set(kept.values.tolist())) > 1
