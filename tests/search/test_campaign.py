"""All seeds of an arm."""

import logging
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from terranas.core.errors import ConfigError
from terranas.core.pareto import nondominated
from terranas.core.randomness import generator
from terranas.search.arm_starts import StartMaterial, choose_starts
from terranas.search.arms import ARM_NAMES, ARMS, CHARGED, LOCAL_SEARCH, METHOD_OF, PUBLISHED, RESTARTED
from terranas.search.campaign import ArmSettings, SearchTables, run_arm
from terranas.search.driver import Search, drive
from terranas.search.local_search import LocalSearchSettings, pareto_local_search
from terranas.search.problem import Problem
from terranas.search.published_search import published_search
from terranas.space.neighbours import NeighbourGraph
from terranas.space.searchable import SearchableSpace

OBJECTIVES = ["validation_micro_accuracy", "macs"]
DIRECTIONS = ["maximise", "minimise"]
SEEDS = 5
BUDGETS = [3, 8, 20, 60]
SETTINGS = ArmSettings(SEEDS, 4, BUDGETS, 1, training_sample=10)
OWN_ARMS = [arm for arm in ARMS if METHOD_OF[arm] in (LOCAL_SEARCH, RESTARTED, PUBLISHED)]


@dataclass
class Grid:
    """Of a square of architectures what a campaign asks for."""

    side: int
    key: str = "architecture"

    @property
    def names(self) -> list[str]:
        return [f"{cell:032x}" for cell in range(self.side**2)]

    def outline(self) -> np.ndarray:
        return np.array(np.divmod(np.arange(self.side**2), self.side), dtype=np.float64).T


def grid_problem(side: int = 7, missing: int = 6, objectives: int = 2, predicted: bool = False) -> Problem:
    """A grid of architectures, each with its up to four neighbours and conflicting objectives."""
    rng = np.random.default_rng(0)
    place = np.arange(side * side)
    row, column = place // side, place % side
    neighbours = [
        np.flatnonzero(np.abs(row - row[cell]) + np.abs(column - column[cell]) == 1).tolist() for cell in place
    ]
    indptr = np.concatenate([[0], np.cumsum([len(own) for own in neighbours])]).astype(np.int64)
    indices = np.array([target for own in neighbours for target in own], dtype=np.int32)
    values = np.column_stack([row + rng.random(len(place)), 1e6 * (1 + row + column), -column + rng.random(len(place))])
    guessed = values + 0.5
    values[rng.choice(len(place), missing, replace=False), 0] = np.nan
    return Problem(
        "synthetic",
        Grid(side),  # type: ignore[arg-type]
        [*OBJECTIVES, "latency"][:objectives],
        ["maximise", "minimise", "maximise"][:objectives],  # type: ignore[arg-type]
        values[:, :objectives],
        NeighbourGraph(indptr, indices),
        guessed[:, :objectives] if predicted else None,
    )


def material(problem: Problem) -> StartMaterial:
    """Fronts and samples of every seed."""
    measured = np.flatnonzero(np.isfinite(problem.values).all(axis=1))
    on_front = np.flatnonzero(nondominated(np.nan_to_num(problem.values), problem.directions))[:9]
    front = pd.DataFrame({"architecture": problem.names[on_front], "scope": "space"})
    front[list(problem.objectives)] = np.nan_to_num(problem.values[on_front])
    samples = [
        pd.DataFrame({"seed": seed, "architecture": problem.names[np.sort(rng.choice(measured, 10, replace=False))]})
        for seed, rng in enumerate(map(np.random.default_rng, range(SEEDS)))
    ]
    return StartMaterial(pd.concat([front.assign(seed=seed) for seed in range(SEEDS)]), pd.concat(samples))


def run(problem: Problem, arm: str = "random", settings: ArmSettings = SETTINGS) -> SearchTables:
    return run_arm(problem, arm, settings, material=material(problem))


def rows_of(problem: Problem, table: pd.DataFrame) -> np.ndarray:
    return pd.Index(problem.names).get_indexer(pd.Index(table["architecture"].astype(object)))


@pytest.mark.parametrize("arm", OWN_ARMS)
@pytest.mark.parametrize("predicted", [False, True])
def test_every_budget_equals_a_run_with_that_budget_alone(arm: str, predicted: bool) -> None:
    problem = grid_problem(predicted=predicted)
    together = run(problem, arm)
    for budget in BUDGETS:
        alone = run(problem, arm, replace(SETTINGS, budgets=[budget]))
        for name in ("fronts", "runs"):
            table = getattr(together, name)
            expected = table[table["budget"] == budget].reset_index(drop=True)
            pd.testing.assert_frame_equal(getattr(alone, name), expected, check_exact=True)


@pytest.mark.parametrize("arm", OWN_ARMS)
@pytest.mark.parametrize("objectives", [2, 3])
def test_fronts_and_runs_follow_from_the_evaluations(arm: str, objectives: int) -> None:
    problem = grid_problem(objectives=objectives, predicted=True)
    tables = run(problem, arm)
    names = list(problem.objectives)
    np.testing.assert_array_equal(
        tables.evaluations[names], problem.used[rows_of(problem, tables.evaluations)], strict=False
    )
    np.testing.assert_array_equal(
        tables.evaluations["predicted"], problem.is_predicted[rows_of(problem, tables.evaluations)]
    )
    assert tables.evaluations["predicted"].any()
    for row in tables.runs.itertuples():
        own = tables.evaluations[tables.evaluations["seed"] == row.seed].head(row.evaluations)
        assert len(own) == row.evaluations
        distinct = own.drop_duplicates("architecture")
        assert (row.distinct, row.predicted) == (len(distinct), distinct["predicted"].sum())
        assert row.without_value == 0
        assert row.charged == row.evaluations + (10 if arm in CHARGED else 0)
        if METHOD_OF[arm] == PUBLISHED:
            assert not own["start"].any()
            assert own["repeated"].tolist() == own["architecture"].duplicated().tolist()
            continue
        assert row.evaluations <= row.budget
        assert own["start"].sum() == min(row.starts, row.evaluations)
        front = tables.fronts[(tables.fronts["budget"] == row.budget) & (tables.fronts["seed"] == row.seed)]
        best = own[nondominated(own[names].to_numpy(), problem.directions)]
        assert front["architecture"].tolist() == sorted(best["architecture"])
        assert set(front["architecture"]) <= set(own.loc[own["entered_archive"], "architecture"])


def test_a_local_search_arm_runs_the_search_of_its_streams() -> None:
    problem = grid_problem()
    variant = LocalSearchSettings("newest", "given", "all")
    for arm in ("random", "latin"):
        tables = run(problem, arm, replace(SETTINGS, local_search=variant))
        starts = choose_starts(problem, arm, StartMaterial(), seeds=SEEDS, count=4, seed=1)
        for seed in range(SEEDS):
            rng = generator(1, "search.order", arm, seed)
            search = pareto_local_search(
                problem.graph, problem.available, 2, rng, starts=starts[seed], settings=variant
            )
            found = drive(search, lambda rows: problem.minimised[rows], BUDGETS[-1], 2)
            own = tables.evaluations[tables.evaluations["seed"] == seed]
            assert rows_of(problem, own).tolist() == found.evaluated.tolist()
            assert own["evaluation"].tolist() == list(range(1, len(own) + 1))
            assert own["start"].tolist() == [True] * 4 + [False] * (len(own) - 4)
            assert own["entered_archive"].tolist() == found.entered.tolist()
            last = tables.runs[(tables.runs["seed"] == seed) & (tables.runs["budget"] == BUDGETS[-1])]
            assert last["without_value"].tolist() == [len(found.passed_over)]


def test_the_published_arm_reports_round_ends() -> None:
    problem = grid_problem()
    tables = run(problem, "random_published")
    starts = choose_starts(problem, "random", StartMaterial(), seeds=SEEDS, count=4, seed=1)
    for seed in range(SEEDS):
        found = published_search(problem.minimised, problem.graph, starts[seed], BUDGETS[-1])
        own = tables.runs[tables.runs["seed"] == seed]
        assert own["evaluations"].tolist() == [found.round_ends[found.round_of(budget)] for budget in BUDGETS]
        assert set(own["starts"]) == {4}
        front = tables.fronts[(tables.fronts["seed"] == seed) & (tables.fronts["budget"] == BUDGETS[-1])]
        assert rows_of(problem, front).tolist() == found.record.archive.tolist()
    assert (tables.runs["evaluations"] > tables.runs["budget"]).any()
    assert (tables.runs["distinct"] < tables.runs["evaluations"]).any()


@pytest.mark.parametrize("arm", OWN_ARMS)
def test_the_queue_is_that_of_the_searches(arm: str) -> None:
    problem = grid_problem(predicted=True)
    tables = run(problem, arm)
    queue, names = tables.queue, list(problem.objectives)
    np.testing.assert_array_equal(queue[names], problem.used[rows_of(problem, queue)], strict=False)
    np.testing.assert_array_equal(queue["predicted"], problem.is_predicted[rows_of(problem, queue)])
    for seed, own in tables.evaluations.groupby("seed"):
        stays = queue[queue["seed"] == seed]
        assert stays["stay"].tolist() == list(range(1, len(stays) + 1))
        assert (stays["left"].fillna(10**9) >= stays["joined"]).all()
        assert (stays["left"].isna() == (stays["left_by"] == "waiting")).all()
        if METHOD_OF[arm] != LOCAL_SEARCH:
            continue
        # what enters the archive waits from there on
        joined = stays.sort_values("joined")["architecture"].tolist()
        assert joined == own.loc[own["entered_archive"], "architecture"].tolist()
        ended = tables.runs.query("seed == @seed and budget == @BUDGETS[-1]")["stopped_by"].item()
        if ended != "budget":
            assert not stays["left"].isna().any()


def test_seeds_and_studies_have_streams_of_their_own() -> None:
    problem = grid_problem()
    first, again, other = run(problem), run(problem), run(problem, settings=replace(SETTINGS, seed=2))
    pd.testing.assert_frame_equal(first.evaluations, again.evaluations, check_exact=True)
    assert not first.evaluations["architecture"].equals(other.evaluations["architecture"])
    starts = first.evaluations[first.evaluations["start"]].groupby("seed")["architecture"].agg(tuple)
    assert starts.nunique() == SEEDS


def test_an_exhausted_space_is_said() -> None:
    problem = grid_problem(side=3, missing=0)
    tables = run_arm(problem, "random", replace(SETTINGS, budgets=[4, 9, 30], starts=9))
    reasons = tables.runs.set_index(["seed", "budget"])["stopped_by"].unstack()
    assert set(reasons[4]) == {"budget"}
    assert set(reasons[9]) == set(reasons[30]) == {"space_exhausted"}
    assert set(tables.runs.loc[tables.runs["budget"] == 30, "evaluations"]) == {9}


def test_a_budget_smaller_than_the_starts_cuts_them() -> None:
    tables = run(grid_problem(), settings=replace(SETTINGS, budgets=[1, 10]))
    starts = tables.runs.set_index(["seed", "budget"])["starts"].unstack().drop_duplicates()
    assert starts.to_numpy().tolist() == [[1, 4]]


def test_what_has_no_or_a_predicted_value_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        run(grid_problem())
    assert "6 of 49 architectures have no values" in caplog.text
    assert "architectures met (all seeds) have no value and were passed over" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.INFO):
        run(grid_problem(predicted=True))
    assert "evaluated (all seeds) have predicted values, not measured ones" in caplog.text
    assert "no value" not in caplog.text


def test_other_searches_are_given_by_name() -> None:
    def at_random(
        space: SearchableSpace, graph: NeighbourGraph, available: np.ndarray, objectives: int, rng: np.random.Generator
    ) -> Search:
        assert (len(space.names), len(graph), objectives) == (49, 49, 2)
        for row in rng.permutation(available).tolist():
            yield np.array([row])

    problem = grid_problem()
    tables = run_arm(problem, "random_search", SETTINGS, methods={"random_search": at_random})
    for seed in range(SEEDS):
        order = generator(1, "search.order", "random_search", seed).permutation(problem.available)
        own = tables.evaluations[tables.evaluations["seed"] == seed]
        assert rows_of(problem, own).tolist() == order.tolist()
    assert not tables.evaluations["start"].any()
    assert tables.queue.empty
    assert tables.queue.columns[-2:].tolist() == OBJECTIVES
    assert set(tables.runs["starts_wanted"]) == set(tables.runs["starts"]) == {0}
    with pytest.raises(ValueError, match="the search 'nsga2' of the arm 'nsga2' is not among random_search"):
        run_arm(problem, "nsga2", SETTINGS, methods={"random_search": at_random})


def test_the_words_of_the_arms_belong_together() -> None:
    assert set(METHOD_OF) == set(ARM_NAMES) == set(ARMS)
    assert set(ARMS) > CHARGED
    assert len(set(ARM_NAMES.values())) == len(ARMS)


@pytest.mark.parametrize("objectives", [2, 3])
def test_a_table_without_values_is_a_clear_error(objectives: int) -> None:
    problem = grid_problem(objectives=objectives)
    problem.values[:, 1] = np.nan
    named = {2: "both validation_micro_accuracy and macs", 3: "all of validation_micro_accuracy, macs and latency"}
    with pytest.raises(ConfigError, match=f"No architecture has values of {named[objectives]}"):
        run_arm(problem, "random", SETTINGS)


def test_unknown_arms_and_unordered_budgets_are_refused() -> None:
    with pytest.raises(ValueError, match="no arm is called 'best'; expected one of surrogate, "):
        run(grid_problem(), "best")
    with pytest.raises(ValueError, match=r"budgets must ascend, got \[5, 5\]"):
        run(grid_problem(), settings=replace(SETTINGS, budgets=[5, 5]))
