"""The landscape of the published CIFAR-10 accuracies of all 423,624 cells."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from terranas.landscape.landscape import Landscape
from terranas.landscape.optima import find_optima
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.neighbours import build_neighbours
from terranas.space.table import cells_table


def test_local_optima_of_nasbench101_under_hamming(shared_data: Path) -> None:
    file = shared_data / "nas-bench-101" / "cifar10_test_accuracy_108.parquet"
    if not file.is_file():
        pytest.skip(f"{file.name} is not among the data measured by others")
    values = pd.read_parquet(file)["test_accuracy"].to_numpy(dtype=np.float64)
    cells = cells_table(7, 9, CIFAR10_NETWORK)
    graph = build_neighbours(cells, "hamming")
    landscape = Landscape.of(values, graph, "maximise", cells["hash"])
    optima = find_optima(landscape)
    assert optima.count + optima.isolated.sum() == len(optima)
    assert optima.isolated.sum() == 4_318
    assert 100_000 < len(optima) < 120_000  # some 110,000
    # each member of an optimum is at least as good as its neighbours, by another way over all arcs
    touched = np.flatnonzero(graph.degrees())
    best = np.full(len(values), -np.inf)
    best[touched] = np.maximum.reduceat(values[graph.indices], graph.indptr[touched])
    assert (values >= best)[optima.member_of >= 0].all()
    assert optima.stuck == ((values >= best) & (graph.degrees() > 0)).sum()
    assert optima.basin_sizes.sum() == len(values)
    # each step leads up: no ascent ends below its start, and in its own component
    ends = optima.representatives[optima.basin_of]
    assert (values[ends] >= values).all()
    np.testing.assert_array_equal(landscape.components[ends], landscape.components)
