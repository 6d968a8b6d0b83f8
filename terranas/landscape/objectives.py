"""Several objectives on the neighbour graph: dominance among neighbours, Pareto local optima, hypervolume, correlation.

Sources: Paquete, Schiavinotto and Stützle (Annals of Operations Research 156, 2007) for Pareto local optima; Liefooghe,
Daolio, Verel, Derbel, Aguirre and Tanaka, "Landscape-aware performance prediction for evolutionary multiobjective
optimization" (IEEE Transactions on Evolutionary Computation 24(6), 2020) for dominance among neighbours; Daolio,
Liefooghe, Verel, Aguirre and Tanaka, "Problem features versus algorithm performance on rugged multiobjective
combinatorial fitness landscapes" (Evolutionary Computation 25(4), 2017) for connectedness and for the hypervolume of
the neighbourhood along walks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import moocore
import numba as nb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr

from terranas.core.errors import TableError
from terranas.core.pareto import Direction, nondominated, to_minimise
from terranas.landscape.graph_schema import OBJECTIVE_CORRELATION, PARETO_OPTIMA
from terranas.landscape.landscape import Hashes, Landscape, hash_ranks, require_known, within
from terranas.space.neighbours import NeighbourGraph


@dataclass(frozen=True)
class ObjectiveSpace:
    """Several metrics of the cells and the neighbours among the cells with all of them.

    Attributes:
        names: names of the objectives.
        points: minimised objectives, shape (cells, objectives); NaN in a row where any of them is not known.
        graph: neighbours among the cells with all objectives; the others keep their row, without neighbours.
        hashes: hash of each cell.
    """

    names: tuple[str, ...]
    points: NDArray[np.float64]
    graph: NeighbourGraph
    hashes: pd.Index

    @classmethod
    def of(
        cls,
        values: NDArray[np.floating[Any]],
        names: Sequence[str],
        directions: Sequence[Direction],
        graph: NeighbourGraph,
        hashes: Hashes,
    ) -> ObjectiveSpace:
        """Return the objectives of each row of a graph.

        Args:
            values: shape (cells, objectives), at least two objectives; NaN where one is not known.
            names: one an objective.
            directions: which way each is better.
            graph: neighbours of each row.
            hashes: hash of each row; all differ.

        Raises:
            TableError: shapes do not fit, a value is infinite, no cell has all objectives, or a hash stands twice.
        """
        if values.shape != (len(graph), len(names)) or len(names) < 2 or len(directions) != len(names):
            raise TableError(
                f"Objectives need a value and a direction each for two or more names and all {len(graph):,} cells, got "
                f"values of the shape {values.shape}, {len(names)} names and {len(directions)} directions."
            )
        points = to_minimise(np.asarray(values, dtype=np.float64), directions)
        require_known(points)
        known = np.asarray(~np.isnan(points).any(axis=1), dtype=np.bool_)
        points[~known] = np.nan
        index = pd.Index(hashes)
        hash_ranks(index, len(graph))  # only for what it refuses
        return cls(tuple(names), points, within(graph, known), index)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether each cell has all objectives, shape (cells,)."""
        return ~np.isnan(self.points[:, 0])

    def pareto_set(self) -> NDArray[np.bool_]:
        """Return which cells no other cell dominates, shape (cells,); of equal ones, all."""
        return nondominated(self.points, ["minimise"] * len(self.names))

    def normalised(self) -> NDArray[np.float64]:
        """Return points scaled to 0 (best of all cells) and 1 (worst); an equal objective is 0 throughout."""
        low, high = np.nanmin(self.points, axis=0), np.nanmax(self.points, axis=0)
        return np.asarray((self.points - low) / np.where(high > low, high - low, 1), dtype=np.float64)


@dataclass(frozen=True)
class NeighbourDominance:
    """How the neighbours of each cell stand to it and to one another, as shares of them.

    Attributes:
        nondominated: neighbours that no other neighbour of the cell dominates, shape (cells,), as the others; NaN
            where a cell has no neighbours.
        dominating: neighbours that dominate the cell.
        dominated: neighbours that the cell dominates.
        incomparable: neighbours that do neither, and differ from it.
        equal: neighbours equal to it in all objectives.
    """

    nondominated: NDArray[np.float64]
    dominating: NDArray[np.float64]
    dominated: NDArray[np.float64]
    incomparable: NDArray[np.float64]
    equal: NDArray[np.float64]

    def pareto_local_optima(self) -> NDArray[np.bool_]:
        """Return which cells have neighbours, but none that dominates them, shape (cells,)."""
        return np.asarray(self.dominating == 0, dtype=np.bool_)


@dataclass(frozen=True)
class Connectedness:
    """A set of cells on the neighbour graph.

    Attributes:
        cells: cells of the set.
        components: connected components of the graph within the set; directions do not count.
        largest: cells of the largest component.
        alone: cells without a neighbour in the set.
    """

    cells: int
    components: int
    largest: int
    alone: int


def neighbour_dominance(space: ObjectiveSpace) -> NeighbourDominance:
    """Return how the neighbours of each cell stand to it and to one another."""
    graph, points = space.graph, space.points
    # in lexicographic order only what comes before can dominate
    order = np.lexsort(points.T[::-1])
    place = np.empty(len(points), dtype=np.int64)
    place[order] = np.arange(len(points))
    counts = _neighbour_dominance(graph.indptr, graph.indices, points, place, int(graph.degrees().max(initial=0)))
    degrees = graph.degrees()
    shares = np.full(counts.shape, np.nan)
    np.divide(counts, degrees[:, None], out=shares, where=degrees[:, None] > 0)
    return NeighbourDominance(*np.ascontiguousarray(shares.T))


def connectedness(graph: NeighbourGraph, members: NDArray[np.bool_]) -> Connectedness:
    """Return how a set of cells hangs together on a graph.

    Args:
        graph: neighbours of each cell.
        members: whether each cell is in the set, shape (cells,).
    """
    inner = within(graph, members)
    sizes = np.unique(inner.components()[members], return_counts=True)[1]
    touched = inner.degrees() + np.bincount(inner.indices, minlength=len(inner))
    return Connectedness(
        int(members.sum()), len(sizes), int(sizes.max(initial=0)), int((members & (touched == 0)).sum())
    )


def pareto_optima_table(
    space: ObjectiveSpace, dominance: NeighbourDominance, values: NDArray[np.floating[Any]]
) -> pd.DataFrame:
    """Return the Pareto local optima as a table of the schema ``PARETO_OPTIMA``, by component and hash.

    Args:
        space: the objectives.
        dominance: how neighbours stand to each other.
        values: the objectives in their own directions, shape (cells, objectives).
    """
    optima = dominance.pareto_local_optima()
    rows = np.flatnonzero(optima)
    _, component, sizes = np.unique(
        within(space.graph, optima).components()[rows], return_inverse=True, return_counts=True
    )
    by_size = np.argsort(-sizes, kind="stable")
    place = np.empty(len(sizes), dtype=np.int64)
    place[by_size] = np.arange(len(sizes))
    table = pd.DataFrame(
        {
            "hash": space.hashes[rows],
            "component": place[component],
            "members": sizes[component],
            "pareto_set": space.pareto_set()[rows],
            "neighbours": space.graph.degrees()[rows],
            **{name: values[rows, column] for column, name in enumerate(space.names)},
        }
    )
    return PARETO_OPTIMA.validate(table.sort_values(["component", "hash"], ignore_index=True))


def neighbourhood_hypervolumes(space: ObjectiveSpace) -> NDArray[np.float64]:
    """Return the hypervolume that the neighbours of each cell dominate, shape (cells,); NaN without neighbours.

    The local hypervolume whose autocorrelation along walks Liefooghe et al. and Daolio et al. take for the ruggedness
    of a multi-objective landscape; the cell itself does not count. Objectives are normalised by the best and worst
    of all cells, and the worst is the reference point, so that 1 is the ideal.
    """
    points = np.ascontiguousarray(space.normalised())
    reference = np.ones(points.shape[1])
    volumes = np.full(len(points), np.nan)
    indptr, indices = space.graph.indptr, space.graph.indices
    for row in np.flatnonzero(space.graph.degrees() > 0).tolist():
        around = points[indices[indptr[row] : indptr[row + 1]]]
        volumes[row] = moocore.hypervolume(around, ref=reference)
    return np.asarray(np.clip(volumes, 0, 1), dtype=np.float64)


def hypervolume_landscape(space: ObjectiveSpace) -> Landscape:
    """Return the landscape whose fitness is the hypervolume of each cell's neighbours.

    Its autocorrelation along simple random walks, exact and estimated, is that of any landscape
    (:mod:`terranas.landscape.autocorrelation`).

    Raises:
        TableError: no cell has a neighbour.
    """
    return Landscape.of(neighbourhood_hypervolumes(space), space.graph, "maximise", space.hashes)


def near_front(space: ObjectiveSpace, share: float) -> NDArray[np.bool_]:
    """Return the cells near the front: whole layers of non-dominated sorting, the front first, until a share is in.

    Args:
        space: objectives of the cells.
        share: least share of the cells with all objectives, above 0 and at most 1.

    Returns:
        Shape (cells,).

    Raises:
        ValueError: the share is not above 0 and at most 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1, got {share}")
    known = np.flatnonzero(space.known)
    layers = moocore.pareto_rank(np.ascontiguousarray(space.points[known]))
    sizes = np.cumsum(np.bincount(layers))
    last = int(np.searchsorted(sizes, share * len(known)))
    near = np.zeros(len(space.points), dtype=np.bool_)
    near[known[layers <= last]] = True
    return near


def correlation_table(space: ObjectiveSpace, *, share: float = 0.01) -> pd.DataFrame:
    """Return rank correlations between objectives as a table of the schema ``OBJECTIVE_CORRELATION``.

    All objectives are turned so that better is the same way: above 0 they agree, below 0 they conflict. Near the front
    part of the conflict comes from the choice of the cells: on a front of two objectives alone the correlation is -1.

    Args:
        space: objectives of the cells.
        share: what is near the front, see :func:`near_front`.
    """
    rows = []
    for region, cells in (("all", space.known), ("near_front", near_front(space, share))):
        for one, other in combinations(range(len(space.names)), 2):
            x, y = space.points[cells, one], space.points[cells, other]
            defined = np.ptp(x) > 0 and np.ptp(y) > 0
            rows.append(
                {
                    "first": space.names[one],
                    "second": space.names[other],
                    "region": region,
                    "cells": len(x),
                    "spearman": float(spearmanr(x, y).statistic) if defined else np.nan,
                }
            )
    return OBJECTIVE_CORRELATION.from_rows(rows)


@nb.njit(cache=True)
def _neighbour_dominance(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    points: NDArray[np.float64],
    place: NDArray[np.int64],
    most: int,
) -> NDArray[np.int64]:
    """Return counts of neighbours: non-dominated among them, dominating, dominated, incomparable, equal."""
    counts = np.zeros((len(points), 5), dtype=np.int64)
    row_at = np.empty(len(points), dtype=np.int64)
    for row in range(len(points)):
        row_at[place[row]] = row
    places = np.empty(most, dtype=np.int64)
    front = np.empty(most, dtype=np.int64)
    for row in range(len(points)):
        degree = indptr[row + 1] - indptr[row]
        for arc in range(indptr[row], indptr[row + 1]):
            other = indices[arc]
            places[arc - indptr[row]] = place[other]
            better, worse = False, False
            for objective in range(points.shape[1]):
                better |= points[other, objective] < points[row, objective]
                worse |= points[other, objective] > points[row, objective]
            counts[row, 1 if better and not worse else 2 if worse and not better else 3 if better else 4] += 1
        places[:degree].sort()
        size = 0
        for position in range(degree):
            other = row_at[places[position]]
            dominated = False
            for member in range(size):
                no_worse, differs = True, False
                for objective in range(points.shape[1]):
                    no_worse &= points[front[member], objective] <= points[other, objective]
                    differs |= points[front[member], objective] != points[other, objective]
                if no_worse and differs:
                    dominated = True
                    break
            if not dominated:
                front[size] = other
                size += 1
        counts[row, 0] = size
    return counts
