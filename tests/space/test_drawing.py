import itertools
from xml.etree import ElementTree

import numpy as np
import pytest

from terranas.space.cell import CONV1X1, CONV3X3, MAXPOOL3X3, Cell
from terranas.space.complexity import NetworkShape
from terranas.space.drawing import HEIGHT, cell_svg, describe_cell, draw_cell, draw_legend
from terranas.space.table import cells_table

SHAPE = NetworkShape(bands=3, classes=10, image_size=8, stem_channels=3, stacks=1, cells_per_stack=1)


def cell(edges, *inner):
    matrix = np.zeros((len(inner) + 2, len(inner) + 2), dtype=np.uint8)
    for source, target in edges:
        matrix[source, target] = 1
    return Cell(matrix, ("input", *inner, "output"))


def drawn(of):
    svg = ElementTree.fromstring(str(draw_cell(of)))
    return svg, svg.find("path").get("d").split("M")[1:], svg.findall("rect")


def test_every_cell_of_the_default_space_is_drawn_whole():
    for row in cells_table(4, 9, SHAPE).itertuples():
        shown = Cell.from_strings(row.adjacency, row.operations)
        svg, lines, boxes = drawn(shown)
        assert len(boxes) == len(svg.findall("text")) == shown.num_vertices
        assert len(lines) == shown.num_edges
        width, height = float(svg.get("width")), float(svg.get("height"))
        for box in boxes:
            assert 0 <= float(box.get("x")) <= width - float(box.get("width"))
            assert 0 <= float(box.get("y")) <= height - HEIGHT


def test_a_chain_has_straight_lines_only_and_a_skip_an_arc():
    _, lines, _ = drawn(cell([(0, 1), (1, 2)], CONV3X3))
    assert all("H" in line for line in lines)
    _, lines, _ = drawn(cell([(0, 1), (1, 2), (0, 2)], CONV3X3))
    assert sum("C" in line for line in lines) == 1


def sides(of):
    """Return for each arc its two ends and whether it runs above the row, as drawn."""
    svg, lines, _ = drawn(of)
    middle = float(svg.find("rect").get("y")) + HEIGHT / 2
    arcs = []
    for line in lines:
        if "C" in line:
            start, curve = line.split("C")
            x, y = map(float, start.split())
            arcs.append((x, float(curve.split()[-2]), y < middle))
    return arcs


def test_arcs_that_would_cross_run_on_different_sides():
    arcs = sides(cell([(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)], CONV3X3, CONV1X1))
    assert len(arcs) == 2
    for (a, b, above), (c, d, over) in itertools.combinations(arcs, 2):
        crossing = a < c < b < d or c < a < d < b
        assert crossing
        assert above != over


def test_arcs_stay_inside_the_drawing():
    widest = cell([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (0, 6), (1, 6), (0, 5)], *[CONV3X3] * 5)
    svg, lines, _ = drawn(widest)
    for line in lines:
        if "C" in line:
            _, rim, _, control, *_ = map(float, line.replace("C", " ").split())
            top = rim + 0.75 * (control - rim)
            assert 0 <= top <= float(svg.get("height"))


def test_words_name_every_vertex_and_edge():
    assert describe_cell(cell([(0, 1), (0, 2), (1, 2)], MAXPOOL3X3)) == (
        "Cell of 3 vertices: 0 input to 1, 2; 1 3×3 max-pooling to 2; 2 output."
    )


def test_a_notebook_shows_the_drawing():
    shown = cell([(0, 1), (1, 2)], CONV1X1)
    assert shown._repr_svg_() == cell_svg(shown)


def test_a_drawing_of_its_own_is_a_document_with_the_same_content():
    shown = cell([(0, 1), (1, 2), (0, 2)], CONV3X3)
    alone, (inline, *_) = ElementTree.fromstring(cell_svg(shown)), drawn(shown)
    name = "{http://www.w3.org/2000/svg}"
    assert alone.tag == f"{name}svg"
    assert [part.tag for part in alone] == [f"{name}{part.tag}" for part in inline]
    assert [part.attrib for part in alone] == [part.attrib for part in inline]


def test_the_drawing_carries_its_words():
    shown = cell([(0, 1), (1, 2)], CONV1X1)
    assert drawn(shown)[0].get("aria-label") == describe_cell(shown)


@pytest.mark.parametrize("operation", ["3×3 convolution", "1×1 convolution", "3×3 max-pooling"])
def test_the_legend_names_all_operations(operation):
    assert operation in draw_legend()
