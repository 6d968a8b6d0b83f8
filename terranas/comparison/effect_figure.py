"""Forest plot of effect sizes: A12 of two arms with its interval, by indicator and pair of budgets."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from terranas.comparison.figures import Objective, arm_words, dataset_of, indicator_words, p_text
from terranas.comparison.study import of_pair
from terranas.core.figures import ARM_LOOKS, COLOURS, figure
from terranas.core.formats import count, fixed, listed, percent, sentence
from terranas.landscape.figures import Drawing, Words, headline, interval_text, say

# Vargha and Delaney (2000) call effects beyond these distances from .5 small, medium and large
_BOUNDS = (0.06, 0.14, 0.21)
_ROW = 0.185  # inches


@contextmanager
def effect_figure(
    tests: pd.DataFrame, pair: tuple[str, str], objectives: Sequence[Objective] = ()
) -> Iterator[Drawing]:
    """Draw A12 with its interval, turned so that values above one half favour the first arm.

    Filled marks are significant after Holm's correction.

    Args:
        tests: schema ``comparison.tests``.
        pair: first and second arm, as in the table.
        objectives: of the study, for the names of indicators.

    Yields:
        The figure, and one row an indicator and pair of budgets: ``first_better`` is the probability that a search of
        the first arm has the better value, ties counting half, with its interval.
    """
    numbers = _oriented(tests, pair)
    groups = list(dict.fromkeys(numbers["indicator"]))
    rows = len(numbers) + 0.9 * len(groups)
    with figure(7.6, 1.7 + _ROW * max(4.0, rows)) as (drawn, axes):
        _draw_scale(axes)
        place = 0.0
        labels: list[tuple[float, str, bool]] = []
        for indicator in groups:
            labels.append((place, _group_words(numbers, indicator, objectives), True))
            for row in numbers[numbers["indicator"] == indicator].to_dict("records"):
                place += 1
                _draw_row(axes, place, row, pair)
                labels.append((place, _budget_text(row), False))
            place += 1.9
        axes.set_ylim(place - 0.9, -1.0)
        _label(axes, labels, pair)
        if numbers.empty:
            say(axes, "there are no tests of these arms")
        level = percent(1 - float(numbers["alpha"].iloc[0]), 0) if len(numbers) else "bootstrap"
        headline(
            drawn,
            f"Effect sizes of {arm_words(pair[0])} against {arm_words(pair[1])}. {dataset_of(numbers)}",
            f"A12, {level} intervals; left, evaluations of both arms (with a training sample)",
        )
        drawn.legend(handles=_handles(pair), loc="outside lower center", ncols=3)
        yield drawn, numbers


def effect_words(tests: pd.DataFrame, pair: tuple[str, str], objectives: Sequence[Objective] = ()) -> Words:
    """Return the texts of :func:`effect_figure`."""
    numbers = _oriented(tests, pair)
    if numbers.empty:
        return "An empty frame: there are no tests of these arms.", "There are no tests of these arms to show."
    parts = []
    for indicator, own in numbers.groupby("indicator", sort=False):
        values = [fixed(value) for value in own["first_better"]]
        wins = [int((own["favours"] == arm).sum()) for arm in pair]
        verdicts = [f"{n} for {arm_words(arm)}" for n, arm in zip(wins, pair, strict=True) if n]
        parts.append(
            f"{indicator_words(str(indicator), objectives)} {listed(values)} "
            f"(significant: {listed(verdicts) if verdicts else 'none'})"
        )
    names = f"{arm_words(pair[0])} against {arm_words(pair[1])}"
    family = listed(list(dict.fromkeys(numbers["family_members"])))
    level = percent(1 - float(numbers["alpha"].iloc[0]), 0)
    return (
        f"Forest plot of effect sizes of {names}, by indicator and pair of budgets: {'; '.join(parts)}.",
        f"Probability that a search of {arm_words(pair[0])} has a better value than one of {arm_words(pair[1])} "
        f"(A12 of Vargha and Delaney, turned by the direction of the indicator), with {level} bootstrap intervals, on "
        f"{numbers['dataset'].iloc[0]}: {'; '.join(parts)}. Filled marks are significant after Holm's correction "
        f"({family}). Shades, from dark to light: negligible, small and medium effects.",
    )


def _oriented(tests: pd.DataFrame, pair: tuple[str, str]) -> pd.DataFrame:
    """Return the tests of a pair with A12 turned towards the first arm."""
    own = of_pair(tests, pair)
    higher = (own["better"] == "higher").to_numpy()
    low, high = own["a12_low"].to_numpy(dtype=np.float64), own["a12_high"].to_numpy(dtype=np.float64)
    names = ["dataset", "first_arm", "second_arm", "first_budget", "second_budget", "first_charged", "second_charged"]
    names += ["indicator", "better", "family", "family_members", "p_holm", "alpha", "significant", "favours"]
    order = {indicator: place for place, indicator in enumerate(dict.fromkeys(own["indicator"]))}
    oriented = own[names].assign(
        place=own["indicator"].map(order),
        first_better=np.where(higher, own["a12"], 1 - own["a12"]),
        first_better_low=np.where(higher, low, 1 - high),
        first_better_high=np.where(higher, high, 1 - low),
    )
    ordered = oriented.sort_values(["place", "first_budget"], kind="stable", ignore_index=True)
    return ordered.drop(columns="place")


def _draw_scale(axes: Axes) -> None:
    """Draw the line of no effect, and shades of negligible, small and medium effects."""
    for bound, shade in zip((*_BOUNDS[::-1], 0.0), ("#F2F2F2", "#E9E9E9", "#E0E0E0", ""), strict=True):
        if bound:
            axes.axvspan(0.5 - bound, 0.5 + bound, color=shade, linewidth=0, zorder=0)
    axes.axvline(0.5, color="black", linewidth=0.8, zorder=1)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)


def _draw_row(axes: Axes, place: float, row: dict[Any, Any], pair: tuple[str, str]) -> None:
    value = float(row["first_better"])
    arm = pair[0] if value > 0.5 else pair[1]
    colour = ARM_LOOKS[arm].colour if value != 0.5 else COLOURS["grey"]
    low, high = float(row["first_better_low"]), float(row["first_better_high"])
    if np.isfinite(value):
        axes.plot([low, high], [place, place], color=colour, linewidth=1.6, zorder=2, solid_capstyle="butt")
        axes.plot(
            [value],
            [place],
            marker=ARM_LOOKS[arm].marker,
            markersize=5.5,
            markerfacecolor=colour if row["significant"] else "white",
            markeredgecolor=colour,
            zorder=3,
            clip_on=False,
        )
    text = "not defined"
    if np.isfinite(value):
        text = f"{fixed(value)}{interval_text(low, high)}  {p_text(float(row['p_holm']))}"
    axes.annotate(
        text,
        (1.0, place),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        fontsize=7.5,
        annotation_clip=False,
    )


def _label(axes: Axes, labels: Sequence[tuple[float, str, bool]], pair: tuple[str, str]) -> None:
    axes.set_yticks([place for place, _, _ in labels], [text for _, text, _ in labels], fontsize=7.5)
    axes.tick_params(axis="y", length=0)
    for tick, (_, _, group) in zip(axes.get_yticklabels(), labels, strict=True):
        tick.set_fontweight("bold" if group else "normal")
    axes.set_xlabel(f"Probability of the better value for {arm_words(pair[0])}")
    if labels:
        note: dict[str, Any] = {
            "textcoords": "offset points",
            "fontsize": 7.5,
            "annotation_clip": False,
            "va": "center",
        }
        axes.annotate("A12 [interval]  p (Holm)", (1.0, labels[0][0]), xytext=(8, 0), fontweight="bold", **note)


def _group_words(numbers: pd.DataFrame, indicator: str, objectives: Sequence[Objective]) -> str:
    better = numbers.loc[numbers["indicator"] == indicator, "better"].iloc[0]
    return f"{sentence(indicator_words(indicator, objectives))}, {better} is better"


def _budget_text(row: dict[Any, Any]) -> str:
    parts = []
    for which in ("first", "second"):
        budget, charged = int(row[f"{which}_budget"]), int(row[f"{which}_charged"])
        parts.append(count(budget) + (f" ({count(charged)})" if charged != budget else ""))
    return " / ".join(parts)


def _handles(pair: tuple[str, str]) -> list[Line2D]:
    handles = [
        Line2D(
            [],
            [],
            color=ARM_LOOKS[arm].colour,
            marker=ARM_LOOKS[arm].marker,
            markersize=5.5,
            linewidth=1.6,
            label=f"in favour of {arm_words(arm)}",
        )
        for arm in pair
    ]
    hollow = Line2D([], [], linestyle="", marker="o", markersize=5.5, markerfacecolor="white", color=COLOURS["grey"])
    hollow.set_label("hollow: not significant")
    return [*handles, hollow]
