"""Figure of the surrogates' scores by training-set size."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from terranas.benchmark.schema import metric_name
from terranas.core.figures import COLOURS, figure
from terranas.surrogates.labels import metric_unit, sentence_case, write_numbers

CORRELATIONS = {"spearman": "Spearman", "kendall": "Kendall", "pearson": "Pearson"}
ERRORS = {"rmse": "root mean squared error", "mae": "mean absolute error"}
SCORE_COLOURS = {
    "spearman": COLOURS["blue"],
    "kendall": COLOURS["vermilion"],
    "pearson": COLOURS["green"],
    "rmse": COLOURS["purple"],
    "mae": COLOURS["orange"],
}
MARKERS = {"spearman": "o", "kendall": "s", "pearson": "^", "rmse": "o", "mae": "s"}


def summarise_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Return mean, smallest and largest value of every score over the repeats.

    Args:
        scores: schema ``surrogates.scores``.

    Returns:
        One row a dataset, objective, size and score, with ``repeats`` that have a value (a correlation with constant
        predictions has none).
    """
    names = [*CORRELATIONS, *ERRORS, "r2"]
    keys = ["dataset", "objective", "size", "score"]
    long = scores.melt(keys[:3], names, var_name="score")
    groups = long.groupby(keys, sort=True)["value"]
    return groups.agg(repeats="count", mean="mean", smallest="min", largest="max").reset_index()


@contextmanager
def size_figure(scores: pd.DataFrame) -> Iterator[tuple[Figure, pd.DataFrame]]:
    """Yield the figure of scores by training-set size, and its numbers.

    One column an objective: rank and linear correlations above, errors in the objective's unit below. Lines are means
    over the repeats, bands reach from the smallest to the largest.

    Args:
        scores: schema ``surrogates.scores``.
    """
    summary = summarise_scores(scores)
    objectives = list(dict.fromkeys(scores["objective"]))
    repeats, held_out = scores["repeat"].nunique(), scores["held_out"]
    tested = f"{held_out.min():,}" if held_out.nunique() == 1 else f"{held_out.min():,} to {held_out.max():,}"
    with figure(3.6 * len(objectives), 5.4, rows=2, columns=len(objectives), sharex=True, squeeze=False) as (
        drawn,
        axes,
    ):
        for column, objective in enumerate(objectives):
            own = summary[summary["objective"] == objective]
            for row, (names, label) in enumerate(
                ((CORRELATIONS, "Correlation with the truth"), (ERRORS, _error_label(objective)))
            ):
                _draw_scores(axes[row, column], own, names)
                axes[row, column].set_ylabel(label)
            axes[0, column].set_title(sentence_case(metric_name(objective)))
            axes[0, column].set_ylim(min(0.0, axes[0, column].get_ylim()[0]), 1)
            axes[1, column].set_ylim(bottom=0)
            write_numbers(axes[1, column].yaxis, own.loc[own["score"].isin(list(ERRORS)), "largest"])
            _size_axis(axes[1, column], sorted(scores["size"].unique()))
            axes[1, column].set_xlabel("Architectures trained on")
        for row in range(2):
            axes[row, 0].legend(loc="best")
        drawn.suptitle(
            f"Surrogates by training-set size; mean and range of {repeats} random training sets,\n"
            f"tested on {tested} other architectures. {scores['dataset'].iloc[0]}",
            x=0.01,
            ha="left",
            fontsize=9,
        )
        yield drawn, summary


def _error_label(objective: str) -> str:
    unit = metric_unit(objective)
    return f"Error [{unit}]" if unit else "Error"


def _draw_scores(axes: Any, summary: pd.DataFrame, names: dict[str, str]) -> None:
    for name, words in names.items():
        own = summary[summary["score"] == name].sort_values("size")
        colour = SCORE_COLOURS[name]
        axes.fill_between(own["size"], own["smallest"], own["largest"], color=colour, alpha=0.15, linewidth=0)
        axes.plot(own["size"], own["mean"], color=colour, marker=MARKERS[name], markersize=4, label=words)


def _size_axis(axes: Any, sizes: list[int]) -> None:
    """Label the sizes themselves; on a logarithmic axis where they span more than a decade."""
    ticks = sizes
    if sizes[-1] > 10 * sizes[0]:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    if len(sizes) > 6:  # every label would touch its neighbours: those a sixth of the axis apart
        ticks = [sizes[0]]
        for size in sizes[1:]:
            if size >= ticks[-1] * (sizes[-1] / sizes[0]) ** 0.16:
                ticks.append(size)
    axes.set_xticks(ticks, [f"{size:,}" for size in ticks])
