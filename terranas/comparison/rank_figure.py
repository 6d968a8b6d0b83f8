"""Diagrams of mean ranks with bars that join arms a post-hoc test does not tell apart (Demšar, JMLR 7, 2006)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from terranas.comparison.figures import Array, Objective, arm_words, dataset_of, indicator_words, p_text
from terranas.core.figures import ARM_LOOKS, COLOURS, figure
from terranas.core.formats import counted, fixed, sentence, significant
from terranas.landscape.figures import Drawing, Words, headline, say

POST_HOC = {"friedman": "nemenyi", "kruskal_wallis": "dunn"}
"""Post-hoc test behind the bars of each omnibus test."""

_NAMES = {"friedman": "Friedman's test", "kruskal_wallis": "Kruskal and Wallis's test"}
_POST_HOC_NAMES = {"nemenyi": "Nemenyi's test", "dunn": "Dunn's test (Holm)"}
_LINE = 0.24  # inches a line of names takes


@contextmanager
def rank_figure(
    ranks: pd.DataFrame,
    rank_pairs: pd.DataFrame,
    test: str,
    level: str,
    indicators: Sequence[str],
    objectives: Sequence[Objective] = (),
) -> Iterator[Drawing]:
    """Draw the mean ranks of all arms, one diagram an indicator, the best arm on the left.

    Args:
        ranks: schema ``comparison.ranks``.
        rank_pairs: schema ``comparison.rank_pairs``.
        test: ``friedman`` or ``kruskal_wallis``; its post-hoc test is that of :data:`POST_HOC`.
        level: which budgets, as in the tables.
        indicators: to draw, in this order; those without ranks get words.
        objectives: of the study, for the names of indicators.

    Yields:
        The figure, and the ranks with a column ``bars``: numbers of the bars that join an arm with others.
    """
    numbers = _with_groups(ranks, rank_pairs, test, level, indicators)
    arms = max(2, int(numbers.groupby("indicator").size().max())) if len(numbers) else 2
    bars = _most_bars(numbers)
    tall = 0.85 + _LINE * ((arms + 1) // 2) + 0.09 * bars
    with figure(8.6, 0.9 + tall * max(1, len(indicators)), rows=max(1, len(indicators)), squeeze=False) as (
        drawn,
        axes,
    ):
        for panel, indicator in zip(axes[:, 0], indicators, strict=False):
            own = numbers[numbers["indicator"] == indicator]
            panel.set_title(_title(own, indicator, objectives), fontsize=8.5)
            if own.empty:
                say(panel, "no ranks: fewer than three arms, or a single block")
                panel.axis("off")
                continue
            _draw(panel, own, bars)
        if not indicators:
            say(axes[0, 0], "there are no indicators to rank by")
        name = f"{_NAMES[test]}; bars join arms not told apart by {_POST_HOC_NAMES[POST_HOC[test]]}"
        where = "all budgets" if level == "all" else f"budgets {level}"
        headline(drawn, f"Mean ranks, 1 is best; {where}. {dataset_of(numbers)}", name)
        yield drawn, numbers


def rank_words(
    ranks: pd.DataFrame,
    rank_pairs: pd.DataFrame,
    test: str,
    level: str,
    indicators: Sequence[str],
    objectives: Sequence[Objective] = (),
) -> Words:
    """Return the texts of :func:`rank_figure`."""
    numbers = _with_groups(ranks, rank_pairs, test, level, indicators)
    if numbers.empty:
        return "Empty frames: there are no ranks.", "There are no ranks: fewer than three arms, or a single block."
    parts = []
    for indicator, own in numbers.groupby("indicator", sort=False):
        best = own.iloc[0]
        joined = own[[bool(set(bars.split()) & set(best["bars"].split())) for bars in own["bars"]]]
        others = [arm_words(arm) for arm in joined["arm"] if arm != best["arm"]]  # names hold commas
        told = f"not told apart from {'; '.join(others)}" if others else "told apart from all others"
        name = sentence(indicator_words(str(indicator), objectives))
        parts.append(
            f"{name} ({p_text(best['p_holm'])}): {arm_words(best['arm'])} first with a mean rank of "
            f"{fixed(best['mean_rank'], 1)}, {told}."
        )
    first = numbers.iloc[0]
    alpha = significant(float(first["alpha"]), 1)
    repeated = (
        f"blocks: {first['blocks']}"
        if test == "friedman"
        else f"{counted(int(first['n']), 'search', 'searches')} an arm"
    )
    distance = (
        f" Mean ranks that differ by {fixed(first['critical_difference'])} are told apart (bracket)."
        if np.isfinite(first["critical_difference"])
        else ""
    )
    return (
        f"Diagrams of the mean ranks of {counted(int(first['arms']), 'arm')}. {' '.join(parts)}",
        f"Mean ranks of {counted(int(first['arms']), 'arm')}, the best on the left, by {_NAMES[test]} "
        f"({repeated}); bars join arms that {_POST_HOC_NAMES[POST_HOC[test]]} does not tell apart at "
        f"{alpha}.{distance} {' '.join(parts)} Taken for granted: {first['assumption']}.",
    )


def joined_runs(different: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the longest runs of neighbours of which no two are different: first and last place of each.

    Args:
        different: whether two places are different, symmetric, shape (n, n), places in the order of their ranks.
    """
    runs: list[tuple[int, int]] = []
    for first in range(len(different)):
        last = first
        while last + 1 < len(different) and not different[first : last + 1, last + 1].any():
            last += 1
        if last > first and (not runs or last > runs[-1][1]):
            runs.append((first, last))
    return runs


def _with_groups(
    ranks: pd.DataFrame, rank_pairs: pd.DataFrame, test: str, level: str, indicators: Sequence[str]
) -> pd.DataFrame:
    """Return the ranks to draw, best first, with the bars that join them."""
    chosen = ranks[(ranks["test"] == test) & (ranks["level"] == level) & ranks["indicator"].isin(indicators)]
    pairs = rank_pairs[
        (rank_pairs["test"] == test) & (rank_pairs["level"] == level) & (rank_pairs["post_hoc"] == POST_HOC[test])
    ]
    parts = []
    for indicator in indicators:
        own = chosen[chosen["indicator"] == indicator].sort_values(["mean_rank", "arm"], ignore_index=True)
        if own.empty:
            continue
        place = {arm: number for number, arm in enumerate(own["arm"])}
        different = np.zeros((len(own), len(own)), dtype=np.bool_)
        apart = pairs[(pairs["indicator"] == indicator) & pairs["significant"]]
        for first, second in zip(apart["first_arm"], apart["second_arm"], strict=True):
            different[place[first], place[second]] = different[place[second], place[first]] = True
        runs = joined_runs(different)
        bars = [
            " ".join(str(number) for number, (low, high) in enumerate(runs, start=1) if low <= arm <= high)
            for arm in range(len(own))
        ]
        parts.append(own.assign(bars=bars))
    return pd.concat(parts, ignore_index=True) if parts else chosen.assign(bars="")


def _most_bars(numbers: pd.DataFrame) -> int:
    return max((int(bar) for bars in numbers["bars"] for bar in bars.split()), default=0)


def _title(own: pd.DataFrame, indicator: str, objectives: Sequence[Objective]) -> str:
    name = sentence(indicator_words(indicator, objectives))
    if own.empty:
        return name
    first = own.iloc[0]
    verdict = "" if first["significant"] else ", arms are not told apart"
    return f"{name} ({first['better']} is better): {p_text(first['p_holm'])}{verdict}"


def _draw(axes: Axes, own: pd.DataFrame, bars: int) -> None:
    """Draw one diagram: ranks on a line, bars below it, names of the better half on the left."""
    ranks = own["mean_rank"].to_numpy(dtype=np.float64)
    low, high = _ends(ranks, len(own))
    half = (len(own) + 1) // 2
    depth = 0.09 * bars / _LINE + 0.6  # of the first name below the line, in lines
    axes.set_xlim(low - 0.02 * (high - low), high + 0.02 * (high - low))
    axes.set_ylim(depth + half - 0.4, -1.5)
    axes.xaxis.set_ticks_position("top")
    axes.tick_params(axis="x", direction="out", length=3, pad=3, labelsize=7.5, colors=COLOURS["grey"])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.spines["top"].set_visible(True)
    axes.spines["top"].set_position(("data", 0.0))
    axes.set_yticks([])
    axes.grid(visible=False)
    for place, (arm, rank) in enumerate(zip(own["arm"], ranks, strict=True)):
        left = place < half
        height = depth + (place if left else len(own) - 1 - place)
        edge = axes.get_xlim()[0 if left else 1]
        look = ARM_LOOKS[arm]
        axes.plot([rank, rank, edge], [0, height, height], color="#8C8C8C", linewidth=0.7, clip_on=False, zorder=1)
        axes.plot([rank], [0], marker=look.marker, color=look.colour, markersize=6, clip_on=False, zorder=4)
        text = f"{arm_words(arm)}  {fixed(rank, 1)}" if left else f"{fixed(rank, 1)}  {arm_words(arm)}"
        axes.annotate(
            text,
            (edge, height),
            xytext=(-3 if left else 3, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=8,
            annotation_clip=False,
        )
    _draw_bars(axes, own["bars"].tolist(), ranks, high - low)
    difference = float(own["critical_difference"].iloc[0])
    if np.isfinite(difference):
        _draw_bracket(axes, low, min(difference, high - low), difference)


def _ends(ranks: Array, arms: int) -> tuple[float, float]:
    """Return the ends of the line: 1 and the number of arms, or where the ranks lie if they go beyond."""
    if ranks.max() <= arms:
        return 1.0, float(arms)
    margin = 0.05 * float(np.ptp(ranks)) or 1.0
    return float(ranks.min() - margin), float(ranks.max() + margin)


def _draw_bars(axes: Axes, bars: Sequence[str], ranks: Array, width: float) -> None:
    for bar in sorted({int(number) for own in bars for number in own.split()}):
        joined = [rank for rank, own in zip(ranks, bars, strict=True) if str(bar) in own.split()]
        height = 0.32 + (bar - 1) * 0.09 / _LINE
        ends = [min(joined) - 0.004 * width, max(joined) + 0.004 * width]
        axes.plot(ends, [height, height], color="black", linewidth=2.4, solid_capstyle="butt", zorder=3)


def _draw_bracket(axes: Axes, low: float, length: float, difference: float) -> None:
    """Draw the critical difference above the line."""
    axes.errorbar([low + length / 2], [-1.25], xerr=length / 2, color=COLOURS["grey"], capsize=2.5, linewidth=1)
    text = f"critical difference {fixed(difference)}"
    axes.annotate(
        text,
        (low + length, -1.25),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=7.5,
        color=COLOURS["grey"],
    )
