"""One live search of a study: from its settings to its journal and the tables that any search leaves."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.schema import direction
from terranas.config.study import StudyConfig
from terranas.core.digests import digest_of
from terranas.core.errors import ConfigError
from terranas.core.files import read_json
from terranas.core.formats import counted
from terranas.core.pareto import nondominated
from terranas.core.tables import read_table, write_table
from terranas.search.arm_starts import StartMaterial, choose_starts
from terranas.search.arms import ARMS, CHARGED, LOCAL_SEARCH, METHOD_OF, PUBLISHED, QUEUED, RESTARTED
from terranas.search.campaign import ArmSettings, SearchTables, make_search, stay_columns
from terranas.search.driver import Search, SearchRun
from terranas.search.live import run_live
from terranas.search.live_journal import LiveJournal
from terranas.search.live_list import live_folder
from terranas.search.live_results import read_trainings, require_live_objectives
from terranas.search.live_workflow import LiveWorkflow
from terranas.search.local_search import LocalSearchSettings, stop_reason
from terranas.search.methods import METHODS
from terranas.search.problem import Problem
from terranas.search.queue_record import QueueRecord
from terranas.search.schema import EVALUATIONS, FRONTS, QUEUE, RUNS
from terranas.space.complexity import NetworkShape
from terranas.space.lookup import CellIndex
from terranas.space.neighbours import read_graph
from terranas.space.schema import CELLS
from terranas.space.searchable import CellSpace
from terranas.training import NUMERICS_VERSION

logger = logging.getLogger(__name__)

LIVE_ARMS = tuple(arm for arm in ARMS if arm not in CHARGED and METHOD_OF[arm] != PUBLISHED)
"""Arms that need no table to begin with, and evaluate no architecture twice."""


@dataclass(frozen=True)
class LiveRequest:
    """What is asked of a live search.

    Attributes:
        arm: one of :data:`LIVE_ARMS`.
        seed: index of the repetition; a table's search of the same arm and index makes the same choices.
        budget: architectures that may be trained.
        batch: most architectures in one call of the workflow.
    """

    arm: str
    seed: int
    budget: int
    batch: int


class Display(Protocol):
    """What a live search shows while it runs."""

    def round(self, number: int, size: int) -> AbstractContextManager[Callable[[int], None]]:
        """Show a round of some size; what it gives is told how many of its trainings have a result."""

    def learned(self, journal: LiveJournal, run: SearchRun) -> None:
        """Show how far the search is."""


def require_possible(config: StudyConfig, request: LiveRequest) -> None:
    """Check everything that can be checked before anything is started.

    Raises:
        ConfigError: the arm cannot search live, an objective cannot be known, or trainings come in packs.
    """
    if request.arm not in LIVE_ARMS:
        known = request.arm in ARMS
        why = "starts from tables that a finished study has" if known else "is not known"
        raise ConfigError(
            f"The arm '{request.arm}' {why}. A live search runs one of {', '.join(LIVE_ARMS)}: --method NAME."
        )
    require_live_objectives(config.search.objectives)
    if config.campaign.pack > 1:
        raise ConfigError(
            f"campaign.pack is {config.campaign.pack}: packs share out the study's own architectures, and those of a "
            "live search are not known in advance. Set campaign.pack to 1, which decides no number; with "
            "training.processes one architecture uses several GPUs."
        )


def search_folder(results: str | Path, request: LiveRequest) -> Path:
    """Return the folder of a live search's journal and tables."""
    return live_folder(results) / request.arm / f"seed_{request.seed}"


def search_live(
    config: StudyConfig,
    request: LiveRequest,
    workflow: LiveWorkflow,
    *,
    display: Display,
) -> SearchTables:
    """Search by training until the budget is spent or nothing is left, from where the last call stopped.

    Args:
        config: the study.
        request: what is asked for; checked by :func:`require_possible`.
        workflow: what trains.
        display: what is shown meanwhile.

    Returns:
        The tables that were written beside the journal.

    Raises:
        TerranasError: trainings gave no result, or the journal belongs to other settings.
    """
    cells_file, indptr, indices, summary, manifest = workflow.prepare()
    cells = read_table(cells_file, CELLS)
    problem = _problem(config, cells, read_graph(indptr, indices, summary, cells))
    queue = QueueRecord() if METHOD_OF[request.arm] in QUEUED else None
    search, starts_wanted = _search(config, request, problem, queue)
    folder = search_folder(workflow.results, request)
    deciding = _settings(config, request, read_json(manifest))
    journal = LiveJournal.open(folder / "journal.jsonl", deciding, problem.objectives)
    if journal.evaluations:
        logger.info("The journal holds %s", counted(len(journal.evaluations), "evaluation"))
    index = CellIndex(cells)

    def train(names: Sequence[str]) -> tuple[list[str], NDArray[np.float64]]:
        rows = index.table(list(names))
        with display.round(journal.rounds + 1, len(names)) as watch:
            workflow.train(rows, watch)
        return read_trainings(workflow.results, names, cells, problem.objectives, problem.dataset)

    run = run_live(
        search,
        problem.space.names,
        problem.directions,
        journal,
        train,
        budget=request.budget,
        batch=request.batch,
        watch=lambda run: display.learned(journal, run),
        queue=queue,
    )
    tables = _tables(problem, request, run, journal, starts_wanted)
    for table, name, schema in (
        (tables.evaluations, "evaluations", EVALUATIONS),
        (tables.fronts, "fronts", FRONTS),
        (tables.runs, "runs", RUNS),
        (tables.queue, "queue", QUEUE),
    ):
        write_table(table, folder / f"{name}.parquet", schema)
    return tables


def _problem(config: StudyConfig, cells: pd.DataFrame, graph: Any) -> Problem:
    """Return the problem with every architecture available; values come from trainings."""
    data, objectives = config.data, config.search.objectives
    shape = NetworkShape(
        bands=data.bands, classes=data.classes, image_size=data.image_size, **config.network.model_dump()
    )
    return Problem(
        dataset=data.name,
        space=CellSpace(cells, shape),
        objectives=objectives,
        directions=[direction(name) for name in objectives],
        values=np.zeros((len(cells), len(objectives))),
        graph=graph,
    )


def _search(
    config: StudyConfig, request: LiveRequest, problem: Problem, queue: QueueRecord | None = None
) -> tuple[Search, int]:
    """Return the search, and how many starts it wants."""
    wanted, repetitions = config.search.starts, request.seed + 1
    variant = LocalSearchSettings(**config.search.local_search.model_dump())
    settings = ArmSettings(
        seeds=repetitions, starts=wanted, budgets=[request.budget], seed=config.seed, local_search=variant
    )
    if (method := METHOD_OF[request.arm]) != LOCAL_SEARCH:
        search = make_search(problem, request.arm, settings, request.seed, methods=METHODS, queue=queue)
        return search, int(method == RESTARTED)
    every = choose_starts(problem, request.arm, StartMaterial(), seeds=repetitions, count=wanted, seed=config.seed)
    starts = every[request.seed]
    return make_search(problem, request.arm, settings, request.seed, starts=starts, queue=queue), wanted


def _settings(config: StudyConfig, request: LiveRequest, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that decides what a search does and what its trainings give."""
    recipe = config.training.model_dump(mode="json")
    del recipe["recipe"]  # its values decide, its name does not
    images = digest_of(manifest)[:16]
    return {
        "method": request.arm,
        "repetition": request.seed,
        "seed": config.seed,
        "search": config.search.model_dump(mode="json", include={"starts", "neighbourhood", "local_search"}),
        "space": config.space.model_dump(mode="json"),
        "network": config.network.model_dump(mode="json"),
        "training": recipe,
        "data": {"normalisation": config.data.normalisation, "images": images},
        "numerics": NUMERICS_VERSION,
    }


def _tables(
    problem: Problem, request: LiveRequest, run: SearchRun, journal: LiveJournal, starts_wanted: int
) -> SearchTables:
    """Return the tables of one search, as searches on tables leave them."""
    spent, failed = len(run.evaluated), len(run.passed_over)
    known = {evaluation.architecture: evaluation.values for evaluation in journal.evaluations}
    points = {row: known[problem.space.names[row]] for row in run.evaluated.tolist()}
    common: dict[str, Any] = {"arm": request.arm, "dataset": problem.dataset, "seed": request.seed}

    def described(rows: NDArray[np.int64], **columns: Any) -> pd.DataFrame:
        values = np.array([points[row] for row in rows.tolist()]).reshape(len(rows), len(problem.objectives))
        objectives = {name: values[:, place] for place, name in enumerate(problem.objectives)}
        return pd.DataFrame({"architecture": problem.names[rows]}).assign(
            **common, **columns, predicted=False, **objectives
        )

    values = np.array([points[row] for row in run.evaluated.tolist()]).reshape(spent, len(problem.objectives))
    front = run.evaluated[nondominated(values, problem.directions)]
    number = np.arange(1, spent + 1)
    # a start that failed is no evaluation
    starts = min(run.first_batch, starts_wanted)
    return SearchTables(
        evaluations=EVALUATIONS.validate(
            described(
                run.evaluated,
                evaluation=number,
                start=number <= starts,
                entered_archive=run.entered,
                repeated=run.repeated,
            )
        ),
        fronts=FRONTS.validate(described(np.sort(front), budget=request.budget)),
        runs=RUNS.from_rows(
            [
                {
                    **common,
                    "budget": request.budget,
                    "charged": spent + failed,
                    "starts_wanted": starts_wanted,
                    "starts": starts,
                    "evaluations": spent,
                    "distinct": spent,
                    "predicted": 0,
                    "without_value": failed,
                    "stopped_by": stop_reason(spent + failed, request.budget, len(problem)),
                }
            ]
        ),
        queue=QUEUE.validate(
            described(
                np.array([stay.row for stay in run.stays], dtype=np.int64),
                stay=np.arange(1, len(run.stays) + 1),
                **stay_columns(run.stays),
            )
        ),
    )
