"""All that the neighbour graph tells of a benchmark: one call, several tables."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.schema import Direction
from terranas.core.randomness import generator
from terranas.landscape.autocorrelation import autocorrelation_table
from terranas.landscape.cardinality import estimate_cardinality
from terranas.landscape.graph_measures import components_table, fitness_distance, neutrality
from terranas.landscape.graph_schema import AUTOCORRELATION, GRAPH_MEASURES
from terranas.landscape.graph_summary import measure_landscape, measure_objectives
from terranas.landscape.landscape import Landscape
from terranas.landscape.local_optima_network import edges_table, largest_basins, local_optima_network, measure_network
from terranas.landscape.objectives import (
    ObjectiveSpace,
    correlation_table,
    hypervolume_landscape,
    neighbour_dominance,
    pareto_optima_table,
)
from terranas.landscape.optima import find_optima, optima_table
from terranas.landscape.walks import simple_walks
from terranas.space.neighbours import NeighbourGraph

logger = logging.getLogger(__name__)

LAGS = 50
"""Largest lag of autocorrelation functions, as far as the walks reach."""

DRAWN_BASINS = 500
"""Basins of the local optima network that are drawn, the largest ones."""

REPETITIONS = 100
"""Repetitions of the searches behind the birthday estimate."""


@dataclass(frozen=True)
class GraphAnalysis:
    """Tables of the schemas of their names; the nodes and edges are those of the drawn part of the network."""

    optima: pd.DataFrame
    components: pd.DataFrame
    autocorrelation: pd.DataFrame
    network: pd.DataFrame
    nodes: pd.DataFrame
    edges: pd.DataFrame
    objectives: pd.DataFrame
    pareto_optima: pd.DataFrame
    hypervolume: pd.DataFrame
    measures: pd.DataFrame


def analyse_graph(
    values: NDArray[np.float64],
    names: Sequence[str],
    directions: Sequence[Direction],
    graph: NeighbourGraph,
    hashes: pd.Series,
    *,
    seed: int,
    walks: int,
    steps: int,
    tolerance: float,
    resamples: int,
) -> GraphAnalysis:
    """Analyse the landscape of a metric, and of the metric and a cost together, on an undirected neighbour graph.

    Dominance among neighbours, Pareto local optima and the hypervolume of neighbourhoods are those of the fitness and
    the first cost; correlations between objectives are those of the fitness and all costs.

    Args:
        values: fitness and one or more costs of each cell, shape (cells, metrics); NaN where not known.
        names: the metrics; the first is the fitness.
        directions: which way each is better.
        graph: neighbours of each cell.
        hashes: hash of each cell.
        seed: the study's seed.
        walks: simple random walks.
        steps: their steps.
        tolerance: largest difference in fitness that counts as none.
        resamples: bootstrap resamples.

    Raises:
        TableError: nothing is known of any cell.
    """
    landscape = Landscape.of(values[:, 0], graph, directions[0], hashes)
    optima = find_optima(landscape)
    network = local_optima_network(landscape, optima)
    nodes, edges = largest_basins(network, optima, landscape, DRAWN_BASINS)
    autocorrelation = _autocorrelation(landscape, "landscape.walks", seed, walks, steps, resamples)
    cardinality = estimate_cardinality(
        landscape, optima, generator(seed, "landscape.cardinality"), repetitions=REPETITIONS, resamples=resamples
    )
    measures = measure_landscape(
        landscape,
        optima,
        neutrality(landscape, tolerance),
        fitness_distance(landscape, "landscape"),
        measure_network(network, optima, landscape),
        cardinality,
        autocorrelation if len(autocorrelation) else None,
    )
    space = ObjectiveSpace.of(values[:, :2], names[:2], directions[:2], graph, hashes)
    dominance = neighbour_dominance(space)
    hypervolume = AUTOCORRELATION.empty()
    if len(space.graph.indices):
        volumes = hypervolume_landscape(space)
        hypervolume = _autocorrelation(volumes, "landscape.hypervolume_walks", seed, walks, steps, resamples)
    of_two = measure_objectives(space, dominance, hypervolume if len(hypervolume) else None)
    return GraphAnalysis(
        optima=optima_table(optima, landscape),
        components=components_table(landscape, optima),
        autocorrelation=autocorrelation,
        network=edges_table(network),
        nodes=nodes,
        edges=edges,
        objectives=correlation_table(ObjectiveSpace.of(values, names, directions, graph, hashes)),
        pareto_optima=pareto_optima_table(space, dominance, values[:, :2]),
        hypervolume=hypervolume,
        measures=GRAPH_MEASURES.validate(pd.concat([measures, of_two], ignore_index=True)),
    )


def _autocorrelation(
    landscape: Landscape, purpose: str, seed: int, walks: int, steps: int, resamples: int
) -> pd.DataFrame:
    """Return the autocorrelation function, without rows where no cell has a neighbour that a walk could go to."""
    if not len(landscape.graph.indices):
        logger.warning("No cell with a value has a neighbour with one: the graph has no random walks")
        return AUTOCORRELATION.empty()
    taken = simple_walks(landscape.graph, generator(seed, purpose), walks=walks, steps=steps)
    rng = generator(seed, f"{purpose}.intervals")
    return autocorrelation_table(landscape, taken, rng, lags=min(LAGS, steps), resamples=resamples)
