"""Measuring one network in one condition: memory, energy and latency, and what disturbed them."""

import copy
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from terranas.profiling.allocator import keep_freed_memory, return_freed_memory
from terranas.profiling.devices import Device, UnsupportedError
from terranas.profiling.memory import HostMemory, MemoryServer
from terranas.profiling.networks import (
    DTYPES,
    MEMORY_FORMATS,
    build_network,
    convert,
    draw_images,
    network_size,
)
from terranas.profiling.observation import Observation, judge
from terranas.profiling.published import PublishedRuns
from terranas.profiling.records import Energy, Measurement, Size
from terranas.profiling.settings import Condition, Settings
from terranas.profiling.statistics import relative_spread, relative_width
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape
from terranas.space.network import Network
from terranas.training.memory import is_out_of_memory

logger = logging.getLogger(__name__)

Run = Callable[[], Tensor]


@dataclass(frozen=True)
class _Runs:
    """Ways to run a prepared network once.

    Attributes:
        busy: before the clock counts, and while energy is.
        timed: while the clock counts.
        eager: without a graph.
    """

    busy: Run
    timed: Run
    eager: Run


_BLOCK_SECONDS = 0.05
"""While the device is kept busy, the host waits for it at most about so often."""


class Workbench:
    """Measures networks on one device; one process uses one workbench.

    A network is measured in evaluation mode without gradients, with its input on the device, in the condition's type
    and the settings' memory format (``settings.protocol`` ``published``: as in :mod:`terranas.profiling.published`).
    Runs before the clock counts are as many and as long as the settings say; timed runs go on until the median is known
    well enough, or the largest number is reached. On the host, freed memory is kept from then on, for the whole process
    (:mod:`terranas.profiling.allocator`).

    Args:
        device: opened with the settings' threads.
        shape: the network around each cell.
        settings: the protocol.
        seed: the study's seed; weights and images are drawn from it.
        weights: file of trained weights by hash; weights are drawn for cells that it does not name.
    """

    def __init__(
        self, device: Device, shape: NetworkShape, settings: Settings, seed: int, weights: Mapping[str, Path]
    ) -> None:
        self._device = device
        self._shape = shape
        self._settings = settings
        self._seed = seed
        self._weights = dict(weights)
        self._is_published = settings.protocol == "published"
        self._is_on_host = device.torch_device.type == "cpu"
        self._server = MemoryServer(shape, settings, seed)
        self._host_memory: dict[tuple[str, Condition], HostMemory] = {}
        self._built: tuple[Cell, Network] | None = None
        self._drawn: Tensor | None = None
        self._idle_watts: float | None = None
        if self._is_published:
            torch.backends.cudnn.benchmark = False  # else it would try all algorithms within the last, smaller batch
        if self._is_on_host:
            keep_freed_memory()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process that memory is measured with; it would also end with this one."""
        self._server.close()

    def size(self, cell: Cell) -> Size:
        """Return the size of a cell's network.

        Raises:
            DataError: its trained weights cannot be used.
            RuntimeError: it differs from the closed form, which is a defect.
        """
        return network_size(self._network(cell), cell, self._shape)

    def measure(self, cell: Cell | None, condition: Condition, *, with_energy: bool = False) -> Measurement:
        """Return the measurement of one network in one condition.

        What does not fit into memory, cannot be computed by the device, or gives infinite or undefined values is no
        error: the outcome says so, and the device's memory is free again.

        Args:
            cell: the architecture; None for the empty network, which returns its input, so that its time is what
                measuring itself takes.
            condition: batch size, precision and variant.
            with_energy: whether to read the energy, too (where the settings give it time).

        Raises:
            DataError: the trained weights cannot be used.
        """
        started = time.time()
        if self._is_on_host:
            return_freed_memory()  # what the network before needed
        try:
            self._device.use_precision(condition.precision)
            # on the host, a batch that does not fit may end the process that tries it; that must not be this one
            host = self._measure_host_memory(cell, condition)
            if host.outcome == "out_of_memory":
                return Measurement("out_of_memory", started=started)
            measured = self._measure(cell, condition, host, with_energy, started)
            if measured.outcome == "ok" and host.outcome == "failed":
                logger.warning("The memory of %s was not measured: %s", _named(cell), host.reason.strip())
            return measured
        except UnsupportedError as error:
            logger.info("%s is not measured with batches of %s: %s", _named(cell), condition, error)
            outcome = "unsupported"
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            outcome = "out_of_memory"
        # now that the error is gone, and with it all that its traceback held
        self._device.reset_peak_memory()
        return Measurement(outcome, started=started)

    def _measure(
        self, cell: Cell | None, condition: Condition, host: HostMemory, with_energy: bool, started: float
    ) -> Measurement:
        device, settings = self._device, self._settings
        idle_watts = self._measure_idle_power() if with_energy else None
        device.reset_peak_memory()
        runs = self._prepare(cell, condition)
        # cuDNN tries its algorithms in the first run, which keeps the device as busy as any other
        first = time.perf_counter()
        with self._warmup_mode():
            output = runs.busy()
            device.finish()
            if not bool(torch.isfinite(output).all()):
                return Measurement("not_finite", started=started)
            del output
        peak, baseline = host.peak_bytes, host.baseline_bytes
        energy, count = None, 1
        if device.counts_memory:
            with self._timing_mode():
                peak, baseline = self._measure_device_memory(runs.eager), 0.0
        if idle_watts is not None:
            # before the timing, so that these runs also bring the device to the temperature it keeps under load
            with self._timing_mode():
                energy, more = self._measure_energy(runs.busy, condition.batch_size, idle_watts)
            count += more
        with self._warmup_mode():
            seconds = time.perf_counter() - first
            self._keep_busy(runs.busy, settings.warmup_runs - count, settings.warmup_seconds - seconds)
        observations: list[Observation] = []

        def observe() -> None:
            observations.append(device.observe())

        with self._timing_mode():
            observe()
            samples = device.time_runs(runs.timed, settings.timed_runs, observe)
            while len(samples) < settings.max_runs and relative_width(samples) > settings.interval_width:
                more = min(max(settings.timed_runs // 4, 1), settings.max_runs - len(samples))
                samples = np.concatenate([samples, device.time_runs(runs.timed, more, observe)])
            observe()
        flags, circumstances = judge(observations, settings.tolerances)
        # the empty network takes about as long as reading the clock, and scatters with it
        if cell is not None and relative_spread(samples) > settings.tolerances.spread:
            flags += ("unsteady",)
        return Measurement(
            outcome="ok",
            samples=samples,
            flags=flags,
            peak_memory_bytes=peak,
            baseline_memory_bytes=baseline,
            energy=energy,
            circumstances=circumstances,
            started=started,
        )

    def _prepare(self, cell: Cell | None, condition: Condition) -> _Runs:
        """Bring a network and its images to the device."""
        device, settings = self._device, self._settings
        made = nn.Identity().eval() if cell is None else copy.deepcopy(self._network(cell))
        network = convert(made, condition, settings.memory_format, device.torch_device)
        dtype = DTYPES[condition.precision]
        self._try_to_hold(condition.batch_size, dtype)
        images = self._images(condition.batch_size)
        if self._is_published:
            if device.kind not in ("cpu", "cuda") or condition.is_graph:
                raise UnsupportedError("the published protocol calls torch's networks itself, and without CUDA graphs")
            published = PublishedRuns(network, images, device.torch_device, dtype)
            return _Runs(published.whole_batch, published.next_batch, published.whole_batch)
        memory_format = MEMORY_FORMATS[settings.memory_format]
        images = images.to(device=device.torch_device, dtype=dtype, memory_format=memory_format)
        run = device.prepare(network, images, condition)
        return _Runs(run, run, (lambda: network(images)) if condition.is_graph else run)

    def _warmup_mode(self) -> AbstractContextManager[object]:
        return nullcontext() if self._is_published else torch.inference_mode()

    def _timing_mode(self) -> AbstractContextManager[object]:
        return torch.no_grad() if self._is_published else torch.inference_mode()

    def _measure_host_memory(self, cell: Cell | None, condition: Condition) -> HostMemory:
        """Return what a fresh process takes; measured once for each condition, since it hardly varies."""
        if cell is None or self._device.counts_memory or not self._is_on_host or condition.is_graph:
            return HostMemory("ok")
        key = cell.hash, condition
        if key not in self._host_memory:
            self._host_memory[key] = self._server.measure(cell, condition, self._weights.get(cell.hash))
        return self._host_memory[key]

    def _measure_device_memory(self, eager: Run) -> float:
        """Return the most memory that one run takes, weights and input included, as the device's allocator counts it.

        In its first run a network may take more, since cuDNN tries its algorithms then; hence the peak of a later one.
        A replayed graph takes nothing anew, so that there the network is run without it.
        """
        device = self._device
        if device.torch_device.type == "cuda":
            device.reset_peak_memory()
            eager()
            device.finish()
        return device.peak_memory_bytes()

    def _measure_idle_power(self) -> float | None:
        """Return the power of the idle device in W, measured once; None where no energy can or shall be read."""
        device, seconds = self._device, self._settings.energy_seconds
        if self._idle_watts is None and seconds > 0:
            device.finish()
            before, start = device.energy_joules(), time.perf_counter()
            if before is None:
                return None
            time.sleep(seconds)
            after, end = device.energy_joules(), time.perf_counter()
            if after is not None and after >= before:
                self._idle_watts = (after - before) / (end - start)
        return self._idle_watts

    def _measure_energy(self, run: Run, batch_size: int, idle_watts: float) -> tuple[Energy | None, int]:
        """Return the energy and the runs that took it; None where the counter failed."""
        device = self._device
        device.finish()
        before, start = device.energy_joules(), time.perf_counter()
        runs = self._keep_busy(run, 1, self._settings.energy_seconds)
        after, end = device.energy_joules(), time.perf_counter()
        energy = None
        if before is not None and after is not None and after > before:
            energy = Energy(after - before, end - start, runs * batch_size, idle_watts)
        return energy, runs

    def _keep_busy(self, run: Run, runs: int, seconds: float) -> int:
        """Run at least so often and at least so long, and return how often.

        The host waits for the device after each block of runs. Blocks grow until waiting takes no part of the time.
        """
        start = time.perf_counter()
        done, elapsed, block = 0, 0.0, max(runs, 1)
        while done < runs or elapsed < seconds:
            for _ in range(block):
                run()
            self._device.finish()
            done += block
            before, elapsed = elapsed, time.perf_counter() - start
            if elapsed - before < _BLOCK_SECONDS:
                block *= 2
        return done

    def _network(self, cell: Cell) -> Network:
        """Return a cell's network as built; the last one is kept, since conditions of a cell follow each other."""
        if self._built is None or self._built[0] != cell:
            self._built = None
            network = build_network(cell, self._shape, self._seed, self._weights.get(cell.hash))
            self._built = (cell, network)
        return self._built[1]

    def _try_to_hold(self, batch_size: int, dtype: torch.dtype) -> None:
        """Take the device's memory for a batch once: what does not fit is known before the host draws it."""
        if not self._is_on_host:
            shape = self._shape
            size = (batch_size, shape.bands, shape.image_size, shape.image_size)
            torch.empty(size, dtype=dtype, device=self._device.torch_device)

    def _images(self, batch_size: int) -> Tensor:
        """Return images on the host; the last batch is kept."""
        if self._drawn is None or len(self._drawn) != batch_size:
            self._drawn = None
            self._drawn = draw_images(self._shape, batch_size, self._seed)
        return self._drawn


def _named(cell: Cell | None) -> str:
    return "The empty network" if cell is None else cell.hash
