"""Peak memory on the host: fresh processes, their ends of all kinds, and a server that leaves with its session."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from terranas.profiling import memory
from terranas.profiling.memory import MemoryServer
from terranas.profiling.networks import build_network
from terranas.profiling.settings import Condition
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape
from terranas.training.checkpoint import save_weights
from terranas.training.result import copy_state

from .scripted import settings_of

SHAPE = NetworkShape(bands=4, classes=3, image_size=16, stem_channels=16, stacks=2, cells_per_stack=1)
CELL = Cell.from_strings("0110000100010000", "input,conv3x3-bn-relu,maxpool3x3,output")
SETTINGS = settings_of(batch_sizes=[64], repeats=0, reference_every=10)
MB = 1e6


@pytest.fixture(scope="module")
def server() -> Iterator[MemoryServer]:
    made = MemoryServer(SHAPE, SETTINGS, seed=0)
    yield made
    made.close()


def condition(batch_size: int, **changes: Any) -> Condition:
    return replace(Condition(batch_size, "fp32", "plain"), **changes)


def test_memory_grows_with_the_batch_and_not_with_earlier_networks(server: MemoryServer) -> None:
    small, large, again = (server.measure(CELL, condition(batch)) for batch in (16, 1024, 16))
    assert {each.outcome for each in (small, large, again)} == {"ok"}
    # the images alone, and the widest feature maps: 16 channels of 16x16 pixels
    assert large.peak_bytes - large.baseline_bytes > 1024 * 256 * (4 + 16) * 4
    assert 0 < small.peak_bytes - small.baseline_bytes < (large.peak_bytes - large.baseline_bytes) / 4
    assert abs(again.peak_bytes - small.peak_bytes) < 4 * MB
    assert abs(large.baseline_bytes - small.baseline_bytes) < 4 * MB


def test_half_the_bits_take_less_memory(server: MemoryServer) -> None:
    single, half = (server.measure(CELL, condition(2048, precision=name)) for name in ("fp32", "bf16"))
    assert half.peak_bytes - half.baseline_bytes < single.peak_bytes - single.baseline_bytes


def test_folded_networks_and_trained_weights_are_measured(server: MemoryServer, tmp_path: Path) -> None:
    save_weights(copy_state(build_network(CELL, SHAPE, 1)), tmp_path / "best.pt")
    assert server.measure(CELL, condition(16, variant="folded"), tmp_path / "best.pt").outcome == "ok"


def test_a_batch_beyond_the_address_space_is_out_of_memory(server: MemoryServer) -> None:
    found = server.measure(CELL, condition(10**13))
    assert found.outcome == "out_of_memory"
    assert found.peak_bytes != found.peak_bytes, "a network that did not run has no peak"
    assert server.measure(CELL, condition(16)).outcome == "ok", "the server goes on"


def test_what_goes_wrong_in_the_child_is_told(server: MemoryServer, tmp_path: Path) -> None:
    found = server.measure(CELL, condition(16), tmp_path / "absent.pt")
    assert found.outcome == "failed"
    assert "absent.pt cannot be read" in found.reason
    assert server.measure(CELL, condition(16)).outcome == "ok"


# a server whose measurements are replaced; what is printed must not get between the answers
SERVER = """
import os, signal, time
from terranas.profiling import memory

def measure(request):
    print("a library says something")
    end = request["condition"]["batch_size"]
    if end == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if end == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    if end == 3:
        time.sleep(1000)
    if end == 4:
        raise MemoryError
    if end == 5:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(1000)
    if end == 6:
        os.kill(os.getppid(), signal.SIGTERM)
        time.sleep(1000)
    return {"peak_bytes": 7.0, "baseline_bytes": 3.0}

memory._measure = measure
serve = memory.serve
"""


@pytest.fixture
def scripted_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let servers run the code above."""
    (tmp_path / "scripted_server.py").write_text(SERVER)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr(memory, "_MODULE", "scripted_server")


@pytest.mark.usefixtures("scripted_module")
def test_every_end_of_a_child() -> None:
    scripted = MemoryServer(SHAPE, SETTINGS, seed=0, timeout=1.0)

    def measured(batch_size: int) -> tuple[str, str]:
        found = scripted.measure(CELL, condition(batch_size))
        return found.outcome, found.reason

    assert measured(1) == ("out_of_memory", ""), "the system kills what takes too much"
    assert measured(2) == ("failed", "it ended with code -11")
    assert measured(3) == ("failed", "it did not end within 1 s")
    assert measured(4) == ("out_of_memory", "")
    found = scripted.measure(CELL, condition(9))
    assert (found.outcome, found.peak_bytes, found.baseline_bytes) == ("ok", 7, 3)
    # the same for the server, after which another one starts
    assert measured(5) == ("out_of_memory", "")
    assert measured(9)[0] == "ok"
    assert measured(6) == ("failed", "the process that starts others ended with code -15")
    assert measured(9)[0] == "ok"
    scripted.close()


def is_gone(pid: int, seconds: float = 20.0) -> bool:
    """Return whether a process ends within some time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":  # ended, and whoever adopted it has not noticed yet
            return True
        time.sleep(0.05)
    return False


# without a guard against being imported, as the scripts that Snakemake generates
SESSION = """
import sys, time
from types import SimpleNamespace
from terranas.profiling import memory
from terranas.profiling.settings import Condition
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape

sys.stderr.write("the script runs; ")
memory._MODULE = "scripted_server"
settings = SimpleNamespace(threads=1, memory_format="contiguous")
server = memory.MemoryServer(NetworkShape(1, 2, 8, 2, 1, 1), settings, seed=0)

def measure(batch_size):
    return server.measure(Cell.from_strings("0100", "input,output"), Condition(batch_size, "fp32", "plain"))

print(measure(9).outcome, server._process.pid, flush=True)
"""


@pytest.mark.usefixtures("scripted_module")
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="whether a process lives is read from /proc")
@pytest.mark.parametrize("ending", ["raise SystemExit(3)", "time.sleep(1000)", "measure(3)"])
def test_the_server_leaves_with_its_session_and_runs_no_script_again(ending: str, tmp_path: Path) -> None:
    (tmp_path / "session.py").write_text(SESSION + ending)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, str(tmp_path / "session.py")], **pipes) as session:
        assert session.stdout is not None
        outcome, pid = session.stdout.readline().split()
        if "SystemExit" not in ending:
            time.sleep(0.3)  # so that a measurement is under way
            session.kill()
        _, errors = session.communicate(timeout=30)  # until nobody holds the pipes, the server's child included
    assert outcome == "ok"
    assert session.returncode == (3 if "SystemExit" in ending else -signal.SIGKILL)
    assert is_gone(int(pid))
    assert errors.count("the script runs") == 1


def test_closing_ends_the_server() -> None:
    server = MemoryServer(SHAPE, SETTINGS, seed=0)
    server.close()  # nothing was started
    assert server.measure(CELL, condition(1)).outcome == "ok"
    process = server._process
    assert process is not None
    server.close()
    assert process.returncode == 0
    assert server._process is None


def test_a_forked_child_starts_from_a_server_of_one_thread(server: MemoryServer) -> None:
    server.measure(CELL, condition(1))
    assert server._process is not None
    tasks = Path(f"/proc/{server._process.pid}/task")
    if not tasks.exists():
        pytest.skip("threads are counted in /proc")
    assert len(list(tasks.iterdir())) == 1
