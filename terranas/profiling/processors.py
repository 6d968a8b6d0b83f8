"""Which cores of the processor a measurement uses, and how many it may."""

import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import torch

logger = logging.getLogger(__name__)

CPUS = Path("/sys/devices/system/cpu")


def pin_threads(threads: int) -> None:
    """Set torch's threads and bind this process and all its threads to as many cores, where the system can.

    The cores are chosen among those that the process may use (``choose_processors``). Processes it starts inherit the
    binding, and nothing takes it back. macOS has no such binding; there the system moves threads as it likes.
    """
    torch.set_num_threads(threads)
    allowed = allowed_processors()
    if allowed is None:
        return
    if len(allowed) < threads:
        logger.warning(
            "profiling.threads is %d, but this process may use %d cores only; threads will wait for each other.",
            threads,
            len(allowed),
        )
    chosen = choose_processors(allowed, threads)
    # the system binds single threads, and those that torch has started already would keep theirs
    for thread in Path("/proc/self/task").iterdir():
        try:
            os.sched_setaffinity(int(thread.name), chosen)
        except ProcessLookupError:  # it has ended
            continue
        except OSError as error:
            logger.warning("The system does not let this process bind its threads to cores (%s).", error.strerror)
            return


def allowed_processors() -> list[int] | None:
    """Return the logical processors that this process may use, ascending; None where the system does not say."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def choose_processors(allowed: Iterable[int], count: int, cpus: Path = CPUS) -> list[int]:
    """Return ``count`` of the allowed logical processors, or all where there are fewer.

    One of each physical core comes first, in ascending order, which on processors with cores of two speeds begins with
    the fast ones; second threads of a core are taken only when all cores are.

    Args:
        allowed: numbers of logical processors.
        count: how many to choose.
        cpus: where Linux tells which of them share a core; where it does not, each counts as a core.
    """
    firsts: list[int] = []
    seconds: list[int] = []
    cores: set[str | int] = set()
    for number in sorted(allowed):
        core: str | int = number
        with suppress(OSError):
            core = (cpus / f"cpu{number}/topology/thread_siblings_list").read_text(encoding="ascii").strip()
        (seconds if core in cores else firsts).append(number)
        cores.add(core)
    return sorted((firsts + seconds)[:count])


def processor_quota(cgroup: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Return how many cores' time the process may use at most; None without such a limit.

    It is the smallest ``cpu.max`` on the way from the process's control group (version 2) up to the root, as batch
    systems and containers set it. A process over it is stopped for the rest of each tenth of a second.
    """
    quotas = []
    with suppress(OSError):
        for line in cgroup.read_text(encoding="utf-8").splitlines():
            if line.startswith("0::/"):
                own = root / line.removeprefix("0::/")
                for folder in (own, *own.parents[: len(own.relative_to(root).parts)]):
                    with suppress(OSError, ValueError):
                        quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
                        quotas.append(int(quota) / int(period))  # "max" is no number: no limit
    return min(quotas, default=None)
