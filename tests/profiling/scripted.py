"""A workbench whose measurements are a script, for the tests of sessions and of what is made of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from terranas.profiling.records import Energy, Measurement, Size
from terranas.profiling.session import REFERENCE
from terranas.profiling.settings import Condition, Settings
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape
from terranas.space.table import cells_table

SHAPE = NetworkShape(bands=2, classes=3, image_size=8, stem_channels=4, stacks=2, cells_per_stack=1)
ENERGY = Energy(joules=12.0, seconds=2.0, images=100, idle_watts=1.0)

Key = tuple[str, Condition]


def content_of(**changes: Any) -> dict[str, Any]:
    """Return a section ``profiling`` with small numbers."""
    content = {
        "protocol": "quick",
        "batch_sizes": [4],
        "precisions": ["fp32"],
        "variants": ["plain"],
        "threads": 1,
        "memory_format": "channels_last",
        "weights": "drawn",
        "warmup_runs": 1,
        "warmup_seconds": 0.0,
        "timed_runs": 3,
        "max_runs": 3,
        "interval_width": 0.02,
        "sessions": 1,
        "reference_every": 2,
        "repeats": 1,
        "energy_seconds": 0.0,
        "tolerances": {"drift": 0.1, "spread": 0.2, "clock_change": 0.05, "foreign_load": 0.2},
        "variation_goal": 0.02,
    }
    assert set(changes) <= set(content)
    return content | changes


def settings_of(**changes: Any) -> Settings:
    """Return settings with small numbers."""
    return Settings.of_config(content_of(**changes))


def cells_of(count: int) -> dict[str, Cell]:
    """Return cells of at most 4 vertices by hash; the reference network's is not among them."""
    table = cells_table(4, 9, SHAPE)
    table = table[table["hash"] != REFERENCE.hash].head(count)
    cells = [Cell.from_strings(row.adjacency, row.operations) for row in table.itertuples()]
    return {cell.hash: cell for cell in cells}


def measurement_of(latency: float = 1.0, *flags: str, outcome: str = "ok", runs: int = 3) -> Measurement:
    """Return a measurement whose median is ``latency``."""
    samples = np.linspace(0.9 * latency, 1.1 * latency, runs) if outcome == "ok" else np.empty(0)
    return Measurement(outcome, samples, flags, peak_memory_bytes=1e6, baseline_memory_bytes=1e5, started=1.0)


class Killed(BaseException):
    """Stands for a signal."""


@dataclass
class ScriptedWorkbench:
    """Gives measurements by hash, condition and how often it was asked for them; everything else takes 1 ms.

    Attributes:
        script: gives the measurement of a hash ("" for the empty network) in a condition at its n-th call, from 0;
            None: an undisturbed one of 1 ms.
        dies_at: number of the call that never returns; None: none.
        asked: what was asked for, in order.
    """

    script: Callable[[str, Condition, int], Measurement | None] = lambda *_: None
    dies_at: int | None = None
    asked: list[Key] = field(default_factory=list)
    sized: list[str] = field(default_factory=list)

    def size(self, cell: Cell) -> Size:
        self.sized.append(cell.hash)
        return size_of(cell.hash)

    def measure(self, cell: Cell | None, condition: Condition, *, with_energy: bool = False) -> Measurement:
        key = ("" if cell is None else cell.hash, condition)
        earlier = self.asked.count(key)
        if len(self.asked) == self.dies_at:
            raise Killed
        self.asked.append(key)
        measurement = self.script(*key, earlier) or measurement_of()
        return replace(measurement, energy=ENERGY) if with_energy else measurement


@dataclass
class ScriptedMachine:
    """A device that says what it is told to."""

    kind: str = "cpu"
    name: str = "Test CPU"
    said: Mapping[str, Any] = field(default_factory=lambda: {"torch": "2.0", "load_average": 0.5})

    def describe(self) -> Mapping[str, Any]:
        return self.said


def size_of(architecture: str) -> Size:
    """Return a size that differs from architecture to architecture."""
    number = int(architecture[:6], 16)
    return Size(number + 1, number + 2, number + 3, 5, number + 4, number + 5)
