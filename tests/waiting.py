"""Waiting in tests for what other processes and threads do."""

import time
from collections.abc import Callable


def until(condition: Callable[[], object]) -> None:
    """Return once a condition holds; fail after five minutes, since a machine may be busy."""
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end, "waited for five minutes"
        time.sleep(0.02)
