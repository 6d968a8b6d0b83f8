"""What every test of measuring may rely on."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True)
def settings_of_the_process() -> Iterator[None]:
    """Give back what opening a device changes for the whole process: threads, cores and switches of torch."""
    threads, cudnn, matmul = torch.get_num_threads(), torch.backends.cudnn, torch.backends.cuda.matmul
    switches = (cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32)
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    yield
    torch.set_num_threads(threads)
    cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32 = switches
    if cores is not None:
        for thread in Path("/proc/self/task").iterdir():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), cores)
