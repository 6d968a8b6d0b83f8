"""One log format for all scripts, and progress with the time left."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def configure_logging(path: str | Path | None = None) -> None:
    """Send log records of level INFO and above to standard error and, if given, to a new file at ``path``."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if path is not None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(path, mode="w", encoding="utf-8"))
    logging.basicConfig(level=logging.INFO, format=FORMAT, datefmt="%Y-%m-%d %H:%M:%S", handlers=handlers, force=True)
    for noisy in ("matplotlib", "fontTools", "numba", "h5py"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def format_duration(seconds: float) -> str:
    """Return a duration for people: ``0.4 s``, ``12 s``, ``3 min 05 s``, ``2 h 07 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def progress(
    items: Iterable[Item], total: int, label: str, logger: logging.Logger, *, every: float = 5.0
) -> Iterator[Item]:
    """Yield ``items``, logging at most every ``every`` seconds how many are done and the time left.

    A log line rather than a bar: the same output serves a terminal, a Slurm log and the log file of a rule.
    """
    start = last = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if done and now - last >= every:
            left = (now - start) / done * (total - done)
            logger.info(
                "%s: %d of %d (%.0f %%), %s left",
                label,
                done,
                total,
                100 * done / total,
                format_duration(left),
            )
            last = now
        yield item
    logger.info("%s: %d done in %s", label, total, format_duration(time.monotonic() - start))
