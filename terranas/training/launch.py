"""Starting the processes that train together, and watching over them.

Three ways, one contract: the processes run ``python -m terranas.training.worker FOLDER``, which reads ``job.json``
there and, in process 0, writes ``result.pt``. A program of its own rather than multiprocessing, which would run the
script that Snakemake generated a second time in each of them.

``local`` starts them itself, ``torchrun`` has torch's launcher do it, ``srun`` has Slurm do it on the nodes of the job.
In all three, a process that ends badly ends the others, a request to stop (SIGUSR1, SIGTERM) reaches every process, and
none outlives the one that started it.
"""

import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from terranas.core.errors import EnvironmentLackError, TerranasError
from terranas.training.deadline import Stop

logger = logging.getLogger(__name__)

OUT_OF_MEMORY_EXIT = 77
"""Exit code of a process whose training does not fit into memory."""

INTERRUPTED_EXIT = 78
"""Exit code of a process that saved the training and stopped before its end."""

WATCHED = "TRAINING_RANKS_STARTED_BY"
"""Set for processes started here: their standard input ends when the one that started them does."""

WORKER = "terranas.training.worker"

UNHURT = ("sh", "-c", 'trap "" USR1; exec "$@"', "sh")
"""Starts a program that SIGUSR1 does not end before it listens; Slurm sends it to every process of a step."""

POLL_SECONDS = 0.1
SIGNAL_SECONDS = 5.0
LEAVE_SECONDS = 10.0

Ending = Literal["finished", "interrupted", "out_of_memory"]
Process = subprocess.Popen[bytes]


def chosen_launcher(launcher: str, nodes: int) -> str:
    """Return what starts the processes.

    Args:
        launcher: setting ``campaign.launcher``; auto: srun where a job has several nodes, else local.
        nodes: nodes of the job.

    Raises:
        EnvironmentLackError: the launcher cannot start processes on several nodes, or is not there.
    """
    if launcher == "auto":
        launcher = "srun" if nodes > 1 else "local"
    if nodes > 1 and launcher != "srun":
        raise EnvironmentLackError(
            f"campaign.launcher {launcher} starts processes on one node, the job has {nodes}. Use srun or auto."
        )
    if launcher == "srun" and (shutil.which("srun") is None or "SLURM_JOB_ID" not in os.environ):
        raise EnvironmentLackError(
            "campaign.launcher srun starts processes within a Slurm job, but there is no "
            + ("program srun here." if shutil.which("srun") is None else "job here (SLURM_JOB_ID is not set).")
            + " Use local or torchrun, or submit the training (snakemake --profile slurm)."
        )
    return launcher


@contextmanager
def meeting_folder(launcher: str, shared: Path) -> Iterator[Path]:
    """Yield an empty folder that all processes see and that is removed afterwards.

    Args:
        launcher: what :func:`chosen_launcher` returned. srun's processes may be on other machines; all others meet on
            this machine's own disk, by a locked file, which cluster file systems may not offer.
        shared: a folder on the file system that the nodes share.
    """
    if launcher == "srun":
        shared.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="terranas.", dir=shared if launcher == "srun" else None) as name:
        yield Path(name)


def run_processes(
    folder: Path,
    processes: int,
    *,
    launcher: str = "local",
    nodes: int = 1,
    threads: int = 1,
    stop: Stop | None = None,
    report: Callable[[dict[str, Any]], None] | None = None,
) -> Ending:
    """Start the workers on the job in ``folder`` and wait; their messages go into this process's log.

    Args:
        folder: holds ``job.json``; made by :func:`meeting_folder`.
        processes: number of processes on all nodes together.
        launcher: ``local``, ``torchrun`` or ``srun``.
        nodes: nodes of the job, each with equally many processes.
        threads: threads of torch in a process.
        stop: a request that it received is passed on to the processes; they know the deadline themselves.
        report: gets what process 0 reports of its progress.

    Returns:
        ``finished``; ``interrupted`` where a request to stop or the deadline ended it (``result.pt`` is missing where
        the processes ended before they could save themselves: the last checkpoint holds then); ``out_of_memory``.

    Raises:
        TerranasError: a worker failed or was killed.
        EnvironmentLackError: the processes do not spread evenly over the nodes.
    """
    if processes % nodes:
        raise EnvironmentLackError(
            f"training.processes is {processes}, which cannot be spread evenly over {nodes} nodes."
        )
    receiving, sending = os.pipe()
    started = [
        # an open standard input tells a worker that this process still lives
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=sending, stderr=sending)
        for command, environment in _commands(folder, processes, launcher, nodes, threads)
    ]
    os.close(sending)
    relay = threading.Thread(target=_relay, args=(receiving,), daemon=True)
    relay.start()
    reported = _Reported(folder, report)
    try:
        codes = _wait(started, folder, launcher, stop, reported)
    finally:
        for process in started:
            _end(process, at_once=launcher == "local")
        relay.join(timeout=LEAVE_SECONDS)
    reported.hand_on()
    left = _left_codes(folder, processes)
    if launcher == "local":
        # one that lost contact may have been seen to end before the one that it lost
        return _ending(left | codes, processes, launcher, stop)
    # the launcher's own code says nothing about a process that left none
    missing = dict.fromkeys(range(processes), codes[0] or 1)
    return _ending(missing | left, processes, launcher, stop)


def leave(folder: Path, rank: int, code: int) -> int:
    """Return the code to exit with, and leave a worker's own one where the parent finds it.

    A launcher between the two only tells that one failed. It takes every code but 0 for a failure and ends the others,
    which may not have come to their end yet; so an interrupted training ends well there.
    """
    (folder / f"rank{rank}.exit").write_text(str(code), encoding="ascii")
    between = "TORCHELASTIC_RUN_ID" in os.environ or "RANK" not in os.environ
    return 0 if between and code == INTERRUPTED_EXIT else code


def note_process(folder: Path, rank: int) -> None:
    """Leave a worker's number where the parent finds it, to pass signals on."""
    (folder / f"rank{rank}.pid").write_text(str(os.getpid()), encoding="ascii")


def write_progress(folder: Path, facts: Mapping[str, Any]) -> None:
    """Tell the parent how far the training is; every call is handed on, in order."""
    with (folder / "progress.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(dict(facts)) + "\n")


def end_with_parent() -> None:
    """End this process when the one that started it ends, however it ends."""

    def watch() -> None:
        # not sys.stdin: its lock, held by this thread, would abort the interpreter when it ends
        while os.read(0, 1 << 10):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def slurm_address(environment: Mapping[str, str] = os.environ) -> tuple[str, int]:
    """Return where the processes of a Slurm job meet: its first host, and a port derived from its number.

    Raises:
        EnvironmentLackError: the job's hosts cannot be told.
    """
    nodes, job = environment.get("SLURM_JOB_NODELIST", ""), environment.get("SLURM_JOB_ID", "")
    try:
        # Snakemake's Slurm plugin leaves a job little more than its number
        nodes = nodes or _told_by("squeue", "--noheader", f"--jobs={job}", "--format=%N").strip()
        # below the ports that systems give to outgoing connections; jobs that share a node have different numbers
        port = 10_000 + int(job) % 20_000
        host = _told_by("scontrol", "show", "hostnames", nodes).split()[0]
        with suppress(OSError):
            socket.getaddrinfo(host, port)
            return host, port
        # Slurm's name of a node need not be one that the network knows
        address = re.search(r"NodeAddr=(\S+)", _told_by("scontrol", "show", "node", host))
        return (address.group(1) if address else host), port
    except (OSError, subprocess.SubprocessError, IndexError, ValueError) as error:
        raise EnvironmentLackError(
            f"The hosts of Slurm job '{job}' cannot be told from SLURM_JOB_NODELIST='{nodes}' ({error}). Run within a "
            "job whose nodes have the programs squeue and scontrol."
        ) from error


def _told_by(*program: str) -> str:
    return subprocess.run(program, capture_output=True, text=True, check=True, timeout=60).stdout


def _commands(
    folder: Path, processes: int, launcher: str, nodes: int, threads: int
) -> list[tuple[list[str], dict[str, str]]]:
    """Return the programs to start, each with its environment."""
    worker = ["-m", WORKER, str(folder)]
    own = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    environment = {name: value for name, value in os.environ.items() if name not in own and "TORCHELASTIC" not in name}
    environment |= {WATCHED: str(os.getpid()), "OMP_NUM_THREADS": str(threads)}
    if launcher == "torchrun":
        run = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
        return [([*UNHURT, *run, *worker], environment)]
    if launcher == "srun":
        host, port = slurm_address()
        environment |= {"MASTER_ADDR": host, "MASTER_PORT": str(port)}
        step = [
            "srun",
            f"--nodes={nodes}",
            f"--ntasks={processes}",
            f"--ntasks-per-node={processes // nodes}",
            "--kill-on-bad-exit=1",
            # this process is a step already, which holds the job's processors: the new one shares all of them
            "--overlap",
            "--overcommit",
            "--cpu-bind=none",
        ]
        return [([*UNHURT, *step, sys.executable, *worker], environment)]
    return [
        (
            [*UNHURT, sys.executable, *worker],
            environment | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes)},
        )
        for rank in range(processes)
    ]


def _wait(
    started: list[Process],
    folder: Path,
    launcher: str,
    stop: Stop | None,
    reported: "_Reported",
) -> dict[int, int]:
    """Return exit codes by rank once all have ended well or the first one has ended badly."""
    signalled = 0.0
    while True:
        codes = {rank: code for rank, process in enumerate(started) if (code := process.poll()) is not None}
        if len(codes) == len(started) or any(code not in (0, INTERRUPTED_EXIT) for code in codes.values()):
            return codes
        reason = stop.reason() if stop is not None else ""
        # they know the deadline themselves; again and again, since one that is still starting up does not listen yet
        if reason not in ("", "time limit") and time.monotonic() - signalled > SIGNAL_SECONDS:
            signalled = time.monotonic()
            _signal(started, folder, launcher, signal.SIGUSR1 if reason == "SIGUSR1" else signal.SIGTERM)
        reported.hand_on()
        time.sleep(POLL_SECONDS)


def _signal(started: list[Process], folder: Path, launcher: str, number: signal.Signals) -> None:
    if launcher == "torchrun":
        # not by way of torch's launcher, which would give them no time
        for path in folder.glob("rank*.pid"):
            with suppress(OSError, ValueError):
                os.kill(int(path.read_text(encoding="ascii")), number)
        return
    for process in started:  # srun passes a signal on to its processes
        process.send_signal(number)


def _end(process: Process, *, at_once: bool) -> None:
    """End a process; one that started others first gets the time to take them along."""
    if process.stdin is not None:
        process.stdin.close()  # the workers behind it see that and end
    if not at_once:
        with suppress(subprocess.TimeoutExpired):
            process.wait(LEAVE_SECONDS)
            return
    process.kill()
    process.wait()


def _left_codes(folder: Path, processes: int) -> dict[int, int]:
    """Return the exit codes that workers left, by rank."""
    codes = {}
    for rank in range(processes):
        with suppress(OSError, ValueError):
            codes[rank] = int((folder / f"rank{rank}.exit").read_text(encoding="ascii"))
    return codes


def _ending(codes: Mapping[int, int], processes: int, launcher: str, stop: Stop | None) -> Ending:
    if OUT_OF_MEMORY_EXIT in codes.values():
        return "out_of_memory"
    failed = {rank: code for rank, code in codes.items() if code not in (0, INTERRUPTED_EXIT)}
    if not failed:
        return "interrupted" if INTERRUPTED_EXIT in codes.values() else "finished"
    if stop is not None and (reason := stop.reason()):
        logger.warning("The processes ended by themselves when asked to stop (%s); the last checkpoint holds", reason)
        return "interrupted"
    # a killed one first: those that lost contact with it may have ended in the same moment
    rank, code = min(failed.items(), key=lambda item: item[1] >= 0)
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    # a launcher tells that one of them failed, and not always which
    who = f"Process {rank} of the {processes}" if launcher == "local" else f"{launcher} with the {processes} processes"
    raise TerranasError(
        f"{who} that train together {how}; the others were stopped. The messages stand above. The next attempt goes on "
        "from the last checkpoint."
    )


class _Reported:
    """What process 0 reports, read as it grows."""

    def __init__(self, folder: Path, report: Callable[[dict[str, Any]], None] | None) -> None:
        self._path = folder / "progress.jsonl"
        self._report = report
        self._read = 0

    def hand_on(self) -> None:
        """Hand on what is new."""
        if self._report is None or not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if line.endswith(b"\n"):  # the last one may be half written
                    self._read += len(line)
                    self._report(json.loads(line))


def _relay(receiving: int) -> None:
    with os.fdopen(receiving, "r", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            logger.info("%s", line.rstrip())
