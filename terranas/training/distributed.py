"""Data-parallel training: what the processes do together.

Each process runs the same loop on its share of every batch (torch's DistributedDataParallel averages the gradients).
How they are started is the business of terranas.training.launch.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from terranas.core.errors import EnvironmentLackError, TerranasError
from terranas.training.recipe import resolve_device

TIMEOUT = timedelta(minutes=20)
"""How long a process waits for the others, when they meet and later in each step.

Longer than the slowest of them may take to stage its data or to save a checkpoint; a process that died is noticed
by what started it, long before.
"""


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together; a single one needs no torch.distributed.

    Attributes:
        rank: number of this process, from 0.
        size: number of processes.
        local_rank: number of this process among those of its machine, from 0.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Ranks":
        """Return the place that torchrun, srun or :mod:`terranas.training.launch` gave this process.

        torchrun within a Slurm job sets its own names beside those of the job step it runs in, so they come first.

        Raises:
            TerranasError: the names are set to something that is no place.
        """
        for names in (("RANK", "WORLD_SIZE", "LOCAL_RANK"), ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID")):
            if names[0] in environment:
                given = ", ".join(f"{name}={environment.get(name, '')}" for name in names)
                try:
                    rank, size, local_rank = (int(environment[name]) for name in names)
                except (KeyError, ValueError) as error:
                    raise TerranasError(f"A process that trains with others needs its place, got {given}.") from error
                if not (0 <= rank < size and 0 <= local_rank <= rank):
                    raise TerranasError(f"{given} is no place among processes that train together.")
                return cls(rank, size, local_rank)
        return cls()

    def device(self, name: str) -> torch.device:
        """Return the device of this process: a GPU of its own, or the CPU.

        Args:
            name: ``auto``, ``cpu`` or ``cuda``.

        Raises:
            EnvironmentLackError: CUDA is asked for and this machine has too few devices.
        """
        # where Slurm shows each process only its own GPU, that is number 0 for all of them
        index = 0 if torch.cuda.is_available() and torch.cuda.device_count() == 1 else self.local_rank
        return resolve_device(name, index, index + 1)

    def join(self, folder: Path, device: torch.device) -> None:
        """Meet the other processes: at MASTER_ADDR where that is set, else through a file, which needs no free port.

        Args:
            folder: folder shared by the processes.
            device: decides the means of communication, nccl or gloo.

        Raises:
            EnvironmentLackError: the others did not come.
        """
        if device.type == "cuda":
            torch.cuda.set_device(device)
        method = "env://" if "MASTER_ADDR" in os.environ else f"file://{folder.absolute() / 'rendezvous'}"
        try:
            dist.init_process_group(
                "nccl" if device.type == "cuda" else "gloo",
                init_method=method,
                rank=self.rank,
                world_size=self.size,
                timeout=TIMEOUT,
            )
        except (dist.DistError, RuntimeError) as error:
            raise EnvironmentLackError(
                f"Process {self.rank} of {self.size} did not meet the others ({str(error).splitlines()[0]}). Look for "
                "the first error of another process above, and whether the machines reach each other at "
                f"{os.environ.get('MASTER_ADDR', folder)}."
            ) from error

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return the network so wrapped that gradients are averaged over the processes."""
        if self.size == 1:
            return network
        model = DistributedDataParallel(network)
        if dist.get_backend() == "gloo":
            model.register_comm_hook(None, average_in_order)
        return model

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


def average_in_order(
    _: object,
    bucket: dist.GradBucket,  # type: ignore[name-defined]
) -> torch.futures.Future[Tensor]:
    """Average the gradients of a bucket over the processes, adding up in the order of their ranks.

    torch's own way adds each part of a bucket in another order, and what lies where in its buckets is arranged anew
    after the first step of every start: with more than two processes the sums of a training that was interrupted would
    be rounded otherwise.
    """
    own = bucket.buffer()
    parts = [torch.empty_like(own) for _ in range(dist.get_world_size())]

    def average(gathered: torch.futures.Future[Any]) -> Tensor:
        gathered.value()  # raises where another process died
        total = parts[0]
        for part in parts[1:]:
            total += part
        return total.div_(len(parts))

    future: torch.futures.Future[Tensor] = dist.all_gather(parts, own, async_op=True).get_future().then(average)
    return future


def is_lost_contact(error: BaseException) -> bool:
    """Return whether an error of a step says that another process died or stopped answering."""
    if isinstance(error, dist.DistError):
        return True
    words = ("gloo", "NCCL", "ProcessGroup", "Timed out", "Connection closed by peer", "Connection reset by peer")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)
