"""Processes: naming one so that nobody takes another for it, whether it still lives, what memory this one took."""

import os
import resource
import socket
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process of this machine or another one.

    Attributes:
        host: name of the machine.
        boot: which start of the machine's system, and which space of process numbers (containers), ``pid`` belongs to.
        pid: number of the process.
        born: when it started, in the system's ticks, since numbers are used again.
    """

    host: str
    boot: str
    pid: int
    born: int

    @classmethod
    def this(cls) -> "Process":
        """Return the process that asks."""
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> "Process":
        """Return a process of this machine by its number."""
        return cls(socket.gethostname(), _boot(), pid, _born(pid))

    def is_gone(self) -> bool | None:
        """Return whether it has ended; None where that cannot be seen from this machine."""
        if (self.host, self.boot) != (socket.gethostname(), _boot()):
            return None
        return _born(self.pid) != self.born


def host_peak_mb() -> float:
    """Return the most memory that this process has held so far, in MB (10^6 bytes)."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6
    except (OSError, StopIteration):
        # systems without /proc; elsewhere this value would include that of the process that started this one
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def _boot() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return "unknown"


def _born(pid: int) -> int:
    """Return when a process started; -1 where there is none, or where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return -1
    # field 22; the second one, the name in brackets, may hold anything. A dead process that nobody waited for is gone
    fields = text.rpartition(")")[2].split()
    return -1 if fields[0] in "ZX" else int(fields[19])
