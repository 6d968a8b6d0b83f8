"""The local optima network: which basin a random move out of a basin leads to.

Nodes are the local optima (a plateau is one), edges have the **basin-transition** weights of Ochoa, Tomassini, Vérel
and Darabos, "A study of NK landscapes' basins and local optima networks" (GECCO 2008): the mean over the cells of a
basin of the share of their neighbours that lie in the other basin. With plateaus as nodes it is the network of Vérel,
Ochoa and Tomassini (IEEE Transactions on Evolutionary Computation 15(6), 2011).
"""

from dataclasses import dataclass

import numba as nb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.landscape.graph_schema import NETWORK_EDGES, NETWORK_NODES
from terranas.landscape.landscape import Landscape
from terranas.landscape.optima import Optima


@dataclass(frozen=True)
class LocalOptimaNetwork:
    """Transitions between basins, in compressed sparse rows.

    Attributes:
        indptr: where each optimum's edges begin, shape (optima + 1,).
        targets: the other optimum of each edge, ascending for each optimum.
        weights: probability that a move from a cell drawn uniformly from the basin to a neighbour drawn uniformly
            ends in the target's basin; larger than 0.
        stay: the same probability for the basin itself, shape (optima,); a cell without neighbours stays. With the
            weights of an optimum's edges it sums to 1.
    """

    indptr: NDArray[np.int64]
    targets: NDArray[np.int32]
    weights: NDArray[np.float64]
    stay: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.stay)

    @property
    def sources(self) -> NDArray[np.int32]:
        """The optimum that each edge comes from, ascending."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.indptr))


@dataclass(frozen=True)
class NetworkMeasures:
    """What a local optima network looks like; isolated cells are left out.

    Attributes:
        nodes: local optima.
        edges: directed edges between different optima.
        mean_out_degree: edges a node leads out of it; NaN without nodes.
        mean_stay: mean probability that a move stays in the basin; NaN without nodes.
        improving: share of the weight of all edges that leads to a better optimum; NaN without edges.
        without_way_out: nodes that no edge leaves.
    """

    nodes: int
    edges: int
    mean_out_degree: float
    mean_stay: float
    improving: float
    without_way_out: int


def local_optima_network(landscape: Landscape, optima: Optima) -> LocalOptimaNetwork:
    """Return the basin-transition network of all local optima of a landscape."""
    graph = landscape.graph
    rows = np.flatnonzero(landscape.known)
    rows = rows[np.argsort(optima.basin_of[rows], kind="stable")]
    indptr, targets, weights, stay = _transitions(
        graph.indptr, graph.indices, rows, optima.basin_of, optima.basin_sizes
    )
    return LocalOptimaNetwork(indptr, targets, weights, stay)


def measure_network(network: LocalOptimaNetwork, optima: Optima, landscape: Landscape) -> NetworkMeasures:
    """Return what a network looks like."""
    fitness = landscape.fitness[optima.representatives]
    nodes = ~optima.isolated
    out = np.diff(network.indptr)[nodes]
    better = fitness[network.targets] > fitness[network.sources]
    some, weight = bool(nodes.any()), float(network.weights.sum())
    return NetworkMeasures(
        nodes=int(nodes.sum()),
        edges=len(network.targets),
        mean_out_degree=float(out.mean()) if some else np.nan,
        mean_stay=float(network.stay[nodes].mean()) if some else np.nan,
        improving=float(network.weights[better].sum()) / weight if weight > 0 else np.nan,
        without_way_out=int((out == 0).sum()),
    )


def edges_table(network: LocalOptimaNetwork) -> pd.DataFrame:
    """Return all edges of a network as a table of the schema ``NETWORK_EDGES``."""
    return NETWORK_EDGES.validate(
        pd.DataFrame({"source": network.sources, "target": network.targets, "weight": network.weights})
    )


def largest_basins(
    network: LocalOptimaNetwork, optima: Optima, landscape: Landscape, count: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the part of a network that has the largest basins, to be drawn.

    Args:
        network: of all optima.
        optima: its nodes.
        landscape: where they are from.
        count: nodes to keep at most; isolated cells are never kept.

    Returns:
        Nodes (schema ``NETWORK_NODES``) and the edges between them (schema ``NETWORK_EDGES``).
    """
    chosen = np.flatnonzero(~optima.isolated)[:count]
    is_node = np.zeros(len(optima), dtype=np.bool_)
    is_node[chosen] = True
    sources = network.sources
    inside = is_node[sources] & is_node[network.targets]
    edges = pd.DataFrame(
        {"source": sources[inside], "target": network.targets[inside], "weight": network.weights[inside]}
    )
    shown = np.bincount(edges["source"], edges["weight"], minlength=len(optima))
    rows = optima.representatives[chosen]
    nodes = pd.DataFrame(
        {
            "optimum": chosen,
            "hash": landscape.hashes[rows],
            "value": landscape.value_of(landscape.fitness[rows]),
            "component": landscape.components[rows],
            "members": optima.members[chosen],
            "basin": optima.basin_sizes[chosen],
            "stay": np.minimum(network.stay[chosen], 1),
            "inside": np.minimum(shown[chosen], 1),
        }
    )
    return NETWORK_NODES.validate(nodes), NETWORK_EDGES.validate(edges)


@nb.njit(cache=True)
def _transitions(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    rows: NDArray[np.int64],
    basin_of: NDArray[np.int32],
    basin_sizes: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Return edges and probabilities to stay, from cells that ascend by basin."""
    crossing = 0
    for row in rows:
        for arc in range(indptr[row], indptr[row + 1]):
            crossing += basin_of[indices[arc]] != basin_of[row]
    targets = np.empty(crossing, dtype=np.int32)
    weights = np.empty(crossing)
    starts = np.zeros(len(basin_sizes) + 1, dtype=np.int64)
    total = np.zeros(len(basin_sizes))  # of the current basin, by target
    met = np.zeros(len(basin_sizes), dtype=np.bool_)
    stay = np.zeros(len(basin_sizes))
    begin = 0
    count = 0
    for basin in range(len(basin_sizes)):
        first = count
        for place in range(begin, begin + basin_sizes[basin]):
            row = rows[place]
            degree = indptr[row + 1] - indptr[row]
            if degree == 0:
                stay[basin] += 1
            for arc in range(indptr[row], indptr[row + 1]):
                other = basin_of[indices[arc]]
                if other == basin:
                    stay[basin] += 1 / degree
                    continue
                if not met[other]:
                    met[other] = True
                    targets[count] = other
                    count += 1
                total[other] += 1 / degree
        begin += basin_sizes[basin]
        targets[first:count].sort()
        for edge in range(first, count):
            weights[edge] = total[targets[edge]] / basin_sizes[basin]
            total[targets[edge]] = 0
            met[targets[edge]] = False
        stay[basin] /= basin_sizes[basin]
        starts[basin + 1] = count
    return starts, targets[:count].copy(), weights[:count].copy(), stay
