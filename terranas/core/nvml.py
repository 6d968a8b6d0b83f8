"""NVIDIA's management library, opened for a question and closed again."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def opened_nvml() -> Iterator[Any]:
    """Yield the library; None where there is none, or no driver. Its own errors (``NVMLError``) are the caller's."""
    try:
        nvml: Any = importlib.import_module("pynvml")
        nvml.nvmlInit()
    except Exception:  # the library's own error class cannot be named when it is missing
        nvml = None
    try:
        yield nvml
    finally:
        if nvml is not None:
            nvml.nvmlShutdown()
