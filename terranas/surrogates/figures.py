"""Figure of the surrogates' scores by training-set size."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from terranas.benchmark.schema import metric_name
from terranas.core.figures import COLOURS, figure
from terranas.core.formats import sentence
from terranas.surrogates.labels import metric_unit, write_numbers
from terranas.surrogates.plateau import LEVEL, plateau, summarise_scores
from terranas.surrogates.regressors import REGRESSORS

SCORE_WORDS = {
    "spearman": "Spearman",
    "kendall": "Kendall",
    "pearson": "Pearson",
    "rmse": "root mean squared error",
    "mae": "mean absolute error",
}
_CORRELATIONS = ("spearman", "kendall", "pearson")
_COLOURS = [COLOURS[name] for name in ("blue", "vermilion", "green", "purple", "orange", "sky", "grey", "yellow")]
_MARKERS = "os^Dvp<>"


@contextmanager
def size_figure(scores: pd.DataFrame, tolerance: float) -> Iterator[tuple[Figure, pd.DataFrame]]:
    """Yield the figure of scores by training-set size, and its numbers.

    One column an objective. Of a single surrogate it shows the three correlations and, below, both errors; of several,
    Spearman's correlation and the mean absolute error of each. Lines are means over the repeats, bands their Student
    intervals. Where the plateau of Spearman's correlation (:func:`~terranas.surrogates.plateau.plateau`) begins, a
    single surrogate has a vertical line; of several, markers are filled from there on.

    Args:
        scores: schema ``surrogates.scores``.
        tolerance: of the plateau.
    """
    summary = summarise_scores(scores)
    plateaus = plateau(scores, tolerance)
    objectives = list(dict.fromkeys(scores["objective"]))
    surrogates = list(dict.fromkeys(scores["surrogate"]))
    lines, single = _lines(surrogates), len(surrogates) == 1
    sizes = sorted(scores["size"].unique().tolist())
    with figure(max(3.3 * len(objectives), 5.2), 5.6, rows=2, columns=len(objectives), sharex=True, squeeze=False) as (
        drawn,
        axes,
    ):
        for column, objective in enumerate(objectives):
            own = summary[summary["objective"] == objective]
            begins = plateaus[plateaus["objective"] == objective].set_index("surrogate")["size"]
            for row in (0, 1):
                for place, (surrogate, score, _) in enumerate(lines[row]):
                    part = own[(own["surrogate"] == surrogate) & (own["score"] == score)].sort_values("size")
                    if single:
                        _draw_line(axes[row, column], part, place + row * len(lines[0]))
                    else:
                        _draw_line(axes[row, column], part, place, None if row else begins[surrogate])
                if single and pd.notna(begins.iloc[0]):
                    axes[row, column].axvline(begins.iloc[0], color="#333333", linestyle=":", linewidth=1.2)
            _set_limits(axes[:, column], own, [[score for _, score, _ in part] for part in lines])
            axes[0, column].set_title(sentence(metric_name(objective)))
            axes[1, column].set_xlabel("Architectures trained on")
            axes[1, column].set_ylabel(_error_label(objective, single))
            _size_axis(axes[1, column], sizes)
        axes[0, 0].set_ylabel("Correlation with the truth" if single else "Spearman's correlation")
        _legend(drawn, axes, lines, single, bool(plateaus["size"].notna().any()), tolerance)
        drawn.suptitle(_title(scores, surrogates), x=0.01, ha="left", fontsize=9)
        yield (
            drawn,
            summary.merge(
                plateaus[["surrogate", "objective", "score", "size", "tolerance"]].assign(plateau=True),
                on=["surrogate", "objective", "score", "size"],
                how="left",
            ).assign(plateau=lambda table: table["plateau"].eq(True)),
        )


def surrogate_words(name: str) -> str:
    """Return the name of a surrogate for people: that of its regressor where it is called so, else its own."""
    return REGRESSORS[name].words if name in REGRESSORS else name


def _lines(surrogates: Sequence[str]) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
    """Return surrogate, score and label of the lines above and below."""
    if len(surrogates) == 1:
        above = [(surrogates[0], score, SCORE_WORDS[score]) for score in _CORRELATIONS]
        return above, [(surrogates[0], score, SCORE_WORDS[score]) for score in ("rmse", "mae")]
    named = [(name, sentence(surrogate_words(name))) for name in surrogates]
    return [(name, "spearman", words) for name, words in named], [(name, "mae", words) for name, words in named]


def _draw_line(axes: Any, part: pd.DataFrame, place: int, filled_from: Any = None) -> None:
    """Draw means and their intervals; markers below a size are hollow, all of them where the size is null."""
    colour = _COLOURS[place % len(_COLOURS)]
    style = {"color": colour, "marker": _MARKERS[place % len(_MARKERS)], "markersize": 4, "clip_on": False}
    axes.fill_between(part["size"], part["low"], part["high"], color=colour, alpha=0.12, linewidth=0)
    axes.plot(part["size"], part["mean"], **style)
    if filled_from is not None:
        hollow = part if pd.isna(filled_from) else part[part["size"] < filled_from]
        if len(hollow):
            axes.plot(hollow["size"], hollow["mean"], **style, linestyle="none", markerfacecolor="white")


def _set_limits(axes: Any, summary: pd.DataFrame, scores: list[list[str]]) -> None:
    """Show correlations up to 1 and errors from 0, by the means: the interval of two repeats may dwarf them."""
    lowest = summary.loc[summary["score"].isin(scores[0]), "mean"].min()
    # a tenth that leaves room below the lowest mean
    axes[0].set_ylim(-1 if pd.isna(lowest) else max(-1.0, np.floor(10 * lowest - 0.5) / 10), 1)
    means = summary.loc[summary["score"].isin(scores[1]), "mean"]
    largest = float(means.max())
    axes[1].set_ylim(0, 1.25 * largest if largest > 0 else 1)
    write_numbers(axes[1].yaxis, means)


def _legend(drawn: Figure, axes: Any, lines: Any, single: bool, has_plateau: bool, tolerance: float) -> None:
    """Explain lines and plateaus: lines within the axes for one surrogate, below the figure for several."""
    words = f"of Spearman's correlation (loss below {tolerance:g})"
    if single:
        for row in (0, 1):
            handles = axes[row, 0].get_lines()[: len(lines[row])]
            axes[row, 0].legend(handles, [name for _, _, name in lines[row]], loc="best")
        below = [(Line2D([], [], color="#333333", linestyle=":", linewidth=1.2), f"begin of the plateau {words}")]
    else:
        below = [
            (
                Line2D(
                    [], [], color=_COLOURS[place % len(_COLOURS)], marker=_MARKERS[place % len(_MARKERS)], markersize=4
                ),
                name,
            )
            for place, (_, _, name) in enumerate(lines[0])
        ]
        dot = Line2D([], [], linestyle="none", marker="o", markersize=4, color="#333333")
        below += [(dot, f"filled: on the plateau {words}")]
    if not has_plateau:
        below = below[:-1]
    if below:
        columns = min(len(below), max(2, round(drawn.get_figwidth() / 2.4)))
        handles, labels = zip(*below, strict=True)
        drawn.legend(handles, labels, loc="outside lower left", ncols=columns)


def _title(scores: pd.DataFrame, surrogates: list[str]) -> str:
    repeats, held_out = scores["repeat"].nunique(), scores["held_out"]
    tested = f"{held_out.min():,}" if held_out.nunique() == 1 else f"{held_out.min():,} to {held_out.max():,}"
    who = sentence(surrogate_words(surrogates[0])) if len(surrogates) == 1 else f"{len(surrogates)} surrogates"
    bands = f"mean and {LEVEL:.0%} interval of {repeats} random training sets" if repeats > 1 else "one training set"
    return f"{who} by training-set size; {bands},\ntested on {tested} other architectures. {scores['dataset'].iloc[0]}"


def _error_label(objective: str, single: bool) -> str:
    unit = metric_unit(objective)
    words = "Error" if single else "Mean absolute error"
    return f"{words} [{unit}]" if unit else words


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
