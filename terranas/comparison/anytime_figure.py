"""Figures of the hypervolume over evaluations: some arms against the others, and each arm on its own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from terranas.comparison.figures import (
    arm_title,
    arm_words,
    arms_of,
    dataset_of,
    label_ends,
    remark,
    seeds_text,
    write_axis,
)
from terranas.core.figures import ARM_LOOKS, COLOURS, figure
from terranas.core.formats import count, counted, fixed, listed, sentence
from terranas.landscape.figures import Drawing, Words, headline, say

_QUARTILES = ["lower_quartile", "median", "upper_quartile"]
_SMALLEST = 1e-6  # regret below which hypervolumes differ by no more than their rounding
_X = "evaluations, training sample included"


def summarise_anytime(anytime: pd.DataFrame, reference: float) -> pd.DataFrame:
    """Return median and quartiles of the hypervolume over the seeds, at each evaluation where one of the three changes.

    A search that ended early keeps its last value, up to the longest search of its arm.

    Args:
        anytime: schema ``comparison.anytime``.
        reference: hypervolume of the reference front, the most that can be reached.

    Returns:
        One row an arm and evaluation, with the seeds that were still searching there, and the same of the regret: the
        reference less the hypervolume, never below 0.
    """
    parts = []
    for arm in arms_of(anytime):
        own = anytime[anytime["arm"] == arm]
        by_seed = own.pivot(index="evaluation", columns="seed", values="hypervolume").sort_index().ffill()
        part = by_seed.quantile([0.25, 0.5, 0.75], axis=1).T
        part.columns = pd.Index(_QUARTILES)
        changed = (part.diff() != 0).any(axis=1).to_numpy(copy=True)
        changed[-1] = True
        part = part[changed]
        evaluation = part.index.to_numpy()
        extra = int((own["charged"] - own["evaluation"]).iloc[0])
        last = own.groupby("seed")["evaluation"].max().to_numpy()
        about = {"dataset": own["dataset"].iloc[0], "arm": arm, "evaluation": evaluation, "charged": evaluation + extra}
        still = (last[None, :] >= evaluation[:, None]).sum(axis=1)
        parts.append(part.assign(**about, seeds_still_searching=still))
    columns = ["dataset", "arm", "evaluation", "charged", *_QUARTILES, "seeds_still_searching"]
    summary = pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
    summary["reference_hypervolume"] = reference
    summary["median_regret"] = np.maximum(0.0, reference - summary["median"].astype("float64"))
    return summary


@contextmanager
def anytime_figure(anytime: pd.DataFrame, reference: float, kind: str, highlighted: Sequence[str]) -> Iterator[Drawing]:
    """Draw the hypervolume over charged evaluations, and on a logarithmic axis the regret to the reference.

    Args:
        anytime: schema ``comparison.anytime``.
        reference: hypervolume of the reference front, drawn as the bound of all curves.
        kind: what the reference is, such as "true front".
        highlighted: arms that are drawn with thick lines and bands of their quartiles; the others have thin lines.

    Yields:
        The figure, and the numbers of :func:`summarise_anytime`.
    """
    numbers = summarise_anytime(anytime, reference)
    arms = arms_of(numbers)
    end = float(numbers["charged"].max()) if arms else 1.0
    with figure(9.4, max(3.9, 1.7 + 0.24 * len(arms)), columns=2) as (drawn, axes):
        for panel, regret in zip(axes, (False, True), strict=True):
            _draw_sample(panel, numbers)
            for arm in arms:
                own = numbers[numbers["arm"] == arm]
                _draw_curve(panel, own, reference, end, regret=regret, strong=arm in highlighted)
            _finish(panel, numbers, reference, regret=regret)
            panel.set_xlabel(sentence(_X))
            if not arms:
                say(panel, "there are no searches")
        axes[0].axhline(reference, color="black", linestyle=(0, (4, 2)), linewidth=1)
        if arms:
            place = {"xytext": (-3, 2), "textcoords": "offset points", "ha": "right", "va": "bottom"}
            axes[0].annotate(kind, (1, reference), xycoords=("axes fraction", "data"), fontsize=8, **place)
        axes[0].set_ylabel("Hypervolume (share of the normalised box)")
        axes[1].set_ylabel(f"Hypervolume regret to the {kind}")
        bands = [arm_words(arm) for arm in arms if arm in highlighted]
        quartiles = f", bands are quartiles of {listed(bands)}" if bands else ""
        headline(
            drawn,
            f"Hypervolume over evaluations; medians of {seeds_text(anytime)}{quartiles}. {dataset_of(anytime)}",
        )
        drawn.draw_without_rendering()  # labels stand where the layout leaves the ends of the curves
        label_ends(axes[1], _ends(numbers, arms), bold=highlighted)
        yield drawn, numbers


@contextmanager
def anytime_panels(anytime: pd.DataFrame, reference: float, kind: str) -> Iterator[Drawing]:
    """Draw the regret of each arm to the reference over charged evaluations, one panel an arm, the others in grey.

    Args:
        anytime: schema ``comparison.anytime``.
        reference: hypervolume of the reference front.
        kind: what the reference is, such as "true front".

    Yields:
        The figure, and the numbers of :func:`summarise_anytime`.
    """
    numbers = summarise_anytime(anytime, reference)
    arms = arms_of(numbers)
    end = float(numbers["charged"].max()) if arms else 1.0
    columns = max(1, min(len(arms), min((5, 4), key=lambda wide: (-len(arms) % wide, -wide))))
    rows = max(1, ceil(len(arms) / columns))
    size = max(5.0, 1.95 * columns), 1.3 + 1.7 * rows
    with figure(*size, rows=rows, columns=columns, sharex=True, sharey=True, squeeze=False) as (drawn, axes):
        for panel, arm in zip(axes.flat, arms, strict=False):
            for other in arms:
                own = numbers[numbers["arm"] == other]
                if other == arm:
                    _draw_curve(panel, own, reference, end, regret=True, strong=True)
                else:
                    shown = np.maximum(reference - own["median"], _SMALLEST)
                    panel.step(own["charged"], shown, where="post", color="#C4C4C4", linewidth=0.7, zorder=1.5)
            panel.set_title(arm_title(arm, 26), fontsize=8.5)
        for place, panel in enumerate(axes.flat):
            panel.set_visible(place < max(1, len(arms)))
            if place + columns >= len(arms):
                panel.tick_params(labelbottom=True)
        if arms:
            _finish(axes[0, 0], numbers, reference, regret=True)
            axes[0, 0].xaxis.set_major_locator(MaxNLocator(3))
        else:
            say(axes[0, 0], "there are no searches")
        drawn.supxlabel(sentence(_X), fontsize=9)
        drawn.supylabel(f"Hypervolume regret to the {kind}", fontsize=9)
        headline(
            drawn,
            f"Hypervolume regret to the {kind}: median and quartiles of {seeds_text(anytime)}, medians of the other "
            f"arms in grey. {dataset_of(anytime)}",
        )
        yield drawn, numbers


def anytime_words(
    anytime: pd.DataFrame, reference: float, kind: str, highlighted: Sequence[str] | None = None
) -> Words:
    """Return the texts of :func:`anytime_figure`, or of :func:`anytime_panels` where no arms are highlighted."""
    numbers = summarise_anytime(anytime, reference)
    arms = arms_of(numbers)
    if not arms:
        return "An empty frame: there are no searches.", "There are no searches to show."
    ends = numbers.groupby("arm")[["median", "charged"]].last()
    parts = [
        f"{arm_words(arm)} {fixed(float(ends['median'][arm]), 4)} after {count(ends['charged'][arm])}" for arm in arms
    ]
    extra = numbers["charged"] - numbers["evaluation"]
    begun = (
        f" Arms that need a training sample begin after its {counted(int(extra.max()), 'evaluation')}."
        if extra.max() > 0
        else ""
    )
    bands = [arm_words(arm) for arm in arms if arm in (highlighted or ())]
    drawn = (
        "; the quartiles are a band in the arm's own panel, medians of the other arms are grey. Drawn is the regret"
        if highlighted is None
        else f"{f', with quartiles as bands of {listed(bands)}' if bands else ''}. Drawn beside it is the regret"
    )
    return (
        f"Curves of hypervolume over evaluations for {counted(len(arms), 'arm')}. Median at the end: "
        f"{'; '.join(parts)}; {kind} {fixed(reference, 4)}.",
        f"Hypervolume of all architectures evaluated so far on {numbers['dataset'].iloc[0]}: median of "
        f"{counted(int(anytime['seed'].nunique()), 'search', 'searches')} an arm"
        f"{drawn}, what a search lacks of the {kind} ({fixed(reference, 4)}), on a logarithmic axis."
        f"{begun} Searches that ended early keep their last value.",
    )


def _draw_curve(axes: Axes, own: pd.DataFrame, reference: float, end: float, *, regret: bool, strong: bool) -> None:
    look = ARM_LOOKS[str(own["arm"].iloc[0])]
    low, middle, high = (own[name].to_numpy(dtype=np.float64) for name in _QUARTILES)
    if regret:
        low, middle, high = (np.maximum(reference - values, _SMALLEST) for values in (high, middle, low))
    if own["charged"].iloc[-1] < end:  # all searches ended before: what they reached stays
        axes.hlines(middle[-1], own["charged"].iloc[-1], end, color=look.colour, linestyle=":", linewidth=0.8)
    if strong:
        axes.fill_between(own["charged"], low, high, step="post", color=look.colour, alpha=0.2, linewidth=0, zorder=2)
    axes.step(
        own["charged"],
        middle,
        where="post",
        color=look.colour,
        linestyle=look.line,
        linewidth=2.0 if strong else 0.9,
        zorder=3 if strong else 2.5,
    )


def _draw_sample(axes: Axes, numbers: pd.DataFrame) -> None:
    """Shade the evaluations that the training sample takes."""
    extra = int((numbers["charged"] - numbers["evaluation"]).max()) if len(numbers) else 0
    if extra:
        axes.axvspan(0, extra, color=COLOURS["grey"], alpha=0.1, linewidth=0)
        axes.annotate(
            f"training sample ({count(extra)})",
            (extra / 2, 0.02),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            fontsize=7.5,
            color=COLOURS["grey"],
            rotation=90 if extra < 0.35 * numbers["charged"].max() else 0,
        )


def _finish(axes: Axes, numbers: pd.DataFrame, reference: float, *, regret: bool) -> None:
    """Set limits that show the curves' differences rather than their first, poor starts."""
    if numbers.empty:
        return
    axes.set_xlim(0, float(numbers["charged"].max()))
    write_axis(axes.xaxis, numbers["charged"])
    starts = [_early(own) for _, own in numbers.groupby("arm")]
    if not regret:
        bottom = min(starts)
        bottom = max(0.0, bottom - 0.08 * (reference - bottom)) if reference > bottom else max(0.0, reference - 0.1)
        axes.set_ylim(bottom, reference + 0.06 * (reference - bottom))
        return
    axes.set_yscale("log")
    least = max(reference - float(numbers["upper_quartile"].max()), _SMALLEST)
    top = max(reference - min(starts), 3 * least)
    axes.set_ylim(least / 1.3, 1.3 * top)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if top < 30 * least else (1, 3)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if least == _SMALLEST:
        remark(axes, "no regret: at the lower end", y=0.12)


def _early(own: pd.DataFrame) -> float:
    """Return the lower quartile of an arm after a thirtieth of its evaluations."""
    begun = own["evaluation"] <= max(1.0, own["evaluation"].max() / 30)
    return float(own.loc[begun, "lower_quartile"].iloc[-1])


def _ends(numbers: pd.DataFrame, arms: Sequence[str]) -> dict[str, float]:
    ends = numbers.groupby("arm")["median_regret"].last()
    return {arm: max(float(ends[arm]), _SMALLEST) for arm in arms}
