"""NVIDIA's management library: opened for a question and closed again, or held open for many questions to one GPU."""

import importlib
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def opened_nvml() -> Iterator[Any]:
    """Yield the library; None where there is none, or no driver. Its own errors (``NVMLError``) are the caller's."""
    nvml = _start()
    try:
        yield nvml
    finally:
        if nvml is not None:
            nvml.nvmlShutdown()


class Gpu:
    """One GPU, with the library held open as long as this object lives, since opening it takes milliseconds.

    Args:
        uuid: the device's UUID as torch gives it, without a prefix. The library counts devices otherwise than CUDA
            where ``CUDA_VISIBLE_DEVICES`` is set, so that an index would name another device.
    """

    def __init__(self, uuid: str) -> None:
        self._nvml = _start()
        self._handle: Any = None
        if self._nvml is not None:
            weakref.finalize(self, self._nvml.nvmlShutdown)
            # a slice of a device (MIG) has a name of its own kind
            names = [uuid] if uuid.startswith(("GPU-", "MIG-")) else [f"GPU-{uuid}", f"MIG-{uuid}"]
            handles = (self._query(self._nvml.nvmlDeviceGetHandleByUUID, name) for name in names)
            self._handle = next((handle for handle in handles if handle is not None), None)

    def ask(self, question: Callable[[Any, Any], Any]) -> Any:
        """Return ``question(library, handle)``; None without the library or the device, or where it does not answer."""
        return None if self._handle is None else self._query(question, self._nvml, self._handle)

    def _query(self, question: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return question(*arguments)
        except self._nvml.NVMLError:
            return None


def _start() -> Any:
    """Return the library, opened, or None."""
    try:
        nvml: Any = importlib.import_module("pynvml")
        nvml.nvmlInit()
    except Exception:  # the library's own error class cannot be named when it is missing
        return None
    return nvml
