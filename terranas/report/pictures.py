"""Caption and text of the surrogates' figure, generated from the numbers it shows; other figures come with theirs."""

from terranas.benchmark.schema import metric_name
from terranas.core.formats import count, counted, fixed, listed, percent
from terranas.core.page import Picture
from terranas.report.content import StudyResults
from terranas.surrogates.figures import surrogate_words
from terranas.surrogates.plateau import LEVEL


def size_analysis(results: StudyResults, png: bytes, source: str = "") -> Picture:
    """Return the figure of the surrogates' scores with its texts.

    Args:
        results: the study's tables.
        png: content of the figure's file.
        source: path of the file.

    Raises:
        DataError: the content is no PNG file.
    """
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
    return Picture(
        "size_analysis",
        png,
        f"Scores of {surrogates} for training sets of {count(sizes[0])} to {count(sizes[-1])} architectures; mean "
        f"Spearman correlation from the smallest to the largest: {listed(parts)}.",
        f"How well {surrogates} predict architectures that they were not trained on, by the size of the training set: "
        f"means and {percent(LEVEL, 0)} intervals of {repeats} of each size. A ring marks where the plateau of "
        f"Spearman's correlation begins: less than {results.config['surrogates']['plateau']:g} below that of the "
        "largest size.",
        source,
    )
