"""Figure of basins of attraction: how large they are, and their size against the value of the optimum."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray
from scipy.stats import spearmanr

from terranas.benchmark.schema import metric_name
from terranas.core.figures import COLOURS, figure
from terranas.core.formats import count, counted, fixed, halves, percent
from terranas.landscape.figures import Drawing, LandscapeName, Words, add_legend, headline, say, scale_for

_DENSE = 2_000
"""Optima above which points cover each other, so that their density is drawn instead."""

_COUNTS = LinearSegmentedColormap.from_list("counts", ["#C6DBEF", "#6BAED6", "#2171B5", "#08306B"])


@contextmanager
def basin_sizes(optima: pd.DataFrame, measures: pd.DataFrame, name: LandscapeName) -> Iterator[Drawing]:
    """Draw how large the basins of attraction are, and their size against the value of the optimum.

    Args:
        optima: schema ``landscape.optima``.
        measures: schema ``landscape.graph_measures`` of the same landscape, for the number of optima and its estimate.
        name: of the landscape.
    """
    numbers = optima.assign(dataset=name.dataset, metric=name.metric, neighbourhood=name.neighbourhood)
    proper = numbers[~numbers["isolated"]]
    with figure(7.6, 3.9, columns=2) as (drawn, axes):
        if proper.empty:
            for panel, text in zip(axes, ("No local optimum: no cell has a neighbour.", ""), strict=True):
                say(panel, text)
                panel.set_axis_off()
        else:
            _draw_ranks(axes[0], proper)
            _draw_basins_against_values(axes[1], proper, name)
        headline(drawn, f"Basins of attraction of {_number_of_optima(optima, measures)}", str(name))
        add_legend(drawn, axes, 1)
        yield drawn, numbers


def basin_sizes_words(optima: pd.DataFrame, measures: pd.DataFrame, name: LandscapeName) -> Words:
    """Return the texts of :func:`basin_sizes`."""
    proper = optima[~optima["isolated"]]
    if proper.empty:
        return f"No figure: {name} has no local optimum.", f"No cell has a neighbour: {name} has no local optimum."
    cells = int(optima["basin"].sum())
    tenth = proper["basin"].nlargest(max(1, round(len(proper) / 10))).sum()
    best = optima[optima["is_global"]]
    return (
        "Number of local optima by least size of the basin, on log axes, and size against value. The largest basin has "
        f"{counted(int(proper['basin'].max()), 'cell')}, the median one {halves(float(proper['basin'].median()))}; "
        f"{percent((proper['basin'] == proper['members']).mean())} hold nothing but their optimum. "
        f"{_rank_sentence(proper)}",
        f"Basins of attraction under best-improvement ascent: {name}, {_number_of_optima(optima, measures)}. The "
        f"largest tenth of the basins holds {percent(tenth / cells)} of the {count(cells)} cells. "
        f"{counted(len(best), 'global optimum', 'global optima')} (star): {counted(int(best['basin'].sum()), 'cell')}.",
    )


def _draw_ranks(axes: Axes, proper: pd.DataFrame) -> None:
    sizes, places = np.unique(proper["basin"].to_numpy(), return_counts=True)
    at_least = places[::-1].cumsum()[::-1]
    axes.step(sizes, at_least, where="pre", color=COLOURS["blue"])
    if len(sizes) <= 60:
        axes.plot(sizes, at_least, linestyle="", marker="o", markersize=3.5, color=COLOURS["blue"])
    best = proper[proper["is_global"]]
    ranks = at_least[np.searchsorted(sizes, best["basin"])]
    axes.plot(best["basin"], ranks, **_STAR)
    axes.set_xscale("log")
    axes.set_yscale("log")
    _write_out(axes.xaxis, int(sizes.max()))
    _write_out(axes.yaxis, len(proper))
    axes.set_xlim(0.8 * sizes.min(), 1.4 * sizes.max())
    axes.set_ylim(0.7, 1.6 * len(proper))
    axes.set_xlabel("basin size (cells)")
    axes.set_ylabel("local optima with at least this basin")


def _draw_basins_against_values(axes: Axes, proper: pd.DataFrame, name: LandscapeName) -> None:
    scale = scale_for(name.metric, proper["value"])
    values, sizes = proper["value"].to_numpy() / scale.factor, proper["basin"].to_numpy()
    best = proper["is_global"].to_numpy()
    low, high = _window(values, values[best])
    inside = (values >= low) & (values <= high)
    spread = np.ptp(values[inside]) > 0 and np.ptp(sizes[inside]) > 0
    axes.set_yscale("log")
    if inside.sum() > _DENSE and spread:
        edges = np.unique(np.round(np.geomspace(1, sizes[inside].max(), 26))) + 0.5  # sizes are whole numbers
        found, *places = np.histogram2d(
            values[inside], sizes[inside], bins=(np.linspace(low, high, 41), np.concatenate([[0.5], edges]))
        )
        shade = axes.pcolormesh(
            *places, np.ma.masked_equal(found.T, 0), cmap=_COUNTS, norm=LogNorm(1, max(2.0, found.max()))
        )
        axes.figure.colorbar(
            shade, ax=axes, label="local optima in a field", pad=0.02, aspect=30, format=FuncFormatter(_whole)
        )
    else:
        axes.plot(values, sizes, linestyle="", marker="o", markersize=4, color=COLOURS["blue"], alpha=0.6, mew=0)
        axes.set_ylim(0.7 * sizes.min(), 1.6 * sizes.max())
    axes.plot(values[best], sizes[best], **_STAR)
    if high > low:
        margin = 0.04 * (high - low)
        axes.set_xlim(low - margin, high + margin)
    _write_out(axes.yaxis, int(sizes.max()))
    if outside := int((~inside).sum()):
        side = (
            f"below {scale.text(low * scale.factor)}"
            if values.min() < low
            else f"above {scale.text(high * scale.factor)}"
        )
        axes.set_title(f"{_rank_text(proper)}; {counted(outside, 'optimum', 'optima')} {side} not shown", fontsize=8)
    else:
        axes.set_title(_rank_text(proper), fontsize=8)
    axes.set_xlabel(scale.label(f"{metric_name(name.metric)} of the optimum"))
    axes.set_ylabel("basin size (cells)")


_STAR: dict[str, Any] = {
    "linestyle": "",
    "marker": "*",
    "markersize": 13,
    "markerfacecolor": COLOURS["orange"],
    "markeredgecolor": "black",
    "markeredgewidth": 0.8,
    "label": "global optimum",
    "zorder": 5,
}


def _window(values: NDArray[np.float64], kept: NDArray[np.float64]) -> tuple[float, float]:
    """Return limits that leave out a far tail: the outer percent of the values, where it takes 40 % of the axis."""
    low, high = float(values.min()), float(values.max())
    inner_low, inner_high = np.quantile(values, [0.01, 0.99]).tolist()
    reach = 0.4 * (high - low)
    if inner_low - low > reach and (kept >= inner_low).all():
        return inner_low, high
    if high - inner_high > reach and (kept <= inner_high).all():
        return low, inner_high
    return low, high


def _rank_correlation(proper: pd.DataFrame) -> float:
    if min(proper["value"].nunique(), proper["basin"].nunique()) < 2:
        return float("nan")
    return float(spearmanr(proper["value"], proper["basin"]).statistic)


def _rank_text(proper: pd.DataFrame) -> str:
    found = _rank_correlation(proper)
    return "rank correlation " + ("undefined" if np.isnan(found) else fixed(found))


def _rank_sentence(proper: pd.DataFrame) -> str:
    found = _rank_correlation(proper)
    if np.isnan(found):
        return "The rank correlation of value and size is undefined."
    return f"The rank correlation of value and size is {fixed(found)}."


def _number_of_optima(optima: pd.DataFrame, measures: pd.DataFrame) -> str:
    isolated = int(optima["isolated"].sum())
    text = counted(len(optima) - isolated, "local optimum", "local optima")
    if isolated:
        text += f" (and {counted(isolated, 'isolated cell')}, not shown)"
    rows = measures[measures["measure"] == "birthday_optima"]
    if len(rows) and not np.isnan(rows["value"].iloc[0]):
        row = rows.iloc[0]
        text += f"; birthday estimate {count(row['value'])} ({count(row['low'])} to {count(row['high'])})"
    return text


def _write_out(axis: Axis, top: int) -> None:
    """Label a logarithmic axis with whole numbers, and only at powers of ten where there are two of them."""
    axis.set_major_formatter(FuncFormatter(_whole))
    axis.set_minor_formatter(NullFormatter() if top >= 20 else FuncFormatter(_whole))


def _whole(value: float, _position: object = None) -> str:
    return f"{value:,.0f}" if value >= 1 and value == round(value) else ""
