"""The search as the thesis's released code runs it, slips included, to compare with its numbers.

The right way is :func:`terranas.search.local_search.pareto_local_search`. The released code (emreds/data-centric-nas,
``src/pls.py`` and ``src/main.py``) differs from it in this:

- Each start has a search of its own; they take one step each in turn and share nothing. A step expands the oldest
  architecture of the search's queue and looks at its neighbours in the graph's order.
- Every neighbour's evaluation counts, be the architecture known or not; the starts' do not. The limit is looked at
  after a full round of all searches only.
- An architecture dominates another one already where it is as good in all objectives. So equal ones, the same
  architecture evaluated twice included, drop each other out of a neighbourhood and out of a front.
- What is not dominated within its neighbourhood enters, even where the archive dominates it, and removes from archive
  and queue what it dominates in this sense. So an architecture that is met again replaces itself, and is expanded
  again.
- Members are removed while the archive is iterated, so that the one behind a removed member is passed over.
- The result is what is left, in the same sense, of the fronts of all searches after all their steps.

Two things are not as in the released code: it never ends when all queues are empty, and its neighbours are those of
NASLib, some of them twice.
"""

from collections import Counter, deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from terranas.core.pareto import nondominated
from terranas.search.driver import SearchRun
from terranas.search.queue_record import Stay
from terranas.space.neighbours import NeighbourGraph


@dataclass(frozen=True)
class PublishedRun:
    """What a search in the published way did.

    Attributes:
        record: all evaluations that count, in their order; ``entered`` is about the archive of the own start's search,
            ``archive`` the front at the end.
        round_ends: evaluations after each round of all searches, shape (rounds,).
        without_value: different architectures met by then that have no value, shape (rounds,).
        fronts: architectures in the merged front after each round, ascending. The starts can be among them.
    """

    record: SearchRun
    round_ends: NDArray[np.int64]
    without_value: NDArray[np.int64]
    fronts: tuple[NDArray[np.int64], ...]

    def round_of(self, budget: int) -> int:
        """Return the index of the round after which a search with a smaller budget ends."""
        return min(int(np.searchsorted(self.round_ends, budget)), len(self.round_ends) - 1)


def published_search(
    minimised: NDArray[np.float64], graph: NeighbourGraph, starts: NDArray[np.int64], budget: int
) -> PublishedRun:
    """Search from given starts as the released code does; see the module for how.

    Rounds until one ends with at least ``budget`` evaluations, or nothing is left to expand. A run with a smaller
    budget is a prefix of one with a larger.

    Args:
        minimised: objectives of all architectures, smaller is better, shape (n, m); NaN where there is no value.
        graph: neighbours of every row.
        starts: different rows with values, at least one.
        budget: evaluations after which no further round begins, at least 1.

    Raises:
        ValueError: there is no start, or one has no value or stands twice.
    """
    if not len(starts) or np.isnan(minimised[starts]).any() or len(np.unique(starts)) < len(starts):
        raise ValueError("the published search needs starts, all different and with values")
    record = _Record(minimised, graph)
    searches = [_StartSearch(record, start, index) for index, start in enumerate(starts.tolist())]
    round_ends: list[int] = []
    without_value: list[int] = []
    fronts: list[NDArray[np.int64]] = []
    merged: set[int] = set()
    while not round_ends or (round_ends[-1] < budget and any(search.queue for search in searches)):
        for search in searches:
            search.step()
            merged.update(record.unrivalled(search.archive))
        round_ends.append(len(record.entered))
        without_value.append(len(record.passed_over))
        front = [record.rows[number] for number in record.unrivalled(sorted(merged))]
        fronts.append(np.array(sorted(front), dtype=np.int64))
    evaluated = np.array(record.rows[len(starts) :], dtype=np.int64)
    repeated = np.ones(len(evaluated), dtype=np.bool_)
    repeated[np.unique(evaluated, return_index=True)[1]] = False
    run = SearchRun(
        evaluated=evaluated,
        entered=np.array(record.entered, dtype=np.bool_),
        repeated=repeated,
        archive=fronts[-1],
        first_batch=0,
        passed_over=np.array(list(record.passed_over.values()), dtype=np.int64),
        stays=(*record.stays, *(stay for search in searches for stay in search.still_waiting())),
    )
    counts = np.array([round_ends, without_value], dtype=np.int64)
    return PublishedRun(run, counts[0], counts[1], tuple(fronts))


@dataclass
class _Record:
    """All evaluations, numbered; the starts come first.

    The released code makes an object of every evaluation and tells objects, not architectures, apart.
    """

    minimised: NDArray[np.float64]
    graph: NeighbourGraph
    rows: list[int] = field(default_factory=list)
    points: list[tuple[float, ...]] = field(default_factory=list)
    entered: list[bool] = field(default_factory=list)  # of the evaluations that count
    passed_over: dict[int, int] = field(default_factory=dict)
    stays: list[Stay] = field(default_factory=list)  # in the queues of all searches

    def evaluate(self, row: int) -> int:
        """Return the number of a new evaluation."""
        self.rows.append(row)
        self.points.append(tuple(self.minimised[row].tolist()))
        return len(self.rows) - 1

    def evaluate_neighbours(self, row: int) -> list[int]:
        """Return the numbers of new evaluations of an architecture's neighbours."""
        neighbours = np.asarray(self.graph.neighbours(row), dtype=np.int64)
        lacking = np.isnan(self.minimised[neighbours]).any(axis=1)
        for other in neighbours[lacking].tolist():
            self.passed_over.setdefault(other, len(self.entered))
        first = len(self.rows)
        known = neighbours[~lacking]
        self.rows.extend(known.tolist())
        self.points.extend(map(tuple, self.minimised[known].tolist()))
        self.entered.extend([False] * len(known))
        return list(range(first, len(self.rows)))

    def enter(self, number: int) -> None:
        """Note that an evaluation entered an archive."""
        self.entered[number - (len(self.rows) - len(self.entered))] = True

    def unrivalled(self, numbers: list[int]) -> list[int]:
        """Return those of some evaluations that no other of them is as good as in all objectives."""
        points = np.array([self.points[number] for number in numbers])
        kept = [numbers[place] for place in np.flatnonzero(nondominated(points, ["minimise"] * points.shape[1]))]
        times = Counter(self.points[number] for number in kept)
        return [number for number in kept if times[self.points[number]] == 1]


class _StartSearch:
    """The search from one start."""

    def __init__(self, record: _Record, start: int, index: int) -> None:
        self._record = record
        self._index = index
        self.archive = [record.evaluate(start)]
        self.queue = deque(self.archive)
        self._in_archive = {start}
        self._joined = {self.archive[0]: 0}  # since which evaluation each in the queue waits

    def step(self) -> None:
        """Expand the oldest evaluation of the queue; do nothing when there is none."""
        if not self.queue:
            return
        record = self._record
        centre = self.queue.popleft()
        begun = len(record.entered) + 1
        self._note(centre, begun, "expanded")
        better = record.unrivalled([*record.evaluate_neighbours(record.rows[centre]), centre])
        ended = max(begun, len(record.entered))
        for number in better:
            self._remove_dominated_by(number, ended)
        for number in better:
            if record.rows[number] not in self._in_archive:
                self._in_archive.add(record.rows[number])
                self.archive.append(number)
                self.queue.append(number)
                self._joined[number] = ended
                record.enter(number)

    def still_waiting(self) -> list[Stay]:
        """Return the stays in the queue that have not ended."""
        return [
            Stay(self._index, self._record.rows[number], self._joined[number], None, "waiting") for number in self.queue
        ]

    def _note(self, number: int, now: int, left_by: str) -> None:
        row, joined = self._record.rows[number], self._joined.pop(number)
        self._record.stays.append(Stay(self._index, row, joined, now, left_by))

    def _remove_dominated_by(self, number: int, now: int) -> None:
        point = self._record.points[number]
        place = 0
        while place < len(self.archive):
            other = self.archive[place]
            if other != number and all(
                ours <= theirs for ours, theirs in zip(point, self._record.points[other], strict=True)
            ):
                del self.archive[place]
                self._in_archive.remove(self._record.rows[other])
                if other in self.queue:
                    self.queue.remove(other)
                    self._note(other, now, "dominated")
            place += 1  # the member behind a removed one has moved to its place, and is passed over
