"""The search in the published way against a slow one that works on objects, and its slips one by one."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.search.published_search import PublishedRun, published_search

from ..space.graphs import graph_of
from .queues import waiting_at


def run(values: np.ndarray, neighbours: list[list[int]], starts: list[int], budget: int) -> PublishedRun:
    return published_search(values, graph_of(neighbours), np.array(starts, dtype=np.int64), budget)


@dataclass(eq=False)
class Trained:
    """An evaluated architecture; each evaluation is another object."""

    row: int
    values: tuple[float, ...]


def as_good(one: Trained, other: Trained) -> bool:
    return all(a <= b for a, b in zip(one.values, other.values, strict=True))


def survivors(objects: list[Trained]) -> list[Trained]:
    return [one for one in objects if not any(other is not one and as_good(other, one) for other in objects)]


class Walker:
    """One start's search."""

    def __init__(self, start: Trained) -> None:
        self.front = [start]
        self.waiting = [start]

    def step(self, around: list[Trained]) -> list[Trained]:
        """Take the oldest and its neighbours; return those that entered."""
        good = survivors([*around, self.waiting.pop(0)])
        for one in good:
            for other in self.front:  # shortened while it is iterated: that is the slip
                if other is not one and as_good(one, other):
                    self.front.remove(other)
                    if other in self.waiting:
                        self.waiting.remove(other)
        new = [one for one in good if one.row not in [member.row for member in self.front]]
        self.front += new
        self.waiting += new
        return new


def slow_search(
    values: np.ndarray, neighbours: list[list[int]], starts: list[int], budget: int
) -> tuple[list[int], list[bool], list[int], list[list[int]], list[tuple[int, list[int]]]]:
    """Return rows counted, whether each entered, and counts, fronts and all queues after each round or step."""

    def train(row: int) -> Trained:
        return Trained(row, tuple(values[row].tolist()))

    walkers = [Walker(train(start)) for start in starts]
    counted: list[Trained] = []
    entered: list[Trained] = []
    merged: list[Trained] = []
    ends: list[int] = []
    fronts: list[list[int]] = []
    queues: list[tuple[int, list[int]]] = []
    while len(counted) < budget:
        for walker in walkers:
            if walker.waiting:
                rows = neighbours[walker.waiting[0].row]
                around = [train(row) for row in rows if not np.isnan(values[row]).any()]
                counted += around
                entered += walker.step(around)
                queues.append((len(counted), sorted(one.row for other in walkers for one in other.waiting)))
            merged += [one for one in survivors(walker.front) if one not in merged]
        ends.append(len(counted))
        fronts.append(sorted(one.row for one in survivors(merged)))
        if not any(walker.waiting for walker in walkers):
            break
    return [one.row for one in counted], [one in entered for one in counted], ends, fronts, queues


Case = tuple[np.ndarray, list[list[int]], list[int], int]


@st.composite
def problems(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    shape = (count, draw(st.integers(2, 3)))
    values = rng.integers(0, draw(st.integers(1, 8)), size=shape).astype(np.float64)
    values[rng.random(count) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    values[0] = 1.0  # one start is always known
    linked = rng.random((count, count)) < draw(st.sampled_from([0.0, 0.1, 0.3, 0.7]))
    np.fill_diagonal(linked, False)
    neighbours = [np.flatnonzero(row).tolist() for row in linked]
    known = np.flatnonzero(~np.isnan(values).any(axis=1))
    starts = rng.permutation(known)[: draw(st.integers(1, 4))].tolist()
    return values, neighbours, starts, draw(st.integers(1, 60))


@settings(max_examples=400, deadline=None)
@given(problems())
def test_agrees_with_the_slow_search(problem: Case) -> None:
    found = run(*problem)
    counted, entered, ends, fronts, queues = slow_search(*problem)
    assert found.record.evaluated.tolist() == counted
    assert found.record.entered.tolist() == entered
    assert found.round_ends.tolist() == ends
    assert [front.tolist() for front in found.fronts] == fronts
    assert found.record.archive.tolist() == fronts[-1]
    again = [row in counted[:place] for place, row in enumerate(counted)]
    assert found.record.repeated.tolist() == again
    # a step without evaluations counts as happening with the next one
    for (before, _), (number, queue) in zip([(0, []), *queues], queues, strict=False):
        if number > before:
            assert waiting_at(found.record.stays, number) == queue
    assert waiting_at(found.record.stays, len(counted) + 1) == queues[-1][1]
    assert waiting_at(found.record.stays, 0) == sorted(problem[2])


@settings(max_examples=100, deadline=None)
@given(problems())
def test_a_smaller_budget_is_a_prefix_that_ends_with_a_round(problem: Case) -> None:
    values, neighbours, starts, budget = problem
    longest = run(*problem)
    for smaller in range(1, budget):
        separate = run(values, neighbours, starts, smaller)
        last = longest.round_of(smaller)
        assert separate.round_ends.tolist() == longest.round_ends[: last + 1].tolist()
        assert separate.record.evaluated.tolist() == longest.record.evaluated[: longest.round_ends[last]].tolist()
        assert separate.fronts[-1].tolist() == longest.fronts[last].tolist()
        assert len(separate.record.passed_over) == longest.without_value[last]


def test_neighbours_are_counted_again_starts_are_not_and_a_round_is_finished() -> None:
    # a triangle without trade-offs: all search from their own start, evaluate the same and overshoot
    values = np.array([[1, 3], [2, 2], [3, 1]], dtype=np.float64)
    triangle = [[1, 2], [0, 2], [0, 1]]
    found = run(values, triangle, [0, 1, 2], 1)
    assert found.record.evaluated.tolist() == [1, 2, 0, 2, 0, 1]
    assert found.record.repeated.tolist() == [False, False, False, True, True, True]
    assert found.round_ends.tolist() == [6]
    # each is in the fronts of three searches, as three evaluations that drop each other
    assert found.fronts[0].tolist() == []


def test_equal_architectures_drop_each_other() -> None:
    values = np.array([[5, 5], [1, 1], [1, 1], [2, 0]], dtype=np.float64)
    found = run(values, [[1, 2, 3], [], [], []], [0], 3)
    assert found.record.entered.tolist() == [False, False, True]
    assert found.fronts[-1].tolist() == [3]


def test_what_is_met_again_is_expanded_again() -> None:
    values = np.array([[1, 2], [2, 1]], dtype=np.float64)
    found = run(values, [[1], [0]], [0], 7)
    assert found.record.evaluated.tolist() == [1, 0, 1, 0, 1, 0, 1]


def test_ends_when_nothing_is_left_to_expand() -> None:
    found = run(np.ones((3, 2)), [[], [], []], [1], 10)
    assert (found.record.evaluated.tolist(), found.fronts[-1].tolist()) == ([], [1])
    assert found.round_of(10) == 0


def test_neighbours_without_value_are_passed_over() -> None:
    values = np.array([[1, 1], [np.nan, np.nan], [0, 2]])
    found = run(values, [[1, 2], [0], [1]], [0], 10)
    assert found.record.evaluated.tolist() == [2]
    assert found.without_value.tolist() == [1, 1]


@pytest.mark.parametrize("starts", [[], [0, 0], [1]])
def test_starts_must_be_different_and_have_values(starts: list[int]) -> None:
    with pytest.raises(ValueError, match="starts, all different and with values"):
        run(np.array([[1, 1], [np.nan, np.nan]]), [[], []], starts, 5)
