"""Several processes that train together (gloo on the CPU) do what one does, and are stopped and run on as one is.

Starting a process with torch takes seconds, so that each start serves several tests.
"""

import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import cohen_kappa_score, confusion_matrix
from torch import nn

from terranas.core.files import read_json, write_json
from terranas.space.network import Network
from terranas.training.job import TrainingJob, run_job
from terranas.training.loop import train
from terranas.training.result import TrainingResult

from .comparing import assert_equal, computed

TOGETHER = {"processes": 2, "batch_size": 4, "epochs": 2}
"""5 steps of 8 images an epoch."""

WIDE = {"stem_channels": 16, "stacks": 2, "cells_per_stack": 1}

TRICKY = TOGETHER | {"optimizer": "adamw", "augmentation": "flips_rotations", "precision": "fp16", "loss": "focal"}


PROGRAM = """
import sys
from dataclasses import replace
from pathlib import Path
import numpy as np, torch, torch.distributed as dist
from torch import nn
from terranas.core.files import read_json
from terranas.training.batches import ImageSet
from terranas.training.distributed import Ranks
from terranas.training.job import TrainingJob, run_rank
from terranas.training.loop import train
from terranas.training.recipe import Recipe
from terranas.training.task import Task

folder, cpu, ranks = Path(sys.argv[1]), torch.device("cpu"), Ranks.from_environment()
ranks.join(folder, cpu)
given, made = read_json(folder / "given.json"), {}

class Stop:
    # one process is told to stop, the other ones have to hear of it
    def __init__(self, step):
        self.left = step
    def reason(self):
        self.left -= 1
        return "SIGUSR1" if ranks.rank == 1 and self.left == 0 else ""

for name, (job, step) in given["jobs"].items():
    made[name] = run_rank(TrainingJob(**job), ranks, cpu, Stop(step)).state()

content = np.load(folder / "data.npz")
def images(split):
    return ImageSet(content[split + "_x"], content[split + "_y"], np.ones(3), np.zeros(3), cpu, resident=True)
splits = {split: images(split) for split in ("train", "validation", "test")}
for name, (recipe, micro_batch) in given["tasks"].items():
    torch.manual_seed(0)
    order = lambda epoch: np.random.default_rng(epoch).permutation(40)
    task = Task(splits, 3, Recipe(**recipe), order, cpu, ranks, micro_batch=micro_batch)
    made[name] = train(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)), task).state()
torch.save(made, folder / f"rank{ranks.rank}.pt")
dist.barrier()
dist.destroy_process_group()
"""


@pytest.fixture
def start(arrays, tmp_path):
    """Run jobs and tasks in several processes, started once; return the results of each process by name."""

    def run(processes, jobs, tasks):
        write_json(tmp_path / "given.json", {"jobs": jobs, "tasks": tasks})
        flat = {f"{s}_{k}": v for s, (x, y) in arrays.items() for k, v in (("x", x), ("y", y))}
        np.savez(tmp_path / "data.npz", **flat)
        (tmp_path / "rank.py").write_text(PROGRAM)
        ranks = [
            subprocess.Popen(
                [sys.executable, str(tmp_path / "rank.py"), str(tmp_path)],
                env=os.environ | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes)},
            )
            for rank in range(processes)
        ]
        try:
            assert [rank.wait(timeout=100) for rank in ranks] == [0] * processes
        finally:
            for rank in ranks:
                rank.kill()
        loaded = [torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in range(processes)]
        return [{name: TrainingResult.from_state(state) for name, state in one.items()} for one in loaded]

    return run


def assert_steps_of_one(found, alone):
    for other in found[1:]:
        assert computed(found[0]) == computed(other)
        assert all(torch.equal(found[0].weights[name], other.weights[name]) for name in alone.weights)
    for one, other in zip(alone.rows, found[0].rows, strict=True):
        for name in ("train_loss", "validation_loss", "gradient_norm", "train_kappa"):
            assert one[name] == pytest.approx(other[name], rel=1e-4), name
    for name, value in alone.weights.items():
        torch.testing.assert_close(value, found[0].weights[name], rtol=1e-4, atol=1e-6)


def test_two_processes(job, recipe, task, start, tmp_path):
    """Stopped within an epoch and after its last step they end as if not stopped; their steps are those of one."""
    jobs = {}
    settings = asdict(recipe(**TRICKY))
    for name, steps in (("whole", (0,)), ("within", (3, 0)), ("after", (5, 0)), ("twice", (2, 6, 0))):
        given = asdict(job(tmp_path / name, recipe=settings))
        jobs |= {f"{name}{number}": (given, step) for number, step in enumerate(steps)}
    tasks = {str(micro): (asdict(recipe(processes=2, batch_size=6)), micro) for micro in (0, 2)}
    first, second = start(2, jobs, tasks)
    stopped = [name for name in jobs if first[name].interrupted == second[name].interrupted == "SIGUSR1"]
    assert stopped == ["within0", "after0", "twice0", "twice1"]
    for name in ("within1", "after1", "twice2"):
        assert first[name].resumed
        assert_equal(first["whole0"], first[name])
        assert_equal(first["whole0"], second[name])

    torch.manual_seed(0)
    alone = train(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)), task(batch_size=12))
    for name in tasks:
        assert_steps_of_one([first[name], second[name]], alone)


def test_three_processes_with_pieces_of_different_number(job, recipe, task, start, arrays, tmp_path):
    """40 images make two steps of 15 and one of 10; its shares, 4, 3 and 3, are cut into 2, 1 and 1 pieces.

    Stopped on the way they end as if not stopped: sums of three numbers depend on their order, those of two do not.
    """
    settings = {"recipe": asdict(recipe(processes=3, batch_size=4)), "network": WIDE}
    whole, stopped = (asdict(job(tmp_path / name, **settings)) for name in ("whole", "stopped"))
    jobs = {"whole": (whole, 0), "first": (stopped, 2), "second": (stopped, 0)}
    found = start(3, jobs, {"only": (asdict(recipe(processes=3, batch_size=5)), 2)})
    assert (found[0]["first"].interrupted, found[0]["second"].resumed) == ("SIGUSR1", True)
    assert_equal(found[0]["whole"], found[0]["second"])
    torch.manual_seed(0)
    alone = train(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)), task(batch_size=15))
    assert_steps_of_one([one["only"] for one in found], alone)
    trained = [row["images"] for row in found[0]["only"].class_rows if (row["epoch"], row["split"]) == (1, "train")]
    assert trained == np.bincount(arrays["train"][1]).tolist()  # every image once


def test_a_job_of_two_processes(job, recipe, arrays, monkeypatch):
    """By the launcher: stopped at a deadline and run again; the scores are those of the returned network."""
    given = job(recipe=asdict(recipe(**TOGETHER)))
    assert run_job(replace(given, deadline=0.0)).interrupted == "time limit"
    reports = []
    result = run_job(given, report=reports.append)
    assert (result.outcome, result.resumed, len(result.rows)) == ("ok", True, 2)
    assert reports[-1]["epoch"] == 2
    network = Network(given.cell, given.shape)
    network.load_state_dict(result.weights)
    network.eval()
    for split, scores in (("validation", result.validation), ("test", result.test)):
        images, labels = arrays[split]
        x = torch.from_numpy((images - np.float32(0.5)) / np.float32(1.2)).permute(0, 3, 1, 2)
        with torch.no_grad():
            logits = network(x)
        guesses = logits.argmax(1).numpy()
        rows = [row for row in result.confusions if (row["network"], row["split"]) == ("last", split)]
        expected = confusion_matrix(labels, guesses, labels=range(3))
        assert [row["images"] for row in rows] == expected.ravel().tolist()
        assert scores.micro_accuracy == pytest.approx((labels == guesses).mean())
        assert scores.kappa == pytest.approx(cohen_kappa_score(labels, guesses))
        expected = nn.functional.cross_entropy(logits, torch.from_numpy(labels)).item()
        assert scores.loss == pytest.approx(expected, rel=1e-4)

    monkeypatch.setattr("terranas.training.job.run_processes", lambda *_, **__: pytest.fail("started again"))
    again = run_job(given)
    assert_equal(result, again)
    assert again.resumed


def test_out_of_memory_of_one_halves_the_pieces_of_all(job, recipe, monkeypatch):
    given: list[TrainingJob] = []

    def ends(folder: Path, processes: int, **_):
        given.append(TrainingJob(**read_json(folder / "job.json")))
        assert processes == 2
        return "out_of_memory"

    monkeypatch.setattr("terranas.training.job.run_processes", ends)
    result = run_job(job(recipe=asdict(recipe(**TOGETHER))))
    assert [attempt.micro_batch for attempt in given] == [4, 2]
    assert (result.outcome, result.micro_batch) == ("out_of_memory", 2)
