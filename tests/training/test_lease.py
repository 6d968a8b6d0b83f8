"""One training at a time, whoever dies when: leases held by real processes."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.training import lease
from terranas.training.deadline import Stop
from terranas.training.lease import FOLDER_NAME, LeaseHeldError, hold, read_leases

PATIENCE = 30
"""Longest a test waits for another process."""

HOLD = """
import logging, sys, time
from terranas.training.lease import hold
logging.basicConfig(level=logging.INFO)
folder, seconds, sleep = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
with hold(folder, seconds, {"name": sys.argv[4]}) as held:
    print("held", flush=True)
    time.sleep(sleep)
print("done", flush=True)
"""

# adds one to a number in a file, so slowly that two at once would lose some
COUNT = """
import pathlib, sys, time
from terranas.training.lease import hold
folder, file = sys.argv[1], pathlib.Path(sys.argv[2])
for _ in range(5):
    with hold(folder, 10, {}):
        number = int(file.read_text())
        time.sleep(0.02)
        file.write_text(str(number + 1))
"""


@pytest.fixture
def start(tmp_path):
    """Start a process that holds the lease; all are ended with the test."""
    started = []

    def call(seconds=30.0, sleep=60.0, name="a", code=HOLD):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), str(seconds), str(sleep), name],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(autouse=True)
def outside_slurm(monkeypatch):
    for name in ("SLURM_JOB_ID", "SLURM_CLUSTER_NAME"):
        monkeypatch.delenv(name, raising=False)


def written(folder, **changed):
    """Write a lease of a process on another machine."""
    holder = lease._new_holder({})
    holder = replace(holder, host="elsewhere", **changed)
    place = Path(folder) / FOLDER_NAME
    place.mkdir(exist_ok=True)
    (place / "000001.json").write_text(json.dumps(asdict(holder)))
    return place / "000001.json"


def test_a_lease_is_held_and_let_go(tmp_path):
    with hold(tmp_path, 10, {"name": "first"}) as held:
        assert not held.lost
        (holder,) = read_leases(tmp_path)
        assert (holder.pid, holder.released, holder.facts) == (os.getpid(), False, {"name": "first"})
        assert not lease.known_dead(holder)
    (holder,) = read_leases(tmp_path)
    assert holder.released
    assert lease.known_dead(holder)
    with hold(tmp_path, 10, {}):
        assert [holder.released for holder in read_leases(tmp_path)] == [True, False]


def test_progress_comes_with_the_next_sign_of_life(tmp_path):
    with hold(tmp_path, 0.5, {}) as held:
        first = read_leases(tmp_path)[0]
        held.report({"epoch": 3})
        held.report({"loss": 0.5})
        for _ in range(100):
            time.sleep(0.05)
            now = read_leases(tmp_path)[0]
            if now.progress:
                break
        assert now.progress == {"epoch": 3, "loss": 0.5}
        assert now.heartbeat > first.heartbeat


def test_an_error_lets_go_too(tmp_path):
    with pytest.raises(ZeroDivisionError), hold(tmp_path, 10, {}):
        _ = 1 / 0
    assert read_leases(tmp_path)[0].released


def test_two_that_start_together_go_one_after_the_other(tmp_path, start):
    both = [start(sleep=1.0, name=name) for name in "ab"]
    outputs = [process.communicate(timeout=PATIENCE) for process in both]
    assert [output for output, _ in outputs] == ["held\ndone\n"] * 2
    first, second = read_leases(tmp_path)
    assert second.acquired >= first.acquired + 1.0
    waited = outputs["ab".index(second.facts["name"])][1]
    assert f"Waiting: process {first.pid} on {first.host} trains this architecture" in waited
    assert {first.facts["name"], second.facts["name"]} == {"a", "b"}


def test_a_killed_holder_is_replaced_at_once(tmp_path, start):
    holder = start(seconds=600)
    assert holder.stdout.readline() == "held\n"
    os.kill(holder.pid, signal.SIGKILL)
    began = time.monotonic()
    # nobody has waited for the killed process yet: it is a zombie, and dead all the same
    with hold(tmp_path, 600, {}):
        assert time.monotonic() - began < PATIENCE
        assert [found.pid for found in read_leases(tmp_path)] == [holder.pid, os.getpid()]


def test_a_living_holder_is_waited_for(tmp_path, start):
    holder = start(seconds=2, sleep=60)
    assert holder.stdout.readline() == "held\n"
    stop = Stop(time.time() + 3)
    with pytest.raises(LeaseHeldError, match=f"process {holder.pid} on .*time limit"), hold(tmp_path, 2, {}, stop=stop):
        pass
    assert len(read_leases(tmp_path)) == 1


def test_a_holder_that_gives_no_sign_of_life_is_replaced_and_ends_when_it_wakes(tmp_path, start):
    holder = start(seconds=1)
    assert holder.stdout.readline() == "held\n"
    os.kill(holder.pid, signal.SIGSTOP)
    with hold(tmp_path, 1, {}):
        assert len(read_leases(tmp_path)) == 2
        os.kill(holder.pid, signal.SIGCONT)
        _, errors = holder.communicate(timeout=PATIENCE)
        assert holder.returncode == 1
        assert "ending at once" in errors
        assert not read_leases(tmp_path)[0].released


def test_a_holder_on_another_machine_is_judged_by_this_ones_clock(tmp_path):
    # its clock is years ahead, and its process number is one that lives here
    path = written(tmp_path, heartbeat=time.time() + 1e8, boot="other")
    with hold(tmp_path, 1, {}):
        assert len(read_leases(tmp_path)) == 2
    assert json.loads(path.read_text())["host"] == "elsewhere"


def test_signs_of_life_from_another_machine_are_enough_whatever_its_clock(tmp_path):
    path = written(tmp_path, heartbeat=0.0)
    content = json.loads(path.read_text())
    ended = threading.Event()

    def beat():
        while not ended.wait(0.05):
            content["heartbeat"] += 0.001
            temporary = path.with_suffix(".tmp")
            temporary.write_text(json.dumps(content))
            temporary.replace(path)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        with pytest.raises(LeaseHeldError, match="elsewhere"), hold(tmp_path, 1, {}, stop=Stop(time.time() + 3)):
            pass
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize(
    ("state", "cluster", "taken"),
    [("over", None, True), ("running", None, False), ("unknown", None, False), ("over", "other", False)],
)
def test_slurm_tells_of_jobs_on_other_nodes(tmp_path, monkeypatch, state, cluster, taken):
    written(tmp_path, slurm_job="77", slurm_cluster="here")
    if cluster:
        monkeypatch.setenv("SLURM_CLUSTER_NAME", cluster)
    asked = []
    monkeypatch.setattr(lease, "job_state", lambda job: asked.append(job) or state)
    stop = Stop(time.time() + 1)
    if taken:
        with hold(tmp_path, 600, {}, stop=stop):
            assert len(read_leases(tmp_path)) == 2
    else:
        with pytest.raises(LeaseHeldError), hold(tmp_path, 600, {}, stop=stop):
            pass
    assert asked == (["77"] if cluster is None else [])


def test_the_same_job_on_another_node_has_less_patience_with_its_first_start(tmp_path, monkeypatch):
    written(tmp_path, slurm_job="77")
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    monkeypatch.setattr(lease, "job_state", lambda _: "running")
    with hold(tmp_path, 3, {}, stop=Stop(time.time() + 2.5)):
        assert len(read_leases(tmp_path)) == 2


@given(st.binary(max_size=100))
@settings(max_examples=20, deadline=None)
def test_whatever_stands_in_a_lease_it_is_waited_for_and_then_replaced(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("lease")
    (folder / FOLDER_NAME).mkdir()
    (folder / FOLDER_NAME / "000001.json").write_bytes(content)
    began = time.monotonic()
    with hold(folder, 0.05, {}):
        assert time.monotonic() - began >= 0.05
        assert len(read_leases(folder)) == 1


@pytest.mark.parametrize("changed", [{"pid": "1"}, {"slurm_job": "1; rm"}, {"progress": 1}, {"released": "no"}])
def test_a_lease_with_odd_values_is_nobodys(tmp_path, changed):
    written(tmp_path, **changed)
    assert read_leases(tmp_path) == []
    with hold(tmp_path, 0.1, {}):
        assert len(read_leases(tmp_path)) == 1


def test_a_removed_lease_is_a_lost_one(tmp_path):
    lost = threading.Event()
    with hold(tmp_path, 0.2, {}, on_lost=lost.set) as held:
        held.path.unlink()
        assert lost.wait(PATIENCE)
        assert held.lost
    assert not held.path.exists(), "a lost lease is not written again"


def test_without_links_a_lease_is_still_one_processes(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(lease.os, "link", refuse)
    with hold(tmp_path, 10, {}):
        assert len(read_leases(tmp_path)) == 1
        mine = read_leases(tmp_path)[0]
        assert not lease._create(tmp_path / FOLDER_NAME / "000001.json", mine)


def test_many_processes_never_hold_it_together(tmp_path):
    number = tmp_path / "number"
    number.write_text("0")
    command = [sys.executable, "-c", COUNT, str(tmp_path), str(number)]
    counters = [subprocess.Popen(command) for _ in range(6)]
    try:
        assert [counter.wait(2 * PATIENCE) for counter in counters] == [0] * 6
    finally:
        for counter in counters:
            counter.kill()
    assert number.read_text() == "30"
    assert [holder.released for holder in read_leases(tmp_path)] == [True] * 30
