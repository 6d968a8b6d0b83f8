"""Cells drawn by hypothesis, and cells in other forms."""

from collections.abc import Callable
from itertools import permutations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from hypothesis import strategies as st

from terranas.space.cell import OPERATIONS, Cell


@st.composite
def cells(draw: st.DrawFn) -> Cell:
    """Draw a valid cell, with or without vertices that are on no path."""
    vertices = draw(st.integers(2, 7))
    pairs = [(x, y) for y in range(vertices) for x in range(y)]
    edges = draw(st.sets(st.sampled_from(pairs), min_size=1, max_size=min(9, len(pairs))))
    matrix = np.zeros((vertices, vertices), dtype=np.uint8)
    for x, y in edges:
        matrix[x, y] = 1
    if not nx.has_path(nx.from_numpy_array(matrix, create_using=nx.DiGraph), 0, vertices - 1):
        if matrix.sum() == 9:
            matrix[tuple(sorted(edges)[0])] = 0
        matrix[0, -1] = 1
    inner = draw(st.lists(st.sampled_from(OPERATIONS), min_size=vertices - 2, max_size=vertices - 2))
    return Cell(matrix, ("input", *inner, "output"))


st.register_type_strategy(Cell, cells())
# the first call of a compiled function compiles it or loads it from disk
settings.register_profile("compiled", deadline=None)
settings.load_profile("compiled")


@pytest.fixture(scope="session")
def numberings() -> Callable[[Cell], list[Cell]]:
    """Function that returns a cell with its inner vertices in every topological order."""

    def renumbered(cell: Cell) -> list[Cell]:
        result = []
        for inner in permutations(range(1, cell.num_vertices - 1)):
            order = [0, *inner, cell.num_vertices - 1]
            matrix = cell.adjacency[np.ix_(order, order)]
            if not np.tril(matrix).any():
                result.append(Cell(matrix, tuple(cell.operations[vertex] for vertex in order)))
        return result

    return renumbered


@pytest.fixture(scope="session")
def table_of() -> Callable[[list[Cell]], pd.DataFrame]:
    """Function that returns pruned cells as the columns that a table of cells describes them with."""

    def as_table(listed: list[Cell]) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "num_vertices": [cell.num_vertices for cell in listed],
                "adjacency": [cell.adjacency_string for cell in listed],
                "operations": [cell.operations_string for cell in listed],
            }
        )

    return as_table
