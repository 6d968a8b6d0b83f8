"""The baselines on the whole space, and how much of NSGA-II's time is pymoo's.

    python benchmarks/baselines.py [--vertices 7] [--seeds 100] [--evaluations 4000]

Each baseline searches all cells by table look-up, seed after seed, with the record that a search keeps, but without
tables. Values are made up: a part that the numbers of operations and edges explain, with noise, against MACs. The
space, its neighbours and its codes are made before the clock starts.

The share of pymoo is what one profiled run of NSGA-II spends in its asking and telling, less the time in the space's
mutation and crossover and in looking up what was evaluated.
"""

import cProfile
import pstats
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from measure import measured, parser_of, seconds, show
from numpy.typing import NDArray

from terranas.core.randomness import generator
from terranas.core.tables import write_table
from terranas.search.driver import drive
from terranas.search.methods import METHODS
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.neighbours import NeighbourGraph, build_neighbours
from terranas.space.schema import CELLS
from terranas.space.searchable import CellSpace
from terranas.space.table import cells_table

CALLS = 20_000


@dataclass(frozen=True)
class Task:
    """What is searched: the space, its neighbours, the minimised objectives, and how much is asked of it."""

    space: CellSpace
    graph: NeighbourGraph
    values: NDArray[np.float64]
    evaluations: int
    seeds: int


def make(folder: Path, vertices: int) -> int:
    """Write cells, made-up values and neighbours, and return the number of cells."""
    cells = cells_table(vertices, 9, CIFAR10_NETWORK)
    write_table(cells, folder / "cells.parquet", CELLS)
    rng = generator(0, "benchmarks.baselines")
    parts = cells[["num_conv3x3", "num_maxpool3x3", "num_edges", "depth"]].to_numpy() @ np.array([1.0, -1, 0.3, 0.4])
    error = 0.1 - 0.01 * parts + 0.005 * rng.standard_normal(len(cells))
    np.save(folder / "values.npy", np.column_stack([np.round(error, 4), cells["macs"]]))
    graph = build_neighbours(cells, "edit_symmetric")
    np.savez(folder / "graph.npz", indptr=graph.indptr, indices=graph.indices)
    return len(cells)


def task(folder: Path, name: str, evaluations: int, seeds: int) -> Task:
    """Return what a baseline searches, after a short search that makes the space's codes and loads compiled code."""
    space = CellSpace(pd.read_parquet(folder / "cells.parquet"))
    stored = np.load(folder / "graph.npz")
    given = Task(space, NeighbourGraph(stored["indptr"], stored["indices"]), np.load(folder / "values.npy"), 0, 0)
    search(name, Task(given.space, given.graph, given.values, 250, 1))
    return Task(given.space, given.graph, given.values, evaluations, seeds)


def search(name: str, given: Task) -> int:
    """Search once for every seed, and return the number of evaluations of all."""
    rows, total = np.arange(len(given.space)), 0
    for seed in range(given.seeds):
        rng = generator(seed, "benchmarks.baselines", name)
        method = METHODS[name](given.space, given.graph, rows, given.values.shape[1], rng)
        total += len(drive(method, given.values.__getitem__, given.evaluations, given.values.shape[1]).evaluated)
    return total


def share_of_pymoo(given: Task) -> float:
    """Return the share of pymoo in the time of NSGA-II."""
    profile = cProfile.Profile()
    profile.runcall(search, "nsga2", Task(given.space, given.graph, given.values, given.evaluations, 1))
    whole, theirs = 0.0, 0.0
    for (file, _, function), (_, _, _, cumulative, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        place = Path(file).parts[-3:]
        if place[-1] == Path(__file__).name and function == "search":
            whole = cumulative
        elif place == ("pymoo", "core", "algorithm.py") and function in ("ask", "tell"):
            theirs += cumulative
        elif place == ("terranas", "search", "nsga2.py") and function in ("_do", "do"):
            theirs -= cumulative
    return theirs / whole


def mutations(given: Task) -> None:
    """Mutate random cells."""
    rng = generator(0, "benchmarks.baselines.mutations")
    for row in rng.integers(len(given.space), size=CALLS).tolist():
        given.space.mutate(row, rng)


def crossovers(given: Task) -> None:
    """Cross random pairs of cells."""
    rng = generator(0, "benchmarks.baselines.crossovers")
    for first, second in rng.integers(len(given.space), size=(CALLS, 2)).tolist():
        given.space.crossover(first, second, rng)


def main() -> None:
    """Print times of the baselines and of the operators."""
    parser = parser_of(__doc__)
    parser.add_argument("--vertices", type=int, default=7, help="largest cells of the space")
    parser.add_argument("--seeds", type=int, default=100, help="repetitions of each baseline")
    parser.add_argument("--evaluations", type=int, default=4000, help="budget of each repetition")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        given = (options.evaluations, options.seeds)
        print(f"{make(folder, options.vertices):,} cells, {options.seeds} seeds of {options.evaluations:,} evaluations")
        rows = []
        for name in METHODS:
            found = measured(partial(search, name), folder, name, *given, prepare=task, runs=1)
            each = found.processor_seconds / found.result
            rows.append([name, seconds(found.processor_seconds), seconds(each), f"{found.megabytes:.0f}"])
        share = measured(share_of_pymoo, folder, "nsga2", *given, prepare=task, runs=1).result
        operators = [
            (one.__name__, measured(one, folder, "nsga2", *given, prepare=task)) for one in (mutations, crossovers)
        ]
    show(["baseline", "all seeds", "an evaluation", "MiB"], rows, options.json)
    print(f"pymoo's share of nsga2: {share:.0%}")
    for name, found in operators:
        print(f"{name}: {seconds(found.processor_seconds / CALLS)} each")


if __name__ == "__main__":
    main()
