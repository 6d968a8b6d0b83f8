"""Devices that run a network and time it, behind one small interface (docs/devices.md)."""

import torch

from terranas.core.errors import ConfigError, EnvironmentLackError
from terranas.profiling.backend import open_backend
from terranas.profiling.cpu import CpuDevice
from terranas.profiling.cuda import CudaDevice
from terranas.profiling.interface import Device, HostTimedDevice, UnsupportedError

__all__ = ["CpuDevice", "CudaDevice", "Device", "HostTimedDevice", "UnsupportedError", "open_device"]


def open_device(kind: str, threads: int, backend: str | None = None) -> Device:
    """Return a device, ready to measure.

    Args:
        kind: ``cpu``, ``cuda`` or ``own``.
        threads: threads of torch on the processor.
        backend: the Python file that opens a device of one's own; for ``own`` alone.

    Raises:
        EnvironmentLackError: the machine has no such device.
        ConfigError: the backend's file breaks its interface, or ``kind`` is none of the three.
    """
    if kind == "own" and backend is not None:
        return open_backend(backend, threads)
    if kind == "cpu":
        return CpuDevice(threads)
    if kind != "cuda":
        raise ConfigError(f"profiling.device is '{kind}'; expected cpu, cuda, or own with profiling.backend.")
    if not torch.cuda.is_available():
        raise EnvironmentLackError(
            f"profiling.device is {kind}, but torch {torch.__version__} finds no CUDA device on this machine. Set "
            "profiling.device to cpu, run on a machine with an NVIDIA GPU, or install torch's CUDA build there "
            "(make TORCH=cuda)."
        )
    return CudaDevice(threads)
