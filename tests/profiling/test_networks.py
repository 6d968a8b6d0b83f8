"""Networks as they are measured: weights, folding, conversion, and the counts of their size."""

import copy
import io
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from terranas.core.errors import DataError
from terranas.profiling import NUMERICS_VERSION
from terranas.profiling.networks import build_network, convert, draw_images, fold_batch_norm, network_size
from terranas.profiling.records import Size
from terranas.profiling.settings import Condition, Precision
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape, convolved, depth, macs, parameters
from terranas.space.enumeration import enumerate_cells
from terranas.space.network import Network
from terranas.training.checkpoint import save_weights
from terranas.training.result import copy_state

from ..space.networks import unsettle

SHAPE = NetworkShape(bands=2, classes=3, image_size=8, stem_channels=7, stacks=2, cells_per_stack=1)
CELL = Cell.from_strings("0110000100010000", "input,conv3x3-bn-relu,maxpool3x3,output")
OTHER = Cell.from_strings("0110000100010000", "input,conv3x3-bn-relu,conv1x1-bn-relu,output")
CPU = torch.device("cpu")


def unsettled(cell: Cell, shape: NetworkShape = SHAPE, seed: int = 0) -> Network:
    network = build_network(cell, shape, seed)
    torch.manual_seed(seed)
    return unsettle(network)


# --- weights ---------------------------------------------------------------------------------------------------------


def test_drawn_weights_depend_on_seed_and_cell_only() -> None:
    def weights(seed: int, cell: Cell = CELL) -> torch.Tensor:
        return build_network(cell, SHAPE, seed).stem[0].weight.detach().flatten()

    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = weights(3)
    assert torch.equal(torch.get_rng_state(), state), "building a network moved torch's own random stream"
    torch.manual_seed(2)
    assert torch.equal(weights(3), first)
    assert not torch.equal(weights(4), first)
    assert not torch.equal(weights(3, OTHER), first)


def test_images_depend_on_the_seed_only() -> None:
    assert torch.equal(draw_images(SHAPE, 2, 5), draw_images(SHAPE, 2, 5))
    assert not torch.equal(draw_images(SHAPE, 2, 5), draw_images(SHAPE, 2, 6))
    assert draw_images(SHAPE, 4, 0).shape == (4, 2, 8, 8)


def test_trained_weights_are_taken(tmp_path: Path) -> None:
    trained = unsettled(CELL, seed=9)
    save_weights(copy_state(trained), tmp_path / "best.pt")
    network = build_network(CELL, SHAPE, 0, tmp_path / "best.pt")
    assert not network.training
    expected = trained.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize(
    ("cell", "changes", "difference"),
    [
        (OTHER, {}, r"stacks\.0\.operations\.1\.0\.weight is not known; .*; and \d+ more"),
        (CELL, {"bands": 4}, r"stem\.0\.weight is float32 \(7, 4, 3, 3\) instead of float32 \(7, 2, 3, 3\)\."),
        (CELL, {"classes": 9}, r"classifier\.weight is float32 \(9, 14\) instead of float32 \(3, 14\); classifier"),
        (CELL, {"stacks": 1}, r"stacks\.2\.projection\.0\.weight is missing"),
    ],
)
def test_weights_of_another_architecture_are_told_apart(
    cell: Cell, changes: dict[str, int], difference: str, tmp_path: Path
) -> None:
    other = build_network(cell, NetworkShape(**{**vars(SHAPE), **changes}), 0)
    save_weights(copy_state(other), tmp_path / "best.pt")
    with pytest.raises(DataError, match=difference) as told:
        build_network(CELL, SHAPE, 0, tmp_path / "best.pt")
    message = str(told.value)
    assert message.startswith(f"{tmp_path / 'best.pt'} holds weights of another architecture than {CELL.hash} (7 stem")
    assert "Remove the file and train the architecture again, or set profiling.weights to drawn." in message


def test_weights_of_another_type_are_told(tmp_path: Path) -> None:
    save_weights(copy_state(build_network(CELL, SHAPE, 0).double()), tmp_path / "best.pt")
    with pytest.raises(DataError, match=r"is float64 \(7, 2, 3, 3\) instead of float32"):
        build_network(CELL, SHAPE, 0, tmp_path / "best.pt")


class Hostile:
    """Runs a command when it is unpickled without care."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_damaged_and_hostile_files_are_refused(tmp_path: Path) -> None:
    whole = io.BytesIO()
    torch.save(build_network(CELL, SHAPE, 0).state_dict(), whole)
    hostile = io.BytesIO()
    torch.save({"stem.0.weight": Hostile(tmp_path / "touched")}, hostile)
    contents = {
        "cut": whole.getvalue()[:-200],
        "empty": b"",
        "text": b"no weights at all",
        "hostile": hostile.getvalue(),
        "bare": pickle.dumps(Hostile(tmp_path / "touched"), protocol=2),
    }
    for name, content in contents.items():
        path = tmp_path / f"{name}.pt"
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"{name}\.pt is no whole file of weights \(.+\)\. Remove it and train"):
            build_network(CELL, SHAPE, 0, path)
    assert not (tmp_path / "touched").exists()
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(DataError, match=r"list\.pt holds no state dict"):
        build_network(CELL, SHAPE, 0, tmp_path / "list.pt")
    with pytest.raises(DataError, match=r"absent\.pt cannot be read: No such file or directory"):
        build_network(CELL, SHAPE, 0, tmp_path / "absent.pt")


# --- folding and conversion ------------------------------------------------------------------------------------------


def drawn_cells() -> st.SearchStrategy[Cell]:
    batch = enumerate_cells(5)
    texts = list(zip(*batch.to_strings(), strict=True))
    return st.sampled_from(texts).map(lambda text: Cell.from_strings(*text))


@settings(deadline=None, max_examples=60)
@given(drawn_cells(), st.integers(0, 1000))
def test_folding_changes_nothing_but_rounding(cell: Cell, seed: int) -> None:
    # in double precision, where rounding is far below any wrong factor
    network = unsettled(cell, seed=seed).double()
    folded = copy.deepcopy(network)
    fold_batch_norm(folded)
    images = draw_images(SHAPE, 2, seed).double()
    with torch.inference_mode():
        expected = network(images)
        torch.testing.assert_close(folded(images), expected, rtol=1e-9, atol=1e-9)
    assert expected.abs().max() > 1e-3
    kinds = [type(module) for module in folded.modules()]
    assert nn.BatchNorm2d not in kinds
    assert kinds.count(nn.Conv2d) == [type(module) for module in network.modules()].count(nn.Conv2d)
    assert all(module.bias is not None for module in folded.modules() if isinstance(module, nn.Conv2d))


def test_folding_in_single_precision_stays_near() -> None:
    network = unsettled(CELL)
    images = draw_images(SHAPE, 4, 0)
    with torch.inference_mode():
        expected = network(images)
        fold_batch_norm(network)
        torch.testing.assert_close(network(images), expected, rtol=1e-4, atol=1e-4)


def test_folding_leaves_other_networks_alone() -> None:
    network = nn.Sequential(nn.Conv2d(2, 3, 1), nn.Identity())
    fold_batch_norm(network)
    assert [type(module) for module in network] == [nn.Conv2d, nn.Identity]


@pytest.mark.parametrize(
    ("precision", "dtype", "tolerance"),
    [
        ("fp32", torch.float32, 1e-5),
        ("tf32", torch.float32, 1e-5),
        ("bf16", torch.bfloat16, 0.1),
        ("fp16", torch.float16, 0.02),
    ],
)
@pytest.mark.parametrize("memory_format", ["channels_last", "contiguous"])
@pytest.mark.parametrize("variant", ["plain", "folded"])
def test_a_converted_network_computes_the_same(
    precision: Precision, dtype: torch.dtype, tolerance: float, memory_format: str, variant: Any
) -> None:
    network = build_network(CELL, SHAPE, 0)
    images = draw_images(SHAPE, 2, 0)
    with torch.inference_mode():
        expected = network(images)
        made = convert(network, Condition(2, precision, variant), memory_format, CPU)
        found = made(images.to(dtype))
    assert {value.dtype for value in made.state_dict().values() if value.is_floating_point()} == {dtype}
    assert found.dtype == dtype
    wanted = torch.channels_last if memory_format == "channels_last" else torch.contiguous_format
    assert made.get_submodule("stem")[0].weight.is_contiguous(memory_format=wanted)
    torch.testing.assert_close(found.float(), expected, rtol=tolerance, atol=tolerance)
    assert any(isinstance(module, nn.BatchNorm2d) for module in made.modules()) == (variant == "plain")


# --- size ------------------------------------------------------------------------------------------------------------


def test_counts_equal_the_closed_forms_for_all_small_cells() -> None:
    for text in zip(*enumerate_cells(4).to_strings(), strict=True):
        cell = Cell.from_strings(*text)
        size = network_size(build_network(cell, SHAPE, 0), cell, SHAPE)
        assert (size.parameters, size.macs) == (parameters(cell, SHAPE), macs(cell, SHAPE))
        assert (size.activations, size.depth) == (convolved(cell, SHAPE), depth(cell, SHAPE))
        assert size.checkpoint_bytes > size.model_bytes > 4 * size.parameters


def test_golden_size_of_one_network() -> None:
    """When these numbers change, NUMERICS_VERSION of the stage must be raised."""
    size = network_size(build_network(CELL, SHAPE, 0), CELL, SHAPE)
    file = size.checkpoint_bytes  # torch's affair
    expected = Size(parameters=981, macs=29082, activations=1488, depth=6, model_bytes=4276, checkpoint_bytes=file)
    assert (NUMERICS_VERSION, size) == (2, expected)


def test_a_network_that_differs_from_its_closed_form_is_a_defect() -> None:
    network = build_network(CELL, SHAPE, 0)
    with pytest.raises(RuntimeError, match=r"has \{'parameters': .*the closed form says"):
        network_size(network, CELL, NetworkShape(**{**vars(SHAPE), "stem_channels": 8}))


def test_the_size_of_the_checkpoint_is_that_of_the_file(tmp_path: Path) -> None:
    sizes = set()
    for seed in range(20):  # names of tensors and file, and other values, change nothing
        network = unsettled(CELL, seed=seed)
        sizes.add(network_size(network, CELL, SHAPE).checkpoint_bytes)
        path = tmp_path / ("x" * (seed + 1))
        save_weights(copy_state(network), path)
        sizes.add(path.stat().st_size)
    assert len(sizes) == 1
