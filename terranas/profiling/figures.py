"""Figures of a device's measurements; each function returns the content of a PNG file."""

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from terranas.core.figures import COLOURS, figure
from terranas.core.formats import fixed
from terranas.profiling.findings import DeviceTables, Ranking, rank_correlations, reference_drift
from terranas.profiling.formats import condition_name, network_name
from terranas.profiling.settings import Condition

WIDTH = 7.6
"""Inches: what fits beside the page's list of contents."""

PANELS = 6
"""Scatter plots drawn at most; what they would show of further conditions stands in the table beside them."""

CURVES = 4
"""Distributions told apart by colour at most."""

SUMMARISED_FROM = 8
"""Architectures from which on quartiles say more than the points themselves."""

LOGARITHMIC_FROM = 6
"""Largest over smallest value from which on an axis is logarithmic."""


def shown_panels(tables: DeviceTables) -> list[Condition]:
    """Return the conditions with times that have a scatter plot: the primary one, and others spread over all."""
    known = [condition for condition in tables.measured_conditions if len(tables.of(condition))]
    if len(known) <= PANELS:
        return known
    spread = np.linspace(0, len(known) - 1, PANELS).round().astype(int)
    chosen = {known[place] for place in spread}
    if tables.primary in known and tables.primary not in chosen:
        # the nearest one gives way, so that the others stay spread
        place = known.index(tables.primary)
        chosen.remove(known[min(spread, key=lambda other: abs(int(other) - place))])
        chosen.add(tables.primary)
    return [condition for condition in known if condition in chosen]


def latency_distribution(tables: DeviceTables) -> bytes:
    """Draw latency and throughput of all architectures, a row a condition."""
    known = [condition for condition in tables.measured_conditions if len(tables.of(condition))]
    with figure(WIDTH, 1.0 + 0.42 * len(known), columns=2, sharey=True) as (drawn, axes):
        for column, (name, label) in enumerate(
            (("latency_ms", f"latency of a batch, {tables.statistic} (ms)"), ("images_per_second", "images per second"))
        ):
            for row, condition in enumerate(known):
                primary = condition == tables.primary
                _draw_row(axes[column], tables.of(condition)[name], row, COLOURS["blue" if primary else "grey"])
            axes[column].set_xlabel(label)
            axes[column].grid(axis="y", visible=False)
            axes[column].tick_params(axis="y", length=0)
            _scale(axes[column], "x", tables.timed[name])
        axes[0].set_yticks(range(len(known)), [condition_name(condition) for condition in known])
        axes[0].set_ylim(len(known) - 0.5, -0.5)
        for label, condition in zip(axes[0].get_yticklabels(), known, strict=True):
            label.set_fontweight("bold" if condition == tables.primary else "normal")
        return _png(drawn)


def session_variation(tables: DeviceTables) -> bytes:
    """Draw the cumulative distribution of the sessions' variation, with the goal marked."""
    goal = 100 * float(tables.settings["variation_goal"])
    known = {
        condition: 100 * tables.of(condition)["session_variation"].dropna().to_numpy(dtype=np.float64)
        for condition in tables.measured_conditions
    }
    known = {condition: np.sort(values) for condition, values in known.items() if len(values)}
    told_apart = len(known) <= CURVES
    # a logarithmic axis has no place for sessions that agree in every digit, and little sense far below the goal
    smallest = goal / 50
    with figure(WIDTH, 2.9) as (drawn, axes):
        axes.axvline(goal, color=COLOURS["vermilion"], linestyle="--", linewidth=1.2, label=f"goal: {goal:g} %")
        for place, (condition, values) in enumerate(known.items()):
            primary = condition == tables.primary
            style: dict[str, Any] = {"linewidth": 2.0 if primary else 1.2, "zorder": 3 if primary else 2}
            if told_apart:
                style |= {"color": [COLOURS[name] for name in ("sky", "green", "purple", "orange")][place]}
            else:
                style |= {"color": COLOURS["grey"], "alpha": 0.45}
            if primary:
                style |= {"color": COLOURS["blue"], "alpha": 1.0}
            shares = np.arange(len(values) + 1) / len(values)
            places = np.maximum(np.concatenate([[smallest], values]), smallest)
            label = f"{condition_name(condition)} (n = {len(values):,})" if told_apart or primary else "_others"
            axes.step(places, 100 * shares, where="post", label=label, **style)
        if not told_apart:
            axes.plot([], [], color=COLOURS["grey"], alpha=0.6, label=f"the other {len(known) - 1} conditions")
        _scale(axes, "x", pd.Series(np.concatenate([*known.values(), [smallest, 3 * goal]]).clip(smallest)))
        axes.set_ylim(0, 102)
        axes.set_xlabel("standard deviation over mean of the sessions' latencies (%)")
        axes.set_ylabel("share of architectures (%)")
        axes.legend(loc="upper left")
        return _png(drawn)


def drift(tables: DeviceTables) -> bytes:
    """Draw the reference network's latency over all sessions, put one after the other, with the tolerance."""
    tolerance = 100 * float(tables.settings["tolerances"]["drift"])
    points = reference_drift(tables)
    points["change"] = 100 * (points["relative"] - 1)
    reach = max(1.3 * tolerance, min(1.1 * float(points["change"].abs().max()), 10 * tolerance))
    unit, word = _clock_unit(float(points["ends"].max()))
    with figure(WIDTH, 3.0) as (drawn, axes):
        axes.axhspan(
            -tolerance, tolerance, color=COLOURS["green"], alpha=0.1, linewidth=0, label=f"tolerance: {tolerance:g} %"
        )
        axes.axhline(0, color=COLOURS["grey"], linewidth=0.8)
        axes.grid(axis="x", visible=False)  # its lines would be taken for sessions
        ends = points.groupby("session", sort=False)["ends"].first() / unit
        for end in ends[:-1]:
            axes.axvline(end, color="#C9CED6", linewidth=0.7)
        shown = points["change"].clip(-reach, reach)
        for _, line in points.groupby("session", sort=False):
            times, changes = line["started"].to_numpy() / unit, shown[line.index].to_numpy()
            axes.plot(times, changes, color=COLOURS["blue"], linewidth=1.2, marker="o", markersize=3.2, label="_line")
            for later in np.flatnonzero(line["step"].to_numpy() > tolerance / 100):
                pair = slice(later - 1, later + 1)
                axes.plot(times[pair], changes[pair], color=COLOURS["vermilion"], linewidth=1.6, zorder=3)
        axes.plot([], [], color=COLOURS["blue"], marker="o", markersize=3.2, label="reference network")
        if (points["step"] > tolerance / 100).any():
            axes.plot([], [], color=COLOURS["vermilion"], linewidth=1.6, label="change beyond the tolerance")
        marked = points["disturbed"]
        axes.plot(
            points.loc[marked, "started"] / unit,
            shown[marked],
            linestyle="",
            marker="o",
            markersize=7,
            markerfacecolor="none",
            markeredgecolor=COLOURS["vermilion"],
            markeredgewidth=1.2,
            zorder=4,
            label="flagged measurement" if marked.any() else "_none",
        )
        for side in (-1, 1):
            beyond = points[points["change"] * side > reach]
            axes.plot(
                beyond["started"] / unit,
                np.full(len(beyond), side * reach * 0.97),
                linestyle="",
                marker="^" if side > 0 else "v",
                markersize=6,
                color=COLOURS["vermilion"],
                zorder=5,
            )
        axes.set_ylim(-1.05 * reach, 1.05 * reach)
        axes.set_xlim(0, max(float(ends.max()), float(points["started"].max()) / unit) * 1.01 or 1.0)
        axes.yaxis.set_major_formatter(
            FuncFormatter(lambda value, _: f"{value:+g}".replace("-", "−") if value else "0")
        )
        axes.set_xlabel(f"measuring time, sessions one after the other ({word})")
        axes.set_ylabel("reference network, change\nfrom its session's median (%)")
        drawn.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
        return _png(drawn)


def latency_against_macs(tables: DeviceTables) -> bytes:
    """Draw latency against MACs, a panel a condition, with rank correlations; flagged records are marked."""
    shown = shown_panels(tables)
    found = rank_correlations(tables)
    with _panels(len(shown)) as (drawn, axes):
        for ax, condition in zip(axes, shown, strict=True):
            _scatter(ax, tables, tables.of(condition), "latency_ms")
            ax.set_title(f"{condition_name(condition)}\n{_ranks(found[condition, 'macs'])}")
        drawn.supylabel(f"latency of a batch, {tables.statistic} (ms)", fontsize=9)
        return _finished_panels(drawn, axes, tables)


def costs_against_macs(tables: DeviceTables, costs: Sequence[tuple[str, str, float]]) -> bytes:
    """Draw measured costs other than time against MACs in the primary condition, a panel a cost.

    Args:
        tables: of one device.
        costs: column, words with the unit, and what the column is divided by, of each cost.
    """
    own = tables.of(tables.primary)
    with _panels(len(costs)) as (drawn, axes):
        for ax, (name, words, unit) in zip(axes, costs, strict=True):
            _scatter(ax, tables, own.assign(**{name: own[name] / unit}).dropna(subset=[name]), name)
            ax.set_ylabel(words)
            ax.set_title(_ranks(Ranking.of(own["macs"], own[name])))
        return _finished_panels(drawn, axes, tables)


def batch_sweep(tables: DeviceTables) -> bytes:
    """Draw throughput over the batch size, a curve a precision and variant: median and middle half."""
    with figure(WIDTH, 3.2) as (drawn, axes):
        colours = [COLOURS[name] for name in ("blue", "orange", "green", "vermilion", "purple", "sky", "grey")]
        primary = (tables.primary.precision, tables.primary.variant)
        kinds = dict.fromkeys([primary, *((one.precision, one.variant) for one in tables.measured_conditions)])
        for place, (precision, variant) in enumerate(kinds):
            part = tables.timed[(tables.timed["precision"] == precision) & (tables.timed["variant"] == variant)]
            if part.empty:
                continue
            spread = part.groupby("batch_size")["images_per_second"].quantile(np.array([0.25, 0.5, 0.75])).unstack()
            style = {"color": colours[place % len(colours)], "linestyle": ("-", "--")[place // len(colours) % 2]}
            axes.plot(
                spread.index,
                spread[0.5],
                marker="o",
                markersize=3.5,
                label=network_name(precision, variant),
                **style,
            )
            if place == 0:  # further bands would only hide one another
                axes.fill_between(
                    spread.index, spread[0.25], spread[0.75], color=style["color"], alpha=0.12, linewidth=0
                )
        axes.set_xscale("log", base=2)
        sizes = sorted(tables.timed["batch_size"].unique())
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.set_xlabel("images in a batch")
        axes.set_ylabel("images per second")
        _scale(axes, "y", tables.timed["images_per_second"])
        drawn.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
        return _png(drawn)


@contextmanager
def _panels(number: int) -> Iterator[tuple[Figure, list[Axes]]]:
    """Yield a figure of panels side by side, at most three in a row."""
    columns = min(number, 3)
    rows = math.ceil(number / columns)
    width = {1: 4.6, 2: 6.4, 3: WIDTH}[columns]
    with figure(width, 0.4 + (3.2, 2.9, 2.6)[columns - 1] * rows, rows=rows, columns=columns, squeeze=False) as (
        drawn,
        axes,
    ):
        flat = list(axes.flat)
        for unused in flat[number:]:
            unused.remove()
        yield drawn, flat[:number]


def _finished_panels(drawn: Figure, axes: Sequence[Axes], tables: DeviceTables) -> bytes:
    """Add what all panels share, and return the file."""
    drawn.supxlabel(f"multiply-accumulates for one image ({_macs_unit(tables)[1]})", fontsize=9)
    if (tables.timed["flags"] != "").any():
        drawn.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return _png(drawn)


def _scatter(axes: Axes, tables: DeviceTables, rows: pd.DataFrame, name: str) -> None:
    """Draw a measured value against MACs; flagged rows are open triangles."""
    marked = rows["flags"] != ""
    styles: dict[bool, dict[str, Any]] = {
        False: {"marker": "o", "s": 14, "color": COLOURS["blue"], "alpha": 0.55, "linewidths": 0},
        True: {"marker": "^", "s": 20, "facecolors": "none", "edgecolors": COLOURS["vermilion"], "linewidths": 0.9},
    }
    unit, _ = _macs_unit(tables)
    for flag, words in ((False, "without flags"), (True, "flagged")):
        part = rows[marked == flag]
        axes.scatter(part["macs"] / unit, part[name], label=words, **styles[flag])
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(_plain))
    # all panels alike, so that they can be compared
    axes.set_xlim(0, 1.05 * tables.profiles["macs"].max() / unit)
    axes.set_ylim(0, 1.05 * rows[name].max())


def _macs_unit(tables: DeviceTables) -> tuple[float, str]:
    largest = tables.profiles["macs"].max()
    return (1e9, "billions") if largest >= 1e9 else (1e6, "millions") if largest >= 1e6 else (1e3, "thousands")


def _ranks(found: Ranking) -> str:
    if math.isnan(found.spearman):
        return f"ρ and τ undefined, n = {found.n:,}"
    return f"ρ = {fixed(found.spearman)}, τ = {fixed(found.kendall)}, n = {found.n:,}"


def _clock_unit(seconds: float) -> tuple[float, str]:
    return (3600.0, "hours") if seconds > 7200 else (60.0, "minutes") if seconds > 120 else (1.0, "seconds")


def _plain(value: float, _position: object) -> str:
    return f"{value:,.10g}"


def _draw_row(axes: Axes, values: pd.Series, row: int, colour: str) -> None:
    """Draw a distribution as points, and above them median and quartiles, and what holds nine of ten."""
    known = np.sort(values.to_numpy(dtype=np.float64))
    size = 2.6 if len(known) >= 20 else 4.5
    # the golden ratio's multiples instead of random jitter: equal numbers give equal files
    heights = row + 0.12 + 0.2 * (np.arange(len(known)) * 0.618034 % 1)
    axes.plot(
        known,
        heights,
        linestyle="",
        marker="o",
        markersize=size,
        markeredgewidth=0,
        color=colour,
        alpha=0.4 if len(known) < 100 else 0.25,
    )
    low, quarter, median, three, high = np.quantile(known, (0.05, 0.25, 0.5, 0.75, 0.95))
    if len(known) >= SUMMARISED_FROM:
        axes.plot([low, high], [row - 0.12] * 2, color=colour, linewidth=1.0)
        axes.plot([quarter, three], [row - 0.12] * 2, color=colour, linewidth=5.5, solid_capstyle="butt", alpha=0.6)
    axes.plot([median] * 2, [row - 0.27, row + 0.03], color="black", linewidth=1.8)


def _scale(axes: Axes, side: Literal["x", "y"], values: "pd.Series[float]") -> None:
    """Give an axis a logarithmic scale with plain numbers where values differ by much."""
    known = values[values > 0]
    axis = axes.xaxis if side == "x" else axes.yaxis
    if known.empty or known.max() < LOGARITHMIC_FROM * known.min():
        axis.set_major_locator(MaxNLocator(5))
        axis.set_major_formatter(FuncFormatter(_plain))
        return
    decades = math.log10(known.max() / known.min())
    axes.set(**{f"{side}scale": "log"})
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 2 else (1.0, 3.0) if decades < 3 else (1.0,)))
    axis.set_major_formatter(FuncFormatter(_plain))
    axis.set_minor_formatter(NullFormatter())


def _png(drawn: Figure) -> bytes:
    content = io.BytesIO()
    drawn.savefig(content, format="png")
    return content.getvalue()
