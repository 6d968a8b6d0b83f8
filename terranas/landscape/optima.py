"""Exact local optima of a complete landscape, and their basins of attraction under best-improvement ascent.

A cell with no value is no part of the landscape. Equal values are told apart from better ones exactly, so cells of
equal value that can be reached from one another form a plateau, and a plateau is **one** optimum if no member has a
better neighbour. In general, for a directed graph too, an optimum is a set of cells that moves to neighbours at least
as good lead around in and not out of: a strongly connected component of the graph of such moves that no arc leaves.
On an undirected graph that is just a plateau without a better neighbour. On a directed graph (neighbourhood ``edit``,
where cutting off cannot be undone) an optimum is what cannot be left, though cells that lead to it, and that it does
not lead to, may be better.

The ascent moves to the best neighbour, if it is better than the cell; of several, to the one with the first hash. A
cell without a better neighbour that is in no optimum lies on a plateau with a way out: it moves to an equal neighbour
one step nearer to the next cell with a better neighbour or in an optimum, again the first by hash of several. So every
cell ends in exactly one optimum, whatever the order of the rows.

Sources: Ochoa, Tomassini, Vérel and Darabos (GECCO 2008) for basins under best improvement; Vérel, Ochoa and Tomassini
(IEEE Transactions on Evolutionary Computation 15(6), 2011) for neutral networks as optima.
"""

from dataclasses import dataclass

import numba as nb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from terranas.landscape.graph_schema import OPTIMA
from terranas.landscape.landscape import Landscape, distances_from, reverse
from terranas.space.neighbours import NeighbourGraph


@dataclass(frozen=True)
class Optima:
    """Local optima, numbered by size of their basin, largest first (then by fitness, then by hash).

    A cell without any neighbour is an optimum with a basin of itself, marked as isolated and counted apart.

    Attributes:
        member_of: the optimum that each cell belongs to, -1 for cells that are in none, shape (cells,).
        basin_of: the optimum that the ascent from each cell ends in, -1 where the value is not known, shape (cells,).
        steps: moves of that ascent, -1 where the value is not known, shape (cells,).
        representatives: the member with the first hash, as a row, shape (optima,).
        members: cells of each optimum, more than 1 for a plateau, shape (optima,).
        basin_sizes: cells whose ascent ends in each optimum, its members included, shape (optima,).
        isolated: whether each optimum is a single cell without neighbours, shape (optima,).
        stuck: cells without a better neighbour (each member of a plateau counts), isolated ones left out.
    """

    member_of: NDArray[np.int32]
    basin_of: NDArray[np.int32]
    steps: NDArray[np.int32]
    representatives: NDArray[np.int64]
    members: NDArray[np.int64]
    basin_sizes: NDArray[np.int64]
    isolated: NDArray[np.bool_]
    stuck: int

    def __len__(self) -> int:
        return len(self.representatives)

    @property
    def count(self) -> int:
        """Local optima without the isolated cells."""
        return int((~self.isolated).sum())


def find_optima(landscape: Landscape) -> Optima:
    """Return the local optima of a landscape and the basin of every cell."""
    graph, fitness, ranks = landscape.graph, landscape.fitness, landscape.ranks
    equals = NeighbourGraph(*_equal_neighbours(graph.indptr, graph.indices, fitness))
    plateau = _plateaus(equals)
    best, leaves = _best_neighbours(graph.indptr, graph.indices, fitness, ranks, plateau)
    known = landscape.known
    escapes = np.bincount(plateau[known], weights=leaves[known], minlength=int(plateau.max()) + 1) > 0
    is_member = known.copy()
    is_member[known] = ~escapes[plateau[known]]
    # moves along the plateau to the nearest way out of it, or to where it is an optimum; -1: none lead there
    turned = reverse(equals)
    nearness = distances_from(turned.indptr, turned.indices, np.flatnonzero(known & ((best >= 0) | is_member)))
    follow = _along_plateaus(graph.indptr, graph.indices, fitness, ranks, best, nearness)
    target, steps = _ends(follow, is_member)

    # plateaus that are optima, numbered as they come; each goes by the first hash among its members
    members = np.flatnonzero(is_member)
    members = members[np.argsort(ranks[members])]
    _, first, own = np.unique(plateau[members], return_index=True, return_inverse=True)
    representatives = members[first]
    count = len(representatives)
    number_of = np.full(len(escapes), -1, dtype=np.int64)
    number_of[plateau[representatives]] = np.arange(count)
    basins = number_of[plateau[target[known]]]
    sizes = np.bincount(basins, minlength=count)
    order = np.lexsort((ranks[representatives], -fitness[representatives], -sizes))
    place = np.empty(count, dtype=np.int32)
    place[order] = np.arange(count)
    member_of = np.full(len(landscape), -1, dtype=np.int32)
    member_of[members] = place[own]
    basin_of = np.full(len(landscape), -1, dtype=np.int32)
    basin_of[known] = place[basins]
    representatives = representatives[order]
    return Optima(
        member_of=member_of,
        basin_of=basin_of,
        steps=steps,
        representatives=representatives,
        members=np.bincount(own, minlength=count)[order],
        basin_sizes=sizes[order],
        isolated=landscape.isolated[representatives],
        stuck=int((known & (best < 0) & ~landscape.isolated).sum()),
    )


def optima_table(optima: Optima, landscape: Landscape) -> pd.DataFrame:
    """Return the optima of a landscape as a table of the schema ``OPTIMA``."""
    known = landscape.known
    basins, steps = optima.basin_of[known], optima.steps[known]
    longest = np.zeros(len(optima), dtype=np.int64)
    np.maximum.at(longest, basins, steps)
    fitness = landscape.fitness[optima.representatives]
    return OPTIMA.validate(
        pd.DataFrame(
            {
                "optimum": np.arange(len(optima)),
                "hash": landscape.hashes[optima.representatives],
                "value": landscape.value_of(fitness),
                "component": landscape.components[optima.representatives],
                "members": optima.members,
                "basin": optima.basin_sizes,
                "mean_steps": np.bincount(basins, weights=steps, minlength=len(optima)) / optima.basin_sizes,
                "max_steps": longest,
                "isolated": optima.isolated,
                "is_global": fitness == fitness.max(),
            }
        )
    )


def _plateaus(equals: NeighbourGraph) -> NDArray[np.int32]:
    """Return the plateau of each cell: cells that can be reached from one another through equal neighbours."""
    ones = np.ones(len(equals.indices), dtype=np.int8)
    matrix = csr_matrix((ones, equals.indices, equals.indptr), shape=(len(equals), len(equals)))
    _, labels = connected_components(matrix, directed=True, connection="strong")
    return np.asarray(labels, dtype=np.int32)


@nb.njit(cache=True)
def _equal_neighbours(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], fitness: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the graph of the arcs between cells of equal fitness."""
    starts = np.zeros_like(indptr)
    for row in range(len(fitness)):
        count = 0
        for arc in range(indptr[row], indptr[row + 1]):
            count += fitness[indices[arc]] == fitness[row]
        starts[row + 1] = starts[row] + count
    equal = np.empty(starts[-1], dtype=np.int32)
    count = 0
    for row in range(len(fitness)):
        for arc in range(indptr[row], indptr[row + 1]):
            if fitness[indices[arc]] == fitness[row]:
                equal[count] = indices[arc]
                count += 1
    return starts, equal


@nb.njit(cache=True)
def _best_neighbours(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    fitness: NDArray[np.float64],
    ranks: NDArray[np.int64],
    plateau: NDArray[np.int32],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return each cell's best better neighbour (-1: none), and whether a move at least as good leaves its plateau."""
    best = np.full(len(fitness), -1, dtype=np.int64)
    leaves = np.zeros(len(fitness), dtype=np.bool_)
    for row in range(len(fitness)):
        own = fitness[row]
        top, chosen = own, -1
        for arc in range(indptr[row], indptr[row + 1]):
            other = indices[arc]
            value = fitness[other]
            if value < own:
                continue
            if value > top or (chosen >= 0 and value == top and ranks[other] < ranks[chosen]):
                top, chosen = value, other
            if plateau[other] != plateau[row]:
                leaves[row] = True
        best[row] = chosen
    return best, leaves


@nb.njit(cache=True)
def _along_plateaus(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    fitness: NDArray[np.float64],
    ranks: NDArray[np.int64],
    best: NDArray[np.int64],
    nearness: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Return where each cell moves: to its best neighbour, or along its plateau to a way out; -1: nowhere."""
    follow = best.copy()
    for row in range(len(fitness)):
        if nearness[row] <= 0:
            continue
        for arc in range(indptr[row], indptr[row + 1]):
            other = indices[arc]
            if fitness[other] == fitness[row] and nearness[other] == nearness[row] - 1:
                chosen = follow[row]
                if chosen < 0 or ranks[other] < ranks[chosen]:
                    follow[row] = other
    return follow


@nb.njit(cache=True)
def _ends(follow: NDArray[np.int64], is_member: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the member of an optimum that each cell's moves end in and how many they are; -1 where there is none."""
    ends = np.full(len(follow), -1, dtype=np.int64)
    steps = np.full(len(follow), -1, dtype=np.int32)
    path = np.empty(len(follow), dtype=np.int64)
    for start in range(len(follow)):
        length = 0
        row = start
        while ends[row] < 0 and not is_member[row] and follow[row] >= 0:
            path[length] = row
            length += 1
            row = follow[row]
        if ends[row] < 0 and is_member[row]:
            ends[row] = row
            steps[row] = 0
        end, count = ends[row], steps[row]
        for place in range(length - 1, -1, -1):
            count += 1
            ends[path[place]] = end
            steps[path[place]] = count
    return ends, steps
