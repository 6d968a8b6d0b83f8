"""What a machine says about itself, so that a measurement can be judged later.

Every description has the same keys; what a machine does not tell is None. Neither the machine's nor a person's name is
among them: records are meant to be passed on.
"""

import platform
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import torch

import terranas
from terranas.core.nvml import Gpu
from terranas.core.repository import git_state
from terranas.profiling.observation import load_average
from terranas.profiling.processors import CPUS, allowed_processors, processor_quota

Description = dict[str, str | float | int | bool | None]

_ASKED: dict[str, Callable[[Any, Any], Any]] = {
    "driver": lambda nvml, _: nvml.nvmlSystemGetDriverVersion(),
    "sm_clock_mhz": lambda nvml, gpu: nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_SM),
    "sm_clock_max_mhz": lambda nvml, gpu: nvml.nvmlDeviceGetMaxClockInfo(gpu, nvml.NVML_CLOCK_SM),
    "memory_clock_mhz": lambda nvml, gpu: nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_MEM),
    "memory_clock_max_mhz": lambda nvml, gpu: nvml.nvmlDeviceGetMaxClockInfo(gpu, nvml.NVML_CLOCK_MEM),
    "power_limit_w": lambda nvml, gpu: nvml.nvmlDeviceGetEnforcedPowerLimit(gpu) / 1000,  # from milliwatts
}
_GPU_KEYS = ("gpu", "compute_capability", "cuda", "cudnn", *_ASKED)


def describe_host(cpus: Path = CPUS) -> Description:
    """Return the processor and its state, what torch uses of it, the system and the versions, and an empty GPU.

    Args:
        cpus: where Linux tells of its processors.
    """
    used = allowed_processors()
    code = git_state(Path(terranas.__file__).resolve().parents[1])
    host: Description = {
        "cpu": processor_name(),
        "cores": psutil.cpu_count(logical=False),
        "logical_processors": psutil.cpu_count(),
        "affinity": None if used is None else number_ranges(used),
        "cpu_quota": processor_quota(),
        "threads": torch.get_num_threads(),
        "governor": _read_line(cpus / f"cpu{used[0] if used else 0}/cpufreq/scaling_governor"),
        **_frequency(),
        "load_average": load_average(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "terranas": terranas.__version__,
        "commit": code["commit"] if code else None,
        "is_edited": code["dirty"] if code else None,
    }
    return host | dict.fromkeys(_GPU_KEYS)


def describe_gpu(gpu: Gpu) -> Description:
    """Return the GPU's keys of a description, from torch and from NVIDIA's management library.

    Where that library is missing or refuses a question, the value is None; measuring goes on without it.

    Args:
        gpu: torch's current device.
    """
    versions: Description = {
        "gpu": torch.cuda.get_device_name(),
        "compute_capability": ".".join(map(str, torch.cuda.get_device_capability())),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
    }
    return versions | {key: gpu.ask(question) for key, question in _ASKED.items()}


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


def number_ranges(numbers: list[int]) -> str:
    """Return ascending numbers as Linux writes lists of processors: ``0-2,5``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _frequency() -> Description:
    """Return the processor's clock now and at most, over all cores; 0 stands for 'unknown' in what is asked."""
    told = None
    with suppress(OSError, NotImplementedError, RuntimeError, AttributeError):  # as systems differ
        told = psutil.cpu_freq()
    return {
        "cpu_mhz": (told.current or None) if told else None,
        "cpu_max_mhz": (told.max or None) if told else None,
    }


def _read_line(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return None
