"""Training steps of the library beside a plain implementation of the same network, and the loss curves of both.

    python benchmarks/training.py [--threads 2] [--stem 128] [--batch 64] [--rounds 5] [--steps 12]

Plain: feature maps channel by channel (NCHW), fp32, one 1x1 projection an edge from a cell's input, sums that begin
with zeros, as published tools compute (plain_network.py). Library: its network with channels_last feature maps, in fp32
and in bf16 autocast. All take the same images from the same weights, in turns within one process, so that what else the
machine does strikes all alike; the fastest step of each counts. A step is forward pass, backward pass and update.
"""

import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from measure import parser_of, seconds, show
from plain_network import make_plain
from torch import Tensor, nn

from terranas.space.cell import CONV1X1, CONV3X3, MAXPOOL3X3, Cell
from terranas.space.complexity import NetworkShape, macs
from terranas.space.network import Network

GOAL = 2.5
LEARNING_RATE = 0.01
TOLERANCES = {"library, fp32": 0.02, "library, bf16": 0.05}
"""Largest difference of a loss to that of the plain implementation over the steps, as a share of the first loss.

Rectifiers and poolings switch where rounding differs, so that deep networks drift apart in fp32 too; in double
precision their gradients agree (tests/test_training_benchmarks.py)."""

OPERATIONS = {"3": CONV3X3, "1": CONV1X1, "p": MAXPOOL3X3}
CELLS = {
    "1x1": ("01 12", "1"),
    "3x3": ("01 12", "3"),
    "3x3 x2 and skip": ("01 12 23 03", "33"),
    "3x3, 1x1, pool side by side": ("01 02 03 14 24 34", "31p"),
    "inception": ("01 02 03 14 25 36 46 56", "11p33"),
    "7 vertices, mixed": ("01 02 03 12 24 34 45 16 56", "31p13"),
}
"""Edges and operations (3x3, 1x1, pooling) of the cells that are trained, from cheap to dear and with each kind."""


def cell_of(edges: str, operations: str) -> Cell:
    """Return the cell with the edges and the inner vertices' operations."""
    matrix = np.zeros((len(operations) + 2,) * 2, dtype=np.uint8)
    for edge in edges.split():
        matrix[int(edge[0]), int(edge[1])] = 1
    return Cell(matrix, ("input", *(OPERATIONS[name] for name in operations), "output"))


@dataclass
class Trainer:
    """A network in training.

    Attributes:
        network: what is trained.
        precision: type that is computed in.
        layout: order of feature maps in memory.
    """

    network: nn.Module
    precision: torch.dtype
    layout: torch.memory_format

    def __post_init__(self) -> None:
        self.network = self.network.train().to(memory_format=self.layout)  # type: ignore[call-overload]
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=LEARNING_RATE, momentum=0.9, weight_decay=5e-4)

    def step(self, images: Tensor, labels: Tensor) -> tuple[float, float]:
        """Train on a batch; return its loss and the seconds taken."""
        start = time.perf_counter()
        images = images.contiguous(memory_format=self.layout)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == torch.bfloat16):
            logits = self.network(images)
        loss = F.cross_entropy(logits.float(), labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.item(), time.perf_counter() - start


def trainers(cell: Cell, shape: NetworkShape) -> dict[str, Trainer]:
    """Return the plain implementation and the library's, with equal weights."""

    def network() -> Network:
        torch.manual_seed(0)
        return Network(cell, shape)

    return {
        "plain": Trainer(make_plain(network(), cell, shape), torch.float32, torch.contiguous_format),
        "library, fp32": Trainer(network(), torch.float32, torch.channels_last),
        "library, bf16": Trainer(network(), torch.bfloat16, torch.channels_last),
    }


def batches(shape: NetworkShape, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield two batches in turns, without end: classes have colours, under noise."""
    generator = torch.Generator().manual_seed(1)
    image = (shape.bands, shape.image_size, shape.image_size)
    colours = torch.randn(shape.classes, shape.bands, 1, 1, generator=generator)
    made = []
    for _ in range(2):
        labels = torch.randint(shape.classes, (size,), generator=generator)
        made.append((colours[labels] + torch.randn(size, *image, generator=generator), labels))
    return cycle(made)


def curves(trained: dict[str, Trainer], shape: NetworkShape, batch: int, steps: int) -> dict[str, list[float]]:
    """Train all on the same batches and return the losses of each step."""
    losses: dict[str, list[float]] = {name: [] for name in trained}
    given = batches(shape, batch)
    for _ in range(steps):
        images, labels = next(given)
        for name, trainer in trained.items():
            losses[name].append(trainer.step(images, labels)[0])
    return losses


def differences(losses: dict[str, list[float]]) -> dict[str, float]:
    """Return the largest difference of each curve to the plain one, as a share of the plain one's first loss."""
    plain = np.array(losses["plain"])
    return {name: float(np.abs(losses[name] - plain).max() / plain[0]) for name in TOLERANCES}


def fastest(trained: dict[str, Trainer], shape: NetworkShape, batch: int, rounds: int) -> dict[str, float]:
    """Return the seconds of the fastest step of each, taken in turns after the curves have warmed all up."""
    images, labels = next(batches(shape, batch))
    return {
        name: min(times)
        for name, times in zip(
            trained,
            zip(*([each.step(images, labels)[1] for each in trained.values()] for _ in range(rounds)), strict=True),
            strict=True,
        )
    }


def has_bf16() -> bool:
    """Return whether this processor multiplies bf16 itself; without, bf16 is no faster than fp32."""
    flags = Path("/proc/cpuinfo")
    return flags.is_file() and any(name in flags.read_text() for name in ("avx512_bf16", "amx_bf16", " bf16"))


def main() -> None:
    """Print times, ratios and how far the loss curves are apart; fail where the curves differ."""
    parser = parser_of(__doc__)
    parser.add_argument("--threads", type=int, default=2, help="threads of torch")
    parser.add_argument("--stem", type=int, default=128, help="channels of the stem")
    parser.add_argument("--batch", type=int, default=64, help="images in a batch")
    parser.add_argument("--rounds", type=int, default=5, help="timed steps of each, of which the fastest counts")
    parser.add_argument("--steps", type=int, default=12, help="steps of the loss curves")
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS), help="cells to train")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    shape = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=options.stem, stacks=3, cells_per_stack=3)
    print(
        f"{platform.machine()}, bf16 instructions: {'yes' if has_bf16() else 'no'}; torch {torch.__version__}, "
        f"{options.threads} threads; {options.stem} stem channels, {options.batch} images of 10 x 32 x 32. Goal on two "
        f"cores with bf16 instructions: {GOAL} times the plain implementation."
    )
    rows, apart = [], []
    for name in options.cells:
        cell = cell_of(*CELLS[name])
        trained = trainers(cell, shape)
        losses = curves(trained, shape, options.batch, options.steps)
        took = fastest(trained, shape, options.batch, options.rounds)
        far = differences(losses)
        apart += [f"{name}, {kind}" for kind, most in far.items() if not most <= TOLERANCES[kind]]
        rows.append(
            [
                name,
                f"{macs(cell, shape) / 1e9:.2f}",
                *map(seconds, took.values()),
                *(f"{options.batch / each:.0f}" for each in took.values()),
                f"{took['plain'] / took['library, fp32']:.2f}",
                f"{took['plain'] / took['library, bf16']:.2f}",
                f"{losses['plain'][0]:.2f} to {losses['plain'][-1]:.2f}",
                *(f"{each:.1e}" for each in far.values()),
            ]
        )
    kinds = ("plain", "fp32", "bf16")
    heads = ["cell", "GMAC", *(f"{kind} step" for kind in kinds), *(f"{kind} img/s" for kind in kinds)]
    heads += ["fp32 ratio", "bf16 ratio", "loss", "apart fp32", "apart bf16"]
    show(heads, rows, options.json)
    limits = ", ".join(f"{kind} {limit}" for kind, limit in TOLERANCES.items())
    if apart:
        raise SystemExit(f"Loss curves differ by more than allowed ({limits} of the first loss): {'; '.join(apart)}")
    print(f"All loss curves agree ({limits} of the first loss).")


if __name__ == "__main__":
    main()
