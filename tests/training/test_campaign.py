"""Where trainings stand, read from what they leave behind."""

import json
import time
from dataclasses import asdict, replace

import pytest

from terranas.core.errors import DataError
from terranas.training import lease
from terranas.training.attempts import attempts_of
from terranas.training.campaign import listed_architectures, read_campaign
from terranas.training.lease import Holder
from terranas.training.slurm_jobs import SlurmJob

A, B, C, D, E = (letter * 32 for letter in "abcde")
NOW = 1_000_000.0


def event(moment, name, pid=1, host="node1", **facts):
    return {"time": moment, "event": name, "host": host, "pid": pid, "slurm_job": None, **facts}


def holder(**changed):
    return replace(
        Holder(
            token="t",
            host="node1",
            boot="b",
            pid=1,
            born=5,
            slurm_job=None,
            slurm_cluster=None,
            acquired=NOW - 100,
            heartbeat=NOW,
        ),
        **changed,
    )


class Place:
    """A results folder to be filled."""

    def __init__(self, folder):
        self.folder = folder

    def training(self, name, events=(), leases=(), status=None, log="", recipe="0" * 16):
        state = self.folder / "training" / "_state" / recipe / name
        state.mkdir(parents=True)
        (state / "history.jsonl").write_text("".join(json.dumps(one) + "\n" for one in events))
        if leases:
            (state / "lease").mkdir()
        for number, one in enumerate(leases, start=1):
            (state / "lease" / f"{number:06d}.json").write_text(json.dumps(asdict(one)))
        if status is not None:
            path = self.folder / "training" / name / "status.json"
            path.parent.mkdir(parents=True)
            path.write_text(status if isinstance(status, str) else json.dumps(status))
        if log:
            path = self.folder / "logs" / "training" / f"{name}.log"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(log)

    def look(self, *names, queue=()):
        return read_campaign(self.folder, names, queue, fresh_seconds=60, now=NOW)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path / "results")


def job(name=A, number="7", state="RUNNING", rule="training_train", reason="None"):
    return SlurmJob(number, "run", state, rule, name, "node1", reason)


def test_a_training_without_anything_is_missing(place):
    (found,) = place.look(A).trainings
    assert (found.state, found.seconds, found.attempts) == ("missing", 0.0, [])


def test_a_result_makes_a_training_finished(place):
    status = {"outcome": "diverged", "reason": "loss not finite", "epochs": 3, "seconds": 50.0}
    status["used"] = {"seconds": 50.0, "host_mb": 900.0, "device_mb": 0.0}
    events = [event(NOW - 90, "started", processes=4), event(NOW - 30, "finished", energy_joule=7.0)]
    place.training(A, events, [holder(released=True)], status)
    (found,) = place.look(A).trainings
    assert (found.state, found.outcome, found.reason, found.epochs) == ("finished", "diverged", "loss not finite", 3)
    assert isinstance(found.epochs, int)
    assert (found.seconds, found.process_seconds, found.energy) == (50.0, 240.0, 7.0)
    assert (found.used_host_mb, found.used_device_mb) == (900.0, None)


@pytest.mark.parametrize("status", ["{", "[]", '{"outcome": 3}'])
def test_a_broken_result_is_none(place, status):
    place.training(A, [event(NOW - 9, "started")], status=status)
    assert place.look(A).trainings[0].state == "stopped"


def test_a_living_lease_makes_a_training_running_and_its_pace_tells_what_is_left(place):
    events = [
        event(NOW - 100, "started"),
        event(NOW - 50, "epoch", epoch=2, step=20, steps=80, seconds=40.0),
        event(NOW - 49, "checkpoint", epoch=2, step=20),
    ]
    place.training(A, events, [holder()])
    (found,) = place.look(A).trainings
    assert (found.state, found.epochs, found.left, found.wasted) == ("running", 2, 120.0, 0.0)
    assert found.seconds == 100.0, "the last sign of life ends the attempt"


def test_an_old_sign_of_life_from_elsewhere_is_none_unless_its_job_runs(place):
    place.training(A, [event(NOW - 900, "started")], [holder(heartbeat=NOW - 61, slurm_job="7", acquired=NOW - 901)])
    (found,) = place.look(A).trainings
    assert (found.state, found.reason, found.wasted) == ("stopped", "killed on node1", 839.0)
    assert place.look(A, queue=[job()]).trainings[0].state == "running"


def test_a_process_of_this_machine_tells_itself(place):
    mine = lease._new_holder({})
    place.training(A, [event(NOW, "started", host=mine.host, pid=mine.pid)], [replace(mine, heartbeat=0.0)])
    gone = replace(mine, born=mine.born + 1, heartbeat=NOW)
    place.training(B, [event(NOW, "started", host=mine.host, pid=mine.pid)], [gone])
    assert [found.state for found in place.look(A, B).trainings] == ["running", "stopped"]


def test_jobs_without_a_lease_are_queued_or_waiting(place):
    queue = [job(A, "7", "PENDING", reason="Priority"), job(B, "8")]
    first, second, third = place.look(A, B, C, queue=queue).trainings
    assert (first.state, first.reason, first.job.id) == ("queued", "Priority", "7")
    assert (second.state, third.state) == ("waiting", "missing")


def test_a_packs_job_is_found_by_the_leases_of_its_members(place):
    place.training(A, [event(NOW - 9, "started")], [holder(slurm_job="9")])
    pack = job("3", "9", rule="training_pack")
    (found,) = place.look(A, queue=[pack]).trainings
    assert (found.state, found.job) == ("running", pack)


def test_failures_have_a_reason_and_the_tail_of_their_log(place):
    log = "\n".join(["2026-11-22 05:00:00 INFO    terranas: line"] * 40)
    place.training(A, [event(NOW - 9, "started"), event(NOW - 5, "failed", reason="no GPU")], log=log)
    place.training(B, [event(NOW - 9, "started")], log=f"{log}\n2026-11-22 05:00:01 ERROR   terranas: disk full")
    place.training(C, [event(NOW - 9, "started"), event(NOW - 5, "interrupted", reason="SIGTERM")])
    place.training(D, log="2026-11-22 05:00:01 ERROR   terranas: training.device is cuda\n")
    place.training(E, [event(NOW - 9, "started"), event(NOW - 5, "finished")])
    found = {one.hash: one for one in place.look(A, B, C, D, E).trainings}
    assert {name: one.state for name, one in found.items()} == {
        A: "failed",
        B: "stopped",
        C: "stopped",
        D: "failed",
        E: "stopped",
    }
    assert found[A].reason == "no GPU"
    assert len(found[A].log_tail) == 15
    assert found[B].reason == "disk full"
    assert found[C].reason == "SIGTERM"
    assert found[D].reason == "training.device is cuda"
    assert "not collected" in found[E].reason


def test_slurms_log_stands_in_for_a_missing_one(place, tmp_path):
    place.training(A, [event(NOW - 9, "started")])
    logs = tmp_path / ".snakemake" / "slurm_logs" / "rule_training_train" / A
    logs.mkdir(parents=True)
    (logs / "7.log").write_text("slurmstepd: error: Detected 1 oom-kill event(s)\n")
    assert "oom-kill" in place.look(A).trainings[0].reason


def test_of_several_recipes_the_newest_state_counts(place):
    place.training(A, [event(NOW - 500, "started"), event(NOW - 400, "failed", reason="old")], recipe="1" * 16)
    time.sleep(0.02)
    place.training(A, [event(NOW - 50, "started"), event(NOW - 40, "failed", reason="new")], recipe="0" * 16)
    (found,) = place.look(A).trainings
    assert (found.reason, len(found.attempts)) == ("new", 1)


def test_without_slurm_the_queue_is_not_known(place):
    assert not place.look(A, queue=None).queue_known
    assert place.look(A).queue_known


def test_attempts_lose_what_lies_behind_the_last_checkpoint():
    events = [
        event(0, "started", pid=1, processes=4),
        event(50, "checkpoint", step=5),
        event(70, "interrupted", reason="time limit", energy_joule=3.0),
        event(71, "requeued"),
        event(100, "started", pid=2, processes=4),
        event(150, "checkpoint", step=9),
        event(160, "epoch", step=10),
        event(200, "started", pid=3, processes=4),
        event(220, "failed", reason="boom"),
        event(300, "started", pid=4, processes=4),
        event(310, "out_of_memory"),
    ]
    beats = [
        holder(pid=1, acquired=0, heartbeat=70),
        holder(pid=2, acquired=99, heartbeat=190),
        holder(pid=4, acquired=299, heartbeat=330),
    ]
    first, second, third, fourth = attempts_of(events, beats, alive=True)
    assert (first.ending, first.requeued, first.seconds, first.wasted, first.energy) == (
        "interrupted",
        True,
        70.0,
        0.0,
        3.0,
    )
    assert (second.ending, second.seconds, second.wasted) == ("killed", 90.0, 40.0)
    assert (third.ending, third.reason, third.wasted) == ("failed", "boom", 20.0)
    assert (fourth.ending, fourth.seconds, fourth.wasted, fourth.processes) == ("running", 30.0, 0.0, 4)


def test_the_list_is_read_whatever_its_key(tmp_path):
    path = tmp_path / "architectures.csv"
    path.write_text(f"# terranas architectures; layout: 1; key: x\nhash,id,adjacency,operations\n{A},,0,o\n{B},1,0,o\n")
    assert listed_architectures(path) == [A, B]


@pytest.mark.parametrize("content", [b"", b"hash\n", b"# x\nhash\n../../etc,1\n", b"\xff\xfe"])
def test_something_else_in_place_of_the_list_is_an_error(tmp_path, content):
    path = tmp_path / "architectures.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match="list of architectures"):
        listed_architectures(path)


def test_a_missing_list_is_an_error_that_says_what_makes_it(tmp_path):
    with pytest.raises(DataError, match="first snakemake call makes the list"):
        listed_architectures(tmp_path / "none.csv")
