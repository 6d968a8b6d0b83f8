"""The energy meter, on a stand-in for NVIDIA's management library."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from terranas.core.energy import EnergyMeter


class FakeNvmlError(Exception):
    """The library's error class."""


class FakeNvml(SimpleNamespace):
    """Three devices whose counters the test sets, in millijoules."""

    NVMLError = FakeNvmlError

    def __init__(self, **changes: Callable[..., Any]) -> None:
        self.counters = [1_000_000, 5_000_000, 9_000_000]
        self.open = 0
        super().__init__(**changes)

    def nvmlInit(self) -> None:
        self.open += 1

    def nvmlShutdown(self) -> None:
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:
        return 3

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> int:
        raise FakeNvmlError(f"no {uuid}")

    def nvmlDeviceGetUUID(self, handle: int) -> str:
        return f"GPU-{handle}{handle}-abc"

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:
        return self.counters[handle]


def use(monkeypatch: pytest.MonkeyPatch, library: FakeNvml | None, visible: str | None) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", library)
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, 111.0),
        ("0", 1.0),
        ("2,0", 101.0),
        ("GPU-11-abc", 10.0),
        ("GPU-11,GPU-22", 110.0),
        ("1,-1,2", 10.0),  # CUDA stops at the first name it does not know
    ],
)
def test_the_visible_devices_are_counted(monkeypatch, visible, expected):
    library = FakeNvml()
    use(monkeypatch, library, visible)
    meter = EnergyMeter()
    library.counters = [1_001_000, 5_010_000, 9_100_000]
    assert meter.joules() == pytest.approx(expected)
    assert library.open == 0, "the library is left open"


def test_it_may_be_read_many_times(monkeypatch):
    library = FakeNvml()
    use(monkeypatch, library, "0")
    meter = EnergyMeter()
    assert meter.joules() == 0.0
    library.counters[0] += 500
    assert meter.joules() == 0.5


@pytest.mark.parametrize("visible", ["", "-1", "7", "MIG-x", "GPU-99"])
def test_where_no_device_is_known_nothing_is_told(monkeypatch, visible):
    library = FakeNvml()
    use(monkeypatch, library, visible)
    assert EnergyMeter().joules() is None
    assert library.open == 0


def test_a_device_that_does_not_count_makes_the_sum_unknown(monkeypatch):
    def refuse(handle: int) -> int:
        if handle == 2:
            raise FakeNvmlError("Not Supported")
        return 1

    library = FakeNvml(nvmlDeviceGetTotalEnergyConsumption=refuse)
    use(monkeypatch, library, None)
    assert EnergyMeter().joules() is None
    assert library.open == 0


def test_a_counter_that_began_anew_makes_the_sum_unknown(monkeypatch):
    library = FakeNvml()
    use(monkeypatch, library, None)
    meter = EnergyMeter()
    library.counters = [1_001_000, 0, 9_100_000]
    assert meter.joules() is None


def test_without_the_library_or_its_driver_nothing_is_told(monkeypatch):
    def no_driver() -> None:
        raise FakeNvmlError("Driver Not Loaded")

    for library in (None, FakeNvml(nvmlInit=no_driver)):  # None makes the import fail
        use(monkeypatch, library, None)
        assert EnergyMeter().joules() is None
