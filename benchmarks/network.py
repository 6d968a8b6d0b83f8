"""Computing the network of a cell, beside a build with a projection of its own for each edge from the cell's input.

    python benchmarks/network.py [--stem 64] [--batch 16] [--passes 20]

On one core. The plain build (plain_network.py) has the same weights and begins every sum of a cell with zeros.
"""

import numpy as np
import torch
from measure import measured, parser_of, seconds, show
from plain_network import make_plain
from torch import Tensor, nn

from terranas.space.cell import CONV1X1, CONV3X3, MAXPOOL3X3, Cell
from terranas.space.complexity import NetworkShape
from terranas.space.network import Network

Given = tuple[nn.Module, Tensor]

# vertices and edges by the number of projections: inner vertices side by side, and in two a skip edge to the output
EDGES = {
    1: (3, "01 12"),
    2: (3, "01 02 12"),
    3: (5, "01 02 03 14 24 34"),
    4: (6, "01 02 03 04 15 25 35 45"),
    5: (6, "01 02 03 04 05 15 25 35 45"),
}


def cell_of(projections: int, operation: str) -> Cell:
    """Return a cell whose input feeds so many vertices, with one operation in all inner ones."""
    vertices, edges = EDGES[projections]
    matrix = np.zeros((vertices, vertices), dtype=np.uint8)
    for edge in edges.split():
        matrix[int(edge[0]), int(edge[1])] = 1
    return Cell(matrix, ("input", *[operation] * (vertices - 2), "output"))


def built(projections: int, operation: str, stem: int, batch: int, plain: bool) -> Given:
    """Return a network and a batch of images."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    cell = cell_of(projections, operation)
    shape = NetworkShape(bands=3, classes=10, image_size=32, stem_channels=stem, stacks=3, cells_per_stack=3)
    images = torch.randn(batch, shape.bands, shape.image_size, shape.image_size)
    network = Network(cell, shape)
    return (make_plain(network, cell, shape) if plain else network), images


def forward(given: Given) -> list[float]:
    """Compute logits as for a prediction; return those of the first image."""
    network, images = given
    network.eval()
    with torch.no_grad():
        logits: list[float] = network(images)[0].tolist()
    return logits


def forward_and_backward(given: Given) -> list[float]:
    """Compute logits and gradients as for a step of training; return the logits of the first image."""
    network, images = given
    network.train()
    network.zero_grad()
    logits = network(images)
    logits.logsumexp(dim=1).mean().backward()
    first: list[float] = logits[0].tolist()
    return first


def main() -> None:
    """Print times, memory and ratios."""
    parser = parser_of(__doc__)
    parser.add_argument("--stem", type=int, default=64, help="channels of the stem")
    parser.add_argument("--batch", type=int, default=16, help="images in a batch")
    parser.add_argument("--passes", type=int, default=20, help="passes, of which the fastest counts")
    options = parser.parse_args()
    heads = ["operations, projections", "pass", "fused", "plain", "ratio", "MiB fused", "MiB plain"]
    rows = []
    for operation in (CONV3X3, CONV1X1, MAXPOOL3X3):
        for projections in EDGES:
            for step in (forward, forward_and_backward):
                given = (projections, operation, options.stem, options.batch)
                ours, plain = (
                    measured(step, *given, is_plain, prepare=built, runs=options.passes) for is_plain in (False, True)
                )
                np.testing.assert_allclose(ours.result, plain.result, rtol=1e-3, atol=1e-3)
                rows.append(
                    [
                        f"{operation.partition('-')[0]}, {projections}",
                        step.__name__.replace("_", " "),
                        seconds(ours.seconds),
                        seconds(plain.seconds),
                        f"{plain.seconds / ours.seconds:.2f}",
                        f"{ours.megabytes - ours.before:.0f}",
                        f"{plain.megabytes - plain.before:.0f}",
                    ]
                )
    print(
        f"{options.stem} stem channels, {options.batch} images of 32 x 32 pixels, one core; "
        "fused is faster where the ratio is above 1"
    )
    show(heads, rows, options.json)


if __name__ == "__main__":
    main()
