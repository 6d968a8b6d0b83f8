"""The programs of benchmarks/ that train: their reference is the library's network, and they run."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from terranas.space.complexity import NetworkShape
from terranas.space.network import CellModule, Network

ROOT = Path(__file__).resolve().parents[1]
SHAPE = NetworkShape(bands=4, classes=3, image_size=12, stem_channels=9, stacks=2, cells_per_stack=2)


@pytest.fixture(scope="module")
def training() -> Iterator[ModuleType]:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import training

        yield training
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


def test_plain_networks_compute_and_learn_the_same(training: ModuleType) -> None:
    for edges, operations in (*training.CELLS.values(), ("01", ""), ("01 02 03 13 23", "p3")):
        cell = training.cell_of(edges, operations)
        torch.manual_seed(3)
        ours = Network(cell, SHAPE)
        torch.manual_seed(3)
        plain = training.make_plain(Network(cell, SHAPE), cell, SHAPE)
        assert not any(isinstance(module, CellModule) for module in plain.modules())
        images = torch.randn(3, 4, 12, 12, dtype=torch.float64)
        logits = [network.double().train()(images) for network in (ours, plain)]
        torch.testing.assert_close(*logits, rtol=1e-9, atol=1e-9)
        gradients = [
            torch.autograd.grad(result.square().sum(), [network.stem[0].weight, network.classifier.weight])
            for result, network in zip(logits, (ours, plain), strict=True)
        ]
        for pair in zip(*gradients, strict=True):
            torch.testing.assert_close(*pair, rtol=1e-7, atol=1e-7)


def test_loss_curves_agree_and_fall(training: ModuleType) -> None:
    """The bound of the benchmark itself, on networks small enough for a test."""
    for name in ("3x3", "7 vertices, mixed"):
        cell = training.cell_of(*training.CELLS[name])
        losses = training.curves(training.trainers(cell, SHAPE), SHAPE, batch=16, steps=16)
        for kind, most in training.differences(losses).items():
            assert 0 < most <= training.TOLERANCES[kind]
        assert losses["plain"][-1] < 0.9 * losses["plain"][0]


def test_training_benchmark_runs() -> None:
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "training.py"),
        "--threads",
        "1",
        "--stem",
        "8",
        "--batch",
        "8",
    ]
    command += ["--rounds", "1", "--steps", "2", "--cells", "1x1"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    assert re.search(r"^1x1 .* \d+\.\d\d ", printed, re.MULTILINE)
    assert "All loss curves agree" in printed


def test_the_roofline_needs_no_gpu_and_is_that_of_the_docs() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu_training.py"), "--roofline-only"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    page = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    # every row of the table of recipes stands in the page, as it is printed
    rows = [line for line in printed.splitlines() if re.search(r"GMAC\).*batch", line)]
    assert len(rows) == 24
    assert all(row in page for row in rows)
    assert "arithmetic, not measurement" in page.lower()
