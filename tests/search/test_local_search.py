"""Pareto local search against a slow, plain implementation, and its edge cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.core.pareto import nondominated
from terranas.search.local_search import SearchRun, pareto_local_search, stop_reason
from terranas.space.neighbours import NeighbourGraph


def graph_of(neighbours: list[list[int]]) -> NeighbourGraph:
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in neighbours])]).astype(np.int64)
    return NeighbourGraph(indptr, np.array([target for row in neighbours for target in row], dtype=np.int32))


def run(values: np.ndarray, neighbours: list[list[int]], starts: list[int], budget: int, seed: int = 0) -> SearchRun:
    rng = np.random.default_rng(seed)
    return pareto_local_search(values, graph_of(neighbours), np.array(starts, dtype=np.int64), budget, rng)


def dominates(a: np.ndarray, b: np.ndarray) -> bool:
    return bool((a <= b).all() and (a < b).any())


def slow_search(
    values: np.ndarray, neighbours: list[list[int]], starts: list[int], budget: int, seed: int
) -> tuple[list[int], list[int]]:
    """The definition, word by word, with lists and pairwise comparisons."""
    rng = np.random.default_rng(seed)
    evaluated: list[int] = []
    archive: list[int] = []
    queue: list[int] = []

    def evaluate(cell: int) -> None:
        evaluated.append(cell)
        if not any(dominates(values[other], values[cell]) for other in archive):
            for other in [o for o in archive if dominates(values[cell], values[o])]:
                archive.remove(other)
                if other in queue:
                    queue.remove(other)
            archive.append(cell)
            queue.append(cell)

    for start in starts:
        if len(evaluated) < budget:
            evaluate(start)
    while queue:
        oldest = queue.pop(0)
        new = [n for n in neighbours[oldest] if n not in evaluated and not np.isnan(values[n]).any()]
        for cell in rng.permutation(np.array(new, dtype=np.int64)).tolist():
            if len(evaluated) < budget:
                evaluate(cell)
    return evaluated, sorted(archive)


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, list[list[int]], list[int], int, int]:
    count = draw(st.integers(1, 14))
    seed = draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    values = rng.integers(0, draw(st.integers(1, 8)), size=(count, 2)).astype(np.float64)
    values[rng.random(count) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    values[0] = 1.0  # one start is always known
    linked = rng.random((count, count)) < draw(st.sampled_from([0.0, 0.1, 0.3, 0.7]))
    np.fill_diagonal(linked, False)
    neighbours = [np.flatnonzero(row).tolist() for row in linked]
    known = np.flatnonzero(~np.isnan(values).any(axis=1))
    starts = rng.permutation(known)[: draw(st.integers(1, 5))].tolist()
    return values, neighbours, starts, draw(st.integers(1, count + 2)), seed


@settings(max_examples=300, deadline=None)
@given(problems())
def test_agrees_with_the_slow_search(problem: tuple[np.ndarray, list[list[int]], list[int], int, int]) -> None:
    values, neighbours, starts, budget, seed = problem
    found = run(values, neighbours, starts, budget, seed)
    evaluated, archive = slow_search(values, neighbours, starts, budget, seed)
    assert found.evaluated.tolist() == evaluated
    assert found.archive.tolist() == archive
    assert len(set(evaluated)) == len(evaluated) <= budget
    assert found.starts == min(len(starts), budget)


@settings(max_examples=100, deadline=None)
@given(problems())
def test_a_smaller_budget_gives_a_prefix_and_its_archive_is_the_prefix_filtered(
    problem: tuple[np.ndarray, list[list[int]], list[int], int, int],
) -> None:
    values, neighbours, starts, budget, seed = problem
    longest = run(values, neighbours, starts, budget, seed)
    for smaller in range(1, budget):
        separate = run(values, neighbours, starts, smaller, seed)
        prefix = longest.evaluated[:smaller]
        assert separate.evaluated.tolist() == prefix.tolist()
        assert separate.entered.tolist() == longest.entered[:smaller].tolist()
        kept = prefix[nondominated(values[prefix], ["minimise", "minimise"])]
        assert separate.archive.tolist() == sorted(kept.tolist())


def test_queue_is_first_in_first_out_and_a_neighbourhood_is_finished() -> None:
    # 0 leads to 1 and 2; 1 dominates 0 while the neighbourhood of 0 is evaluated, 2 is still evaluated
    values = np.array([[5, 5], [1, 4], [4, 1], [0, 3], [3, 0]], dtype=np.float64)
    found = run(values, [[1, 2], [3], [4], [], []], [0], 5)
    first, second = found.evaluated[1:3].tolist()
    assert {first, second} == {1, 2}
    assert found.evaluated[3:].tolist() == [first + 2, second + 2]
    assert found.archive.tolist() == [3, 4]


def test_dominated_architectures_are_not_expanded() -> None:
    values = np.array([[1, 1], [2, 2], [0, 0]], dtype=np.float64)
    found = run(values, [[1], [2], []], [0], 10)
    assert found.evaluated.tolist() == [0, 1]
    assert found.entered.tolist() == [True, False]


def test_budget_may_end_amid_the_starts_or_a_neighbourhood() -> None:
    values = np.ones((8, 2))
    everyone = [[other for other in range(8) if other != cell] for cell in range(8)]
    amid_starts = run(values, everyone, [3, 1, 5], 2)
    assert (amid_starts.evaluated.tolist(), amid_starts.starts) == ([3, 1], 2)
    amid_neighbours = run(values, everyone, [3], 5)
    assert len(amid_neighbours.evaluated) == 5


def test_constant_objectives_keep_everything_reachable() -> None:
    ring = [[(cell - 1) % 9, (cell + 1) % 9] for cell in range(9)]
    found = run(np.ones((9, 2)), ring, [4], 100)
    assert sorted(found.evaluated.tolist()) == list(range(9))
    assert found.archive.tolist() == list(range(9))
    assert found.entered.all()


def test_a_start_without_neighbours_ends_at_once() -> None:
    found = run(np.ones((3, 2)), [[], [], []], [1], 10)
    assert found.evaluated.tolist() == [1]


def test_stays_in_the_components_of_its_starts() -> None:
    two_paths = [[1], [0, 2], [1], [4], [3, 5], [4]]
    found = run(np.ones((6, 2)), two_paths, [0], 100)
    assert sorted(found.evaluated.tolist()) == [0, 1, 2]


def test_neighbours_without_value_are_passed_over_and_counted_once() -> None:
    values = np.array([[1, 1], [np.nan, 0], [1, 1], [0, np.nan]])
    found = run(values, [[1, 2, 3], [0], [0, 1], [0]], [0], 10)
    assert found.evaluated.tolist() == [0, 2]
    assert found.without_value == 2


def test_order_depends_on_the_generator_only() -> None:
    values = np.ones((30, 2))
    star = [list(range(1, 30)), *([[0]] * 29)]
    assert run(values, star, [0], 30, 1).evaluated.tolist() == run(values, star, [0], 30, 1).evaluated.tolist()
    assert run(values, star, [0], 30, 1).evaluated.tolist() != run(values, star, [0], 30, 2).evaluated.tolist()


@pytest.mark.parametrize("starts", [[1], [0, 0]])
def test_starts_must_be_known_and_different(starts: list[int]) -> None:
    with pytest.raises(ValueError, match="different architectures with values"):
        run(np.array([[1, 1], [np.nan, 1]]), [[], []], starts, 5)


@pytest.mark.parametrize(
    ("evaluations", "budget", "known", "reason"),
    [
        (10, 10, 20, "budget"),
        (7, 10, 20, "nothing_left_to_expand"),
        (10, 15, 10, "space_exhausted"),
        (10, 10, 10, "space_exhausted"),
    ],
)
def test_stop_reasons(evaluations: int, budget: int, known: int, reason: str) -> None:
    assert stop_reason(evaluations, budget, known) == reason
