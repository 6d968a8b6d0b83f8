"""The searches of the thesis's whole comparison on the whole space, beside plain Python on the same values.

    python benchmarks/search.py [--vertices 7] [--neighbourhoods edit edit_symmetric] [--seeds 30]

Two arms, four budgets each, all seeds, from starts that are drawn before the clock starts: searches by table look-up
and the fronts of every budget. The last column is the time with drawing the starts and with validated tables. Values
are made up: what MACs and the numbers of operations and edges explain, and noise, against MACs; a predicted front is
that of the values with more noise.

The reference begins with the same starts and draws the same random orders; its lists are made before the clock starts.
As the released code does, it runs each budget on its own, where the library cuts the run of the largest. Its
evaluations and fronts must be those of the library, or the program fails.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import plain_search as plain
from measure import measured, parser_of, seconds, show
from numpy.typing import NDArray

from terranas.core.pareto import nondominated
from terranas.core.randomness import generator
from terranas.core.tables import write_table
from terranas.search.arm_starts import StartMaterial, choose_starts
from terranas.search.campaign import ArmSettings, run_arm
from terranas.search.driver import drive
from terranas.search.local_search import pareto_local_search
from terranas.search.problem import Problem
from terranas.search.published_search import published_search
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.neighbours import NEIGHBOURHOODS, NeighbourGraph, build_neighbours
from terranas.space.schema import CELLS
from terranas.space.searchable import CellSpace
from terranas.space.table import cells_table

STARTS = 20
BUDGETS = {"surrogate": [500, 1000, 1500, 2000], "random": [2500, 3000, 3500, 4000]}
PUBLISHED_WAY = "published way"
WAYS = {"local search": "", PUBLISHED_WAY: "_published"}
PUBLISHED_ON = "edit"
"""The released code's neighbourhood. Where edits count in both directions one cell has 52,602 neighbours, which the
reference would compare in pairs."""


@dataclass(frozen=True)
class Results:
    """What the searches found.

    Attributes:
        evaluations: number of evaluations.
        digests: of the evaluated rows of each arm and seed, and of the front of each budget.
    """

    evaluations: int
    digests: list[int]


@dataclass(frozen=True)
class Task:
    """What is searched: the problem, its predicted fronts, the starts of every seed of each arm, and the way."""

    problem: Problem
    material: StartMaterial
    starts: dict[str, list[NDArray[np.int64]]]
    seeds: int
    way: str


@dataclass(frozen=True)
class PlainTask:
    """The same as lists."""

    neighbours: plain.Neighbours
    points: list[plain.Point]
    starts: dict[str, list[list[int]]]
    way: str


def make(folder: Path, vertices: int, names: list[str]) -> int:
    """Write cells, made-up values and neighbour graphs, and return the number of cells."""
    cells = cells_table(vertices, 9, CIFAR10_NETWORK)
    write_table(cells, folder / "cells.parquet", CELLS)
    rng = generator(0, "benchmarks.search")
    parts = cells[["num_conv3x3", "num_maxpool3x3", "num_edges", "depth"]].to_numpy() @ np.array([1.0, -1, 0.3, 0.4])
    values = 0.01 * parts + 0.1 * np.log(cells["macs"].to_numpy()) + 0.01 * rng.standard_normal(len(cells))
    np.save(folder / "values.npy", np.round(values, 4))
    np.save(folder / "predicted.npy", values + 0.01 * rng.standard_normal(len(cells)))
    for name in names:
        graph = build_neighbours(cells, name)
        np.savez(folder / f"{name}.npz", indptr=graph.indptr, indices=graph.indices)
    return len(cells)


def task(folder: Path, name: str, seeds: int, way: str) -> Task:
    """Return the problem and a predicted front for every seed."""
    cells = pd.read_parquet(folder / "cells.parquet")
    stored = np.load(folder / f"{name}.npz")
    values = np.column_stack([np.load(folder / "values.npy"), cells["macs"]])
    problem = Problem(
        dataset="made up",
        space=CellSpace(cells),
        objectives=["value", "macs"],
        directions=["maximise", "minimise"],
        values=values,
        graph=NeighbourGraph(stored["indptr"], stored["indices"]),
    )
    predicted = np.column_stack([np.load(folder / "predicted.npy"), cells["macs"]])
    rows = np.flatnonzero(nondominated(predicted, problem.directions))
    front = pd.DataFrame({"architecture": problem.names[rows], "scope": "space"})
    front[["value", "macs"]] = predicted[rows]
    material = StartMaterial(pd.concat([front.assign(seed=seed) for seed in range(seeds)]))
    starts = {arm: choose_starts(problem, arm, material, seeds=seeds, count=STARTS, seed=0) for arm in BUDGETS}
    return Task(problem, material, starts, seeds, way)


def search(given: Task) -> Results:
    """Search from the starts of all seeds."""
    problem, evaluations, digests = given.problem, 0, []
    for arm, budgets in BUDGETS.items():
        for seed, starts in enumerate(given.starts[arm]):
            if given.way == PUBLISHED_WAY:
                found = published_search(problem.minimised, problem.graph, starts, budgets[-1])
                rows = found.record.evaluated
                fronts = [found.fronts[found.round_of(budget)] for budget in budgets]
            else:
                rng = generator(0, "search.order", arm, seed)
                steps = pareto_local_search(problem.graph, problem.available, 2, rng, starts=starts)
                rows = drive(steps, problem.minimised.__getitem__, budgets[-1], 2).evaluated
                prefixes = [rows[:budget] for budget in budgets]
                fronts = [np.sort(p[nondominated(problem.minimised[p], ["minimise"] * 2)]) for p in prefixes]
            evaluations += len(rows)
            digests += [hash(tuple(one.tolist())) for one in (rows, *fronts)]
    return Results(evaluations, digests)


def arms(given: Task) -> int:
    """Draw the starts, search and make validated tables, as the workflow does; return the evaluations."""
    evaluations = 0
    for arm, budgets in BUDGETS.items():
        settings = ArmSettings(given.seeds, STARTS, budgets, 0, training_sample=2000)
        tables = run_arm(given.problem, arm + WAYS[given.way], settings, material=given.material)
        evaluations += len(tables.evaluations)
    return evaluations


def plain_task(folder: Path, name: str, seeds: int, way: str) -> PlainTask:
    """Return neighbours, minimised objectives and starts as lists."""
    given = task(folder, name, seeds, way)
    problem = given.problem
    starts = {arm: [rows.tolist() for rows in of_seed] for arm, of_seed in given.starts.items()}
    neighbours = [problem.graph.neighbours(row).tolist() for row in range(len(problem))]
    return PlainTask(neighbours, [tuple(point) for point in problem.minimised.tolist()], starts, way)


def plain_search(given: PlainTask) -> Results:
    """Run the same one architecture at a time, and each budget on its own."""
    evaluations, digests = 0, []
    for arm, budgets in BUDGETS.items():
        for seed, starts in enumerate(given.starts[arm]):
            fronts = []
            for budget in budgets:
                if given.way == PUBLISHED_WAY:
                    rows, front = plain.published_search(given.neighbours, given.points, starts, budget)
                else:
                    shuffled = Shuffled(generator(0, "search.order", arm, seed))
                    rows, front = plain.local_search(given.neighbours, given.points, starts, budget, shuffled)
                fronts.append(hash(tuple(front)))
            evaluations += len(rows)
            digests += [hash(tuple(rows)), *fronts]
    return Results(evaluations, digests)


@dataclass
class Shuffled:
    """Puts a list into the random order that the library puts it in."""

    rng: np.random.Generator

    def __call__(self, rows: list[int]) -> list[int]:
        """Return the rows in random order."""
        return self.rng.permutation(np.array(rows, dtype=np.int64)).tolist()


def compare(folder: Path, name: str, seeds: int) -> list[list[str]]:
    """Return a row for each way to search: the library, the reference, and their ratio, after checking results."""
    rows = []
    for way in WAYS:
        if way == PUBLISHED_WAY and name != PUBLISHED_ON:
            continue
        ours = measured(search, folder, name, seeds, way, prepare=task)
        slow = measured(plain_search, folder, name, seeds, way, prepare=plain_task, runs=1)
        if ours.result != slow.result:
            raise SystemExit(f"{name}, {way}: the reference differs from the library")
        whole = measured(arms, folder, name, seeds, way, prepare=task)
        rows.append(
            [
                name,
                way,
                f"{ours.result.evaluations:,}",
                seconds(ours.processor_seconds),
                f"{ours.megabytes:.0f}",
                seconds(slow.processor_seconds),
                f"{slow.processor_seconds / ours.processor_seconds:.1f}",
                seconds(whole.processor_seconds),
            ]
        )
    return rows


def main() -> None:
    """Print processor times, memory and ratios."""
    parser = parser_of(__doc__)
    parser.add_argument("--vertices", type=int, default=7, help="largest cells of the space")
    parser.add_argument("--neighbourhoods", nargs="+", default=["edit", "edit_symmetric"], choices=NEIGHBOURHOODS)
    parser.add_argument("--seeds", type=int, default=30, help="repetitions of each arm")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as place:
        cells = make(Path(place), options.vertices, options.neighbourhoods)
        for name in options.neighbourhoods:
            rows += compare(Path(place), name, options.seeds)
    print(f"{cells:,} cells, {options.seeds} seeds of each arm")
    show(["graph", "search", "evaluations", "ours", "MiB", "plain", "ratio", "with tables"], rows, options.json)


if __name__ == "__main__":
    main()
