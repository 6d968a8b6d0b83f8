"""Empirical attainment surfaces of two arms, and where one attains more often than the other.

The empirical attainment function of a point is the share of searches whose front dominates or equals it (Grunert da
Fonseca, Fonseca and Hall, EMO 2001). A surface at a level bounds what at least that share of the searches attains.
Differences are drawn in two panels, one in favour of each arm, as in López-Ibáñez, Paquete and Stützle (Experimental
Methods for the Analysis of Optimization Algorithms, 2010, chapter 9).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import moocore
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from terranas.comparison.figures import (
    Array,
    Objective,
    arm_words,
    dataset_of,
    minimised,
    note,
    serves_logarithm,
    with_margin,
)
from terranas.core.figures import ARM_LOOKS, COLOURS, figure
from terranas.core.formats import SPACE, counted, listed, percent, sentence
from terranas.landscape.figures import Drawing, LineStyle, Words, headline

LEVELS: dict[str, tuple[str, LineStyle]] = {
    "best": ("attained by at least one search", "-"),
    "median": ("by half of them", "--"),
    "worst": ("by all", ":"),
}
"""Levels of the surfaces, what they mean, and their lines."""

_CLASSES = 5  # of differences


@contextmanager
def attainment_figure(
    fronts: pd.DataFrame, objectives: Sequence[Objective], pair: tuple[str, str], budgets: tuple[int, int]
) -> Iterator[Drawing]:
    """Draw best, median and worst attainment surfaces of two arms, and the differences of their attainment.

    With more than two objectives the fronts are projected to the first two.

    Args:
        fronts: schema ``search.fronts``.
        objectives: of the study; the first is on the y axis, the second on the x axis.
        pair: the two arms.
        budgets: budget of each.

    Yields:
        The figure, and columns dataset, series (an arm, "both arms" or "difference"), budget, level, the two
        objectives and ``<objective>_end``, and difference: a corner of a surface a row, and below them rectangles
        with the difference of the shares of searches that attain them, first less second arm; a corner that is
        not finite is everything worse.
    """
    plane = tuple(objectives[:2])
    sets = [_fronts_of(fronts, plane, arm, budget) for arm, budget in zip(pair, budgets, strict=True)]
    surfaces = [_surfaces(own, plane) for own in sets]
    grand = _surfaces(_together(sets), plane)
    rectangles = _differences(sets[0], sets[1], plane)
    frame = _Frame.around(plane, surfaces, rectangles)
    with figure(8.4, 7.4, rows=2, columns=2, sharex=True, sharey=True) as (drawn, axes):
        for place, (arm, budget) in enumerate(zip(pair, budgets, strict=True)):
            upper, lower, colour = axes[0, place], axes[1, place], ARM_LOOKS[arm].colour
            own = surfaces[place]
            upper.set_title(
                f"{sentence(arm_words(arm))}\n{counted(sets[place].number, 'search', 'searches')}, "
                f"{counted(budget, 'evaluation')}"
            )
            for level, (_, line) in LEVELS.items():
                frame.draw_surface(upper, own.get(level), color=colour, linestyle=line, linewidth=1.6)
            frame.draw_rectangles(lower, rectangles, 1 if place == 0 else -1, colour)
            lower.set_title(f"In favour of {arm_words(arm)}")
            if not sets[place].number:
                note(upper, "there are no fronts")
            if not all(one.number for one in sets):
                note(lower, "there is nothing to compare")
                continue
            for level in ("best", "worst"):
                frame.draw_surface(lower, grand.get(level), color="black", linewidth=0.8)
            frame.draw_surface(lower, own.get("median"), color="black", linestyle=(0, (3, 1.5)), linewidth=1.2)
            key = lower.legend(handles=_shade_handles(_shades(colour)), loc=frame.empty_corner(), fontsize=7.5)
            key.set_frame_on(True)
            key.get_frame().set(edgecolor="none", alpha=0.8)
        frame.apply(axes)
        drawn.legend(handles=_handles(), loc="outside lower center", ncols=2)
        words = listed([objective.words for objective in plane])
        headline(drawn, f"Empirical attainment of {words}. {dataset_of(fronts)}", *_projected(objectives))
        yield drawn, _numbers(fronts, plane, dict(zip(pair, budgets, strict=True)), [*surfaces, grand], rectangles)


def attainment_words(
    fronts: pd.DataFrame, objectives: Sequence[Objective], pair: tuple[str, str], budgets: tuple[int, int]
) -> Words:
    """Return the texts of :func:`attainment_figure`."""
    plane = tuple(objectives[:2])
    sets = [_fronts_of(fronts, plane, arm, budget) for arm, budget in zip(pair, budgets, strict=True)]
    if not all(own.number for own in sets):
        return "Empty frames: an arm has no fronts.", "There are no fronts of both arms to compare."
    differences = _differences(sets[0], sets[1], plane)[:, 4]
    names = [arm_words(arm) for arm in pair]
    most = [float(np.max(sign * differences, initial=0.0)) for sign in (1, -1)]
    parts = [
        f"up to {percent(share, 0)} of the searches in favour of {name}" if share else f"none in favour of {name}"
        for name, share in zip(names, most, strict=True)
    ]
    searches = [
        f"{counted(own.number, 'search', 'searches')} of {name} ({counted(budget, 'evaluation')})"
        for own, name, budget in zip(sets, names, budgets, strict=True)
    ]
    return (
        f"Attainment surfaces of {names[0]} and {names[1]}, and their differences: {' and '.join(parts)}.",
        f"Above: what at least one, half and all of {searches[0]} and of {searches[1]} on "
        f"{fronts['dataset'].iloc[0]} attain in {listed([objective.words for objective in plane])}. Below: by what "
        f"share of its searches one arm attains a point more often than the other; {' and '.join(parts)}. Black lines "
        "bound what at least one search of both arms and what all of them attain; the dashed line is the arm's "
        f"median surface.{''.join(' ' + text for text in _projected(objectives))}",
    )


@dataclass(frozen=True)
class _Fronts:
    """Minimised points of some searches.

    Attributes:
        points: shape (n, 2).
        searches: number of the search of each point, from 1 in a row.
    """

    points: Array
    searches: NDArray[np.int64]

    @property
    def number(self) -> int:
        return int(self.searches.max(initial=0))

    def repeated(self, times: int) -> Array:
        """Return points and searches as one table in which each search stands so often."""
        table = np.column_stack([self.points, self.searches])
        copies = [table + np.array([0.0, 0.0, self.number * copy]) for copy in range(times)]
        return np.ascontiguousarray(np.concatenate(copies))


@dataclass(frozen=True)
class _Frame:
    """Axes of the plane: y is the first objective, x the second.

    Attributes:
        plane: the two objectives.
        limits: of both, in their order.
        logarithmic: whether each axis is.
    """

    plane: Sequence[Objective]
    limits: Sequence[tuple[float, float]]
    logarithmic: Sequence[bool]

    @classmethod
    def around(cls, plane: Sequence[Objective], surfaces: Sequence[dict[str, Array]], rectangles: Array) -> Self:
        """Return axes that hold all corners of the surfaces, and nearly all of the differences, with a margin."""
        limits, logarithmic = [], []
        for column in range(2):
            parts = [corner[:, column] for own in surfaces for corner in own.values()] or [np.array([0.0, 1.0])]
            ends = rectangles[:, [column, column + 2]]
            if len(rectangles):  # a single bad point of one search must not squeeze the rest
                parts.append(np.quantile(ends[np.isfinite(ends)], [0.01, 0.99]))
            values = np.concatenate(parts)
            log = serves_logarithm(values, plane[column])
            limits.append(with_margin(values, 0.08, logarithmic=log))
            logarithmic.append(log)
        return cls(plane, limits, logarithmic)

    @property
    def worst(self) -> tuple[float, float]:
        """The corner of the frame that every point in it dominates."""
        y, x = (low if o.maximised else high for o, (low, high) in zip(self.plane, self.limits, strict=True))
        return y, x

    def empty_corner(self) -> str:
        """Return where a legend hides least: in the worst corner, which is shaded seldom."""
        return f"{'lower' if self.plane[0].maximised else 'upper'} {'left' if self.plane[1].maximised else 'right'}"

    def draw_rectangles(self, axes: Axes, rectangles: Array, sign: int, colour: str) -> None:
        """Draw the rectangles whose difference has a sign, the darker, the larger it is."""
        own = rectangles[sign * rectangles[:, 4] > 0]
        (low_y, high_y), (low_x, high_x) = self.limits
        y1, y2 = np.clip(own[:, 0], low_y, high_y), np.clip(own[:, 2], low_y, high_y)
        x1, x2 = np.clip(own[:, 1], low_x, high_x), np.clip(own[:, 3], low_x, high_x)
        corners = np.stack([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]).transpose(2, 0, 1)
        classes = np.minimum((np.abs(own[:, 4]) * _CLASSES - 1e-9).astype(int), _CLASSES - 1)
        shades = _shades(colour)
        faces = [shades[place] for place in classes]
        # lines of the same colour close the seams that viewers leave between neighbouring polygons
        axes.add_collection(
            PolyCollection(list(corners), facecolors=faces, edgecolors=faces, linewidths=0.25, zorder=1)
        )

    def draw_surface(self, axes: Axes, corners: Array | None, **style: Any) -> None:
        """Draw the stairs that bound what the corners dominate."""
        if corners is None or not len(corners):
            return
        order = np.argsort(minimised(corners, self.plane)[:, 1], kind="stable")
        y, x = corners[order].T
        worst_y, worst_x = self.worst
        axes.plot(np.append(np.repeat(x, 2), worst_x), np.insert(np.repeat(y, 2), 0, worst_y), **style)

    def apply(self, axes: NDArray[np.object_]) -> None:
        """Set scales, limits and labels of a grid of panels that share their axes."""
        for row in axes:
            row[0].set_ylabel(self.plane[0].label())
        for panel in axes[-1]:
            panel.set_xlabel(self.plane[1].label())
        panel = axes[0, 0]
        if self.logarithmic[0]:
            panel.set_yscale("log")
        if self.logarithmic[1]:
            panel.set_xscale("log")
        self.plane[0].write_axis(panel.yaxis, self.limits[0], logarithmic=self.logarithmic[0])
        self.plane[1].write_axis(panel.xaxis, self.limits[1], logarithmic=self.logarithmic[1])
        panel.set_ylim(self.limits[0])
        panel.set_xlim(self.limits[1])


def _projected(objectives: Sequence[Objective]) -> list[str]:
    if len(objectives) == 2:
        return []
    left = listed([objective.words for objective in objectives[2:]])
    verb = "is" if len(objectives) == 3 else "are"
    return [f"The fronts are projected to these two objectives; {left} {verb} left out."]


def _fronts_of(fronts: pd.DataFrame, plane: Sequence[Objective], arm: str, budget: int) -> _Fronts:
    own = fronts[(fronts["arm"] == arm) & (fronts["budget"] == budget)].sort_values("seed", kind="stable")
    values = own[[objective.name for objective in plane]].to_numpy(dtype=np.float64)
    known = np.isfinite(values).all(axis=1)
    searches = np.unique(own["seed"].to_numpy()[known], return_inverse=True)[1] + 1
    return _Fronts(minimised(values[known], plane), searches.astype(np.int64))


def _together(sets: Sequence[_Fronts]) -> _Fronts:
    first, second = sets
    searches = np.concatenate([first.searches, second.searches + first.number])
    return _Fronts(np.concatenate([first.points, second.points]), searches)


def _surfaces(fronts: _Fronts, plane: Sequence[Objective]) -> dict[str, Array]:
    """Return the corners of each level's surface in the objectives' own directions."""
    if not fronts.number:
        return {}
    levels = {"best": 0.0, "median": 50.0, "worst": 100.0}
    points = np.ascontiguousarray(fronts.points)
    found = moocore.eaf(points, fronts.searches, percentiles=list(levels.values()))
    return {name: minimised(found[found[:, 2] == level, :2], plane) for name, level in levels.items()}


def _differences(first: _Fronts, second: _Fronts, plane: Sequence[Objective]) -> Array:
    """Return rectangles, shape (n, 5): two corners and the difference of shares, first less second.

    The corners are in the objectives' own directions; one that is not finite is everything that is worse. Rectangles
    without a difference are left out.
    """
    if not first.number or not second.number:
        return np.empty((0, 5))
    # moocore counts searches; with equally many of each arm, counts are shares
    together = int(np.lcm(first.number, second.number))
    tables = [fronts.repeated(together // fronts.number) for fronts in (first, second)]
    attained = [moocore.eaf(np.ascontiguousarray(table[:, :2]), table[:, 2]) for table in tables]
    if np.array_equal(*attained):  # moocore 0.3 fails where there is no rectangle at all
        return np.empty((0, 5))
    found = moocore.eafdiff(*tables, rectangles=True)
    found = found[found[:, 4] != 0]
    return np.column_stack([minimised(found[:, :2], plane), minimised(found[:, 2:4], plane), found[:, 4] / together])


def _shades(colour: str) -> list[tuple[float, float, float]]:
    """Return the colours of the classes of differences, from a tint to a shade of a colour."""
    middle, white, black = np.array(to_rgb(colour)), np.ones(3), np.zeros(3)
    mixed = [
        white * (1 - share) + middle * share if share <= 1 else middle * (2 - share) + black * (share - 1)
        for share in np.linspace(0.25, 1.45, _CLASSES)
    ]
    return [(float(red), float(green), float(blue)) for red, green, blue in mixed]


def _shade_handles(shades: Sequence[tuple[float, float, float]]) -> list[Patch]:
    ends = [round(100 * place / _CLASSES) for place in range(_CLASSES + 1)]
    texts = [f"{f'{low} to' if low else 'up to'} {high}{SPACE}%" for low, high in pairwise(ends)]
    return [Patch(facecolor=shade, label=text) for shade, text in zip(shades[::-1], texts[::-1], strict=True)]


def _handles() -> list[Line2D]:
    handles = [
        Line2D([], [], color=COLOURS["grey"], linestyle=line, linewidth=1.6, label=f"{level}: {words}")
        for level, (words, line) in LEVELS.items()
    ]
    return [*handles, Line2D([], [], color="black", linewidth=0.8, label="best and worst of both arms together")]


def _numbers(
    fronts: pd.DataFrame,
    plane: Sequence[Objective],
    budgets: dict[str, int],
    surfaces: Sequence[dict[str, Array]],
    rectangles: Array,
) -> pd.DataFrame:
    names = [objective.name for objective in plane]
    parts = []
    for series, own in zip([*budgets, "both arms"], surfaces, strict=True):
        for level, corners in own.items():
            about = {"series": series, "budget": budgets.get(series), "level": level}
            parts.append(pd.DataFrame(corners, columns=names).assign(**about))
    ends = [f"{name}_end" for name in names]
    parts.append(pd.DataFrame(rectangles, columns=[*names, *ends, "difference"]).assign(series="difference"))
    table = pd.concat(
        [part.reindex(columns=["series", "budget", "level", *names, *ends, "difference"]) for part in parts]
    )
    table.insert(0, "dataset", dataset_of(fronts))
    return table.astype({"budget": "Int64"}).reset_index(drop=True)
