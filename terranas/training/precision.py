"""Number formats, order in memory and determinism: settings of the machine rather than of the learning."""

import os
from contextlib import AbstractContextManager

import torch

from terranas.training.status import Precision

TYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

BF16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "sve_bf16", "bf16")
"""Names that torch gives to a CPU's instructions on bf16 (x86 and Arm); without one it is emulated, at a loss."""


def resolve_precision(name: str, device: torch.device) -> Precision:
    """Return the precision that a setting stands for on a device: ``fp32``, ``bf16`` or ``fp16``."""
    for precision in TYPES:
        if name == precision:
            return precision
    if device.type == "cuda":
        with torch.cuda.device(device):
            return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    capabilities = torch.cpu.get_capabilities()
    return "bf16" if any(capabilities.get(each) for each in BF16_INSTRUCTIONS) else "fp32"


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[None]:
    """Return the context in which a forward pass computes in a precision; weights stay float32."""
    enabled = precision != "fp32"
    return torch.autocast(device.type, TYPES[precision] if enabled else torch.bfloat16, enabled=enabled)


def is_channels_last(memory_format: str) -> bool:
    """Return whether feature maps lie channels-last in memory for a setting.

    ``auto`` is channels-last everywhere: on CPUs it trained 1.1 to 2.8 times as fast for stems of 8 to 128 channels in
    fp32 and bf16 (docs/training.md), and tensor cores of GPUs work on that order, others being turned round first.
    """
    return memory_format != "contiguous"


def prepare_torch(threads: int, deterministic: bool, device: torch.device) -> None:
    """Set this process's threads and whether only deterministic algorithms may run; before any work on the device.

    On CPUs it is always so, at no cost. On CUDA, the backward pass of max-pooling has no version that torch calls
    deterministic: there it warns and goes on.
    """
    torch.set_num_threads(threads)
    cuda = device.type == "cuda"
    deterministic = deterministic or not cuda
    torch.use_deterministic_algorithms(deterministic, warn_only=cuda)
    # filling fresh memory costs time and would only guard against defects of torch
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if cuda:
        torch.backends.cudnn.deterministic = deterministic
        # trying algorithms out pays where shapes repeat, but picks by the clock
        torch.backends.cudnn.benchmark = not deterministic
        if deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
