"""What figures of landscapes and searches share: headlines, scales, tick labels, and words for an empty frame.

A figure is a context manager that yields the drawing and the table of numbers it shows. Beside it stands a function of
the same arguments that puts the same numbers into words.
"""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from terranas.benchmark.schema import METRICS, metric_name
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.figures import COLOURS
from terranas.core.formats import SPACE, counted, fixed, percent, significant
from terranas.landscape.known import has_values

Drawing = tuple[Figure, pd.DataFrame]
"""A figure and the numbers it shows."""

Words = tuple[str, str]
"""Text for those who do not see the figure, and caption."""

LineStyle = Literal["-", "--", "-.", ":"]

SPLIT_LINES: Final[dict[str, LineStyle]] = {"train": "-", "validation": "--", "test": "-."}
SPLIT_MARKERS = {"train": "o", "validation": "s", "test": "^"}
LINES: Final[tuple[LineStyle, ...]] = ("-", "--", "-.", ":")
SERIES_COLOURS = tuple(COLOURS[name] for name in ("blue", "vermilion", "green", "purple", "orange", "sky"))

_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_AXES = {
    "macs": "multiply-accumulates for one image",
    "parameters": "trainable parameters",
    "latency_ms": "latency of a batch",
}


_UNITS = {column.name: column.unit for column in METRICS}


@dataclass(frozen=True)
class LandscapeName:
    """What a landscape is made of.

    Attributes:
        dataset: name of the images.
        metric: metric of the benchmark that is the fitness.
        neighbourhood: which cells are neighbours.
    """

    dataset: str
    metric: str
    neighbourhood: str

    def __str__(self) -> str:
        return f"{metric_name(self.metric)} on {self.dataset}, neighbourhood {self.neighbourhood}"


@dataclass(frozen=True)
class Scale:
    """How the values of a metric are written and drawn.

    Attributes:
        factor: values are divided by it.
        unit: unit of the divided values, with its decimal prefix; empty where there is none.
    """

    factor: float
    unit: str

    def text(self, value: float) -> str:
        """Return a value with its unit."""
        if self.unit == "%":
            return percent(value)
        return significant(value / self.factor) + (f"{SPACE}{self.unit}" if self.unit else "")

    def label(self, name: str) -> str:
        """Return the label of an axis."""
        return f"{name} ({self.unit})" if self.unit else name


def scale_of(metric: str, unit: str, largest: float) -> Scale:
    """Return the scale of a metric: accuracies in percent, counts and bytes with a decimal prefix.

    Args:
        metric: name of the metric, with or without a device.
        unit: its unit, empty where it has none.
        largest: largest absolute value that is written.
    """
    if metric.partition("@")[0].endswith("accuracy"):
        return Scale(0.01, "%")
    if unit not in ("", "MAC", "B"):
        return Scale(1.0, unit)
    for factor, prefix in _PREFIXES:
        if largest >= factor:
            return Scale(factor, f"{prefix}{unit.removeprefix('MAC')}")
    return Scale(1.0, unit.removeprefix("MAC"))


def scale_for(metric: str, values: Iterable[float]) -> Scale:
    """Return the scale of values of a metric whose unit is that of tables over NAS-Bench-101, or none."""
    known = np.abs([value for value in values if not np.isnan(value)])
    return scale_of(metric, _UNITS.get(metric) or "", float(known.max(initial=0.0)))


def value_text(metric: str, unit: str, value: float) -> str:
    """Return a value of a metric with its unit, such as ``58.7 %`` or ``1.24 M``."""
    return scale_of(metric, unit, abs(value)).text(value)


def axis_name(metric: str) -> str:
    """Return what a metric's axis is called, without its unit."""
    return _AXES.get(metric, metric_name(metric))


def headline(drawn: Figure, *lines: str) -> None:
    """Write the lines above a figure, broken where they are wider than it."""
    characters = int(12.5 * drawn.get_figwidth())
    broken = [part for line in lines for part in textwrap.wrap(line, characters)]
    drawn.suptitle("\n".join(broken), x=0.01, ha="left", fontsize=9.5)


def add_legend(drawn: Figure, panels: Iterable[Axes], columns: int) -> None:
    """Put one key below a figure, with each label of its panels once."""
    found = [panel.get_legend_handles_labels() for panel in panels]
    handles = {label: handle for part in found for handle, label in zip(*part, strict=True)}
    if handles:
        drawn.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=columns)


def say(axes: Axes, text: str) -> None:
    """Write words into the middle of an axes that has nothing to show, and take its ticks away."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=COLOURS["grey"], wrap=True)
    axes.grid(visible=False)
    axes.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)


def architectures(used: int, left_out: int, reason: str, plural: str = "s") -> str:
    """Return how many architectures a figure shows, and how many it leaves out for a reason."""
    text = counted(used, "architecture")
    if left_out:
        text += f" ({left_out:,} {reason}{plural if left_out > 1 else ''} left out)"
    return text


def interval_text(low: float, high: float, digits: int = 2) -> str:
    """Return an interval in brackets; empty where an end is not known."""
    return "" if pd.isna(low) or pd.isna(high) else f" [{fixed(low, digits)}, {fixed(high, digits)}]"


def with_values(benchmark: TabularBenchmark, metric: str) -> list[str]:
    """Return under which names a benchmark has values of a metric: its own, or one a device where none is chosen."""
    if metric not in benchmark.metrics:
        return []
    several = metric == "latency_ms" and not benchmark.device and len(benchmark.devices) > 1
    names = [f"{metric}@{device}" for device in benchmark.devices] if several else [metric]
    return [name for name in names if has_values(benchmark, name)]


def series_style(place: int) -> dict[str, Any]:
    """Return colour and line style of one of several series."""
    return {"color": SERIES_COLOURS[place % len(SERIES_COLOURS)], "linestyle": LINES[place % len(LINES)]}


def shortened(name: str, width: int = 34) -> str:
    """Return a name that is cut where it is too long."""
    return name if len(name) <= width else f"{name[: width - 1]}…"


def with_prefix(value: float, _position: object = None) -> str:
    """Return a tick label with a metric prefix: 1500000 as 1.5 M."""
    for factor, prefix in _PREFIXES:
        if abs(value) >= factor:
            return f"{value / factor:g} {prefix}".replace("-", "−")
    return f"{value:g}".replace("-", "−")
