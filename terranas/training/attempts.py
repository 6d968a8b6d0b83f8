"""The attempts at a training, one process's go each, as its journal and its leases tell of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from terranas.training.lease import Holder

Ending = Literal["running", "finished", "interrupted", "failed", "killed"]


@dataclass(frozen=True)
class Attempt:
    """One process's go at a training.

    Attributes:
        start: Unix time of its start.
        end: Unix time of its end, or of its last sign of life.
        ending: how it ended; ``killed`` where it could not say.
        reason: what it said of its end.
        requeued: whether its job was put back into the queue.
        processes: processes that trained together.
        energy: joules that its GPUs took; None where that is not known.
        wasted: seconds of work that no checkpoint kept.
        host: its machine.
    """

    start: float
    end: float
    ending: Ending
    reason: str
    requeued: bool
    processes: int
    energy: float | None
    wasted: float
    host: str

    @property
    def seconds(self) -> float:
        """How long it took."""
        return max(0.0, self.end - self.start)


def attempts_of(events: Sequence[Mapping[str, Any]], leases: Sequence[Holder], alive: bool) -> list[Attempt]:
    """Return the attempts that a journal tells of, oldest first.

    Args:
        events: the journal.
        leases: the leases, whose last sign of life tells when a killed attempt ended.
        alive: whether the last attempt still runs.
    """
    starts = [index for index, event in enumerate(events) if event["event"] == "started"]
    attempts = []
    for number, start in enumerate(starts):
        last = number == len(starts) - 1
        own = events[start:] if last else events[start : starts[number + 1]]
        attempts.append(_attempt(own, leases, alive and last))
    return attempts


def _attempt(events: Sequence[Mapping[str, Any]], leases: Sequence[Holder], alive: bool) -> Attempt:
    first, names = events[0], [event["event"] for event in events]
    said: Sequence[Ending] = ("finished", "interrupted", "failed")
    endings = [ending for ending in said if ending in names]
    ending: Ending = endings[0] if endings else ("running" if alive else "killed")
    start = float(first["time"])
    beats = [
        lease.heartbeat
        for lease in leases
        if (lease.host, lease.pid) == (first.get("host"), first.get("pid")) and lease.acquired <= start + 1
    ]
    told = [event for event in events if event["event"] == ending] if endings else []
    end = float(told[-1]["time"]) if told else max([float(events[-1]["time"]), *beats[-1:]])
    saved = [float(event["time"]) for event in events if event["event"] == "checkpoint"]
    energies = [event["energy_joule"] for event in events if isinstance(event.get("energy_joule"), int | float)]
    processes = first.get("processes")
    return Attempt(
        start=start,
        end=end,
        ending=ending,
        reason=str(told[-1].get("reason", "")) if told else "",
        requeued="requeued" in names,
        processes=processes if isinstance(processes, int) and processes > 0 else 1,
        energy=sum(energies) if energies else None,
        wasted=max(0.0, end - max([start, *saved])) if ending in ("failed", "killed") else 0.0,
        host=str(first.get("host", "")),
    )
