"""Captions and texts for those who do not see the figures, generated from the numbers the figures show.

The figures of the landscape and the surrogates that stand on the page; those of the searches come with their texts.
"""

from collections.abc import Callable

from terranas.benchmark.schema import metric_name
from terranas.core.formats import count, counted, fixed, listed, percent
from terranas.core.page import Picture
from terranas.landscape.distribution_figures import accuracy_words
from terranas.landscape.figures import Words
from terranas.landscape.imbalance_figures import class_words
from terranas.landscape.latency_figure import latency_words
from terranas.landscape.walk_figures import ruggedness_words
from terranas.report.content import StudyResults
from terranas.surrogates.figures import surrogate_words
from terranas.surrogates.plateau import LEVEL


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
    scores = results.scores
    sizes = sorted(scores["size"].unique().tolist())
    parts = []
    for (objective, surrogate), rows in scores.groupby(["objective", "surrogate"], sort=False):
        means = rows.groupby("size")["spearman"].mean()
        parts.append(
            f"{metric_name(str(objective))} by {surrogate_words(str(surrogate))} {fixed(means.iloc[0])} to "
            f"{fixed(means.iloc[-1])}"
        )
    repeats = counted(int(scores["repeat"].nunique()), "random training set")
    surrogates = counted(int(scores["surrogate"].nunique()), "surrogate")
    return (
        f"Scores of {surrogates} for training sets of {count(sizes[0])} to {count(sizes[-1])} architectures; mean "
        f"Spearman correlation from the smallest to the largest: {listed(parts)}.",
        f"How well {surrogates} predict architectures that they were not trained on, by the size of the training set: "
        f"means and {percent(LEVEL, 0)} intervals of {repeats} of each size. A ring marks where the plateau of "
        f"Spearman's correlation begins: less than {results.config['surrogates']['plateau']:g} below that of the "
        "largest size.",
    )


_WORDS: dict[str, Callable[[StudyResults], Words]] = {
    "class_distribution": _class_distribution,
    "accuracy_distribution": _accuracy_distribution,
    "latency": _latency,
    "ruggedness": _ruggedness,
    "size_analysis": _size_analysis,
}
