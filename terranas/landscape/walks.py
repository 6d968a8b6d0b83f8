"""Simple random walks for the analysis of a landscape, which may visit a cell again.

They are another thing than the walks of ``terranas.sampling.walks``, which choose the architectures to train: those
are self-avoiding, so they are no Markov chain, and what theory says about the autocorrelation of a landscape
(Weinberger, Biological Cybernetics 63, 1990; Stadler, Journal of Mathematical Chemistry 20, 1996) does not hold for
them.
"""

import numba as nb
import numpy as np
from numpy.typing import NDArray

from terranas.core.errors import TableError
from terranas.space.neighbours import NeighbourGraph


def simple_walks(graph: NeighbourGraph, rng: np.random.Generator, *, walks: int, steps: int) -> NDArray[np.int32]:
    """Return random walks that move to a neighbour drawn uniformly from all neighbours, visited or not.

    Starts are drawn from the stationary distribution of such walks on an undirected graph, in proportion to the
    number of neighbours, so that every visit has that distribution; a cell without neighbours is never visited.

    Args:
        graph: an undirected graph.
        rng: source of all draws; walks follow from it and from the order of the rows.
        walks: number of walks, at least 1.
        steps: moves of a walk, at least 0.

    Returns:
        Visited rows, shape (walks, steps + 1); the start comes first.

    Raises:
        TableError: no cell has a neighbour.
    """
    if not len(graph.indices):
        raise TableError(
            f"No random walk can start: none of the {len(graph):,} cells has a neighbour with a value. Use another "
            "neighbourhood, or a benchmark that holds more of the space."
        )
    draws = rng.random((walks, steps + 1))
    arcs = np.minimum((draws[:, 0] * len(graph.indices)).astype(np.int64), len(graph.indices) - 1)
    starts = np.searchsorted(graph.indptr, arcs, side="right") - 1  # a cell stands at the head of as many arcs
    return _walk(graph.indptr, graph.indices, starts, draws)


@nb.njit(cache=True)
def _walk(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], starts: NDArray[np.int64], draws: NDArray[np.float64]
) -> NDArray[np.int32]:
    rows = np.empty(draws.shape, dtype=np.int32)
    for walk in range(len(starts)):
        row = starts[walk]
        rows[walk, 0] = row
        for step in range(1, draws.shape[1]):
            degree = indptr[row + 1] - indptr[row]
            chosen = min(int(draws[walk, step] * degree), degree - 1)
            row = np.int64(indices[indptr[row] + chosen])
            rows[walk, step] = row
    return rows
