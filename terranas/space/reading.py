"""The searched space and its neighbour graph from the files of the space stage."""

from collections.abc import Mapping

from terranas.core.tables import read_table
from terranas.space.nasbench201 import NasBench201Space
from terranas.space.neighbours import NeighbourGraph, read_graph
from terranas.space.schema import CELLS
from terranas.space.searchable import CellSpace


def read_space(files: Mapping[str, str]) -> CellSpace | NasBench201Space:
    """Return the space of a table of cells, or that of NAS-Bench-201 where there is none.

    Args:
        files: ``cells``: table of cells; may lack it.

    Raises:
        TableError: the table cannot be read.
    """
    return CellSpace(read_table(files["cells"], CELLS)) if "cells" in files else NasBench201Space()


def read_space_and_graph(files: Mapping[str, str]) -> tuple[CellSpace | NasBench201Space, NeighbourGraph]:
    """Return a space and the graph that searches move on.

    Args:
        files: ``cells``, and of the graph ``indptr``, ``indices`` and its summary ``graph``; none of them for
            NAS-Bench-201, whose graph is computed.

    Raises:
        TableError: a file cannot be read, or the graph is that of other cells.
    """
    if "cells" not in files:
        space = NasBench201Space()
        return space, space.graph
    cells = read_table(files["cells"], CELLS)
    return CellSpace(cells), read_graph(files["indptr"], files["indices"], files["graph"], cells)
