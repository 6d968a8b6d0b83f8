"""Queues of local searches, from the stays in them."""

from collections.abc import Iterable

from terranas.search.queue_record import Stay


def waiting_at(stays: Iterable[Stay], evaluation: int) -> list[int]:
    """Return what waits after an evaluation, before anything further is taken from the queue."""
    return sorted(
        stay.row for stay in stays if stay.joined <= evaluation and (stay.left is None or stay.left > evaluation)
    )
