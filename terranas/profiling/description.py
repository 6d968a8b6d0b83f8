"""What a machine says about itself, so that a measurement can be judged later.

Every description has the same keys; what a machine does not tell is None.
"""

import os
import platform
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from terranas.core.nvml import opened_nvml

Description = dict[str, str | float | int | None]

_GPU_KEYS = ("gpu", "driver", "cuda", "cudnn", "sm_clock_mhz", "memory_clock_mhz", "power_limit_w")


def describe_host() -> Description:
    """Return processor, frequency governor, load average over one minute, torch and its threads, and an empty GPU."""
    host: Description = {
        "cpu": processor_name(),
        "governor": _read_line(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        "load_average": round(os.getloadavg()[0], 2),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }
    return host | dict.fromkeys(_GPU_KEYS)


def describe_gpu(uuid: str) -> Description:
    """Return the GPU's keys of a description, from torch and from NVIDIA's management library.

    Where that library is missing or refuses a query, the value is None; measuring goes on without it.

    Args:
        uuid: the device's UUID as torch gives it. The library counts devices otherwise than CUDA where
            ``CUDA_VISIBLE_DEVICES`` is set, so that an index would name another device.
    """
    versions: Description = {
        "gpu": torch.cuda.get_device_name(),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
    }
    return versions | _management_state(uuid)


def _management_state(uuid: str) -> Description:
    state: Description = dict.fromkeys(("driver", "sm_clock_mhz", "memory_clock_mhz", "power_limit_w"))
    with opened_nvml() as nvml:
        if nvml is None:
            return state
        try:
            handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
        except nvml.NVMLError:
            return state
        queries: dict[str, Callable[[], Any]] = {
            "driver": nvml.nvmlSystemGetDriverVersion,
            "sm_clock_mhz": lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM),
            "memory_clock_mhz": lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_MEM),
            "power_limit_w": lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1000,  # from milliwatts
        }
        for key, query in queries.items():
            with suppress(nvml.NVMLError):
                state[key] = query()
    return state


def processor_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's model name on Linux or macOS, else what Python knows of it."""
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip():
                return value.strip()
    elif platform.system() == "Darwin":
        asked = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
        )
        if asked.returncode == 0 and asked.stdout.strip():
            return asked.stdout.strip()
    return platform.processor() or platform.machine()


def _read_line(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return None
