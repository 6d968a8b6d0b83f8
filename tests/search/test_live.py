"""Live searches without a workflow: the loop, its journal, and what is refused before anything starts."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terranas.config import load_config
from terranas.core.errors import ConfigError, TableError
from terranas.sampling.selection import architectures_of
from terranas.search import live_study
from terranas.search.arms import CHARGED
from terranas.search.campaign import ArmSettings, run_arm
from terranas.search.driver import SearchDriver, drive
from terranas.search.live import run_live
from terranas.search.live_journal import Evaluation, JournalError, LiveJournal
from terranas.search.live_list import add_chosen, live_list, read_chosen
from terranas.search.live_study import LIVE_ARMS, LiveRequest, require_possible
from terranas.search.local_search import LocalSearchSettings
from terranas.search.methods import METHODS
from terranas.search.problem import Problem
from terranas.search.queue_record import QueueRecord
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.neighbours import build_neighbours
from terranas.space.searchable import CellSpace
from terranas.space.table import cells_table

OBJECTIVES = ["validation_micro_accuracy", "macs"]
DIRECTIONS = ["maximise", "minimise"]
SETTINGS = {"seed": 3, "training": {"epochs": 2, "learning_rate": 0.1}}
BUDGET = 40


class Stopped(Exception):
    """Stands for whatever ends a live search."""


@pytest.fixture(scope="module")
def cells():
    return cells_table(4, 9, CIFAR10_NETWORK)


@pytest.fixture(scope="module")
def space(cells):
    return CellSpace(cells)


@pytest.fixture(scope="module")
def graph(cells):
    return build_neighbours(cells, "edit_symmetric")


@pytest.fixture(scope="module")
def problem(cells, space, graph):
    accuracies = np.random.default_rng(5).random(len(cells))
    values = np.column_stack([accuracies, cells["macs"].to_numpy(dtype=np.float64)])
    return Problem("made up", space, OBJECTIVES, DIRECTIONS, values, graph)


class Trainings:
    """Trains by looking up; ends the search before a given call, and fails some architectures."""

    def __init__(self, problem, stop_before=None, failing=()):
        self.values = dict(zip(problem.space.names, problem.values, strict=True))
        self.stop_before, self.failing = stop_before, failing
        self.rounds = []

    @property
    def trained(self):
        return [name for names in self.rounds for name in names]

    def __call__(self, names):
        if len(self.rounds) == self.stop_before:
            raise Stopped
        self.rounds.append(list(names))
        values = np.array([self.values[name] for name in names])
        failed = np.array([name in self.failing for name in names])
        values[failed, 0] = np.nan
        return ["diverged" if bad else "ok" for bad in failed], values


def search_of(problem, arm, seed=2, starts=4, queue=None, **variant):
    """Return the search as the command makes it."""
    config = load_config({"seed": 7, "search": {"starts": starts, "local_search": variant}})
    everything_possible = Problem(
        problem.dataset, problem.space, OBJECTIVES, DIRECTIONS, np.zeros_like(problem.values), problem.graph
    )
    return live_study._search(config, LiveRequest(arm, seed, BUDGET, 1000), everything_possible, queue)[0]


def go(problem, arm, path, trainings, *, budget=BUDGET, batch=1000, settings=SETTINGS, watch=id):
    journal = LiveJournal.open(path, settings, OBJECTIVES)
    search, names = search_of(problem, arm), problem.space.names
    return run_live(search, names, DIRECTIONS, journal, trainings, budget=budget, batch=batch, watch=watch), journal


def assert_same_run(one, other):
    for name, value in vars(one).items():
        np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)


@pytest.mark.parametrize("arm", LIVE_ARMS)
def test_a_live_search_makes_the_choices_of_a_search_on_the_table(problem, arm, tmp_path):
    settings = ArmSettings(seeds=3, starts=4, budgets=[BUDGET], seed=7)
    table = run_arm(problem, arm, settings, methods=METHODS).evaluations
    expected = table[table["seed"] == 2]["architecture"].tolist()
    trainings = Trainings(problem)
    run, journal = go(problem, arm, tmp_path / "journal.jsonl", trainings)
    assert [problem.space.names[row] for row in run.evaluated] == expected
    assert [evaluation.architecture for evaluation in journal.evaluations] == expected
    assert trainings.trained == expected


@pytest.mark.parametrize("arm", ["random", "restarts"])
def test_the_variant_of_the_local_search_is_the_one_of_the_study(problem, arm):
    variant = {"selection": "newest", "order": "given", "acceptance": "first_nondominated"}
    found = {}
    for name, chosen in (("default", {}), ("variant", variant)):
        settings = ArmSettings(3, 4, [BUDGET], 7, local_search=LocalSearchSettings(**chosen))
        table = run_arm(problem, arm, settings, methods=METHODS).evaluations
        found[name] = table[table["seed"] == 2]["architecture"].tolist()
        run = drive(search_of(problem, arm, **chosen), problem.minimised.__getitem__, BUDGET, 2)
        assert [problem.space.names[row] for row in run.evaluated] == found[name]
    assert found["default"] != found["variant"]


def test_a_journal_of_another_variant_is_another_search():
    request, there = LiveRequest("random", 0, BUDGET, 10), []
    for variant in ({}, {"order": "given"}):
        config = load_config({"search": {"local_search": variant}})
        there.append(live_study._settings(config, request, {}))
    assert there[0] != there[1]


@pytest.mark.parametrize("arm", ["random", "restarts", "nsga2", "regularised_evolution_ranked"])
def test_stopped_before_any_round_it_comes_to_the_same_end(problem, arm, tmp_path):
    whole, journal = go(problem, arm, tmp_path / "whole.jsonl", Trainings(problem), batch=7)
    for stop in range(journal.rounds):
        path = tmp_path / f"{stop}.jsonl"
        with pytest.raises(Stopped):
            go(problem, arm, path, Trainings(problem, stop_before=stop), batch=7)
        rest = Trainings(problem)
        run, again = go(problem, arm, path, rest, batch=7)
        assert_same_run(run, whole)
        assert path.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
        trained = rest.trained
        assert trained == [evaluation.architecture for evaluation in again.evaluations][-len(trained) :]
        assert len(rest.rounds) == journal.rounds - stop, "what the journal holds is not trained again"


def test_smaller_rounds_change_the_rounds_alone(problem, tmp_path):
    runs = {}
    for batch in (1, 3, 1000):
        trainings = Trainings(problem)
        runs[batch] = go(problem, "random", tmp_path / f"{batch}.jsonl", trainings, batch=batch)[0]
        assert max(map(len, trainings.rounds)) <= batch
    assert_same_run(runs[1], runs[1000])
    assert_same_run(runs[3], runs[1000])


def test_a_larger_budget_goes_on_and_a_smaller_one_looks_back(problem, tmp_path):
    path = tmp_path / "journal.jsonl"
    small, _ = go(problem, "random", path, Trainings(problem), budget=13)
    assert len(small.evaluated) == 13
    trainings = Trainings(problem)
    large, _ = go(problem, "random", path, trainings, budget=30)
    assert sum(map(len, trainings.rounds)) == 17
    alone, _ = go(problem, "random", tmp_path / "alone.jsonl", Trainings(problem), budget=30)
    assert_same_run(large, alone)
    before = path.read_bytes()
    again, _ = go(problem, "random", path, Trainings(problem, stop_before=0), budget=13)
    assert_same_run(again, small)
    assert path.read_bytes() == before


def test_a_failed_training_has_no_value_and_is_paid_for(problem, tmp_path):
    failing = set(problem.space.names[::3])
    trainings, seen = Trainings(problem, failing=failing), []
    run, journal = go(problem, "random", tmp_path / "journal.jsonl", trainings, watch=seen.append)
    trained = trainings.trained
    assert len(trained) == len(set(trained)) == BUDGET
    failed = [name for name in trained if name in failing]
    assert failed
    assert len(run.passed_over) == len(failed)
    assert len(run.evaluated) == BUDGET - len(failed)
    assert not {problem.space.names[row] for row in run.archive} & failing
    noted = {evaluation.architecture: evaluation for evaluation in journal.evaluations}
    assert {name for name in noted if noted[name].outcome == "diverged"} == set(failed)
    assert all(math.isnan(noted[name].values[0]) and noted[name].values[1] > 0 for name in failed)
    assert len(seen) == len(trainings.rounds)
    # and the journal replays it
    again, _ = go(problem, "random", tmp_path / "journal.jsonl", Trainings(problem, stop_before=0), watch=seen.append)
    assert_same_run(again, run)
    assert len(seen) == len(trainings.rounds), "a replay learns nothing new"


def test_an_infinite_loss_is_no_value(problem, tmp_path):
    def train(names):
        return ["ok"] * len(names), np.array([[math.inf, 1.0], *[[0.5, 2.0]] * (len(names) - 1)])

    run, _ = go(problem, "random", tmp_path / "journal.jsonl", train, budget=6)
    assert len(run.passed_over) > 0
    again, _ = go(problem, "random", tmp_path / "journal.jsonl", Trainings(problem, stop_before=0), budget=6)
    assert_same_run(again, run)


def test_everything_fails(problem, tmp_path):
    trainings = Trainings(problem, failing=problem.space.names)
    run, journal = go(problem, "random_search", tmp_path / "journal.jsonl", trainings, budget=9)
    assert (len(run.evaluated), len(run.archive), len(run.passed_over)) == (0, 0, 9)
    tables = live_study._tables(problem, LiveRequest("random_search", 0, 9, 10), run, journal, 0)
    assert (len(tables.evaluations), len(tables.fronts)) == (0, 0)
    assert tables.runs[["charged", "evaluations", "without_value"]].iloc[0].tolist() == [9, 0, 9]
    assert tables.runs["stopped_by"].iloc[0] == "budget"


def test_a_table_that_lacks_values_is_searched_without_paying_for_them(problem):
    """The driver's two ways of counting what has no value."""
    for charge, spent in ((False, 12), (True, 6)):
        driver = SearchDriver(search_of(problem, "random_search"), 12, 2, charge_missing=charge)
        with_value = 0
        while len(rows := driver.ask()):
            values = problem.minimised[rows].copy()
            places = with_value + len(driver.run().passed_over) + np.arange(len(rows))
            values[places % 2 == 0] = np.nan
            with_value += np.count_nonzero(np.isfinite(values[:, 0]))
            driver.tell(values)
        assert len(driver.run().evaluated) == spent


def test_tables_say_what_a_search_on_the_table_says(problem, tmp_path):
    settings = ArmSettings(seeds=3, starts=4, budgets=[BUDGET], seed=7)
    expected = run_arm(problem, "random", settings, methods=METHODS)
    journal, queue = LiveJournal.open(tmp_path / "journal.jsonl", SETTINGS, OBJECTIVES), QueueRecord()
    run = run_live(
        search_of(problem, "random", queue=queue),
        problem.space.names,
        DIRECTIONS,
        journal,
        Trainings(problem),
        budget=BUDGET,
        batch=10,
        watch=lambda _: None,
        queue=queue,
    )
    tables = live_study._tables(problem, LiveRequest("random", 2, BUDGET, 1000), run, journal, 4)
    for name in ("evaluations", "fronts", "runs", "queue"):
        table = getattr(expected, name)
        of_seed = table[table["seed"] == 2].reset_index(drop=True)
        pd.testing.assert_frame_equal(getattr(tables, name), of_seed, check_exact=True, check_like=True)


# --- the journal ------------------------------------------------------------------------------------------------------

VALUES = st.floats(allow_infinity=False) | st.just(math.nan)


@given(st.lists(st.tuples(VALUES, VALUES), max_size=6))
def test_values_come_back_bit_for_bit(tmp_path_factory, points):
    path = tmp_path_factory.mktemp("journal") / "deep" / "journal.jsonl"
    journal = LiveJournal.open(path, SETTINGS, OBJECTIVES)
    for number, point in enumerate(points, start=1):
        journal.add([Evaluation(number, f"{number:032x}", "ok", point)])
    again = LiveJournal.open(path, SETTINGS, OBJECTIVES)
    assert again.rounds == len(points)
    assert [evaluation.architecture for evaluation in again.evaluations] == [
        f"{n + 1:032x}" for n in range(len(points))
    ]
    for evaluation, point in zip(again.evaluations, points, strict=True):
        np.testing.assert_array_equal(evaluation.values, point)


@pytest.fixture
def written(tmp_path):
    journal = LiveJournal.open(tmp_path / "journal.jsonl", SETTINGS, OBJECTIVES)
    journal.add([Evaluation(1, "a" * 32, "ok", (0.5, 10.0)), Evaluation(1, "b" * 32, "diverged", (math.nan, 20.0))])
    return journal.path


@pytest.mark.parametrize(
    ("settings", "objectives", "said"),
    [
        ({**SETTINGS, "seed": 4}, OBJECTIVES, "seed was 3 and is 4"),
        ({**SETTINGS, "training": {"epochs": 3, "learning_rate": 0.1}}, OBJECTIVES, "training.epochs was 2 and is 3"),
        ({"seed": 3}, OBJECTIVES, "training.epochs was 2 and is None; training.learning_rate was 0.1 and is None"),
        (SETTINGS, ["macs", OBJECTIVES[0]], "objectives was .* and is "),
    ],
)
def test_a_journal_of_another_search_is_refused(written, settings, objectives, said):
    with pytest.raises(JournalError, match=said):
        LiveJournal.open(written, settings, objectives)


def test_many_differences_are_counted(written):
    settings = {**SETTINGS, **{f"name{number}": number for number in range(9)}}
    with pytest.raises(JournalError, match="and 4 more"):
        LiveJournal.open(written, settings, OBJECTIVES)


def test_the_order_of_settings_does_not_matter(written):
    turned = {"training": {"learning_rate": 0.1, "epochs": 2}, "seed": 3}
    assert LiveJournal.open(written, turned, OBJECTIVES).rounds == 1


def other_line(number, change):
    def damage(lines):
        row = json.loads(lines[number])
        change(row)
        lines[number] = json.dumps(row)
        return lines

    return damage


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda _: [], "does not begin like the journal"),
        (lambda lines: lines[1:], "does not begin like the journal"),
        (lambda lines: [*lines[:2], lines[2][:-5]], "line 3, is no JSON"),
        (lambda lines: [*lines, "7"], "line 4, is no JSON object"),
        (lambda lines: [*lines, lines[1]], "an architecture twice"),
        (other_line(0, lambda row: row.update(version=9)), "journal of version 9"),
        (other_line(1, lambda row: row.pop("outcome")), "line 2, is no evaluation of validation_micro_accuracy, macs"),
        (other_line(1, lambda row: row["values"].pop("macs")), "line 2, is no evaluation"),
        (other_line(2, lambda row: row["values"].update(macs="many")), "line 3, is no evaluation"),
        (other_line(2, lambda row: row["values"].update(macs=math.inf)), "line 3, is no evaluation"),
        (other_line(1, lambda row: row.update(round=0)), "line 2, is no evaluation"),
    ],
)
def test_a_damaged_journal_is_refused(written, damage, said):
    written.write_text("".join(f"{line}\n" for line in damage(written.read_text().splitlines())))
    with pytest.raises(JournalError, match=said) as refused:
        LiveJournal.open(written, SETTINGS, OBJECTIVES)
    assert "Remove the file and search again" in str(refused.value)


def test_bytes_are_no_journal(written):
    written.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(JournalError, match="cannot be read"):
        LiveJournal.open(written, SETTINGS, OBJECTIVES)


def test_a_journal_in_another_order_is_refused(problem, tmp_path):
    path = tmp_path / "journal.jsonl"
    go(problem, "random", path, Trainings(problem), budget=10)
    lines = path.read_text().splitlines()
    lines[1], lines[2] = lines[2], lines[1]
    path.write_text("\n".join(lines))
    with pytest.raises(JournalError, match="where the search asks for"):
        go(problem, "random", path, Trainings(problem), budget=10)


# --- the list of what was chosen --------------------------------------------------------------------------------------


def test_what_was_chosen_stays_chosen(cells, tmp_path):
    space = {"max_vertices": 4, "max_edges": 9}
    assert read_chosen(tmp_path, space) == {}
    first, second = architectures_of(cells.iloc[[5, 2]]), architectures_of(cells.iloc[[2, 9]])
    add_chosen(tmp_path, space, first)
    add_chosen(tmp_path, space, second)
    chosen = read_chosen(tmp_path, space)
    assert sorted(chosen) == sorted(cells["hash"].iloc[[2, 5, 9]])
    assert all(chosen[one.hash] == one for one in [*first, *second])
    written = live_list(tmp_path).stat().st_mtime_ns
    add_chosen(tmp_path, space, second)
    assert live_list(tmp_path).stat().st_mtime_ns == written, "nothing new, nothing written"


def test_what_was_chosen_in_another_space_is_forgotten(cells, tmp_path):
    add_chosen(tmp_path, {"max_vertices": 4, "max_edges": 9}, architectures_of(cells.iloc[:3]))
    other = {"max_vertices": 5, "max_edges": 9}
    assert read_chosen(tmp_path, other) == {}
    add_chosen(tmp_path, other, architectures_of(cells.iloc[3:4]))
    assert list(read_chosen(tmp_path, other)) == [cells["hash"].iloc[3]]


def test_a_damaged_list_is_refused(cells, tmp_path):
    space = {"max_vertices": 4, "max_edges": 9}
    add_chosen(tmp_path, space, architectures_of(cells.iloc[:2]))
    live_list(tmp_path).write_text(live_list(tmp_path).read_text().replace("input", "rm -rf"))
    with pytest.raises(TableError, match="is no architecture"):
        read_chosen(tmp_path, space)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arm", [*sorted(CHARGED), "random_published"])
def test_arms_that_need_tables_are_refused(arm):
    with pytest.raises(ConfigError, match=f"The arm '{arm}' starts from tables"):
        require_possible(load_config({}), LiveRequest(arm, 0, 10, 10))


def test_an_unknown_arm_is_refused():
    with pytest.raises(
        ConfigError, match=r"The arm 'annealing' is not known\. A live search runs one of random, latin"
    ):
        require_possible(load_config({}), LiveRequest("annealing", 0, 10, 10))


@pytest.mark.parametrize("objective", ["latency_ms", "inference_energy_mj", "activations"])
def test_objectives_that_need_a_device_are_refused(objective):
    config = load_config({"search": {"objectives": ["test_micro_accuracy", objective]}})
    with pytest.raises(ConfigError, match=f"no values of {objective}. Set search.objectives"):
        require_possible(config, LiveRequest("random", 0, 10, 10))


def test_packs_are_refused():
    with pytest.raises(ConfigError, match=r"campaign\.pack is 4"):
        require_possible(load_config({"campaign": {"pack": 4}}), LiveRequest("random", 0, 10, 10))


def test_the_default_study_can_be_searched_live():
    for arm in LIVE_ARMS:
        require_possible(load_config({}), LiveRequest(arm, 0, 10, 10))
