"""What measuring needs of a device, and what devices that are timed by the host's clock share."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terranas.profiling.description import Description, describe_host
from terranas.profiling.observation import Observation, observe_host
from terranas.profiling.processors import pin_threads
from terranas.profiling.settings import Condition, Precision

OBSERVATIONS = 8
"""How often the machine is looked at during the runs of one measurement."""


class UnsupportedError(Exception):
    """The device, or torch on it, cannot run a precision or a variant."""


class Device(Protocol):
    """What measuring needs of a device.

    Attributes:
        kind: ``cpu``, ``cuda``, or what an own backend calls itself.
        name: model of the device.
        torch_device: where weights and images go.
        counts_memory: whether ``peak_memory_bytes`` tells anything; False where networks live in the host's memory,
            which is measured in a process of its own.
    """

    kind: str
    name: str
    torch_device: torch.device
    counts_memory: bool

    def describe(self) -> Description:
        """Return what the machine and the device say about themselves now, ready for JSON."""
        ...

    def use_precision(self, precision: Precision) -> None:
        """Set the switches of the whole process that a precision needs, before a network is prepared.

        Raises:
            UnsupportedError: the device does not compute in this precision.
        """
        ...

    def prepare(self, network: nn.Module, images: Tensor, condition: Condition) -> Callable[[], Tensor]:
        """Return a function that runs the network on the images once and returns its output.

        Args:
            network: in evaluation mode, already folded and converted, its weights on the device.
            images: (batch, bands, height, width) on the device; the function always reads these.
            condition: what is to be measured.

        Raises:
            UnsupportedError: the device cannot run the precision or the variant.
        """
        ...

    def time_runs(
        self, run: Callable[[], object], count: int, observe: Callable[[], None] = lambda: None
    ) -> NDArray[np.float64]:
        """Call ``run`` so many times and return how long each call kept the device busy, in ms, shape (count,).

        Args:
            run: what ``prepare`` gave, or anything else that starts work on the device.
            count: number of calls.
            observe: called about 8 times, spread over the runs, and never while a run is being timed.
        """
        ...

    def finish(self) -> None:
        """Wait until all work that was started has ended."""
        ...

    def observe(self) -> Observation:
        """Return the state of the machine and the device now."""
        ...

    def energy_joules(self) -> float | None:
        """Return a counter of the energy the device took since some start; the difference of two readings counts.

        None where there is no counter that this process may read, and for the first reading after the counter began
        anew, so that the difference of two readings in a row is never wrong.
        """
        ...

    def reset_peak_memory(self) -> None:
        """Start a new record of the largest memory taken; before ``prepare``, whose result may hold memory."""
        ...

    def peak_memory_bytes(self) -> float:
        """Return the largest memory taken since the last reset; NaN where the device does not count it."""
        ...


class HostTimedDevice:
    """A device that the processor waits for after each run, so that the host's clock tells how long it took.

    A backend of one's own inherits from it and replaces what differs: ``prepare`` to translate the network,
    ``finish`` where calls return before the work has ended, ``use_precision`` where not only fp32 works.

    Args:
        kind: short name of the backend, in every record.
        name: model of the device.
        threads: threads of torch on the processor; they are bound to as many cores (docs/devices.md).
        torch_device: where weights and images go.
    """

    counts_memory = False

    def __init__(self, kind: str, name: str, threads: int, torch_device: str = "cpu") -> None:
        self.kind = kind
        self.name = name
        self.torch_device = torch.device(torch_device)
        self._threads = threads
        pin_threads(threads)

    def describe(self) -> Description:
        """Return what the host says about itself; the GPU's keys are None."""
        return describe_host()

    def use_precision(self, precision: Precision) -> None:
        """Accept fp32 alone.

        Raises:
            UnsupportedError: another precision is asked for.
        """
        if precision != "fp32":
            raise UnsupportedError(f"the device {self.kind} computes in fp32, not in {precision}")

    def prepare(self, network: nn.Module, images: Tensor, condition: Condition) -> Callable[[], Tensor]:
        """Return a call of the network.

        Raises:
            UnsupportedError: a CUDA graph is asked for.
        """
        if condition.is_graph:
            raise UnsupportedError(f"the device {self.kind} has no CUDA graphs, which {condition.variant} needs")
        return lambda: network(images)

    def time_runs(
        self, run: Callable[[], object], count: int, observe: Callable[[], None] = lambda: None
    ) -> NDArray[np.float64]:
        """Time each run from its call until the device has finished, by ``time.perf_counter_ns``."""
        times = np.empty(count)
        places = observation_places(0, count)
        with no_collection():
            self.finish()
            for index in range(count):
                if index in places:
                    observe()
                start = time.perf_counter_ns()
                run()
                self.finish()
                times[index] = time.perf_counter_ns() - start
            observe()
        return times / 1e6

    def finish(self) -> None:
        """Do nothing: a call on the processor returns when its work has ended."""

    def observe(self) -> Observation:
        """Return how busy the machine is."""
        return observe_host(self._threads)

    def energy_joules(self) -> float | None:
        """Return None: there is no counter."""
        return None

    def reset_peak_memory(self) -> None:
        """Do nothing: memory of the host is measured in a process of its own."""

    def peak_memory_bytes(self) -> float:
        """Return NaN."""
        return float("nan")


def observation_places(first: int, count: int) -> frozenset[int]:
    """Return the indices of runs before which the machine is looked at, the first of them ``first``.

    Together with a look after the last run they are spread evenly over the runs.
    """
    return frozenset(np.linspace(first, count, OBSERVATIONS).astype(int).tolist()) - {count}


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep Python's collector of reference cycles from running within the block."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
