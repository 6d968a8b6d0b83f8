"""Measures of a landscape on its neighbour graph: neutrality, fitness-distance correlation, connected components."""

from dataclasses import dataclass
from typing import Literal

import numba as nb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr

from terranas.landscape.autocorrelation import autocorrelation_by_component, constant_groups
from terranas.landscape.graph_schema import COMPONENTS
from terranas.landscape.landscape import Landscape, distances_from
from terranas.landscape.optima import Optima
from terranas.landscape.ruggedness import correlation_length, ruggedness


@dataclass(frozen=True)
class Neutrality:
    """How often neighbours have equal fitness.

    Attributes:
        tolerance: difference up to which fitness counts as equal, in the unit of the metric.
        of_cells: share of each cell's neighbours that are as good, shape (cells,); NaN without neighbours.
        of_edges: share of all edges (arcs of a directed graph) whose ends are as good; NaN without edges.
        cells: cells with neighbours, whose mean share :attr:`mean` is.
        without_neighbours: cells with a value but without neighbours.
    """

    tolerance: float
    of_cells: NDArray[np.float64]
    of_edges: float
    cells: int
    without_neighbours: int

    @property
    def mean(self) -> float:
        """Mean over the cells with neighbours of the share of neighbours that are as good; NaN without such cells."""
        return float(np.nanmean(self.of_cells)) if self.cells else np.nan


def neutrality(landscape: Landscape, tolerance: float) -> Neutrality:
    """Return how often neighbours have equal fitness within a tolerance.

    Source: neutral degree of Vérel, Ochoa and Tomassini (IEEE Transactions on Evolutionary Computation 15(6), 2011),
    divided by the number of neighbours.

    Args:
        landscape: values and neighbours.
        tolerance: largest difference that counts as none, 0 for exact equality, in the unit of the metric.

    Raises:
        ValueError: the tolerance is negative or not finite.
    """
    if not (np.isfinite(tolerance) and tolerance >= 0):
        raise ValueError(f"tolerance must be a finite number of at least 0, got {tolerance}")
    graph = landscape.graph
    neutral = _neutral_neighbours(graph.indptr, graph.indices, landscape.fitness, tolerance)
    degrees = graph.degrees()
    shares = np.full(len(landscape), np.nan)
    np.divide(neutral, degrees, out=shares, where=degrees > 0)
    return Neutrality(
        tolerance,
        shares,
        float(neutral.sum() / degrees.sum()) if degrees.any() else np.nan,
        int((degrees > 0).sum()),
        int((landscape.known & (degrees == 0)).sum()),
    )


@dataclass(frozen=True)
class FitnessDistance:
    """Fitness against the distance to the nearest of the best cells.

    Attributes:
        distances: moves from each cell to the nearest of them, shape (cells,); -1 where none can be reached.
        pearson: correlation of fitness and distance (Jones and Forrest), NaN where undefined.
        spearman: rank correlation of the same, NaN where undefined.
        cells: cells that reach one.
        unreachable: cells with a value that reach none.
    """

    distances: NDArray[np.int32]
    pearson: float
    spearman: float
    cells: int
    unreachable: int


def fitness_distance(landscape: Landscape, best_of: Literal["landscape", "component"]) -> FitnessDistance:
    """Return the correlation of fitness with the distance to the nearest best cell.

    Distances are shortest paths along the neighbour graph, in its direction where it has one. Fitness is larger where
    a cell is better, whatever the metric's direction: -1 is the easiest landscape, 1 a deceptive one.

    Source: Jones and Forrest, "Fitness distance correlation as a measure of problem difficulty for genetic algorithms"
    (ICGA 1995).

    Args:
        landscape: values and neighbours.
        best_of: best cells of the whole ``landscape`` (cells of other components reach none), or those of each
            connected ``component``.
    """
    known = np.flatnonzero(landscape.known)
    fitness = landscape.fitness
    if best_of == "landscape":
        targets = known[fitness[known] == fitness[known].max()]
    else:
        labels = landscape.components[known]
        best = np.full(int(labels.max()) + 1, -np.inf)
        np.maximum.at(best, labels, fitness[known])
        targets = known[fitness[known] == best[labels]]
    turned = landscape.reversed_graph
    distances = distances_from(turned.indptr, turned.indices, targets)
    reaching = np.flatnonzero(distances >= 0)
    x, y = fitness[reaching], distances[reaching].astype(np.float64)
    defined = len(x) > 1 and np.ptp(x) > 0 and np.ptp(y) > 0
    return FitnessDistance(
        distances,
        float(pearsonr(x, y).statistic) if defined else np.nan,
        float(spearmanr(x, y).statistic) if defined else np.nan,
        len(reaching),
        len(known) - len(reaching),
    )


def components_table(landscape: Landscape, optima: Optima) -> pd.DataFrame:
    """Return a row of the schema ``COMPONENTS`` for each connected component, the largest first.

    The autocorrelation is left undefined on a directed graph, whose walks have dead ends.
    """
    labels, known = landscape.components, landscape.known
    label, fitness = labels[known], landscape.fitness[known]
    count = int(labels.max()) + 1
    best = np.full(count, -np.inf)
    np.maximum.at(best, label, fitness)
    named = np.flatnonzero(known)[fitness == best[label]]
    named = named[np.argsort(landscape.ranks[named])]
    _, first = np.unique(labels[named], return_index=True)
    distance = fitness_distance(landscape, "component").distances[known]
    correlations = (
        autocorrelation_by_component(landscape).tolist() if landscape.undirected else np.full(count, np.nan).tolist()
    )
    return COMPONENTS.validate(
        pd.DataFrame(
            {
                "component": np.arange(count),
                "cells": np.bincount(label, minlength=count),
                "arcs": np.bincount(label, landscape.graph.degrees()[known], count).astype(np.int64),
                "optima": np.bincount(labels[optima.representatives[~optima.isolated]], minlength=count),
                "best": landscape.value_of(best),
                "best_hash": landscape.hashes[named[first]],
                "best_cells": np.bincount(labels[named], minlength=count),
                "fitness_distance": _correlations(fitness, distance, label, count),
                "unreachable": np.bincount(label[distance < 0], minlength=count),
                "autocorrelation": correlations,
                "correlation_length": [correlation_length(value) for value in correlations],
                "ruggedness": [ruggedness(value) for value in correlations],
            }
        )
    )


def _correlations(
    fitness: NDArray[np.float64], distances: NDArray[np.int32], labels: NDArray[np.int32], count: int
) -> NDArray[np.float64]:
    """Return Pearson's correlation of fitness and distance within each group, over the cells with a distance."""
    reaching = distances >= 0
    x, y, group = fitness[reaching], distances[reaching].astype(np.float64), labels[reaching]
    sizes = np.maximum(np.bincount(group, minlength=count), 1)
    dx = x - (np.bincount(group, x, count) / sizes)[group]
    dy = y - (np.bincount(group, y, count) / sizes)[group]
    scale = np.sqrt(np.bincount(group, dx * dx, count) * np.bincount(group, dy * dy, count))
    values = np.full(count, np.nan)
    varied = ~constant_groups(x, group, count) & ~constant_groups(y, group, count) & (scale > 0)
    np.divide(np.bincount(group, dx * dy, count), scale, out=values, where=varied)
    return np.asarray(np.clip(values, -1, 1), dtype=np.float64)


@nb.njit(cache=True)
def _neutral_neighbours(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], fitness: NDArray[np.float64], tolerance: float
) -> NDArray[np.int64]:
    """Return how many neighbours of each cell are as good as it."""
    neutral = np.zeros(len(fitness), dtype=np.int64)
    for row in range(len(fitness)):
        for arc in range(indptr[row], indptr[row + 1]):
            neutral[row] += abs(fitness[indices[arc]] - fitness[row]) <= tolerance
    return neutral
