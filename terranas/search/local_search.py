"""Pareto local search, its variants, and its restarts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from terranas.core.errors import ConfigError
from terranas.search.archive import ParetoArchive, pareto_archive
from terranas.search.crowding import crowding_distances
from terranas.search.driver import Search
from terranas.search.queue_record import QueueRecord
from terranas.space.neighbours import NeighbourGraph

Selection = Literal["oldest", "newest", "random", "most_isolated"]
Order = Literal["random", "given"]
Acceptance = Literal["all", "first_dominating", "first_nondominated"]


@dataclass(frozen=True)
class LocalSearchSettings:
    """A variant of Pareto local search.

    The parts are those into which Liefooghe et al. (Journal of Heuristics 18, 2012) and Dubois-Lacoste, López-Ibáñez
    and Stützle (European Journal of Operational Research 243(2), 2015) take the search apart. The default is the
    search of Paquete, Chiarandini and Stützle (2004) with the first-in-first-out queue of the thesis.

    Attributes:
        selection: which architecture of the archive whose neighbourhood was not looked at yet comes next.

            - ``oldest``: the one that waits longest;
            - ``newest``: the one that waits shortest;
            - ``random``: each with equal probability;
            - ``most_isolated``: the one with the largest crowding distance among the archive's objectives; of several,
              the one that waits longest. It drives the archive apart as the hypervolume-based selection of the second
              source does, for any number of objectives.
        order: whether a neighbourhood is looked at in ``random`` order or in the order ``given`` by the graph.
        acceptance: how much of a neighbourhood is looked at.

            - ``all``: each neighbour, even where the centre becomes dominated meanwhile;
            - ``first_dominating``: the neighbours one by one until one dominates the centre, which thereby leaves the
              archive; the rest is not looked at from there;
            - ``first_nondominated``: one by one until one enters the archive. A centre that is still in the archive
              waits again, as the last that came, and the rest of its neighbourhood is looked at, in a new order, when
              its turn comes.

    Raises:
        ConfigError: a part has no such variant.
    """

    selection: Selection = "oldest"
    order: Order = "random"
    acceptance: Acceptance = "all"

    def __post_init__(self) -> None:
        for name, variants in (("selection", Selection), ("order", Order), ("acceptance", Acceptance)):
            value, known = getattr(self, name), get_args(variants)
            if value not in known:
                raise ConfigError(f"Local search has no {name} '{value}'. Choose one of: {', '.join(known)}.")


def pareto_local_search(
    graph: NeighbourGraph,
    available: NDArray[np.int64],
    objectives: int,
    rng: np.random.Generator,
    *,
    starts: NDArray[np.int64],
    settings: LocalSearchSettings | None = None,
    record: QueueRecord | None = None,
) -> Search:
    """Search for non-dominated architectures from given starts with one archive and one queue.

    Pareto local search of Paquete et al. (2004) as in Dubois-Lacoste, López-Ibáñez and Stützle ("Pareto Local Search
    Algorithms for Anytime Bi-objective Optimization", EvoCOP 2012). Starts are evaluated in their order. Then an
    architecture of the queue is selected, its neighbours that were not evaluated yet are evaluated, and those the
    archive does not dominate enter archive and queue; what they dominate leaves both. The search ends when the queue
    is empty.

    Neighbours without value are yielded too, before the others, so that they can be counted; they never enter.

    Args:
        graph: neighbours of every row.
        available: rows that have values.
        objectives: number of objectives m.
        rng: orders the neighbourhoods, and selects where the selection is random.
        starts: different rows.
        settings: the variant; by default the whole neighbourhood of the oldest in random order.
        record: where it is noted what happens to the queue.

    Raises:
        ValueError: a start stands twice.
    """
    if len(np.unique(starts)) < len(starts):
        raise ValueError("starts must be different architectures")
    return _search(
        graph, available, objectives, rng, starts, settings or LocalSearchSettings(), record or QueueRecord()
    )


def _search(
    graph: NeighbourGraph,
    available: NDArray[np.int64],
    objectives: int,
    rng: np.random.Generator,
    starts: NDArray[np.int64],
    settings: LocalSearchSettings,
    record: QueueRecord,
) -> Search:
    is_available = np.zeros(len(graph), dtype=np.bool_)
    is_available[available] = True
    seen = np.zeros(len(graph), dtype=np.bool_)
    archive = pareto_archive(objectives)
    queue = _Queue(archive, settings.selection, rng)

    def take(rows: NDArray[np.int64], values: NDArray[np.float64]) -> bool:
        """Add evaluated rows; return whether the last one entered."""
        entered = False
        for row, point in zip(rows.tolist(), values.tolist(), strict=True):
            entered = archive.add(row, point)
            if entered:
                queue.append(row, point)
        return entered

    if len(starts):
        seen[starts] = True
        take(starts, (yield starts))
    while (centre := queue.pop()) is not None:
        record.expanded(centre)
        neighbours = np.asarray(graph.neighbours(centre), dtype=np.int64)
        neighbours = neighbours[~seen[neighbours]]
        can = is_available[neighbours]
        lacking, neighbours = neighbours[~can], neighbours[can]
        seen[lacking] = True
        if settings.order == "random":
            neighbours = rng.permutation(neighbours)
        if settings.acceptance == "all":
            seen[neighbours] = True
            if len(lacking) or len(neighbours):
                values = yield np.concatenate([lacking, neighbours])
                take(neighbours, values[len(lacking) :])
            continue
        if len(lacking):
            yield lacking
        for place in range(len(neighbours)):
            one = neighbours[place : place + 1]
            seen[one] = True
            if settings.acceptance == "first_nondominated":
                record.looks_at_one(centre, last=place + 1 == len(neighbours))
            entered = take(one, (yield one))
            if entered and settings.acceptance == "first_nondominated":
                if place + 1 < len(neighbours):
                    queue.append_again(centre)
                break
            # an architecture leaves the archive only when it is dominated
            if centre not in archive:
                break


class _Queue:
    """Architectures whose neighbourhood is to be looked at; those that left the archive are passed over."""

    def __init__(self, archive: ParetoArchive, selection: Selection, rng: np.random.Generator) -> None:
        self._archive = archive
        self._selection = selection
        self._rng = rng
        self._points: dict[int, Sequence[float]] = {}  # of all that ever waited
        self._waiting: dict[int, None] = {}  # in the order of their arrival

    def append(self, row: int, point: Sequence[float]) -> None:
        """Let an architecture wait."""
        self._points[row] = point
        self._waiting[row] = None

    def append_again(self, row: int) -> None:
        """Let an architecture that was taken wait again."""
        self._waiting[row] = None

    def pop(self) -> int | None:
        """Take the next architecture; None when none waits."""
        if self._selection in ("oldest", "newest"):
            while self._waiting:
                row = next(iter(self._waiting)) if self._selection == "oldest" else next(reversed(self._waiting))
                del self._waiting[row]
                if row in self._archive:
                    return row
            return None
        waiting = [row for row in self._waiting if row in self._archive]
        if not waiting:
            return None
        self._waiting = dict.fromkeys(waiting)
        row = waiting[self._choose(waiting)]
        del self._waiting[row]
        return row

    def _choose(self, waiting: list[int]) -> int:
        if self._selection == "random":
            return int(self._rng.integers(len(waiting)))
        members = self._archive.members
        self._points = {member: self._points[member] for member in members}
        distances = dict(zip(members, crowding_distances(np.array(list(self._points.values()))), strict=True))
        return int(np.argmax([distances[row] for row in waiting]))


def restarted_local_search(
    graph: NeighbourGraph,
    available: NDArray[np.int64],
    objectives: int,
    rng: np.random.Generator,
    *,
    settings: LocalSearchSettings | None = None,
    record: QueueRecord | None = None,
) -> Search:
    """Run Pareto local searches one after the other, each from one random architecture that none of them has met.

    Every search has an archive of its own: a random start that an earlier search's archive dominates is expanded all
    the same. What an earlier search evaluated is yielded again where another meets it, and need not be evaluated.
    The search ends when every architecture with a value was met.

    Args:
        graph: neighbours of every row.
        available: rows that have values.
        objectives: number of objectives m.
        rng: draws the starts and orders the neighbourhoods.
        settings: the variant of every search.
        record: where it is noted what happens to the queues.
    """
    record = record or QueueRecord()
    met = np.zeros(len(graph), dtype=np.bool_)
    for start in rng.permutation(available).tolist():
        if met[start]:
            continue
        if met.any():
            record.restarted(start)
        alone = np.array([start], dtype=np.int64)
        once = pareto_local_search(graph, available, objectives, rng, starts=alone, settings=settings, record=record)
        rows = next(once)
        while True:
            met[rows] = True
            values = yield rows
            try:
                rows = once.send(values)
            except StopIteration:
                break


def stop_reason(evaluations: int, budget: int, known: int) -> str:
    """Return why a search ended, as named in :data:`~terranas.search.schema.STOP_REASONS`.

    Args:
        evaluations: evaluations spent.
        budget: evaluations allowed.
        known: architectures that have values.
    """
    if evaluations == known:
        return "space_exhausted"
    return "budget" if evaluations == budget else "nothing_left_to_expand"
