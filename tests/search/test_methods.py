"""Baselines: what each promises of the rows it asks for, that it finds fronts, and that a seed decides it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from terranas.core.pareto import nondominated
from terranas.core.randomness import generator
from terranas.search.arms import METHOD_OF
from terranas.search.campaign import Method
from terranas.search.driver import Search, SearchRun, drive
from terranas.search.methods import METHODS
from terranas.search.nsga2 import nsga2
from terranas.search.random_search import random_search
from terranas.search.regularised_evolution import regularised_evolution, regularised_evolution_ranked
from terranas.search.surrogate_assisted import surrogate_assisted
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.nasbench201 import NasBench201Space
from terranas.space.neighbours import NeighbourGraph, build_neighbours
from terranas.space.searchable import CellSpace
from terranas.space.table import cells_table

ROOT = Path(__file__).resolve().parents[2]
Evaluate = Callable[[NDArray[np.int64]], NDArray[np.float64]]

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


@pytest.fixture(scope="module")
def five() -> tuple[CellSpace, NeighbourGraph]:
    cells = cells_table(5, 9, CIFAR10_NETWORK)
    return CellSpace(cells), build_neighbours(cells, "edit_symmetric")


def values_of(space: CellSpace | NasBench201Space, objectives: int) -> NDArray[np.float64]:
    """Return made-up objectives that the outline explains for the most part, and that are in conflict."""
    outline = space.outline()
    rng = generator(0, "test.values", objectives)
    weights = rng.standard_normal((outline.shape[1], objectives))
    weights[:, 1] = -weights[:, 0] + 0.3 * weights[:, 1]
    return outline @ weights + 0.2 * rng.standard_normal((len(outline), objectives))


def run(
    method: Method,
    space: CellSpace | NasBench201Space,
    graph: NeighbourGraph,
    values: NDArray[np.float64],
    budget: int,
    *,
    available: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> SearchRun:
    rows = np.arange(len(space)) if available is None else available
    search = method(space, graph, rows, values.shape[1], generator(seed, "test.search"))
    return drive(search, values.__getitem__, budget, values.shape[1])


def batches(search: Search, evaluate: Evaluate, most: int) -> list[list[int]]:
    """Return what a search yields when it is driven by hand, until it has asked for that many rows or ends."""
    asked: list[list[int]] = []
    try:
        rows = next(search)
        while True:
            assert rows.dtype == np.int64
            assert len(rows)
            asked.append(rows.tolist())
            if sum(map(len, asked)) >= most:
                return asked
            rows = search.send(evaluate(rows))
    except StopIteration:
        return asked


@every_method
@pytest.mark.parametrize("objectives", [2, 3])
def test_rows_are_asked_for_once_until_none_is_left(
    method: Method, objectives: int, five: tuple[CellSpace, NeighbourGraph]
) -> None:
    space, graph = five
    values = values_of(space, objectives)
    available = np.flatnonzero(np.arange(len(space)) % 5 == 2)
    search = method(space, graph, available, objectives, generator(0, "test"))
    asked = [row for batch in batches(search, values.__getitem__, 10_000) for row in batch]
    assert sorted(asked) == available.tolist()


@every_method
def test_the_whole_front_of_a_small_space_is_found(method: Method, five: tuple[CellSpace, NeighbourGraph]) -> None:
    space, graph = five
    values = values_of(space, 2)
    done = run(method, space, graph, values, len(space))
    assert sorted(done.evaluated) == list(range(len(space)))
    assert done.archive.tolist() == np.flatnonzero(nondominated(values, ["minimise"] * 2)).tolist()


GUIDED = [name for name in METHODS if name != "random_search"]


@pytest.mark.parametrize(("space", "objectives"), [("cells", 2), ("nasbench201", 3)])
@pytest.mark.parametrize("name", GUIDED)
def test_guided_searches_find_more_of_the_front_than_chance(
    name: str, space: str, objectives: int, five: tuple[CellSpace, NeighbourGraph]
) -> None:
    where, graph = five if space == "cells" else ((nasbench201 := NasBench201Space()), nasbench201.graph)
    values = values_of(where, objectives)
    best = set(np.flatnonzero(nondominated(values, ["minimise"] * objectives)).tolist())
    budget = len(where) // 4
    found = [len(best & set(run(METHODS[name], where, graph, values, budget, seed=seed).archive)) for seed in (0, 1)]
    # chance finds a quarter
    assert np.mean(found) > 0.32 * len(best)


@every_method
def test_a_smaller_budget_is_a_prefix_and_a_seed_decides(
    method: Method, five: tuple[CellSpace, NeighbourGraph]
) -> None:
    space, graph = five
    values = values_of(space, 2)
    whole = run(method, space, graph, values, 700)
    assert len(whole.evaluated) == 700
    assert run(method, space, graph, values, 333).evaluated.tolist() == whole.evaluated[:333].tolist()
    assert run(method, space, graph, values, 700, seed=1).evaluated.tolist() != whole.evaluated.tolist()


_PROGRAM = """
import sys
import numpy as np
from terranas.core.randomness import generator
from terranas.search.driver import drive
from terranas.search.methods import METHODS
from terranas.space.nasbench201 import NasBench201Space

space = NasBench201Space()
values = space.outline()[:, :2] + generator(1, "values").random((len(space), 2))
for name, method in METHODS.items():
    search = method(space, space.graph, np.arange(len(space)), 2, generator(5, name))
    print(name, *drive(search, values.__getitem__, 450, 2).evaluated)
"""


def test_another_process_does_the_same() -> None:
    # hashes of texts, and so the order of sets, differ between the two
    runs = [
        subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert [line.split()[0] for line in runs[0].splitlines()] == list(METHODS)


@every_method
def test_the_global_random_state_has_no_say(method: Method, five: tuple[CellSpace, NeighbourGraph]) -> None:
    space, graph = five
    values = np.round(values_of(space, 2))  # ties are where a library draws

    def after(seed: int) -> list[int]:
        np.random.seed(seed)  # noqa: NPY002
        return run(method, space, graph, values, 600).evaluated.tolist()

    assert after(1) == after(2)


@every_method
def test_architectures_without_value_are_lived_with(method: Method, five: tuple[CellSpace, NeighbourGraph]) -> None:
    space, graph = five
    values = values_of(space, 2)
    rng = generator(0, "test.failures")
    values[rng.random(len(space)) < 0.5, 1] = np.nan
    values[rng.random(len(space)) < 0.1, 0] = np.inf
    available = np.arange(0, len(space), 3)
    known = available[np.isfinite(values[available]).all(axis=1)]
    done = run(method, space, graph, values, len(space), available=available)
    assert sorted(done.evaluated) == known.tolist()
    assert len(done.passed_over) == len(available) - len(known)


@every_method
def test_a_space_without_any_value_is_asked_through(method: Method, five: tuple[CellSpace, NeighbourGraph]) -> None:
    space, graph = five
    done = run(method, space, graph, np.full((len(space), 2), np.nan), len(space))
    assert len(done.evaluated) == 0
    assert len(done.passed_over) == len(space)


@every_method
@pytest.mark.parametrize("available", [[], [17], [3, 2_000], list(range(0, 99, 3))])
def test_fewer_architectures_than_a_population(
    method: Method, available: list[int], five: tuple[CellSpace, NeighbourGraph]
) -> None:
    space, graph = five
    rows = np.array(available, dtype=np.int64)
    done = run(method, space, graph, values_of(space, 2), 500, available=rows)
    assert sorted(done.evaluated) == available


@every_method
def test_a_space_of_one_architecture(method: Method) -> None:
    cells = cells_table(2, 9, CIFAR10_NETWORK)
    done = run(method, CellSpace(cells), build_neighbours(cells, "hamming"), np.zeros((1, 2)), 10)
    assert done.evaluated.tolist() == [0]


@every_method
@pytest.mark.parametrize("constant", [[0], [0, 1]])
def test_constant_objectives(method: Method, constant: list[int], five: tuple[CellSpace, NeighbourGraph]) -> None:
    space, graph = five
    values = values_of(space, 2)
    values[:, constant] = 3.25
    done = run(method, space, graph, values, 600)
    assert len(done.evaluated) == 600
    if len(constant) == 2:
        assert len(done.archive) == 600


@every_method
def test_a_graph_without_edges(method: Method, five: tuple[CellSpace, NeighbourGraph]) -> None:
    space, _ = five
    graph = NeighbourGraph(np.zeros(len(space) + 1, dtype=np.int64), np.empty(0, dtype=np.int32))
    assert len(run(method, space, graph, values_of(space, 2), 400).evaluated) == 400


def test_batches_are_as_long_as_documented(five: tuple[CellSpace, NeighbourGraph]) -> None:
    space, graph = five
    evaluate = values_of(space, 2).__getitem__
    task = (space, graph, np.arange(len(space)), 2)

    def lengths(search: Search, most: int) -> list[int]:
        return [len(batch) for batch in batches(search, evaluate, most)]

    assert lengths(random_search(*task, generator(0, "r"), batch=64), 128) == [64, 64]
    assert lengths(nsga2(*task, generator(0, "r"), population=30), 90) == [30, 30, 30]
    for evolution in (regularised_evolution, regularised_evolution_ranked):
        assert lengths(evolution(*task, generator(0, "r"), population=20), 23) == [20, 1, 1, 1]
        assert lengths(evolution(*task, generator(0, "r"), population=20, children=8), 36) == [20, 8, 8]
    # a quarter of what was evaluated before, at least ten
    assert lengths(surrogate_assisted(*task, generator(0, "r"), initial=30, batch=10), 90) == [30, 10, 10, 12, 15, 19]


def test_the_oldest_dies_and_the_best_of_a_tournament_has_the_child(five: tuple[CellSpace, NeighbourGraph]) -> None:
    space, graph = five

    class Recorder:
        """The space, remembering whose mutants were asked for first."""

        names = space.names
        mutated: list[int]

        def mutate(self, row: int, rng: np.random.Generator) -> int:
            self.mutated.append(row)
            return space.mutate(row, rng)

    values = np.repeat(generator(0, "test.values").random(len(space))[:, None], 2, axis=1)
    for evolution in (regularised_evolution, regularised_evolution_ranked):
        recorder = Recorder()
        recorder.mutated = []
        # a tournament this large holds all members, so that the best of the last ten has every child
        search = evolution(recorder, graph, np.arange(len(space)), 2, generator(0, "r"), population=10, tournament=500)
        alive = list(next(search))
        rows = search.send(values[alive])
        for _ in range(200):
            first = recorder.mutated[0]
            recorder.mutated.clear()
            assert first == min(alive, key=lambda row: values[row, 0])
            alive = [*alive[1:], int(rows[0])]
            rows = search.send(values[rows])


def test_exploration_of_the_surrogate_assisted_search(five: tuple[CellSpace, NeighbourGraph]) -> None:
    space, graph = five
    cost = values_of(space, 2)[:, 0]
    values = np.column_stack([cost, cost])
    means = []
    for exploration in (0.0, 1.0):
        search = surrogate_assisted(space, graph, np.arange(len(space)), 2, generator(0, "r"), exploration=exploration)
        _, *rounds = batches(search, values.__getitem__, 300)
        means.append(np.mean([cost[batch].mean() for batch in rounds]))
    # with nothing but random architectures, rounds are as good as the space
    assert abs(means[1] - cost.mean()) < 5 * cost.std() / np.sqrt(200)
    assert means[0] < cost.mean() - 0.5 * cost.std()


def test_every_arm_has_its_method() -> None:
    assert set(METHODS) < set(METHOD_OF.values())
