"""Pareto local search and its variants against a slow, plain implementation, and its edge cases."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.core.errors import ConfigError
from terranas.core.pareto import nondominated
from terranas.search.driver import SearchDriver, SearchRun, drive
from terranas.search.local_search import (
    LocalSearchSettings,
    pareto_local_search,
    restarted_local_search,
    stop_reason,
)
from terranas.search.queue_record import QueueRecord, Stay

from ..space.graphs import graph_of
from .queues import waiting_at

VARIANTS = [
    LocalSearchSettings(*parts)  # type: ignore[arg-type]
    for parts in product(
        ["oldest", "newest", "random", "most_isolated"],
        ["random", "given"],
        ["all", "first_dominating", "first_nondominated"],
    )
]
DEFAULT = LocalSearchSettings()


def known_rows(values: np.ndarray) -> np.ndarray:
    return np.flatnonzero(~np.isnan(values).any(axis=1))


def run(
    values: np.ndarray,
    neighbours: list[list[int]],
    starts: list[int],
    budget: int,
    seed: int = 0,
    variant: LocalSearchSettings = DEFAULT,
) -> SearchRun:
    record = QueueRecord()
    search = pareto_local_search(
        graph_of(neighbours),
        known_rows(values),
        values.shape[1],
        np.random.default_rng(seed),
        starts=np.array(starts, dtype=np.int64),
        settings=variant,
        record=record,
    )
    return drive(search, lambda rows: values[rows], budget, values.shape[1], queue=record)


def expanded_at(stays: tuple[Stay, ...], evaluation: int) -> int | None:
    """Return the architecture whose neighbourhood an evaluation belongs to."""
    taken = [stay.row for stay in stays if stay.left_by == "expanded" and (stay.left or 0) <= evaluation]
    return taken[-1] if taken else None


def dominates(a: np.ndarray, b: np.ndarray) -> bool:
    return bool((a <= b).all() and (a < b).any())


def slow_crowding(values: np.ndarray, archive: list[int], one: int) -> float:
    """Crowding distance among the different points of an archive, which are sorted as tuples are."""
    points = sorted({tuple(values[member].tolist()) for member in archive})
    own = tuple(values[one].tolist())
    if len(points) == 1:
        return np.inf
    total = 0.0
    for objective in range(len(own)):
        ordered = sorted(points, key=lambda point: point[objective])
        width = ordered[-1][objective] - ordered[0][objective]
        if width == 0:
            continue
        place = ordered.index(own)
        if place in (0, len(ordered) - 1):
            return np.inf
        total += (ordered[place + 1][objective] - ordered[place - 1][objective]) / width
    return total


def slow_search(
    values: np.ndarray,
    neighbours: list[list[int]],
    starts: list[int],
    seed: int | np.random.Generator,
    variant: LocalSearchSettings,
    known: tuple[int, ...] = (),
) -> Iterator[tuple[int, list[int], list[int], int | None]]:
    """The definition, word by word, with lists and pairwise comparisons.

    Yields an evaluation, the archive and the queue after it, and the architecture whose neighbour it is. Of a whole
    neighbourhood, what is known already enters first, and waits in the order of the neighbourhood nevertheless.
    """
    rng = np.random.default_rng(seed)
    evaluated: list[int] = []
    archive: list[int] = []
    queue: list[int] = []

    def enters(cell: int) -> bool:
        evaluated.append(cell)
        if any(dominates(values[other], values[cell]) for other in archive):
            return False
        for other in [o for o in archive if dominates(values[cell], values[o])]:
            archive.remove(other)
            if other in queue:
                queue.remove(other)
        archive.append(cell)
        queue.append(cell)
        return True

    for start in starts:
        enters(start)
        yield start, sorted(archive), sorted(queue), None
    while queue:
        if variant.selection == "oldest":
            centre = queue[0]
        elif variant.selection == "newest":
            centre = queue[-1]
        elif variant.selection == "random":
            centre = queue[rng.integers(len(queue))]
        else:
            centre = max(queue, key=lambda cell: slow_crowding(values, archive, cell))
        queue.remove(centre)
        new = [n for n in neighbours[centre] if n not in evaluated and not np.isnan(values[n]).any()]
        if variant.order == "random":
            new = rng.permutation(np.array(new, dtype=np.int64)).tolist()
        looked_at = sorted(new, key=lambda cell: cell not in known) if variant.acceptance == "all" else new
        for place, cell in enumerate(looked_at):
            entered = enters(cell)
            ends = {
                "all": False,
                "first_dominating": dominates(values[cell], values[centre]),
                "first_nondominated": entered,
            }[variant.acceptance]
            if ends and centre in archive and place + 1 < len(new):
                queue.append(centre)
            yield cell, sorted(archive), sorted(queue), centre
            if ends or (variant.acceptance != "all" and centre not in archive):
                break
        if variant.acceptance == "all":
            queue.sort(key=lambda cell: new.index(cell) if cell in new else -1)


Case = tuple[np.ndarray, list[list[int]], list[int], int, int]


@st.composite
def problems(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 14))
    seed = draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    shape = (count, draw(st.integers(2, 4)))
    values = rng.integers(0, draw(st.integers(1, 8)), size=shape).astype(np.float64)
    values[rng.random(count) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    values[0] = 1.0  # one start is always known
    linked = rng.random((count, count)) < draw(st.sampled_from([0.0, 0.1, 0.3, 0.7]))
    np.fill_diagonal(linked, False)
    neighbours = [np.flatnonzero(row).tolist() for row in linked]
    starts = rng.permutation(known_rows(values))[: draw(st.integers(1, 5))].tolist()
    return values, neighbours, starts, draw(st.integers(1, count + 2)), seed


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: f"{v.selection}-{v.order}-{v.acceptance}")
@settings(max_examples=60, deadline=None)
@given(problem=problems())
def test_agrees_with_the_slow_search(variant: LocalSearchSettings, problem: Case) -> None:
    values, neighbours, starts, budget, seed = problem
    found = run(values, neighbours, starts, budget, seed, variant)
    steps = list(slow_search(values, neighbours, starts, seed, variant))[:budget]
    assert found.evaluated.tolist() == [cell for cell, *_ in steps]
    assert found.entered.tolist() == [cell in archive for cell, archive, *_ in steps]
    for number, (_, _, queue, centre) in enumerate(steps, start=1):
        assert waiting_at(found.stays, number) == queue
        assert expanded_at(found.stays, number) == centre
    if len(found.evaluated) < budget:
        assert waiting_at(found.stays, len(found.evaluated) + 1) == []
    assert found.archive.tolist() == steps[-1][1]
    assert len(set(found.evaluated.tolist())) == len(found.evaluated) <= budget
    assert found.first_batch == min(len(starts), budget)


@settings(max_examples=100, deadline=None)
@given(problems(), st.sampled_from(VARIANTS))
def test_a_smaller_budget_gives_a_prefix_and_its_archive_is_the_prefix_filtered(
    problem: Case, variant: LocalSearchSettings
) -> None:
    values, neighbours, starts, budget, seed = problem
    longest = run(values, neighbours, starts, budget, seed, variant)
    for smaller in range(1, budget):
        separate = run(values, neighbours, starts, smaller, seed, variant)
        prefix = longest.evaluated[:smaller]
        assert separate.evaluated.tolist() == prefix.tolist()
        assert separate.entered.tolist() == longest.entered[:smaller].tolist()
        assert separate.passed_over.tolist() == longest.passed_over[longest.passed_over < smaller].tolist()
        kept = prefix[nondominated(values[prefix], ["minimise"] * values.shape[1])]
        assert separate.archive.tolist() == sorted(kept.tolist())


def test_queue_is_first_in_first_out_and_a_neighbourhood_is_finished() -> None:
    # 0 leads to 1 and 2; 1 dominates 0 while the neighbourhood of 0 is evaluated, 2 is still evaluated
    values = np.array([[5, 5], [1, 4], [4, 1], [0, 3], [3, 0]], dtype=np.float64)
    found = run(values, [[1, 2], [3], [4], [], []], [0], 5)
    first, second = found.evaluated[1:3].tolist()
    assert {first, second} == {1, 2}
    assert found.evaluated[3:].tolist() == [first + 2, second + 2]
    assert found.archive.tolist() == [3, 4]


def test_the_variants_differ_where_they_should() -> None:
    # 0 leads to 1 (better), 2 and 3; 1 leads to 4, 2 to 5
    values = np.array([[5, 5], [4, 4], [1, 9], [9, 1], [3, 3.5], [0, 8]], dtype=np.float64)
    neighbours = [[1, 2, 3], [4], [5], [], [], []]

    def visits(selection: str, acceptance: str) -> list[int]:
        variant = LocalSearchSettings(selection, "given", acceptance)  # type: ignore[arg-type]
        return run(values, neighbours, [0], 10, 0, variant).evaluated.tolist()

    assert visits("oldest", "all") == [0, 1, 2, 3, 4, 5]
    assert visits("newest", "all") == [0, 1, 2, 3, 5, 4]
    assert visits("most_isolated", "all") == [0, 1, 2, 3, 5, 4]
    assert visits("oldest", "first_dominating") == [0, 1, 4]
    turned = [[2, 3, 1], *neighbours[1:]]
    variant = LocalSearchSettings("oldest", "given", "first_nondominated")
    # 2 enters, and 0 waits behind it
    assert run(values, turned, [0], 10, 0, variant).evaluated.tolist() == [0, 2, 5, 3, 1, 4]


def test_dominated_architectures_are_not_expanded() -> None:
    values = np.array([[1, 1], [2, 2], [0, 0]], dtype=np.float64)
    found = run(values, [[1], [2], []], [0], 10)
    assert found.evaluated.tolist() == [0, 1]
    assert found.entered.tolist() == [True, False]


def test_budget_may_end_amid_the_starts_or_a_neighbourhood() -> None:
    values = np.ones((8, 2))
    everyone = [[other for other in range(8) if other != cell] for cell in range(8)]
    amid_starts = run(values, everyone, [3, 1, 5], 2)
    assert (amid_starts.evaluated.tolist(), amid_starts.first_batch) == ([3, 1], 2)
    amid_neighbours = run(values, everyone, [3], 5)
    assert len(amid_neighbours.evaluated) == 5


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: f"{v.selection}-{v.order}-{v.acceptance}")
@pytest.mark.parametrize("objectives", [2, 3])
def test_constant_objectives_keep_everything_reachable(variant: LocalSearchSettings, objectives: int) -> None:
    ring = [[(cell - 1) % 9, (cell + 1) % 9] for cell in range(9)]
    found = run(np.ones((9, objectives)), ring, [4], 100, 0, variant)
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


@pytest.mark.parametrize("acceptance", ["all", "first_dominating", "first_nondominated"])
def test_neighbours_without_value_are_passed_over_and_counted_once(acceptance: str) -> None:
    values = np.array([[1, 1], [np.nan, 0], [1, 1], [0, np.nan]])
    variant = LocalSearchSettings(acceptance=acceptance)  # type: ignore[arg-type]
    found = run(values, [[1, 2, 3], [0], [0, 1], [0]], [0], 10, 0, variant)
    assert found.evaluated.tolist() == [0, 2]
    assert found.passed_over.tolist() == [1, 1]


def test_a_start_that_turns_out_to_have_no_value_is_passed_over() -> None:
    values = np.array([[np.nan, np.nan], [1, 1], [2, 0]])
    search = pareto_local_search(
        graph_of([[2], [0, 2], []]), np.arange(3), 2, np.random.default_rng(0), starts=np.array([0, 1])
    )
    found = drive(search, lambda rows: values[rows], 10, 2)
    assert found.evaluated.tolist() == [1, 2]
    assert found.passed_over.tolist() == [0]


def test_order_depends_on_the_generator_only() -> None:
    values = np.ones((30, 2))
    star = [list(range(1, 30)), *([[0]] * 29)]
    assert run(values, star, [0], 30, 1).evaluated.tolist() == run(values, star, [0], 30, 1).evaluated.tolist()
    assert run(values, star, [0], 30, 1).evaluated.tolist() != run(values, star, [0], 30, 2).evaluated.tolist()


def test_without_starts_nothing_happens() -> None:
    assert len(run(np.ones((2, 2)), [[1], [0]], [], 5).evaluated) == 0


def test_starts_must_be_different() -> None:
    with pytest.raises(ValueError, match="starts must be different"):
        run(np.ones((2, 2)), [[], []], [0, 0], 5)


def test_an_unknown_variant_is_a_clear_error() -> None:
    with pytest.raises(ConfigError, match=r"no acceptance 'best'\. Choose one of: all, first_dominating"):
        LocalSearchSettings(acceptance="best")  # type: ignore[arg-type]


def restarted(
    values: np.ndarray, neighbours: list[list[int]], budget: int, seed: int, variant: LocalSearchSettings = DEFAULT
) -> SearchRun:
    record = QueueRecord()
    search = restarted_local_search(
        graph_of(neighbours),
        known_rows(values),
        values.shape[1],
        np.random.default_rng(seed),
        settings=variant,
        record=record,
    )
    return drive(search, lambda rows: values[rows], budget, values.shape[1], queue=record)


@settings(max_examples=100, deadline=None)
@given(problems())
def test_restarts_are_separate_searches_from_architectures_not_met(problem: Case) -> None:
    values, neighbours, _, budget, seed = problem
    found = restarted(values, neighbours, budget, seed)
    rng = np.random.default_rng(seed)
    expected: list[int] = []
    for start in rng.permutation(known_rows(values)).tolist():
        if start in expected:
            continue
        search = pareto_local_search(
            graph_of(neighbours), known_rows(values), values.shape[1], rng, starts=np.array([start])
        )
        part = drive(search, lambda rows: values[rows], 10**6, values.shape[1])
        expected += [row for row in part.evaluated.tolist() if row not in expected]
    assert found.evaluated.tolist() == expected[:budget]
    assert sorted(expected) == known_rows(values).tolist()


@settings(max_examples=400, deadline=None)
@given(problems(), st.sampled_from(VARIANTS))
def test_every_restart_has_a_queue_of_its_own(problem: Case, variant: LocalSearchSettings) -> None:
    values, neighbours, _, budget, seed = problem
    found = restarted(values, neighbours, budget, seed, variant)
    rng = np.random.default_rng(seed)
    evaluated: list[int] = []
    begun: list[int] = []
    for start in rng.permutation(known_rows(values)).tolist():
        if start in evaluated:
            continue
        begun.append(len(evaluated) + 1)
        for cell, _, queue, centre in slow_search(values, neighbours, [start], rng, variant, tuple(evaluated)):
            if cell in evaluated:
                continue
            evaluated.append(cell)
            if len(evaluated) > budget:
                continue
            assert found.evaluated[len(evaluated) - 1] == cell
            assert waiting_at(found.stays, len(evaluated)) == queue
            if centre is not None:
                assert expanded_at(found.stays, len(evaluated)) == centre
    joined = [
        min(stay.joined for stay in found.stays if stay.search == index)
        for index in range(1 + max(stay.search for stay in found.stays))
    ]
    assert joined == [number for number in begun if number <= budget]


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


@settings(max_examples=150, deadline=None)
@given(problems(), st.sampled_from(VARIANTS), st.booleans())
def test_the_queue_knows_what_turns_out_to_have_no_value(
    problem: Case, variant: LocalSearchSettings, again: bool
) -> None:
    values, neighbours, starts, budget, seed = problem
    record, rng, every = QueueRecord(), np.random.default_rng(seed), np.arange(len(values))
    known: dict[str, Any] = {"settings": variant, "record": record}
    search = (
        restarted_local_search(graph_of(neighbours), every, values.shape[1], rng, **known)
        if again
        else pareto_local_search(graph_of(neighbours), every, values.shape[1], rng, starts=np.array(starts), **known)
    )
    driver = SearchDriver(search, budget, values.shape[1], charge_missing=True, queue=record)
    while len(rows := driver.ask()):
        driver.tell(values[rows])
    found = driver.run()
    entered = found.evaluated[found.entered].tolist()
    assert {stay.row for stay in found.stays} >= set(entered)
    assert not {stay.row for stay in found.stays} & set(np.flatnonzero(np.isnan(values).any(axis=1)).tolist())
    assert all(stay.left is None or stay.joined <= stay.left for stay in found.stays)
    if not again:
        # what waits is in the archive, and what is neither waiting nor expanded is not
        waiting = set(waiting_at(found.stays, len(found.evaluated) + 1))
        assert waiting <= set(found.archive.tolist())
        expanded = {stay.row for stay in found.stays if stay.left_by == "expanded"}
        assert set(found.archive.tolist()) <= waiting | expanded
