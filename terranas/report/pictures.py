"""Captions and texts for those who do not see the figures, generated from the numbers the figures show."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from terranas.benchmark.schema import metric_name
from terranas.core.formats import count, counted, fixed, listed, percent
from terranas.core.page import Picture
from terranas.data.schema import SPLITS
from terranas.report.content import StudyResults
from terranas.report.formats import metric_value
from terranas.search.schema import ARM_NAMES

Words = tuple[str, str]
"""Text for those who do not see the figure, and caption."""


def picture(results: StudyResults, name: str, png: bytes) -> Picture:
    """Return a figure of the study with its texts.

    Args:
        results: the study's tables.
        name: name of the figure's file without its ending.
        png: content of the file.

    Raises:
        KeyError: the page knows no figure of that name.
        DataError: the content is no PNG file.
    """
    alt, caption = _WORDS[name](results)
    return Picture(name, png, alt, caption)


def _class_distribution(results: StudyResults) -> Words:
    parts = []
    for split in SPLITS:
        counts = results.class_counts[results.class_counts["split"] == split].set_index("class_name")["count"]
        if counts.sum() > 0:
            parts.append(
                f"{split} from {percent(counts.min() / counts.sum())} to {percent(counts.max() / counts.sum())}"
            )
    classes = results.class_counts["class_index"].nunique()
    return (
        f"Bars of the shares of {counted(classes, 'class', 'classes')} in each split; the shares are: "
        f"{listed(parts) if parts else 'no images'}.",
        "Share of each class in the images of the three splits. Micro accuracy weighs classes by these shares, macro "
        "accuracy weighs all classes alike.",
    )


def _accuracy_distribution(results: StudyResults) -> Words:
    parts = []
    for split in SPLITS:
        for kind in ("macro", "micro"):
            values = results.benchmark.values([f"{split}_{kind}_accuracy"])[:, 0]
            known = values[~np.isnan(values)]
            if len(known):
                parts.append(f"{split} {kind} {percent(float(np.median(known)))}")
    return (
        f"Distributions of the accuracies of {counted(len(results.benchmark.architectures), 'architecture')}; medians: "
        f"{listed(parts) if parts else 'no values'}.",
        f"Accuracies of the architectures after {counted(results.benchmark.epochs, 'epoch')}: probability density and "
        "cumulative distribution of macro accuracy (mean of the class accuracies) and micro accuracy (share of "
        "correct images) on each split.",
    )


def _latency(results: StudyResults) -> Words:
    axis = str(results.config["landscape"]["latency_axis"])
    values = pd.DataFrame(results.benchmark.values([axis, "latency_ms"]), columns=["x", "y"]).dropna()
    correlation = values["x"].corr(values["y"], method="spearman") if len(values) > 1 else float("nan")
    devices = sorted(set(results.table["device"]) - {""})
    return (
        f"Scatter plot of latency against {metric_name(axis)} of {counted(len(values), 'architecture')}; latency from "
        f"{metric_value('latency_ms', values['y'].min())} to {metric_value('latency_ms', values['y'].max())}, Spearman "
        f"correlation {fixed(correlation)}.",
        f"Median time of a forward pass of {count(results.config['profiling']['batch_size'])} images"
        + (f" on {listed(devices)}" if devices else "")
        + f" against {metric_name(axis)}. Spearman's rank correlation is {fixed(correlation)}: "
        "1 would mean that the computed cost ranks architectures exactly as the clock does.",
    )


def _ruggedness(results: StudyResults) -> Words:
    parts = []
    for metric, rows in results.ruggedness.groupby("metric", sort=False):
        known = rows["ruggedness"].dropna()
        span = f"from {fixed(known.min())} to {fixed(known.max())}" if len(known) else "undefined on all walks"
        parts.append(f"{metric_name(str(metric))} {span}")
    walks = results.ruggedness["walk"].nunique()
    return (
        f"Autocorrelation and ruggedness of {counted(walks, 'walk')}; ruggedness of {listed(parts)}.",
        "Lag-1 autocorrelation of the accuracies along each random walk, and ruggedness, which is one over it; black "
        "lines are medians. Diamonds count each walk's start twice, as the published study's code does. A walk has "
        f"{counted(results.config['sampling']['steps'], 'step')}; the fewer, the less its autocorrelation says.",
    )


def _size_analysis(results: StudyResults) -> Words:
    sizes = sorted(results.scores["size"].unique().tolist())
    parts = []
    for objective, rows in results.scores.groupby("objective", sort=False):
        means = rows.groupby("size")["spearman"].mean()
        parts.append(f"{metric_name(str(objective))} {fixed(means.iloc[0])} to {fixed(means.iloc[-1])}")
    repeats = results.scores["repeat"].nunique()
    return (
        f"Scores of the surrogates for training sets of {count(sizes[0])} to {count(sizes[-1])} architectures; mean "
        f"Spearman correlation from the smallest to the largest: {listed(parts)}.",
        "How well gradient-boosted trees predict architectures that they were not trained on, by the size of the "
        f"training set: means and range of {counted(repeats, 'random training set')} of each size.",
    )


def _fronts(results: StudyResults) -> Words:
    front = results.searched.true_front(results.objectives)
    names = listed([metric_name(name) for name in results.objectives])
    arms = listed([ARM_NAMES[arm] for arm in ARM_NAMES if (results.runs["arm"] == arm).any()] or ["no searches"])
    return (
        f"Fronts found from {arms} in the plane of {names}, beside the true front of "
        f"{counted(len(front), 'architecture')}.",
        f"Fronts of {names} that the searches found with their largest budgets, beside the true Pareto front (the "
        f"stairs) and all architectures of the benchmark ({results.searched.dataset}). The larger a dot, the more "
        "searches found that point.",
    )


def _violins(results: StudyResults) -> Words:
    parts = _hypervolume_medians(results.indicators)
    seeds = results.indicators["seed"].nunique()
    return (
        f"Violin plots of indicators of both arms by budget; median hypervolume: {parts}.",
        f"Indicators of the final fronts, one point for each of {counted(seeds, 'search', 'searches')} of an arm and "
        "budget. In brackets: the evaluations of the surrogate arm with the training sample that is charged to it.",
    )


def _anytime(results: StudyResults) -> Words:
    largest = results.indicators.groupby("arm")["budget"].transform("max")
    final = results.indicators[results.indicators["budget"] == largest]
    return (
        f"Curves of hypervolume over evaluations for both arms; median hypervolume at the largest budgets: "
        f"{_hypervolume_medians(final)}.",
        "Hypervolume of all architectures evaluated so far: median and quartiles of the searches of an arm. The "
        f"surrogate arm begins after the {counted(results.config['surrogates']['training_sample'], 'architecture')} "
        "that trained its surrogate; the dashed line is the most that can be reached.",
    )


def _hypervolume_medians(indicators: pd.DataFrame) -> str:
    medians = indicators.groupby(["arm", "budget"], sort=True)["hypervolume"].median()
    parts = [
        f"{ARM_NAMES[arm]} {count(budget)} evaluations {fixed(medians[arm, budget], 3)}"
        for arm in ARM_NAMES
        if arm in medians.index.get_level_values("arm")
        for budget in medians[arm].index
    ]
    return listed(parts) if parts else "no values"


_WORDS: dict[str, Callable[[StudyResults], Words]] = {
    "class_distribution": _class_distribution,
    "accuracy_distribution": _accuracy_distribution,
    "latency": _latency,
    "ruggedness": _ruggedness,
    "size_analysis": _size_analysis,
    "fronts": _fronts,
    "violins": _violins,
    "anytime": _anytime,
}
