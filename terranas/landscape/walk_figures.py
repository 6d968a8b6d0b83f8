"""Figures of the random walks: ruggedness over all of them, and each walk on its own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from terranas.benchmark.schema import metric_name
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import TableError
from terranas.core.figures import COLOURS, figure
from terranas.core.formats import count, counted, fixed, percent, sentence, span
from terranas.landscape.figures import (
    LINES,
    SERIES_COLOURS,
    Drawing,
    Scale,
    Words,
    axis_name,
    headline,
    interval_text,
    say,
    scale_of,
    with_prefix,
)

MAX_WALKS = 30
"""Walks that :func:`single_walks` draws at most."""

_PANELS_A_ROW = 5
_LONG = 40  # visits of a walk beyond which dots would run together
_VARIANTS = {
    "defined": ("", "o", COLOURS["blue"], "a walk, each architecture once"),
    "published": ("_published", "D", COLOURS["vermilion"], "a walk, published way: start counted twice"),
}


@contextmanager
def ruggedness_distribution(ruggedness: pd.DataFrame, summary: pd.DataFrame | None = None) -> Iterator[Drawing]:
    """Draw autocorrelation and ruggedness of every walk in every metric with their intervals, as defined and published.

    Walks are sorted by autocorrelation. A hollow marker is a walk whose interval of the ruggedness is unbounded, since
    that of its autocorrelation holds 0, or which has none.

    Args:
        ruggedness: schema ``landscape.ruggedness``.
        summary: schema ``landscape.ruggedness_summary`` of the same walks; None leaves the means out.

    Yields:
        The figure, and the walks with the summary below them where it is given.
    """
    numbers = _ruggedness_numbers(ruggedness, summary)
    groups = list(dict.fromkeys(zip(ruggedness["dataset"], ruggedness["metric"], strict=True)))
    datasets = sorted(ruggedness["dataset"].unique())
    walks = ruggedness["walk"].nunique()
    with figure(7.0, 1.7 + 2.1 * max(len(groups), 0.6), columns=2, sharey=True) as (drawn, axes):
        headline(drawn, f"Ruggedness along {counted(walks, 'random walk')}", ", ".join(datasets))
        labels = []
        for row, (dataset, metric) in enumerate(groups):
            part = ruggedness[(ruggedness["metric"] == metric) & (ruggedness["dataset"] == dataset)]
            bounded = part["ruggedness_low"].notna().sum()
            labels.append(
                f"{metric_name(metric)}\n{part['ruggedness'].notna().sum()} of {len(part)} walks\n"
                f"interval bounded: {bounded}" + (f"\n{dataset}" if len(datasets) > 1 else "")
            )
            for place, variant in enumerate(_VARIANTS):
                band = row - 0.43 + 0.45 * place
                _draw_walks(axes, part, band, variant)
                if summary is not None:
                    chosen = (summary["metric"] == metric) & (summary["dataset"] == dataset)
                    _draw_mean(axes, summary[chosen & (summary["variant"] == variant)], band + 0.38)
        if not groups:
            for ax in axes:
                say(ax, "no walks")
            yield drawn, numbers
            return
        axes[0].set_yticks(range(len(groups)), labels)
        axes[0].set_ylim(len(groups) - 0.48, -0.52)
        axes[0].set_xlim(-1.05, 1.05)
        axes[0].set_xlabel("lag-1 autocorrelation")
        _scale_ruggedness(axes[1], numbers)
        for ax in axes:
            ax.axvline(0, color=COLOURS["grey"], linewidth=0.8, zorder=0.8)
            ax.grid(axis="y", visible=False)
            ax.tick_params(axis="y", length=0)
        drawn.legend(handles=_ruggedness_handles(numbers, summary), loc="outside lower center", ncols=2)
        yield drawn, numbers


def ruggedness_words(ruggedness: pd.DataFrame, summary: pd.DataFrame | None = None) -> Words:
    """Return the texts of :func:`ruggedness_distribution`."""
    if ruggedness.empty:
        return "An empty frame: there are no walks.", "There are no walks to show."
    short, long = [], []
    for (dataset, metric), part in ruggedness.groupby(["dataset", "metric"], sort=False):
        known = part["ruggedness"].dropna()
        name = metric_name(str(metric)) + (f" on {dataset}" if ruggedness["dataset"].nunique() > 1 else "")
        if known.empty:
            short.append(f"{name} undefined on all walks")
            long.append(f"{name}: undefined on all {counted(len(part), 'walk')}")
            continue
        short.append(f"{name} from {fixed(known.min())} to {fixed(known.max())}, median {fixed(known.median())}")
        bounded = int(part["ruggedness_low"].notna().sum())
        text = (
            f"{name}: median {fixed(known.median())}, {percent(float(known.between(0, 5).mean()), 0)} of the walks "
            f"from 0 to 5; {count(bounded)} of {counted(len(part), 'walk')} have a bounded interval"
        )
        if len(known) < len(part):
            text += f", {count(len(part) - len(known))} no ruggedness at all"
        long.append(text + _mean_text(summary, str(dataset), str(metric)))
    walks, visits = ruggedness["walk"].nunique(), span(ruggedness["visits"], count)
    confidence = percent(float(ruggedness["confidence"].max()), 0)
    return (
        f"Autocorrelation and ruggedness of {counted(walks, 'walk')}, sorted; ruggedness of {'; '.join(short)}.",
        f"Lag-1 autocorrelation of the values along each random walk ({visits} visits with a value), and ruggedness, "
        f"which is one over it, with {confidence} intervals (grid bootstrap); black lines are medians. "
        f"{'. '.join(map(sentence, long))}. "
        "Hollow markers have no bounded interval: an autocorrelation that may be 0 has an inverse without bounds. "
        "Diamonds count each walk's start twice, as the published study's code does.",
    )  # fmt: skip


@contextmanager
def single_walks(walks: pd.DataFrame, benchmark: TabularBenchmark, metrics: Sequence[str]) -> Iterator[Drawing]:
    """Draw the series of metrics along each walk, one panel a walk; of more than :data:`MAX_WALKS` the first ones.

    A visit without a value breaks its line, and a cross at the foot of the panel marks it.

    Args:
        walks: schema ``sampling.walks``.
        benchmark: values of the visited architectures at the fidelity it looks up.
        metrics: metrics of one unit.

    Yields:
        The figure, and columns dataset, epochs, walk, step, hash, metric and value, of all walks.

    Raises:
        TableError: the benchmark has no such metric, or the metrics have several units.
    """
    numbers = _visits(walks, benchmark, metrics)
    shown = sorted(numbers["walk"].unique())[:MAX_WALKS]
    columns = min(_PANELS_A_ROW, max(1, len(shown)))
    rows = max(1, ceil(len(shown) / columns))
    visible = numbers[numbers["walk"].isin(shown)]
    scale = _scale(benchmark, metrics, visible)
    wide = 1.35 * columns + 0.7 if columns > 2 else 4.6
    with figure(wide, 1.3 + 1.15 * rows, rows=rows, columns=columns, sharex=True, sharey=True, squeeze=False) as (
        drawn,
        axes,
    ):
        for ax, walk in zip(axes.flat, shown, strict=False):
            _draw_series(ax, visible[visible["walk"] == walk], metrics, scale)
            ax.set_title(f"walk {walk}", fontsize=8, pad=2)
        if not shown:
            say(axes[0, 0], "no walks")
        elif visible["value"].isna().all():
            say(axes[0, 0], "no visit\nhas a value")
        for ax in axes.flat[len(shown) or 1 :]:
            ax.set_visible(False)
        for column in range(min(columns, len(shown))):  # the lowest panel of each column carries the ticks
            last = axes[(len(shown) - 1 - column) // columns, column]
            last.tick_params(labelbottom=True)
            last.set_xlabel("step")
        axes[0, 0].xaxis.set_major_locator(MaxNLocator(4, integer=True))
        of_all = numbers["walk"].nunique()
        some = f" (the first {len(shown)} of {of_all:,})" if of_all > len(shown) else ""
        axes[0, 0].yaxis.set_major_locator(MaxNLocator(4))
        drawn.supylabel(scale.label(_common_name(metrics)), fontsize=9)
        headline(
            drawn,
            f"Series along {counted(len(shown), 'random walk')}{some}, "
            f"{counted(len(visible) // len(metrics), 'visit')}, after {counted(benchmark.epochs, 'epoch')}",
            benchmark.dataset,
        )
        drawn.legend(handles=_walk_handles(metrics, visible), loc="outside lower center", ncols=2)
        yield drawn, numbers


def single_walks_words(walks: pd.DataFrame, benchmark: TabularBenchmark, metrics: Sequence[str]) -> Words:
    """Return the texts of :func:`single_walks`."""
    numbers = _visits(walks, benchmark, metrics)
    shown = sorted(numbers["walk"].unique())[:MAX_WALKS]
    if not shown:
        return "An empty frame: there are no walks.", "There are no walks to show."
    visible = numbers[numbers["walk"].isin(shown)]
    scale = _scale(benchmark, metrics, visible)
    parts = []
    for metric in metrics:
        part = visible[visible["metric"] == metric]
        swings = part.groupby("walk")["value"].agg(lambda values: values.max() - values.min()).dropna()
        parts.append(
            f"{metric_name(metric)} {span(part['value'], scale.text)}"
            + (f", within a walk by {_difference(scale, swings.median())} (median)" if swings.max() > 0 else "")
            if part["value"].notna().any()
            else f"{metric_name(metric)} without values"
        )
    of_all = numbers["walk"].nunique()
    some = f", the first {len(shown)} of {of_all:,}" if of_all > len(shown) else ""
    missing = int(visible["value"].isna().sum())
    left_out = f" Crosses mark {counted(missing, 'value')} that {'is' if missing == 1 else 'are'} missing." * (
        missing > 0
    )
    lengths = visible.groupby("walk")["step"].nunique()
    visits = counted(lengths.iloc[0], "visit") if lengths.nunique() == 1 else f"{span(lengths, count)} visits"
    return (
        f"{counted(len(shown), 'small panel')} of lines, one a walk{some}: {'; '.join(parts)}.",
        f"Values of the architectures along each random walk ({visits}{some}) on {benchmark.dataset} after "
        f"{counted(benchmark.epochs, 'epoch')}: {'; '.join(parts)}.{left_out}",
    )


def _ruggedness_numbers(ruggedness: pd.DataFrame, summary: pd.DataFrame | None) -> pd.DataFrame:
    """Return the walks, and below them the rows of the summary, which have no walk."""
    if summary is None:
        return ruggedness.copy()
    return pd.concat([ruggedness.astype({"walk": "Int64", "visits": "Int64"}), summary], ignore_index=True)


def _draw_walks(axes: Sequence[Axes], part: pd.DataFrame, band: float, variant: str) -> None:
    """Draw the walks of a metric from a height on downwards, sorted by autocorrelation."""
    suffix, marker, colour, _ = _VARIANTS[variant]
    known = part.dropna(subset=f"autocorrelation{suffix}").sort_values([f"autocorrelation{suffix}", "walk"])
    if known.empty:
        return
    heights = band + 0.33 * (np.arange(len(known)) + 0.5) / len(known)
    bounded = known[f"ruggedness{suffix}_low"].notna().to_numpy()
    size = min(4.0, max(1.5, 90 / len(known)))
    for ax, name in zip(axes, ("autocorrelation", "ruggedness"), strict=True):
        values = known[f"{name}{suffix}"].to_numpy()
        low, high = (known[f"{name}{suffix}_{end}"].to_numpy() for end in ("low", "high"))
        ax.hlines(heights, low, high, color=colour, linewidth=min(1.0, 30 / len(known)), alpha=0.5)
        for chosen, face in ((bounded, colour), (~bounded, "white")):
            ax.plot(
                values[chosen],
                heights[chosen],
                linestyle="",
                marker=marker,
                markersize=size,
                markerfacecolor=face,
                markeredgecolor=colour,
                markeredgewidth=0.8,
            )
        if not np.isnan(values).all():
            ax.vlines(float(np.nanmedian(values)), band - 0.01, band + 0.34, color="black", linewidth=1.6)


def _draw_mean(axes: Sequence[Axes], rows: pd.DataFrame, height: float) -> None:
    """Draw the mean autocorrelation, and one over it, with their intervals."""
    for row in rows.to_dict("records"):
        for ax, name in zip(axes, ("autocorrelation", "ruggedness"), strict=True):
            ax.hlines(height, row[f"{name}_low"], row[f"{name}_high"], color="black", linewidth=1.4)
            ax.plot(
                row[name],
                height,
                marker="s",
                markersize=4.5,
                color="black",
                markerfacecolor="white" if pd.isna(row[f"{name}_low"]) else "black",
            )


def _ruggedness_handles(numbers: pd.DataFrame, summary: pd.DataFrame | None) -> list[Line2D]:
    handles = [
        Line2D([], [], linestyle="-", color=colour, marker=marker, markersize=4, linewidth=0.8, label=label)
        for suffix, marker, colour, label in _VARIANTS.values()
        if numbers[f"autocorrelation{suffix}"].notna().any()
    ]
    hollow: dict[str, Any] = {"linestyle": "", "markerfacecolor": "white", "markeredgecolor": COLOURS["grey"]}
    handles.append(Line2D([], [], marker="o", markersize=4, label="hollow: interval unbounded, or none", **hollow))
    handles.append(Line2D([], [], color="black", linewidth=1.6, label="median of the walks"))
    if summary is not None:
        handles.append(
            Line2D([], [], color="black", marker="s", markersize=4.5, label="mean autocorrelation, 1 / mean")
        )
    return handles


def _scale_ruggedness(axes: Axes, numbers: pd.DataFrame) -> None:
    """Give an axis the scale of ruggedness, which is never within -1 and 1 and has no bound: logarithmic both ways."""
    names = [f"ruggedness{suffix}{end}" for suffix in ("", "_published") for end in ("", "_low", "_high")]
    values = np.abs(numbers[names].to_numpy(dtype=np.float64))
    reach = 2 * float(np.nanmax(values, initial=5.0))
    decades = int(np.log10(reach))
    powers = [10.0**power for power in range(0, decades + 1, 1 + decades // 3)]  # at most three labels a side fit
    axes.set_xscale("symlog", linthresh=1, linscale=0.5 * max(1, decades / 3))
    axes.set_xlim(-reach, reach)
    axes.set_xticks([*(-power for power in reversed(powers)), *powers])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(with_prefix))
    axes.set_xlabel("ruggedness = 1 / autocorrelation")


def _mean_text(summary: pd.DataFrame | None, dataset: str, metric: str) -> str:
    if summary is None:
        return ""
    chosen = (summary["dataset"] == dataset) & (summary["metric"] == metric) & (summary["variant"] == "defined")
    for row in summary[chosen].to_dict("records"):
        if not pd.isna(row["autocorrelation"]):
            ends = interval_text(row["autocorrelation_low"], row["autocorrelation_high"])
            inverse = interval_text(row["ruggedness_low"], row["ruggedness_high"])
            return (
                f"; mean autocorrelation {fixed(row['autocorrelation'])}{ends}, whose inverse is "
                f"{fixed(row['ruggedness'])}{inverse or ' without a bounded interval'}"
            )
    return ""


def _visits(walks: pd.DataFrame, benchmark: TabularBenchmark, metrics: Sequence[str]) -> pd.DataFrame:
    """Return the values of all visits in long form."""
    units = {metric: _family(benchmark, metric) for metric in metrics}
    if len(set(units.values())) > 1:
        named = ", ".join(f"{metric} ({unit or 'none'})" for metric, unit in units.items())
        raise TableError(f"Metrics that are drawn in one frame must have one unit, got {named}. Draw them apart.")
    ordered = walks.sort_values(["walk", "step"], ignore_index=True)
    values = benchmark.values(metrics, ordered["hash"].tolist())
    parts = [ordered[["walk", "step", "hash"]].assign(metric=m, value=values[:, c]) for c, m in enumerate(metrics)]
    numbers = pd.concat(parts, ignore_index=True)
    numbers.insert(0, "epochs", benchmark.epochs)
    numbers.insert(0, "dataset", benchmark.dataset)
    return numbers


def _family(benchmark: TabularBenchmark, metric: str) -> str:
    """Return the unit of a metric, where accuracies have one of their own."""
    unit = benchmark.unit(metric)
    return "%" if metric.endswith("accuracy") else unit or metric_name(metric)


def _common_name(metrics: Sequence[str]) -> str:
    if len(metrics) == 1:
        return axis_name(metrics[0])
    return "accuracy" if all(metric.endswith("accuracy") for metric in metrics) else "value"


def _scale(benchmark: TabularBenchmark, metrics: Sequence[str], visible: pd.DataFrame) -> Scale:
    return scale_of(metrics[0], benchmark.unit(metrics[0]), float(visible["value"].abs().max()))


def _difference(scale: Scale, difference: float) -> str:
    """Return a difference of two values; those of shares are in percentage points."""
    return f"{fixed(100 * difference, 1)} points" if scale.unit == "%" else scale.text(difference)


def _draw_series(axes: Axes, part: pd.DataFrame, metrics: Sequence[str], scale: Scale) -> None:
    for place, metric in enumerate(metrics):
        rows = part[part["metric"] == metric]
        style = _walk_style(place)
        if len(rows) > _LONG:
            style |= {"marker": ""}
        axes.plot(rows["step"], rows["value"] / scale.factor, **style)
        missing = rows.loc[rows["value"].isna(), "step"]
        axes.plot(
            missing,
            np.full(len(missing), 0.05 + 0.07 * place),
            transform=axes.get_xaxis_transform(),
            linestyle="",
            marker="x",
            markersize=3.5,
            color=style["color"],
        )


def _walk_style(place: int) -> dict[str, Any]:
    return {
        "color": SERIES_COLOURS[place % len(SERIES_COLOURS)],
        "linestyle": LINES[place % len(LINES)],
        "linewidth": 1.0,
        "marker": "os^Dv"[place % 5],
        "markersize": 2.4,
    }


def _walk_handles(metrics: Sequence[str], visible: pd.DataFrame) -> list[Line2D]:
    handles = [Line2D([], [], label=metric_name(metric), **_walk_style(place)) for place, metric in enumerate(metrics)]
    if visible["value"].isna().any():
        handles.append(
            Line2D([], [], linestyle="", marker="x", markersize=3.5, color=COLOURS["grey"], label="no value")
        )
    return handles
