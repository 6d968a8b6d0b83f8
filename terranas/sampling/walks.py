"""Random walks through the search space.

Source: the thesis samples the cells to train by walks over cells at Hamming distance 1 (after Traoré, Camero and
Zhu, arXiv 2111.01584). A walk with no unvisited neighbour left is drawn again from a new start, never cut short.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.core.errors import TerranasError
from terranas.sampling.schema import WALKS
from terranas.space.neighbours import NeighbourGraph

MAX_REDRAWS = 100_000
"""Starts a walk may use up; a drawn start costs microseconds."""


@dataclass(frozen=True)
class Walks:
    """Walks of equal length.

    Attributes:
        rows: visited cells as rows of the table of cells, shape (walks, steps + 1); the start comes first.
        redraws: how often each walk was drawn again, shape (walks,).
    """

    rows: NDArray[np.int64]
    redraws: NDArray[np.int64]


def random_walks(
    graph: NeighbourGraph,
    generators: Sequence[np.random.Generator],
    *,
    steps: int,
    unique: Literal["walk", "study"],
    max_redraws: int = MAX_REDRAWS,
) -> Walks:
    """Return one walk for each generator.

    A walk starts at a cell drawn uniformly and moves to a neighbour drawn uniformly among those not visited yet. If
    there is none, or the start was visited before, the walk is drawn again from a new start and its visits are
    given back.

    Args:
        graph: neighbours of each cell.
        generators: source of randomness of each walk.
        steps: moves of a walk.
        unique: ``walk``: a walk visits a cell once; ``study``: all walks together visit a cell once.
        max_redraws: how often a walk may be drawn again.

    Raises:
        TerranasError: a walk was drawn again too often.
    """
    rows = np.empty((len(generators), steps + 1), dtype=np.int64)
    redraws = np.zeros(len(generators), dtype=np.int64)
    visited: set[int] = set()
    for walk, rng in enumerate(generators):
        before = visited if unique == "study" else set()
        while (path := _try_walk(graph, rng, steps, before)) is None:
            if redraws[walk] == max_redraws:
                remedy = "fewer walks or sampling.unique: walk" if unique == "study" else "another space"
                raise TerranasError(
                    f"No walk of {steps} steps was found for walk {walk} of {len(generators)} in {max_redraws + 1} "
                    f"tries: every one ran out of unvisited neighbours among the {len(graph)} cells. Use shorter walks "
                    f"(sampling.steps), another sampling.neighbourhood, or {remedy}."
                )
            redraws[walk] += 1
        rows[walk] = path
        visited.update(path)
    return Walks(rows, redraws)


def _try_walk(graph: NeighbourGraph, rng: np.random.Generator, steps: int, visited: set[int]) -> list[int] | None:
    """Return the rows of a walk from a random start, or None if it gets stuck."""
    path = [int(rng.integers(len(graph)))]
    if path[0] in visited:
        return None
    own = {path[0]}
    for _ in range(steps):
        neighbours = graph.neighbours(path[-1]).tolist()
        free = [row for row in neighbours if row not in own and row not in visited]
        if not free:
            return None
        path.append(free[int(rng.integers(len(free)))])
        own.add(path[-1])
    return path


def walks_table(walks: Walks, cells: pd.DataFrame) -> pd.DataFrame:
    """Return walks as a table of the schema ``WALKS``.

    Args:
        walks: visits as rows of ``cells``.
        cells: table with the columns hash and id that the graph belongs to.
    """
    count, length = walks.rows.shape
    visits = cells.iloc[walks.rows.ravel()]
    return WALKS.validate(
        pd.DataFrame(
            {
                "walk": np.repeat(np.arange(count), length),
                "step": np.tile(np.arange(length), count),
                "redraws": np.repeat(walks.redraws, length),
                "hash": visits["hash"].to_numpy(),
                "id": visits["id"].array,
            }
        )
    )
