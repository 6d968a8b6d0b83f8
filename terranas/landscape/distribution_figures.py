"""Figures of how metrics are distributed over the architectures."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from terranas.benchmark.schema import metric_name
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.figures import COLOURS, SPLIT_COLOURS, figure
from terranas.core.formats import counted, listed, percent, span
from terranas.data.schema import SPLITS
from terranas.landscape.accuracy import ACCURACIES
from terranas.landscape.distributions import describe_distributions, distribution_curves
from terranas.landscape.figures import (
    LINES,
    SPLIT_LINES,
    Drawing,
    Scale,
    Words,
    architectures,
    axis_name,
    headline,
    say,
    scale_of,
    series_style,
    value_text,
    with_values,
)

MAX_FIDELITIES = 6
"""Fidelities that a figure shows at most: the lowest, the highest, and some between them."""

COSTS = ("latency_ms", "macs", "parameters", "model_bytes")
"""Costs of inference; the checkpoint's size stands in for a model size that is not known."""

_MEANINGS = {
    "macro_accuracy": "macro accuracy (mean of the class accuracies)",
    "micro_accuracy": "micro accuracy (share of correct images)",
}
_POINTS = 1_001
_TAIL = 0.01  # share of the values that may lie beyond either end of an axis which a few of them would stretch
_STRETCHED = 0.6


@contextmanager
def accuracy_distribution(benchmark: TabularBenchmark) -> Iterator[Drawing]:
    """Draw density and cumulative distribution of macro and micro accuracy over the architectures, by split.

    Where the table has further fidelities, their cumulative distributions follow below, one row a split; of more than
    :data:`MAX_FIDELITIES` some are left out.

    Args:
        benchmark: accuracies; the first two rows are at the fidelity it looks up.

    Yields:
        The figure and the curves it shows (schema ``landscape.distributions``).
    """
    names, levels = _accuracies(benchmark), _shown_fidelities(benchmark)
    curves = distribution_curves(benchmark, names, levels, points=_POINTS)
    last = curves[curves["epochs"] == benchmark.epochs]
    splits = [split for split in SPLITS if curves.loc[curves["metric"].str.startswith(split), "epochs"].nunique() > 1]
    kinds = [kind for kind in ACCURACIES if curves["metric"].str.endswith(kind).any()] or list(ACCURACIES)
    rows = 2 + len(splits)
    with figure(
        1.6 + 2.6 * len(kinds) if len(kinds) > 1 else 4.8,
        4.9 + 1.75 * len(splits),
        rows=rows,
        columns=len(kinds),
        squeeze=False,
        sharex=True,
        sharey="row",
        gridspec_kw={"height_ratios": _ratios(rows)},
    ) as (drawn, axes):
        for column, kind in enumerate(kinds):
            density, cumulative = axes[0, column], axes[1, column]
            for split in SPLITS:
                style: dict[str, Any] = {"color": SPLIT_COLOURS[split], "linestyle": SPLIT_LINES[split]}
                _draw_pair(density, cumulative, last[last["metric"] == f"{split}_{kind}"], Scale(0.01, "%"), style)
            density.set_title(kind.replace("_", " "))
            _finish_pair(
                density, cumulative, f"no {kind.replace('_', ' ')}\nafter {counted(benchmark.epochs, 'epoch')}"
            )
            for row, split in enumerate(splits, start=2):
                part = curves[curves["metric"] == f"{split}_{kind}"]
                _draw_fidelities(axes[row, column], part, levels)
                axes[row, column].set_title(f"{split}, by fidelity", fontsize=8.5)
            axes[-1, column].set_xlabel(f"{kind.replace('_', ' ')} (%)")
        low, high, beyond = _view(curves, (0, 1))
        axes[0, 0].set_xlim(100 * low, 100 * high)
        highest = float(last["density"].max()) / 100
        axes[0, 0].set_ylim(0, 1.05 * highest if highest > 0 else 1)  # one scale for both, set when all is drawn
        axes[0, 0].set_ylabel("density (1/%)")
        for row in range(1, rows):
            axes[row, 0].set_ylabel("share of architectures\nwith at most this accuracy" if row == 1 else "share")
        text = architectures(*_known(benchmark, names), "failed training")
        headline(
            drawn,
            f"Accuracies after {counted(benchmark.epochs, 'epoch')}, {text}",
            f"{benchmark.dataset}{_cut(beyond)}",
        )
        drawn.legend(
            handles=[*_split_handles(last), *(_fidelity_handles(levels) if splits else [])],
            loc="outside lower center",
            ncols=3,
        )
        yield drawn, curves


def accuracy_words(benchmark: TabularBenchmark) -> Words:
    """Return the texts of :func:`accuracy_distribution`."""
    names, levels = _accuracies(benchmark), _shown_fidelities(benchmark)
    table = describe_distributions(benchmark, names, levels) if names else pd.DataFrame({"n": []})
    known = table[table["n"] > 0]
    used, left_out = _known(benchmark, names)
    if known.empty:
        return (
            f"Empty frames: no accuracy of {counted(len(benchmark), 'architecture')} is known.",
            f"There is no accuracy of {benchmark.dataset} to show: all {counted(left_out, 'architecture')} lack it.",
        )
    last = known[known["epochs"] == benchmark.epochs]
    medians = [f"{_split_kind(row['metric'])} {percent(row['median'])}" for row in last.to_dict("records")]
    spans = [
        f"{_split_kind(row['metric'])} {span((row['min'], row['max']), percent)}"
        for row in last.to_dict("records")
        if row["metric"].startswith("test") or not last["metric"].str.startswith("test").any()
    ]
    kinds = [meaning for kind, meaning in _MEANINGS.items() if known["metric"].str.endswith(kind).any()]
    caption = (
        f"Accuracies of {architectures(used, left_out, 'failed training')} on {benchmark.dataset} after "
        f"{counted(benchmark.epochs, 'epoch')}: probability density (kernel estimate) and cumulative distribution of "
        f"{listed(kinds)} by split. "
        f"Medians: {listed(medians) if medians else 'not known'}." + (f" Range: {listed(spans)}." if spans else "")
    )
    moved = []
    for metric, part in known.sort_values("epochs", kind="stable").groupby("metric", sort=False):
        if len(part) > 1:
            first, final = part.iloc[0], part.iloc[-1]
            moved.append(
                f"{_split_kind(str(metric))} {percent(first['median'])} after {counted(first['epochs'], 'epoch')}, "
                f"{percent(final['median'])} after {final['epochs']:,}"
            )
    if moved:
        caption += f" The lower rows show how the distributions move with training; medians: {'; '.join(moved)}."
        if len(levels) < len(benchmark.fidelities):
            caption += f" Of {len(benchmark.fidelities)} fidelities {len(levels)} are shown."
    shown = f", and cumulative curves at {counted(len(levels), 'fidelity', 'fidelities')}" if moved else ""
    alt = (
        f"Distributions of the accuracies of {counted(used, 'architecture')}{shown}; medians after "
        f"{counted(benchmark.epochs, 'epoch')}: {listed(medians) if medians else 'not known'}."
    )
    return alt, caption


@contextmanager
def cost_distribution(benchmark: TabularBenchmark) -> Iterator[Drawing]:
    """Draw density and cumulative distribution of latency, MACs, parameters and model size over the architectures.

    Costs that the table does not know are left out; latencies on several devices are drawn beside each other.

    Args:
        benchmark: costs, at the fidelity it looks up.

    Yields:
        The figure and the curves it shows (schema ``landscape.distributions``).
    """
    panels = _cost_panels(benchmark)
    names = [name for panel in panels.values() for name in panel]
    curves = distribution_curves(benchmark, names, [benchmark.epochs], points=_POINTS)
    with figure(
        max(4.6, 0.6 + 2.3 * len(panels)), 4.4, rows=2, columns=max(1, len(panels)), sharex="col", squeeze=False
    ) as (drawn, axes):
        beyond = 0.0
        for column, (cost, series) in enumerate(panels.items()):
            density, cumulative = axes[:, column]
            part = curves[curves["metric"].isin(series)]
            scale = scale_of(cost, benchmark.unit(cost), float(part["value"].max()))
            for place, name in enumerate(series):
                style = series_style(place)
                label = name.partition("@")[2] or benchmark.device
                _draw_pair(density, cumulative, part[part["metric"] == name], scale, style, label)
            _finish_pair(density, cumulative, "")
            low, high, outside = _view(part, (0, np.inf))
            density.set_xlim(low / scale.factor, high / scale.factor)
            beyond = max(beyond, outside)
            density.set_title(metric_name(cost))
            density.set_ylabel(f"density (1/{scale.unit})" if scale.unit else "density")
            cumulative.set_xlabel(scale.label(_broken(axis_name(cost))))
            if len(series) > 1:
                density.legend(fontsize=7, title="device", title_fontsize=7)
        if panels:
            axes[1, 0].set_ylabel("share of architectures\nwith at most this cost")
        else:
            say(axes[0, 0], "no latency, MACs, parameters or size\nof these architectures is known")
            axes[1, 0].set_visible(False)
        used, left_out = _known(benchmark, names)
        text = architectures(used, left_out, "without any cost", plural="")
        device = f", on {benchmark.device}" if benchmark.device and "latency_ms" in panels else ""
        headline(drawn, f"Cost of inference, {text}", f"networks for {benchmark.dataset}{device}{_cut(beyond)}")
        yield drawn, curves


def cost_words(benchmark: TabularBenchmark) -> Words:
    """Return the texts of :func:`cost_distribution`."""
    panels = _cost_panels(benchmark)
    names = [name for panel in panels.values() for name in panel]
    if not names:
        text = f"latency, MACs, parameters and size of {counted(len(benchmark), 'architecture')} are not known"
        return f"An empty frame: {text}.", f"There are no costs to show: {text}."
    table = describe_distributions(benchmark, names, [benchmark.epochs])
    short, long = [], []
    for row in table.to_dict("records"):
        metric, unit = row["metric"], row["unit"]
        cost, _, device = row["metric"].partition("@")
        name = metric_name(cost) + (f" on {device}" if device else "")
        short.append(f"{name} {value_text(metric, unit, row['median'])}")
        lowest, lower, upper, highest = (
            value_text(metric, unit, row[end]) for end in ("min", "lower_quartile", "upper_quartile", "max")
        )
        text = f"from {lowest} to {highest}, half of them from {lower} to {upper}" if lowest != highest else lowest
        long.append(f"{name} {text} (n = {row['n']:,})")
    used, _ = _known(benchmark, names)
    return (
        f"Density and cumulative curves of {counted(len(table), 'cost')} of {counted(used, 'architecture')}; medians: "
        f"{listed(short)}.",
        f"Costs of inference of the networks for {benchmark.dataset}: probability density (kernel estimate) and "
        f"cumulative distribution; {'; '.join(long)}.",
    )


def _accuracies(benchmark: TabularBenchmark) -> list[str]:
    """Return the accuracies by split that the table has."""
    names = [f"{split}_{kind}" for split in SPLITS for kind in ACCURACIES]
    return [name for name in names if name in benchmark.metrics]


def _shown_fidelities(benchmark: TabularBenchmark) -> list[int]:
    """Return the fidelities to show, ascending, the one that is looked up among them and so many in all."""
    found = [epochs for epochs in benchmark.fidelities if epochs != benchmark.epochs]
    if len(found) >= MAX_FIDELITIES:
        places = np.linspace(0, len(found) - 1, MAX_FIDELITIES - 1).round().astype(int)
        found = [found[place] for place in places]
    return sorted([*found, benchmark.epochs])


def _cost_panels(benchmark: TabularBenchmark) -> dict[str, list[str]]:
    """Return what to draw by cost: names of metrics with a value, one a device where there are several."""
    panels = {}
    for cost in COSTS:
        names = with_values(benchmark, cost)
        if not names and cost == "model_bytes":
            cost = "checkpoint_bytes"
            names = with_values(benchmark, cost)
        if names:
            panels[cost] = names
    return panels


def _known(benchmark: TabularBenchmark, names: Sequence[str]) -> tuple[int, int]:
    """Return how many architectures have a value in one of the metrics at all, and how many have none."""
    known = np.zeros(len(benchmark), dtype=np.bool_)
    for name in names:
        known |= ~np.isnan(benchmark.values([name])[:, 0])
    return int(known.sum()), int((~known).sum())


def _draw_pair(
    density: Axes, cumulative: Axes, curve: pd.DataFrame, scale: Scale, style: dict[str, Any], label: str = ""
) -> None:
    """Draw the curves of one metric; where all values are equal, a line at the value stands for the density."""
    if curve.empty:
        return
    places, height = curve["value"] / scale.factor, curve["density"] * scale.factor
    if height.isna().all():
        density.axvline(float(places.iloc[int(np.argmax(curve["cumulative"] == 1))]), label=label, **style)
    else:
        density.plot(places, height, label=label, **style)
        density.fill_between(places, height, color=style["color"], alpha=0.12, linewidth=0)
    _draw_steps(cumulative, curve, scale, style)


def _draw_steps(axes: Axes, curve: pd.DataFrame, scale: Scale, style: dict[str, Any]) -> None:
    """Draw a cumulative curve, which is 0 before its first place and 1 behind its last one."""
    first, last = (float(curve["value"].iloc[place]) / scale.factor for place in (0, -1))
    # far enough beyond the other curves of the frame, whose axis is set afterwards
    places = np.concatenate([[min(first, 0.0)], curve["value"] / scale.factor, [100 * max(abs(last), 1.0)]])
    axes.step(places, np.concatenate([[0.0], curve["cumulative"], [1.0]]), where="post", **style)


def _finish_pair(density: Axes, cumulative: Axes, empty: str) -> None:
    density.set_ylim(bottom=0)
    cumulative.set_ylim(0, 1.02)
    if cumulative.lines and not density.collections:  # lines at single values, which have no density
        note = "no density: one value only" if len(density.lines) == 1 else "no density: one value each"
        density.set_title(note, loc="right", fontsize=7, color=COLOURS["grey"])
    if empty and not cumulative.lines:
        for axes in (density, cumulative):
            axes.text(0.5, 0.5, empty, transform=axes.transAxes, ha="center", va="center", color=COLOURS["grey"])


def _draw_fidelities(axes: Axes, curves: pd.DataFrame, levels: Sequence[int]) -> None:
    for handle, epochs in zip(_fidelity_handles(levels), levels, strict=True):
        part = curves[curves["epochs"] == epochs]
        if len(part):
            style = {"color": handle.get_color(), "linestyle": handle.get_linestyle(), "linewidth": 1.1}
            _draw_steps(axes, part, Scale(0.01, "%"), style)
    axes.set_ylim(0, 1.02)
    if curves.empty:
        axes.text(0.5, 0.5, "no values", transform=axes.transAxes, ha="center", va="center", color=COLOURS["grey"])


def _fidelity_handles(levels: Sequence[int]) -> list[Line2D]:
    """Return a line for each fidelity: the darker, the longer the training; solid is the longest."""
    shades = mpl.colormaps["cividis_r"](np.linspace(0.15, 1, len(levels)))
    return [
        Line2D(
            [],
            [],
            color=shade,
            linestyle=LINES[(len(levels) - 1 - place) % len(LINES)],
            label=counted(epochs, "epoch"),
        )
        for place, (epochs, shade) in enumerate(zip(levels, shades, strict=True))
    ]


def _split_handles(curves: pd.DataFrame) -> list[Line2D]:
    handles = []
    for split in SPLITS:
        n = curves.loc[curves["metric"].str.startswith(split), "n"].max() if len(curves) else np.nan
        label = f"{split} (n = {0 if pd.isna(n) else int(n):,})"
        handles.append(Line2D([], [], color=SPLIT_COLOURS[split], linestyle=SPLIT_LINES[split], label=label))
    return handles


def _view(curves: pd.DataFrame, bounds: tuple[float, float]) -> tuple[float, float, float]:
    """Return the range of an axis, and the largest share of a curve's values beyond it.

    The axis holds all of every curve, unless the middle of the curves, which has all but a hundredth of the
    values at either end, is far narrower.
    """
    if curves.empty:
        return max(bounds[0], 0.0), min(bounds[1], 1.0), 0.0
    low, high = float(curves["value"].min()), float(curves["value"].max())
    series = [part for _, part in curves.groupby(["metric", "epochs"], sort=False)]
    starts = [float(part["value"].iloc[int(np.argmax(part["cumulative"] > _TAIL))]) for part in series]
    ends = [float(part["value"].iloc[int(np.argmax(part["cumulative"] >= 1 - _TAIL))]) for part in series]
    start, end = min(starts), max(ends)
    if end - start >= _STRETCHED * (high - low) or start == end:
        margin = 0.02 * (high - low)
        return max(bounds[0], low - margin), min(bounds[1], high + margin), 0.0
    margin = 0.08 * (end - start)
    start, end = max(low, start - margin), min(high, end + margin)
    beyond = max(float(np.interp(start, p["value"], p["cumulative"]) + 1
                       - np.interp(end, p["value"], p["cumulative"])) for p in series)  # fmt: skip
    return start, end, beyond


def _cut(share: float) -> str:
    return f"; up to {percent(share, 2)} of a curve's values lie beyond the axis" if share > 0 else ""


def _ratios(rows: int) -> list[float]:
    return [1.0, 1.0] + [0.7] * (rows - 2)


def _split_kind(metric: str) -> str:
    return metric.removesuffix("_accuracy").replace("_", " ")


def _broken(name: str) -> str:
    return name.replace(" for one image", "\nfor one image")
