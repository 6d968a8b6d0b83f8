"""Running a search: what is evaluated, what counts, and the record of it."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import chain
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from terranas.search.archive import pareto_archive
from terranas.search.queue_record import QueueRecord, Stay, queue_stays

Search = Generator[NDArray[np.int64], NDArray[np.float64], None]
"""A search yields different rows to evaluate, shape (k,), and is sent their minimised objectives, shape (k, m).

An architecture without value has a NaN. A search knows no budget: with a larger one it only runs longer. It depends on
its random generator and the values alone, not on how they come about, so that a record of values replays it.
"""

Evaluate = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""Takes different rows, shape (k,), and returns their minimised objectives, shape (k, m); NaN where there are none."""

_IDLE = 10_000


@dataclass(frozen=True)
class SearchRun:
    """What one search did.

    Attributes:
        evaluated: architectures (rows of the space) in the order of their evaluation, shape (e,).
        entered: whether each entered the archive, shape (e,).
        repeated: whether each was evaluated before, and counts again, shape (e,); never where :func:`drive` ran the
            search.
        archive: architectures in the archive at the end, ascending.
        first_batch: how many of the first evaluations were asked for before any value was known: a local search's
            starts.
        passed_over: for each architecture met that has no value, the evaluations spent before, ascending, shape (w,).
        stays: stays in a local search's queue, in the order in which they ended; none where a search has no queue.
    """

    evaluated: NDArray[np.int64]
    entered: NDArray[np.bool_]
    repeated: NDArray[np.bool_]
    archive: NDArray[np.int64]
    first_batch: int
    passed_over: NDArray[np.int64]
    stays: tuple[Stay, ...] = ()


class SearchDriver:
    """Runs a search by asking for rows and telling their objectives, so that values may come from anywhere.

    ::

        driver = SearchDriver(search, budget=100, objectives=2)
        while len(rows := driver.ask()):
            driver.tell(evaluate(rows))
        run = driver.run()

    Each different row is asked for, and counts, once; a row that the search yields again is answered from what is
    known. A row without value does not count, unless finding that out has its price (``charge_missing``). The budget is
    hard: a batch is cut where it is spent. The search also ends by itself, or when it has yielded known rows only for
    so long that nothing new is to be expected.
    """

    def __init__(
        self,
        search: Search,
        budget: int,
        objectives: int,
        *,
        charge_missing: bool = False,
        queue: QueueRecord | None = None,
    ) -> None:
        """Start a search.

        Args:
            search: the search, not started yet.
            budget: evaluations allowed, at least 1.
            objectives: number of objectives m.
            charge_missing: whether rows without value count to the budget, as trainings that failed do.
            queue: where a local search notes what happens to its queue; None where a search has none.

        Raises:
            ValueError: the budget is less than 1.
        """
        if budget < 1:
            raise ValueError(f"a search needs a budget of at least one evaluation, got {budget}")
        self._search = search
        self._budget = budget
        self._objectives = objectives
        self._charge_missing = charge_missing
        self._queue = queue
        self._archive = pareto_archive(objectives)
        self._points: dict[int, list[float]] = {}
        self._evaluated: list[int] = []
        self._entered: list[bool] = []
        self._passed_over: list[int] = []
        self._first_batch: int | None = None
        self._idle = 0
        self._batch: list[int] = []  # what the search waits for
        self._new: list[int] = []  # of it, what has to be evaluated yet
        self._asked: list[int] = []
        self._answer: NDArray[np.float64] | None = None
        self._ended = False
        try:
            self._take(next(search))
        except StopIteration:
            self._end()

    def ask(self) -> NDArray[np.int64]:
        """Return the rows to evaluate next, all different, shape (k,); none when the search has ended.

        They depend on what was told alone; asking again gives the same rows.
        """
        while not self._ended and not self._new:
            self._proceed()
        self._asked = self._new[: self._left]
        return np.array(self._asked, dtype=np.int64)

    def tell(self, values: NDArray[np.float64]) -> None:
        """Take the minimised objectives of the rows last asked for.

        Args:
            values: shape (k, m), in the order of the rows; a row that is not finite has no value.

        Raises:
            ValueError: the shape is another.
        """
        if values.shape != (len(self._asked), self._objectives):
            expected = (len(self._asked), self._objectives)
            raise ValueError(f"values has the shape {values.shape}, expected {expected}, a row for each asked for")
        points = values.tolist()
        known = all(map(isfinite, chain.from_iterable(points)))  # faster on a single row than numpy is
        if known:
            self._points.update(zip(self._asked, points, strict=True))
            self._evaluated += self._asked
            self._entered += map(self._archive.add, self._asked, points)
        else:
            for row, point in zip(self._asked, points, strict=True):
                self._take_one(row, point)
        # a whole batch of new rows goes back as it came
        self._answer = values if known and len(self._asked) == len(self._batch) else None
        self._new = self._new[len(self._asked) :]
        self._idle = 0
        if not self._left:
            self._end()

    def run(self) -> SearchRun:
        """Return the record so far."""
        first = len(self._evaluated) if self._first_batch is None else self._first_batch
        return SearchRun(
            evaluated=np.array(self._evaluated, dtype=np.int64),
            entered=np.array(self._entered, dtype=np.bool_),
            repeated=np.zeros(len(self._evaluated), dtype=np.bool_),
            archive=np.array(self._archive.members, dtype=np.int64),
            first_batch=first,
            passed_over=np.array(self._passed_over, dtype=np.int64),
            stays=self._stays(),
        )

    @property
    def _left(self) -> int:
        """Evaluations that may still be spent."""
        return self._budget - len(self._evaluated) - (len(self._passed_over) if self._charge_missing else 0)

    def _stays(self) -> tuple[Stay, ...]:
        """Return the stays in the search's queue so far."""
        if self._queue is None:
            return ()
        return queue_stays(self._queue, self._evaluated, self._entered, self._points, self._objectives)

    def _take_one(self, row: int, point: list[float]) -> None:
        """Note the objectives of a row that may have no value."""
        if all(map(isfinite, point)):
            self._points[row] = point
            self._evaluated.append(row)
            self._entered.append(self._archive.add(row, point))
        else:
            self._points[row] = [float("nan")] * self._objectives
            self._passed_over.append(len(self._evaluated))

    def _proceed(self) -> None:
        """Send the search the values it waits for."""
        answer = self._answer
        if answer is None:
            answer = np.array([self._points[row] for row in self._batch]).reshape(-1, self._objectives)
        if self._first_batch is None:
            self._first_batch = len(self._evaluated)
        self._idle += 1
        if self._idle > _IDLE + 10 * len(self._points):
            self._end()
            return
        if self._queue is not None:
            self._queue.spent = len(self._evaluated)
        try:
            self._take(self._search.send(answer))
        except StopIteration:
            self._end()

    def _take(self, rows: NDArray[np.int64]) -> None:
        self._answer = None
        self._batch = rows.tolist()
        self._new = [row for row in self._batch if row not in self._points]
        if self._queue is not None and len(self._new) < len(self._batch):
            for row in self._batch:
                if row in self._points and all(map(isfinite, self._points[row])):
                    self._queue.met_again(row)

    def _end(self) -> None:
        self._search.close()
        self._ended = True
        self._new = []


def drive(
    search: Search, evaluate: Evaluate, budget: int, objectives: int, *, queue: QueueRecord | None = None
) -> SearchRun:
    """Run a search to its end or until the budget is spent; see :class:`SearchDriver` for what counts.

    Args:
        search: the search, not started yet.
        evaluate: where values come from.
        budget: evaluations allowed, at least 1.
        objectives: number of objectives m.
        queue: where the search notes what happens to its queue; None where it has none.
    """
    driver = SearchDriver(search, budget, objectives, queue=queue)
    while len(rows := driver.ask()):
        driver.tell(evaluate(rows))
    return driver.run()
