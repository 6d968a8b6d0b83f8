"""Devices that run a network and time it, behind one small interface."""

import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from terranas.core.errors import EnvironmentLackError
from terranas.profiling.description import Description, describe_gpu, describe_host


class Device(Protocol):
    """What the measuring protocols need of a device.

    Attributes:
        kind: ``cpu`` or ``cuda``.
        name: model of the device.
        torch_device: where tensors go.
    """

    kind: str
    name: str
    torch_device: torch.device

    def describe(self) -> Description:
        """Return the state of the machine now; the keys are the same for every device."""
        ...

    def time_runs(self, run: Callable[[], object], count: int) -> NDArray[np.float64]:
        """Call ``run`` so many times and return how long each call kept the device busy, in ms, shape (count,)."""
        ...

    def reset_peak_memory(self) -> None:
        """Start a new record of the largest memory taken."""
        ...

    def peak_memory_bytes(self) -> float:
        """Return the largest memory taken since the last reset; NaN where the device does not count it."""
        ...


class CpuDevice:
    """The processor, with a fixed number of torch threads and the monotonic clock with the finest resolution."""

    kind = "cpu"

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        description = describe_host()
        self.name = str(description["cpu"])
        self.torch_device = torch.device("cpu")

    def describe(self) -> Description:
        """Return the state of the machine; the GPU's keys are None."""
        return describe_host()

    def time_runs(self, run: Callable[[], object], count: int) -> NDArray[np.float64]:
        """Time each call from start to return."""
        times = np.empty(count)
        for index in range(count):
            start = time.perf_counter_ns()
            run()
            times[index] = time.perf_counter_ns() - start
        return times / 1e6

    def reset_peak_memory(self) -> None:
        """Do nothing: torch does not count the memory of the processor."""

    def peak_memory_bytes(self) -> float:
        """Return NaN."""
        return float("nan")


class CudaDevice:
    """The current CUDA device, timed by events on its own clock.

    Each run lies between two events, and the host waits only once, after the last run, so that launching kernels
    overlaps with their work as it does in use. cuDNN picks its fastest algorithm during the warm-up.
    """

    kind = "cuda"

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.backends.cudnn.benchmark = True
        self.name = torch.cuda.get_device_name()
        self.torch_device = torch.device("cuda", torch.cuda.current_device())

    def describe(self) -> Description:
        """Return the state of machine and GPU."""
        return describe_host() | describe_gpu(str(torch.cuda.get_device_properties(self.torch_device).uuid))

    def time_runs(self, run: Callable[[], object], count: int) -> NDArray[np.float64]:
        """Time each call between two events."""
        pairs = [(_timing_event(), _timing_event()) for _ in range(count)]
        torch.cuda.synchronize(self.torch_device)
        for start, end in pairs:
            start.record()
            run()
            end.record()
        torch.cuda.synchronize(self.torch_device)
        return np.array([start.elapsed_time(end) for start, end in pairs])

    def reset_peak_memory(self) -> None:
        """Give cached memory back and reset the allocator's peak."""
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(self.torch_device)

    def peak_memory_bytes(self) -> float:
        """Return the allocator's peak, weights and input included."""
        return float(torch.cuda.max_memory_allocated(self.torch_device))


def _timing_event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]


def open_device(kind: str, threads: int) -> Device:
    """Return a device, ready to measure.

    Args:
        kind: ``cpu`` or ``cuda``.
        threads: threads of torch on the processor.

    Raises:
        EnvironmentLackError: the machine has no such device.
    """
    if kind == "cpu":
        return CpuDevice(threads)
    if not torch.cuda.is_available():
        raise EnvironmentLackError(
            f"profiling.device is {kind}, but torch {torch.__version__} finds no CUDA device on this machine. Set "
            "profiling.device to cpu, run on a machine with an NVIDIA GPU, or install torch's CUDA build there "
            "(make TORCH=cuda)."
        )
    return CudaDevice(threads)
