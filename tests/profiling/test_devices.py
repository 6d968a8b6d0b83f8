"""Devices and what machines say about themselves: clocks, cores, events, graphs, missing GPUs."""

import errno
import gc
import itertools
import json
import logging
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import terranas
from terranas.core.errors import ConfigError, EnvironmentLackError
from terranas.core.nvml import Gpu
from terranas.core.repository import git_state
from terranas.profiling.description import describe_gpu, describe_host, number_ranges, processor_name
from terranas.profiling.devices import CpuDevice, CudaDevice, Device, HostTimedDevice, UnsupportedError, open_device
from terranas.profiling.interface import OBSERVATIONS, observation_places
from terranas.profiling.observation import Observation, judge
from terranas.profiling.power import RaplCounter
from terranas.profiling.processors import choose_processors, processor_quota
from terranas.profiling.settings import Condition, Precision, Tolerances, Variant

from .fakes import UUID, FakeCuda, FakeGpu, FakeNvml, write_rapl

TOLERANCES = Tolerances(drift=0.1, spread=0.2, clock_change=0.05, foreign_load=0.2)
HAS_AFFINITY = hasattr(os, "sched_getaffinity")


def condition(precision: Precision = "fp32", variant: Variant = "plain") -> Condition:
    return Condition(2, precision, variant)


def small_network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(128, 5)).eval()


def images(count: int = 2) -> torch.Tensor:
    return torch.randn((count, 3, 6, 6), generator=torch.Generator().manual_seed(1))


@pytest.fixture
def gpu() -> FakeGpu:
    return FakeGpu()


@pytest.fixture
def nvml(gpu: FakeGpu) -> FakeNvml:
    return FakeNvml(FakeGpu("hidden", sm_clock=5, reasons=0x40, millijoules=1), gpu)


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch, nvml: FakeNvml) -> FakeCuda:
    """Put in torch's place a CUDA device, the second of two, the first of which is hidden."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    fake = FakeCuda()
    fake.install(monkeypatch, nvml)
    return fake


# --- the processor ---------------------------------------------------------------------------------------------------


def test_the_processor_is_timed_call_by_call_and_looked_at_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    device = open_device("cpu", threads=1)
    assert isinstance(device, CpuDevice)
    assert (device.kind, str(device.torch_device), device.counts_memory) == ("cpu", "cpu", False)
    events: list[str] = []
    clock = itertools.count(0, 1_000)

    def tick() -> int:
        events.append("clock")
        return next(clock)

    monkeypatch.setattr(time, "perf_counter_ns", tick)
    lengths = iter([5_000_000, 2_500_000, 1_000_000])

    def run() -> None:
        nonlocal clock
        events.append("run")
        clock = itertools.count(next(clock) + next(lengths), 1_000)

    times = device.time_runs(run, 3, lambda: events.append("look"))
    np.testing.assert_allclose(times, [5.001, 2.501, 1.001])
    assert events == ["look", "clock", "run", "clock"] * 3 + ["look"]


@given(st.integers(1, 2000), st.integers(0, 1))
def test_looks_are_spread_evenly_over_the_runs(count: int, first: int) -> None:
    places = sorted(observation_places(first, count) | {count})
    assert places[0] == min(first, count)
    assert places[-1] == count
    if count - first >= OBSERVATIONS:
        assert len(places) == OBSERVATIONS
        steps = np.diff(places)
        assert max(steps) - min(steps) <= 1


def test_a_device_that_works_on_is_waited_for_within_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0]

    class Slow(HostTimedDevice):
        def finish(self) -> None:
            clock[0] += 3_000_000

    monkeypatch.setattr(time, "perf_counter_ns", lambda: clock[0])
    np.testing.assert_array_equal(Slow("slow", "Slow", 1).time_runs(lambda: None, 4), [3.0] * 4)


def test_rubbish_is_not_collected_while_the_clock_runs() -> None:
    device, seen = CpuDevice(1), []
    assert gc.isenabled()
    device.time_runs(lambda: seen.append(gc.isenabled()), 3)
    assert seen == [False] * 3
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        device.time_runs(lambda: 1 / 0, 1)
    assert gc.isenabled(), "an error left it off"
    gc.disable()
    try:
        device.time_runs(lambda: None, 1)
        assert not gc.isenabled(), "it was off before"
    finally:
        gc.enable()


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_network_really_runs_on_the_processor(precision: Precision) -> None:
    device = CpuDevice(1)
    network, batch = small_network(), images()
    with torch.inference_mode():
        expected = network(batch)
        dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
        device.use_precision(precision)
        run = device.prepare(network.to(dtype), batch.to(dtype), condition(precision))
        times = device.time_runs(run, 5)
        device.finish()
        found = run()
    assert times.shape == (5,)
    assert (times > 0).all()
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), expected, atol=0.05, rtol=0.05)


def test_an_operation_without_a_narrow_version_is_unsupported() -> None:
    class Lacking(nn.Module):
        def __init__(self, message: str) -> None:
            super().__init__()
            self.message = message

        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            assert len(batch) == 1, "one image is enough to see it"
            raise RuntimeError(self.message)

    device = CpuDevice(1)
    with pytest.raises(UnsupportedError, match=r"torch .* on a processor: \"slow_conv2d\" not implemented for 'Half'"):
        device.prepare(Lacking("\"slow_conv2d\" not implemented for 'Half'"), images(), condition("fp16"))
    with pytest.raises(RuntimeError, match="out of memory"):
        device.prepare(Lacking("DefaultCPUAllocator: out of memory"), images(), condition("bf16"))


def test_what_a_processor_does_not_have_is_unsupported() -> None:
    device = CpuDevice(1)
    with pytest.raises(UnsupportedError, match="tf32 is a number format of NVIDIA"):
        device.use_precision("tf32")
    for variant in ("graph", "folded_graph"):
        with pytest.raises(UnsupportedError, match=f"the device cpu has no CUDA graphs, which {variant} needs"):
            device.prepare(small_network(), images(), condition(variant=variant))
    plain = HostTimedDevice("mine", "My device", 1)
    with pytest.raises(UnsupportedError, match="the device mine computes in fp32, not in bf16"):
        plain.use_precision("bf16")
    plain.use_precision("fp32")
    assert plain.energy_joules() is None


def test_the_memory_of_networks_on_the_processor_is_not_counted_here() -> None:
    device = CpuDevice(1)
    device.reset_peak_memory()
    assert np.isnan(device.peak_memory_bytes())


def test_the_processors_energy_is_that_of_its_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("terranas.profiling.cpu.RaplCounter", lambda: RaplCounter(tmp_path))
    write_rapl(tmp_path, {"package-0": 100})
    device = CpuDevice(1)
    assert device.energy_joules() == 0.0
    write_rapl(tmp_path, {"package-0": 600_100})
    assert device.energy_joules() == pytest.approx(0.6)


# --- cores -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def eight_cpus(tmp_path: Path) -> Path:
    """Four cores of two threads each: 0 and 4, 1 and 5, ..."""
    for number in range(8):
        topology = tmp_path / f"cpu{number}" / "topology"
        topology.mkdir(parents=True)
        (topology / "thread_siblings_list").write_text(f"{number % 4},{number % 4 + 4}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("allowed", "count", "expected"),
    [
        (range(8), 1, [0]),
        (range(8), 3, [0, 1, 2]),
        (range(8), 6, [0, 1, 2, 3, 4, 5]),
        ([6, 2, 5, 3], 3, [2, 3, 5]),  # 6 shares a core with 2
        ([6, 2, 5, 3], 4, [2, 3, 5, 6]),
        ([7], 4, [7]),
        ([20, 21], 1, [20]),  # Linux says nothing of these
    ],
)
def test_threads_get_a_core_each_as_long_as_there_are_cores(
    eight_cpus: Path, allowed: list[int], count: int, expected: list[int]
) -> None:
    assert choose_processors(allowed, count, eight_cpus) == expected


@pytest.mark.skipif(not HAS_AFFINITY, reason="this system does not bind processes to cores")
def test_the_process_and_all_its_threads_are_bound_to_allowed_cores() -> None:
    """In a process of its own, which has a thread already and may use the highest core alone."""
    program = """
import os, sys, threading
os.sched_setaffinity(0, {int(sys.argv[1])})
stay = threading.Event()
threading.Thread(target=stay.wait, daemon=True).start()
from terranas.profiling.devices import open_device
device = open_device("cpu", 1)
for thread in os.listdir("/proc/self/task"):
    print(os.sched_getaffinity(int(thread)))
print(device.describe()["affinity"])
"""
    highest = max(os.sched_getaffinity(0))
    done = subprocess.run(
        [sys.executable, "-c", program, str(highest)], capture_output=True, text=True, check=True, timeout=300
    )
    *threads, described = done.stdout.splitlines()
    assert len(threads) >= 2
    assert set(threads) == {f"{{{highest}}}"}
    assert described == str(highest)


@pytest.mark.skipif(not HAS_AFFINITY, reason="this system does not bind processes to cores")
def test_more_threads_than_cores_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    cores = len(os.sched_getaffinity(0))
    with caplog.at_level(logging.WARNING):
        device = CpuDevice(cores + 1)
    assert f"profiling.threads is {cores + 1}, but this process may use {cores} cores only" in caplog.text
    assert (device.describe()["threads"], torch.get_num_threads()) == (cores + 1, cores + 1)


@pytest.mark.skipif(not HAS_AFFINITY, reason="this system does not bind processes to cores")
def test_a_system_that_refuses_to_bind_is_told_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    CpuDevice(1)
    monkeypatch.undo()
    assert caplog.text.count("does not let this process bind its threads to cores (Operation not permitted)") == 1


def test_without_bindings_threads_are_set_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    device = CpuDevice(2)
    assert torch.get_num_threads() == 2
    assert device.describe()["affinity"] is None


def test_a_quota_is_the_smallest_on_the_way_to_the_root(tmp_path: Path) -> None:
    cgroup, root = tmp_path / "cgroup", tmp_path / "fs"
    (root / "job" / "step").mkdir(parents=True)
    cgroup.write_text("1:cpu:/old\n0::/job/step\n")
    assert processor_quota(cgroup, root) is None
    (root / "job" / "step" / "cpu.max").write_text("max 100000\n")
    assert processor_quota(cgroup, root) is None
    (root / "job" / "cpu.max").write_text("150000 100000\n")
    assert processor_quota(cgroup, root) == 1.5
    (root / "cpu.max").write_text("800000 100000\n")
    assert processor_quota(cgroup, root) == 1.5
    cgroup.write_text("0::/\n")  # as within a container
    assert processor_quota(cgroup, root) == 8.0
    assert processor_quota(tmp_path / "nowhere", root) is None


# --- CUDA ------------------------------------------------------------------------------------------------------------


def test_cuda_runs_lie_between_events_with_one_wait_for_the_device_at_the_end(cuda: FakeCuda) -> None:
    device = open_device("cuda", threads=1)
    assert isinstance(device, CudaDevice)
    assert (device.kind, device.name, str(device.torch_device)) == ("cuda", "Test GPU", "cuda:0")
    assert device.counts_memory
    assert torch.backends.cudnn.benchmark
    before, waits = cuda.waits, []
    times = device.time_runs(lambda: waits.append(cuda.waits - before), 4)
    np.testing.assert_array_equal(times, [1.0] * 4)
    assert waits == [1] * 4, "the host waited between two runs"
    assert cuda.waits - before == 2
    device.finish()
    assert cuda.waits - before == 3


def test_the_host_looks_at_the_device_under_load(cuda: FakeCuda) -> None:
    """Runs are still queued at each look, but no more than a few."""
    device, queued = CudaDevice(1), []
    device.time_runs(lambda: None, 100, lambda: queued.append((cuda.events - cuda.done) // 2))
    assert len(queued) == OBSERVATIONS
    assert queued[0] == 1
    assert queued[1:] == [4] * 7


def test_memory_is_counted_by_the_allocator(cuda: FakeCuda) -> None:
    device = CudaDevice(1)
    device.reset_peak_memory()
    assert cuda.log == ["emptied", "reset"]
    assert device.peak_memory_bytes() == 12_345


@pytest.mark.parametrize(("precision", "expected"), [("fp32", False), ("tf32", True), ("bf16", False), ("fp16", False)])
@pytest.mark.usefixtures("cuda")
def test_tf32_is_switched_in_matrix_products_and_convolutions(precision: Precision, expected: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = not expected
    CudaDevice(1).use_precision(precision)
    assert torch.backends.cuda.matmul.allow_tf32 is expected
    assert torch.backends.cudnn.allow_tf32 is expected


def test_a_device_older_than_a_precision_is_told(cuda: FakeCuda) -> None:
    device = CudaDevice(1)
    cuda.capability = (7, 5)
    for precision in ("bf16", "tf32"):
        with pytest.raises(UnsupportedError, match=rf"Test GPU has compute capability 7\.5; {precision} needs 8\.0"):
            device.use_precision(precision)
    device.use_precision("fp16")
    cuda.capability = (3, 7)
    device.use_precision("fp32")
    with pytest.raises(UnsupportedError, match=r"3\.7; fp16 needs 5\.3"):
        device.use_precision("fp16")


def test_a_graph_is_captured_after_a_warm_up_on_another_stream_and_then_replayed(cuda: FakeCuda) -> None:
    device, network, batch = CudaDevice(1), small_network(), images()
    with torch.inference_mode():
        expected = network(batch)
    network.register_forward_hook(lambda *_: cuda.log.append("network"))
    run = device.prepare(network, batch, condition(variant="graph"))
    assert cuda.log == [
        *("device begins", "streams wait", "side stream begins"),
        *("network", "network", "network"),
        *("side stream ends", "streams wait", "capture begins", "network", "capture ends", "device ends"),
    ]
    cuda.log.clear()
    torch.testing.assert_close(run(), expected)
    run()
    assert cuda.log == ["replay", "replay"], "the network ran again"
    plain = device.prepare(network, batch, condition())
    torch.testing.assert_close(plain(), expected)
    assert cuda.log == ["replay", "replay", "network"]


@pytest.mark.usefixtures("cuda")
def test_a_network_that_cannot_be_captured_is_unsupported_and_other_errors_stay() -> None:
    class Refusing(nn.Module):
        def __init__(self, error: Exception) -> None:
            super().__init__()
            self.error = error

        def forward(self, _: torch.Tensor) -> torch.Tensor:
            raise self.error

    device, graph = CudaDevice(1), condition(variant="folded_graph")
    refused = RuntimeError("CUDA error: operation not permitted when stream is capturing")
    with pytest.raises(UnsupportedError, match="cannot be captured as a CUDA graph: CUDA error: operation not permi"):
        device.prepare(Refusing(refused), images(), graph)
    with pytest.raises(torch.OutOfMemoryError):
        device.prepare(Refusing(torch.OutOfMemoryError("CUDA out of memory while capturing")), images(), graph)
    # the end of the capture fails in turn, and hides why
    masked = RuntimeError("CUDA error: operation failed due to a previous error during capture")
    masked.__context__ = torch.OutOfMemoryError("CUDA out of memory")
    with pytest.raises(torch.OutOfMemoryError):
        device.prepare(Refusing(masked), images(), graph)


@pytest.mark.parametrize(
    ("script", "flags"),
    [
        ({}, ()),
        ({0: {"reasons": 0x3}}, ()),
        ({50: {"reasons": 0x4}, 75: {"reasons": 0x0}}, ("throttled",)),
        ({50: {"sm_clock": 1200}}, ("clock_changed",)),
        ({50: {"sm_clock": 1380}}, ()),
        ({50: {"processes": [os.getpid(), 999]}}, ("foreign_load",)),
        (
            {20: {"reasons": 0x20, "sm_clock": 900}, 60: {"processes": [999]}},
            ("throttled", "clock_changed", "foreign_load"),
        ),
    ],
)
@pytest.mark.usefixtures("cuda")
def test_what_disturbs_a_gpu_in_the_middle_of_a_measurement_is_seen(
    gpu: FakeGpu, script: dict[int, dict[str, Any]], flags: tuple[str, ...]
) -> None:
    device, seen = CudaDevice(1), list[Observation]()
    device.time_runs(gpu.play(script), 100, lambda: seen.append(device.observe()))
    assert judge(seen, TOLERANCES)[0] == flags


@pytest.mark.usefixtures("cuda")
def test_energy_is_that_of_the_device_in_use_and_the_library_is_opened_once(gpu: FakeGpu, nvml: FakeNvml) -> None:
    device = CudaDevice(1)
    start = device.energy_joules()
    gpu.millijoules += 2_500
    for _ in range(3):
        device.observe()
    end = device.energy_joules()
    assert start is not None
    assert end is not None
    assert end - start == 2.5
    assert nvml.calls.count("nvmlInit") == 1
    gpu.millijoules = 10
    assert device.energy_joules() is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_missing_cuda_device_is_told_with_a_way_out() -> None:
    with pytest.raises(
        EnvironmentLackError, match=r"finds no CUDA device on this machine\. Set profiling\.device to cpu"
    ):
        open_device("cuda", threads=1)


@pytest.mark.parametrize(("kind", "backend"), [("tpu", None), ("own", None), ("", None)])
def test_an_unknown_device_is_told(kind: str, backend: str | None) -> None:
    with pytest.raises(ConfigError, match=rf"profiling\.device is '{kind}'; expected cpu, cuda, or own with profiling"):
        open_device(kind, 1, backend)


# --- descriptions ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("cuda")
def test_descriptions_have_the_same_keys_on_every_device() -> None:
    on_cpu, on_cuda = CpuDevice(1).describe(), CudaDevice(1).describe()
    assert list(on_cpu) == list(on_cuda)
    assert json.loads(json.dumps(on_cuda, allow_nan=False)) == on_cuda
    state = git_state(Path(terranas.__file__).parents[1])
    assert on_cpu["commit"] == (state and state["commit"])
    assert (on_cpu["threads"], on_cpu["torch"], on_cpu["python"]) == (1, torch.__version__, platform.python_version())
    expected = {
        "gpu": "Test GPU",
        "compute_capability": "8.0",
        "driver": "570.1",
        "cuda": torch.version.cuda,
        "cudnn": 91_002,
        "sm_clock_mhz": 1410,
        "sm_clock_max_mhz": 1980,
        "memory_clock_mhz": 1593,
        "memory_clock_max_mhz": 2619,
        "power_limit_w": 400.5,
    }
    assert {key: on_cuda[key] for key in expected} == expected
    assert all(on_cpu[key] is None for key in expected)
    assert not any(platform.node() in str(value) for value in on_cuda.values() if len(platform.node()) > 3)


@pytest.mark.usefixtures("cuda")
def test_a_refused_query_leaves_only_its_own_value_open(nvml: FakeNvml) -> None:
    gpu = Gpu(UUID)
    complete = describe_gpu(gpu)
    nvml.refused = {"nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetMaxClockInfo"}
    found = describe_gpu(gpu)
    assert [key for key in complete if found[key] != complete[key]] == [
        "sm_clock_max_mhz",
        "memory_clock_max_mhz",
        "power_limit_w",
    ]
    assert found["power_limit_w"] is None


def test_without_the_library_or_its_driver_the_rest_is_still_known(
    cuda: FakeCuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    for library in (None, FakeNvml(refused=("nvmlInit",)), FakeNvml(FakeGpu("others"))):
        cuda.install(monkeypatch, library)
        device = CudaDevice(1)
        found = device.describe()
        assert (found["gpu"], found["driver"], found["sm_clock_mhz"]) == ("Test GPU", None, None)
        assert (device.energy_joules(), device.observe().throttle_reasons) == (None, None)
        np.testing.assert_array_equal(device.time_runs(lambda: None, 3, lambda: None), [1.0] * 3)


def test_the_processors_name(tmp_path: Path) -> None:
    listing = tmp_path / "cpuinfo"
    listing.write_text("processor\t: 0\nmodel name\t: Test CPU @ 2.0 GHz: fast\nprocessor\t: 1\nmodel name\t: Other\n")
    assert processor_name(listing) == "Test CPU @ 2.0 GHz: fast"
    listing.write_text("processor\t: 0\nBogoMIPS\t: 50\n")  # as on ARM
    assert processor_name(listing)
    assert describe_host()["cpu"]


def test_governor_and_clock_are_told_where_they_can_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("terranas.profiling.description.allowed_processors", lambda: [3, 4])
    (tmp_path / "cpu3" / "cpufreq").mkdir(parents=True)
    (tmp_path / "cpu3" / "cpufreq" / "scaling_governor").write_text("performance\n")

    def clock(answer: Any) -> Callable[[], Any]:
        def ask() -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

        return ask

    for answer, expected in (
        (psutil._ntuples.scpufreq(2400.5, 800.0, 3600.0), (2400.5, 3600.0)),
        (psutil._ntuples.scpufreq(2400.5, 0.0, 0.0), (2400.5, None)),
        (None, (None, None)),
        (FileNotFoundError("cpufreq"), (None, None)),
        (NotImplementedError(), (None, None)),
    ):
        monkeypatch.setattr(psutil, "cpu_freq", clock(answer))
        told = describe_host(tmp_path)
        assert (told["cpu_mhz"], told["cpu_max_mhz"]) == expected
        assert (told["governor"], told["affinity"]) == ("performance", "3-4")
    assert describe_host(tmp_path / "nowhere")["governor"] is None


@given(st.sets(st.integers(0, 40), min_size=1))
def test_lists_of_cores_read_as_linux_writes_them(numbers: set[int]) -> None:
    read: list[int] = []
    for part in number_ranges(sorted(numbers)).split(","):
        first, _, last = part.partition("-")
        read += range(int(first), int(last or first) + 1)
    assert read == sorted(numbers)
    assert number_ranges([0, 1, 2, 5]) == "0-2,5"


# --- a real GPU ------------------------------------------------------------------------------------------------------

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


def on_gpu(device: Device) -> tuple[nn.Module, torch.Tensor]:
    return small_network().to(device.torch_device), images(64).to(device.torch_device)


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16", "fp16"])
def test_a_captured_graph_gives_what_the_network_gives(precision: Precision) -> None:
    device = open_device("cuda", 1)
    network, batch = on_gpu(device)
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision, torch.float32)
    network, batch = network.to(dtype), batch.to(dtype)
    try:
        device.use_precision(precision)
    except UnsupportedError as error:
        pytest.skip(str(error))
    with torch.inference_mode():
        plain = device.prepare(network, batch, condition(precision))
        graph = device.prepare(network, batch, condition(precision, "graph"))
        torch.testing.assert_close(graph().clone(), plain(), rtol=1e-2, atol=1e-2)
        batch.mul_(2)  # the graph reads the images where they are
        torch.testing.assert_close(graph().clone(), plain(), rtol=1e-2, atol=1e-2)


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("variant", ["plain", "graph"])
def test_cuda_is_timed_and_watched(variant: Variant) -> None:
    device, seen = open_device("cuda", 1), list[Observation]()
    network, batch = on_gpu(device)
    device.reset_peak_memory()
    with torch.inference_mode():
        run = device.prepare(network, batch, condition(variant=variant))
        times = device.time_runs(run, 50, lambda: seen.append(device.observe()))
    assert times.shape == (50,)
    assert (times > 0).all()
    assert len(seen) == OBSERVATIONS
    assert device.peak_memory_bytes() >= batch.numel() * 4
    described = device.describe()
    assert described["gpu"] == torch.cuda.get_device_name()
    assert list(described) == list(describe_host())


@pytest.mark.gpu
@needs_gpu
def test_twice_the_work_takes_longer_by_the_events() -> None:
    """Sixteen times the work, which no noise makes up for."""
    device = open_device("cuda", 1)
    small, large = (torch.randn(size, size, device="cuda") for size in (2048, 8192))
    with torch.inference_mode():
        for matrix in (small, large):
            _ = matrix @ matrix
        fast = np.median(device.time_runs(lambda: small @ small, 10))
        slow = np.median(device.time_runs(lambda: large @ large, 10))
    assert slow > 4 * fast


@pytest.mark.gpu
@needs_gpu
def test_the_energy_of_a_real_gpu_never_falls() -> None:
    device = open_device("cuda", 1)
    if device.energy_joules() is None:
        pytest.skip("this GPU, or the permission to read it, has no counter of energy")
    matrix, read = torch.randn(4096, 4096, device="cuda"), []
    for _ in range(10):
        device.time_runs(lambda: matrix @ matrix, 50)
        read.append(device.energy_joules())
    assert read == sorted(read)
    assert read[-1] > read[0]
