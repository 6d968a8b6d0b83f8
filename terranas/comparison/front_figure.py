"""Figure of the fronts that arms found, over all known architectures."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from math import ceil
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from terranas.comparison.figures import (
    Array,
    Objective,
    arm_title,
    arm_words,
    arms_of,
    at_largest_budgets,
    dataset_of,
    remark,
    seeds_text,
    serves_logarithm,
    with_margin,
)
from terranas.core.figures import ARM_LOOKS, COLOURS, figure
from terranas.core.formats import count, counted, listed, percent
from terranas.core.pareto import nondominated
from terranas.landscape.figures import Drawing, Words, headline, say

Plane = tuple[int, int]
"""Two objectives by their place: that of the y axis and that of the x axis."""

MAX_POINTS = 5_000
"""Architectures drawn one by one; more are counted in hexagons."""

_SHARES = (0.1, 0.5, 1.0)  # in the legend
_A_ROW = (5, 4, 3)  # panels, where there is one plane and many arms


def planes_of(objectives: int) -> list[Plane]:
    """Return all pairs of so many objectives; the first, which is mostly an accuracy, is on y axes."""
    return list(combinations(range(objectives), 2))


def found_shares(fronts: pd.DataFrame, objectives: Sequence[str]) -> pd.DataFrame:
    """Return, for each arm's largest budget, the share of seeds whose front holds each point.

    Architectures with equal objectives count as one point.

    Args:
        fronts: schema ``search.fronts``.
        objectives: names of the objectives.

    Returns:
        Columns ``arm``, ``budget``, the objectives, ``predicted`` (whether they are predicted) and ``share``.
    """
    largest = at_largest_budgets(fronts)
    seeds = largest.groupby("arm")["seed"].nunique()
    keys = ["arm", "budget", *objectives, "predicted"]
    found = largest.groupby(keys, sort=True)["seed"].nunique().reset_index(name="found")
    return found.assign(share=found["found"] / found["arm"].map(seeds).astype("float64")).drop(columns="found")


@contextmanager
def front_figure(
    values: Array,
    fronts: pd.DataFrame,
    objectives: Sequence[Objective],
    arms: Sequence[str] | None = None,
    planes: Sequence[Plane] | None = None,
    *,
    predicted: int = 0,
) -> Iterator[Drawing]:
    """Draw the fronts found with the largest budgets over all known architectures.

    With one plane each arm has a panel, three to five a row; with several planes each arm has a row of panels. The
    axes end a little beyond the fronts on their bad side where few architectures lie far out; how many lie outside is
    said.

    Args:
        values: objectives of all n architectures in their own directions, shape (n, m), rows that are not finite are
            left out.
        fronts: schema ``search.fronts``.
        objectives: of the columns of ``values``, at least two.
        arms: arms to draw, all of the table by default.
        planes: pairs of objectives to draw, all by default (see :func:`planes_of`).
        predicted: how many rows of ``values`` are predicted.

    Yields:
        The figure, and columns dataset, series, budget, the objectives, share (of the seeds that found a point),
        predicted, and plane and architectures for the hexagons and points of the cloud.
    """
    names = [objective.name for objective in objectives]
    chosen = arms_of(fronts, arms)
    shown = list(planes) if planes is not None else planes_of(len(objectives))
    known = values[np.isfinite(values).all(axis=1)]
    truth = np.unique(known[nondominated(known, [o.direction for o in objectives])], axis=0)
    shares = found_shares(fronts[fronts["arm"].isin(chosen)], names)
    one = len(shown) == 1
    columns = _columns(len(chosen)) if one else len(shown)
    rows = ceil(max(1, len(chosen)) / columns) if one else max(1, len(chosen))
    small = columns > 2
    size = (2.2 if small else 3.7) * columns, 1.3 + (1.95 if small else 2.9) * rows
    beyond: dict[Plane, int] = {}
    lost: dict[str, int] = {}
    clouds: dict[Plane, pd.DataFrame] = {}
    with figure(max(5.0, size[0]), size[1], rows=rows, columns=columns, squeeze=False) as (drawn, axes):
        for row, arm in enumerate(chosen):
            for column, plane in enumerate(shown):
                panel = axes.flat[row] if one else axes[row, column]
                own = shares[shares["arm"] == arm]
                scale = _Scale.of(known, truth, shares[names].to_numpy(dtype=np.float64), plane, objectives)
                clouds[plane] = _draw_cloud(panel, known, scale)
                _draw_true_front(panel, truth, scale, objectives)
                _draw_found(panel, own, arm, [names[place] for place in plane])
                scale.apply(panel, objectives, few=small)
                beyond[plane] = scale.outside(known)
                lost[arm] = max(lost.get(arm, 0), scale.outside(own[names].to_numpy(dtype=np.float64)))
                if one or not column:
                    budget = counted(int(own["budget"].iloc[0]), "evaluation")
                    panel.set_title(_title(arm, budget, small), fontsize=8.5)
        for panel in list(axes.flat)[len(chosen) * len(shown) :]:
            panel.set_visible(False)
        _label(axes, len(chosen), shown, objectives, one)
        if not chosen:
            axes.flat[0].set_visible(True)
            say(axes.flat[0], "there are no fronts")
        elif not len(known):
            for panel in axes.flat[: len(chosen) * len(shown)]:
                remark(panel, "no architecture has\nvalues of all objectives")
        if chosen:
            handles = _handles(bool(shares["predicted"].any()), len(objectives) == 2, len(known) > MAX_POINTS)
            drawn.legend(handles=handles, loc="outside lower center", ncols=3, columnspacing=1.2)
        headline(
            drawn,
            f"Fronts found in {seeds_text(fronts)} over {_known_text(len(known), predicted)}"
            f"{_beyond_text(list(beyond.values()), sum(lost.values()))}. {dataset_of(fronts)}",
        )
        yield drawn, _numbers(shares, truth, clouds, names, dataset_of(fronts))


def front_words(
    values: Array,
    fronts: pd.DataFrame,
    objectives: Sequence[Objective],
    arms: Sequence[str] | None = None,
    *,
    predicted: int = 0,
) -> Words:
    """Return the texts of :func:`front_figure`."""
    chosen = arms_of(fronts, arms)
    known = values[np.isfinite(values).all(axis=1)]
    if not chosen or not len(known):
        text = "there are no fronts" if not chosen else "no architecture has values of all objectives"
        return f"An empty frame: {text}.", f"There is nothing to show: {text}."
    names = [objective.name for objective in objectives]
    truth = np.unique(known[nondominated(known, [o.direction for o in objectives])], axis=0)
    shares = found_shares(fronts[fronts["arm"].isin(chosen)], names)
    on_truth = set(map(tuple, truth.tolist()))
    parts = []
    for arm in chosen:
        own = shares[shares["arm"] == arm]
        points = {tuple(point) for point in own[names].to_numpy(dtype=np.float64).tolist()}
        parts.append(f"{arm_words(arm)} {count(len(points & on_truth))} in {count(own['budget'].iloc[0])} evaluations")
    words = listed([objective.words for objective in objectives])
    planes = "" if len(objectives) == 2 else " Panels show two objectives; points may be hidden behind others in them."
    stairs = "stairs" if len(objectives) == 2 else "rings"
    return (
        f"Fronts in {words}. Of {counted(len(truth), 'point')} of the best known front, at least one seed found: "
        f"{'; '.join(parts)}.",
        f"Fronts of {words} that {counted(len(chosen), 'arm')} found with their largest budgets, over "
        f"{_known_text(len(known), predicted)} on {fronts['dataset'].iloc[0]}. The {stairs} are the "
        "best known front. The larger a mark, the more seeds found that point; of "
        f"{counted(len(truth), 'point')} at least one seed found: {'; '.join(parts)}."
        + (" Hollow marks have predicted values." if shares["predicted"].any() else "")
        + planes,
    )


class _Scale:
    """Axes of a plane: which are logarithmic, and where they end."""

    def __init__(self, plane: Plane, logarithmic: tuple[bool, bool], limits: Sequence[tuple[float, float]]) -> None:
        self.plane = plane
        self.logarithmic = logarithmic
        self.limits = limits

    @classmethod
    def of(cls, known: Array, truth: Array, found: Array, plane: Plane, objectives: Sequence[Objective]) -> "_Scale":
        y, x = plane
        logarithmic = serves_logarithm(known[:, y], objectives[y]), serves_logarithm(known[:, x], objectives[x])
        limits = [_limits(known[:, c], truth[:, c], found[:, c], logarithmic[p]) for p, c in enumerate(plane)]
        return cls(plane, logarithmic, limits)

    def apply(self, panel: Axes, objectives: Sequence[Objective], *, few: bool) -> None:
        y, x = self.plane
        if self.logarithmic[0]:
            panel.set_yscale("log")
        if self.logarithmic[1]:
            panel.set_xscale("log")
        objectives[y].write_axis(panel.yaxis, self.limits[0], logarithmic=self.logarithmic[0], few=few)
        objectives[x].write_axis(panel.xaxis, self.limits[1], logarithmic=self.logarithmic[1], few=few)
        panel.set_ylim(self.limits[0])
        panel.set_xlim(self.limits[1])

    def outside(self, known: Array) -> int:
        inside = np.ones(len(known), dtype=np.bool_)
        for place, (low, high) in zip(self.plane, self.limits, strict=True):
            inside &= (known[:, place] >= low) & (known[:, place] <= high)
        return int(np.count_nonzero(~inside))


def _limits(known: Array, truth: Array, found: Array, logarithmic: bool) -> tuple[float, float]:
    """Return axis limits: the best known front, nearly all found points and architectures, with a margin."""
    parts = [truth]
    if len(known):
        parts.append(np.quantile(known, [0.02, 0.98]))
    if len(found):  # a single bad point, the cheapest that some seed met, must not squeeze all others into a line
        parts.append(np.quantile(found, [0.005, 0.995]))
    return with_margin(np.concatenate(parts), 0.06, logarithmic=logarithmic)


def _draw_cloud(panel: Axes, known: Array, scale: _Scale) -> pd.DataFrame:
    y, x = scale.plane
    if len(known) <= MAX_POINTS:
        panel.scatter(known[:, x], known[:, y], s=5, color=COLOURS["grey"], alpha=0.35, linewidths=0, zorder=1)
        return pd.DataFrame({"y": known[:, y], "x": known[:, x], "architectures": 1})
    # hexbin bins in the axis' own scale and wants the extent of a logarithmic axis as exponents
    extent = [
        float(np.log10(end)) if log else end
        for ends, log in zip(scale.limits[::-1], scale.logarithmic[::-1], strict=True)
        for end in ends
    ]
    hexagons = panel.hexbin(
        known[:, x],
        known[:, y],
        gridsize=60,
        extent=(extent[0], extent[1], extent[2], extent[3]),
        xscale="log" if scale.logarithmic[1] else "linear",
        yscale="log" if scale.logarithmic[0] else "linear",
        mincnt=1,
        norm=LogNorm(),
        cmap="Greys",
        alpha=0.55,
        linewidths=0,
        zorder=1,
        rasterized=True,  # thousands of hexagons would make the vector files slow to open
    )
    centres = np.asarray(hexagons.get_offsets())
    return pd.DataFrame({"y": centres[:, 1], "x": centres[:, 0], "architectures": hexagons.get_array()})


def _draw_true_front(panel: Axes, truth: Array, scale: _Scale, objectives: Sequence[Objective]) -> None:
    """Draw the best known front; with two objectives as the staircase that bounds what can be reached."""
    y, x = scale.plane
    if len(objectives) == 2:
        order = np.lexsort((truth[:, y], truth[:, x]))
        # between two points the better value of the first objective is that of the one with the better second
        where: Literal["pre", "post"] = "pre" if objectives[x].maximised else "post"
        panel.step(truth[order, x], truth[order, y], where=where, color="black", linewidth=0.9, zorder=2)
    size = 12 if len(truth) < 200 else 5
    panel.scatter(
        truth[:, x], truth[:, y], s=size, facecolors="white", edgecolors="black", linewidths=0.07 * size**0.9, zorder=3
    )


def _draw_found(panel: Axes, own: pd.DataFrame, arm: str, axes: Sequence[str]) -> None:
    look = ARM_LOOKS[arm]
    # one line a size: vector files then hold each marker once
    for (predicted, share), points in own.groupby(["predicted", "share"]):
        hollow = bool(predicted)
        panel.plot(
            points[axes[1]],
            points[axes[0]],
            linestyle="",
            marker="o",
            markersize=_diameter(float(str(share))),
            markerfacecolor="none" if hollow else look.colour,
            markeredgecolor=look.colour if hollow else "white",
            alpha=1.0 if hollow else 0.75,
            markeredgewidth=1.0 if hollow else 0.4,
            zorder=4,
        )


def _diameter(share: float) -> float:
    """Return the diameter of a marker in points: its area grows with the share, but is never invisible."""
    return float((6.0 + 54.0 * share) ** 0.5)


def _columns(arms: int) -> int:
    """Return how many panels stand in a row: few enough to read, with few empty places in the last row."""
    return max(1, arms) if arms <= _A_ROW[0] else min(_A_ROW, key=lambda columns: -arms % columns)


def _label(
    axes: NDArray[np.object_], arms: int, planes: Sequence[Plane], objectives: Sequence[Objective], one: bool
) -> None:
    """Label the outer axes of a grid of equal panels, and every axis of a grid of several planes."""
    columns = axes.shape[1]
    for place, panel in enumerate(axes.flat[: arms * len(planes)]):
        y, x = planes[0] if one else planes[place % columns]
        lowest = not one or place + columns >= arms
        panel.tick_params(labelbottom=lowest, labelleft=not one or place % columns == 0)
        if lowest and (one or place // columns == arms - 1):
            panel.set_xlabel(_folded(objectives[x], one), fontsize=9 if one else 8)
        if not one or place % columns == 0:
            panel.set_ylabel(_folded(objectives[y], one), fontsize=9 if one else 8)


def _folded(objective: Objective, one: bool) -> str:
    """Return the label of an axis; where each panel has its own, in lines that fit a panel."""
    return objective.label() if one else textwrap.fill(objective.label(), 20)


def _title(arm: str, budget: str, small: bool) -> str:
    return f"{arm_title(arm, 28)}\n{budget}" if small else f"{arm_title(arm, 60)}, {budget}"


def _known_text(known: int, predicted: int) -> str:
    """Return how many architectures have values, and how many of these are predicted."""
    if not predicted:
        return counted(known, "known architecture")
    return f"{counted(known, 'architecture')} ({count(predicted)} with predicted values)"


def _beyond_text(beyond: Sequence[int], lost: int) -> str:
    """Return how many architectures, and how many found points, lie outside the axes."""
    outside = max(beyond, default=0)
    parts = [f"{'up to ' if len(set(beyond)) > 1 else ''}{count(outside)} of them"] if outside else []
    if lost:
        parts.append(counted(lost, "found point"))
    if not parts:
        return ""
    verb = "lies" if outside + lost == 1 else "lie"
    return f"; {listed(parts)} {verb} outside the axes{' of a panel' if len(beyond) > 1 else ''}"


def _handles(predicted: bool, stairs: bool, hexagons: bool) -> list[Line2D]:
    """Return what explains all panels: marker sizes in grey, since each arm has its own colour."""
    handles = []
    for share in _SHARES:
        words = f"on the front of {percent(share, 0)} of the seeds" if share == _SHARES[0] else percent(share, 0)
        handles.append(_dot(words, _diameter(share), 1.0))
    ring = Line2D([], [], marker="o", markersize=3.5, color="black", markerfacecolor="white", linewidth=0.9)
    ring.set(label="best known front", linestyle="-" if stairs else "")
    handles.append(ring)
    if predicted:
        hollow = Line2D([], [], linestyle="", marker="o", markersize=5, color=COLOURS["grey"], markerfacecolor="none")
        hollow.set_label("values predicted, not measured")
        handles.append(hollow)
    words = "known architectures" + (" (the darker, the more)" if hexagons else "")
    return [*handles, _dot(words, 2.2, 0.4)]


def _dot(words: str, diameter: float, alpha: float) -> Line2D:
    dot = Line2D([], [], linestyle="", marker="o", markersize=diameter, color=COLOURS["grey"], alpha=alpha)
    dot.set(label=words, markeredgewidth=0)
    return dot


def _numbers(
    shares: pd.DataFrame, truth: Array, clouds: dict[Plane, pd.DataFrame], names: Sequence[str], dataset: str
) -> pd.DataFrame:
    """Return all that is drawn as one long table."""
    parts = [
        shares.assign(series=shares["arm"]),
        pd.DataFrame(truth, columns=list(names)).assign(series="best known front"),
    ]
    for (y, x), cloud in clouds.items():
        renamed = cloud.rename(columns={"x": names[x], "y": names[y]})
        parts.append(renamed.assign(series="known architectures", plane=f"{names[y]} over {names[x]}"))
    columns = ["series", "budget", *names, "share", "predicted", "plane", "architectures"]
    table = pd.concat([part.reindex(columns=columns) for part in parts])
    table.insert(0, "dataset", dataset)
    types = {"budget": "Int64", "architectures": "Int64", "predicted": "boolean", "plane": "string"}
    return table.astype(types).reset_index(drop=True)
