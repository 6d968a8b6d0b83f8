"""How much memory a training took, and how a lack of it shows."""

import resource
import sys
from pathlib import Path

import torch

MB = 1e6


def host_peak_mb() -> float:
    """Return the most memory that this process has held so far, in MB (10^6 bytes)."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / MB
    except (OSError, StopIteration):
        # systems without /proc; elsewhere this value would include that of the process that started this one
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak * (1 if sys.platform == "darwin" else 1024) / MB


def device_peak_mb(device: torch.device) -> float:
    """Return the most memory of a CUDA device that torch has given out to this process, in MB; 0 for CPUs."""
    return torch.cuda.max_memory_allocated(device) / MB if device.type == "cuda" else 0.0


LACKS = ("DefaultCPUAllocator", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
"""What errors without a class of their own say: torch's on CPUs, those of CUDA itself (page-locked memory, NCCL) and of
libraries that take memory of a GPU past torch."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in LACKS)
