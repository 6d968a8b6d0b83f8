"""Data-parallel training: what the processes do together, and starting them.

Each process runs the same loop on its share of every batch (torch's DistributedDataParallel averages the gradients).
They are started as ``python -m terranas.training.worker`` rather than by multiprocessing, which would run the script
that Snakemake generated a second time in each of them.
"""

import logging
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from terranas.core.errors import TerranasError

logger = logging.getLogger(__name__)

OUT_OF_MEMORY_EXIT = 77
"""Exit code of a process whose training does not fit into memory."""


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together; a single one needs no torch.distributed.

    Attributes:
        rank: number of this process, from 0.
        size: number of processes.
    """

    rank: int = 0
    size: int = 1

    @classmethod
    def from_environment(cls) -> "Ranks":
        """Return the place that :func:`run_processes` gave this process."""
        return cls(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return the network so wrapped that gradients are averaged over the processes."""
        return network if self.size == 1 else DistributedDataParallel(network)

    def all_reduce(self, tensor: Tensor) -> None:
        """Sum a tensor over the processes, in place."""
        if self.size > 1:
            dist.all_reduce(tensor)

    def share_buffers(self, network: nn.Module) -> None:
        """Give all processes the running statistics of process 0, so that they evaluate the same network."""
        if self.size > 1:
            for buffer in network.buffers():
                dist.broadcast(buffer, src=0)


ALONE = Ranks()


def join_ranks(ranks: Ranks, folder: Path, device: torch.device) -> None:
    """Join the other processes, which meet through a file: no port has to be free.

    Args:
        ranks: this process among the others.
        folder: folder shared by the processes.
        device: decides the means of communication, nccl or gloo.
    """
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        init_method=f"file://{folder.absolute() / 'rendezvous'}",
        rank=ranks.rank,
        world_size=ranks.size,
    )


def run_processes(folder: Path, processes: int) -> bool:
    """Start the workers on the job in ``folder`` and wait; their messages go into this process's log.

    When one of them ends badly, the others, which would wait for it for ever, are ended too.

    Returns:
        False when a worker said that the training does not fit into memory, else True.

    Raises:
        TerranasError: a worker failed or was killed.
    """
    receiving, sending = os.pipe()
    workers = [
        # an open standard input tells a worker that this process still lives
        subprocess.Popen(
            [sys.executable, "-m", "terranas.training.worker", str(folder)],
            env=os.environ | {"RANK": str(rank), "WORLD_SIZE": str(processes)},
            stdin=subprocess.PIPE,
            stdout=sending,
            stderr=sending,
        )
        for rank in range(processes)
    ]
    os.close(sending)
    relay = threading.Thread(target=_relay, args=(receiving,), daemon=True)
    relay.start()
    try:
        codes = _wait(workers)
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
        relay.join(timeout=10)
    if OUT_OF_MEMORY_EXIT in codes.values():
        return False
    failed = {rank: code for rank, code in codes.items() if code}
    if failed:
        rank, code = next(iter(failed.items()))
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise TerranasError(
            f"Process {rank} of the {processes} that train together {how}; the others were stopped. Its messages stand "
            "above. The next attempt goes on from the last checkpoint."
        )
    return True


def end_with_parent() -> None:
    """End this process when the one that started it ends, however it ends."""

    def watch() -> None:
        # not sys.stdin: its lock, held by this thread, would abort the interpreter when it ends
        os.read(0, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _wait(workers: list["subprocess.Popen[bytes]"]) -> dict[int, int]:
    """Return exit codes by rank once all workers have ended well or the first one has ended badly."""
    while True:
        codes = {rank: code for rank, worker in enumerate(workers) if (code := worker.poll()) is not None}
        if len(codes) == len(workers) or any(codes.values()):
            return codes
        time.sleep(0.05)


def _relay(receiving: int) -> None:
    with os.fdopen(receiving, "r", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            logger.info("%s", line.rstrip())
