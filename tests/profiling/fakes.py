"""Stand-ins for what a machine without a GPU lacks: NVIDIA's management library, torch.cuda, and RAPL's files.

Only documented calls are there, so that a call of anything else fails.
"""

import itertools
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

UUID = "0a1b2c3d-0000-1111-2222-333344445555"


class FakeNvmlError(Exception):
    """The library's error class."""


@dataclass
class FakeGpu:
    """State of a device, as the library tells it; a test changes it while it goes on."""

    uuid: str = UUID
    sm_clock: int = 1410
    memory_clock: int = 1593
    temperature: int = 41
    milliwatts: int = 250_000
    reasons: int = 0
    millijoules: int = 7_000_000
    processes: list[int] = field(default_factory=lambda: [os.getpid()])

    def play(self, script: Mapping[int, Mapping[str, Any]]) -> Callable[[], None]:
        """Return a run of a network that does nothing but change the device's state at the given runs (from 0)."""
        numbers = itertools.count()

        def run() -> None:
            for name, value in script.get(next(numbers), {}).items():
                setattr(self, name, value)

        return run


class FakeNvml:
    """The module ``pynvml`` of a machine with these devices.

    Attributes:
        refused: names of functions that raise the library's error, as for lack of permission or support.
        calls: names of the functions called so far.
    """

    NVMLError = FakeNvmlError
    NVML_CLOCK_SM = 1
    NVML_CLOCK_MEM = 2
    NVML_TEMPERATURE_GPU = 0
    nvmlClocksEventReasonGpuIdle = 0x1
    nvmlClocksEventReasonApplicationsClocksSetting = 0x2
    nvmlClocksEventReasonSwPowerCap = 0x4
    nvmlClocksEventReasonHwSlowdown = 0x8
    nvmlClocksEventReasonSyncBoost = 0x10
    nvmlClocksEventReasonSwThermalSlowdown = 0x20
    nvmlClocksEventReasonHwThermalSlowdown = 0x40
    nvmlClocksEventReasonHwPowerBrakeSlowdown = 0x80
    nvmlClocksEventReasonDisplayClockSetting = 0x100

    def __init__(self, *gpus: FakeGpu, refused: tuple[str, ...] = ()) -> None:
        self.gpus = gpus or (FakeGpu(),)
        self.refused = set(refused)
        self.calls: list[str] = []
        self.is_open = 0

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("nvml") and callable(found):
            self.calls.append(name)
            if name in self.refused:
                return self._refuse
            if name != "nvmlInit" and not self.is_open:
                raise AssertionError(f"{name} was called while the library was closed")
        return found

    def _refuse(self, *_: object) -> None:
        raise FakeNvmlError("Insufficient Permissions")

    def nvmlInit(self) -> None:
        self.is_open += 1

    def nvmlShutdown(self) -> None:
        self.is_open -= 1

    def nvmlSystemGetDriverVersion(self) -> str:
        return "570.1"

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> FakeGpu:
        for gpu in self.gpus:
            if uuid == f"GPU-{gpu.uuid}":
                return gpu
        raise FakeNvmlError("Not Found")

    def nvmlDeviceGetClockInfo(self, gpu: FakeGpu, which: int) -> int:
        return {self.NVML_CLOCK_SM: gpu.sm_clock, self.NVML_CLOCK_MEM: gpu.memory_clock}[which]

    def nvmlDeviceGetMaxClockInfo(self, _: FakeGpu, which: int) -> int:
        return {self.NVML_CLOCK_SM: 1980, self.NVML_CLOCK_MEM: 2619}[which]

    def nvmlDeviceGetTemperature(self, gpu: FakeGpu, sensor: int) -> int:
        assert sensor == self.NVML_TEMPERATURE_GPU
        return gpu.temperature

    def nvmlDeviceGetPowerUsage(self, gpu: FakeGpu) -> int:
        return gpu.milliwatts

    def nvmlDeviceGetEnforcedPowerLimit(self, _: FakeGpu) -> int:
        return 400_500

    def nvmlDeviceGetCurrentClocksEventReasons(self, gpu: FakeGpu) -> int:
        return gpu.reasons

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, gpu: FakeGpu) -> int:
        return gpu.reasons

    def nvmlDeviceGetTotalEnergyConsumption(self, gpu: FakeGpu) -> int:
        return gpu.millijoules

    def nvmlDeviceGetComputeRunningProcesses(self, gpu: FakeGpu) -> list[SimpleNamespace]:
        return [SimpleNamespace(pid=pid, usedGpuMemory=None) for pid in gpu.processes]


class FakeCuda:
    """The part of ``torch.cuda`` that measuring uses, with a clock that moves on by one ms with every event.

    Work that was started has ended only once the host waited for it.

    Attributes:
        capability: compute capability.
        events: events recorded so far.
        done: events that the host knows to have happened.
        waits: how often the host waited for the whole device.
        log: what else happened, in order.
    """

    def __init__(self) -> None:
        self.capability = (8, 0)
        self.events = self.done = self.waits = 0
        self.log: list[str] = []

    def install(self, monkeypatch: pytest.MonkeyPatch, nvml: FakeNvml | None, uuid: str = UUID) -> None:
        """Put it in torch's place, and ``nvml`` (None: not installed) in that of ``pynvml``."""
        state = self

        class Event:
            def __init__(self, *, enable_timing: bool) -> None:
                assert enable_timing

            def record(self) -> None:
                state.events += 1
                self.at = state.events

            def synchronize(self) -> None:
                state.done = max(state.done, self.at)
                state.log.append(f"waited for {self.at} of {state.events}")

            def elapsed_time(self, other: "Event") -> float:
                assert max(self.at, other.at) <= state.done, "an event was read before the device had come to it"
                return float(other.at - self.at)

        class Graph:
            def replay(self) -> None:
                state.log.append("replay")

        def synchronize(_: torch.device) -> None:
            state.waits += 1
            state.done = state.events

        def noting(entry: str, result: Any = None) -> Callable[..., Any]:
            return lambda *_: (state.log.append(entry), result)[1]

        @contextmanager
        def within(name: str) -> Iterator[None]:
            state.log.append(f"{name} begins")
            yield
            state.log.append(f"{name} ends")

        stream = SimpleNamespace(wait_stream=noting("streams wait"))
        for name, value in {
            "is_available": lambda: True,
            "Event": Event,
            "synchronize": synchronize,
            "get_device_name": lambda *_: "Test GPU",
            "current_device": lambda: 0,
            "get_device_properties": lambda _: SimpleNamespace(uuid=uuid),
            "get_device_capability": lambda *_: state.capability,
            "max_memory_allocated": lambda _: 12_345,
            "empty_cache": noting("emptied"),
            "reset_peak_memory_stats": noting("reset"),
            "device": lambda _: within("device"),
            "Stream": lambda: stream,
            "current_stream": lambda: stream,
            "stream": lambda _: within("side stream"),
            "CUDAGraph": Graph,
            "graph": lambda _: within("capture"),
        }.items():
            monkeypatch.setattr(torch.cuda, name, value)
        monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91_002)
        monkeypatch.setitem(sys.modules, "pynvml", nvml)


def write_rapl(root: Path, packages: Mapping[str, int], highest: int = 999_999) -> None:
    """Write RAPL's files below ``root``: each package's counter in microjoules, and zones that must not count."""
    for number, (name, microjoules) in enumerate(packages.items()):
        for folder, own, value in (
            (f"intel-rapl:{number}", name, microjoules),
            (f"intel-rapl:{number}:0", "core", 1),
            (f"intel-rapl-mmio:{number}", name, microjoules),
        ):
            (root / folder).mkdir(parents=True, exist_ok=True)
            (root / folder / "name").write_text(f"{own}\n")
            (root / folder / "energy_uj").write_text(f"{value}\n")
            (root / folder / "max_energy_range_uj").write_text(f"{highest}\n")
