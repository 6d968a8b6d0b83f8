"""Networks as they are measured: with weights, folded, of a type and memory format; and their size."""

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.utils.flop_counter import FlopCounterMode

from terranas.core.errors import DataError
from terranas.core.randomness import derive_seed
from terranas.profiling.records import Size
from terranas.profiling.settings import Condition, Precision
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape, convolved, depth, macs, parameters
from terranas.space.network import ConvBnRelu, Network
from terranas.training.result import copy_state

DTYPES: dict[Precision, torch.dtype] = {
    "fp32": torch.float32,
    "tf32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
"""Type of weights and feature maps; tf32 differs from fp32 only in how a device multiplies."""

MEMORY_FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}

_DIFFERENCES_SHOWN = 3


def build_network(cell: Cell, shape: NetworkShape, seed: int, weights: Path | None = None) -> Network:
    """Return a network in evaluation mode, on the CPU, in single precision.

    Args:
        cell: the architecture.
        shape: the network around it.
        seed: the study's seed, from which weights are drawn for the cell's hash.
        weights: file of a trained network's state dict to take instead.

    Raises:
        DataError: the file cannot be read, or holds weights of another architecture.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "profiling.weights", cell.hash))
        network = Network(cell, shape).eval()
    if weights is not None:
        state = _read_state(weights)
        if differences := _differences(state, network.state_dict()):
            raise DataError(
                f"{weights} holds weights of another architecture than {cell.hash} "
                f"({shape.stem_channels} stem channels, {shape.stacks} stacks of {shape.cells_per_stack} cells, "
                f"{shape.bands} bands, {shape.classes} classes): {differences}. Remove the file and train the "
                "architecture again, or set profiling.weights to drawn."
            )
        network.load_state_dict(state)
    return network


def _read_state(path: Path) -> dict[str, Tensor]:
    advice = "Remove it and train the architecture again, or set profiling.weights to drawn."
    try:
        content = io.BytesIO(path.read_bytes())
    except OSError as error:
        raise DataError(f"The weights {path} cannot be read: {error.strerror}. {advice}") from error
    try:
        state = torch.load(content, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"{path} is no whole file of weights ({reason}). {advice}") from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise DataError(f"{path} holds no state dict, which has a tensor for each name. {advice}")
    return dict(state)


def _differences(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str:
    """Return what tells two state dicts apart, empty where nothing does."""
    other = [
        f"{name} is {_described(found[name])} instead of {_described(expected[name])}"
        for name in expected
        if name in found and _described(found[name]) != _described(expected[name])
    ]
    missing = [f"{name} is missing" for name in expected if name not in found]
    unknown = [f"{name} is not known" for name in found if name not in expected]
    differences = [*other, *missing, *unknown]
    shown = differences[:_DIFFERENCES_SHOWN]
    rest = len(differences) - len(shown)
    return "; ".join(shown) + (f"; and {rest} more" if rest else "")


def _described(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def fold_batch_norm(network: nn.Module) -> None:
    """Fold each batch normalisation into the convolution before it, in place.

    In evaluation mode a normalisation is an affine map of each channel, so that scaled weights and a bias do its work
    (Jacob et al. 2018, section 3.2).

    Args:
        network: in evaluation mode; a network without such pairs stays as it is.
    """
    blocks: list[Any] = [module for module in network.modules() if isinstance(module, ConvBnRelu)]
    for block in blocks:
        convolution, normalisation, _ = block
        block[0] = fuse_conv_bn_eval(convolution, normalisation)
        del block[1]


def convert(network: nn.Module, condition: Condition, memory_format: str, device: torch.device) -> nn.Module:
    """Return a network as a condition wants it, on a device; the one passed in is used up.

    Folding is done in single precision; then weights and running statistics are cast, which is what a deployed network
    of that precision has (autocast would add the time of its casts).

    Args:
        network: in evaluation mode, in single precision.
        condition: precision, and whether to fold.
        memory_format: a name in ``MEMORY_FORMATS``.
        device: where it is to run.
    """
    if condition.is_folded:
        fold_batch_norm(network)
    return network.to(  # type: ignore[call-overload,no-any-return]
        device=device, dtype=DTYPES[condition.precision], memory_format=MEMORY_FORMATS[memory_format]
    )


def draw_images(shape: NetworkShape, batch_size: int, seed: int) -> Tensor:
    """Return standard normal images on the CPU, shape (batch size, bands, height, width), in single precision."""
    drawing = torch.Generator().manual_seed(derive_seed(seed, "profiling.input"))
    return torch.randn((batch_size, shape.bands, shape.image_size, shape.image_size), generator=drawing)


def network_size(network: nn.Module, cell: Cell, shape: NetworkShape) -> Size:
    """Return the size of a built network, counted, and held against the closed form.

    Args:
        network: as :func:`build_network` returns it.
        cell: its architecture.
        shape: the network around it.

    Raises:
        RuntimeError: the counts differ from the closed form, which is a defect.
    """
    counter = FlopCounterMode(display=False)
    # one image costs less time than tracing the network without any values (on the meta device)
    with torch.inference_mode(), counter:
        network(torch.zeros((1, shape.bands, shape.image_size, shape.image_size)))
    counted = {
        "parameters": sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad),
        "macs": counter.get_total_flops() // 2,
    }
    expected = {"parameters": parameters(cell, shape), "macs": macs(cell, shape)}
    if counted != expected:
        raise RuntimeError(f"The network of {cell.hash} has {counted}; the closed form says {expected}.")
    state = copy_state(network)
    checkpoint = io.BytesIO()
    # as a training writes it
    torch.save(state, checkpoint)
    return Size(
        **counted,
        activations=convolved(cell, shape),
        depth=depth(cell, shape),
        model_bytes=sum(tensor.numel() * tensor.element_size() for tensor in state.values()),
        checkpoint_bytes=checkpoint.tell(),
    )
