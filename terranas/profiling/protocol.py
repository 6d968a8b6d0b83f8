"""The quick measuring protocol: one network, one batch size, a few runs.

The network is in evaluation mode under ``torch.inference_mode``, in single precision and channels-last memory format
(about twice as fast as channels-first for these networks on a processor), the input already on the device; some runs
warm up, the next ones count. Weights are freshly initialised from a derived seed, not trained: how long these networks
take does not depend on the values of their weights.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from terranas.core.randomness import derive_seed
from terranas.profiling.devices import Device
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape, macs, parameters
from terranas.space.network import Network
from terranas.training.memory import is_out_of_memory

TIMES = (
    "latency_ms",
    "latency_iqr_ms",
    "latency_p90_ms",
    "latency_mean_ms",
    "latency_std_ms",
    "images_per_second",
    "peak_memory_bytes",
)
"""Columns that are NaN when the network could not be run."""


@dataclass(frozen=True)
class QuickProtocol:
    """Settings of the quick protocol.

    Attributes:
        batch_size: images in a batch.
        warmup_runs: runs before the clock counts.
        timed_runs: runs that count.
    """

    batch_size: int
    warmup_runs: int
    timed_runs: int

    def measure(self, cell: Cell, shape: NetworkShape, device: Device, seed: int) -> dict[str, Any]:
        """Return the measured columns of the table of profiles for one architecture.

        A network that does not fit into memory, or whose output is not finite, gives NaN times and says so in
        ``outcome``.

        Args:
            cell: the architecture.
            shape: the network around it.
            device: where to run.
            seed: the study's seed; weights and input are drawn from it.

        Raises:
            RuntimeError: the built network has other parameters or multiply-accumulates than its closed form says.
        """
        network = build_network(cell, shape, seed)
        size = count_size(network, cell, shape)
        outcome, times, peak = "ok", np.empty(0), float("nan")
        try:
            times, peak, finite = self._time(network, shape, device, seed)
            if not finite:
                outcome, times, peak = "not_finite", np.empty(0), float("nan")
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            outcome = "out_of_memory"
        return {
            "outcome": outcome,
            "runs": len(times),
            **summarise_times(times, self.batch_size),
            "peak_memory_bytes": peak,
            **size,
        }

    def _time(
        self, network: nn.Module, shape: NetworkShape, device: Device, seed: int
    ) -> tuple[NDArray[np.float64], float, bool]:
        device.reset_peak_memory()
        drawing = torch.Generator().manual_seed(derive_seed(seed, "profiling.input"))
        size = (self.batch_size, shape.bands, shape.image_size, shape.image_size)
        images = torch.randn(size, generator=drawing).to(device.torch_device, memory_format=torch.channels_last)
        network = network.to(device.torch_device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        forward: Callable[[], Tensor] = lambda: network(images)  # noqa: E731  (one name for warm-up and runs)
        with torch.inference_mode():
            for _ in range(self.warmup_runs):
                logits = forward()
            finite = bool(torch.isfinite(logits).all())
            times = device.time_runs(forward, self.timed_runs)
        return times, device.peak_memory_bytes(), finite


def build_network(cell: Cell, shape: NetworkShape, seed: int) -> Network:
    """Return a network in evaluation mode with weights drawn from a seed derived for its hash."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "profiling.weights", cell.hash))
        return Network(cell, shape).eval()


def count_size(network: nn.Module, cell: Cell, shape: NetworkShape) -> dict[str, int]:
    """Return parameters, MACs for one image and bytes of a built network, held against the closed form.

    MACs are half of what ``torch.utils.flop_counter`` counts: convolutions and matrix products only. Bytes are those of
    all tensors of the state dict, running statistics included.

    Raises:
        RuntimeError: the counts differ from the closed form.
    """
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        network(torch.zeros((1, shape.bands, shape.image_size, shape.image_size)))
    counted = {
        "parameters": sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad),
        "macs": counter.get_total_flops() // 2,
    }
    expected = {"parameters": parameters(cell, shape), "macs": macs(cell, shape)}
    if counted != expected:
        raise RuntimeError(f"The network of {cell.hash} has {counted}; the closed form says {expected}.")
    held = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    return counted | {"model_bytes": held}


def summarise_times(times: NDArray[np.float64], batch_size: int) -> dict[str, float]:
    """Return median, interquartile range, 90th percentile, mean and sample deviation of times in ms, and throughput.

    Args:
        times: shape (runs,); all results are NaN when there are none.
        batch_size: images in a run.
    """
    if not len(times):
        return dict.fromkeys(TIMES[:-1], float("nan"))
    lower, median, upper, p90 = np.percentile(times, [25, 50, 75, 90]).tolist()
    return {
        "latency_ms": median,
        "latency_iqr_ms": upper - lower,
        "latency_p90_ms": p90,
        "latency_mean_ms": float(times.mean()),
        "latency_std_ms": float(times.std(ddof=1)),
        "images_per_second": 1000 * batch_size / median,
    }
