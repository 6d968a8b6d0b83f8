"""NVIDIA GPUs as devices: timed by events, watched through NVIDIA's management library."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terranas.core.nvml import Gpu
from terranas.profiling.description import Description, describe_gpu, describe_host
from terranas.profiling.interface import UnsupportedError, no_collection, observation_places
from terranas.profiling.observation import GpuWatch, Observation
from terranas.profiling.power import GpuCounter
from terranas.profiling.processors import pin_threads
from terranas.profiling.settings import Condition, Precision
from terranas.training.memory import is_out_of_memory

CAPABILITIES = {"tf32": (8, 0), "bf16": (8, 0), "fp16": (5, 3)}
"""Compute capability from which on a device computes in a precision itself (CUDA C++ programming guide, 'Arithmetic
instructions'); below, torch would emulate it or silently use fp32."""

LEAD = 4
"""Runs that stay queued while the host looks at the device, so that looking does not make it wait."""

GRAPH_WARMUPS = 3
"""Runs before a graph is captured, in which libraries choose algorithms and take memory, as torch's manual has it."""


class CudaDevice:
    """The current CUDA device, timed by events on its own clock.

    Each run lies between two events, and the host waits for the whole device only once, after the last run, so that
    launching kernels overlaps with their work as it does in use. cuDNN picks its fastest algorithm during the warm-up,
    unless the published protocol is measured.
    """

    kind = "cuda"
    counts_memory = True

    def __init__(self, threads: int) -> None:
        pin_threads(threads)
        torch.backends.cudnn.benchmark = True
        self.torch_device = torch.device("cuda", torch.cuda.current_device())
        self.name = torch.cuda.get_device_name(self.torch_device)
        self._gpu = Gpu(str(torch.cuda.get_device_properties(self.torch_device).uuid))
        self._counter = GpuCounter(self._gpu)
        self._watch = GpuWatch(self._gpu)
        self.finish()  # from here on the GPU knows this process
        self._watch.learn_own_process()

    def describe(self) -> Description:
        """Return what host and GPU say about themselves."""
        return describe_host() | describe_gpu(self._gpu)

    def use_precision(self, precision: Precision) -> None:
        """Let the tensor cores round fp32 products (tf32) or not, in matrix products and in cuDNN.

        Raises:
            UnsupportedError: the device is older than the precision.
        """
        has, needed = torch.cuda.get_device_capability(self.torch_device), CAPABILITIES.get(precision, (0, 0))
        if has < needed:
            raise UnsupportedError(
                f"{self.name} has compute capability {has[0]}.{has[1]}; {precision} needs {needed[0]}.{needed[1]}"
            )
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        torch.backends.cudnn.allow_tf32 = precision == "tf32"

    def prepare(self, network: nn.Module, images: Tensor, condition: Condition) -> Callable[[], Tensor]:
        """Return a call of the network, or of its kernels captured as one CUDA graph.

        Raises:
            UnsupportedError: the network does what cannot be captured.
        """
        if not condition.is_graph:
            return lambda: network(images)
        try:
            with torch.inference_mode(), torch.cuda.device(self.torch_device):
                return _Graph(network, images)
        except RuntimeError as error:
            # a capture that runs out of memory ends by an error of its own
            if isinstance(error.__context__, Exception) and is_out_of_memory(error.__context__):
                raise error.__context__ from None
            if is_out_of_memory(error) or "captur" not in str(error):
                raise
            raise UnsupportedError(f"the network cannot be captured as a CUDA graph: {error}") from error

    def time_runs(
        self, run: Callable[[], object], count: int, observe: Callable[[], None] = lambda: None
    ) -> NDArray[np.float64]:
        """Time each run between two events.

        Observations are made under load: the host waits until the device has all but ``LEAD`` runs behind it, then
        looks. Without this the host, which is ahead of the device, would look at the first moments only.
        """
        pairs = [(_timing_event(), _timing_event()) for _ in range(count)]
        places = observation_places(1, count) | {count}
        torch.cuda.synchronize(self.torch_device)
        with no_collection():
            for index, (start, end) in enumerate(pairs, start=1):
                start.record()
                run()
                end.record()
                if index in places:
                    if index > LEAD:
                        pairs[index - LEAD - 1][1].synchronize()
                    observe()
        torch.cuda.synchronize(self.torch_device)
        return np.array([start.elapsed_time(end) for start, end in pairs])

    def finish(self) -> None:
        """Wait for the device."""
        torch.cuda.synchronize(self.torch_device)

    def observe(self) -> Observation:
        """Return clock, temperature, power and guests of the GPU, and the load average of the host."""
        return self._watch.observe()

    def energy_joules(self) -> float | None:
        """Return the GPU's own counter of energy (``nvmlDeviceGetTotalEnergyConsumption``)."""
        return self._counter.joules()

    def reset_peak_memory(self) -> None:
        """Give cached memory back and reset the allocator's peak."""
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(self.torch_device)

    def peak_memory_bytes(self) -> float:
        """Return the allocator's peak, weights, images and the memory of captured graphs included."""
        return float(torch.cuda.max_memory_allocated(self.torch_device))


class _Graph:
    """A network's kernels, captured once and launched together; it keeps alive what they read and write."""

    def __init__(self, network: nn.Module, images: Tensor) -> None:
        self._reads = (network, images)
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(GRAPH_WARMUPS):
                network(images)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._logits: Tensor = network(images)

    def __call__(self) -> Tensor:
        self._graph.replay()
        return self._logits


def _timing_event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
