"""What a landscape looks like on its neighbour graph, as one table of named measures."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.landscape.cardinality import Cardinality
from terranas.landscape.graph_measures import FitnessDistance, Neutrality
from terranas.landscape.graph_schema import GRAPH_MEASURES
from terranas.landscape.landscape import Landscape
from terranas.landscape.local_optima_network import NetworkMeasures
from terranas.landscape.objectives import NeighbourDominance, ObjectiveSpace, connectedness
from terranas.landscape.optima import Optima
from terranas.landscape.ruggedness import correlation_length, ruggedness

MEANINGS: Mapping[str, str] = {
    "cells": "cells with a value",
    "unknown": "cells without a value, which are no part of the landscape",
    "arcs": "directed edges between cells with a value; an undirected edge counts twice",
    "components": "connected components of the cells with a value",
    "largest_component": "cells of the largest component",
    "isolated": "cells without a neighbour that has a value",
    "optima": "local optima; a plateau is one, isolated cells are none",
    "plateau_optima": "local optima of more than one cell",
    "stuck": "cells with neighbours, but none better; each cell of a plateau counts",
    "global_optima": "local optima, isolated cells included, with the best value of the landscape",
    "largest_basin": "cells of the largest basin",
    "median_basin": "median number of cells of a basin; isolated cells are left out",
    "global_basin": "cells whose ascent ends in an optimum with the best value of the landscape",
    "mean_steps": "mean moves of a best-improvement ascent; isolated cells are left out",
    "neutral_edges": "share of edges whose ends are as good within the tolerance",
    "neutral_neighbours": "mean share of a cell's neighbours that are as good within the tolerance",
    "fitness_distance": "correlation of fitness (larger is better) with the distance to the nearest best cell",
    "fitness_distance_rank": "rank correlation of the same",
    "autocorrelation": "lag-1 autocorrelation of the stationary simple random walk, exact",
    "correlation_length": "-1 / ln |autocorrelation| (Weinberger 1990)",
    "ruggedness": "1 / autocorrelation, as the thesis defines it",
    "walk_autocorrelation": "the same autocorrelation estimated from walks, about the mean of all visits",
    "mean_walk_autocorrelation": "mean of the walks' own lag-1 autocorrelations",
    "network_edges": "directed edges of the local optima network",
    "network_out_degree": "mean number of edges that leave a local optimum's basin",
    "network_stay": "mean probability that a random move from a basin stays in it",
    "network_improving": "share of the weight of the network's edges that leads to a better optimum",
    "birthday_optima": "birthday estimate of the local optima, searches repeated until the first repeat",
    "birthday_optima_published": "the same as published: repetitions without a repeat in 200 searches are dropped",
    "nondominated_neighbours": "mean share of a cell's neighbours that no other neighbour dominates",
    "dominating_neighbours": "mean share of a cell's neighbours that dominate it",
    "dominated_neighbours": "mean share of a cell's neighbours that it dominates",
    "incomparable_neighbours": "mean share of a cell's neighbours that differ, without dominance either way",
    "equal_neighbours": "mean share of a cell's neighbours equal to it in all objectives",
    "pareto_local_optima": "cells with neighbours of which none dominates them",
    "pareto_local_optima_components": "connected components of these cells on the graph",
    "pareto_local_optima_largest": "cells of the largest of these components",
    "pareto_set": "cells that no other cell dominates",
    "pareto_set_components": "connected components of these cells on the graph",
    "pareto_set_largest": "cells of the largest of these components",
    "pareto_set_alone": "of these cells, those without a neighbour among them",
    "hypervolume_autocorrelation": "lag-1 autocorrelation of the hypervolume of a cell's neighbours along the "
    "stationary simple random walk, exact (after Liefooghe et al.)",
    "walk_hypervolume_autocorrelation": "the same estimated from walks, about the mean of all visits",
}
"""What each measure is."""


def measure_landscape(
    landscape: Landscape,
    optima: Optima,
    neutral: Neutrality,
    distance: FitnessDistance,
    network: NetworkMeasures,
    cardinality: Cardinality,
    autocorrelation: pd.DataFrame | None,
) -> pd.DataFrame:
    """Return the measures of one metric's landscape as a table of the schema ``GRAPH_MEASURES``.

    Args:
        landscape: values and neighbours.
        optima: its local optima.
        neutral: its neutrality.
        distance: fitness against the distance to the best cells of the whole landscape.
        network: measures of its local optima network.
        cardinality: exact and estimated number of its optima.
        autocorrelation: schema ``AUTOCORRELATION`` with lag 1; None for a directed graph, on which it is undefined.
    """
    known = int(landscape.known.sum())
    apart = int(landscape.isolated.sum())
    proper = ~optima.isolated
    fitness = landscape.fitness[optima.representatives]
    best = fitness == fitness.max()
    sizes = np.bincount(landscape.components[landscape.known])
    moving = landscape.known & ~landscape.isolated
    rows = [
        _row("cells", known, cells=len(landscape)),
        _row("unknown", len(landscape) - known, cells=len(landscape)),
        _row("arcs", len(landscape.graph.indices), cells=known),
        _row("components", len(sizes), cells=known),
        _row("largest_component", sizes.max(), cells=known),
        _row("isolated", apart, cells=known),
        _row("optima", optima.count, cells=known - apart),
        _row("plateau_optima", (optima.members > 1).sum(), cells=known - apart),
        _row("stuck", optima.stuck, cells=known - apart),
        _row("global_optima", best.sum(), cells=known),
        _row("largest_basin", optima.basin_sizes.max(), cells=known),
        _row("median_basin", np.median(optima.basin_sizes[proper]) if proper.any() else np.nan, cells=known - apart),
        _row("global_basin", optima.basin_sizes[best].sum(), cells=known),
        _row("mean_steps", optima.steps[moving].mean() if moving.any() else np.nan, cells=known - apart),
        _row("neutral_edges", neutral.of_edges, cells=known),
        _row("neutral_neighbours", neutral.mean, cells=neutral.cells, left_out=neutral.without_neighbours),
        _row("fitness_distance", distance.pearson, cells=distance.cells, left_out=distance.unreachable),
        _row("fitness_distance_rank", distance.spearman, cells=distance.cells, left_out=distance.unreachable),
        *_autocorrelation_rows(autocorrelation, known - apart, apart),
        _row("network_edges", network.edges, cells=known - apart),
        _row("network_out_degree", network.mean_out_degree, cells=known - apart),
        _row("network_stay", network.mean_stay, cells=known - apart),
        _row("network_improving", network.improving, cells=known - apart),
        _row("birthday_optima", cardinality.estimate, cardinality.low, cardinality.high, cells=known - apart),
        _row("birthday_optima_published", cardinality.published, cells=known - apart),
    ]
    return GRAPH_MEASURES.from_rows(rows)


def measure_objectives(
    space: ObjectiveSpace, dominance: NeighbourDominance, hypervolume: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the measures of several objectives on a graph as a table of the schema ``GRAPH_MEASURES``.

    Args:
        space: the objectives.
        dominance: how neighbours stand to each other.
        hypervolume: schema ``AUTOCORRELATION`` with lag 1, of the hypervolumes of the cells' neighbours; None where it
            was not computed.
    """
    known = int(space.known.sum())
    with_neighbours = int((~np.isnan(dominance.nondominated)).sum())
    local = connectedness(space.graph, dominance.pareto_local_optima())
    best = connectedness(space.graph, space.pareto_set())
    shares = {
        "nondominated_neighbours": dominance.nondominated,
        "dominating_neighbours": dominance.dominating,
        "dominated_neighbours": dominance.dominated,
        "incomparable_neighbours": dominance.incomparable,
        "equal_neighbours": dominance.equal,
    }
    rows = [
        *(
            _row(name, _mean(share), cells=with_neighbours, left_out=known - with_neighbours)
            for name, share in shares.items()
        ),
        _row("pareto_local_optima", local.cells, cells=with_neighbours, left_out=known - with_neighbours),
        _row("pareto_local_optima_components", local.components, cells=local.cells),
        _row("pareto_local_optima_largest", local.largest, cells=local.cells),
        _row("pareto_set", best.cells, cells=known),
        _row("pareto_set_components", best.components, cells=best.cells),
        _row("pareto_set_largest", best.largest, cells=best.cells),
        _row("pareto_set_alone", best.alone, cells=best.cells),
    ]
    if hypervolume is not None:
        first = hypervolume[hypervolume["lag"] == 1].iloc[0]
        walked = [float(first[name]) for name in ("pooled", "pooled_low", "pooled_high")]
        left_out = known - with_neighbours
        rows += [
            _row("hypervolume_autocorrelation", float(first["exact"]), cells=with_neighbours, left_out=left_out),
            _row("walk_hypervolume_autocorrelation", *walked, cells=with_neighbours, left_out=left_out),
        ]
    return GRAPH_MEASURES.from_rows(rows)


def _autocorrelation_rows(table: pd.DataFrame | None, cells: int, left_out: int) -> list[dict[str, object]]:
    if table is None:
        names = ("autocorrelation", "correlation_length", "ruggedness", "walk_autocorrelation")
        return [_row(name, np.nan, cells=cells, left_out=left_out) for name in (*names, "mean_walk_autocorrelation")]
    first = table[table["lag"] == 1].iloc[0]
    exact = float(first["exact"])
    pooled = [float(first[name]) for name in ("pooled", "pooled_low", "pooled_high")]
    mean = [float(first[name]) for name in ("mean_of_walks", "mean_of_walks_low", "mean_of_walks_high")]
    return [
        _row("autocorrelation", exact, cells=cells, left_out=left_out),
        _row("correlation_length", correlation_length(exact), cells=cells, left_out=left_out),
        _row("ruggedness", ruggedness(exact), cells=cells, left_out=left_out),
        _row("walk_autocorrelation", *pooled, cells=cells, left_out=left_out),
        _row("mean_walk_autocorrelation", *mean, cells=cells, left_out=left_out),
    ]


def _row(
    name: str, value: float, low: float = np.nan, high: float = np.nan, *, cells: int, left_out: int = 0
) -> dict[str, object]:
    return {
        "measure": name,
        "value": float(value),
        "low": low,
        "high": high,
        "cells": cells,
        "left_out": left_out,
        "meaning": MEANINGS[name],
    }


def _mean(shares: NDArray[np.float64]) -> float:
    known = shares[~np.isnan(shares)]
    return float(known.mean()) if len(known) else np.nan
