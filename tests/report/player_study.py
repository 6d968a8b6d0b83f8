"""Small searches of every kind on the cells with up to five vertices, as the search player's source."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from terranas.comparison.anytime import anytime_table
from terranas.comparison.figures import Objective
from terranas.comparison.indicators import Reference
from terranas.core.pareto import nondominated
from terranas.report.player import PlayerSource
from terranas.search.arm_starts import StartMaterial
from terranas.search.arms import CHARGED
from terranas.search.campaign import ArmSettings, SearchTables, run_arm
from terranas.search.methods import METHODS
from terranas.search.problem import Problem
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.neighbours import build_neighbours
from terranas.space.searchable import CellSpace
from terranas.space.table import cells_table

SEEDS, STARTS, SAMPLE = 2, 3, 30
BUDGETS = {True: [40], False: [60, 120]}
ARMS = ("sample", "random", "restarts", "random_published", "random_search", "nsga2")
OBJECTIVES = [
    Objective("test_micro_accuracy", "maximise"),
    Objective("macs", "minimise", "MAC"),
    Objective("latency_ms@box", "minimise", "ms"),
]


@cache
def searches(objectives: int) -> tuple[Problem, dict[str, SearchTables]]:
    """Return a problem with made-up accuracies and what every kind of search leaves on it; do not change them."""
    cells = cells_table(5, 9, CIFAR10_NETWORK)
    rng = np.random.default_rng(3)
    macs = cells["macs"].to_numpy(dtype=np.float64)
    accuracy = np.round(0.5 + 0.05 * np.log10(macs / macs.min()) + 0.1 * rng.random(len(cells)), 3)
    values = np.column_stack([accuracy, macs, 5 + 10 * rng.random(len(cells))])
    values[rng.choice(len(cells), 50, replace=False), 0] = np.nan
    guessed = np.where(np.isnan(values), 0.55, values)
    used = OBJECTIVES[:objectives]
    problem = Problem(
        "made-up images",
        CellSpace(cells),
        [objective.name for objective in used],
        [objective.direction for objective in used],
        values[:, :objectives],
        build_neighbours(cells, "edit_symmetric"),
        guessed[:, :objectives],
    )
    measured = np.flatnonzero(np.isfinite(values).all(axis=1))
    samples = [
        pd.DataFrame(
            {"seed": seed, "architecture": problem.names[np.sort(rng.choice(measured, SAMPLE, replace=False))]}
        )
        for seed in range(SEEDS)
    ]
    settings = ArmSettings(SEEDS, STARTS, [1], 5, training_sample=SAMPLE)
    tables = {
        arm: run_arm(
            problem,
            arm,
            replace(settings, budgets=BUDGETS[arm in CHARGED]),
            material=StartMaterial(samples=pd.concat(samples)),
            methods=METHODS,
        )
        for arm in ARMS
    }
    return problem, tables


def player_source(objectives: int = 2, explorer: str = "") -> PlayerSource:
    """Return the searches as the player takes them."""
    problem, tables = searches(objectives)

    def every(name: str) -> pd.DataFrame:
        return pd.concat([getattr(own, name) for own in tables.values()], ignore_index=True)

    reference = Reference.of(problem.used, problem.directions, complete=True)
    evaluations = every("evaluations")
    return PlayerSource(
        benchmark="own",
        objectives=OBJECTIVES[:objectives],
        evaluations=evaluations,
        queue=every("queue"),
        runs=every("runs"),
        anytime=anytime_table(evaluations, reference.box, problem.objectives, SAMPLE),
        reference=reference.facts,
        training_sample=SAMPLE,
        front=problem.used[nondominated(problem.used, problem.directions)],
        explorer=explorer,
    )


def archive_after(evaluations: pd.DataFrame, at: int, objectives: int) -> set[str]:
    """Return the non-dominated architectures among the first evaluations of a search, by definition."""
    axes = OBJECTIVES[:objectives]
    seen = evaluations.sort_values("evaluation").head(at).drop_duplicates("architecture")
    best = nondominated(seen[[axis.name for axis in axes]].to_numpy(), [axis.direction for axis in axes])
    return set(seen.loc[best, "architecture"])


def queue_after(queue: pd.DataFrame, at: int, size: int) -> list[str]:
    """Return what waits after some of a search's evaluations; at its end, what still waited then."""
    now = at if at < size else size + 1
    waits = (queue["joined"] <= now) & (queue["left"].fillna(now + 1) > now)
    return sorted(queue.loc[waits, "architecture"])


def volume_after(anytime: pd.DataFrame, at: int) -> float:
    """Return the hypervolume after some of a search's evaluations."""
    known = anytime[anytime["evaluation"] <= at]
    return float(known["hypervolume"].iloc[-1]) if len(known) else 0.0


def of_search(table: pd.DataFrame, arm: str, seed: int) -> pd.DataFrame:
    """Return the rows of one search."""
    return table[(table["arm"] == arm) & (table["seed"] == seed)]
