"""Figures of landscapes on their neighbour graphs: autocorrelation along walks, dominance among neighbours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import ceil

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from terranas.benchmark.schema import metric_name
from terranas.core.figures import COLOURS, figure
from terranas.core.formats import count, counted, fixed, listed, percent, significant
from terranas.landscape.figures import Drawing, LandscapeName, Words, add_legend, headline, say, shortened
from terranas.landscape.ruggedness import correlation_length

_CURVES = {
    "pooled": ("walks, about the mean of all visits", COLOURS["blue"], "-"),
    "mean_of_walks": ("mean of walks, each about its own mean", COLOURS["vermilion"], "--"),
}
SHARES = ("dominating", "incomparable", "equal", "dominated")
_SHARE_STYLES = {
    "dominating": ("dominate the cell", COLOURS["blue"], "", "white"),
    "incomparable": ("incomparable", "#D9D9D9", "", "black"),
    "equal": ("equal", "white", "xxxx", "black"),
    "dominated": ("dominated by the cell", COLOURS["orange"], "////", "black"),
}
_SETS = {
    "pareto_local_optima": ("Pareto local optima", COLOURS["green"], ""),
    "pareto_set": ("Pareto set", COLOURS["purple"], "...."),
}


@contextmanager
def autocorrelation_function(tables: Mapping[LandscapeName, pd.DataFrame]) -> Iterator[Drawing]:
    """Draw the autocorrelation of each landscape over the lag: exact, and both estimates from walks with intervals.

    A dotted line shows the powers of the exact lag-1 autocorrelation, which is what a first-order process would have,
    and what a correlation length takes for granted.

    Args:
        tables: schema ``landscape.autocorrelation``, by landscape.
    """
    numbers = autocorrelation_numbers(tables)
    columns = min(2, max(1, len(tables)))
    rows = max(1, ceil(len(tables) / columns))
    with figure(
        3.7 * columns + (1.6 if columns == 1 else 0), 0.9 + 2.6 * rows, rows=rows, columns=columns, squeeze=False
    ) as (drawn, axes):
        panels = list(axes.flat)
        lowest = min(0.0, float(np.nanmin(numbers[["exact", *_interval_columns()]].to_numpy(), initial=0.0)))
        for panel, (name, table) in zip(panels, tables.items(), strict=False):
            _draw_autocorrelation(panel, table, numbers[_is_of(numbers, name)], lowest)
            panel.set_title(f"{shortened(name.dataset)}, {name.neighbourhood}\n{_first_lag(table)}", fontsize=8.5)
        for panel in panels[len(tables) :]:
            panel.set_axis_off()
        if not tables:
            say(panels[0], "No landscape has an autocorrelation: it needs an undirected neighbour graph.")
        for row in axes:
            row[0].set_ylabel("autocorrelation")
        for panel in panels[max(0, len(tables) - columns) : len(tables)]:
            panel.set_xlabel("lag (moves of a random walk)")
        headline(drawn, f"Autocorrelation of {_metrics_of(tables)} along simple random walks", _walks_of(tables))
        add_legend(drawn, panels[: len(tables)], 2)
        yield drawn, numbers


def autocorrelation_words(tables: Mapping[LandscapeName, pd.DataFrame]) -> Words:
    """Return the texts of :func:`autocorrelation_function`."""
    parts = []
    for name, table in tables.items():
        first = _at(table, 1)
        if first is None or np.isnan(first["exact"]):
            parts.append(f"{name}: undefined")
            continue
        last = table.iloc[-1]
        parts.append(
            f"{name}: exact {fixed(first['exact'])} at lag 1 and {fixed(last['exact'])} at lag {count(last['lag'])}, "
            f"from walks {fixed(first['pooled'])} (about the mean of all visits) and {fixed(first['mean_of_walks'])} "
            "(each about its own mean)"
        )
    return (
        f"Curves of autocorrelation over the lag. {'; '.join(parts) if parts else 'No landscape has one'}.",
        "Autocorrelation of the fitness along simple random walks on the neighbour graph, which may visit a cell "
        "again: exact, from the graph, and estimated from walks with bootstrap intervals over walks (bands). A walk's "
        "own mean follows its values: estimates about it are biased where walks are short or the graph has many parts. "
        f"The dotted line is what a first-order process would have. {_walks_of(tables)}.",
    )


def autocorrelation_numbers(tables: Mapping[LandscapeName, pd.DataFrame]) -> pd.DataFrame:
    """Return all tables as one, with the landscape they are of and the powers of the exact lag-1 autocorrelation."""
    parts = []
    for name, table in tables.items():
        part = table.sort_values("lag", ignore_index=True)
        first = _at(part, 1)
        part["first_order"] = (np.nan if first is None else first["exact"]) ** part["lag"].astype(float)
        if part["exact"].isna().all():
            part["first_order"] = np.nan
        for column in ("neighbourhood", "metric", "dataset"):
            part.insert(0, column, getattr(name, column))
        parts.append(part)
    if parts:
        return pd.concat(parts, ignore_index=True)
    return pd.DataFrame(columns=["dataset", "metric", "neighbourhood", "lag", "exact", *_interval_columns()]).astype(
        dict.fromkeys(["exact", *_interval_columns()], "float64")
    )


@contextmanager
def objective_landscape(tables: Mapping[str, pd.DataFrame]) -> Iterator[Drawing]:
    """Draw how neighbours stand to each other in several objectives, and how Pareto optima hang together.

    Args:
        tables: schema ``landscape.graph_measures`` of several objectives, by the name of the landscape.
    """
    numbers = pd.concat(
        [table.assign(landscape=name) for name, table in tables.items()]
        or [pd.DataFrame(columns=["landscape", "measure", "value"])],
        ignore_index=True,
    )
    with figure(7.6, 1.9 + 0.62 * max(1, len(tables)), columns=2, width_ratios=(3, 2), sharey=True) as (drawn, axes):
        values = {name: table.set_index("measure")["value"] for name, table in tables.items()}
        known = [name for name in values if not np.isnan(_share(values[name], "dominating"))]
        if not values:
            say(axes[0], "No landscape of several objectives.")
            axes[1].set_axis_off()
        else:
            _draw_shares(axes[0], values)
            _draw_sets(axes[1], values)
            axes[0].set_yticks(range(len(values)), [_folded(name) for name in values])
            axes[0].set_ylim(len(values) - 0.5, -0.5)
        for panel in axes:
            panel.grid(axis="y", visible=False)
            panel.tick_params(axis="y", length=0)
        cells = [
            int(table.loc[table["measure"] == "dominating_neighbours", "cells"].max()) for table in tables.values()
        ]
        headline(
            drawn,
            "Several objectives on the neighbour graph",
            f"n = {listed([count(number) for number in cells])} cells with neighbours" if cells else "",
            "" if len(known) == len(values) else "no cell of some landscapes has a neighbour",
        )
        add_legend(drawn, axes, 6)
        yield drawn, numbers


def objective_landscape_words(tables: Mapping[str, pd.DataFrame]) -> Words:
    """Return the texts of :func:`objective_landscape`."""
    parts, sets = [], []
    for name, table in tables.items():
        values = table.set_index("measure")["value"]
        shares = [f"{percent(_share(values, share))} {share}" for share in SHARES]
        parts.append(f"{name}: {listed(shares)}")
        for measure, (text, *_) in _SETS.items():
            sets.append(
                f"{name}: {count(values[measure])} cells of the {text} in "
                f"{counted(int(values[f'{measure}_components']), 'component')}, the largest of "
                f"{count(values[f'{measure}_largest'])}"
            )
    return (
        f"Stacked bars of how a cell's neighbours stand to it. {'; '.join(parts) if parts else 'No landscape'}.",
        "Mean shares of a cell's neighbours that dominate it, are dominated by it, equal it in all objectives, or do "
        "neither. Right: cells that no neighbour dominates (Pareto local optima) and cells that no cell dominates "
        f"(Pareto set), with the connected components they form on the graph. "
        f"{'; '.join(sets) if sets else 'No landscape'}.",
    )


def _draw_autocorrelation(axes: Axes, table: pd.DataFrame, numbers: pd.DataFrame, lowest: float) -> None:
    if numbers[["exact", *_CURVES]].isna().all(axis=None):
        say(axes, "Undefined: the fitness is the same\nwherever a walk can go.")
        return
    axes.axhline(0, color=COLOURS["grey"], linewidth=0.8)
    lags = numbers["lag"]
    few = len(lags) <= 16
    axes.plot(
        lags,
        numbers["exact"],
        color="black",
        linestyle="",
        marker="o" if few else ".",
        markersize=3.5,
        markerfacecolor="white" if few else "black",
        label="exact, from the graph",
        zorder=3,
    )
    for column, (label, colour, line) in _CURVES.items():
        axes.fill_between(
            lags, numbers[f"{column}_low"], numbers[f"{column}_high"], color=colour, alpha=0.2, linewidth=0
        )
        axes.plot(lags, numbers[column], color=colour, linestyle=line, label=label)
    axes.plot(lags, numbers["first_order"], color=COLOURS["grey"], linestyle=":", label="first-order process")
    axes.set_ylim(lowest - 0.05, 1.03)
    if few:
        axes.set_xticks(lags[:: 1 + len(lags) // 9])
    if constant := int(table["constant_walks"].iloc[0]):
        axes.text(0.98, 0.95, f"{count(constant)} constant walks", transform=axes.transAxes, ha="right", va="top")


def _draw_shares(axes: Axes, values: Mapping[str, pd.Series]) -> None:
    for row, measures in enumerate(values.values()):
        left = 0.0
        for share in SHARES:
            width = 100 * _share(measures, share)
            label, colour, hatch, text = _SHARE_STYLES[share]
            if np.isnan(width):
                continue
            axes.barh(
                row,
                width,
                left=left,
                height=0.55,
                color=colour,
                hatch=hatch,
                edgecolor="black",
                linewidth=0.6,
                label=label,
            )
            if width >= 7:
                axes.text(
                    left + width / 2,
                    row,
                    f"{width:.0f}",
                    ha="center",
                    va="center",
                    color=text,
                    fontsize=8,
                    bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.2} if hatch else None,
                )
            left += width
        if not left:
            axes.text(1, row, "no cell has a neighbour", va="center")
    axes.set_xlim(0, 100)
    axes.set_xlabel("mean share of a cell's neighbours (%)")


def _draw_sets(axes: Axes, values: Mapping[str, pd.Series]) -> None:
    for row, measures in enumerate(values.values()):
        for offset, (measure, (name, colour, hatch)) in zip((-0.16, 0.16), _SETS.items(), strict=True):
            cells, largest, components = (
                float(measures.get(f"{measure}{ending}", np.nan)) for ending in ("", "_largest", "_components")
            )
            share = 100 * largest / cells if cells else np.nan
            axes.barh(
                row + offset,
                share,
                height=0.27,
                color=colour,
                hatch=hatch,
                edgecolor="black",
                linewidth=0.6,
                label=name,
            )
            text = f"{counted(int(cells), 'cell')}, {counted(int(components), 'component')}" if cells else "no cell"
            axes.text(103, row + offset, text, va="center", fontsize=7.5, clip_on=False)
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of them in their\nlargest component (%)")


def _share(measures: pd.Series, share: str) -> float:
    return float(measures.get(f"{share}_neighbours", np.nan))


def _interval_columns() -> list[str]:
    return [f"{column}{ending}" for column in _CURVES for ending in ("", "_low", "_high")]


def _is_of(numbers: pd.DataFrame, name: LandscapeName) -> pd.Series:
    return (
        (numbers["dataset"] == name.dataset)
        & (numbers["metric"] == name.metric)
        & (numbers["neighbourhood"] == name.neighbourhood)
    )


def _at(table: pd.DataFrame, lag: int) -> pd.Series | None:
    rows = table[table["lag"] == lag]
    return rows.iloc[0] if len(rows) else None


def _first_lag(table: pd.DataFrame) -> str:
    first = _at(table, 1)
    if first is None or np.isnan(first["exact"]):
        return "undefined"
    length = correlation_length(float(first["exact"]))
    return f"ρ(1) = {fixed(first['exact'])}, correlation length " + (
        "undefined" if np.isnan(length) else significant(length, 2)
    )


def _metrics_of(tables: Mapping[LandscapeName, pd.DataFrame]) -> str:
    return listed(list(dict.fromkeys(metric_name(name.metric) for name in tables))) if tables else ""


def _walks_of(tables: Mapping[LandscapeName, pd.DataFrame]) -> str:
    numbers = sorted({int(table["walks"].max()) for table in tables.values()})
    return f"{listed([count(number) for number in numbers])} walks a landscape" if numbers else "No walks"


def _folded(name: str) -> str:
    return "\n".join(part.strip() for part in name.split(","))
