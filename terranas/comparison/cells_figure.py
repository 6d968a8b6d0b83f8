"""Figure of the architectures on a front: each cell drawn, with its objectives."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Patch, PathPatch
from matplotlib.path import Path

from terranas.comparison.figures import Objective
from terranas.core.errors import TableError
from terranas.core.figures import COLOURS, figure
from terranas.core.formats import count, counted, listed
from terranas.landscape.figures import Drawing, LineStyle, Words, headline, say, shortened
from terranas.space.cell import CONV1X1, CONV3X3, MAXPOOL3X3, Cell
from terranas.space.drawing import HEIGHT, LOOKS, WIDTH, Edge, arc_points, arc_sides, centre, describe_cell
from terranas.space.nasbench201 import EDGES, NOTATION, OPERATIONS, parse_cells

MAX_CELLS = 12
"""Cells that :func:`cells_figure` draws at most."""

_A_ROW = 3
_INK = "#333333"

# name in words, label beside the edge, colour and line of the operations on NAS-Bench-201's edges; "none" is no edge
_EDGE_LOOKS: dict[str, tuple[str, str, str, LineStyle]] = {
    "skip_connect": ("skip connection", "skip", COLOURS["grey"], "--"),
    "nor_conv_1x1": ("1×1 convolution", "1×1", COLOURS["orange"], "-"),
    "nor_conv_3x3": ("3×3 convolution", "3×3", COLOURS["blue"], "-"),
    "avg_pool_3x3": ("3×3 average pooling", "avg", COLOURS["green"], "-."),
}


# how far the arcs of NAS-Bench-201's edges rise above the vertices; negative below
_HEIGHTS: dict[Edge, float] = {(0, 2): 24.0, (0, 3): 46.0, (1, 3): -24.0}

_FULL = centre(6) + WIDTH / 2 + 1  # width of a cell of seven vertices
_MARGIN = 8.0

_Drawing = Cell | tuple[int, ...] | str
"""A cell of NAS-Bench-101, the operations of one of NAS-Bench-201, or a text."""


@contextmanager
def cells_figure(
    front: pd.DataFrame, objectives: Sequence[Objective], title: str, cells: pd.DataFrame | None = None
) -> Iterator[Drawing]:
    """Draw the architectures of a front as a grid of cells, from the best to the worst first objective.

    Of more than :data:`MAX_CELLS`, as many are drawn that stand evenly along the front, its ends among them; the
    others are counted.

    Args:
        front: members with the columns ``architecture`` and the objectives, and ``predicted`` where that is known; a
            member that stands there repeatedly counts once.
        objectives: of the study.
        title: whose front it is, such as "True front of CIFAR-10".
        cells: cells of NAS-Bench-101 (schema ``space.cells``) that the members are hashes of; None where the members
            are texts, which are drawn where they are cells of NAS-Bench-201 and written out otherwise.

    Yields:
        The figure, and the members in the order of the first objective, with whether each is drawn.

    Raises:
        TableError: a member is no row of ``cells``.
    """
    numbers = _ordered(front, objectives)
    shown = numbers[numbers["drawn"]]
    drawings = _drawings(shown["architecture"].tolist(), cells)
    columns = max(1, min(_A_ROW, len(shown)))
    rows = max(1, ceil(len(shown) / columns))
    reach = _reach(drawings)
    size = max(4.6, 3.2 * columns), 1.1 + rows * (0.5 + 3.1 * sum(reach) / _FULL)
    with figure(*size, rows=rows, columns=columns, squeeze=False) as (drawn, axes):
        for panel, member, drawing in zip(axes.flat, shown.to_dict("records"), drawings, strict=False):
            _draw(panel, drawing, reach)
            panel.set_title(_values_text(member, objectives, 50), fontsize=8, pad=2)
        for panel in axes.flat:
            panel.axis("off")
        if shown.empty:
            say(axes[0, 0], "the front has no members")
        rest = len(numbers) - len(shown)
        some = f"; {count(len(shown))} of them, evenly along the front" if rest else ""
        headline(drawn, f"{title}: {counted(len(numbers), 'architecture')}{some}")
        if handles := _handles(drawings):
            drawn.legend(handles=handles, loc="outside lower center", ncols=len(handles))
        yield drawn, numbers


def cells_words(
    front: pd.DataFrame, objectives: Sequence[Objective], title: str, cells: pd.DataFrame | None = None
) -> Words:
    """Return the texts of :func:`cells_figure`."""
    numbers = _ordered(front, objectives)
    shown = numbers[numbers["drawn"]]
    if shown.empty:
        return "An empty frame: the front has no members.", f"{title} has no members to show."
    drawings = _drawings(shown["architecture"].tolist(), cells)
    described = [
        f"{_values_text(member, objectives)}, {_description(drawing)}"
        for member, drawing in zip(shown.to_dict("records"), drawings, strict=True)
    ]
    ends = f"First: {described[0]}" + (f" Last: {described[-1]}" if len(described) > 1 else "")
    rest = len(numbers) - len(shown)
    extremes = [numbers[o.name].max() if o.maximised else numbers[o.name].min() for o in objectives]
    best = listed([f"{o.words} {o.text(float(value))}" for o, value in zip(objectives, extremes, strict=True)])
    return (
        f"Drawings of {counted(len(shown), 'architecture')}. {ends}",
        f"{title}: {counted(len(numbers), 'architecture')}, in the order of {objectives[0].words}. "
        + (f"Drawn are {count(len(shown))} that stand evenly along the front; {count(rest)} are not. " if rest else "")
        + f"Best values: {best}."
        + (" A star marks predicted values." if shown["predicted"].any() else ""),
    )


def _ordered(front: pd.DataFrame, objectives: Sequence[Objective]) -> pd.DataFrame:
    """Return the members by their first objective, best first, and which are drawn."""
    names = [objective.name for objective in objectives]
    known = front if "predicted" in front else front.assign(predicted=False)
    members = known[["architecture", *names, "predicted"]].drop_duplicates("architecture")
    ascending = [not objective.maximised for objective in objectives]
    members = members.sort_values([*names, "architecture"], ascending=[*ascending, True], ignore_index=True)
    wanted = np.linspace(0, len(members) - 1, min(MAX_CELLS, len(members))).round().astype(int)
    return members.assign(drawn=np.isin(np.arange(len(members)), wanted))


def _drawings(names: Sequence[str], cells: pd.DataFrame | None) -> list[_Drawing]:
    if cells is None:
        return [tuple(parse_cells([name])[0].tolist()) if NOTATION.fullmatch(name) else name for name in names]
    rows = pd.Index(cells["hash"]).get_indexer(pd.Index(names))
    if (rows < 0).any():
        raise TableError(
            f"The front names the architecture {names[int(np.argmin(rows))]}, which is not in the table of cells. Give "
            "the table of the space that was searched."
        )
    found = cells.iloc[rows]
    return [Cell.from_strings(a, o) for a, o in zip(found["adjacency"], found["operations"], strict=True)]


def _values_text(member: dict[Any, Any], objectives: Sequence[Objective], width: int | None = None) -> str:
    parts = [f"{objective.words} {objective.text(float(member[objective.name]))}" for objective in objectives]
    text = ", ".join(parts) + ("*" if member["predicted"] else "")
    return text if width is None else textwrap.fill(text, width)


def _description(drawing: _Drawing) -> str:
    if isinstance(drawing, Cell):
        return describe_cell(drawing)
    if isinstance(drawing, str):
        return f"{drawing}."
    edges = [
        f"{source} to {target} {_EDGE_LOOKS[OPERATIONS[label]][0]}"
        for (source, target), label in zip(EDGES, drawing, strict=True)
        if OPERATIONS[label] in _EDGE_LOOKS
    ]
    return f"edges {listed(edges)}." if edges else "no edges."


def _reach(drawings: Sequence[_Drawing]) -> tuple[float, float]:
    """Return how far the drawings reach above and below the middle of a row, in their units."""
    top = bottom = HEIGHT / 2 + 4
    for drawing in drawings:
        above, below = (14.0, 14.0)
        if isinstance(drawing, Cell):
            above, below = _extent(_edges_of(drawing))
        elif not isinstance(drawing, str):
            above, below = HEIGHT / 2 + max(_HEIGHTS.values()) + 5, HEIGHT / 2 - min(_HEIGHTS.values()) + 5
        top, bottom = max(top, above + 4), max(bottom, below + 4)
    return top, bottom


def _edges_of(cell: Cell) -> list[Edge]:
    return [(int(source), int(target)) for source, target in np.argwhere(cell.adjacency)]


def _extent(edges: Sequence[Edge]) -> tuple[float, float]:
    """Return how far the arcs reach above and below the middle of the row."""
    above, below = arc_sides([edge for edge in edges if edge[1] - edge[0] > 1])
    reach = [
        max((abs(arc_points(edge, 1)[1][1]) * 0.75 + HEIGHT / 8 for edge in side), default=HEIGHT / 2)
        for side in (above, below)
    ]
    return reach[0], reach[1]


def _draw(axes: Axes, drawing: _Drawing, reach: tuple[float, float]) -> None:
    axes.set_xlim(-_MARGIN, _FULL + _MARGIN)
    axes.set_ylim(reach[1], -reach[0])
    axes.set_aspect("equal")
    if isinstance(drawing, Cell):
        _draw_cell(axes, drawing)
    elif isinstance(drawing, str):
        text = "\n".join(textwrap.wrap(shortened(drawing, 240), 44))
        axes.text(_FULL / 2, 0, text, ha="center", va="center", fontsize=7, family="monospace")
    else:
        _draw_edges(axes, drawing)


def _draw_cell(axes: Axes, cell: Cell) -> None:
    edges = _edges_of(cell)
    above, below = arc_sides([edge for edge in edges if edge[1] - edge[0] > 1])
    for source, target in edges:
        if target - source == 1:
            axes.plot([centre(source) + WIDTH / 2, centre(target) - WIDTH / 2], [0, 0], color=_INK, linewidth=1)
    for side, own in ((-1, above), (1, below)):
        for edge in own:
            _draw_arc(axes, edge, side, _INK, "-")
    for position, name in enumerate(cell.operations):
        label, _, fill, ink = LOOKS[name]
        _draw_vertex(axes, centre(position), label, fill, ink)


def _draw_edges(axes: Axes, labels: Sequence[int]) -> None:
    """Draw a cell of NAS-Bench-201: four vertices, and operations as the looks of the edges."""
    places = np.linspace(WIDTH / 2 + 1, _FULL - WIDTH / 2 - 1, 4)
    for (source, target), label in zip(EDGES, labels, strict=True):
        if OPERATIONS[label] not in _EDGE_LOOKS:
            continue
        _, text, colour, line = _EDGE_LOOKS[OPERATIONS[label]]
        height = _HEIGHTS.get((source, target), 0.0)
        if height:
            side = float(np.sign(height))
            # the longer arc begins and ends further outside, so that arcs do not meet at a vertex
            shift = WIDTH / 4 * (1 if target - source == 2 else -0.2)
            start, end, rim = places[source] + shift, places[target] - shift, -side * HEIGHT / 2
            control = rim - height * 4 / 3
            _draw_curve(axes, [(start, rim), (start, control), (end, control), (end, rim)], colour, line, 2.0)
            middle, y = (start + end) / 2, rim - height
        else:
            ends = [places[source] + WIDTH / 2, places[target] - WIDTH / 2]
            axes.plot(ends, [0, 0], color=colour, linestyle=line, linewidth=2, zorder=1)
            middle, y = float(np.mean(ends)), 0.0
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
        axes.text(middle, y, text, ha="center", va="center", fontsize=7, bbox=box, zorder=3)
    for place, name in zip(places, ("in", "1", "2", "out"), strict=True):
        _draw_vertex(axes, float(place), name, COLOURS["grey"], "#FFFFFF")


def _draw_arc(axes: Axes, edge: Edge, side: int, colour: str, line: LineStyle) -> None:
    _draw_curve(axes, arc_points(edge, side), colour, line, 1.0)


def _draw_curve(axes: Axes, points: Sequence[tuple[float, float]], colour: str, line: LineStyle, width: float) -> None:
    path = Path(list(points), [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    axes.add_patch(PathPatch(path, fill=False, edgecolor=colour, linestyle=line, linewidth=width, zorder=1))


def _draw_vertex(axes: Axes, x: float, label: str, fill: str, ink: str) -> None:
    corner = (x - WIDTH / 2 + 4, -HEIGHT / 2 + 4)
    box = FancyBboxPatch(
        corner, WIDTH - 8, HEIGHT - 8, boxstyle="round,pad=4", facecolor=fill, edgecolor="none", zorder=2
    )
    axes.add_patch(box)
    axes.text(x, 0, label, ha="center", va="center_baseline", fontsize=7.5, color=ink, zorder=3)


def _handles(drawings: Sequence[_Drawing]) -> list[Patch | Line2D]:
    handles: list[Patch | Line2D] = []
    if any(isinstance(drawing, Cell) for drawing in drawings):
        handles += [Patch(facecolor=LOOKS[name][2], label=LOOKS[name][1]) for name in (CONV3X3, CONV1X1, MAXPOOL3X3)]
    if any(isinstance(drawing, tuple) for drawing in drawings):
        handles += [
            Line2D([], [], color=colour, linestyle=line, linewidth=2, label=words)
            for words, _, colour, line in _EDGE_LOOKS.values()
        ]
    return handles
