"""Captions and texts for those who do not see the figures, generated from the numbers the figures show."""

from collections.abc import Callable

import pandas as pd

from terranas.benchmark.schema import metric_name
from terranas.core.formats import count, counted, fixed, listed
from terranas.core.page import Picture
from terranas.landscape.distribution_figures import accuracy_words
from terranas.landscape.figures import Words
from terranas.landscape.imbalance_figures import class_words
from terranas.landscape.latency_figure import latency_words
from terranas.landscape.walk_figures import ruggedness_words
from terranas.report.content import StudyResults
from terranas.search.schema import ARM_NAMES


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
    return class_words(results.class_counts, results.benchmark.dataset)


def _accuracy_distribution(results: StudyResults) -> Words:
    return accuracy_words(results.benchmark)


def _latency(results: StudyResults) -> Words:
    measuring = results.config["profiling"]
    statistic = "Mean" if measuring["protocol"] == "published" else "Median"
    measured = f"{statistic} time of a forward pass of {counted(measuring['batch_sizes'][0], 'image')}"
    return latency_words(results.benchmark, results.config["landscape"]["latency_axis"], measured)


def _ruggedness(results: StudyResults) -> Words:
    return ruggedness_words(results.ruggedness)


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
