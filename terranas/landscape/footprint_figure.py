"""The Fitness Landscape Footprint as a radar (Traoré, Camero and Zhu, arXiv 2111.01584, figure 1)."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from terranas.benchmark.schema import metric_name
from terranas.core.figures import COLOURS, figure
from terranas.core.formats import MISSING, counted, fixed, listed, percent, significant
from terranas.landscape.figures import LINES, SERIES_COLOURS, Drawing, Words, headline, shortened

MAX_SERIES = 6
"""Footprints that a radar overlays at most."""

RADAR = {
    "fitness_mean": "mean fitness",
    "fitness_std": "deviation\nof fitness",
    "ruggedness": "ruggedness",
    "optima": "local optima",
    "positive_persistence": "positive\npersistence",
    "positive_persistence_area": "area of positive\npersistence",
    "negative_persistence": "negative\npersistence",
    "negative_persistence_area": "area of negative\npersistence",
}
"""The eight metrics of the footprint in the order of the axes, counter-clockwise from the right."""

_INNER = 0.28  # radius of the low end of the axes: values near it stay apart
_ROUND = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_MARKERS = "osD^vP"


@contextmanager
def footprint_radar(footprints: pd.DataFrame) -> Iterator[Drawing]:
    """Draw the eight metrics of one or several footprints on axes of their own scales.

    An axis reaches from 0 (where a value is negative, from the round number below it) to the round number above the
    largest value; that of the optima is logarithmic from 1. Round numbers are 1, 1.5, 2, 3, 4, 5, 6 and 8 times a
    power of ten, shares end at 1. A metric that is not defined has no point, and a cross at the low end.

    Args:
        footprints: schema ``landscape.footprint``, of one or several sets of images; those of persistence that are
            across all fidelities, with the largest share of best architectures, are shown.

    Yields:
        The figure, and one row a footprint and metric with the ends of its axis.
    """
    numbers = _radar_numbers(footprints)
    every = list(dict.fromkeys(numbers["series"]))
    shown = every[:MAX_SERIES]
    angles = 2 * np.pi * np.arange(len(RADAR)) / len(RADAR)
    with figure(6.4, 5.6, subplot_kw={"projection": "polar"}) as (drawn, axes):
        axes.set_ylim(0, 1.0)
        axes.spines["polar"].set_visible(False)
        axes.set_xticks(angles, [""] * len(angles))
        axes.set_yticks([])
        axes.xaxis.grid(visible=False)
        _draw_frame(axes, angles, numbers)
        for place, name in enumerate(shown):
            _draw_series(axes, angles, numbers[numbers["series"] == name], place, len(shown))
        some = f" (the first {MAX_SERIES} of {len(every)})" if len(every) > len(shown) else ""
        headline(drawn, f"Fitness landscape footprint{some}" + ("" if shown else ": there is none to show"))
        if shown:
            drawn.legend(loc="outside lower center", ncols=1)
        yield drawn, numbers


def footprint_words(footprints: pd.DataFrame) -> Words:
    """Return the texts of :func:`footprint_radar`."""
    numbers = _radar_numbers(footprints)
    names = list(dict.fromkeys(numbers["series"]))[:MAX_SERIES]
    if not names:
        return "A radar without points: there is no footprint.", "There is no footprint to show."
    parts, undefined = [], []
    for name in names:
        part = numbers[numbers["series"] == name]
        known = part.dropna(subset="value")
        values = [f"{_flat(row['measure'])} {_text(row['value'], row['share'])}" for row in known.to_dict("records")]
        parts.append(f"{name}: {listed(values) if values else 'nothing is defined'}")
        reasons = part[part["value"].isna()].groupby("reason", sort=False)["measure"].agg(list)
        undefined += [
            f"{listed([_flat(m) for m in measures])} of {name}" + (f" ({reason})" if reason else "")
            for reason, measures in reasons.items()
        ]
    sizes = sorted(set(numbers.loc[numbers["percent"] > 0, "percent"]))
    chance = (
        f" Persistence is the share of the best (worst) {' or '.join(map(str, sizes))} % after the fewest epochs that "
        "stays among them at all fidelities."
        if sizes and numbers.loc[numbers["percent"] > 0, "value"].notna().any()
        else ""
    )
    caption = (
        f"Fitness landscape footprint of {listed(names)}. Each axis has its own scale, whose ends stand at the inner "
        "and the outer ring: from 0, or from a round number below the smallest value where that is negative, to a "
        "round number above the largest; local optima on a logarithmic axis from 1. Lines along the axes are "
        f"{percent(float(numbers['confidence'].max()), 0)} intervals, cut at the rings.{chance}"
    )
    counted_optima = numbers[(numbers["measure"] == "optima") & numbers["series"].isin(names)].dropna(subset="value")
    methods = counted_optima.groupby("method", sort=False)["series"].agg(list)
    if len(methods) > 1:
        kinds = [f"{method} of {listed(series)}" for method, series in methods.items()]
        caption += f" Local optima are not comparable here: {'; '.join(kinds)}."
    if undefined:
        caption += f" Crosses: not defined are {'; '.join(undefined)}."
    return f"Radar of eight metrics of {counted(len(names), 'footprint')}. {'. '.join(parts)}.", caption


def _radar_numbers(footprints: pd.DataFrame) -> pd.DataFrame:
    """Return one row a footprint and metric, with the ends of its axis and its places on it from 0 to 1."""
    rows: list[dict[Any, Any]] = []
    for (dataset, fitness), part in footprints.groupby(["dataset", "fitness"], sort=False):
        for measure in RADAR:
            found = part[(part["measure"] == measure) & part["across"].isin(("", "all"))]
            found = found.sort_values(["percent", "to_epochs"]).tail(1)
            absent: list[dict[Any, Any]] = [{"reason": "not in the table", "percent": 0}]
            row: dict[Any, Any] = (found.to_dict("records") or absent)[0]
            share = "persistence" in measure or (measure.startswith("fitness") and str(fitness).endswith("accuracy"))
            series = f"{dataset}, {metric_name(str(fitness))}"
            about: dict[Any, Any] = {
                "dataset": dataset,
                "fitness": fitness,
                "measure": measure,
                "series": series,
                "share": share,
            }
            rows.append({**row, **about})
    names = ["series", "dataset", "fitness", "measure", "percent", "from_epochs", "to_epochs", "value", "value_low"]
    names += ["value_high", "n", "confidence", "method", "reason", "share"]
    numbers = pd.DataFrame(rows, columns=names)
    numbers = numbers.astype(dict.fromkeys(("value", "value_low", "value_high", "confidence"), "float64"))
    numbers["axis_scale"] = np.where(numbers["measure"] == "optima", "logarithmic", "linear")
    for measure in RADAR:
        chosen = numbers["measure"] == measure
        part = numbers[chosen]
        logarithmic = measure == "optima"
        low, high = _ends(part["value"].dropna(), bool(part["share"].all()), logarithmic)
        numbers.loc[chosen, ["axis_low", "axis_high"]] = low, high
        for name in ("value", "value_low", "value_high"):
            place = name.replace("value", "position")
            numbers.loc[chosen, place] = [_position(value, low, high, logarithmic) for value in part[name]]
    return numbers


def _ends(values: pd.Series, share: bool, logarithmic: bool) -> tuple[float, float]:
    """Return the ends of an axis that holds the values."""
    largest = float(values.max()) if len(values) else 1.0
    smallest = float(values.min()) if len(values) else 0.0
    if logarithmic:
        return 1.0, 10.0 ** max(1, math.ceil(math.log10(max(largest, 1.0))))
    low = -_round_above(-smallest) if smallest < 0 else 0.0
    high = _round_above(largest) if largest > 0 else 0.0
    if low == high:
        high = 1.0
    return low, min(high, 1.0) if share and largest <= 1 else high


def _round_above(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next((factor * power for factor in _ROUND if factor * power >= value * (1 - 1e-12)), 10 * power)


def _position(value: float, low: float, high: float, logarithmic: bool) -> float:
    if math.isnan(value):
        return math.nan
    if logarithmic:
        value, low, high = math.log10(max(value, low)), math.log10(low), math.log10(high)
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _draw_frame(axes: Axes, angles: np.ndarray, numbers: pd.DataFrame) -> None:
    """Draw spokes and rings, and name the axes and their ends."""
    circle = np.linspace(0, 2 * np.pi, 181)
    for place in (0.0, 0.5, 1.0):
        axes.plot(circle, np.full(len(circle), _radius(place)), color="#CFCFCF", linewidth=0.7, zorder=1)
    for angle, (measure, name) in zip(angles, RADAR.items(), strict=True):
        axes.plot([angle, angle], [_radius(0), _radius(1)], color="#CFCFCF", linewidth=0.7, zorder=1)
        part = numbers[numbers["measure"] == measure]
        if part.empty:
            continue
        first = part.iloc[0]
        share = bool(part["share"].all())
        low, high = (_text(float(first[end]), share, ends=True) for end in ("axis_low", "axis_high"))
        if part["value"].isna().all():
            low = high = ""  # a scale of nothing
        missing = part.loc[part["value"].isna(), "series"].unique()
        note = ""
        if len(missing):
            note = "\nnot defined" + (f" for {len(missing)} of {len(part)}" if len(missing) < len(part) else "")
        across, up = math.cos(angle), math.sin(angle)
        side = "left" if across > 0.3 else "right" if across < -0.3 else "center"
        outwards: dict[str, Any] = {"ha": side, "clip_on": False}
        if abs(across) < 0.3:  # name beyond end
            height = "bottom" if up > 0 else "top"
            axes.text(angle, 1.04, high, va=height, fontsize=7, color=COLOURS["grey"], **outwards)
            axes.text(angle, 1.13, f"{name}{note}", va=height, fontsize=8.5, **outwards)
        else:  # name above end on the upper half, below it on the lower
            above = up > -0.3
            axes.text(angle, 1.06, high, va="top" if above else "bottom", fontsize=7, color=COLOURS["grey"], **outwards)
            axes.text(angle, 1.06, f"{name}{note}", va="bottom" if above else "top", fontsize=8.5, **outwards)
        axes.text(angle, _INNER - 0.08, low, ha="center", va="center", fontsize=7, color=COLOURS["grey"])


def _draw_series(axes: Axes, angles: np.ndarray, part: pd.DataFrame, place: int, series: int) -> None:
    colour = SERIES_COLOURS[place % len(SERIES_COLOURS)]
    places = part["position"].to_numpy(dtype=np.float64)
    radii = _radius(places)
    # footprints stand a little beside each other, or intervals would hide one another
    turned = angles + np.deg2rad(2.2) * (place - (series - 1) / 2)
    line = LINES[place % len(LINES)]
    closed = [*range(len(radii)), 0]
    axes.plot(turned[closed], radii[closed], color=colour, linestyle=line, linewidth=1.5, zorder=3)
    if not np.isnan(radii).any():
        axes.fill(turned, radii, color=colour, alpha=0.07, zorder=2)
    low, high = _radius(part["position_low"].to_numpy()), _radius(part["position_high"].to_numpy())
    for angle, bottom, top in zip(turned, low, high, strict=True):
        axes.plot([angle, angle], [bottom, top], color=colour, linewidth=2.6, alpha=0.45, zorder=3, clip_on=False)
    sample = part.loc[part["measure"] == "fitness_mean", "n"].iloc[0]
    name = shortened(str(part["series"].iloc[0]), 60) + (f" (n = {sample:,.0f})" if sample > 0 else "")
    style: dict[str, Any] = {
        "color": colour,
        "marker": _MARKERS[place % len(_MARKERS)],
        "markersize": 4.5,
        "clip_on": False,
    }
    axes.plot(turned, radii, linestyle="", zorder=4, **style)
    axes.plot([], [], linestyle=line, label=name, **style)
    undefined = np.isnan(places)
    axes.plot(turned[undefined], np.full(undefined.sum(), _INNER), linestyle="", marker="x", color=colour, zorder=5)


def _radius(place: Any) -> Any:
    return _INNER + (1 - _INNER) * place


def _flat(measure: str) -> str:
    return RADAR[measure].replace("\n", " ")


def _text(value: float, share: bool, *, ends: bool = False) -> str:
    if math.isnan(value):
        return MISSING
    if ends and value == 0:
        return "0"
    if share:
        return percent(value, 0 if ends and abs(100 * value - round(100 * value)) < 1e-9 else 1)
    if ends:
        return f"{value:,.10g}".replace("-", "−")
    return fixed(value) if abs(value) < 100 else significant(value)
