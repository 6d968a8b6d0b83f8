"""Drawing a cell as a small SVG: its vertices in a row, its edges as arcs, its operations as colours."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape

from terranas.core.figures import COLOURS
from terranas.space.cell import CONV1X1, CONV3X3, INPUT, MAXPOOL3X3, OUTPUT, Cell

Edge = tuple[int, int]

LOOKS = {
    INPUT: ("in", "input", COLOURS["grey"], "#FFFFFF"),
    CONV3X3: ("3×3", "3×3 convolution", COLOURS["blue"], "#FFFFFF"),
    CONV1X1: ("1×1", "1×1 convolution", COLOURS["orange"], "#000000"),
    MAXPOOL3X3: ("max", "3×3 max-pooling", COLOURS["green"], "#000000"),
    OUTPUT: ("out", "output", COLOURS["grey"], "#FFFFFF"),
}
"""Label in the vertex, name in words, fill, colour of the label (contrast of at least 4.5 to the fill)."""

WIDTH = 30
HEIGHT = 20
PITCH = 46
RISE = 11  # height of an arc for each vertex it passes, and one more


def draw_cell(cell: Cell) -> Markup:
    """Return the cell as an SVG element to stand in a page; edges lead from left to right.

    Edges between vertices that stand side by side are straight; longer ones are arcs, above or below the row,
    wherever fewer arcs are crossed. Lines take the colour of the surrounding text.
    """
    return _drawn(cell, "")


def cell_svg(cell: Cell) -> str:
    """Return the drawing of :func:`draw_cell` as an SVG document of its own."""
    return str(_drawn(cell, 'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" '))


def draw_legend() -> Markup:
    """Return a list of the operations with their looks in :func:`draw_cell`."""
    entries = [
        f'<li><svg aria-hidden="true" width="{WIDTH + 2}" height="{HEIGHT + 2}">'
        f"{_vertex(name, WIDTH / 2 + 1, HEIGHT / 2 + 1)}</svg> {escape(LOOKS[name][1])}</li>"
        for name in (CONV3X3, CONV1X1, MAXPOOL3X3)
    ]
    return Markup(f'<ul class="legend">{"".join(entries)}</ul>')


def describe_cell(cell: Cell) -> str:
    """Return the cell in words, for those who do not see the drawing.

    Example: ``Cell of 3 vertices: 0 input to 1, 2; 1 3×3 convolution to 2; 2 output.``
    """
    parts = []
    for vertex, name in enumerate(cell.operations):
        targets = ", ".join(map(str, np.flatnonzero(cell.adjacency[vertex]).tolist()))
        parts.append(f"{vertex} {LOOKS[name][1]}" + (f" to {targets}" if targets else ""))
    return f"Cell of {cell.num_vertices} vertices: {'; '.join(parts)}."


def _drawn(cell: Cell, attributes: str) -> Markup:
    edges = [(int(source), int(target)) for source, target in np.argwhere(cell.adjacency)]
    above, below = arc_sides([edge for edge in edges if edge[1] - edge[0] > 1])
    top, bottom = _room(above), _room(below)
    width = (cell.num_vertices - 1) * PITCH + WIDTH + 2
    height = top + HEIGHT + bottom + 2
    middle = top + HEIGHT / 2 + 1
    arcs = [_arc(edge, middle, -1) for edge in above] + [_arc(edge, middle, 1) for edge in below]
    straight = [
        f"M{centre(source) + WIDTH / 2:g} {middle:g}H{centre(target) - WIDTH / 2:g}"
        for source, target in edges
        if target - source == 1
    ]
    shapes = [_vertex(name, centre(position), middle) for position, name in enumerate(cell.operations)]
    return Markup(
        f'<svg {attributes}class="cell" role="img" aria-label="{escape(describe_cell(cell))}" '
        f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">'
        f'<path d="{"".join(straight + arcs)}" fill="none" stroke="currentColor" stroke-width="1.3"/>'
        f"{''.join(shapes)}</svg>"
    )


def arc_sides(edges: Sequence[Edge]) -> tuple[list[Edge], list[Edge]]:
    """Share the edges out between above and below the row, longest first, each where it crosses fewer others."""
    above: list[Edge] = []
    below: list[Edge] = []
    for edge in sorted(edges, key=lambda e: (e[0] - e[1], e)):
        cheaper = above if _crossings(edge, above) <= _crossings(edge, below) else below
        cheaper.append(edge)
    return above, below


def _crossings(edge: Edge, others: Sequence[Edge]) -> int:
    """Count the arcs of the same side that the edge's arc would cross."""
    source, target = edge
    return sum(a < source < b < target or source < a < target < b for a, b in others)


def _room(edges: Sequence[Edge]) -> float:
    """Return the height that the arcs of one side take beyond the vertices."""
    return max((_rise(edge) - HEIGHT / 2 + 1 for edge in edges), default=0.0)


def _rise(edge: Edge) -> float:
    """Return how far an arc's top is from the middle of the row."""
    return HEIGHT / 2 + RISE * (edge[1] - edge[0] - 1) + 1


def centre(position: int) -> float:
    """Return how far the centre of a vertex is from the left rim."""
    return position * PITCH + WIDTH / 2 + 1


def arc_points(edge: Edge, side: int) -> list[tuple[float, float]]:
    """Return ends and controls of an arc's cubic Bézier curve: start, two controls, end; y from the middle of the row.

    Args:
        edge: the two vertices.
        side: -1 for an arc from the upper rim of one vertex to that of the other, 1 for the lower rims.
    """
    # ends beside the centre keep arcs that leave and arcs that arrive apart
    start, end = centre(edge[0]) + WIDTH / 5, centre(edge[1]) - WIDTH / 5
    rim = side * HEIGHT / 2
    # a cubic Bézier curve reaches three quarters of the height of its control points
    control = rim + side * (_rise(edge) - HEIGHT / 2) * 4 / 3
    return [(start, rim), (start, control), (end, control), (end, rim)]


def _arc(edge: Edge, middle: float, side: int) -> str:
    points = [f"{x:g} {middle + y:g}" for x, y in arc_points(edge, side)]
    return f"M{points[0]}C{' '.join(points[1:])}"


def _vertex(name: str, x: float, y: float) -> str:
    label, _, fill, colour = LOOKS[name]
    return (
        f'<rect x="{x - WIDTH / 2:g}" y="{y - HEIGHT / 2:g}" width="{WIDTH}" height="{HEIGHT}" rx="5" fill="{fill}"/>'
        f'<text x="{x:g}" y="{y + 4:g}" text-anchor="middle" font-size="11" fill="{colour}">{label}</text>'
    )
