"""Looking at a machine while it measures, and telling disturbed measurements from others."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terranas.core.nvml import Gpu
from terranas.profiling.observation import GpuWatch, Observation, judge, observe_host
from terranas.profiling.records import Circumstances
from terranas.profiling.schema import FLAGS
from terranas.profiling.settings import Tolerances

from .fakes import UUID, FakeGpu, FakeNvml

TOLERANCES = Tolerances(drift=0.1, spread=0.2, clock_change=0.05, foreign_load=0.2)
CALM = Observation(time=0.0, machine_busy_s=100.0, own_busy_s=5.0, busy_resolution_s=0.07, load_average=1.0)
ON_GPU = Observation(
    time=0.0, sm_clock_mhz=1400, temperature_c=60, power_w=300.0, throttle_reasons=(), foreign_processes=0
)


def over(seconds: float, others: float, own: float = 1.0) -> list[Observation]:
    """Return two looks at the processor between which others and this process took so many seconds of its cores."""
    return [
        CALM,
        replace(CALM, time=seconds, machine_busy_s=100.0 + own + others, own_busy_s=5.0 + own, load_average=2.5),
    ]


def assert_circumstances(found: Circumstances, **expected: float) -> None:
    nothing = Circumstances()
    for name in vars(nothing):
        np.testing.assert_allclose(getattr(found, name), expected.get(name, np.nan), err_msg=name)


# --- judging ---------------------------------------------------------------------------------------------------------


def test_nothing_known_raises_no_flag() -> None:
    for observations in ([], [Observation(time=0.0)], [Observation(time=0.0), Observation(time=1.0)]):
        flags, circumstances = judge(observations, TOLERANCES)
        assert flags == ()
        assert_circumstances(circumstances)


def test_others_on_the_processor_are_told_in_cores() -> None:
    flags, circumstances = judge(over(10.0, others=5.0, own=10.0), TOLERANCES)
    assert flags == ("foreign_load",)
    assert_circumstances(circumstances, foreign_load=0.5, load_average=2.5)
    flags, circumstances = judge(over(10.0, others=1.9, own=10.0), TOLERANCES)
    assert flags == ()
    assert_circumstances(circumstances, foreign_load=0.19, load_average=2.5)


def test_our_own_work_on_any_number_of_cores_is_not_foreign() -> None:
    flags, circumstances = judge(over(10.0, others=0.0, own=320.0), TOLERANCES)
    assert flags == ()
    assert circumstances.foreign_load == 0.0


def test_a_short_window_is_judged_no_finer_than_the_systems_ticks() -> None:
    """Six ticks of .01 s within .1 s look like .6 of a core, but seven can come of counting alone."""
    flags, circumstances = judge(over(0.1, others=0.06, own=0.1), TOLERANCES)
    assert flags == ()
    assert circumstances.foreign_load == pytest.approx(0.6)
    assert judge(over(0.1, others=0.095, own=0.1), TOLERANCES)[0] == ("foreign_load",)


def test_counting_may_give_us_more_than_the_machine_did() -> None:
    assert judge(over(0.1, others=-0.05, own=0.1), TOLERANCES)[1].foreign_load == 0.0


def test_no_time_between_two_looks_tells_nothing() -> None:
    flags, circumstances = judge([CALM, CALM], TOLERANCES)
    assert flags == ()
    assert np.isnan(circumstances.foreign_load)
    assert circumstances.load_average == 1.0


def test_without_counters_the_load_average_beyond_our_own_threads_counts() -> None:
    def with_load(load: float | None) -> list[Observation]:
        return [replace(CALM, time=t, machine_busy_s=None, threads=2, load_average=load) for t in (0.0, 1.0)]

    assert judge(with_load(2.1), TOLERANCES)[0] == ()
    assert judge(with_load(1.0), TOLERANCES)[1].foreign_load == 0.0
    flags, circumstances = judge(with_load(3.5), TOLERANCES)
    assert flags == ("foreign_load",)
    assert circumstances.foreign_load == 1.5
    assert np.isnan(judge(with_load(None), TOLERANCES)[1].foreign_load)


def test_a_processor_that_grew_hot_is_throttled() -> None:
    counts = [replace(CALM, time=float(t), throttle_count=count) for t, count in enumerate((7, 7, 8))]
    assert judge(counts, TOLERANCES)[0] == ("throttled",)
    assert judge(counts[:2], TOLERANCES)[0] == ()


def test_a_gpu_is_judged_by_reasons_clock_and_guests() -> None:
    calm = [replace(ON_GPU, time=float(t)) for t in range(3)]
    flags, circumstances = judge(calm, TOLERANCES)
    assert flags == ()
    assert_circumstances(circumstances, sm_clock_mhz=1400, temperature_c=60, power_w=300)
    for change, flag in (
        ({"throttle_reasons": ("power cap",)}, "throttled"),
        ({"sm_clock_mhz": 1320}, "clock_changed"),
        ({"sm_clock_mhz": 1480}, "clock_changed"),
        ({"foreign_processes": 1}, "foreign_load"),
    ):
        for place in range(3):
            assert judge([*calm[:place], replace(calm[place], **change), *calm[place + 1 :]], TOLERANCES)[0] == (flag,)
    assert judge([*calm, replace(ON_GPU, sm_clock_mhz=1335)], TOLERANCES)[0] == (), "within the tolerance"


def test_clock_and_power_are_medians_and_the_temperature_is_the_last_one() -> None:
    seen = [
        replace(ON_GPU, sm_clock_mhz=clock, power_w=power, temperature_c=celsius)
        for clock, power, celsius in ((1000, 100, 50), (1400, 310, 55), (1405, 300, None), (1410, None, 61))
    ]
    _, circumstances = judge(seen, TOLERANCES)
    assert_circumstances(circumstances, sm_clock_mhz=1402.5, power_w=300, temperature_c=61)


@given(
    st.lists(
        st.builds(
            Observation,
            time=st.floats(0, 1e6),
            load_average=st.none() | st.floats(0, 100),
            machine_busy_s=st.none() | st.floats(0, 1e6),
            own_busy_s=st.none() | st.floats(0, 1e6),
            sm_clock_mhz=st.none() | st.floats(1, 3000),
            throttle_reasons=st.none() | st.just(()) | st.just(("power cap",)),
            foreign_processes=st.none() | st.integers(0, 3),
        ),
        max_size=5,
    )
)
def test_flags_are_known_ones_in_their_order_and_no_load_is_negative(observations: list[Observation]) -> None:
    flags, circumstances = judge(observations, TOLERANCES)
    assert list(flags) == [flag for flag in FLAGS if flag in flags]
    assert not circumstances.foreign_load < 0


# --- looking at the host ---------------------------------------------------------------------------------------------

SPIN = "import time, sys\nend = time.process_time() + .3\nwhile time.process_time() < end: pass\n"


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="no /proc/stat on this system")
def test_another_process_is_seen_on_the_real_machine() -> None:
    """Whatever else runs here can only add to it."""
    before = observe_host(threads=1)
    subprocess.run([sys.executable, "-c", SPIN], check=True)
    after = observe_host(threads=1)
    seconds = after.time - before.time
    assert after.own_busy_s - before.own_busy_s < 0.25, "this process only waited"
    _, circumstances = judge([before, after], TOLERANCES)
    assert circumstances.foreign_load * seconds > 0.3 - after.busy_resolution_s


def test_our_own_work_is_counted_as_ours() -> None:
    before = observe_host(threads=1)
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
    after = observe_host(threads=1)
    assert after.own_busy_s - before.own_busy_s >= 0.1
    assert after.time > before.time


def test_busy_time_leaves_out_idling_and_waiting_for_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {"user": 1.0, "nice": 2.0, "system": 4.0, "idle": 800.0, "iowait": 1600.0, "irq": 8.0, "softirq": 16.0}
    monkeypatch.setattr(psutil, "cpu_times", lambda: SimpleNamespace(**times, steal=32.0, guest=1.0))
    assert observe_host(threads=1).machine_busy_s == 63.0
    monkeypatch.setattr(psutil, "cpu_times", lambda: SimpleNamespace(user=1.0, nice=2.0, system=4.0, idle=8.0))
    assert observe_host(threads=1).machine_busy_s == 7.0, "macOS tells no more kinds"


def test_what_a_host_does_not_tell_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse() -> None:
        raise PermissionError("/proc/stat")

    monkeypatch.setattr(psutil, "cpu_times", refuse)
    monkeypatch.setattr(os, "getloadavg", refuse)
    seen = observe_host(threads=3, cpus=tmp_path)
    assert (seen.machine_busy_s, seen.load_average, seen.throttle_count, seen.threads) == (None, None, None, 3)
    assert judge([seen, seen], TOLERANCES)[0] == ()


def test_the_counts_of_lowered_clocks_are_those_of_the_cores_in_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("terranas.profiling.observation.allowed_processors", lambda: [1, 2, 3])
    for number, counts in {0: (90, 90), 1: (1, 2), 2: (4, 8)}.items():
        folder = tmp_path / f"cpu{number}" / "thermal_throttle"
        folder.mkdir(parents=True)
        for name, count in zip(("core", "package"), counts, strict=True):
            (folder / f"{name}_throttle_count").write_text(f"{count}\n")
        (folder / "core_throttle_total_time_ms").write_text("1000\n")
    assert observe_host(threads=1, cpus=tmp_path).throttle_count == 15


# --- looking at a GPU ------------------------------------------------------------------------------------------------


@pytest.fixture
def gpu() -> FakeGpu:
    return FakeGpu(processes=[])


@pytest.fixture
def nvml(gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeNvml]:
    library = FakeNvml(FakeGpu("another", sm_clock=1, processes=[1, 2, 3], reasons=0x40), gpu)
    monkeypatch.setitem(sys.modules, "pynvml", library)
    yield library
    assert library.is_open == 0, "the library is left open"


def watch_of(gpu: FakeGpu, *came: int) -> GpuWatch:
    """Return a watch of a device that shows these processes once this one has used it."""
    watch = GpuWatch(Gpu(UUID))
    gpu.processes = [*gpu.processes, *came]
    watch.learn_own_process()
    return watch


@pytest.mark.usefixtures("nvml")
def test_a_gpu_tells_its_state(gpu: FakeGpu) -> None:
    seen = watch_of(gpu, os.getpid()).observe()
    assert (seen.sm_clock_mhz, seen.temperature_c, seen.power_w) == (1410, 41, 250.0)
    assert (seen.throttle_reasons, seen.foreign_processes) == ((), 0)
    assert seen.load_average is not None
    assert (seen.machine_busy_s, seen.own_busy_s, seen.throttle_count) == (None, None, None)


@pytest.mark.usefixtures("nvml")
def test_only_reasons_that_spoil_a_measurement_are_told(gpu: FakeGpu) -> None:
    watch = watch_of(gpu, os.getpid())
    for harmless in (0x0, 0x1, 0x2, 0x10, 0x100, 0x200, 0x400, 0x113):
        gpu.reasons = harmless
        assert watch.observe().throttle_reasons == ()
    for harmful, name in {
        0x4: "power cap",
        0x8: "hardware slowdown",
        0x20: "heat (driver)",
        0x40: "heat (hardware)",
        0x80: "power brake",
    }.items():
        gpu.reasons = harmful | 0x1
        assert watch.observe().throttle_reasons == (name,)


def test_older_drivers_know_the_question_by_its_older_name(gpu: FakeGpu, nvml: FakeNvml) -> None:
    nvml.refused = {"nvmlDeviceGetCurrentClocksEventReasons"}
    gpu.reasons = 0x44
    watch = watch_of(gpu, os.getpid())
    assert watch.observe().throttle_reasons == ("power cap", "heat (hardware)")
    nvml.refused.add("nvmlDeviceGetCurrentClocksThrottleReasons")
    assert watch.observe().throttle_reasons is None


def test_a_refused_question_leaves_only_its_own_answer_open(gpu: FakeGpu, nvml: FakeNvml) -> None:
    watch = watch_of(gpu, os.getpid())
    answers = {
        "nvmlDeviceGetClockInfo": "sm_clock_mhz",
        "nvmlDeviceGetTemperature": "temperature_c",
        "nvmlDeviceGetPowerUsage": "power_w",
        "nvmlDeviceGetComputeRunningProcesses": "foreign_processes",
    }
    for question, answer in answers.items():
        nvml.refused = {question}
        seen = watch.observe()
        assert [name for name in answers.values() if getattr(seen, name) is None] == [answer]
    nvml.refused = set(answers)
    assert judge([watch.observe()] * 2, TOLERANCES)[0] == ()


@pytest.mark.parametrize("library", [None, FakeNvml(refused=("nvmlInit",))])
def test_without_the_library_or_its_driver_a_gpu_tells_nothing(
    gpu: FakeGpu, library: FakeNvml | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", library)
    seen = watch_of(gpu, os.getpid()).observe()
    assert seen == Observation(time=seen.time, load_average=seen.load_average)


@pytest.mark.usefixtures("nvml")
@pytest.mark.parametrize(
    ("before", "came", "later", "expected"),
    [
        ([], [os.getpid()], [], 0),
        ([77], [os.getpid()], [], 1),  # it was there first, and still counts
        ([], [os.getpid()], [77, 78], 2),
        ([], [4711], [], 0),  # this process, by the number that the host gave it
        ([77], [4711], [78], 2),
        ([], [4711, 77], [], 1),  # two came at once: one of them is this process
        ([4711], [], [], 0),  # this process used the device before: one of all is it
        ([4711], [], [77], 1),
        ([os.getpid(), 77], [], [], 1),
        ([], [], [], None),  # not even this process is listed
        ([], [], [77], None),
    ],
)
def test_other_processes_are_told_from_this_one(
    gpu: FakeGpu, before: list[int], came: list[int], later: list[int], expected: int | None
) -> None:
    gpu.processes = before
    watch = watch_of(gpu, *came)
    gpu.processes = [*gpu.processes, *later]
    seen = watch.observe()
    assert seen.foreign_processes == expected
    assert judge([seen], TOLERANCES)[0] == (("foreign_load",) if expected else ())
