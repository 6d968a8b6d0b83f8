"""What the compiled functions return for cells of at most four vertices: ``python -m tests.compiled_results FILE.npz``.

With NUMBA_DISABLE_JIT=1 the same functions run as plain Python, where an index out of bounds is an error.
"""

import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.comparison.anytime import hypervolume_over_time
from terranas.core.randomness import generator
from terranas.landscape.autocorrelation import exact_autocorrelation, pooled_autocorrelation
from terranas.landscape.bootstrap import autocorrelation_intervals
from terranas.landscape.correlation import rank_correlations
from terranas.landscape.graph_measures import fitness_distance, neutrality
from terranas.landscape.landscape import Landscape, within
from terranas.landscape.local_optima_network import local_optima_network
from terranas.landscape.objectives import ObjectiveSpace, neighbour_dominance
from terranas.landscape.optima import find_optima
from terranas.landscape.walks import simple_walks
from terranas.search.archive import pareto_archive
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.encodings import (
    adjacency_one_hot,
    expanded_adjacency,
    expanded_bits,
    from_adjacency_one_hot,
    from_expanded_adjacency,
    from_expanded_bits,
    path_encoding,
)
from terranas.space.md5 import cell_hashes
from terranas.space.neighbours import NEIGHBOURHOODS, build_neighbours
from terranas.space.searchable import CellSpace
from terranas.space.table import cells_table

Results = Iterator[tuple[str, NDArray[np.generic]]]


def space_results(cells: pd.DataFrame) -> Results:
    """Yield hashes, encodings there and back, neighbours, mutants and children."""
    yield "cells", cells[["hash", "adjacency", "operations"]].to_numpy(dtype="U40")
    one_hot, matrices, bits = adjacency_one_hot(cells), expanded_adjacency(cells), expanded_bits(cells)
    yield from {"one_hot": one_hot, "matrices": matrices, "bits": bits, "paths": path_encoding(cells)}.items()
    backwards = (from_adjacency_one_hot(one_hot), from_expanded_adjacency(matrices), from_expanded_bits(bits))
    yield "hashes", np.array([cell_hashes(batch) for batch in backwards])
    for name in NEIGHBOURHOODS:
        graph = build_neighbours(cells, name)
        yield f"{name}.indptr", graph.indptr
        yield f"{name}.indices", graph.indices
    space, rng = CellSpace(cells), generator(0, "test.compiled")
    yield "mutants", np.array([space.mutate(row, rng) for row in range(len(space))])
    yield "children", np.array([space.crossover(row, (7 * row) % len(space), rng) for row in range(len(space))])


def landscape_results(cells: pd.DataFrame) -> Results:
    """Yield optima, basins, networks, walks, correlations and dominance of made-up values."""
    graph = build_neighbours(cells, "edit_symmetric")
    rng = generator(1, "test.compiled")
    # one digit: many values are equal, so that there are plateaus
    values, costs = np.round(rng.random((2, len(cells))), 1)
    landscape = Landscape.of(values, graph, "maximise", cells["hash"])
    optima = find_optima(landscape)
    network = local_optima_network(landscape, optima)
    measured = (optima, network, neutrality(landscape, 0.1), fitness_distance(landscape, "landscape"))
    points, directions = np.column_stack([values, costs]), ("maximise", "minimise")
    space = ObjectiveSpace.of(points, ("accuracy", "cost"), directions, graph, cells["hash"])
    for found in (*measured, neighbour_dominance(space)):
        for name, value in vars(found).items():
            if isinstance(value, np.ndarray):
                yield f"{type(found).__name__}.{name}", value
    kept = within(graph, values > 0.3)
    yield "within", np.concatenate([kept.indptr, kept.indices])
    walks = simple_walks(graph, rng, walks=20, steps=15)
    yield "walks", walks
    yield "exact_autocorrelation", exact_autocorrelation(values, graph, 3)
    pooled = pooled_autocorrelation(values[walks], 3, rng, resamples=20, confidence=0.95)
    yield "pooled_autocorrelation", np.concatenate([np.atleast_1d(value) for value in vars(pooled).values()])
    intervals = autocorrelation_intervals(rng.random(40).cumsum(), rng, resamples=20)
    yield "autocorrelation_intervals", np.array([[interval.low, interval.high] for interval in intervals])
    found = rank_correlations(values, costs, rng, resamples=20)
    yield "correlations", np.array([list(one.columns().values()) for one in found], dtype="U40")


def search_results() -> Results:
    """Yield archives of points that arrive one by one, and their hypervolume over time."""
    for objectives in (2, 3):
        points = np.round(generator(objectives, "test.compiled").random((60, objectives)), 1)
        archive = pareto_archive(objectives)
        yield f"accepted.{objectives}", np.array([archive.add(row, point) for row, point in enumerate(points)])
        yield f"members.{objectives}", np.array(archive.members)
        yield f"hypervolume.{objectives}", hypervolume_over_time(points)


def main(path: str) -> None:
    """Write all results to a file."""
    cells = cells_table(4, 9, CIFAR10_NETWORK)
    np.savez(path, **dict([*space_results(cells), *landscape_results(cells), *search_results()]))


if __name__ == "__main__":
    main(sys.argv[1])
