"""Random search: architectures in random order."""

import numpy as np
from numpy.typing import NDArray

from terranas.search.driver import Search
from terranas.space.neighbours import NeighbourGraph
from terranas.space.searchable import SearchableSpace


def random_search(
    _space: SearchableSpace,
    _graph: NeighbourGraph,
    available: NDArray[np.int64],
    _objectives: int,
    rng: np.random.Generator,
    *,
    batch: int = 100,
) -> Search:
    """Search by drawing architectures uniformly without replacement.

    Args:
        available: rows that can be evaluated, different ones.
        rng: source of all draws.
        batch: rows asked for at a time.
    """
    order = rng.permutation(available)
    for start in range(0, len(order), batch):
        yield order[start : start + batch]
