"""Estimates of time and memory, and the roofline they rest on for GPUs."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from terranas.space.cell import CONV1X1, CONV3X3, MAXPOOL3X3, Cell
from terranas.space.complexity import NetworkShape, macs, parameters
from terranas.space.enumeration import enumerate_cells
from terranas.training.estimate import FRAMEWORK_MB, Estimate, estimate, resources_of
from terranas.training.roofline import A100, INDEX_BYTES, layers_of, step_time

SO2SAT = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=128, stacks=3, cells_per_stack=3)
SMALL = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=16, stacks=3, cells_per_stack=2)
MIXED = Cell.from_strings(
    "011000" + "001100" + "000011" + "000010" + "000001" + "000000",
    f"input,{CONV3X3},{CONV1X1},{MAXPOOL3X3},{CONV3X3},output",
)
IMAGES = {"train": 640, "validation": 320, "test": 320}
SO2SAT_IMAGES = {"train": 352_366, "validation": 24_188, "test": 24_119}
RECIPE = {
    "device": "cpu",
    "processes": 1,
    "threads": 1,
    "epochs": 4,
    "batch_size": 16,
    "optimizer": "adamw",
    "momentum": 0.9,
    "precision": "fp32",
}
PUBLISHED_RECIPE = RECIPE | {
    "device": "cuda",
    "processes": 4,
    "epochs": 108,
    "batch_size": 64,
    "optimizer": "sgd",
    "momentum": 0.0,
}


def expected(shape: NetworkShape = SMALL, images: dict[str, int] = IMAGES, **settings: object) -> Estimate:
    return estimate(MIXED, shape, RECIPE | settings, images, 2)


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, terranas.training.estimate; print([m for m in ('torch', 'pandas', 'numba') if m in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed.strip() == "[]"


def test_published_trainings_are_met(shared_data: Path) -> None:
    """Of 907 published trainings, 5 %, half and 95 % had epochs of at most 56.0, 80.2 and 122.7 s."""
    walks = json.loads((shared_data / "eo-hwnas" / "path_logs.json").read_text())
    cells = [Cell(np.array(at["module_adjacency"]), tuple(at["module_operations"])) for walk in walks for at in walk]
    assert len(cells) == 225
    images = SO2SAT_IMAGES | {"validation": 0, "test": 0}
    epochs = [estimate(cell, SO2SAT, PUBLISHED_RECIPE, images, 2).seconds / 108 for cell in cells]
    np.testing.assert_allclose(np.quantile(epochs, [0.05, 0.5, 0.95]), [56.0, 80.2, 122.7], rtol=0.12)


def test_more_work_takes_longer_and_more_memory() -> None:
    base = expected()
    assert expected(epochs=8).seconds > 1.4 * base.seconds
    assert expected(images=IMAGES | {"validation": 640}).seconds > base.seconds
    assert expected(batch_size=128).host_mb > base.host_mb
    assert expected(threads=2).seconds < base.seconds
    assert expected(SO2SAT).seconds > 10 * base.seconds
    assert expected(SO2SAT, precision="bf16").seconds < expected(SO2SAT).seconds
    assert expected(SO2SAT, precision="bf16").host_mb < expected(SO2SAT).host_mb
    assert expected(SO2SAT, optimizer="sgd", momentum=0.0).host_mb < expected(SO2SAT, optimizer="sgd").host_mb
    assert expected(SO2SAT, optimizer="sgd").host_mb < expected(SO2SAT).host_mb
    # CPUs compute in bf16 or not; the dearer case counts
    assert expected(precision="auto") == base


def test_processes_share_the_images_but_not_the_rest() -> None:
    one, two = expected(), expected(processes=2)
    pixels = 1280 * 10 * 32 * 32 * 2 / 1e6
    assert two.host_mb - pixels == pytest.approx(2 * (one.host_mb - pixels))
    assert one.seconds / 2 < two.seconds < one.seconds


def test_devices() -> None:
    assert expected().device_mb == 0
    cuda = expected(device="cuda")
    assert expected(device="auto") == cuda
    assert cuda.device_mb > 600
    assert cuda.host_mb >= FRAMEWORK_MB["cuda"]
    # the images lie on the GPU
    more = expected(device="cuda", images=IMAGES | {"train": 1640})
    assert more.device_mb - cuda.device_mb == pytest.approx(1000 * 10 * 32 * 32 * 2 / 1e6)


def test_resources_have_their_margins() -> None:
    small, large = Estimate(600, 1000, 0), Estimate(1200, 3000, 0)
    assert resources_of([small]) == {"mem_mb": 1650, "runtime": 30}
    # side by side: memory adds up, and the slowest counts
    assert resources_of([small, large]) == {"mem_mb": 5400, "runtime": 50}
    # the images, which are among it, are there once
    shared = [Estimate(600, 1000, 0, 800), Estimate(600, 2000, 0, 800)]
    assert resources_of(shared) == {"mem_mb": 1.25 * 2200 + 400, "runtime": 30}
    assert resources_of([]) == {"mem_mb": 400, "runtime": 10}


@pytest.mark.parametrize(
    ("stem", "batch", "precision"), [(16, 64, "fp32"), (32, 64, "bf16"), (8, 8, "fp32")], ids=lambda given: str(given)
)
def test_memory_of_a_real_step_is_met(stem: int, batch: int, precision: str) -> None:
    """Steps and an evaluation in a process of its own, within a quarter of the estimate."""
    code = f"""
import pandas, torch
from terranas.core import tables
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape
from terranas.space.network import Network
from terranas.core.processes import host_peak_mb
torch.set_num_threads(1)
cell = Cell.from_strings({MIXED.adjacency_string!r}, {MIXED.operations_string!r})
network = Network(cell, NetworkShape(10, 17, 32, {stem}, 3, 2)).to(memory_format=torch.channels_last)
optimizer = torch.optim.AdamW(network.parameters())
def computed(images):
    x = torch.randn(images, 10, 32, 32).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16, enabled={precision == "bf16"}):
        return network(x).float()
for _ in range(2):
    optimizer.zero_grad()
    computed({batch}).logsumexp(1).sum().backward()
    optimizer.step()
network.eval()
with torch.no_grad():
    computed(128)
print(host_peak_mb())
"""
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    shape = NetworkShape(10, 17, 32, stem, 3, 2)
    settings = RECIPE | {"batch_size": batch, "precision": precision}
    nothing = {"train": 0, "validation": 0, "test": 0}
    assert estimate(MIXED, shape, settings, nothing, 2).host_mb == pytest.approx(float(printed), rel=0.25)


def test_operations_of_the_layers_are_those_of_the_closed_form() -> None:
    batch = enumerate_cells(6)
    rows = np.random.default_rng(5).permutation(len(batch))[:200]
    for text in zip(*batch[rows].to_strings(), strict=True):
        cell = Cell.from_strings(*text)
        for shape in (SO2SAT, SMALL):
            # the linear layer is left out
            linear = shape.stack_channels(shape.stacks - 1) * shape.classes
            assert sum(layer.operations for layer in layers_of(cell, shape)) == 6 * (macs(cell, shape) - linear)


def test_layers_of_one_network_by_hand() -> None:
    # 4 x 4 pixels, 2 bands, 5 channels; the input feeds a pooling and the output, which adds both
    cell = Cell.from_strings("011001000", f"input,{MAXPOOL3X3},output")
    layers = layers_of(cell, NetworkShape(2, 3, 4, 5, 1, 1))
    found = [(layer.name, layer.operations, layer.values, layer.indices) for layer in layers]
    assert found == [
        ("convolution 3x3", 6 * 9 * 2 * 5 * 16, 3 * 16 * 7, 0),
        ("normalisation", 0, 8 * 16 * 5, 0),
        ("rectifier", 0, 5 * 16 * 5, 0),
        ("convolution 1x1", 6 * 5 * 10 * 16, 3 * 16 * 15, 0),
        ("normalisation", 0, 8 * 16 * 10, 0),
        ("rectifier", 0, 5 * 16 * 10, 0),
        ("join", 0, 2 * 16 * 10, 0),
        ("pooling", 0, 5 * 16 * 5, 16 * 5),
        ("sum", 0, 3 * 16 * 5, 0),
    ]
    assert layers[-2].bytes("bf16") == 5 * 16 * 5 * 2 + 16 * 5 * INDEX_BYTES


def test_bounds_of_a_step() -> None:
    layers, count = layers_of(MIXED, SO2SAT), parameters(MIXED, SO2SAT)
    fp32, bf16 = (step_time(layers, count, 64, A100, precision) for precision in ("fp32", "bf16"))
    assert fp32.device <= fp32.unoverlapped <= 2 * fp32.device
    # half the bytes and twice the operations a second; places of maxima and weights do not shrink
    assert fp32.device / 2 < bf16.device < fp32.device
    assert bf16.launches == fp32.launches
    computing = 64 * 6 * macs(MIXED, SO2SAT) / A100.operations["bf16"]
    assert bf16.device > computing * 0.99
    tiny = step_time(layers_of(MIXED, SMALL), parameters(MIXED, SMALL), 2, A100, "bf16")
    assert math.isclose(tiny.seconds, tiny.launches)
