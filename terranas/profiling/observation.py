"""The state of the machine while it measures, and whether a measurement was disturbed."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from math import nan
from pathlib import Path
from typing import Any

import psutil

from terranas.core.nvml import Gpu
from terranas.profiling.processors import CPUS, allowed_processors
from terranas.profiling.records import Circumstances
from terranas.profiling.schema import FLAGS
from terranas.profiling.settings import Tolerances

BUSY_FIELDS = ("user", "nice", "system", "irq", "softirq", "steal")
"""Kinds of time, as Linux counts it, in which a core could do nothing else for us. User time includes that of guests;
``steal`` is what another virtual machine had of the core."""

HARMFUL_REASONS = {
    "power cap": "nvmlClocksEventReasonSwPowerCap",
    "hardware slowdown": "nvmlClocksEventReasonHwSlowdown",
    "heat (driver)": "nvmlClocksEventReasonSwThermalSlowdown",
    "heat (hardware)": "nvmlClocksEventReasonHwThermalSlowdown",
    "power brake": "nvmlClocksEventReasonHwPowerBrakeSlowdown",
}
"""Reasons for a GPU's lower clock that spoil a measurement, by their names in NVIDIA's library. Its other reasons do
not: the device idles, someone set its clocks, devices run in step, or a display limits them."""


@dataclass(frozen=True)
class Observation:
    """What a machine told at one moment; None for what it does not tell.

    Attributes:
        time: seconds of a monotonic clock.
        load_average: over one minute.
        threads: of torch on the processor.
        machine_busy_s: seconds that all cores together have worked since the machine started, for whomever.
        own_busy_s: seconds that they have worked for this process and its threads.
        busy_resolution_s: how far the difference of two ``machine_busy_s`` may be wrong.
        throttle_count: how often a core of the processor lowered its clock for heat so far.
        sm_clock_mhz: clock of the GPU's multiprocessors.
        temperature_c: of the GPU.
        power_w: of the GPU.
        throttle_reasons: why the GPU's clock is lower than it could be; only reasons that spoil a measurement.
        foreign_processes: other processes that compute on the GPU.
    """

    time: float
    load_average: float | None = None
    threads: int = 1
    machine_busy_s: float | None = None
    own_busy_s: float | None = None
    busy_resolution_s: float = 0.0
    throttle_count: int | None = None
    sm_clock_mhz: float | None = None
    temperature_c: float | None = None
    power_w: float | None = None
    throttle_reasons: tuple[str, ...] | None = None
    foreign_processes: int | None = None

    @property
    def others_busy_s(self) -> float | None:
        """Seconds that all cores have worked for others than this process, up to a constant."""
        if self.machine_busy_s is None or self.own_busy_s is None:
            return None
        return self.machine_busy_s - self.own_busy_s


def judge(observations: Sequence[Observation], tolerances: Tolerances) -> tuple[tuple[str, ...], Circumstances]:
    """Return what disturbed a measurement, as flags in the order of ``schema.FLAGS``, and the state of the machine.

    ``throttled``: the GPU named a harmful reason, or the processor's count of lowered clocks rose.
    ``clock_changed``: highest less lowest clock of the GPU, over the median, beyond the tolerance.
    ``foreign_load``: another process computes on the GPU, or others kept more cores of the processor busy than the
    tolerance allows and than the resolution of the system's counters could explain in a window of this length.

    Args:
        observations: in the order they were made; may be empty.
        tolerances: from where on a change counts.
    """
    clocks = _known(observations, lambda seen: seen.sm_clock_mhz)
    powers = _known(observations, lambda seen: seen.power_w)
    temperatures = _known(observations, lambda seen: seen.temperature_c)
    loads = _known(observations, lambda seen: seen.load_average)
    foreign, surely_foreign = _foreign_cores(observations)
    raised = {
        "throttled": _is_throttled(observations),
        "clock_changed": bool(clocks)
        and max(clocks) - min(clocks) > tolerances.clock_change * statistics.median(clocks),
        "foreign_load": any(seen.foreign_processes for seen in observations)
        or surely_foreign > tolerances.foreign_load,
    }
    circumstances = Circumstances(
        sm_clock_mhz=statistics.median(clocks) if clocks else nan,
        temperature_c=temperatures[-1] if temperatures else nan,
        power_w=statistics.median(powers) if powers else nan,
        foreign_load=foreign,
        load_average=loads[-1] if loads else nan,
    )
    return tuple(flag for flag in FLAGS if raised.get(flag)), circumstances


def observe_host(threads: int, cpus: Path = CPUS) -> Observation:
    """Return how busy the machine is.

    Args:
        threads: threads of torch.
        cpus: where Linux tells of its processors.
    """
    busy = None
    with suppress(OSError, RuntimeError):
        told = psutil.cpu_times()
        busy = sum(getattr(told, name, 0.0) for name in BUSY_FIELDS)
    return Observation(
        time=time.perf_counter(),
        load_average=load_average(),
        threads=threads,
        machine_busy_s=busy,
        own_busy_s=time.process_time(),
        # each kind of time is told in whole ticks, and a core's tick goes to whoever runs when it ends
        busy_resolution_s=(len(BUSY_FIELDS) + threads) / os.sysconf("SC_CLK_TCK"),
        throttle_count=_throttle_count(cpus),
    )


def load_average() -> float | None:
    """Return the load average over one minute; None where the system keeps none."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


class GpuWatch:
    """Looks at a GPU through NVIDIA's management library; what that does not tell stays None.

    How busy the host's cores are is left out: what others compute there takes nothing from the GPU.

    The library lists the processes that hold the device, and the list is of use only if our own can be told from
    others. In a container, this process may stand there under the number that the host gave it. It is then the one that
    came while the device was first used, or, where that was earlier, any one of them: then one foreign process may
    go unseen. Where even our own process is not listed, the list is held to be hidden, and nothing is told.

    Args:
        gpu: the device, which this process has not used yet, if possible.
    """

    def __init__(self, gpu: Gpu) -> None:
        self._gpu = gpu
        self._before = self._processes() or set()
        self._own: set[int] = set()
        self._unnamed = 0
        self._is_listed = False

    def learn_own_process(self) -> None:
        """Find out which of the listed processes is this one, after it has begun to use the device."""
        listed = self._processes()
        if not listed:
            return
        self._is_listed = True
        came = listed - self._before
        if os.getpid() in listed:
            self._own = {os.getpid()}
        elif len(came) == 1:
            self._own = came
        else:
            self._unnamed = 1

    def observe(self) -> Observation:
        """Return the state of the GPU now, and the host's load average."""
        ask = self._gpu.ask
        power = ask(lambda nvml, gpu: nvml.nvmlDeviceGetPowerUsage(gpu))
        return Observation(
            time=time.perf_counter(),
            load_average=load_average(),
            sm_clock_mhz=ask(lambda nvml, gpu: nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_SM)),
            temperature_c=ask(lambda nvml, gpu: nvml.nvmlDeviceGetTemperature(gpu, nvml.NVML_TEMPERATURE_GPU)),
            power_w=None if power is None else power / 1000,  # from milliwatts
            throttle_reasons=self._reasons(),
            foreign_processes=self._foreign_processes(),
        )

    def _reasons(self) -> tuple[str, ...] | None:
        told = self._gpu.ask(_current_reasons)
        return None if told is None else tuple(name for name, bit in told.items() if bit)

    def _foreign_processes(self) -> int | None:
        listed = self._processes()
        if listed is None or not self._is_listed:
            return None
        return max(0, len(listed - self._own) - self._unnamed)

    def _processes(self) -> set[int] | None:
        listed = self._gpu.ask(lambda nvml, gpu: nvml.nvmlDeviceGetComputeRunningProcesses(gpu))
        return None if listed is None else {process.pid for process in listed}


def _current_reasons(nvml: Any, gpu: Any) -> dict[str, int]:
    try:
        told = nvml.nvmlDeviceGetCurrentClocksEventReasons(gpu)
    except nvml.NVMLError:  # the name of the same question in drivers before 535
        told = nvml.nvmlDeviceGetCurrentClocksThrottleReasons(gpu)
    return {name: told & getattr(nvml, constant) for name, constant in HARMFUL_REASONS.items()}


def _throttle_count(cpus: Path) -> int | None:
    """Return how often the cores in use, or their package, lowered their clocks for heat (Intel); None elsewhere."""
    counts = []
    for number in allowed_processors() or ():
        for file in (cpus / f"cpu{number}/thermal_throttle").glob("*_throttle_count"):
            with suppress(OSError, ValueError):
                counts.append(int(file.read_text(encoding="ascii")))
    return sum(counts) if counts else None


def _is_throttled(observations: Sequence[Observation]) -> bool:
    counts = _known(observations, lambda seen: seen.throttle_count)
    return any(seen.throttle_reasons for seen in observations) or any(
        after > before for before, after in pairwise(counts)
    )


def _foreign_cores(observations: Sequence[Observation]) -> tuple[float, float]:
    """Return the cores that others kept busy, and how many of them are beyond doubt; NaN where nothing tells."""
    if not observations:
        return nan, nan
    first, last = observations[0], observations[-1]
    seconds = last.time - first.time
    before, after = first.others_busy_s, last.others_busy_s
    taken = after - before if before is not None and after is not None else nan
    # where the machine's counter does not even hold our own time (some sandboxes), it tells nothing
    if seconds > 0 and taken >= -last.busy_resolution_s:
        return max(0.0, taken / seconds), (taken - last.busy_resolution_s) / seconds
    if (last.machine_busy_s is None or taken < 0) and last.own_busy_s is not None and last.load_average is not None:
        # over a minute, so that it lags behind, and what this process did itself may not be in it yet
        waiting = max(0.0, last.load_average - last.threads)
        return waiting, waiting
    return nan, nan


def _known(observations: Sequence[Observation], value: Callable[[Observation], float | None]) -> list[float]:
    return [known for seen in observations if (known := value(seen)) is not None]
