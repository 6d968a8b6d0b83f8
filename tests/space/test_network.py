"""Network and closed forms: the same parameters and MACs, the published counts, and the channel rules."""

import json
from collections import Counter
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from terranas.core.errors import CellError, ConfigError
from terranas.space.cell import CONV1X1, CONV3X3, MAXPOOL3X3, Cell
from terranas.space.complexity import CIFAR10_NETWORK, NetworkShape, macs, parameters, vertex_channels
from terranas.space.enumeration import enumerate_cells
from terranas.space.network import Network
from terranas.space.table import cells_table

from ..conftest import SHARED_DATA
from .networks import unsettle

PUBLISHED = SHARED_DATA / "eo-hwnas"
SO2SAT = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=128, stacks=3, cells_per_stack=3)
SMALL = NetworkShape(bands=3, classes=10, image_size=17, stem_channels=7, stacks=2, cells_per_stack=2)


@cache
def published_cells() -> list[tuple[Cell, int]]:
    """Return the published cells with their numbers of parameters."""
    if not PUBLISHED.is_dir():
        pytest.skip(f"the published EO benchmark is not at {PUBLISHED}")
    walks = json.loads((PUBLISHED / "path_logs.json").read_text())
    tested = json.loads((PUBLISHED / "test_results_sampled_all_paths.json").read_text())
    return [
        (
            Cell(np.array(visit["module_adjacency"]), tuple(visit["module_operations"])),
            tested[f"arch_{visit['id']}"]["num_params"],
        )
        for walk in walks
        for visit in walk
    ]


@cache
def stratified_cells() -> list[Cell]:
    """Return 300 unpublished cells, of each set of operations as many as of any other as far as there are so many."""
    batch = enumerate_cells(7)
    rows = np.random.default_rng(3).permutation(len(batch))
    names = [tuple(sorted(labels)) for labels in batch.labels[rows].tolist()]
    seen: Counter[tuple[int, ...]] = Counter()
    rank = []
    for name in names:
        rank.append(seen[name])
        seen[name] += 1
    chosen = batch[rows[np.argsort(rank, kind="stable")[:320]]]
    assert len(seen) == 56
    published = {cell.hash for cell, _ in published_cells()} if PUBLISHED.is_dir() else set()
    cells = [Cell.from_strings(*text) for text in zip(*chosen.to_strings(), strict=True)]
    others = [cell for cell in cells if cell.hash not in published][:300]
    assert len(others) == 300
    return others


def counted(cell: Cell, shape: NetworkShape) -> tuple[int, int]:
    """Return parameters and MACs counted in the network itself, without computing anything."""
    with torch.device("meta"):
        network = Network(cell, shape).eval()
        images = torch.empty(1, shape.bands, shape.image_size, shape.image_size)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        logits = network(images)
    assert logits.shape == (1, shape.classes)
    return sum(weights.numel() for weights in network.parameters()), counter.get_total_flops() // 2


def test_published_parameters_of_all_cells() -> None:
    cells = published_cells()
    assert len(cells) == 225
    assert [parameters(cell, SO2SAT) for cell, _ in cells] == [count for _, count in cells]


def test_cifar10_needs_11655_parameters_fewer() -> None:
    assert {parameters(cell, SO2SAT) - parameters(cell, CIFAR10_NETWORK) for cell, _ in published_cells()} == {11_655}


@pytest.fixture
def no_normalisation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pass over batch normalisation, which counts for nothing (tested below) and takes two thirds of the time."""
    monkeypatch.setattr(nn.BatchNorm2d, "forward", lambda _, x: x)


@pytest.mark.usefixtures("no_normalisation")
def test_full_size_networks_of_the_published_cells_agree_with_closed_forms() -> None:
    for cell, count in published_cells():
        assert counted(cell, SO2SAT) == (count, macs(cell, SO2SAT))


@pytest.mark.usefixtures("no_normalisation")
def test_full_size_networks_of_300_other_cells_agree_with_closed_forms() -> None:
    for cell in stratified_cells():
        assert counted(cell, CIFAR10_NETWORK) == (parameters(cell, CIFAR10_NETWORK), macs(cell, CIFAR10_NETWORK))


def test_normalisation_counts_for_nothing(request: pytest.FixtureRequest) -> None:
    cells = stratified_cells()[::12]
    with_it = [counted(cell, CIFAR10_NETWORK) for cell in cells]
    request.getfixturevalue("no_normalisation")
    assert with_it == [counted(cell, CIFAR10_NETWORK) for cell in cells]


def test_small_networks_of_all_91_cells_agree_with_the_table() -> None:
    table = cells_table(4, 9, SMALL)
    for row in table.itertuples():
        cell = Cell.from_strings(row.adjacency, row.operations)
        assert counted(cell, SMALL) == (row.parameters, row.macs)
        assert (parameters(cell, SMALL), macs(cell, SMALL)) == (row.parameters, row.macs)


def test_closed_forms_of_one_network_by_hand() -> None:
    # stem 3x3: 2 -> 4 channels at 8 pixels; then at 8 and 4 pixels a projection and a 3x3 convolution; linear 8 -> 3
    cell = Cell.from_strings("010001000", f"input,{CONV3X3},output")
    shape = NetworkShape(bands=2, classes=3, image_size=8, stem_channels=4, stacks=2, cells_per_stack=1)
    weights = [9 * 2 * 4, 4 * 4, 9 * 4 * 4, 4 * 8, 9 * 8 * 8]
    assert parameters(cell, shape) == sum(weights) + 2 * (4 + 4 + 4 + 8 + 8) + 8 * 3 + 3
    assert macs(cell, shape) == 64 * sum(weights[:3]) + 16 * sum(weights[3:]) + 8 * 3


def test_dangling_vertices_cost_nothing() -> None:
    dangling = Cell.from_strings("0110" + "0001" + "0000" + "0000", f"input,{CONV3X3},{CONV1X1},output")
    pruned = dangling.prune()
    assert pruned.num_vertices == 3
    assert counted(dangling, SMALL) == (parameters(pruned, SMALL), macs(pruned, SMALL))
    assert parameters(dangling, SMALL) == parameters(pruned, SMALL)


@pytest.mark.parametrize(
    ("adjacency", "channels", "expected"),
    [
        ("0100", 8, [0, 8]),
        # three vertices share 8 channels: 3 + 3 + 2
        ("01110" + "00001" * 3 + "00000", 8, [0, 3, 3, 2, 8]),
        # vertex 1 feeds only vertices 2 (4 channels) and 3 (3 channels): it takes the wider one's
        ("01000" + "00110" + "00001" + "00001" + "00000", 7, [0, 4, 4, 3, 7]),
        # vertex 1 feeds the output and vertex 2: its share of the output counts
        ("0100" + "0011" + "0001" + "0000", 5, [0, 3, 2, 5]),
    ],
)
def test_channels_of_vertices(adjacency: str, channels: int, expected: list[int]) -> None:
    vertices = len(expected)
    matrix = np.array(list(adjacency), dtype=np.uint8).reshape(1, vertices, vertices)
    assert vertex_channels(matrix, channels).tolist() == [expected]


def slow_widths(cell: Cell, channels: int) -> list[int]:
    """Return the channels of the vertices, one after the other (that of the input is not used)."""
    last = cell.num_vertices - 1
    sharing = [vertex for vertex in range(1, last) if cell.adjacency[vertex, last]]
    widths = [0] * last + [channels]
    for vertex in range(last - 1, 0, -1):
        if vertex in sharing:
            widths[vertex] = channels // len(sharing) + (sharing.index(vertex) < channels % len(sharing))
        else:
            widths[vertex] = max(widths[target] for target in np.flatnonzero(cell.adjacency[vertex]))
    return widths


def slow_block(x: Tensor, block: nn.Module, padding: int, own: slice, training: bool) -> Tensor:
    """Compute some channels of convolution, normalisation and rectifier, from their weights alone."""
    convolution, normalisation, _ = block
    x = functional.conv2d(x, convolution.weight[own], padding=padding)
    seen = (None, None) if training else (normalisation.running_mean[own], normalisation.running_var[own])
    x = functional.batch_norm(x, *seen, normalisation.weight[own], normalisation.bias[own], training, eps=1e-5)
    return functional.relu(x)


def slow_cell(x: Tensor, module: nn.Module, cell: Cell, channels: int, training: bool) -> Tensor:
    """Compute a cell vertex by vertex, with a 1x1 convolution of its own for each edge from the input."""
    widths, last, whole = slow_widths(cell, channels), cell.num_vertices - 1, slice(None)
    values: dict[int, Tensor] = {}
    first, projected = 0, {}
    for vertex in np.flatnonzero(cell.adjacency[0]):
        own = slice(first, first := first + widths[vertex])
        projected[vertex] = slow_block(x, module.projection, 0, own, training)
    for vertex in range(1, last):
        total = torch.zeros(len(x), widths[vertex], *x.shape[2:], dtype=x.dtype)
        for source in np.flatnonzero(cell.adjacency[:, vertex]):
            total = total + (projected[vertex] if source == 0 else values[source][:, : widths[vertex]])
        name, operation = cell.operations[vertex], module.operations[vertex - 1]
        if name == MAXPOOL3X3:
            values[vertex] = functional.max_pool2d(total, kernel_size=3, stride=1, padding=1)
        else:
            values[vertex] = slow_block(total, operation, {CONV3X3: 1, CONV1X1: 0}[name], whole, training)
    ending = [values[source] for source in range(1, last) if cell.adjacency[source, last]]
    result = torch.cat(ending, dim=1) if ending else torch.zeros_like(projected[last])
    return result + projected[last] if last in projected else result


def slow_forward(x: Tensor, network: Network, cell: Cell, shape: NetworkShape, training: bool) -> Tensor:
    """Compute the logits of a network from its weights alone."""
    x = slow_block(x, network.stem, 1, slice(None), training)
    modules = [module for module in network.stacks if not isinstance(module, nn.MaxPool2d)]
    for place, module in enumerate(modules):
        stack = place // shape.cells_per_stack
        if stack > 0 and place % shape.cells_per_stack == 0:
            x = functional.max_pool2d(x, kernel_size=2, stride=2)
        x = slow_cell(x, module, cell, shape.stem_channels * 2**stack, training)
    return functional.linear(x.mean(dim=(2, 3)), network.classifier.weight, network.classifier.bias)


def test_network_computes_what_its_definition_says() -> None:
    torch.manual_seed(1)
    for cell in stratified_cells():
        network = unsettle(Network(cell, SMALL)).eval()
        x = torch.randn(2, 3, 17, 17)
        with torch.no_grad():
            logits, expected = network(x), slow_forward(x, network, cell, SMALL, training=False)
        assert logits.abs().max() > 1e-3
        torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5)


def test_network_learns_what_its_definition_says() -> None:
    """Normalised by the batch, logits and gradients of all weights; in double precision, where rounding stays small."""
    torch.manual_seed(2)
    for cell in stratified_cells()[::3]:
        network = unsettle(Network(cell, SMALL)).double().train()
        x = torch.randn(3, 3, 17, 17, dtype=torch.float64)
        logits, expected = network(x), slow_forward(x, network, cell, SMALL, training=True)
        torch.testing.assert_close(logits, expected, rtol=1e-9, atol=1e-9)
        weights = list(network.parameters())
        gradients = [torch.autograd.grad(result.square().sum(), weights) for result in (logits, expected)]
        for ours, slow in zip(*gradients, strict=True):
            torch.testing.assert_close(ours, slow, rtol=1e-7, atol=1e-7)


def test_equal_seeds_give_equal_weights_and_all_weights_learn() -> None:
    cell = Cell.from_strings(
        "01101" + "00110" + "00001" + "00001" + "00000", f"input,{CONV3X3},{MAXPOOL3X3},{CONV1X1},output"
    )
    networks = []
    for _ in range(2):
        torch.manual_seed(7)
        networks.append(Network(cell, SMALL))
    first, second = (dict(network.named_parameters()) for network in networks)
    assert all(torch.equal(first[name], second[name]) for name in first)
    networks[0](torch.randn(4, 3, 17, 17)).square().sum().backward()
    assert all(weights.grad is not None and weights.grad.abs().sum() > 0 for weights in first.values())


def test_too_few_channels_are_refused() -> None:
    cell = Cell.from_strings("01110" + "00001" * 3 + "00000", f"input,{CONV3X3},{CONV3X3},{CONV3X3},output")
    shape = NetworkShape(bands=3, classes=10, image_size=8, stem_channels=2, stacks=1, cells_per_stack=1)
    with pytest.raises(
        CellError, match=r"3 vertices of a cell share the 2 channels of its output\. Use at least 3 stem"
    ):
        parameters(cell, shape)
    with pytest.raises(CellError, match="share the 2 channels"):
        Network(cell, shape)


def test_impossible_shapes_are_refused() -> None:
    with pytest.raises(ConfigError, match="classes of a network must be at least 1, got 0"):
        NetworkShape(bands=3, classes=0, image_size=8, stem_channels=2, stacks=1, cells_per_stack=1)
    with pytest.raises(ConfigError, match="8 pixels cannot be halved 4 times"):
        NetworkShape(bands=3, classes=2, image_size=8, stem_channels=2, stacks=5, cells_per_stack=1)
