"""How much memory a training took, and how a lack of it shows."""

import torch

MB = 1e6


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
