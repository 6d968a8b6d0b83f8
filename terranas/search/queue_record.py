"""How long each architecture waited in the queue of a local search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from terranas.search.archive import pareto_archive

LEFT_BY = ("expanded", "dominated", "waiting")
"""How an architecture left the queue: its neighbourhood was looked at, another one dominates it, or not at all."""


class Stay(NamedTuple):
    """One stay of an architecture in the queue.

    Evaluations count from 1. What happens between two evaluations, such as the choice of the next neighbourhood, counts
    as happening with the second of them; after the last evaluation that is their number plus 1.

    Attributes:
        search: index of the local search: of a restart, or of a start in the published way; else 0.
        row: the architecture.
        joined: evaluation with which it began to wait; 0 for a start that does not count as an evaluation.
        left: evaluation with which it no longer waited; None where it waited to the end.
        left_by: one of :data:`LEFT_BY`.
    """

    search: int
    row: int
    joined: int
    left: int | None
    left_by: str


@dataclass
class QueueRecord:
    """What evaluations do not tell of a local search's queue, noted by the search and by what runs it.

    Attributes:
        spent: evaluations so far; whoever runs the search sets it before the search goes on.
        notes: what happened, after how many evaluations, and to which architecture.
    """

    spent: int = 0
    notes: list[tuple[Literal["expanded", "unfinished", "finished", "met_again", "restarted"], int, int]] = field(
        default_factory=list
    )

    def expanded(self, row: int) -> None:
        """Note that an architecture was taken from the queue and its neighbourhood is looked at."""
        self.notes.append(("expanded", self.spent, row))

    def looks_at_one(self, row: int, *, last: bool) -> None:
        """Note that the next neighbour of an architecture is looked at alone; if it enters, the others have to wait.

        Args:
            row: the architecture; unless the neighbour is the last one, it waits again together with what entered.
            last: whether the neighbour is the last one.
        """
        self.notes.append(("finished" if last else "unfinished", self.spent, row))

    def met_again(self, row: int) -> None:
        """Note that a search met an architecture that an earlier one evaluated."""
        self.notes.append(("met_again", self.spent, row))

    def restarted(self, row: int) -> None:
        """Note that a further search, with an archive and a queue of its own, begins at an architecture."""
        self.notes.append(("restarted", self.spent, row))


def queue_stays(
    record: QueueRecord,
    evaluated: Sequence[int],
    entered: Sequence[bool],
    points: Mapping[int, Sequence[float]],
    objectives: int,
) -> tuple[Stay, ...]:
    """Return all stays in the queue of a local search, in the order in which they ended.

    The queue holds what entered the archive, of its own search where there are restarts, and was neither dominated nor
    taken from it since. Of a neighbourhood, what an earlier search evaluated counts as met before the rest.

    Args:
        record: what was noted.
        evaluated: architectures in the order of their evaluation.
        entered: whether each entered the archive of all evaluations.
        points: minimised objectives of everything evaluated.
        objectives: number of objectives.
    """
    # without restarts the archive is that of all evaluations, and what did not enter that need not be looked at
    own_archives = any(kind == "restarted" for kind, _, _ in record.notes)
    queue = _Replay(points, objectives)
    done = 0
    for kind, spent, row in record.notes:
        if spent > done:
            queue.meet_all(evaluated[done:spent], None if own_archives else entered[done:spent], done)
            done = spent
        queue.follow(kind, spent, row)
    queue.meet_all(evaluated[done:], None if own_archives else entered[done:], done)
    waiting = (Stay(queue.search, row, joined, None, "waiting") for row, joined in queue.waiting.items())
    return (*queue.stays, *waiting)


class _Replay:
    """A local search's archive and queue while its evaluations and notes are gone through in their order."""

    def __init__(self, points: Mapping[int, Sequence[float]], objectives: int) -> None:
        self._points = points
        self._objectives = objectives
        self._archive = pareto_archive(objectives)
        self._unfinished: int | None = None
        self.search = 0
        self.waiting: dict[int, int] = {}
        self.stays: list[Stay] = []

    def follow(self, kind: str, spent: int, row: int) -> None:
        """Do what a note says."""
        if kind == "expanded":
            self.stays.append(Stay(self.search, row, self.waiting.pop(row), spent + 1, "expanded"))
            self._unfinished = None
        elif kind == "met_again":
            self.meet_all([row], None, spent)
        elif kind in ("unfinished", "finished"):
            self._unfinished = row if kind == "unfinished" else None
        else:
            self.search += 1
            self._archive = pareto_archive(self._objectives)

    def meet_all(self, rows: Sequence[int], candidates: Sequence[bool] | None, before: int) -> None:
        """Let architectures enter the archive and wait, unless the archive dominates them.

        Args:
            rows: in the order in which they are met, each with an evaluation of its own.
            candidates: which of them may enter; None for all.
            before: evaluations before the first.
        """
        add, points = self._archive.add, self._points
        for place, row in enumerate(rows):
            if (candidates is None or candidates[place]) and add(row, points[row]):
                self._entered(row, before + place + 1)

    def _entered(self, row: int, now: int) -> None:
        for other in [other for other in self.waiting if other not in self._archive]:
            self.stays.append(Stay(self.search, other, self.waiting.pop(other), now, "dominated"))
        self.waiting[row] = now
        if self._unfinished is not None and self._unfinished in self._archive:
            self.waiting[self._unfinished] = now
