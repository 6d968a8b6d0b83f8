"""All seeds of an arm."""

import logging

import numpy as np
import pandas as pd
import pytest

from terranas.core.errors import ConfigError, TableError
from terranas.core.pareto import to_minimise
from terranas.core.randomness import generator
from terranas.search.campaign import Problem, SearchTables, predicted_candidates, run_arm
from terranas.search.local_search import pareto_local_search
from terranas.space.neighbours import NeighbourGraph

OBJECTIVES = ["validation_micro_accuracy", "macs"]
DIRECTIONS = ["maximise", "minimise"]
SEEDS = 5
BUDGETS = [3, 8, 20, 60]


def grid_problem(side: int = 7, missing: int = 6) -> Problem:
    """A grid of cells, each with its up to four neighbours and two conflicting objectives."""
    rng = np.random.default_rng(0)
    place = np.arange(side * side)
    row, column = place // side, place % side
    neighbours = [
        np.flatnonzero(np.abs(row - row[cell]) + np.abs(column - column[cell]) == 1).tolist() for cell in place
    ]
    indptr = np.concatenate([[0], np.cumsum([len(own) for own in neighbours])]).astype(np.int64)
    indices = np.array([target for own in neighbours for target in own], dtype=np.int32)
    values = np.column_stack([row + rng.random(len(place)), 1e6 * (1 + row + column)])
    values[rng.choice(len(place), missing, replace=False), 0] = np.nan
    hashes = [f"{cell:032x}" for cell in place]
    return Problem("synthetic", hashes, OBJECTIVES, DIRECTIONS, values, NeighbourGraph(indptr, indices))


def run_random(problem: Problem, budgets: list[int] = BUDGETS, starts: int = 4, seed: int = 1) -> SearchTables:
    return run_arm(problem, "random", [problem.known] * SEEDS, starts=starts, budgets=budgets, seed=seed)


def test_every_budget_equals_a_run_with_that_budget_alone() -> None:
    problem = grid_problem()
    together = run_random(problem)
    for budget in BUDGETS:
        alone = run_random(problem, [budget])
        for name in ("fronts", "runs"):
            table = getattr(together, name)
            expected = table[table["budget"] == budget].reset_index(drop=True)
            pd.testing.assert_frame_equal(getattr(alone, name), expected, check_exact=True)


def test_tables_tell_what_the_search_did() -> None:
    problem = grid_problem()
    tables = run_random(problem)
    position = {name: row for row, name in enumerate(problem.hashes)}
    minimised = to_minimise(problem.values, DIRECTIONS)
    for seed in range(SEEDS):
        starts = generator(1, "search.starts", "random", seed).permutation(problem.known)[:4]
        run = pareto_local_search(
            minimised, problem.graph, starts, BUDGETS[-1], generator(1, "search.order", "random", seed)
        )
        own = tables.evaluations[tables.evaluations["seed"] == seed]
        rows = own["hash"].map(position).to_numpy()
        assert rows.tolist() == run.evaluated.tolist()
        assert own["evaluation"].tolist() == list(range(1, len(rows) + 1))
        assert own["start"].tolist() == [True] * 4 + [False] * (len(rows) - 4)
        assert own["entered_archive"].tolist() == run.entered.tolist()
        np.testing.assert_array_equal(own[OBJECTIVES].to_numpy(), problem.values[rows])
        front = tables.fronts[(tables.fronts["seed"] == seed) & (tables.fronts["budget"] == BUDGETS[-1])]
        assert sorted(front["hash"].map(position)) == run.archive.tolist()
    assert not tables.evaluations[OBJECTIVES].isna().any(axis=None)


def test_seeds_and_arms_have_streams_of_their_own() -> None:
    problem = grid_problem()
    first, again, other = run_random(problem), run_random(problem), run_random(problem, seed=2)
    pd.testing.assert_frame_equal(first.evaluations, again.evaluations, check_exact=True)
    assert not first.evaluations["hash"].equals(other.evaluations["hash"])
    starts = first.evaluations[first.evaluations["start"]].groupby("seed")["hash"].agg(tuple)
    assert starts.nunique() == SEEDS


def test_an_exhausted_space_is_said() -> None:
    problem = grid_problem(side=3, missing=0)
    tables = run_random(problem, budgets=[4, 9, 30], starts=9)
    reasons = tables.runs.set_index(["seed", "budget"])["stopped_by"].unstack()
    assert set(reasons[4]) == {"budget"}
    assert set(reasons[9]) == set(reasons[30]) == {"space_exhausted"}
    assert set(tables.runs.loc[tables.runs["budget"] == 30, "evaluations"]) == {9}


def test_fewer_candidates_than_starts_are_all_used_and_said(caplog: pytest.LogCaptureFixture) -> None:
    problem = grid_problem()
    few = problem.known[:2]
    with caplog.at_level(logging.INFO):
        tables = run_arm(problem, "surrogate", [few] * SEEDS, starts=4, budgets=[1, 10], seed=0)
    assert set(tables.runs["starts_wanted"]) == {4}
    assert tables.runs.set_index(["seed", "budget"])["starts"].unstack().drop_duplicates().to_numpy().tolist() == [
        [1, 2]
    ]
    assert "5 of 5 seeds had fewer than the 4 starts wanted (smallest: 2)" in caplog.text
    assert "6 of 49 architectures have no values" in caplog.text


def test_starts_of_the_surrogate_arm_come_from_the_known_part_of_its_front(caplog: pytest.LogCaptureFixture) -> None:
    problem = grid_problem()
    unknown = int(np.flatnonzero(np.isnan(problem.values).any(axis=1))[0])
    rows = {0: [problem.known[3], unknown], 1: [problem.known[9]]}
    fronts = pd.DataFrame(
        [{"seed": seed, "hash": problem.hashes[row]} for seed, members in rows.items() for row in members]
    )
    with caplog.at_level(logging.INFO):
        candidates = predicted_candidates(problem, fronts, 2)
    assert [members.tolist() for members in candidates] == [[problem.known[3]], [problem.known[9]]]
    assert "1 of 3 members of the predicted fronts" in caplog.text
    with pytest.raises(TableError, match="front of seed 2 holds no architecture with values"):
        predicted_candidates(problem, fronts, 3)


def test_a_front_of_another_space_is_refused() -> None:
    with pytest.raises(TableError, match="name the architecture ffff, which is not in the search space"):
        predicted_candidates(grid_problem(), pd.DataFrame({"seed": [0], "hash": ["ffff"]}), 1)


def test_a_table_without_values_is_a_clear_error() -> None:
    problem = grid_problem()
    problem.values[:, 1] = np.nan
    with pytest.raises(ConfigError, match="No architecture has values of both validation_micro_accuracy and macs"):
        run_random(problem)
