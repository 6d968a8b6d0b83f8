"""Figure of one search's way through architecture space.

The plane is classical scaling (Torgerson, Psychometrika 17, 1952) of the Hamming distances, taken as squared Euclidean
distances, which those of bits are: the two directions in which the architectures differ most. How much of their
variance it shows is said; distances over evaluations are exact.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from terranas.comparison.figures import Array, Objective, arm_words, dataset_of, write_axis
from terranas.core.errors import TableError
from terranas.core.figures import ARM_LOOKS, COLOURS, figure
from terranas.core.formats import count, counted, halves, percent, sentence
from terranas.core.pareto import nondominated
from terranas.landscape.figures import Drawing, Words, headline, say
from terranas.space.searchable import SearchableSpace

MAX_PLACED = 800
"""Architectures that the plane shows; of more, the others are taken evenly along the search."""

_MANY = 40  # starts that larger squares would cover
_CHUNK = 500  # architectures whose distances to others are computed at once


@contextmanager
def walk_figure(
    evaluations: pd.DataFrame, space: SearchableSpace, objectives: Sequence[Objective], arm: str, seed: int
) -> Iterator[Drawing]:
    """Draw what a search evaluated: a plane of architecture space, and distances to its starts and final front.

    Args:
        evaluations: schema ``search.evaluations``.
        space: that was searched.
        objectives: of the study, for the final front.
        arm: of the search.
        seed: of the search.

    Yields:
        The figure, and one row an architecture in the order of their first evaluation: whether it was a start,
        entered the archive and is on the final front, its distances, and its place in the plane (NaN where it has
        none).

    Raises:
        TableError: an architecture is not in the space.
    """
    numbers, shown = _walk(evaluations, space, objectives, arm, seed)
    colour = ARM_LOOKS[arm].colour
    with figure(9.4, 4.9, rows=2, columns=2, sharex="col", width_ratios=(1.15, 1)) as (drawn, axes):
        grid = axes[0, 0].get_gridspec()
        for panel in axes[:, 0]:
            panel.remove()
        plane = drawn.add_subplot(grid[:, 0])
        if numbers.empty:
            for panel in (plane, *axes[:, 1]):
                say(panel, "there is no such search")
        else:
            _draw_plane(drawn, plane, numbers, shown, colour)
            begun = _begun(numbers)
            for panel, column, label in (
                (axes[0, 1], "distance_to_starts", f"Distance to the nearest {begun}"),
                (axes[1, 1], "distance_to_front", "Distance to the nearest member of the final front"),
            ):
                _draw_distances(panel, numbers, column, colour)
                panel.set_title(label, fontsize=8.5)
                panel.set_ylabel("Hamming distance")
            axes[1, 1].set_xlabel("Evaluation")
            write_axis(axes[1, 1].xaxis, numbers["evaluation"])
            drawn.legend(handles=_handles(numbers, colour), loc="outside lower center", ncols=4)
        headline(
            drawn,
            f"{sentence(arm_words(arm))}, seed {seed}: {counted(len(numbers), 'architecture')} evaluated. "
            f"{dataset_of(numbers)}",
        )
        yield drawn, numbers


def walk_words(
    evaluations: pd.DataFrame, space: SearchableSpace, objectives: Sequence[Objective], arm: str, seed: int
) -> Words:
    """Return the texts of :func:`walk_figure`."""
    numbers, shown = _walk(evaluations, space, objectives, arm, seed)
    if numbers.empty:
        return "Empty frames: there is no such search.", "There is no such search to show."
    front = numbers[numbers["on_front"]]
    begun = _begun(numbers)
    facts = (
        f"{counted(len(numbers), 'architecture')}, {count(int(numbers['entered_archive'].sum()))} of which entered the "
        f"archive and {count(len(front))} are on the final front; distance to the nearest {begun}: median "
        f"{halves(numbers['distance_to_starts'].median())}, largest {count(numbers['distance_to_starts'].max())}, of "
        f"the final front median {halves(front['distance_to_starts'].median())}"
    )
    placed = int(numbers["x"].notna().sum())
    left_out = (
        f" Of {counted(len(numbers), 'architecture')} it shows {count(placed)}: starts, what entered the archive, and "
        "others evenly along the search."
        if placed < len(numbers)
        else ""
    )
    return (
        f"One search ({arm_words(arm)}, seed {seed}) in architecture space: {facts}.",
        f"The way of one search (seed {seed}, {arm_words(arm)}) through architecture space on "
        f"{numbers['dataset'].iloc[0]}: {facts}. Left: classical scaling of the Hamming distances, which shows "
        f"{percent(shown, 0)} of their variance, so near places need not be near architectures.{left_out} Right: exact "
        "distances in the order of evaluation.",
    )


def classical_scaling(distances: NDArray[np.number[Any]]) -> tuple[Array, float]:
    """Return places in a plane whose squared distances resemble the given ones, and the share of variance they show.

    Args:
        distances: symmetric squared distances, shape (n, n); Hamming distances are squared distances of bits.

    Returns:
        Places, shape (n, 2), centred, the first axis the longer; each axis is turned so that its largest entry is
        positive. The share is that of the two largest eigenvalues in the sum of the positive ones, 1 where all
        distances are 0.
    """
    squared = np.asarray(distances, dtype=np.float64)
    centred = squared - squared.mean(axis=0)
    centred = -0.5 * (centred - centred.mean(axis=1, keepdims=True))
    values, vectors = np.linalg.eigh(centred)
    total = float(values[values > 0].sum())
    largest = np.argsort(values)[::-1][:2]
    lengths = np.sqrt(np.maximum(values[largest], 0.0))
    places = vectors[:, largest] * lengths
    places = np.pad(places, ((0, 0), (0, 2 - places.shape[1])))
    signs = np.sign(places[np.abs(places).argmax(axis=0), [0, 1]])
    shown = float(np.maximum(values[largest], 0.0).sum()) / total if total > 1e-9 else 1.0
    return places * np.where(signs == 0, 1.0, signs), shown


def _walk(
    evaluations: pd.DataFrame, space: SearchableSpace, objectives: Sequence[Objective], arm: str, seed: int
) -> tuple[pd.DataFrame, float]:
    """Return the figure's numbers, and the share of variance that the plane shows."""
    names = [objective.name for objective in objectives]
    own = evaluations[(evaluations["arm"] == arm) & (evaluations["seed"] == seed)].sort_values("evaluation")
    own = own.drop_duplicates("architecture").reset_index(drop=True)
    numbers = own[["dataset", "arm", "seed", "evaluation", "architecture", "start", "entered_archive"]]
    if own.empty:
        columns = ("distance_to_starts", "distance_to_front", "x", "y")
        return numbers.assign(on_front=False, **dict.fromkeys(columns, np.nan)), 1.0
    rows = pd.Index(space.names).get_indexer(pd.Index(own["architecture"])).astype(np.int64)
    if (rows < 0).any():
        strange = own["architecture"].iloc[int(np.argmin(rows))]
        raise TableError(
            f"The search evaluated the architecture {strange}, which is not in the search space. Remove the search "
            "folder of this study and run again."
        )
    values = own[names].to_numpy(dtype=np.float64)
    on_front = nondominated(values, [objective.direction for objective in objectives])
    begun = own["start"].to_numpy(dtype=np.bool_)
    if not begun.any():  # a baseline without starts: the first architecture
        begun = np.arange(len(own)) == 0
    numbers = numbers.assign(
        on_front=on_front,
        distance_to_starts=_nearest(space, rows, rows[begun]),
        distance_to_front=_nearest(space, rows, rows[on_front]),
    )
    placed = _placed(begun | numbers["entered_archive"].to_numpy(dtype=np.bool_) | on_front)
    places, shown = classical_scaling(space.distances(rows[placed]))
    plane = np.full((len(own), 2), np.nan)
    plane[placed] = places
    return numbers.assign(x=plane[:, 0], y=plane[:, 1]), shown


def _nearest(space: SearchableSpace, rows: NDArray[np.int64], others: NDArray[np.int64]) -> Array:
    """Return the distance of each row to the nearest of some others, shape (n,); NaN where there are none."""
    if not len(others):
        return np.full(len(rows), np.nan)
    parts = []
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        parts.append(space.distances(np.concatenate([part, others]))[: len(part), len(part) :].min(axis=1))
    return np.concatenate(parts).astype(np.float64)


def _placed(marked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return which architectures the plane shows: the marked ones, and others evenly along the search."""
    chosen, others = np.flatnonzero(marked), np.flatnonzero(~marked)
    if len(chosen) > MAX_PLACED:
        return chosen[np.linspace(0, len(chosen) - 1, MAX_PLACED).round().astype(np.int64)]
    room = min(len(others), MAX_PLACED - len(chosen))
    evenly = others[np.linspace(0, len(others) - 1, room).round().astype(np.int64)] if room else others[:0]
    return np.sort(np.concatenate([chosen, evenly])).astype(np.int64)


def _begun(numbers: pd.DataFrame) -> str:
    return "start" if numbers["start"].any() else "first architecture"


def _draw_plane(drawn: Any, axes: Axes, numbers: pd.DataFrame, shown: float, colour: str) -> None:
    placed = numbers.dropna(subset="x")
    plain = placed[~placed["entered_archive"]]
    entered = placed[placed["entered_archive"]]
    limits: dict[str, Any] = {"vmin": 1, "vmax": max(2, int(numbers["evaluation"].max()))}
    axes.scatter(
        plain["x"], plain["y"], c=plain["evaluation"], cmap="cividis_r", s=7, alpha=0.7, linewidths=0, **limits
    )
    dots = axes.scatter(
        entered["x"],
        entered["y"],
        c=entered["evaluation"],
        cmap="cividis_r",
        s=24,
        edgecolors="black",
        linewidths=0.5,
        zorder=3,
        **limits,
    )
    _mark(axes, placed, "x", "y", colour)
    axes.set_aspect("equal", adjustable="datalim")
    axes.grid(visible=False)
    axes.set_xlabel(f"classical scaling, {percent(shown, 0)} of the variance shown")
    axes.tick_params(labelleft=False, labelbottom=False, left=False, bottom=False)
    bar = drawn.colorbar(dots, ax=axes, location="left", shrink=0.6, pad=0.02)
    bar.set_label("evaluation")
    write_axis(bar.ax.yaxis, numbers["evaluation"])


def _draw_distances(axes: Axes, numbers: pd.DataFrame, column: str, colour: str) -> None:
    plain = numbers[~numbers["entered_archive"]]
    entered = numbers[numbers["entered_archive"]]
    many = len(plain) > 1_000
    axes.scatter(
        plain["evaluation"], plain[column], s=4, color="#B5B5B5", linewidths=0, alpha=0.6, rasterized=many, zorder=1
    )
    axes.scatter(entered["evaluation"], entered[column], s=12, color=colour, alpha=0.65, linewidths=0, zorder=2)
    _mark(axes, numbers, "evaluation", column, colour)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_ylim(-0.6, max(2.0, numbers[column].max() * 1.06))


def _mark(axes: Axes, numbers: pd.DataFrame, x: str, y: str, colour: str) -> None:
    """Mark starts and the final front."""
    starts, front = numbers[numbers["start"]], numbers[numbers["on_front"]]
    few = len(starts) <= _MANY
    axes.plot(starts[x], starts[y], linestyle="", zorder=4, **(_start_style() | ({} if few else {"markersize": 3})))
    axes.plot(front[x], front[y], linestyle="", zorder=5, **_front_style(colour))


def _start_style() -> dict[str, Any]:
    return {"marker": "s", "markersize": 5, "markerfacecolor": "none", "markeredgecolor": "black", "markeredgewidth": 1}


def _front_style(colour: str) -> dict[str, Any]:
    return {
        "marker": "D",
        "markersize": 5,
        "markerfacecolor": colour,
        "markeredgecolor": "white",
        "markeredgewidth": 0.7,
    }


def _handles(numbers: pd.DataFrame, colour: str) -> list[Line2D]:
    handles = [
        Line2D([], [], linestyle="", marker="o", markersize=2.5, color=COLOURS["grey"], label="evaluated"),
        Line2D([], [], linestyle="", marker="o", markersize=4, color=COLOURS["grey"], markeredgecolor="black"),
        Line2D([], [], linestyle="", label="on the final front", **_front_style(colour)),
    ]
    handles[1].set(label="entered the archive", markeredgewidth=0.5)
    if numbers["start"].any():
        handles.insert(0, Line2D([], [], linestyle="", label="start", **_start_style()))
    return handles
