"""Violins of the final fronts' indicators: two arms by pair of budgets, and all arms at their largest budgets."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.stats import gaussian_kde

from terranas.comparison.figures import (
    Array,
    Objective,
    arm_title,
    arm_words,
    arms_of,
    at_largest_budgets,
    dataset_of,
    indicator_text,
    indicator_words,
    note,
    seeds_text,
    serves_logarithm,
    write_axis,
)
from terranas.comparison.schema import INDICATORS
from terranas.core.figures import ARM_LOOKS, COLOURS, figure
from terranas.core.formats import count, counted, listed, sentence
from terranas.landscape.figures import Drawing, Words, headline
from terranas.search.arms import ARMS

Pair = tuple[str, str]
Budgets = Sequence[tuple[int, int]]

_OFFSETS = (-0.21, 0.21)
_HALF_WIDTH = 0.18
_ABOUT = ["dataset", "arm", "budget", "charged", "seed"]


def shown_indicators(objectives: Sequence[Objective]) -> dict[str, Objective | None]:
    """Return the indicators that the figures show, with the objective whose unit they have."""
    best: dict[str, Objective | None] = {f"best_{objective.name}": objective for objective in objectives}
    return best | {"hypervolume": None, "mean_pairwise_distance": None}


@contextmanager
def pair_violins(
    indicators: pd.DataFrame, objectives: Sequence[Objective], pair: Pair, budgets: Budgets
) -> Iterator[Drawing]:
    """Draw violins with points and medians of two arms by pair of budgets, one panel an indicator.

    Args:
        indicators: schema ``comparison.indicators``.
        objectives: of the study.
        pair: the two arms.
        budgets: budgets of the first and of the second arm that are compared.

    Yields:
        The figure, and the values behind it, one row a search.
    """
    shown = shown_indicators(objectives)
    numbers = _of_pair(indicators, shown, pair, budgets)
    rows = ceil(len(shown) / 2)
    with figure(max(7.2, 1.6 * len(budgets)), 1.4 + 2.3 * rows, rows=rows, columns=2, squeeze=False) as (drawn, axes):
        for panel, (indicator, objective) in zip(axes.flat, shown.items(), strict=False):
            logarithmic = serves_logarithm(numbers[indicator], objective)
            for place, both in enumerate(budgets):
                for arm, budget, offset in zip(pair, both, _OFFSETS, strict=True):
                    own = numbers.loc[(numbers["arm"] == arm) & (numbers["budget"] == budget), indicator]
                    _draw_sample(panel, place + offset, own.dropna().to_numpy(), arm, logarithmic, upright=True)
            _finish_scale(panel, "y", numbers[indicator], objective, logarithmic)
            panel.set_ylabel(_label(indicator, objective))
            panel.set_title(_better(indicator, objective), fontsize=8, color=COLOURS["grey"])
            panel.grid(axis="x", visible=False)
            panel.set_xlim(-0.6, len(budgets) - 0.4)
            panel.set_xticks(range(len(budgets)), [""] * len(budgets))
            if numbers[indicator].isna().all():
                note(panel, _nothing(indicator))
                panel.set_yticks([])
        for panel in axes.flat[len(shown) :]:
            panel.set_visible(False)
        for panel in axes.flat[len(shown) - 2 : len(shown)]:  # the lowest of each column
            labels = [_budget_label(numbers, pair, both) for both in budgets]
            panel.set_xticks(range(len(budgets)), labels, fontsize=8)
        headline(
            drawn,
            f"Final fronts of {arm_words(pair[0])} and {arm_words(pair[1])}: one point a search, "
            f"{seeds_text(numbers)}. {dataset_of(numbers)}",
            f"At the foot, {_budget_words(pair, numbers)}",
        )
        drawn.legend(handles=_handles(pair), loc="outside lower center", ncols=3)
        yield drawn, numbers


def pair_violin_words(indicators: pd.DataFrame, objectives: Sequence[Objective], pair: Pair, budgets: Budgets) -> Words:
    """Return the texts of :func:`pair_violins`."""
    shown = shown_indicators(objectives)
    numbers = _of_pair(indicators, shown, pair, budgets)
    if numbers.empty:
        return "Empty frames: there are no searches.", "There are no searches of these arms to compare."
    medians = numbers.groupby(["arm", "budget"])[list(shown)].median()
    index = set(medians.index)
    parts = []
    for indicator in shown:
        compared = [
            f"{indicator_text(indicator, float(medians[indicator][(pair[0], first)]), objectives)} against "
            f"{indicator_text(indicator, float(medians[indicator][(pair[1], second)]), objectives)}"
            for first, second in budgets
            if {(pair[0], first), (pair[1], second)} <= index
        ]
        parts.append(f"{indicator_words(indicator, objectives)} {listed(compared or ['no values'])}")
    names = f"{arm_words(pair[0])} and {arm_words(pair[1])}"
    return (
        f"Violin plots of {names} by budget. Medians at each pair of budgets: {'; '.join(parts)}.",
        f"Indicators of the final fronts of {names} on {numbers['dataset'].iloc[0]}: one point for each of "
        f"{counted(int(numbers['seed'].nunique()), 'search', 'searches')} of an arm and budget, the median as a line, "
        f"and the estimated density as an outline. At the foot, {_budget_words(pair, numbers)}.",
    )


@contextmanager
def overview_violins(indicators: pd.DataFrame, objectives: Sequence[Objective]) -> Iterator[Drawing]:
    """Draw violins with points and medians of all arms at the largest budget of each, one column an indicator.

    Args:
        indicators: schema ``comparison.indicators``.
        objectives: of the study.

    Yields:
        The figure, and the values behind it, one row a search.
    """
    shown = shown_indicators(objectives)
    numbers = at_largest_budgets(indicators)[[*_ABOUT, *shown]].sort_values(_ABOUT[1:], ignore_index=True)
    arms = arms_of(numbers)
    height = 1.5 + 0.4 * max(2, len(arms))
    with figure(2.6 + 1.75 * len(shown), height, columns=len(shown), sharey=True, squeeze=False) as (drawn, axes):
        for panel, (indicator, objective) in zip(axes[0], shown.items(), strict=True):
            logarithmic = serves_logarithm(numbers[indicator], objective)
            for place, arm in enumerate(arms):
                own = numbers.loc[numbers["arm"] == arm, indicator].dropna().to_numpy()
                _draw_sample(panel, place, own, arm, logarithmic, upright=False)
            _finish_scale(panel, "x", numbers[indicator], objective, logarithmic)
            panel.set_xlabel(_folded(_label(indicator, objective)), fontsize=8)
            panel.set_title(_better(indicator, objective), fontsize=8, color=COLOURS["grey"])
            panel.grid(axis="y", visible=False)
            panel.tick_params(axis="y", length=0)
            if numbers[indicator].isna().all():
                note(panel, _nothing(indicator), 20)
                panel.set_xticks([])
        axes[0, 0].set_ylim(len(arms) - 0.4, -0.6)
        axes[0, 0].set_yticks(range(len(arms)), [_arm_label(numbers, arm) for arm in arms], fontsize=8)
        headline(
            drawn,
            f"Final fronts of {counted(len(arms), 'arm')}, each at its largest budget: one point a search, the line "
            f"is the median; {seeds_text(numbers)}. {dataset_of(numbers)}",
            "In brackets: evaluations with the training sample that is charged.",
        )
        yield drawn, numbers


def overview_violin_words(indicators: pd.DataFrame, objectives: Sequence[Objective]) -> Words:
    """Return the texts of :func:`overview_violins`."""
    shown = shown_indicators(objectives)
    numbers = at_largest_budgets(indicators)
    if numbers.empty:
        return "Empty frames: there are no searches.", "There are no searches to compare."
    medians = numbers.groupby("arm")[list(shown)].median()
    parts = []
    for indicator, objective in shown.items():
        known = medians[indicator].dropna()
        if known.empty:
            parts.append(f"{indicator_words(indicator, objectives)} has no values")
            continue
        ends = [float(known.min()), float(known.max())]
        ends = ends if _higher(indicator, objective) else ends[::-1]
        worst, best = (
            f"{indicator_text(indicator, end, objectives)} ({_first_of(list(known.index[known == end]))})"
            for end in ends
        )
        parts.append(f"{indicator_words(indicator, objectives)} from {worst} to {best}")
    arms = counted(len(medians), "arm")
    return (
        f"Violin plots of {arms}. Worst and best medians: {'; '.join(parts)}.",
        f"Indicators of the final fronts of {arms} on {numbers['dataset'].iloc[0]}, each at its largest budget; in "
        "brackets the evaluations with the training sample that is charged. One point a search, the median as a line, "
        f"and the estimated density as an outline. Worst and best medians: {'; '.join(parts)}.",
    )


def _first_of(tied: Sequence[str]) -> str:
    """Return the arms that share a median, in words; of more than two the first and how many others."""
    ordered = [arm_words(arm) for arm in ARMS if arm in tied]
    return listed(ordered) if len(ordered) <= 2 else f"{ordered[0]} and {count(len(ordered) - 1)} others"


def density_outline(values: Array, logarithmic: bool) -> tuple[Array, Array]:
    """Return heights within the data's range and the kernel density there (Scott's bandwidth).

    Args:
        values: a sample, shape (n,).
        logarithmic: estimate the density of the values' logarithm.

    Returns:
        Two arrays of equal length; empty where all values are equal, so that there is no density to draw.
    """
    scaled = np.log10(values) if logarithmic else values
    if len(values) < 2 or np.ptp(scaled) <= 1e-9 * max(1e-300, float(np.abs(scaled).max())):
        return np.empty(0), np.empty(0)
    # in units of the standard deviation: tiny and huge values alike are far from the limits of the floats
    centre, spread = float(scaled.mean()), float(scaled.std())
    grid = np.linspace(scaled.min(), scaled.max(), 128)
    density = gaussian_kde((scaled - centre) / spread)((grid - centre) / spread)
    return (10.0**grid if logarithmic else grid), density


def _of_pair(
    indicators: pd.DataFrame, shown: dict[str, Objective | None], pair: Pair, budgets: Budgets
) -> pd.DataFrame:
    wanted = {(arm, budget) for both in budgets for arm, budget in zip(pair, both, strict=True)}
    chosen = [key in wanted for key in zip(indicators["arm"], indicators["budget"], strict=True)]
    numbers = indicators.loc[chosen, [*_ABOUT, *shown]]
    return numbers.sort_values(_ABOUT[1:], ignore_index=True)


def _draw_sample(axes: Axes, place: float, values: Array, arm: str, logarithmic: bool, *, upright: bool) -> None:
    """Draw outline, points and median of a sample, at a place of the axis that the values do not lie on."""
    if not len(values):
        return
    colour = ARM_LOOKS[arm].colour
    heights, density = density_outline(values, logarithmic)
    fill, line = (axes.fill_betweenx, axes.hlines) if upright else (axes.fill_between, axes.vlines)
    if len(heights):
        half = _HALF_WIDTH * (1 if upright else 2) * density / density.max()
        fill(heights, place - half, place + half, color=colour, alpha=0.28, linewidth=0)
    across = place + _spread(values, logarithmic) * (1 if upright else 1.6)
    x, y = (across, values) if upright else (values, across)
    # where there is no outline, all values are as high as the median, whose line must not hide them
    above = 3 if len(heights) else 5
    size = (7 if upright else 5) * (1 if len(values) > 1 else 3)
    axes.scatter(x, y, s=size, color=colour, alpha=0.75, linewidths=0, zorder=above)
    reach = _HALF_WIDTH * (1 if upright else 2)
    line(float(np.median(values)), place - reach, place + reach, color="black", linewidth=1.4, zorder=4)


def _spread(values: Array, logarithmic: bool) -> Array:
    """Return sideways offsets that set points of similar height beside each other, the same in every run."""
    scaled = np.log10(values) if logarithmic else values
    height = float(np.ptp(scaled)) or 1.0
    bins = np.floor((scaled - scaled.min()) / height * 24)
    offsets = np.zeros(len(values))
    for level in np.unique(bins):
        members = np.flatnonzero(bins == level)
        reach = min(_HALF_WIDTH * 0.85, 0.022 * (len(members) - 1))
        offsets[members] = np.linspace(-reach, reach, len(members)) if len(members) > 1 else 0.0
    return offsets


def _finish_scale(axes: Axes, which: str, values: pd.Series, objective: Objective | None, logarithmic: bool) -> None:
    axis = axes.yaxis if which == "y" else axes.xaxis
    if logarithmic:
        axis.axes.set_yscale("log") if which == "y" else axis.axes.set_xscale("log")
    percent = objective is not None and objective.percent
    write_axis(axis, values, logarithmic=logarithmic, percent=percent, few=which == "x")


def _higher(indicator: str, objective: Objective | None) -> bool:
    if objective is not None:
        return objective.maximised
    return INDICATORS.column(indicator).direction == "maximise"


def _better(indicator: str, objective: Objective | None) -> str:
    return f"{'higher' if _higher(indicator, objective) else 'lower'} is better"


def _label(indicator: str, objective: Objective | None) -> str:
    return objective.label("best") if objective is not None else sentence(indicator_words(indicator))


def _nothing(indicator: str) -> str:
    return f"no search has a value of {indicator_words(indicator)}"


def _folded(text: str) -> str:
    """Break a label in front of its unit, or of its last words, where it is long."""
    if len(text) <= 22:
        return text
    head, _, tail = text.rpartition(" (") if text.endswith(")") else text.rpartition(" ")
    return f"{head}\n({tail}" if text.endswith(")") else f"{head}\n{tail}"


def _arm_label(numbers: pd.DataFrame, arm: str) -> str:
    first = numbers[numbers["arm"] == arm].iloc[0]
    charged = f" ({count(first['charged'])})" if first["charged"] != first["budget"] else ""
    return f"{arm_title(arm, 32)}\n{count(first['budget'])}{charged}"


def _budget_label(numbers: pd.DataFrame, pair: Pair, budgets: tuple[int, int]) -> str:
    texts = []
    for arm, budget in zip(pair, budgets, strict=True):
        charged = numbers.loc[(numbers["arm"] == arm) & (numbers["budget"] == budget), "charged"]
        extra = len(charged) and charged.iloc[0] != budget
        texts.append(count(budget) + (f" ({count(charged.iloc[0])})" if extra else ""))
    return "\n".join([*texts[0].split(" "), *f"/ {texts[1]}".replace(" (", "\n(").split("\n")])


def _budget_words(pair: Pair, numbers: pd.DataFrame) -> str:
    words = [
        arm_words(arm) + (" (with its training sample)" if _is_charged(numbers[numbers["arm"] == arm]) else "")
        for arm in pair
    ]
    return f"evaluations: {words[0]} / {words[1]}"


def _is_charged(own: pd.DataFrame) -> bool:
    return bool((own["charged"] != own["budget"]).any())


def _handles(pair: Pair) -> list[Any]:
    handles: list[Any] = [
        Patch(color=ARM_LOOKS[arm].colour, alpha=0.6, linewidth=0, label=arm_words(arm)) for arm in pair
    ]
    return [*handles, Line2D([], [], color="black", linewidth=1.4, label="median")]
