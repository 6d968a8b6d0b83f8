"""A training that was stopped or killed on the way ends as one that was not."""

import json
import os
import signal
import threading
from dataclasses import asdict

import pytest
import torch

from terranas.core.errors import EnvironmentLackError
from terranas.training.checkpoint import Checkpoints
from terranas.training.deadline import SIGNALS, Stop
from terranas.training.job import finished_result, run_job
from terranas.training.loop import train

from .comparing import assert_equal


class KilledError(BaseException):
    """Stands for a signal that ends the process at once."""


class StopAfter(Stop):
    """Asks to stop when it was asked so many times; the loop asks once a step, and again where there is a reason."""

    def __init__(self, asked, reason="time limit"):
        super().__init__(None)
        self.left, self.why = asked, reason

    def reason(self):
        self.left -= 1
        return self.why if self.left < 0 else ""


def kill_after(monkeypatch, saves):
    """Make the process die right after the given number of checkpoints."""
    original, done = Checkpoints.save, []

    def save(self, *given):
        path = original(self, *given)
        done.append(path)
        if len(done) == saves:
            raise KilledError
        return path

    monkeypatch.setattr(Checkpoints, "save", save)


def killed_in_step(monkeypatch, step):
    """Make the process die in a step, between two checkpoints."""
    from terranas.training import loop

    original, done = loop.look, []

    def look(*given):
        done.append(1)
        if len(done) == step:
            raise KilledError
        return original(*given)

    monkeypatch.setattr(loop, "look", look)


RECIPES = [
    {"optimizer": "sgd"},
    {"optimizer": "adamw", "augmentation": "flips_rotations"},
    {"optimizer": "rmsprop", "learning_rate": 0.01, "loss": "focal", "class_weights": "balanced"},
    {"optimizer": "sgd", "precision": "fp16", "augmentation": "flips"},
    {"optimizer": "adamw", "precision": "bf16", "label_smoothing": 0.1},
]


@pytest.mark.parametrize("settings", RECIPES, ids=lambda settings: "-".join(map(str, settings.values())))
def test_stopped_in_every_place(job, recipe, tmp_path, settings):
    """5 steps an epoch, 3 epochs: stops within an epoch, after its last step, and again and again."""
    chosen = asdict(recipe(**settings))
    whole = run_job(job(tmp_path / "whole", recipe=chosen))
    assert not whole.resumed
    for after in (2, 4, 7, 14):
        broken = job(tmp_path / f"stopped{after}", recipe=chosen, campaign={"checkpoint_every": 5})
        first = run_job(broken, StopAfter(after))
        assert (first.outcome, first.interrupted, first.weights) == ("ok", "time limit", {})
        assert [path.name for path in broken.folder.iterdir()] == [f"checkpoint-{after // 5}-{after % 5 + 1}.pt"]
        resumed = run_job(broken)
        assert resumed.resumed
        assert_equal(whole, resumed)
    slow = job(tmp_path / "slow", recipe=chosen, campaign={"checkpoint_every": 5})
    stops = 0
    while (result := run_job(slow, StopAfter(3))).interrupted:
        stops += 1
    assert stops == 3  # four steps each of fifteen
    assert_equal(whole, result)


@pytest.mark.parametrize("settings", RECIPES[:3], ids=lambda settings: settings["optimizer"])
@pytest.mark.parametrize("killed", ["after a checkpoint", "after the last checkpoint", "between checkpoints"])
def test_killed(job, recipe, tmp_path, monkeypatch, settings, killed):
    chosen = asdict(recipe(epochs=4, **settings))
    whole = run_job(job(tmp_path / "whole", recipe=chosen))
    broken = job(tmp_path / "broken", recipe=chosen, campaign={"checkpoint_every": 2})
    with monkeypatch.context() as patch:
        if killed == "between checkpoints":
            killed_in_step(patch, 18)
        else:
            kill_after(patch, 1 if killed == "after a checkpoint" else 2)
        with pytest.raises(KilledError):
            run_job(broken)
    resumed = run_job(broken)
    assert resumed.resumed
    assert_equal(whole, resumed)
    assert resumed.seconds > sum(row["training_seconds"] for row in resumed.rows)


def test_a_machine_of_another_kind_does_not_go_on(job, recipe, monkeypatch):
    """Halves of different precision would be no training of either; the checkpoint stays for the right machine."""
    chosen = asdict(recipe(precision="auto"))
    monkeypatch.setattr("terranas.training.task.resolve_precision", lambda *_: "bf16")
    assert run_job(job(deadline=0.0, recipe=chosen)).interrupted
    with monkeypatch.context() as patch:
        patch.setattr("terranas.training.task.resolve_precision", lambda *_: "fp16")
        with pytest.raises(EnvironmentLackError, match="began in bf16 on cpu, and would go on in fp16 on cpu here"):
            run_job(job(recipe=chosen))
    assert run_job(job(recipe=chosen)).resumed


def test_a_signal_saves_and_stops(job):
    """The real thing: a signal that comes while the training runs."""
    broken = job(campaign={"checkpoint_every": 100}, recipe=job().recipe | {"epochs": 10_000})
    stop, before = Stop(None), {number: signal.getsignal(number) for number in SIGNALS}
    stop.listen()
    try:
        timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGUSR1))
        timer.start()
        result = run_job(broken, stop)
        timer.join()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert result.interrupted == "SIGUSR1"
    assert list(broken.folder.glob("checkpoint-*.pt"))


def test_a_deadline_that_has_passed_stops_after_a_step(job):
    result = run_job(job(deadline=0.0))
    assert result.interrupted == "time limit"
    assert [path.name for path in job().folder.iterdir()] == ["checkpoint-0-1.pt"]


def test_a_diverged_training_is_not_saved_when_it_is_stopped(task, arrays, image_set, tmp_path):
    images, labels = arrays["train"]
    images[:] = float("nan")
    data = task().data | {"train": image_set(images, labels)}
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 3))
    stopped = task(data=data, checkpoints=Checkpoints(tmp_path, {}), stop=lambda: "SIGTERM")
    result = train(network, stopped)
    assert result.outcome == "diverged"
    assert "in epoch 1 of 3, in step 1 of 5" in result.reason
    assert list(tmp_path.iterdir()) == []


def test_a_finished_training_is_neither_trained_nor_tested_again(job, monkeypatch):
    done = job()
    first = run_job(done)
    assert [path.name for path in done.folder.iterdir()] == ["result.pt"]
    monkeypatch.setattr("terranas.training.job.train", lambda *_: pytest.fail("trained again"))
    again = run_job(done)
    assert again.resumed
    assert_equal(first, again)
    assert again.rows == first.rows  # times included
    (done.folder / "result.pt").write_bytes(b"damaged")
    assert finished_result(done) is None


def test_a_diverged_training_stays_so(job, recipe, monkeypatch):
    bad = job(recipe=asdict(recipe(learning_rate=1e30, schedule="constant")))
    first = run_job(bad)
    monkeypatch.setattr("terranas.training.job.train", lambda *_: pytest.fail("trained again"))
    again = run_job(bad)
    assert (first.outcome, again.outcome, again.reason) == ("diverged", "diverged", first.reason)


def test_damaged_checkpoints_cost_time_only(job, recipe, tmp_path, monkeypatch):
    chosen = asdict(recipe(epochs=4))
    whole = run_job(job(tmp_path / "whole", recipe=chosen))
    broken = job(tmp_path / "broken", recipe=chosen)
    with monkeypatch.context() as patch:
        kill_after(patch, 3)
        with pytest.raises(KilledError):
            run_job(broken)
    newest, older = broken.folder / "checkpoint-3-0.pt", broken.folder / "checkpoint-2-0.pt"
    newest.write_bytes(newest.read_bytes()[:-5])
    reports = []
    resumed = run_job(broken, report=reports.append)
    assert resumed.resumed
    assert [told["epoch"] for told in reports if told["event"] == "epoch"] == [3, 4]
    assert_equal(whole, resumed)
    assert not older.exists()


def test_checkpoints_are_as_rare_as_asked(job, recipe):
    reports = []
    run_job(job(recipe=asdict(recipe(epochs=5)), campaign={"checkpoint_every": 2}), report=reports.append)
    assert [told["epoch"] for told in reports if told["event"] == "checkpoint"] == [2, 4, 5]
    assert [(told["step"], told["steps"]) for told in reports if told["event"] == "epoch"] == [
        (5 * epoch, 25) for epoch in range(1, 6)
    ]
    assert json.loads(json.dumps(reports)) == reports  # fit for the journal and the lease
