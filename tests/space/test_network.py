"""Network and closed forms: the same parameters and MACs, the published counts, and the channel rules."""

import json
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from terranas.core.errors import CellError, ConfigError
from terranas.space.cell import CONV1X1, CONV3X3, MAXPOOL3X3, Cell
from terranas.space.complexity import CIFAR10_NETWORK, NetworkShape, macs, parameters, vertex_channels
from terranas.space.enumeration import enumerate_cells
from terranas.space.network import Network
from terranas.space.table import cells_table

PUBLISHED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "eo-hwnas"
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
    """Return 300 cells, of each set of operations as many as of any other as far as there are so many."""
    batch = enumerate_cells(7)
    rows = np.random.default_rng(3).permutation(len(batch))
    names = [tuple(sorted(labels)) for labels in batch.labels[rows].tolist()]
    seen: Counter[tuple[int, ...]] = Counter()
    rank = []
    for name in names:
        rank.append(seen[name])
        seen[name] += 1
    chosen = batch[rows[np.argsort(rank, kind="stable")[:300]]]
    assert len(seen) == 56
    return [Cell.from_strings(*text) for text in zip(*chosen.to_strings(), strict=True)]


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


def test_full_size_networks_of_the_published_cells_agree_with_closed_forms() -> None:
    for cell, count in published_cells():
        assert counted(cell, SO2SAT) == (count, macs(cell, SO2SAT))


def test_small_networks_of_300_other_cells_agree_with_closed_forms() -> None:
    shape = replace(SMALL, cells_per_stack=1)
    for cell in stratified_cells():
        assert counted(cell, shape) == (parameters(cell, shape), macs(cell, shape))


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


class StepByStep(nn.Module):
    """The same cell computed vertex by vertex with a projection of its own for each edge from the input."""

    def __init__(self, network_cell: nn.Module, cell: Cell, channels: int) -> None:
        super().__init__()
        self.source, self.cell = network_cell, cell
        self.widths = vertex_channels(cell.adjacency[None], channels)[0].tolist()

    def projection(self, x: torch.Tensor, vertex: int) -> torch.Tensor:
        convolution, normalisation, _ = self.source.projection
        before = [v for v in range(vertex) if self.cell.adjacency[0, v]]
        own = slice(sum(self.widths[v] for v in before), sum(self.widths[v] for v in before) + self.widths[vertex])
        y = nn.functional.conv2d(x, convolution.weight[own])
        y = nn.functional.batch_norm(
            y,
            normalisation.running_mean[own],
            normalisation.running_var[own],
            normalisation.weight[own],
            normalisation.bias[own],
        )
        return y.relu()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        last = self.cell.num_vertices - 1
        values = {}
        for vertex in range(1, last):
            total = torch.zeros(len(x), self.widths[vertex], *x.shape[2:])
            for source in np.flatnonzero(self.cell.adjacency[:, vertex]):
                entering = self.projection(x, vertex) if source == 0 else values[source]
                total = total + entering[:, : self.widths[vertex]]
            values[vertex] = self.source.operations[vertex - 1](total)
        ending = [values[source] for source in range(1, last) if self.cell.adjacency[source, last]]
        result = torch.cat(ending, dim=1) if ending else torch.zeros(len(x), self.widths[last], *x.shape[2:])
        return result + self.projection(x, last) if self.cell.adjacency[0, last] else result


def test_network_computes_what_its_definition_says() -> None:
    torch.manual_seed(1)
    for cell in stratified_cells()[::5]:
        network = Network(cell, SMALL).eval()
        for normalisation in network.modules():
            if isinstance(normalisation, nn.BatchNorm2d):
                nn.init.normal_(normalisation.running_mean)
                nn.init.uniform_(normalisation.running_var, 0.5, 2)
                nn.init.normal_(normalisation.weight)
        x = torch.randn(2, 3, 17, 17)
        with torch.no_grad():
            logits = network(x)
            values = network.stem(x)
            for place, channels in ((0, 7), (1, 7), (3, 14), (4, 14)):
                if place == 3:
                    values = nn.functional.max_pool2d(values, 2)
                values = StepByStep(network.stacks[place], cell, channels)(values)
            expected = network.classifier(values.mean(dim=(2, 3)))
        assert logits.abs().max() > 1e-3
        torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5)


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
