"""The search player: evaluations of each search as shards, and what its page has to know about them.

What a search had in its archive at every moment is computed here, exactly; the page only looks it up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.tabular import TabularBenchmark
from terranas.comparison.figures import Objective, arms_of
from terranas.comparison.indicators import charge
from terranas.comparison.schema import ANYTIME
from terranas.comparison.study import objectives_of
from terranas.core.figures import ARM_LOOKS
from terranas.core.pareto import nondominated, to_minimise
from terranas.core.tables import read_attributes, read_table
from terranas.report.player_shards import search_shard
from terranas.report.shards import write_shard
from terranas.search.archive import pareto_archive
from terranas.search.arms import ARM_NAMES, METHOD_OF, PUBLISHED, QUEUED, RESTARTED
from terranas.search.schema import EVALUATIONS, QUEUE, RUNS
from terranas.surrogates.labels import spans_decades


@dataclass(frozen=True)
class PlayerSource:
    """Searches of a tabular benchmark.

    Attributes:
        benchmark: key of the benchmark in the study.
        objectives: what was optimised, m.
        evaluations: schema ``search.evaluations``, all arms.
        queue: schema ``search.queue``, all arms.
        runs: schema ``search.runs``, all arms.
        anytime: schema ``comparison.anytime``.
        reference: what fronts are compared with, as stored with that table
            (:attr:`terranas.comparison.indicators.Reference.facts`).
        training_sample: architectures that train a surrogate, charged to the arms that need one.
        front: non-dominated values of everything known, in the objectives' own directions, shape (k, m).
        explorer: page that shows an architecture behind ``#cell=NAME``; empty where there is none.
    """

    benchmark: str
    objectives: Sequence[Objective]
    evaluations: pd.DataFrame
    queue: pd.DataFrame
    runs: pd.DataFrame
    anytime: pd.DataFrame
    reference: Mapping[str, Any]
    training_sample: int
    front: NDArray[np.float64]
    explorer: str = ""


def read_player_source(
    searches: Mapping[str, Sequence[str]],
    anytime: str,
    measured: TabularBenchmark,
    filled: TabularBenchmark | None,
    *,
    benchmark: str,
    objectives: Sequence[str],
    training_sample: int,
    explorer: str = "",
) -> PlayerSource:
    """Read what the searches of a benchmark left.

    Args:
        searches: paths of the tables ``evaluations``, ``queue`` and ``runs``, one an arm.
        anytime: path of the table of hypervolumes.
        measured: the benchmark that was searched.
        filled: the same with predicted values where it has none; None where searches passed over them.
        benchmark: key of the benchmark; this and the following as in :class:`PlayerSource`.
        objectives: names of the objectives.
        training_sample: architectures that train a surrogate.
        explorer: page that shows an architecture.

    Raises:
        TableError: a table is missing, damaged or of another version, or the benchmark has no such metric.
    """
    schemas = {"evaluations": EVALUATIONS, "queue": QUEUE, "runs": RUNS}
    tables = {
        name: pd.concat([read_table(path, schema) for path in searches[name]], ignore_index=True)
        for name, schema in schemas.items()
    }
    known = (measured if filled is None else filled).values(list(objectives))
    axes = objectives_of(measured, objectives)
    front = known[nondominated(known, [axis.direction for axis in axes])]
    return PlayerSource(
        benchmark=benchmark,
        objectives=axes,
        **tables,
        anytime=read_table(anytime, ANYTIME),
        reference=read_attributes(anytime),
        training_sample=training_sample,
        front=front,
        explorer=explorer,
    )


def write_player(source: PlayerSource, site: str | Path) -> dict[str, Any]:
    """Write a shard for every search and return what the page has to know, as plain JSON.

    Args:
        source: the searches.
        site: folder of the pages.
    """
    tables = {name: _by_search(getattr(source, name)) for name in ("evaluations", "queue", "anytime")}
    ends = source.runs.loc[source.runs.groupby(["arm", "seed"])["budget"].idxmax()].set_index(["arm", "seed"])
    arms = []
    for arm in arms_of(source.runs):
        runs: dict[str, Any] = {}
        for seed in sorted(seed for name, seed in ends.index if name == arm):
            evaluations = tables["evaluations"].get((arm, seed))
            if evaluations is None:  # a start without neighbours, in the published way
                continue
            queue = tables["queue"].get((arm, seed), source.queue.iloc[:0])
            content = search_shard(
                evaluations,
                archive_intervals(evaluations, source.objectives),
                queue,
                tables["anytime"][arm, seed],
                [objective.name for objective in source.objectives],
            )
            shard = f"player/{source.benchmark}/{arm}-{seed}"
            write_shard(site, shard, content)
            end = ends.loc[(arm, seed)]
            runs[str(seed)] = {
                "shard": shard,
                "evaluations": len(evaluations),
                "budget": int(end["budget"]),
                "stopped_by": str(end["stopped_by"]),
            }
        arms.append(
            {
                "key": arm,
                "name": ARM_NAMES[arm],
                "colour": ARM_LOOKS[arm].colour,
                "charge": charge(arm, source.training_sample),
                "queue": METHOD_OF[arm] in QUEUED,
                "restarts": METHOD_OF[arm] == RESTARTED,
                "published": METHOD_OF[arm] == PUBLISHED,
                "runs": runs,
            }
        )
    return {
        "benchmark": source.benchmark,
        "dataset": str(source.runs["dataset"].iloc[0]),
        "explorer": source.explorer,
        "objectives": [_axis(objective, source, place) for place, objective in enumerate(source.objectives)],
        "arms": [arm for arm in arms if arm["runs"]],
        "front": source.front[np.lexsort(source.front.T[::-1])].tolist(),
        "reference": str(source.reference["reference"]),
        "reference_hypervolume": float(source.reference["reference_hypervolume"]),
    }


def archive_intervals(evaluations: pd.DataFrame, objectives: Sequence[Objective]) -> pd.DataFrame:
    """Return since and until when evaluations were in the archive of a search's non-dominated architectures.

    It is the archive that the hypervolume is about: of all that counts as an evaluation, each architecture once.

    Args:
        evaluations: evaluations of one search in their order, schema ``search.evaluations``.
        objectives: what was optimised.

    Returns:
        Columns ``evaluation`` with which an architecture entered, ascending, and ``left``, that with which it was
        dominated; one more than there are evaluations where it never was.
    """
    values = evaluations[[objective.name for objective in objectives]].to_numpy(dtype=np.float64)
    points = to_minimise(values, [objective.direction for objective in objectives]).tolist()
    archive = pareto_archive(len(objectives))
    entered: list[int] = []
    left: dict[int, int] = {}
    members: set[int] = set()
    for place in np.flatnonzero(~evaluations["repeated"].to_numpy(dtype=np.bool_)).tolist():
        if not archive.add(place, points[place]):
            continue
        now = set(archive.members)
        left.update(dict.fromkeys(members - now, place + 1))
        members = now
        entered.append(place)
    end = len(evaluations) + 1
    return pd.DataFrame(
        {
            "evaluation": np.array([place + 1 for place in entered], dtype=np.int64),
            "left": np.array([left.get(place, end) for place in entered], dtype=np.int64),
        }
    )


def _by_search(table: pd.DataFrame) -> dict[tuple[str, int], pd.DataFrame]:
    """Return the rows of each arm and seed, in the order of the table's key."""
    order = "stay" if "stay" in table.columns else "evaluation"
    found: dict[tuple[str, int], pd.DataFrame] = {}
    for arm, of_arm in table.sort_values(order, kind="stable").groupby("arm", sort=False):
        for seed in of_arm["seed"].unique().tolist():
            found[str(arm), seed] = of_arm[of_arm["seed"] == seed]
    return found


def _axis(objective: Objective, source: PlayerSource, place: int) -> dict[str, Any]:
    """Return an objective as an axis; shares are shown in percent."""
    values = source.evaluations[objective.name].to_numpy(dtype=np.float64)
    unit = "%" if objective.percent else objective.unit.removeprefix("MAC")
    best, worst = source.reference["best"][place], source.reference["worst"][place]
    return {
        "name": objective.words,
        "unit": unit,
        "scale": 100 if objective.percent else 1,
        "maximised": objective.maximised,
        # in decades what spreads over several, such as the cost of architectures; shares never
        "logarithmic": not objective.percent and spans_decades(values),
        "range": sorted([float(best), float(worst)]),
    }
