"""Devices that users write; what breaks the interface is told as the backend's error."""

import inspect
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terranas.core.own_code import OwnCode
from terranas.profiling.description import Description
from terranas.profiling.interface import Device, UnsupportedError
from terranas.profiling.observation import Observation
from terranas.profiling.precheck import backend_code
from terranas.profiling.settings import Condition, Precision
from terranas.training.memory import is_out_of_memory

ATTRIBUTES: dict[str, type] = {"kind": str, "name": str, "torch_device": torch.device, "counts_memory": bool}
FUNCTIONS = tuple(name for name, value in vars(Device).items() if inspect.isfunction(value) and name[0] != "_")


def open_backend(file: str, threads: int) -> "OwnDevice":
    """Run a user's Python file and return the device that its ``open_device(threads)`` opens.

    Args:
        file: the Python file.
        threads: threads of torch on the processor, handed on.

    Raises:
        ConfigError: the file cannot be run, or what it returns lacks a part of the interface.
    """
    code = backend_code(file)
    return OwnDevice(code.call(threads), code)


class OwnDevice:
    """A user's device, every answer of which is checked; the methods are those of ``Device``.

    Errors of the user's code become a ``ConfigError`` that names file and line. What measuring sorts itself passes:
    ``UnsupportedError`` and a lack of memory.

    Args:
        device: what the user's function returned.
        code: the user's file.

    Raises:
        ConfigError: the device lacks a part of the interface, or calls itself like a built-in one.
    """

    kind: str
    name: str
    torch_device: torch.device
    counts_memory: bool

    def __init__(self, device: Any, code: OwnCode) -> None:
        self._device = device
        self._code = code
        lacking = [name for name in ATTRIBUTES if not hasattr(device, name)]
        lacking += [f"{name}()" for name in FUNCTIONS if not callable(getattr(device, name, None))]
        if lacking:
            raise code.wrong(
                f"open_device gave a {type(device).__name__}, which lacks {', '.join(lacking)}; a class that inherits "
                "from terranas.profiling.devices.HostTimedDevice has them all"
            )
        for name, expected in ATTRIBUTES.items():
            value = getattr(device, name)
            if not isinstance(value, expected) or value == "":
                raise code.wrong(f"the device's {name} is {value!r}; expected a {expected.__name__}")
            setattr(self, name, value)
        if self.kind in ("cpu", "cuda"):
            raise code.wrong(
                f"the device calls its kind {self.kind}, so that its records would be taken for those of the built-in "
                "device; give it another name"
            )

    def describe(self) -> Description:
        """Return the device's description, which JSON must be able to hold."""
        told = self._ask("describe")
        try:
            json.dumps(told, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise self._code.wrong(f"describe() gave what JSON cannot hold ({error})") from error
        described: Description = self._of_type("describe", told, dict)
        return described

    def use_precision(self, precision: Precision) -> None:
        """See ``Device``."""
        self._ask("use_precision", precision)

    def prepare(self, network: nn.Module, images: Tensor, condition: Condition) -> Callable[[], Tensor]:
        """See ``Device``."""
        run: Callable[[], Tensor] = self._ask("prepare", network, images, condition)
        if not callable(run):
            raise self._code.wrong(f"prepare() gave a {type(run).__name__}; expected a function without arguments")
        return run

    def time_runs(
        self, run: Callable[[], object], count: int, observe: Callable[[], None] = lambda: None
    ) -> NDArray[np.float64]:
        """See ``Device``; the times must be as many as asked for, and above 0."""
        told = self._ask("time_runs", run, count, observe)
        with self._code.told("the times of time_runs() were read"):
            times = np.asarray(told, dtype=np.float64)
        if times.shape != (count,):
            raise self._code.wrong(f"time_runs() gave times of shape {times.shape}; expected ({count},)")
        if not (np.isfinite(times).all() and (times >= 0).all()):
            raise self._code.wrong("time_runs() gave times that are negative or not finite")
        return times

    def finish(self) -> None:
        """See ``Device``."""
        self._ask("finish")

    def observe(self) -> Observation:
        """See ``Device``."""
        seen: Observation = self._of_type("observe", self._ask("observe"), Observation)
        return seen

    def energy_joules(self) -> float | None:
        """See ``Device``."""
        told = self._ask("energy_joules")
        return None if told is None else float(self._of_type("energy_joules", told, (float, int)))

    def reset_peak_memory(self) -> None:
        """See ``Device``."""
        self._ask("reset_peak_memory")

    def peak_memory_bytes(self) -> float:
        """See ``Device``."""
        return float(self._of_type("peak_memory_bytes", self._ask("peak_memory_bytes"), (float, int)))

    def _ask(self, name: str, *arguments: Any) -> Any:
        with self._code.told(f"{name}() was called", passes=_is_sorted_later):
            return getattr(self._device, name)(*arguments)

    def _of_type(self, name: str, told: Any, expected: type | tuple[type, ...]) -> Any:
        if not isinstance(told, expected):
            names = " or ".join(each.__name__ for each in (expected if isinstance(expected, tuple) else (expected,)))
            raise self._code.wrong(f"{name}() gave a {type(told).__name__}; expected a {names}")
        return told


def _is_sorted_later(error: Exception) -> bool:
    return isinstance(error, UnsupportedError) or is_out_of_memory(error)
