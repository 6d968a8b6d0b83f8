"""The check of the study's own device that is quick enough for every parse of the workflow; it imports no torch."""

from pathlib import Path

from terranas.config.measuring import ProfilingConfig
from terranas.core.errors import ConfigError
from terranas.core.own_code import OwnCode


def check_backend(profiling: ProfilingConfig) -> None:
    """Check that the file of the study's own device, if it has one, exists and defines ``open_device``.

    Raises:
        ConfigError: says what was looked for and what was found.
    """
    if profiling.backend is not None:
        backend_code(profiling.backend).check()


def backend_code(file: str) -> OwnCode:
    """Return the user's file behind ``profiling.backend``."""
    return OwnCode("profiling.backend", Path(file), "open_device(threads)", "docs/devices.md", "device", ConfigError)
