"""Waiting in tests for what other processes and threads do."""

import time
from collections.abc import Callable


def until(condition: Callable[[], object]) -> None:
    """Return once a condition holds; fail after a minute."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "waited for a minute"
        time.sleep(0.02)
