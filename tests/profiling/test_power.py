"""Counters of energy: what they tell, and what they must not make up."""

import os
import sys
from pathlib import Path

import pytest

from terranas.core.nvml import Gpu
from terranas.profiling.power import GpuCounter, RaplCounter

from .fakes import UUID, FakeGpu, FakeNvml, write_rapl


def use(monkeypatch: pytest.MonkeyPatch, nvml: FakeNvml | None) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml)


def test_a_gpus_counter_is_read_in_joules_through_one_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = FakeGpu(millijoules=7_000_000)
    nvml = FakeNvml(gpu)
    use(monkeypatch, nvml)
    counter = GpuCounter(Gpu(UUID))
    assert counter.joules() == 7000.0
    gpu.millijoules += 1_500
    assert counter.joules() == 7001.5
    assert nvml.calls.count("nvmlInit") == 1
    assert nvml.is_open == 1
    del counter
    assert nvml.is_open == 0, "the library is left open"


def test_the_counter_is_that_of_the_device_in_use_where_another_one_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA's device 0 is the library's device 1."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    use(monkeypatch, FakeNvml(FakeGpu("hidden", millijoules=1), FakeGpu(UUID, millijoules=2_000)))
    assert GpuCounter(Gpu(UUID)).joules() == 2.0
    assert GpuCounter(Gpu("a-third")).joules() is None


def test_a_gpus_counter_that_begins_anew_spoils_one_difference_only(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = FakeGpu(millijoules=5_000_000)
    use(monkeypatch, FakeNvml(gpu))
    counter, read = GpuCounter(Gpu(UUID)), []
    for millijoules in (5_000_000, 5_000_500, 300, 800, 900):
        gpu.millijoules = millijoules
        read.append(counter.joules())
    assert read == [5000.0, 5000.5, None, 0.8, 0.9]


def test_a_refused_or_missing_counter_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for nvml in (
        FakeNvml(refused=("nvmlDeviceGetTotalEnergyConsumption",)),
        FakeNvml(refused=("nvmlInit",)),
        FakeNvml(refused=("nvmlDeviceGetHandleByUUID",)),
        None,
    ):
        use(monkeypatch, nvml)
        assert GpuCounter(Gpu(UUID)).joules() is None
        assert nvml is None or nvml.is_open == 0


def test_packages_of_the_processor_are_summed_and_nothing_else(tmp_path: Path) -> None:
    write_rapl(tmp_path, {"package-0": 500_000, "package-1": 100_000, "psys": 900_000})
    counter = RaplCounter(tmp_path)
    assert counter.joules() == 0.0
    write_rapl(tmp_path, {"package-0": 600_000, "package-1": 150_000, "psys": 0})
    assert counter.joules() == pytest.approx(0.15)
    write_rapl(tmp_path, {"package-0": 600_000, "package-1": 150_001, "psys": 0})
    assert counter.joules() == pytest.approx(0.150001)


def test_a_counter_that_comes_round_counts_on(tmp_path: Path) -> None:
    write_rapl(tmp_path, {"package-0": 999_900, "package-1": 10}, highest=999_999)
    counter = RaplCounter(tmp_path)
    counter.joules()
    write_rapl(tmp_path, {"package-0": 50, "package-1": 20}, highest=999_999)
    assert counter.joules() == pytest.approx((99 + 50 + 10) * 1e-6)


def test_a_round_without_its_length_is_none_and_the_next_reading_counts_again(tmp_path: Path) -> None:
    write_rapl(tmp_path, {"package-0": 999_900})
    counter = RaplCounter(tmp_path)
    counter.joules()
    write_rapl(tmp_path, {"package-0": 50})
    (tmp_path / "intel-rapl:0" / "max_energy_range_uj").unlink()
    assert counter.joules() is None
    write_rapl(tmp_path, {"package-0": 80})
    assert counter.joules() == pytest.approx(30e-6)


@pytest.mark.parametrize("content", ["", "none", "12.5"])
def test_a_file_that_holds_no_number_is_none(tmp_path: Path, content: str) -> None:
    write_rapl(tmp_path, {"package-0": 1, "package-1": 2})
    (tmp_path / "intel-rapl:1" / "energy_uj").write_text(content)
    assert RaplCounter(tmp_path).joules() is None


def test_what_may_not_be_read_is_none(tmp_path: Path) -> None:
    """As root a mode keeps nobody out, so that a missing file stands in for a forbidden one there."""
    write_rapl(tmp_path, {"package-0": 1})
    secret = tmp_path / "intel-rapl:0" / "energy_uj"
    if os.geteuid() == 0:
        secret.unlink()
    else:
        secret.chmod(0)
    assert RaplCounter(tmp_path).joules() is None


def test_a_machine_without_rapl_is_none(tmp_path: Path) -> None:
    assert RaplCounter(tmp_path).joules() is None
    assert RaplCounter(tmp_path / "nowhere").joules() is None
