"""Devices and what machines say about themselves: clocks, events, missing GPUs and NVIDIA's management library."""

import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from terranas.core.errors import EnvironmentLackError
from terranas.profiling.description import describe_gpu, describe_host, processor_name
from terranas.profiling.devices import CpuDevice, CudaDevice, open_device

UUID = "0a1b2c3d-0000-1111-2222-333344445555"


class FakeNvmlError(Exception):
    pass


def fake_nvml(**changes: Any) -> SimpleNamespace:
    """Return a stand-in for the module pynvml that notes its calls."""
    calls: list[str] = []

    def noting(name: str, answer: Callable[..., Any]) -> Callable[..., Any]:
        def function(*arguments: Any) -> Any:
            calls.append(name)
            return answer(*arguments)

        return function

    def handle(uuid: str) -> str:
        assert uuid == f"GPU-{UUID}"
        return "handle"

    functions = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetHandleByUUID": handle,
        "nvmlSystemGetDriverVersion": lambda: "570.1",
        "nvmlDeviceGetClockInfo": lambda _, which: {"sm": 1410, "memory": 1593}[which],
        "nvmlDeviceGetEnforcedPowerLimit": lambda _: 400_500,
    } | changes
    noted = {name: noting(name, answer) for name, answer in functions.items()}
    return SimpleNamespace(NVMLError=FakeNvmlError, NVML_CLOCK_SM="sm", NVML_CLOCK_MEM="memory", calls=calls, **noted)


@pytest.fixture
def fake_cuda(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Put a CUDA device in torch's place whose clock moves on by one millisecond with every event."""
    clock = itertools.count()
    state = SimpleNamespace(synchronised=0, reset=0, emptied=0, pending=0)

    class Event:
        def __init__(self, *, enable_timing: bool) -> None:
            assert enable_timing

        def record(self) -> None:
            self.at = next(clock)
            state.pending += 1

        def elapsed_time(self, other: "Event") -> float:
            assert state.pending == 0, "an event was read before the device had finished"
            return float(other.at - self.at)

    def synchronise(_: torch.device) -> None:
        state.synchronised += 1
        state.pending = 0

    def count(name: str) -> Callable[..., None]:
        return lambda *_: setattr(state, name, getattr(state, name) + 1)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "synchronize", synchronise)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "Test GPU")
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(uuid=UUID))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: 12_345)
    monkeypatch.setattr(torch.cuda, "empty_cache", count("emptied"))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", count("reset"))
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91_002)
    monkeypatch.setitem(sys.modules, "pynvml", fake_nvml())
    return state


def test_the_processor_is_timed_call_by_call(monkeypatch: pytest.MonkeyPatch) -> None:
    device = CpuDevice(threads=1)
    calls: list[int] = []
    ticks = itertools.accumulate([0, 5_000_000, 1, 2_500_000, 1, 1_000_000])
    monkeypatch.setattr(time, "perf_counter_ns", lambda: next(ticks))
    times = device.time_runs(lambda: calls.append(1), 3)
    np.testing.assert_array_equal(times, [5.0, 2.5, 1.0])
    assert len(calls) == 3
    assert torch.get_num_threads() == 1
    device.reset_peak_memory()
    assert np.isnan(device.peak_memory_bytes())


def test_cuda_runs_lie_between_events_with_one_wait_at_the_end(fake_cuda: SimpleNamespace) -> None:
    device = open_device("cuda", threads=1)
    assert isinstance(device, CudaDevice)
    assert (device.kind, device.name, str(device.torch_device)) == ("cuda", "Test GPU", "cuda:0")
    assert torch.backends.cudnn.benchmark
    waits: list[int] = []
    times = device.time_runs(lambda: waits.append(fake_cuda.synchronised), 4)
    np.testing.assert_array_equal(times, [1.0] * 4)
    assert waits == [1] * 4, "the host waited between two runs"
    assert fake_cuda.synchronised == 2
    device.reset_peak_memory()
    assert (fake_cuda.reset, fake_cuda.emptied) == (1, 1)
    assert device.peak_memory_bytes() == 12_345


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_missing_cuda_device_is_told_with_a_way_out() -> None:
    with pytest.raises(
        EnvironmentLackError, match=r"finds no CUDA device on this machine\. Set profiling\.device to cpu"
    ):
        open_device("cuda", threads=1)


@pytest.mark.usefixtures("fake_cuda")
def test_descriptions_have_the_same_keys_on_every_device() -> None:
    on_cpu, on_cuda = CpuDevice(1).describe(), CudaDevice(1).describe()
    assert list(on_cpu) == list(on_cuda)
    assert json.loads(json.dumps(on_cuda)) == on_cuda
    assert on_cpu["threads"] == 1
    assert on_cpu["torch"] == torch.__version__
    gpu = ("gpu", "driver", "cudnn", "sm_clock_mhz", "memory_clock_mhz", "power_limit_w")
    assert [on_cuda[key] for key in gpu] == ["Test GPU", "570.1", 91_002, 1410, 1593, 400.5]
    assert all(on_cpu[key] is None for key in gpu)


@pytest.mark.usefixtures("fake_cuda")
def test_a_refused_query_leaves_only_its_own_value_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: object) -> float:
        raise FakeNvmlError("Not Supported")

    library = fake_nvml(nvmlDeviceGetEnforcedPowerLimit=refused)
    monkeypatch.setitem(sys.modules, "pynvml", library)
    found = describe_gpu(UUID)
    assert found["power_limit_w"] is None
    assert found["sm_clock_mhz"] == 1410
    assert library.calls[0] == "nvmlInit"
    assert library.calls[-1] == "nvmlShutdown"


@pytest.mark.usefixtures("fake_cuda")
def test_an_unknown_device_closes_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: str) -> str:
        raise FakeNvmlError("Not Found")

    library = fake_nvml(nvmlDeviceGetHandleByUUID=unknown)
    monkeypatch.setitem(sys.modules, "pynvml", library)
    assert describe_gpu(UUID)["driver"] is None
    assert library.calls[-1] == "nvmlShutdown"


@pytest.mark.usefixtures("fake_cuda")
def test_without_the_library_or_its_driver_the_rest_is_still_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_driver() -> None:
        raise FakeNvmlError("Driver Not Loaded")

    expected = list(describe_gpu(UUID))
    for library in (None, fake_nvml(nvmlInit=no_driver)):  # None makes the import fail
        monkeypatch.setitem(sys.modules, "pynvml", library)
        found = describe_gpu(UUID)
        assert list(found) == expected
        assert (found["gpu"], found["driver"], found["sm_clock_mhz"]) == ("Test GPU", None, None)


def test_the_processors_name(tmp_path: Path) -> None:
    listing = tmp_path / "cpuinfo"
    listing.write_text("processor\t: 0\nmodel name\t: Test CPU @ 2.0 GHz: fast\nprocessor\t: 1\nmodel name\t: Other\n")
    assert processor_name(listing) == "Test CPU @ 2.0 GHz: fast"
    listing.write_text("processor\t: 0\nBogoMIPS\t: 50\n")  # as on ARM
    assert processor_name(listing)
    assert describe_host()["cpu"]
