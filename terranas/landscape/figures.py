"""Figures of the landscape: each function yields the drawing and the table of numbers it shows."""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator
from numpy.typing import NDArray
from scipy.stats import gaussian_kde, spearmanr

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.figures import COLOURS, SPLIT_COLOURS, figure
from terranas.data.schema import SPLITS
from terranas.landscape.accuracy import ACCURACIES, accuracies_by_split

Drawing = tuple[Figure, pd.DataFrame]

_SPLIT_LINES = {"train": "-", "validation": "--", "test": "-."}
_SPLIT_HATCHES = {"train": "", "validation": "////", "test": "...."}
_ACCURACY_NAMES = {"macro_accuracy": "macro accuracy", "micro_accuracy": "micro accuracy"}
_AXES = {
    "macs": ("multiply-accumulates for one image", "multiply-accumulates (MACs)"),
    "parameters": ("trainable parameters", "trainable parameters"),
}


@contextmanager
def class_distribution(class_counts: pd.DataFrame, dataset: str) -> Iterator[Drawing]:
    """Draw the share of each class in each split.

    Args:
        class_counts: schema ``data.class_counts``.
        dataset: name of the images.
    """
    numbers = class_counts.sort_values(["split", "class_index"], ignore_index=True)
    totals = numbers.groupby("split")["count"].transform("sum")
    numbers["share"] = numbers["count"] / totals.where(totals > 0)
    numbers.insert(0, "dataset", dataset)
    classes = numbers.drop_duplicates("class_index").sort_values("class_index")
    places = np.arange(len(classes))
    with figure(6.3, 1.2 + 0.32 * len(classes)) as (drawn, axes):
        for offset, split in enumerate(SPLITS):
            part = numbers[numbers["split"] == split].set_index("class_index").reindex(classes["class_index"])
            axes.barh(
                places + 0.27 * (offset - 1),
                100 * part["share"],
                height=0.27,
                color=SPLIT_COLOURS[split],
                hatch=_SPLIT_HATCHES[split],
                edgecolor="white",
                linewidth=0,
                label=f"{split} (n = {int(part['count'].sum()):,})",
            )
        axes.set_yticks(places, [_shortened(name) for name in classes["class_name"]])
        axes.set_ylim(len(classes) - 0.5, -0.5)  # first class on top
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("share of the split's images (%)")
        _headline(drawn, "Class distribution", dataset)
        drawn.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(SPLITS))
        yield drawn, numbers


@contextmanager
def accuracy_distribution(benchmark: TabularBenchmark) -> Iterator[Drawing]:
    """Draw density and cumulative distribution of macro and micro accuracy over the architectures, by split."""
    numbers = accuracies_by_split(benchmark)
    known = numbers.dropna(subset="accuracy")
    with figure(6.8, 4.9, rows=2, columns=2, sharex=True, sharey="row") as (drawn, axes):
        for column, metric in enumerate(ACCURACIES):
            density, cumulative = axes[0, column], axes[1, column]
            for split in SPLITS:
                chosen = (known["split"] == split) & (known["metric"] == metric)
                percent = 100 * known.loc[chosen, "accuracy"].to_numpy()
                style: dict[str, Any] = {"color": SPLIT_COLOURS[split], "linestyle": _SPLIT_LINES[split]}
                _draw_density(density, percent, style)
                _draw_cumulative(cumulative, percent, style, split)
            density.set_title(_ACCURACY_NAMES[metric])
            density.set_ylim(bottom=0)
            cumulative.set_ylim(0, 1.02)
            cumulative.set_xlabel(f"{_ACCURACY_NAMES[metric]} (%)")
        axes[0, 0].set_xlim(*_percent_range(known["accuracy"]))
        axes[0, 0].set_ylabel("density (1/%)")
        axes[1, 0].set_ylabel("share of architectures\nwith at most this accuracy")
        used = known["hash"].nunique()
        counted = _architectures(used, len(benchmark.architectures) - used, "failed training")
        _headline(drawn, f"Accuracies after {_counted(benchmark.epochs, 'epoch')}, {counted}", benchmark.dataset)
        drawn.legend(*axes[1, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(SPLITS))
        yield drawn, numbers


@contextmanager
def latency_against(
    table: pd.DataFrame, benchmark: TabularBenchmark, axis: Literal["macs", "parameters"]
) -> Iterator[Drawing]:
    """Draw latency against MACs or parameters, with Spearman's rank correlation.

    Args:
        table: schema ``benchmark.table``, for the name of the device.
        benchmark: the same table, indexed.
        axis: ``macs`` or ``parameters`` (which the published figure shows under the name MACs).
    """
    values = benchmark.values([axis, "latency_ms"])
    numbers = pd.DataFrame(
        {"dataset": benchmark.dataset, "hash": benchmark.architectures, axis: values[:, 0], "latency_ms": values[:, 1]}
    )
    known = numbers.dropna()
    devices = sorted(set(table["device"]) - {""})
    meaning, name = _AXES[axis]
    with figure(5.2, 4.2) as (drawn, axes):
        axes.scatter(known[axis], known["latency_ms"], s=18, color=COLOURS["blue"], alpha=0.6, linewidths=0)
        axes.xaxis.set_major_formatter(FuncFormatter(_with_prefix))
        axes.set_xlabel(meaning)
        axes.set_ylabel("latency of a batch (ms, median)")
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        correlation = "undefined" if _is_constant(known[axis], known["latency_ms"]) else _spearman(known, axis)
        axes.set_title(f"Spearman's rank correlation {correlation}")
        counted = _architectures(len(known), len(numbers) - len(known), "without a latency", plural="")
        _headline(
            drawn,
            f"Latency against {name}",
            f"networks for {benchmark.dataset}, on {', '.join(devices) or 'no device'}",
            counted,
        )
        yield drawn, numbers


@contextmanager
def ruggedness_distribution(ruggedness: pd.DataFrame) -> Iterator[Drawing]:
    """Draw autocorrelation and ruggedness of every walk in every metric, as defined and as published.

    Args:
        ruggedness: schema ``landscape.ruggedness``.
    """
    numbers = ruggedness.copy()
    metrics = numbers["metric"].unique().tolist()
    walks = numbers["walk"].nunique()
    with figure(7.0, 1.6 + 0.85 * len(metrics), columns=2, sharey=True) as (drawn, axes):
        labels = []
        for row, metric in enumerate(metrics):
            part = numbers[numbers["metric"] == metric]
            published = part["ruggedness_published"]
            _draw_strip(axes[0], part["autocorrelation"], row - 0.16, "defined")
            _draw_strip(axes[0], 1 / published, row + 0.16, "published")
            _draw_strip(axes[1], part["ruggedness"], row - 0.16, "defined")
            _draw_strip(axes[1], published, row + 0.16, "published")
            defined = part["ruggedness"].notna().sum()
            labels.append(f"{metric.replace('_', ' ')}\n{defined} of {walks} walks")
        axes[0].set_yticks(range(len(metrics)), labels)
        axes[0].set_ylim(len(metrics) - 0.5, -0.5)
        axes[0].set_xlim(-1.05, 1.05)
        axes[0].set_xlabel("lag-1 autocorrelation")
        _scale_ruggedness(axes[1], numbers)
        for ax in axes:
            ax.axvline(0, color=COLOURS["grey"], linewidth=0.8, zorder=0.8)
            ax.grid(axis="y", visible=False)
            ax.tick_params(axis="y", length=0)
        datasets = ", ".join(sorted(numbers["dataset"].unique()))
        _headline(drawn, f"Ruggedness along {_counted(walks, 'random walk')}", datasets)
        handles = dict(zip(*reversed(axes[0].get_legend_handles_labels()), strict=True))
        shown = [label for label in (*(style["label"] for style in _VARIANTS.values()), "median") if label in handles]
        drawn.legend([handles[label] for label in shown], shown, loc="outside lower center", ncols=3)
        yield drawn, numbers


_VARIANTS = {
    "defined": {"marker": "o", "color": COLOURS["blue"], "label": "each architecture once"},
    "published": {"marker": "D", "color": COLOURS["vermilion"], "label": "published way: start counted twice"},
}


def _draw_strip(axes: Axes, values: pd.Series, height: float, variant: Literal["defined", "published"]) -> None:
    known = np.sort(values.dropna().to_numpy(dtype=np.float64))
    if not len(known):
        return
    # a fixed zigzag instead of random jitter: equal numbers give equal files
    heights = height + 0.05 * (np.arange(len(known)) % 3 - 1)
    style = _VARIANTS[variant]
    axes.plot(
        known,
        heights,
        linestyle="",
        marker=style["marker"],
        markersize=4,
        markerfacecolor=style["color"] if variant == "defined" else "white",
        markeredgecolor=style["color"],
        alpha=0.7,
        label=style["label"],
    )
    median = float(np.median(known))
    axes.plot([median, median], [height - 0.13, height + 0.13], color="black", linewidth=1.8, label="median")


def _scale_ruggedness(axes: Axes, numbers: pd.DataFrame) -> None:
    """Give an axis the scale of ruggedness, which is never within -1 and 1 and has no bound: logarithmic both ways."""
    values = np.abs(numbers[["ruggedness", "ruggedness_published"]].to_numpy(dtype=np.float64))
    reach = 2 * float(np.nanmax(values, initial=5.0))
    decades = int(np.log10(reach))
    powers = [10.0**power for power in range(0, decades + 1, 1 + decades // 3)]  # at most three labels a side fit
    axes.set_xscale("symlog", linthresh=1, linscale=0.5 * max(1, decades / 3))
    axes.set_xlim(-reach, reach)
    axes.set_xticks([*(-power for power in reversed(powers)), *powers])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(_with_prefix))
    axes.set_xlabel("ruggedness = 1 / autocorrelation")


def _draw_density(axes: Axes, percent: NDArray[np.float64], style: dict[str, Any]) -> None:
    """Draw a kernel density estimate, mirrored at 0 and 100 % so that it integrates to 1 between them."""
    if len(percent) < 2 or np.ptp(percent) == 0:
        for value in np.unique(percent):
            axes.axvline(value, **style)
        return
    grid = np.linspace(0, 100, 501)
    estimate = gaussian_kde(percent)
    height = estimate(grid) + estimate(-grid) + estimate(200 - grid)
    axes.plot(grid, height, **style)
    axes.fill_between(grid, height, color=style["color"], alpha=0.12, linewidth=0)


def _draw_cumulative(axes: Axes, percent: NDArray[np.float64], style: dict[str, Any], label: str) -> None:
    steps = np.concatenate([[0], np.sort(percent), [100]])
    shares = np.concatenate([[0], np.arange(1, len(percent) + 1), [len(percent)]]) / max(len(percent), 1)
    axes.step(steps, shares, where="post", label=f"{label} (n = {len(percent):,})", **style)


def _percent_range(accuracies: pd.Series) -> tuple[float, float]:
    """Return limits in percent that hold all accuracies and the tails of their densities."""
    if accuracies.empty:
        return 0, 100
    lowest, highest = 100 * accuracies.min(), 100 * accuracies.max()
    margin = max(2.0, 0.1 * (highest - lowest))
    return max(0.0, lowest - margin), min(100.0, highest + margin)


def _headline(drawn: Figure, *lines: str) -> None:
    """Write the lines above a figure, broken where they are wider than it."""
    characters = int(12.5 * drawn.get_figwidth())
    broken = [part for line in lines for part in textwrap.wrap(line, characters)]
    drawn.suptitle("\n".join(broken), x=0.01, ha="left", fontsize=9.5)


def _spearman(known: pd.DataFrame, axis: str) -> str:
    return f"{spearmanr(known[axis], known['latency_ms']).statistic:.2f} (n = {len(known):,})"


def _is_constant(*columns: pd.Series) -> bool:
    return any(column.nunique() < 2 for column in columns)


def _architectures(used: int, left_out: int, reason: str, plural: str = "s") -> str:
    text = _counted(used, "architecture")
    if left_out:
        text += f" ({left_out:,} {reason}{plural if left_out > 1 else ''} left out)"
    return text


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _shortened(name: str, width: int = 34) -> str:
    return name if len(name) <= width else f"{name[: width - 1]}…"


def _with_prefix(value: float, _position: object = None) -> str:
    """Return a tick label with a metric prefix: 1500000 as 1.5 M."""
    for factor, prefix in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= factor:
            return f"{value / factor:g}{prefix}".replace("-", "−")
    return f"{value:g}".replace("-", "−")
