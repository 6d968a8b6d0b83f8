"""Figures of class imbalance: the classes' shares, their accuracies, and the gap between micro and macro accuracy."""

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from terranas.core.figures import COLOURS, SPLIT_COLOURS, figure
from terranas.core.formats import SPACE, counted, fixed, listed, percent, significant
from terranas.data.schema import SPLITS
from terranas.landscape.figures import SPLIT_MARKERS, Drawing, Words, headline, interval_text, say, shortened

_FILLS = ("full", "none", "left", "bottom", "right", "top")
_SPLIT_HATCHES = {"train": "", "validation": "////", "test": "...."}


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
    with figure(6.3, max(2.2, 1.2 + 0.32 * len(classes))) as (drawn, axes):
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
        axes.set_yticks(places, [shortened(name) for name in classes["class_name"]])
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("share of the split's images (%)")
        headline(drawn, "Class distribution", dataset)
        if len(classes):
            axes.set_ylim(len(classes) - 0.5, -0.5)  # first class on top
            drawn.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(SPLITS))
        else:
            say(axes, "no classes")
        yield drawn, numbers


def class_words(class_counts: pd.DataFrame, dataset: str) -> Words:
    """Return the texts of :func:`class_distribution`."""
    parts, sizes = [], []
    for split in SPLITS:
        counts = class_counts[class_counts["split"] == split].set_index("class_name")["count"]
        total = counts.sum()
        if total > 0:
            parts.append(f"{split} from {percent(counts.min() / total)} to {percent(counts.max() / total)}")
            largest, smallest = counts.idxmax(), counts.idxmin()
            sizes.append(
                f"{split} {counted(int(total), 'image')}, the most in {largest} ({percent(counts.max() / total)})"
                + (f", the fewest in {smallest} ({percent(counts.min() / total)})" if counts.nunique() > 1 else "")
            )
    classes = class_counts["class_index"].nunique()
    return (
        f"Bars of the shares of {counted(classes, 'class', 'classes')} in each split; the shares are: "
        f"{listed(parts) if parts else 'no images'}.",
        f"Share of each class in the images of {dataset} by split: {'; '.join(sizes) if sizes else 'no images'}. Micro "
        "accuracy weighs classes by these shares, macro accuracy weighs all classes alike.",
    )


@contextmanager
def class_accuracy(classes: pd.DataFrame, correlations: pd.DataFrame | None = None) -> Iterator[Drawing]:
    """Draw the accuracy of each class by split beside its share of the training images, rarest class first.

    Args:
        classes: schema ``landscape.class_accuracy``, of one set of images.
        correlations: schema ``landscape.imbalance_correlations``; the rank correlations of class accuracy and training
            share are named. None leaves them out.

    Yields:
        The figure, and the classes in the order shown.
    """
    numbers = classes.sort_values(["training_share", "class_index"], kind="stable", ignore_index=True)
    order = numbers.drop_duplicates("class_index", ignore_index=True)
    splits = [split for split in SPLITS if numbers.loc[numbers["split"] == split, "accuracy"].notna().any()]
    columns = 1 + max(1, len(splits))
    height = max(2.6, 1.6 + 0.215 * len(order))
    with figure(
        1.9 * columns + 1.4,
        height,
        columns=columns,
        sharey=True,
        gridspec_kw={"width_ratios": [0.75] + [1] * (columns - 1)},
    ) as (drawn, axes):
        shares = 100 * order["training_share"]
        axes[0].barh(range(len(order)), shares, height=0.6, color="#B5B5B5")
        for place, share in enumerate(shares.tolist()):
            if not np.isnan(share):
                axes[0].text(share, place, f"{SPACE}{share:.1f}", va="center", fontsize=7)
        axes[0].margins(x=0.22)
        axes[0].set_xlim(left=0)
        axes[0].set_xlabel("share of training\nimages (%)")
        axes[0].set_yticks(range(len(order)), [shortened(name, 30) for name in order["class_name"]])
        for ax, split in zip(axes[1:], splits, strict=False):
            part = numbers[numbers["split"] == split].set_index("class_index").reindex(order["class_index"])
            _draw_accuracies(ax, part, split)
            ax.set_title(f"{split}\n{_correlation_text(correlations, classes, split)}".rstrip(), fontsize=8.5)
        for ax in axes:
            ax.grid(axis="y", visible=False)
            ax.tick_params(axis="y", length=0)
        if len(order):
            axes[0].set_ylim(-0.6, len(order) - 0.4)
        if not splits:
            say(axes[1], "no class accuracy\nis known")
        n = numbers["n"].max() if len(numbers) else 0
        headline(
            drawn,
            f"Class accuracy by share of training images, {counted(int(n), 'architecture')}",
            ", ".join(sorted(classes["dataset"].unique())) or "no images",
        )
        if splits:
            drawn.legend(handles=_class_handles(numbers), loc="outside lower center", ncols=3)
        yield drawn, numbers


def class_accuracy_words(classes: pd.DataFrame, correlations: pd.DataFrame | None = None) -> Words:
    """Return the texts of :func:`class_accuracy`."""
    known = classes.dropna(subset="accuracy")
    if known.empty:
        return "Bars without dots: no class accuracy is known.", "There is no class accuracy to show."
    parts, related = [], []
    for split in SPLITS:
        part = known[known["split"] == split]
        if part.empty:
            continue
        ordered = part.sort_values("accuracy").to_dict("records")
        worst, best = ordered[0], ordered[-1]
        parts.append(
            f"{split} from {percent(worst['accuracy'])} ({worst['class_name']}, "
            f"{percent(worst['training_share'])} of the training images) to {percent(best['accuracy'])} "
            f"({best['class_name']}, {percent(best['training_share'])})"
        )
        text = _correlation_text(correlations, classes, split)
        if text:
            related.append(f"{split} {text.removeprefix('Spearman ')}")
    confidence = percent(float(known["confidence"].max()), 0)
    datasets = listed(sorted(known["dataset"].unique()))
    return (
        f"Dot plot of the accuracies of {counted(known['class_index'].nunique(), 'class', 'classes')} beside bars of "
        f"their shares of the training images; class accuracy: {'; '.join(parts)}.",
        f"Accuracy of each class of {datasets}, mean over {counted(int(known['n'].max()), 'architecture')} with "
        f"{confidence} interval (thick) and standard deviation over the architectures (thin), the rarest class at the "
        f"bottom: {'; '.join(parts)}."
        + (f" Spearman's rank correlation of accuracy and training share: {'; '.join(related)}." if related else ""),
    )


@contextmanager
def accuracy_gap(gaps: pd.DataFrame) -> Iterator[Drawing]:
    """Draw the gap between micro and macro accuracy by split, and against the split's imbalance.

    Args:
        gaps: schema ``landscape.accuracy_gaps``, of one or several sets of images.

    Yields:
        The figure and the gaps.
    """
    numbers = gaps.copy()
    fills = _fills(gaps)
    labels = [_gap_name(row, gaps) for row in gaps.to_dict("records")]
    known = numbers["gap"].notna()
    with figure(7.0, max(3.4, 1.6 + 0.42 * len(gaps)), columns=2, gridspec_kw={"width_ratios": [1.25, 1]}) as (
        drawn,
        axes,
    ):
        headline(
            drawn, f"Micro minus macro accuracy, {counted(int(gaps['n'].max()) if len(gaps) else 0, 'architecture')}",
            ", ".join(sorted(gaps["dataset"].unique())) or "no images",
        )  # fmt: skip
        if not known.any():
            say(axes[0], "no architecture has\nboth accuracies")
            axes[1].set_visible(False)
            yield drawn, numbers
            return
        for place, row in enumerate(gaps.to_dict("records")):
            style: dict[str, Any] = {"color": SPLIT_COLOURS[row["split"]], "marker": SPLIT_MARKERS[row["split"]]}
            style["fillstyle"] = fills[row["dataset"]]
            axes[0].hlines(
                place,
                100 * (row["gap"] - row["std"]),
                100 * (row["gap"] + row["std"]),
                color=style["color"],
                linewidth=0.9,
            )
            axes[0].hlines(place, 100 * row["gap_low"], 100 * row["gap_high"], color=style["color"], linewidth=3.2)
            axes[0].plot(100 * row["gap"], place, markersize=5, **style)
            if np.isnan(row["gap"]):
                axes[0].text(0, place, " not known", va="center", fontsize=7.5, color=COLOURS["grey"])
            uneven = 1 - row["normalised_entropy"]
            axes[1].vlines(uneven, 100 * row["gap_low"], 100 * row["gap_high"], color=style["color"], linewidth=2.4)
            axes[1].plot(uneven, 100 * row["gap"], markersize=5, **style)
        axes[0].set_yticks(range(len(gaps)), labels)
        axes[0].set_ylim(len(gaps) - 0.4, -0.6)
        axes[0].set_xlabel("micro − macro accuracy (points)")
        axes[0].axvline(0, color=COLOURS["grey"], linewidth=0.8, zorder=0.8)
        axes[0].grid(axis="y", visible=False)
        axes[0].tick_params(axis="y", length=0)
        axes[1].axhline(0, color=COLOURS["grey"], linewidth=0.8, zorder=0.8)
        axes[1].set_xlabel("unevenness of the split's classes\n(1 − normalised entropy; 0 is balanced)")
        axes[1].set_ylabel("micro − macro (points)")
        most = float((1 - numbers.loc[known, "normalised_entropy"]).max())
        axes[1].set_xlim(-0.05 * max(most, 0.1), 1.15 * max(most, 0.1))
        drawn.legend(handles=_gap_handles(gaps), loc="outside lower center", ncols=3)
        yield drawn, numbers


def accuracy_gap_words(gaps: pd.DataFrame) -> Words:
    """Return the texts of :func:`accuracy_gap`."""
    known = gaps.dropna(subset="gap")
    if known.empty:
        return "An empty frame: no gap between micro and macro accuracy is known.", "There is no gap to show."
    short, long = [], []
    for row in known.to_dict("records"):
        name = _gap_name(row, gaps).replace("\n", ", ")
        short.append(f"{name} {fixed(100 * row['gap'], 1)}")
        long.append(
            f"{name} {fixed(100 * row['gap'], 1)}{interval_text(100 * row['gap_low'], 100 * row['gap_high'], 1)} "
            f"points, positive for {percent(row['share_positive'], 0)} of {counted(row['n'], 'architecture')}, "
            f"imbalance ratio {significant(row['imbalance_ratio'])}"
        )
    confidence = percent(float(known["confidence"].max()), 0)
    return (
        f"Dots of the mean gap between micro and macro accuracy in percentage points: {listed(short)}.",
        "Micro accuracy (share of correct images) minus macro accuracy (mean of the class accuracies), mean over the "
        f"architectures with {confidence} interval (thick) and standard deviation (thin); right, against how "
        f"uneven the classes of the split are. {'; '.join(long)}.",
    )


def _draw_accuracies(axes: Axes, part: pd.DataFrame, split: str) -> None:
    colour = SPLIT_COLOURS[split]
    heights = np.arange(len(part))
    mean, std = 100 * part["accuracy"], 100 * part["std"]
    axes.hlines(heights, (mean - std).clip(0, 100), (mean + std).clip(0, 100), color=colour, linewidth=0.8)
    axes.hlines(heights, 100 * part["accuracy_low"], 100 * part["accuracy_high"], color=colour, linewidth=3.2)
    style: dict[str, Any] = {
        "color": colour,
        "marker": SPLIT_MARKERS[split],
        "markeredgecolor": "white",
        "markeredgewidth": 0.4,
    }
    axes.plot(mean, heights, linestyle="", markersize=4, **style)
    axes.axvline(float(mean.mean()), color=COLOURS["grey"], linewidth=0.9, linestyle=":")
    axes.set_xlim(-2, 102)
    axes.set_xlabel("class accuracy (%)")
    for place in heights[mean.isna().to_numpy()]:
        axes.text(1, place, "no images", va="center", fontsize=7, color=COLOURS["grey"])


def _class_handles(numbers: pd.DataFrame) -> list[Line2D]:
    grey = COLOURS["grey"]
    confidence = percent(float(numbers["confidence"].max()), 0)
    return [
        Line2D([], [], color=grey, linewidth=3.2, label=f"mean, {confidence} interval"),
        Line2D([], [], color=grey, linewidth=0.8, label="± standard deviation"),
        Line2D([], [], color=grey, linewidth=0.9, linestyle=":", label="mean over the classes"),
    ]


def _fills(gaps: pd.DataFrame) -> dict[str, Any]:
    """Return how the markers of each set of images are filled."""
    return {name: _FILLS[place % len(_FILLS)] for place, name in enumerate(gaps["dataset"].unique())}


def _gap_handles(gaps: pd.DataFrame) -> list[Line2D]:
    handles = [
        Line2D([], [], linestyle="", marker=SPLIT_MARKERS[split], color=SPLIT_COLOURS[split], label=split)
        for split in SPLITS
        if (gaps["split"] == split).any()
    ]
    grey = COLOURS["grey"]
    if gaps["dataset"].nunique() > 1:
        handles += [
            Line2D([], [], linestyle="", marker="o", color=grey, fillstyle=fill, label=shortened(name, 26))
            for name, fill in _fills(gaps).items()
        ]
    handles.append(
        Line2D([], [], color=grey, linewidth=3.2, label=f"{percent(float(gaps['confidence'].max()), 0)} interval")
    )
    handles.append(Line2D([], [], color=grey, linewidth=0.9, label="± standard deviation"))
    return handles


def _gap_name(row: Mapping[Hashable, Any], gaps: pd.DataFrame) -> str:
    """Return what tells a row from the others: its split, and its images and fidelity where there are several."""
    name = str(row["split"])
    if gaps["epochs"].nunique() > 1:
        name += f", {counted(row['epochs'], 'epoch')}"
    return f"{shortened(str(row['dataset']), 26)}\n{name}" if gaps["dataset"].nunique() > 1 else name


def _correlation_text(correlations: pd.DataFrame | None, classes: pd.DataFrame, split: str) -> str:
    """Return the rank correlation of class accuracy and training share in a split with its interval."""
    if correlations is None or classes.empty:
        return ""
    chosen = (
        (correlations["dataset"] == classes["dataset"].iloc[0])
        & (correlations["split"] == split)
        & (correlations["quantity"] == "class accuracy")
    )
    for row in correlations[chosen].to_dict("records"):
        if np.isnan(row["statistic"]):
            return "Spearman undefined"
        return f"Spearman {fixed(row['statistic'])}{interval_text(row['statistic_low'], row['statistic_high'])}"
    return ""
