"""The journal of one training: what happened when, one line an event.

It is append-only, so that it tells of every attempt, the killed ones included. Nothing decides numbers by it: it serves
the campaign's report, and the decision whether queueing again makes sense.
"""

import json
import logging
import os
import socket
import time
from pathlib import Path
from typing import Any, Literal

logger = logging.getLogger(__name__)

FILE_NAME = "history.jsonl"

Event = Literal["started", "checkpoint", "epoch", "interrupted", "requeued", "out_of_memory", "failed", "finished"]
EVENTS = ("started", "checkpoint", "epoch", "interrupted", "requeued", "out_of_memory", "failed", "finished")


class Journal:
    """Appends events to ``history.jsonl`` in a training's folder.

    Args:
        folder: state folder of the training.
        facts: plain values that every event repeats.
    """

    def __init__(self, folder: str | Path, **facts: Any) -> None:
        self.path = Path(folder) / FILE_NAME
        self._facts = {"host": socket.gethostname(), "pid": os.getpid(), "slurm_job": os.environ.get("SLURM_JOB_ID")}
        self._facts |= facts

    def add(self, event: Event, **facts: Any) -> None:
        """Append an event: ``time`` (Unix), host, process, Slurm job and the given facts.

        A journal that cannot be written costs a warning and not the training.
        """
        content = {"time": round(time.time(), 3), "event": event, **self._facts, **facts}
        line = json.dumps(content, default=str) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                size = os.fstat(handle).st_size
                # Whoever was killed in the middle of a line must not take this one with it. A line that another process
                # is writing right now can look torn too: then an empty line is left, which readers pass over, and no
                # lock is needed, which could hang a training on a shared file system.
                torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
                os.write(handle, (b"\n" if torn else b"") + line.encode())
            finally:
                os.close(handle)
        except OSError as error:
            logger.warning("The event '%s' could not be written to %s: %s", event, self.path, error)


def read_journal(folder: str | Path) -> list[dict[str, Any]]:
    """Return the events of a training, oldest first; none where there is no journal.

    Lines that are no events (torn ones, or another program's) are left out with a warning.
    """
    path = Path(folder) / FILE_NAME
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    events = []
    for number, line in enumerate(lines, start=1):
        event = _parse(line)
        if event is not None:
            events.append(event)
        elif line.strip():
            logger.warning("%s, line %d, is no event and left out", path, number)
    return events


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("event") not in EVENTS:
        return None
    moment = content.get("time")
    known = isinstance(moment, int | float) and not isinstance(moment, bool) and 0 <= moment < 1e11
    return content if known else None
