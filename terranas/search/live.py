"""Live search: a search whose evaluations are trainings, made in rounds, recorded in a journal, and replayed from it.

Nothing here knows where values come from. After a stop at any moment the same search, with the same random numbers, is
told what the journal holds and asks for what comes next.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from terranas.core.pareto import Direction, to_minimise
from terranas.search.driver import Search, SearchDriver, SearchRun
from terranas.search.live_journal import Evaluation, JournalError, LiveJournal
from terranas.search.queue_record import QueueRecord

Train = Callable[[Sequence[str]], tuple[list[str], NDArray[np.float64]]]
"""Takes k names of architectures and returns their outcomes and objectives in their own directions, shape (k, m)."""

Watch = Callable[[SearchRun], None]
"""Is told how far a search is, whenever the search has learned something new."""


def run_live(
    search: Search,
    names: Sequence[str],
    directions: Sequence[Direction],
    journal: LiveJournal,
    train: Train,
    *,
    budget: int,
    batch: int,
    watch: Watch,
    queue: QueueRecord | None = None,
) -> SearchRun:
    """Run a search to its end or until the budget is spent, from where its journal ends.

    An architecture whose training fails counts to the budget: it was paid for. Smaller rounds change nothing but how
    often the journal is written.

    Args:
        search: the search, not started yet, with the random generator that it had when the journal was begun.
        names: names of the architectures of the space, n.
        directions: which way each of the m objectives is better.
        journal: what is evaluated already; every round is added to it.
        train: evaluates a round.
        budget: architectures that may be evaluated, at least 1.
        batch: most architectures of a round; what the search asks for at once is cut to it.
        watch: told how far the search is.
        queue: where the search notes what happens to its queue; None where it has none.

    Returns:
        The record, the same whether the search ran in one go or was stopped.

    Raises:
        JournalError: the search asks for other architectures than its journal holds.
    """
    driver = SearchDriver(search, budget, len(directions), charge_missing=True, queue=queue)
    replayed = 0
    while len(rows := driver.ask()):
        asked = [names[row] for row in rows]
        known = journal.evaluations[replayed : replayed + len(asked)]
        _require_asked(journal, [evaluation.architecture for evaluation in known], asked)
        for start in range(len(known), len(asked), batch):
            piece = asked[start : start + batch]
            outcomes, values = train(piece)
            number = journal.rounds + 1
            journal.add(
                [
                    Evaluation(number, name, outcome, tuple(point))
                    for name, outcome, point in zip(piece, outcomes, values.tolist(), strict=True)
                ]
            )
        told = journal.evaluations[replayed : replayed + len(asked)]
        driver.tell(to_minimise(np.array([evaluation.values for evaluation in told]), directions))
        replayed += len(asked)
        if len(known) < len(asked):
            watch(driver.run())
    return driver.run()


def _require_asked(journal: LiveJournal, recorded: Sequence[str], asked: Sequence[str]) -> None:
    for there, here in zip(recorded, asked, strict=False):
        if there != here:
            raise JournalError(
                f"The journal {journal.path} evaluates {there} where the search asks for {here}: it was written by "
                "another version of the search, or changed by hand. Move it away and search again; what is trained is "
                "not trained again."
            )
