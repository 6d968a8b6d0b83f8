"""All seeds of an arm: starts, searches and their tables."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.core.errors import ConfigError, TableError
from terranas.core.logs import progress
from terranas.core.pareto import Direction, nondominated, to_minimise
from terranas.core.randomness import generator
from terranas.search.local_search import pareto_local_search, stop_reason
from terranas.search.schema import EVALUATIONS, FRONTS, RUNS
from terranas.space.neighbours import NeighbourGraph

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """What is searched.

    Attributes:
        dataset: name of the images.
        hashes: architectures of the space, ascending, n.
        objectives: names of the two objectives.
        directions: which way each objective is better.
        values: objectives of every architecture, shape (n, 2); NaN where not known.
        graph: neighbours by row.
    """

    dataset: str
    hashes: Sequence[str]
    objectives: Sequence[str]
    directions: Sequence[Direction]
    values: NDArray[np.float64]
    graph: NeighbourGraph

    @property
    def known(self) -> NDArray[np.int64]:
        """Rows whose objectives are all known, ascending."""
        return np.flatnonzero(np.isfinite(self.values).all(axis=1))


@dataclass(frozen=True)
class SearchTables:
    """Tables of an arm, each of the schema of its name in :mod:`terranas.search.schema`."""

    evaluations: pd.DataFrame
    fronts: pd.DataFrame
    runs: pd.DataFrame


def predicted_candidates(problem: Problem, fronts: pd.DataFrame, seeds: int) -> list[NDArray[np.int64]]:
    """Return, for every seed, the rows of its predicted front that have values, ascending.

    Args:
        problem: what is searched.
        fronts: table of predicted fronts.
        seeds: number of repetitions; the table must have a front for each.

    Raises:
        TableError: the table lacks a seed, or names an architecture that is not in the space.
    """
    rows = pd.Index(problem.hashes).get_indexer(pd.Index(fronts["hash"]))
    if (rows < 0).any():
        raise TableError(
            f"The predicted fronts name the architecture {fronts['hash'].iloc[int(np.argmin(rows))]}, which is not in "
            "the search space. Remove the surrogates folder of this study and run again."
        )
    known = np.zeros(len(problem.hashes), dtype=np.bool_)
    known[problem.known] = True
    of_seed = fronts["seed"].to_numpy()
    candidates = [np.unique(rows[(of_seed == seed) & known[rows]]) for seed in range(seeds)]
    for seed, members in enumerate(candidates):
        if not len(members):
            raise TableError(
                f"The predicted front of seed {seed} holds no architecture with values. Remove the surrogates folder "
                "of this study and run again."
            )
    if not known[rows].all():
        logger.info(
            "%d of %d members of the predicted fronts (all seeds) have no value and are no starts",
            np.count_nonzero(~known[rows]),
            len(rows),
        )
    return candidates


def run_arm(
    problem: Problem,
    arm: str,
    candidates: Sequence[NDArray[np.int64]],
    *,
    starts: int,
    budgets: Sequence[int],
    seed: int,
) -> SearchTables:
    """Search once for every seed and report every budget.

    A search runs once, with the largest budget; smaller budgets are its prefixes (see
    :func:`~terranas.search.local_search.pareto_local_search`).

    Args:
        problem: what is searched.
        arm: how the starts are chosen, part of the random streams' names.
        candidates: for every seed, the rows from which its starts are drawn uniformly without replacement; all are
            used where there are fewer than ``starts``.
        starts: starts wanted.
        budgets: evaluations allowed, ascending.
        seed: the study's seed.

    Raises:
        ConfigError: no architecture has values.
    """
    known = len(problem.known)
    if not known:
        raise ConfigError(
            f"No architecture has values of both {problem.objectives[0]} and {problem.objectives[1]}: there is nothing "
            "to search. Look at the outcomes in the benchmark table."
        )
    minimised = to_minimise(problem.values, problem.directions)
    names = np.asarray(problem.hashes, dtype=object)
    evaluations, fronts, runs = [], [], []
    without_value = 0
    for index, members in enumerate(progress(candidates, len(candidates), f"searches from {arm} starts", logger)):
        chosen = generator(seed, "search.starts", arm, index).permutation(members)[:starts]
        order = generator(seed, "search.order", arm, index)
        run = pareto_local_search(minimised, problem.graph, chosen, budgets[-1], order)
        without_value += run.without_value
        common: dict[str, Any] = {"arm": arm, "dataset": problem.dataset, "seed": index}
        number = np.arange(1, len(run.evaluated) + 1)
        own = {"evaluation": number, "start": number <= run.starts, "entered_archive": run.entered}
        evaluations.append(_with_values(problem, names, run.evaluated, {**common, **own}))
        for budget in budgets:
            prefix = run.evaluated[:budget]
            archive = prefix[nondominated(minimised[prefix], ("minimise", "minimise"))]
            fronts.append(_with_values(problem, names, np.sort(archive), {**common, "budget": budget}))
            reason = stop_reason(len(prefix), budget, known)
            used = {"starts": min(len(chosen), budget), "evaluations": len(prefix), "stopped_by": reason}
            runs.append({**common, "budget": budget, "starts_wanted": starts, **used})
    tables = SearchTables(
        evaluations=EVALUATIONS.validate(pd.concat(evaluations, ignore_index=True)),
        fronts=FRONTS.validate(pd.concat(fronts, ignore_index=True)),
        runs=RUNS.from_rows(runs),
    )
    _log_summary(tables.runs, starts, known, len(names), without_value)
    return tables


def _with_values(
    problem: Problem, names: NDArray[np.object_], rows: NDArray[np.int64], columns: dict[str, Any]
) -> pd.DataFrame:
    table = pd.DataFrame({"hash": names[rows]}).assign(**columns)
    return table.assign(**{name: problem.values[rows, c] for c, name in enumerate(problem.objectives)})


def _log_summary(runs: pd.DataFrame, starts: int, known: int, space: int, without_value: int) -> None:
    largest = runs[runs["budget"] == runs["budget"].max()]
    fewer = largest[largest["starts"] < starts]
    if len(fewer):
        logger.warning(
            "%d of %d seeds had fewer than the %d starts wanted (smallest: %d); they used all there were",
            len(fewer),
            len(largest),
            starts,
            fewer["starts"].min(),
        )
    for budget, group in runs.groupby("budget"):
        reasons = group["stopped_by"].value_counts().sort_index()
        logger.info("budget %d: stopped by %s", budget, ", ".join(f"{name} {n}" for name, n in reasons.items()))
    if without_value:
        logger.info("%d neighbours met (all seeds) have no value and were passed over", without_value)
    if known < space:
        logger.info("%d of %d architectures have no values", space - known, space)
