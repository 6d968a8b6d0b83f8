"""Starting processes by hand, by torchrun and by a program in srun's place; real torch.distributed on the CPU."""

import json
import os
import subprocess
import sys
import textwrap
import threading
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest
import torch

from terranas.core.errors import EnvironmentLackError, TerranasError
from terranas.core.files import sha256_file, write_json
from terranas.training import launch
from terranas.training.deadline import Stop
from terranas.training.distributed import Ranks, is_lost_contact
from terranas.training.job import run_job
from terranas.training.launch import (
    INTERRUPTED_EXIT,
    OUT_OF_MEMORY_EXIT,
    chosen_launcher,
    meeting_folder,
    run_processes,
    slurm_address,
)

from ..waiting import until

FAKE_SRUN = """\
#!{python}
# Stands for srun on one machine: as many processes as --ntasks says, each with its place; signals and the end of the
# input are passed on; a bad exit ends the others.
import os, signal, subprocess, sys, time

options = dict(word[2:].partition("=")[::2] for word in sys.argv[1:] if word.startswith("--"))
command = sys.argv[1 + sum(word.startswith("--") for word in sys.argv[1:]):]
open({log!r}, "a").write(" ".join(sys.argv[1:]) + "\\n")
tasks, a_node = int(options["ntasks"]), int(options["ntasks-per-node"])
started = []
for number in (signal.SIGUSR1, signal.SIGTERM):
    signal.signal(number, lambda number, _: [task.send_signal(number) for task in started])
for rank in range(tasks):
    place = {{"SLURM_PROCID": str(rank), "SLURM_NTASKS": str(tasks), "SLURM_LOCALID": str(rank % a_node)}}
    started.append(subprocess.Popen(command, env=os.environ | place))  # the input's end reaches all
while any(task.poll() is None for task in started) and not any(task.poll() for task in started):
    time.sleep(0.05)
if any(task.poll() for task in started):
    for task in started:
        task.kill()
sys.exit(max((code if code >= 0 else 128 - code) for code in (task.wait() for task in started)))
"""

FAKE_SCONTROL = """\
#!{python}
import sys
given = sys.argv[1:]
print("localhost\\nother" if given[1] == "hostnames" and given[2] else "NodeName=x NodeAddr=127.0.0.1 Port=1")
"""

WORKER = """
import json, os, signal, sys, time
from pathlib import Path
from terranas.training import launch
from terranas.training.deadline import Stop

folder, stop = Path(sys.argv[1]), Stop(None)
rank = int(os.environ["RANK"] if "RANK" in os.environ else os.environ["SLURM_PROCID"])
stop.listen()
if launch.WATCHED in os.environ:
    launch.end_with_parent()
launch.note_process(folder, rank)
def note(**facts):
    (folder / f"seen{rank}.json").write_text(json.dumps(facts | {"pid": os.getpid()}))
def meet():
    import torch  # only where it is needed: importing it takes the most time of these tests
    from terranas.training.distributed import Ranks
    ranks = Ranks.from_environment()
    assert ranks.rank == rank
    ranks.join(folder, torch.device("cpu"))
    return torch, ranks
def until_stopped():
    while not stop.reason():
        time.sleep(0.05)
code = 0
"""

LEAVE = """
sys.exit(launch.leave(folder, rank, code))
"""

LAUNCHERS = ["local", "torchrun", "srun"]


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A job with programs that stand for Slurm's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, content in (("srun", FAKE_SRUN), ("scontrol", FAKE_SCONTROL)):
        (folder / name).write_text(content.format(python=sys.executable, log=str(tmp_path / "srun.log")))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    # a number of its own for each process of tests, since the port follows from it
    monkeypatch.setenv("SLURM_JOB_ID", str(os.getpid()))
    monkeypatch.setenv("SLURM_JOB_NODELIST", "node[1-2]")
    return tmp_path / "srun.log"


@pytest.fixture
def worker(tmp_path, monkeypatch, slurm):
    """Put a program in the worker's place; returns the folder it runs in."""
    del slurm

    def make(program):
        (tmp_path / "fake_worker.py").write_text(WORKER + textwrap.dedent(program) + LEAVE)
        monkeypatch.setattr(launch, "WORKER", "fake_worker")
        monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        folder = tmp_path / "job"
        folder.mkdir(exist_ok=True)
        return folder

    return make


def seen(folder, rank):
    return json.loads((folder / f"seen{rank}.json").read_text())


def is_alive(pid):
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):  # it may end between the two questions
        return False
    return state != "Z"


def test_srun_spreads_over_nodes(worker, slurm):
    folder = worker("note(local=int(os.environ['SLURM_LOCALID']))")
    assert run_processes(folder, 4, launcher="srun", nodes=2) == "finished"
    assert [seen(folder, rank)["local"] for rank in range(4)] == [0, 1, 0, 1]
    options = slurm.read_text().split()
    assert {"--nodes=2", "--ntasks=4", "--ntasks-per-node=2", "--kill-on-bad-exit=1"} <= set(options)
    with pytest.raises(EnvironmentLackError, match="is 3, which cannot be spread evenly over 2 nodes"):
        run_processes(folder, 3, launcher="srun", nodes=2)


@pytest.mark.parametrize("launcher", LAUNCHERS)
@pytest.mark.parametrize(("code", "ending"), [(OUT_OF_MEMORY_EXIT, "out_of_memory"), (INTERRUPTED_EXIT, "interrupted")])
def test_endings(worker, launcher, code, ending):
    # out of memory comes in one process while the other waits; an interruption is agreed on
    folder = worker(f"""
        if {code} == {INTERRUPTED_EXIT} or rank == 1:
            code = {code}
        else:
            until_stopped()
            code = 1
    """)
    assert run_processes(folder, 2, launcher=launcher) == ending


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_dead_process_ends_the_others(worker, launcher):
    folder = worker("""
        if "TORCHELASTIC_RUN_ID" in os.environ:
            torch, _ = meet()  # in a step; torch's launcher waits half a minute for one that just sleeps
            note()
            if rank == 0:
                torch.distributed.barrier()
        note()
        while not (folder / "seen0.json").exists():
            time.sleep(0.05)
        if rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(600)
    """)
    match = (
        "Process 1 of the 2 .* was killed by signal 9" if launcher == "local" else f"{launcher} with the 2 processes"
    )
    with pytest.raises(TerranasError, match=match):
        run_processes(folder, 2, launcher=launcher)
    assert not is_alive(seen(folder, 0)["pid"])


@pytest.mark.parametrize("launcher", LAUNCHERS)
@pytest.mark.parametrize("name", ["SIGUSR1", "SIGTERM"])
def test_a_request_to_stop_reaches_every_process(worker, launcher, name):
    folder = worker(f"""
        note()
        until_stopped()
        note(reason=stop.reason())
        time.sleep(0.3)  # saving
        code = {INTERRUPTED_EXIT}
    """)
    stop = Stop(None)
    ready = threading.Thread(
        target=lambda: (until(lambda: len(list(folder.glob("seen*"))) == 2), stop.request(name)), daemon=True
    )
    ready.start()
    assert run_processes(folder, 2, launcher=launcher, stop=stop) == "interrupted"
    assert [seen(folder, rank)["reason"] for rank in range(2)] == [name, name]


def test_processes_that_cannot_save_themselves_any_more_are_interrupted_too(worker):
    folder = worker("signal.signal(signal.SIGTERM, signal.SIG_DFL); note(); time.sleep(600)")
    stop = Stop(None)
    threading.Thread(target=lambda: (until((folder / "seen1.json").exists), stop.request("SIGTERM"))).start()
    assert run_processes(folder, 2, stop=stop) == "interrupted"


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_none_outlives_what_started_it(worker, launcher):
    folder = worker("note(); time.sleep(600)")
    program = (
        "import sys; from pathlib import Path; from terranas.training import launch; launch.WORKER = 'fake_worker'; "
        f"launch.run_processes(Path(sys.argv[1]), 2, launcher={launcher!r})"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(folder)])
    until(lambda: len(list(folder.glob("seen*.json"))) == 2)
    parent.kill()
    parent.wait()
    pids = [seen(folder, rank)["pid"] for rank in range(2)]
    until(lambda: not any(is_alive(pid) for pid in pids))


def test_by_hand_under_torchrun(worker):
    """Without a parent of ours, an input that ends is no reason to end."""
    folder = worker("time.sleep(0.5); note(watched=launch.WATCHED in os.environ)")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    environment = {name: value for name, value in os.environ.items() if name != launch.WATCHED}
    subprocess.run(
        [*command, "-m", "fake_worker", str(folder)], check=True, timeout=600, stdin=subprocess.DEVNULL, env=environment
    )
    assert [seen(folder, rank)["watched"] for rank in range(2)] == [False, False]


# --- places and choices ----------------------------------------------------------------------------------------------


def test_place_of_a_process():
    torchrun = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1"}
    srun = {"SLURM_PROCID": "2", "SLURM_NTASKS": "8", "SLURM_LOCALID": "0"}
    assert Ranks.from_environment(torchrun) == Ranks(3, 4, 1)
    assert Ranks.from_environment(srun) == Ranks(2, 8, 0)
    assert Ranks.from_environment(srun | torchrun) == Ranks(3, 4, 1)
    assert Ranks.from_environment({}) == Ranks(0, 1, 0)
    for wrong in ({"WORLD_SIZE": "3"}, {"RANK": "x"}, {"LOCAL_RANK": "4"}, {"RANK": "-1"}):
        with pytest.raises(TerranasError, match="RANK="):
            Ranks.from_environment(torchrun | wrong)
    with pytest.raises(TerranasError, match="SLURM_NTASKS=,"):
        Ranks.from_environment({"SLURM_PROCID": "0"})


@pytest.mark.parametrize(
    ("visible", "rank", "index"), [(4, Ranks(6, 8, 2), 2), (1, Ranks(6, 8, 2), 0), (1, Ranks(0, 8, 0), 0)]
)
def test_gpu_of_a_process(monkeypatch, visible, rank, index):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: visible)
    assert rank.device("cuda").index == index
    assert rank.device("cpu").type == "cpu"
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    with pytest.raises(EnvironmentLackError):
        Ranks(2, 8, 2).device("cuda")


def test_launcher_choice(slurm, monkeypatch):
    del slurm
    assert chosen_launcher("auto", 1) == "local"
    assert chosen_launcher("auto", 2) == "srun"
    assert chosen_launcher("torchrun", 1) == "torchrun"
    with pytest.raises(EnvironmentLackError, match="torchrun starts processes on one node, the job has 2"):
        chosen_launcher("torchrun", 2)
    monkeypatch.delenv("SLURM_JOB_ID")
    with pytest.raises(EnvironmentLackError, match="SLURM_JOB_ID is not set"):
        chosen_launcher("srun", 1)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EnvironmentLackError, match="no program srun"):
        chosen_launcher("srun", 1)


def test_processes_meet_where_all_of_them_see_it(tmp_path):
    with meeting_folder("srun", tmp_path / "state") as folder:
        assert folder.parent == tmp_path / "state"
    assert not folder.exists()
    with meeting_folder("local", tmp_path / "other") as folder:
        assert not folder.is_relative_to(tmp_path)
    assert not (tmp_path / "other").exists()


def test_address_in_a_slurm_job(slurm, monkeypatch):
    del slurm
    host, port = slurm_address({"SLURM_JOB_NODELIST": "node[1-2]", "SLURM_JOB_ID": "123456"})
    assert (host, port) == ("localhost", 10_000 + 123456 % 20_000)
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: (_ for _ in ()).throw(OSError("unknown")))
    assert slurm_address({"SLURM_JOB_NODELIST": "n1", "SLURM_JOB_ID": "1"}) == ("127.0.0.1", 10_001)
    for wrong in ({}, {"SLURM_JOB_NODELIST": "n1", "SLURM_JOB_ID": "x"}):
        with pytest.raises(EnvironmentLackError, match="cannot be told"):
            slurm_address(wrong)


def test_lost_contact():
    assert is_lost_contact(RuntimeError("[gloo/transport/tcp/pair.cc:538] Connection closed by peer [127.0.0.1]:1"))
    assert not is_lost_contact(RuntimeError("shape '[3]' is invalid"))
    assert not is_lost_contact(ValueError("gloo"))


def test_nobody_comes(tmp_path, monkeypatch):
    monkeypatch.setattr("terranas.training.distributed.TIMEOUT", timedelta(seconds=1))
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(EnvironmentLackError, match="Process 0 of 2 did not meet the others"):
        Ranks(0, 2).join(tmp_path, torch.device("cpu"))


# --- real trainings --------------------------------------------------------------------------------------------------


def test_torchrun_and_srun_train_the_same_network(job, recipe, tmp_path, slurm, monkeypatch):
    """What the launcher local trains, test_processes compares with one process; srun's processes stage their data."""
    monkeypatch.setenv("RANK", "7")  # of whatever started the tests
    monkeypatch.setenv("MASTER_ADDR", "192.0.2.1")
    (tmp_path / "fast").mkdir(mode=0o700)
    settings = asdict(recipe(processes=2, batch_size=4, epochs=1))
    campaigns = {"torchrun": {"launcher": "torchrun"}, "srun": {"launcher": "auto", "staging": str(tmp_path / "fast")}}
    weights, events = {}, {}
    for launcher, nodes in (("torchrun", 1), ("srun", 2)):
        reports = []
        given = job(tmp_path / launcher, recipe=settings, campaign=campaigns[launcher], nodes=nodes)
        for name, path in given.arrays.items():
            split, _, part = name.rpartition("_")
            given.manifest["splits"][split][f"sha256_{part}"] = sha256_file(path)
        weights[launcher] = run_job(given, report=reports.append).weights
        events[launcher] = [facts["event"] for facts in reports]
        assert not list(given.folder.glob("terranas.*"))  # where they met
    assert "--nodes=2 --ntasks=2 --ntasks-per-node=1" in slurm.read_text()
    assert len(list((tmp_path / "fast").glob("*/*/train_images.npy"))) == 1
    assert weights["torchrun"]
    assert all(torch.equal(value, weights["srun"][name]) for name, value in weights["torchrun"].items())
    assert "epoch" in events["torchrun"]
    assert events["torchrun"] == events["srun"]


def test_another_number_of_processes_than_the_recipes_is_refused(job, recipe, tmp_path):
    given = job(recipe=asdict(recipe(processes=3, batch_size=4)))
    write_json(tmp_path / "job.json", asdict(given))
    place = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0"}
    command = [sys.executable, "-m", "terranas.training.worker", str(tmp_path)]
    run = subprocess.run(command, env=os.environ | place, capture_output=True, text=True, timeout=600, check=False)
    assert run.returncode == 1
    assert "The recipe's numbers are those of training.processes 3, but 2 were started." in run.stderr
    assert not (tmp_path / "rank0.exit").exists()
