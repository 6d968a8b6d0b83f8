"""The workbench: a scripted device tells exact figures, and the processor really runs."""

import itertools
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terranas.core.errors import DataError
from terranas.profiling import measurement
from terranas.profiling.devices import CpuDevice, Device, UnsupportedError, open_device
from terranas.profiling.measurement import Workbench
from terranas.profiling.memory import HostMemory
from terranas.profiling.networks import build_network
from terranas.profiling.observation import Observation
from terranas.profiling.published import TEST_IMAGES, PublishedRuns
from terranas.profiling.records import Energy
from terranas.profiling.settings import Condition, Precision
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape, macs
from terranas.space.network import Network
from terranas.training.checkpoint import save_weights
from terranas.training.result import copy_state

from .scripted import settings_of

SHAPE = NetworkShape(bands=2, classes=3, image_size=8, stem_channels=4, stacks=2, cells_per_stack=1)
CELL = Cell.from_strings("0110000100010000", "input,conv3x3-bn-relu,maxpool3x3,output")
OTHER = Cell.from_strings("010001000", "input,conv1x1-bn-relu,output")
PLAIN = Condition(2, "fp32", "plain")
SETTINGS = settings_of(
    protocol="full", batch_sizes=[2], warmup_runs=3, timed_runs=8, max_runs=8, repeats=0, reference_every=10
)
IDLE_WATTS, BUSY_WATTS = 50.0, 250.0


class ScriptedDevice(CpuDevice):
    """A processor whose clock, times and counters follow a script, and which notes what is asked of it.

    Attributes:
        seconds: the clock; each run moves it on.
        times: times in ms that the runs take, told one after the other.
        log: what was asked, in order.
        fails: what to raise, by the name of the request.
    """

    def __init__(self, *, counts_memory: bool = True) -> None:
        super().__init__(threads=1)
        self.counts_memory = counts_memory
        self.run_seconds = 0.25
        self.seconds = self.joules = 0.0
        self.times = itertools.cycle([2.0])
        self.log: list[str] = []
        self.fails: dict[str, BaseException] = {}
        self.readings_left = math.inf
        self.foreign_cores = 0.0
        self.network: nn.Module | None = None

    def ask(self, name: str) -> None:
        self.log.append(name)
        if name in self.fails:
            raise self.fails[name]

    def use_precision(self, _: Precision) -> None:
        self.ask("precision")

    def prepare(self, network: nn.Module, images: Tensor, _: Condition) -> Callable[[], Tensor]:
        self.ask("prepare")
        self.network = network

        def run() -> Tensor:
            self.ask("run")
            self.pass_time(self.run_seconds, BUSY_WATTS)
            logits: Tensor = network(images)
            return logits

        return run

    def time_runs(
        self, run: Callable[[], object], count: int, observe: Callable[[], None] = lambda: None
    ) -> NDArray[np.float64]:
        self.ask(f"time {count}")
        observe()
        for _ in range(count):
            run()
        return np.array(list(itertools.islice(self.times, count)))

    def finish(self) -> None:
        self.ask("finish")

    def observe(self) -> Observation:
        busy = self.seconds * (1 + self.foreign_cores)
        return Observation(time=self.seconds, machine_busy_s=busy, own_busy_s=self.seconds)

    def energy_joules(self) -> float | None:
        self.readings_left -= 1
        self.ask("joules")
        return self.joules if self.readings_left >= 0 else None

    def reset_peak_memory(self) -> None:
        self.log.append("reset")

    def peak_memory_bytes(self) -> float:
        return 77.0

    def pass_time(self, seconds: float, watts: float) -> None:
        self.seconds += seconds
        self.joules += seconds * watts


class NoServer:
    """Stands in for the process that measures the host's memory."""

    answer = HostMemory("ok", 30.0, 20.0)
    asked = 0

    def __init__(self, *_: object) -> None:
        NoServer.asked, NoServer.answer = 0, HostMemory("ok", 30.0, 20.0)

    def measure(self, *_: object) -> HostMemory:
        NoServer.asked += 1
        return NoServer.answer

    def close(self) -> None:
        pass


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> ScriptedDevice:
    made = ScriptedDevice()

    def sleep(seconds: float) -> None:
        made.log.append("sleep")
        made.pass_time(seconds, IDLE_WATTS)

    clock = SimpleNamespace(time=lambda: 1e9 + made.seconds, perf_counter=lambda: made.seconds, sleep=sleep)
    monkeypatch.setattr(measurement, "time", clock)
    monkeypatch.setattr(measurement, "MemoryServer", NoServer)
    return made


def workbench(device: Device, weights: dict[str, Path] | None = None, **changes: Any) -> Workbench:
    return Workbench(device, SHAPE, replace(SETTINGS, **changes), 0, weights or {})


# --- what is measured ------------------------------------------------------------------------------------------------


def test_one_measurement(device: ScriptedDevice) -> None:
    device.times = itertools.chain([3.0, 1.0, 2.0], itertools.repeat(2.0))
    device.seconds = 5.0
    found = workbench(device).measure(CELL, PLAIN)
    assert (found.outcome, found.flags) == ("ok", ())
    assert found.samples.tolist() == [3, 1, 2, 2, 2, 2, 2, 2]
    assert (found.peak_memory_bytes, found.baseline_memory_bytes) == (77, 0)
    assert found.energy is None
    assert found.started == 1e9 + 5
    assert found.circumstances.foreign_load == 0
    # one run shows whether the output is finite and counts to the warm-up of three
    warm = ["run", "finish", *["run"] * 2, "finish"]
    assert device.log == ["precision", "reset", "prepare", *warm, "time 8", *["run"] * 8]


def test_the_network_is_in_evaluation_mode_with_the_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "MemoryServer", NoServer)
    seen: list[tuple[Any, ...]] = []
    forward = Network.forward

    def spy(self: Network, images: Tensor) -> Tensor:
        last = images.is_contiguous(memory_format=torch.channels_last)
        facts = tuple(images.shape), images.dtype, last, self.training, torch.is_inference_mode_enabled()
        seen.append((*facts, self.stem[0].weight.dtype, len(self.stem)))
        return forward(self, images)

    monkeypatch.setattr(Network, "forward", spy)
    bench = workbench(CpuDevice(threads=1), timed_runs=4, max_runs=4)
    bench.measure(CELL, Condition(5, "fp32", "plain"))
    assert seen == [((5, 2, 8, 8), torch.float32, True, False, True, torch.float32, 3)] * 7
    seen.clear()
    bench.measure(CELL, Condition(4, "bf16", "folded"))
    expected = ((4, 2, 8, 8), torch.bfloat16, True, False, True, torch.bfloat16, 2)
    assert seen[-7:] == [expected] * 7


def test_warming_up_needs_both_count_and_time(device: ScriptedDevice) -> None:
    def runs_before_timing(**changes: Any) -> int:
        device.log.clear()
        workbench(device, **changes).measure(CELL, PLAIN)
        return device.log[: device.log.index("time 8")].count("run")

    assert runs_before_timing(warmup_runs=6) == 6
    assert runs_before_timing(warmup_runs=6, warmup_seconds=1.0) == 6
    # seven of a quarter second are less than the two seconds asked for
    assert runs_before_timing(warmup_runs=6, warmup_seconds=2.0) >= 8
    assert runs_before_timing(warmup_runs=1, warmup_seconds=1.0) == 4
    device.run_seconds = 5.0  # the first run, in which algorithms are searched, is a part of the time
    assert runs_before_timing(warmup_runs=1, warmup_seconds=4.0) == 1


def test_the_host_waits_seldom_while_it_keeps_a_fast_device_busy(device: ScriptedDevice) -> None:
    device.run_seconds = 0.001
    workbench(device, warmup_runs=1, warmup_seconds=2.0).measure(CELL, PLAIN)
    before = device.log[: device.log.index("time 8")]
    assert 2000 < before.count("run") < 2200
    assert before.count("finish") < 60


def test_runs_stop_when_the_median_is_known(device: ScriptedDevice) -> None:
    def blocks(times: list[float], **changes: Any) -> list[str]:
        device.log.clear()
        device.times = itertools.cycle(times)
        workbench(device, timed_runs=8, **changes).measure(CELL, PLAIN)
        return [entry for entry in device.log if entry.startswith("time")]

    assert blocks([2.0], max_runs=100) == ["time 8"]
    # the interval is from the smallest to the largest of 8, from the second of 10, from the third of 12
    scatter = [1.0, 2.0, 3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 3.0] + [2.0] * 90
    assert blocks(scatter, max_runs=100) == ["time 8", "time 2", "time 2"]
    assert blocks(scatter[:5] + [2.0] * 90, max_runs=100) == ["time 8", "time 2"]
    wide = [1.0, 2.0, 3.0]
    assert blocks(wide, max_runs=13) == ["time 8", "time 2", "time 2", "time 1"]
    assert blocks(wide, max_runs=8) == ["time 8"]
    assert blocks(wide, max_runs=100, interval_width=1.1) == ["time 8"]


def test_all_samples_are_kept(device: ScriptedDevice) -> None:
    device.times = itertools.count(1.0)
    assert workbench(device, max_runs=11).measure(CELL, PLAIN).samples.tolist() == list(range(1, 12))


def test_scattered_runs_and_foreign_load_are_flagged(device: ScriptedDevice) -> None:
    device.times = itertools.cycle([1.0, 2.0, 3.0])
    assert workbench(device).measure(CELL, PLAIN).flags == ("unsteady",)
    device.foreign_cores = 0.5
    found = workbench(device).measure(CELL, PLAIN)
    assert found.flags == ("foreign_load", "unsteady")
    assert found.circumstances.foreign_load == pytest.approx(0.5)


def test_the_empty_network_returns_its_input(device: ScriptedDevice) -> None:
    device.counts_memory = False
    found = workbench(device).measure(None, PLAIN)
    assert found.outcome == "ok"
    assert isinstance(device.network, nn.Identity)
    assert math.isnan(found.peak_memory_bytes)
    assert NoServer.asked == 0


def test_conditions_of_a_cell_share_its_network(device: ScriptedDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []

    def counting(cell: Cell, *arguments: Any) -> Network:
        built.append(cell.hash)
        return build_network(cell, *arguments)

    monkeypatch.setattr(measurement, "build_network", counting)
    bench = workbench(device)
    assert bench.size(CELL).macs == macs(CELL, SHAPE)
    for condition in (Condition(2, "bf16", "folded"), Condition(4, "fp32", "plain")):
        bench.measure(CELL, condition)
        assert device.network is not None
        kinds = {type(module) for module in device.network.modules()}
        assert (nn.BatchNorm2d in kinds) == (condition.variant == "plain"), "one condition changed another's network"
    bench.measure(OTHER, PLAIN)
    assert built == [CELL.hash, OTHER.hash]


def test_freed_memory_is_kept_on_the_host_alone(device: ScriptedDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    for name in ("keep_freed_memory", "return_freed_memory"):
        monkeypatch.setattr(measurement, name, lambda name=name: calls.append(name))
    bench = workbench(device)
    bench.measure(CELL, PLAIN)
    bench.measure(OTHER, PLAIN)
    assert calls == ["keep_freed_memory", "return_freed_memory", "return_freed_memory"]
    device.torch_device = torch.device("meta")
    workbench(device)
    assert len(calls) == 3


# --- energy ----------------------------------------------------------------------------------------------------------


def test_energy_of_known_powers(device: ScriptedDevice) -> None:
    bench = workbench(device, energy_seconds=2.0)
    found = bench.measure(CELL, Condition(4, "fp32", "plain"), with_energy=True)
    assert isinstance(found.energy, Energy)
    assert found.energy.idle_watts == pytest.approx(IDLE_WATTS)
    assert found.energy.seconds == pytest.approx(2.0)
    assert found.energy.images == 8 * 4  # runs of a quarter second
    per_image = 0.25 / 4
    assert found.energy.gross_mj == pytest.approx(1e3 * BUSY_WATTS * per_image)
    assert found.energy.net_mj == pytest.approx(1e3 * (BUSY_WATTS - IDLE_WATTS) * per_image)
    assert device.log.index("sleep") < device.log.index("run")
    # these runs have warmed up
    window = device.log.index("joules", device.log.index("run"))
    after = device.log.index("joules", window + 1)
    assert device.log[after + 1] == "time 8"
    bench.measure(OTHER, PLAIN, with_energy=True)
    assert device.log.count("sleep") == 1, "the idle device is measured once"
    readings = device.log.count("joules")
    bench.measure(OTHER, PLAIN)
    assert device.log.count("joules") == readings


@pytest.mark.parametrize(("readings", "slept"), [(0, 0), (1, 1), (2, 1), (3, 1)])
def test_a_counter_that_fails_leaves_energy_open(readings: int, slept: int, device: ScriptedDevice) -> None:
    device.readings_left = readings
    found = workbench(device, energy_seconds=2.0).measure(CELL, PLAIN, with_energy=True)
    assert (found.outcome, found.energy) == ("ok", None)
    assert len(found.samples) == 8
    assert device.log.count("sleep") == slept


def test_a_counter_that_does_not_rise_leaves_energy_open(device: ScriptedDevice) -> None:
    bench = workbench(device, energy_seconds=2.0)
    bench.measure(CELL, PLAIN, with_energy=True)
    for joules in (-1.0, 0.0):  # falls, or stands still

        def pass_time(seconds: float, _: float, joules: float = joules) -> None:
            device.seconds += seconds
            device.joules += joules

        device.pass_time = pass_time  # type: ignore[method-assign]
        assert bench.measure(CELL, PLAIN, with_energy=True).energy is None


def test_no_energy_is_read_where_none_is_asked_for(device: ScriptedDevice) -> None:
    assert workbench(device, energy_seconds=0.0).measure(CELL, PLAIN, with_energy=True).energy is None
    assert workbench(device, energy_seconds=2.0).measure(CELL, PLAIN).energy is None
    assert "joules" not in device.log


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["prepare", "run", "finish", "time 8"])
@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_running_out_of_memory_is_an_outcome(where: str, error: BaseException, device: ScriptedDevice) -> None:
    bench = workbench(device)
    device.fails = {where: error}
    found = bench.measure(CELL, PLAIN)
    assert (found.outcome, len(found.samples), found.energy) == ("out_of_memory", 0, None)
    assert math.isnan(found.peak_memory_bytes)
    assert device.log[-1] == "reset", "the device's memory is given back"
    device.fails = {}
    assert bench.measure(CELL, PLAIN).outcome == "ok"


def test_a_network_too_large_to_build_is_out_of_memory(device: ScriptedDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(*_: object) -> Network:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(measurement, "build_network", too_large)
    assert workbench(device).measure(CELL, PLAIN).outcome == "out_of_memory"


@pytest.mark.parametrize("where", ["precision", "prepare"])
def test_what_the_device_cannot_do_is_an_outcome(
    where: str, device: ScriptedDevice, caplog: pytest.LogCaptureFixture
) -> None:
    device.fails = {where: UnsupportedError("no fp16 here")}
    with caplog.at_level(logging.INFO):
        found = workbench(device).measure(CELL, PLAIN)
    assert (found.outcome, len(found.samples)) == ("unsupported", 0)
    assert f"{CELL.hash} is not measured with" in caplog.text
    assert "no fp16 here" in caplog.text


def test_other_errors_are_raised(device: ScriptedDevice) -> None:
    device.fails = {"run": RuntimeError("CUDA error: device-side assert triggered")}
    with pytest.raises(RuntimeError, match="device-side assert"):
        workbench(device).measure(CELL, PLAIN)


def test_a_network_that_returns_nan_is_an_outcome(device: ScriptedDevice, tmp_path: Path) -> None:
    network = build_network(CELL, SHAPE, 0)
    nn.init.constant_(network.classifier.bias, math.nan)
    save_weights(copy_state(network), tmp_path / "best.pt")
    bench = workbench(device, {CELL.hash: tmp_path / "best.pt"})
    found = bench.measure(CELL, PLAIN)
    assert (found.outcome, len(found.samples)) == ("not_finite", 0)
    assert bench.measure(OTHER, PLAIN).outcome == "ok"  # its weights are drawn


def test_trained_weights_are_measured_and_wrong_ones_told(device: ScriptedDevice, tmp_path: Path) -> None:
    trained = build_network(CELL, SHAPE, 7)
    save_weights(copy_state(trained), tmp_path / "best.pt")
    bench = workbench(device, {CELL.hash: tmp_path / "best.pt", OTHER.hash: tmp_path / "best.pt"})
    assert bench.measure(CELL, PLAIN).outcome == "ok"
    assert device.network is not None
    assert torch.equal(device.network.get_submodule("stem")[0].weight, trained.stem[0].weight)
    with pytest.raises(DataError, match="holds weights of another architecture"):
        bench.measure(OTHER, PLAIN)


# --- memory ----------------------------------------------------------------------------------------------------------


def test_a_gpus_peak_is_that_of_a_later_run(device: ScriptedDevice) -> None:
    bench = workbench(device)
    device.torch_device = SimpleNamespace(type="cuda")  # type: ignore[assignment]

    def eager() -> Tensor:
        device.log.append("eager run")
        return torch.zeros(1)

    assert bench._measure_device_memory(eager) == 77
    assert device.log == ["reset", "eager run", "finish"]


def test_host_memory_is_measured_first_and_once(device: ScriptedDevice) -> None:
    device.counts_memory = False
    bench = workbench(device)
    found = [bench.measure(CELL, PLAIN) for _ in range(2)]
    assert [(each.peak_memory_bytes, each.baseline_memory_bytes) for each in found] == [(30, 20)] * 2
    assert NoServer.asked == 1
    bench.measure(CELL, replace(PLAIN, batch_size=4))
    bench.measure(OTHER, PLAIN)
    assert NoServer.asked == 3


def test_what_ends_another_process_is_not_tried_in_this_one(device: ScriptedDevice) -> None:
    device.counts_memory = False
    bench = workbench(device)
    NoServer.answer = HostMemory("out_of_memory")
    assert bench.measure(CELL, PLAIN).outcome == "out_of_memory"
    assert "prepare" not in device.log
    NoServer.answer = HostMemory("ok", 30.0, 20.0)
    assert bench.measure(OTHER, PLAIN).outcome == "ok"


def test_memory_that_could_not_be_measured_is_told(device: ScriptedDevice, caplog: pytest.LogCaptureFixture) -> None:
    device.counts_memory = False
    bench = workbench(device)
    NoServer.answer = HostMemory("failed", reason="it ended with code -11")
    found = bench.measure(CELL, PLAIN)
    assert found.outcome == "ok"
    assert math.isnan(found.peak_memory_bytes)
    assert f"The memory of {CELL.hash} was not measured: it ended with code -11" in caplog.text
    caplog.clear()
    device.fails = {"prepare": UnsupportedError("not here")}
    assert bench.measure(CELL, PLAIN).outcome == "unsupported"
    assert "was not measured" not in caplog.text, "what cannot run has no memory to measure"


# --- the published protocol ------------------------------------------------------------------------------------------


def test_published_batches_are_copied_and_the_last_one_is_smaller() -> None:
    seen: list[Tensor] = []

    class Spy(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            seen.append(images)
            return images

    runs = PublishedRuns(Spy(), torch.ones(64, 2, 1, 1), torch.device("cpu"), torch.float32)
    for _ in range(379):
        runs.next_batch()
    sizes = [len(images) for images in seen]
    assert sizes == [64] * 377 + [60, 64]
    assert sum(sizes[:378]) == TEST_IMAGES
    assert {images.dtype for images in seen} == {torch.float32}
    assert seen[0].data_ptr() != seen[1].data_ptr(), "each batch is copied anew"
    assert len(runs.whole_batch()) == 64
    whole = PublishedRuns(Spy(), torch.ones(TEST_IMAGES // 2, 1, 1, 1), torch.device("cpu"), torch.float32)
    assert [len(whole.next_batch()) for _ in range(3)] == [TEST_IMAGES // 2] * 3


def test_the_published_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "MemoryServer", NoServer)
    seen: list[tuple[int, bool, bool]] = []
    forward = Network.forward

    def spy(self: Network, images: Tensor) -> Tensor:
        seen.append((len(images), torch.is_grad_enabled(), self.training))
        return forward(self, images)

    monkeypatch.setattr(Network, "forward", spy)
    batch, runs = 10_000, 3  # 24,188 images are two batches and a smaller one
    shape = replace(SHAPE, image_size=2)
    settings = replace(
        SETTINGS, protocol="published", memory_format="contiguous", warmup_runs=2, timed_runs=runs, max_runs=runs
    )
    torch.backends.cudnn.benchmark = True
    bench = Workbench(CpuDevice(threads=1), shape, settings, 0, {})
    assert not torch.backends.cudnn.benchmark, "it would search within the timed batch that is smaller"
    found = bench.measure(CELL, Condition(batch, "fp32", "plain"))
    assert (found.outcome, len(found.samples)) == ("ok", 3)
    assert seen == [(batch, True, False)] * 2 + [(batch, False, False)] * 2 + [(4188, False, False)]


def test_the_published_protocol_is_torchs_alone(device: ScriptedDevice) -> None:
    bench = workbench(device, protocol="published")
    assert bench.measure(CELL, Condition(2, "fp32", "graph")).outcome == "unsupported"
    device.kind = "mine"
    assert bench.measure(CELL, PLAIN).outcome == "unsupported"


# --- real devices ----------------------------------------------------------------------------------------------------


def test_the_processor_measures_really() -> None:
    with Workbench(CpuDevice(threads=1), SHAPE, replace(SETTINGS, max_runs=20), 0, {}) as bench:
        found = bench.measure(CELL, PLAIN)
        assert found.outcome == "ok"
        assert 8 <= len(found.samples) <= 20
        assert (found.samples > 0).all()
        assert found.peak_memory_bytes >= found.baseline_memory_bytes > 1e7
        empty = bench.measure(None, PLAIN)
        assert np.median(empty.samples) < np.median(found.samples)
        # one batch does not fit, the next one goes on
        assert bench.measure(CELL, replace(PLAIN, batch_size=10**13)).outcome == "out_of_memory"
        assert bench.measure(CELL, Condition(2, "bf16", "folded")).outcome == "ok"
        assert bench.measure(CELL, Condition(2, "tf32", "plain")).outcome == "unsupported"
        assert bench.measure(CELL, Condition(2, "fp32", "graph")).outcome == "unsupported"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_a_gpu_measures_really() -> None:
    bench = Workbench(open_device("cuda", threads=1), SHAPE, replace(SETTINGS, energy_seconds=0.2), 0, {})
    for precision in ("fp32", "tf32", "bf16", "fp16"):
        for variant in ("plain", "folded", "graph", "folded_graph"):
            condition = Condition(64, precision, variant)  # type: ignore[arg-type]
            found = bench.measure(CELL, condition, with_energy=True)
            assert found.outcome in ("ok", "unsupported"), condition
            if found.outcome == "ok":
                assert (found.samples > 0).all()
                images = 64 * SHAPE.bands * SHAPE.image_size**2 * (4 if precision in ("fp32", "tf32") else 2)
                assert images < found.peak_memory_bytes < 1e8
                assert found.baseline_memory_bytes == 0
    held = torch.cuda.memory_allocated()
    assert bench.measure(CELL, Condition(10**10, "fp32", "plain")).outcome == "out_of_memory"
    assert torch.cuda.memory_allocated() <= held
    assert bench.measure(CELL, PLAIN).outcome == "ok"
