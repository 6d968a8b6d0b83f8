"""Peak memory on the host: the largest resident set of a fresh process that builds a network and runs one batch.

A process that has run other networks before keeps memory of them, so each measurement needs one of its own. Starting
Python and torch anew takes seconds. Therefore a server process imports them once and computes nothing; it forks a child
for each measurement, which takes some hundredths of a second. The server is a program of its own rather than one of
multiprocessing's, whose children would run the script that Snakemake generated a second time; and it ends when its
standard input does, so that it does not outlive a killed session.
"""

import json
import os
import select
import signal
import subprocess
import sys
import traceback
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, NoReturn

import torch

from terranas.core.processes import host_peak_mb
from terranas.profiling.networks import DTYPES, MEMORY_FORMATS, build_network, convert
from terranas.profiling.settings import Condition, Settings
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape
from terranas.training.memory import is_out_of_memory

TIMEOUT_SECONDS = 900.0
"""After so long a measurement is given up; the largest networks take seconds."""

_MODULE = "terranas.profiling.memory"


@dataclass(frozen=True)
class HostMemory:
    """What a fresh process says about its memory.

    Attributes:
        outcome: ``ok``, ``out_of_memory``, or ``failed`` where it ended in another way.
        peak_bytes: largest resident set; NaN unless ``outcome`` is ``ok``.
        baseline_bytes: the same before the network was built, which is Python and torch; NaN unless ``ok``.
        reason: what happened, where it failed.
    """

    outcome: Literal["ok", "out_of_memory", "failed"]
    peak_bytes: float = float("nan")
    baseline_bytes: float = float("nan")
    reason: str = ""


class MemoryServer:
    """Measures networks in processes of their own; the server starts with the first one.

    Args:
        shape: the network around each cell.
        settings: threads and memory format.
        seed: the study's seed.
        timeout: seconds after which a measurement is given up.
    """

    def __init__(self, shape: NetworkShape, settings: Settings, seed: int, timeout: float = TIMEOUT_SECONDS) -> None:
        self._request = {
            "shape": asdict(shape),
            "threads": settings.threads,
            "memory_format": settings.memory_format,
            "seed": seed,
            "timeout": timeout,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._end: weakref.finalize[..., Any] | None = None

    def measure(self, cell: Cell, condition: Condition, weights: Path | None = None) -> HostMemory:
        """Return the memory that one batch takes; never raises for what the child does.

        Args:
            cell: the architecture.
            condition: batch size, precision, and whether to fold; a graph is not made.
            weights: file of trained weights.
        """
        request = self._request | {
            "cell": [cell.adjacency_string, cell.operations_string],
            "condition": asdict(condition),
            "weights": None if weights is None else str(weights.absolute()),
        }
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        answer = b""
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        if answer:
            return HostMemory(**json.loads(answer))
        code = process.wait()
        self.close()
        if code == -signal.SIGKILL:  # the system ended the server instead of its child
            return HostMemory("out_of_memory")
        return HostMemory("failed", reason=f"the process that starts others ended with code {code}")

    def close(self) -> None:
        """End the server; the next measurement starts another one."""
        if self._end is not None:
            self._end()
        self._process = self._end = None

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            # a fork must find no other threads, which libraries start where they are told of several cores
            environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"from {_MODULE} import serve; serve()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                start_new_session=True,  # a key that interrupts the session ends it in order
            )
            self._end = weakref.finalize(self, _end, self._process)
        return self._process


def _end(process: "subprocess.Popen[bytes]") -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    process.wait()


def serve() -> None:
    """Answer requests on standard input, a line of JSON each, until it ends."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what libraries print must not get between the answers
    while line := sys.stdin.buffer.readline():
        os.write(answers, json.dumps(_in_child(json.loads(line), answers)).encode() + b"\n")


def _in_child(request: Mapping[str, Any], answers: int) -> dict[str, Any]:
    """Fork a process, have it measure, and return what it said or what its end means."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        # else the session would wait for this process where the server is gone
        os.close(answers)
        os.close(reading)
        _answer(request, writing)
    os.close(writing)
    answer = b""
    while True:
        ready, _, _ = select.select([reading, 0], [], [])
        if reading not in ready:  # no further request comes before an answer: the session is gone
            os.kill(pid, signal.SIGKILL)
            break
        part = os.read(reading, 65536)
        if not part:
            break
        answer += part
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    if answer:
        told: dict[str, Any] = json.loads(answer)
        return told
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGKILL:  # the system's way to get memory back
        return {"outcome": "out_of_memory"}
    if code == -signal.SIGALRM:
        return {"outcome": "failed", "reason": f"it did not end within {request['timeout']:g} s"}
    return {"outcome": "failed", "reason": f"it ended with code {code}"}


def _answer(request: Mapping[str, Any], writing: int) -> NoReturn:
    """Measure, write the answer, and end this process without what the server would do at its end."""
    try:
        signal.setitimer(signal.ITIMER_REAL, request["timeout"])  # ends this process, the server's death or not
        with suppress(OSError):  # where memory runs out, this process is the one to go
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
        answer: dict[str, Any] = {"outcome": "ok", **_measure(request)}
    except BaseException as error:
        is_lack = is_out_of_memory(error)
        reason = "" if is_lack else "".join(traceback.format_exception(error))
        answer = {"outcome": "out_of_memory" if is_lack else "failed", "reason": reason}
    try:
        os.write(writing, json.dumps(answer).encode())
    finally:
        os._exit(0)


def _measure(request: Mapping[str, Any]) -> dict[str, float]:
    torch.set_num_threads(request["threads"])
    shape = NetworkShape(**request["shape"])
    # a tiny network loads the parts of torch that every network needs, which are no cost of this one; torch computes
    # small convolutions itself, and leaves those of 16 images on to a library
    tiny = replace(shape, image_size=8, stem_channels=8, stacks=1, cells_per_stack=1)
    for batch_size in (1, 16):
        _run_batch(request, tiny, batch_size, None)
    # a forked process starts with the memory of the server, and so does its record of the largest
    baseline = host_peak_mb()
    weights = request["weights"]
    _run_batch(request, shape, request["condition"]["batch_size"], None if weights is None else Path(weights))
    return {"peak_bytes": host_peak_mb() * 1e6, "baseline_bytes": baseline * 1e6}


def _run_batch(request: Mapping[str, Any], shape: NetworkShape, batch_size: int, weights: Path | None) -> None:
    cell, condition = Cell.from_strings(*request["cell"]), Condition(**request["condition"])
    built = build_network(cell, shape, request["seed"], weights)
    network = convert(built, condition, request["memory_format"], torch.device("cpu"))
    # values do not matter here, and equal ones are made in no time; they are written, so that they take memory
    size = (batch_size, shape.bands, shape.image_size, shape.image_size)
    images = torch.ones(size, dtype=DTYPES[condition.precision])
    images = images.to(memory_format=MEMORY_FORMATS[request["memory_format"]])
    with torch.inference_mode():
        network(images)
