"""Figures of what makes a cell good: correlations of metrics with features of its graph, and partial dependence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from terranas.benchmark.schema import metric_name
from terranas.core.figures import COLOURS, figure
from terranas.core.formats import MISSING, count, counted, fixed, listed, percent, sentence
from terranas.landscape.figures import Drawing, Scale, Words, headline, say, scale_for, shortened

MOST_FEATURES = 15
"""Features drawn; of more, those with the strongest correlation in any panel."""

MOST_EFFECTS = 4
"""Features drawn in a row of partial dependence."""

_COLUMNS = 3
_RARE = 0.01  # share of the background below which a place is hardly more than an extrapolation
_NAMES = {
    "num_vertices": "vertices",
    "num_edges": "edges",
    "num_conv3x3": "3×3 convolutions",
    "num_conv1x1": "1×1 convolutions",
    "num_maxpool3x3": "3×3 max poolings",
    "longest_path": "longest path",
    "shortest_path": "shortest path",
    "num_paths": "paths from input to output",
    "input_degree": "edges that leave the input",
    "output_degree": "edges that enter the output",
    "has_skip": "edge from input to output",
    "width": "width",
    "min_channels": "least share of channels",
    "mean_channels": "mean share of channels",
    "max_channels": "largest share of channels",
    "log10_macs": "log10 MACs",
    "log10_parameters": "log10 parameters",
}


def feature_name(feature: str) -> str:
    """Return the name of a feature in words."""
    return _NAMES.get(feature, feature.replace("_", " "))


@contextmanager
def feature_correlations(table: pd.DataFrame) -> Iterator[Drawing]:
    """Draw the correlation of each metric with the strongest features, with intervals; one panel a metric.

    Args:
        table: schema ``landscape.feature_correlations``, of one or more metrics.
    """
    numbers = table.assign(shown=table["feature"].isin(_strongest(table)))
    features = _strongest(table)
    panels = _by_metric(numbers[numbers["shown"]])
    rows = max(1, -(-len(panels) // _COLUMNS))
    columns = max(1, -(-len(panels) // rows))
    with figure(
        2.6 + 2.1 * columns if columns > 1 else 5.6,
        1.1 + rows * (0.7 + 0.22 * max(3, len(features))),
        rows=rows,
        columns=columns,
        sharex=True,
        sharey=True,
        squeeze=False,
    ) as (drawn, axes):
        flat = list(axes.flat)
        for panel, ((dataset, metric, epochs), part) in zip(flat, panels, strict=False):
            _draw_correlations(panel, part.set_index("feature"), features)
            size = int(part["n"].max())
            panel.set_title(
                f"{metric_name(metric)}\n{shortened(dataset, 22)}, {counted(epochs, 'epoch')}\nn = {count(size)}",
                fontsize=8,
            )
        for panel in flat[len(panels) :]:
            panel.set_axis_off()
        if not panels:
            say(flat[0], "No feature has a defined rank correlation\nwith a metric.")
        else:
            flat[0].set_yticks(range(len(features)), [feature_name(name) for name in features])
            flat[0].set_ylim(len(features) - 0.5, -0.5)
            flat[0].set_xlim(-1.05, 1.05)
            for panel in flat[max(0, len(panels) - columns) : len(panels)]:
                panel.set_xlabel("Spearman's ρ")
                panel.tick_params(labelbottom=True)
        headline(drawn, "Rank correlations with features of a cell", _how_many(table, features))
        yield drawn, numbers


def feature_correlations_words(table: pd.DataFrame) -> Words:
    """Return the texts of :func:`feature_correlations`."""
    parts = []
    for (dataset, metric, _), part in _by_metric(table):
        known = part.dropna(subset="statistic").sort_values("place").head(3)
        told = [f"{feature_name(row['feature'])} {fixed(row['statistic'])}" for _, row in known.iterrows()]
        parts.append(f"{metric_name(metric)} on {dataset}: {listed(told) if told else 'no correlation is defined'}")
    levels = listed([percent(level, 0) for level in sorted(table["confidence"].unique())] or [MISSING])
    return (
        f"Spearman's rank correlations of metrics with features of a cell, the strongest: "
        f"{'; '.join(parts) if parts else 'none'}.",
        f"Rank correlation of each metric with numbers that describe a cell's graph, with {levels} intervals "
        f"({_how_many(table, _strongest(table))}). Filled points have an interval that leaves out 0, open ones do "
        "not or have none. One feature at a time: features depend on each other.",
    )


@contextmanager
def feature_effects(table: pd.DataFrame) -> Iterator[Drawing]:
    """Draw the partial dependence of each metric on some features, above how the cells' values are distributed.

    Args:
        table: schema ``landscape.feature_effects``, of one or more metrics.
    """
    numbers = table.copy()
    groups = _by_metric(numbers)
    columns = min(MOST_EFFECTS, max([part["feature"].nunique() for _, part in groups], default=1))
    lines = sum(-(-part["feature"].nunique() // MOST_EFFECTS) for _, part in groups)
    with figure(
        max(5.0, 1.0 + 1.75 * columns),
        0.8 + 2.75 * max(1, lines) if groups else 2.5,
        rows=2 * max(1, lines),
        columns=columns,
        height_ratios=[3.2, 1] * max(1, lines),
        squeeze=False,
    ) as (drawn, axes):
        for panel in axes.flat[1:] if not groups else []:
            panel.set_axis_off()
        if not groups:
            say(axes[0, 0], "No partial dependence was computed.")
        line = 0
        for (dataset, metric, epochs), part in groups:
            scale = scale_for(metric, part["effect"])
            limits = _limits(part["effect"] / scale.factor)
            features = list(part.groupby("feature", sort=False))
            for first in range(0, len(features), MOST_EFFECTS):
                chosen = features[first : first + MOST_EFFECTS]
                for column in range(columns):
                    upper, lower = axes[2 * line, column], axes[2 * line + 1, column]
                    if column >= len(chosen):
                        upper.set_axis_off()
                        lower.set_axis_off()
                        continue
                    _draw_effect(upper, lower, str(chosen[column][0]), chosen[column][1], scale, limits)
                    if column:
                        upper.tick_params(labelleft=False)
                        lower.tick_params(labelleft=False)
                axes[2 * line, 0].set_ylabel(scale.label(metric_name(metric)), fontsize=8)
                axes[2 * line + 1, 0].set_ylabel("cells (%)", fontsize=8)
                if not first:
                    title = axes[2 * line, 0].set_title(_scores(dataset, epochs, part.iloc[0]), fontsize=8, pad=6)
                    title.set_in_layout(False)  # it stands above the whole line and must not widen the first panel
                line += 1
        headline(drawn, "Partial dependence on features of a cell", _background(numbers))
        yield drawn, numbers


def feature_effects_words(table: pd.DataFrame) -> Words:
    """Return the texts of :func:`feature_effects`."""
    parts = []
    for (dataset, metric, epochs), of_metric in _by_metric(table):
        scale = scale_for(metric, of_metric["effect"])
        told = []
        for feature, part in of_metric.groupby("feature", sort=False):
            low, high = (part.iloc[place] for place in (int(part["effect"].argmin()), int(part["effect"].argmax())))
            if low["effect"] == high["effect"]:
                told.append(f"{feature_name(str(feature))} no effect")
                continue
            told.append(
                f"{feature_name(str(feature))} from {scale.text(low['effect'])} at {low['value']:.3g} to "
                f"{scale.text(high['effect'])} at {high['value']:.3g}"
            )
        parts.append(f"{metric_name(metric)}, {_scores(dataset, epochs, of_metric.iloc[0])}: {listed(told)}")
    return (
        f"Curves of partial dependence over the distribution of each feature. {'; '.join(parts) if parts else 'None'}.",
        "Mean prediction of boosted trees over background cells when one feature is set to a value and the others "
        f"stay. {sentence(_background(table))}. Open points: under {percent(_RARE, 0)} of the cells have that value, "
        "so the surrogate extrapolates. Below: how the cells are distributed, as bars or, for many different values, "
        "with a stroke at quantiles. R² is that of held-out cells: where it is low, the curve is not to be trusted.",
    )


def _by_metric(table: pd.DataFrame) -> list[tuple[tuple[str, str, int], pd.DataFrame]]:
    """Return the rows of each set of images, metric and fidelity, in their order."""
    found = []
    for key, part in table.groupby(["dataset", "metric", "epochs"], sort=False):
        dataset, metric, epochs = cast(tuple[str, str, int], key)
        found.append(((dataset, metric, int(epochs)), part))
    return found


def _strongest(table: pd.DataFrame) -> list[str]:
    """Return the features to draw, by their strongest correlation in any panel."""
    strength = table.assign(strength=table["statistic"].abs()).groupby("feature")["strength"].max().dropna()
    return strength.sort_index().sort_values(ascending=False, kind="stable").index.tolist()[:MOST_FEATURES]


def _how_many(table: pd.DataFrame, features: list[str]) -> str:
    total, undefined = table["feature"].nunique(), table.groupby("feature")["statistic"].apply(lambda s: s.isna().all())
    text = f"{count(len(features))} of {counted(total, 'feature')}, by their strongest correlation"
    if undefined.any():
        text += f"; undefined: {listed([feature_name(name) for name in undefined.index[undefined]])}"
    return text


def _draw_correlations(axes: Axes, rows: pd.DataFrame, features: list[str]) -> None:
    axes.axvline(0, color=COLOURS["grey"], linewidth=0.8)
    for place, feature in enumerate(features):
        row = rows.reindex([feature]).iloc[0]
        value, low, high = (float(row[name]) for name in ("statistic", "statistic_low", "statistic_high"))
        if np.isnan(value):
            axes.text(0, place, "undefined", ha="center", va="center", fontsize=7, color=COLOURS["grey"])
            continue
        colour = COLOURS["blue"] if value >= 0 else COLOURS["vermilion"]
        if not np.isnan(low + high):
            axes.plot([low, high], [place, place], color=colour, linewidth=1.2)
        clear = low * high > 0
        axes.plot(
            value,
            place,
            marker="o" if value >= 0 else "s",
            markersize=4.5,
            color=colour,
            markerfacecolor=colour if clear else "white",
        )
        ends = [value] if np.isnan(low + high) else [low, high]
        to_the_right = (value >= 0) == (abs(value) < 0.62)  # near the frame, the number stands on the inner side
        axes.text(
            max(ends) + 0.06 if to_the_right else min(ends) - 0.06,
            place,
            fixed(value),
            ha="left" if to_the_right else "right",
            va="center",
            fontsize=7,
        )
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)


def _draw_effect(
    upper: Axes, lower: Axes, feature: str, part: pd.DataFrame, scale: Scale, limits: tuple[float, float]
) -> None:
    part = part.sort_values("value")
    values, effects = part["value"].to_numpy(), part["effect"].to_numpy() / scale.factor
    shares = part["cells"].to_numpy() / part["background"].to_numpy()
    counted_out = shares.sum() > 0.9  # the places are all values there are, not quantiles of them
    upper.plot(values, effects, color=COLOURS["blue"])
    rare = counted_out & (shares < _RARE)
    for chosen, face in ((~rare, COLOURS["blue"]), (rare, "white")):
        upper.plot(
            values[chosen],
            effects[chosen],
            linestyle="",
            marker="o",
            markersize=4,
            color=COLOURS["blue"],
            markerfacecolor=face,
        )
    reach = float(np.ptp(values)) or 1.0
    gap = float(np.diff(values).min()) if len(values) > 1 else 1.0
    if counted_out:
        lower.bar(values, 100 * shares, width=max(0.7 * gap, 0.03 * reach), color=COLOURS["grey"])
        lower.set_ylim(0, 100)
        lower.set_yticks([0, 50, 100])
    else:
        lower.vlines(values, 0, 1, color=COLOURS["grey"], linewidth=1)
        lower.set_ylim(0, 1.6)
        lower.text(0.5, 0.98, "quantiles", transform=lower.transAxes, ha="center", va="top", fontsize=7)
        lower.set_yticks([])
        lower.grid(visible=False)
    margin = max(0.6 * gap if counted_out else 0.0, 0.06 * reach)
    for axes in (upper, lower):
        axes.set_xlim(values.min() - margin, values.max() + margin)
        if counted_out and len(values) <= 8 and gap > reach / 12:
            axes.set_xticks(values, [f"{value:.3g}" for value in values])
    upper.set_ylim(*limits)
    upper.tick_params(labelbottom=False)
    lower.set_xlabel(feature_name(feature), fontsize=8)


def _limits(effects: pd.Series) -> tuple[float, float]:
    """Return one axis for all features of a metric, so that their effects can be compared."""
    low, high = float(effects.min()), float(effects.max())
    margin = 0.07 * (high - low) if high > low else max(0.01 * abs(high), 0.5)
    return low - margin, high + margin


def _scores(dataset: str, epochs: int, row: pd.Series) -> str:
    return (
        f"{dataset}, {counted(epochs, 'epoch')}: R² = {fixed(row['r2'])}, ρ = {fixed(row['spearman'])} on "
        f"{count(row['held_out'])} held-out cells"
    )


def _background(table: pd.DataFrame) -> str:
    if table.empty:
        return "no surrogate"
    trained, background = (sorted(set(table[name].tolist())) for name in ("trained", "background"))
    return (
        f"boosted trees fitted to {listed([count(number) for number in trained])} cells, averaged over "
        f"{listed([count(number) for number in background])}"
    )
