"""All seeds of an arm: searches and their tables."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.core.errors import ConfigError
from terranas.core.logs import progress
from terranas.core.pareto import nondominated
from terranas.core.randomness import generator
from terranas.search.arm_starts import StartMaterial, choose_starts
from terranas.search.arms import CHARGED, LOCAL_SEARCH, METHOD_OF, PUBLISHED, QUEUED, RESTARTED
from terranas.search.driver import Search, SearchRun, drive
from terranas.search.local_search import (
    LocalSearchSettings,
    pareto_local_search,
    restarted_local_search,
    stop_reason,
)
from terranas.search.problem import Problem
from terranas.search.published_search import PublishedRun, published_search
from terranas.search.queue_record import QueueRecord, Stay
from terranas.search.schema import EVALUATIONS, FRONTS, QUEUE, RUNS
from terranas.space.neighbours import NeighbourGraph
from terranas.space.searchable import SearchableSpace

logger = logging.getLogger(__name__)

Method = Callable[[SearchableSpace, NeighbourGraph, NDArray[np.int64], int, np.random.Generator], Search]
"""Makes a search that chooses its first architectures itself, from the space, its graph, the rows that have values, the
number of objectives and a random generator."""


@dataclass(frozen=True)
class ArmSettings:
    """How an arm is run.

    Attributes:
        seeds: repetitions.
        starts: starts wanted by the local searches that are given some.
        budgets: evaluations allowed, ascending.
        seed: the study's seed.
        training_sample: architectures the surrogate was trained on, charged to the arms that need it.
        local_search: variant of the local search; the published way has none.
    """

    seeds: int
    starts: int
    budgets: Sequence[int]
    seed: int
    training_sample: int = 0
    local_search: LocalSearchSettings = field(default_factory=LocalSearchSettings)


@dataclass(frozen=True)
class SearchTables:
    """Tables of an arm, each of the schema of its name in :mod:`terranas.search.schema`."""

    evaluations: pd.DataFrame
    fronts: pd.DataFrame
    runs: pd.DataFrame
    queue: pd.DataFrame


def run_arm(
    problem: Problem,
    arm: str,
    settings: ArmSettings,
    *,
    material: StartMaterial | None = None,
    methods: Mapping[str, Method] = MappingProxyType({}),
) -> SearchTables:
    """Search once for every seed and report every budget.

    A search runs once, with the largest budget; smaller budgets are its prefixes, since no search knows its budget.

    Args:
        problem: what is searched.
        arm: one of :data:`~terranas.search.arms.ARMS`; part of the random streams' names.
        settings: repetitions, budgets and the like.
        material: tables that the arm's starts are drawn from.
        methods: searches by name, for the arms whose search is none of the local searches.

    Raises:
        ConfigError: no architecture has values.
        TableError: the tables of starts do not fit to the space or the seeds.
        ValueError: the arm, its search or its table of starts is not known, or the budgets do not ascend.
    """
    if not settings.budgets or any(np.diff(settings.budgets) <= 0):
        raise ValueError(f"budgets must ascend, got {list(settings.budgets)}")
    if not len(problem.available):
        listed = list(problem.objectives)
        both = "both " if len(listed) == 2 else "all of "
        raise ConfigError(
            f"No architecture has values of {both}{', '.join(listed[:-1])} and {listed[-1]}: there is nothing to "
            "search. Look at the outcomes in the benchmark table."
        )
    search = _searches(problem, arm, settings, material or StartMaterial(), methods)
    seeds = progress(range(settings.seeds), settings.seeds, f"searches of the arm {arm}", logger)
    done = [search(index) for index in seeds]
    ends = [[_until(problem, one, budget) for budget in settings.budgets] for one in done]
    tables = SearchTables(
        evaluations=_evaluations(problem, arm, done),
        fronts=_fronts(problem, arm, settings.budgets, ends),
        runs=_runs(problem, arm, settings, done, ends),
        queue=_queue(problem, arm, done),
    )
    _log_summary(tables.runs, problem)
    return tables


@dataclass(frozen=True)
class _Done:
    """A search that ran: with round ends and fronts where it ran in the published way."""

    run: SearchRun
    starts_wanted: int
    starts: int
    published: PublishedRun | None = None


def make_search(
    problem: Problem,
    arm: str,
    settings: ArmSettings,
    index: int,
    *,
    starts: NDArray[np.int64] | None = None,
    methods: Mapping[str, Method] = MappingProxyType({}),
    queue: QueueRecord | None = None,
) -> Search:
    """Return the search of a seed, not started yet; wherever values come from, equal ones lead it the same way.

    Args:
        problem: what is searched; its values are not looked at, only which rows have some.
        arm: an arm that is not run in the published way.
        settings: the study's seed and the variant of the local search.
        index: the repetition.
        starts: different rows, for the local search that is given some.
        methods: searches by name, for the arms whose search is none of the local searches.
        queue: where a local search notes what happens to its queue.

    Raises:
        ValueError: the arm or its search is not known, or it lacks starts.
    """
    method = METHOD_OF.get(arm)
    available, graph, objectives = problem.available, problem.graph, len(problem.objectives)
    order, variant = generator(settings.seed, "search.order", arm, index), settings.local_search
    if method == LOCAL_SEARCH and starts is not None:
        return pareto_local_search(graph, available, objectives, order, starts=starts, settings=variant, record=queue)
    if method == RESTARTED:
        return restarted_local_search(graph, available, objectives, order, settings=variant, record=queue)
    if method is None or method not in methods:
        raise ValueError(f"the search '{method}' of the arm '{arm}' is not among {', '.join(methods) or 'none'}")
    return methods[method](problem.space, graph, available, objectives, order)


def _searches(
    problem: Problem, arm: str, settings: ArmSettings, material: StartMaterial, methods: Mapping[str, Method]
) -> Callable[[int], _Done]:
    """Return what runs the search of a seed with the largest budget."""
    method = METHOD_OF.get(arm)
    if method is None:
        raise ValueError(f"no arm is called '{arm}'; expected one of {', '.join(METHOD_OF)}")
    budget, wanted, minimised = settings.budgets[-1], settings.starts, problem.minimised
    given = method in (LOCAL_SEARCH, PUBLISHED)
    starts = (
        choose_starts(problem, arm, material, seeds=settings.seeds, count=wanted, seed=settings.seed) if given else None
    )

    def run(index: int) -> _Done:
        chosen = None if starts is None else starts[index]
        if method == PUBLISHED and chosen is not None:
            published = published_search(minimised, problem.graph, chosen, budget)
            return _Done(published.record, wanted, len(chosen), published)
        queue = QueueRecord() if method in QUEUED else None
        search = make_search(problem, arm, settings, index, starts=chosen, methods=methods, queue=queue)
        found = drive(search, minimised.__getitem__, budget, len(problem.objectives), queue=queue)
        if chosen is None and method != RESTARTED:
            return _Done(found, 0, 0)
        return _Done(found, 1 if chosen is None else wanted, found.first_batch)

    return run


@dataclass(frozen=True)
class _End:
    """Where a search with some budget ends: evaluations spent, architectures met without value, and the front."""

    spent: int
    without_value: int
    front: NDArray[np.int64]


def _until(problem: Problem, done: _Done, budget: int) -> _End:
    """Return where a search with a budget up to the largest ends."""
    if (published := done.published) is not None:
        last = published.round_of(budget)
        return _End(int(published.round_ends[last]), int(published.without_value[last]), published.fronts[last])
    prefix = done.run.evaluated[:budget]
    front = prefix[nondominated(problem.minimised[prefix], ["minimise"] * len(problem.objectives))]
    return _End(len(prefix), int((done.run.passed_over < budget).sum()), np.sort(front))


def _evaluations(problem: Problem, arm: str, done: Sequence[_Done]) -> pd.DataFrame:
    numbers = [np.arange(1, len(one.run.evaluated) + 1) for one in done]
    starts = [number <= (0 if one.published else one.starts) for one, number in zip(done, numbers, strict=True)]
    columns = {
        "seed": np.repeat(np.arange(len(done)), [len(number) for number in numbers]),
        "evaluation": np.concatenate(numbers),
        "start": np.concatenate(starts),
        "entered_archive": np.concatenate([one.run.entered for one in done]),
        "repeated": np.concatenate([one.run.repeated for one in done]),
    }
    rows = np.concatenate([one.run.evaluated for one in done])
    return EVALUATIONS.validate(_with_values(problem, arm, rows, columns))


def _fronts(problem: Problem, arm: str, budgets: Sequence[int], ends: Sequence[Sequence[_End]]) -> pd.DataFrame:
    sizes = [len(end.front) for of_seed in ends for end in of_seed]
    columns = {
        "seed": np.repeat(np.repeat(np.arange(len(ends)), len(budgets)), sizes),
        "budget": np.repeat(np.tile(np.array(budgets), len(ends)), sizes),
    }
    rows = np.concatenate([end.front for of_seed in ends for end in of_seed])
    return FRONTS.validate(_with_values(problem, arm, rows, columns))


def _queue(problem: Problem, arm: str, done: Sequence[_Done]) -> pd.DataFrame:
    stays = [stay for one in done for stay in one.run.stays]
    if not stays:
        return QUEUE.empty().assign(**dict.fromkeys(problem.objectives, pd.Series([], dtype="float64")))
    columns = {
        "seed": np.repeat(np.arange(len(done)), [len(one.run.stays) for one in done]),
        "stay": np.concatenate([np.arange(1, len(one.run.stays) + 1) for one in done]),
        **stay_columns(stays),
    }
    rows = np.array([stay.row for stay in stays], dtype=np.int64)
    return QUEUE.validate(_with_values(problem, arm, rows, columns))


def stay_columns(stays: Sequence[Stay]) -> dict[str, Any]:
    """Return the columns of :data:`~terranas.search.schema.QUEUE` that say when and how stays ended."""
    return {
        "search": [stay.search for stay in stays],
        "joined": [stay.joined for stay in stays],
        "left": pd.array([stay.left for stay in stays], dtype="Int64"),
        "left_by": [stay.left_by for stay in stays],
    }


def _with_values(problem: Problem, arm: str, rows: NDArray[np.int64], columns: Mapping[str, Any]) -> pd.DataFrame:
    values = {name: problem.used[rows, column] for column, name in enumerate(problem.objectives)}
    common = {"arm": arm, "dataset": problem.dataset, "architecture": problem.names[rows]}
    return pd.DataFrame({**common, "predicted": problem.is_predicted[rows], **columns, **values})


def _runs(
    problem: Problem, arm: str, settings: ArmSettings, done: Sequence[_Done], ends: Sequence[Sequence[_End]]
) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for index, (one, of_seed) in enumerate(zip(done, ends, strict=True)):
        for budget, end in zip(settings.budgets, of_seed, strict=True):
            distinct = one.run.evaluated[: end.spent][~one.run.repeated[: end.spent]]
            rows.append(
                {
                    "arm": arm,
                    "dataset": problem.dataset,
                    "budget": budget,
                    "charged": end.spent + (settings.training_sample if arm in CHARGED else 0),
                    "seed": index,
                    "starts_wanted": one.starts_wanted,
                    "starts": one.starts if one.published else min(one.starts, end.spent),
                    "evaluations": end.spent,
                    "distinct": len(distinct),
                    "predicted": int(problem.is_predicted[distinct].sum()),
                    "without_value": end.without_value,
                    "stopped_by": _stopped_by(problem, one, end.spent, budget),
                }
            )
    return RUNS.from_rows(rows)


def _stopped_by(problem: Problem, done: _Done, spent: int, budget: int) -> str:
    if done.published is not None:
        return "budget" if spent >= budget else "nothing_left_to_expand"
    return stop_reason(spent, budget, len(problem.available))


def _log_summary(runs: pd.DataFrame, problem: Problem) -> None:
    for budget, group in runs.groupby("budget"):
        reasons = group["stopped_by"].value_counts().sort_index()
        logger.info("budget %d: stopped by %s", budget, ", ".join(f"{name} {n}" for name, n in reasons.items()))
    largest = runs[runs["budget"] == runs["budget"].max()]
    if largest["without_value"].any():
        logger.info(
            "%d architectures met (all seeds) have no value and were passed over", largest["without_value"].sum()
        )
    if largest["predicted"].any():
        logger.info(
            "%d of %d architectures evaluated (all seeds) have predicted values, not measured ones",
            largest["predicted"].sum(),
            largest["distinct"].sum(),
        )
    if len(problem.available) < len(problem):
        logger.info("%d of %d architectures have no values", len(problem) - len(problem.available), len(problem))
