import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from terranas.core.errors import CellError, DataError, TerranasError
from terranas.core.tables import read_table, write_table
from terranas.data.schema import BAND_STATISTICS
from terranas.space.network import Network
from terranas.training import NUMERICS_VERSION
from terranas.training.batches import ImageSet
from terranas.training.checkpoint import Checkpoint
from terranas.training.distributed import OUT_OF_MEMORY_EXIT, run_processes
from terranas.training.job import given_up, run_job, status_of
from terranas.training.loop import evaluate, train
from terranas.training.recipe import Recipe
from terranas.training.schema import EPOCHS
from terranas.training.status import read_status, write_status

GOLDEN_LOSSES = [1.227288, 0.768875, 0.636945]
GOLDEN_TEST_LOSS = 0.529983
RAISE = (
    "Training gives other numbers than before. If that is meant, raise NUMERICS_VERSION in "
    "terranas/training/__init__.py (all finished trainings are then redone) and put the new values here."
)


class Killed(BaseException):
    """Stands for a signal that ends the process."""


def killed_after(monkeypatch, saves):
    """Make the process 'die' right after the given number of checkpoints."""
    original, done = Checkpoint.save, []

    def save(self, content):
        original(self, content)
        done.append(1)
        if len(done) == saves:
            raise Killed

    monkeypatch.setattr(Checkpoint, "save", save)


def computed(result):
    return [
        {name: row[name] for name in EPOCHS.names if name in row and name not in EPOCHS.measured} for row in result.rows
    ]


@pytest.mark.parametrize(("optimizer", "saves"), [("sgd", 1), ("sgd", 3), ("adamw", 2)])
def test_interrupted_equals_uninterrupted(job, recipe, tmp_path, monkeypatch, optimizer, saves):
    settings = asdict(recipe(optimizer=optimizer))
    whole = run_job(job(tmp_path / "a", recipe=settings))
    broken = job(tmp_path / "b", recipe=settings)
    with monkeypatch.context() as patch:
        killed_after(patch, saves)
        with pytest.raises(Killed):
            run_job(broken)
    resumed = run_job(broken)
    assert (whole.resumed, resumed.resumed) == (False, True)
    assert computed(whole) == computed(resumed)
    assert (whole.validation, whole.test) == (resumed.validation, resumed.test)
    assert whole.weights.keys() == resumed.weights.keys()
    assert all(torch.equal(whole.weights[name], resumed.weights[name]) for name in whole.weights)
    assert resumed.seconds > sum(row["training_seconds"] for row in resumed.rows)


def test_checkpoints_are_as_rare_as_asked(job, recipe, monkeypatch):
    saved = []
    monkeypatch.setattr(Checkpoint, "save", lambda _, content: saved.append(len(content["rows"])))
    run_job(job(recipe=asdict(recipe(epochs=5, checkpoint_every=2))))
    assert saved == [2, 4, 5]


def test_damaged_checkpoint_starts_anew(job, monkeypatch, tmp_path):
    broken = job()
    with monkeypatch.context() as patch:
        killed_after(patch, 2)
        with pytest.raises(Killed):
            run_job(broken)
    path = broken.checkpoint().path
    path.write_bytes(path.read_bytes()[:-5])
    result = run_job(broken)
    assert not result.resumed
    assert computed(result) == computed(run_job(job(tmp_path / "other")))


def test_recipe_hash_covers_what_decides_the_numbers(job, recipe):
    first = job()
    changed = [
        replace(first, adjacency="0110001000010000"),
        replace(first, operations="input,conv1x1-bn-relu,maxpool3x3,output"),
        replace(first, network=first.network | {"stem_channels": 5}),
        replace(first, recipe=asdict(recipe(epochs=4))),
        replace(first, seed=1),
        replace(first, manifest=first.manifest | {"source": "synthetic"}),
    ]
    assert len({job.recipe_hash() for job in [first, *changed]}) == 7
    same = replace(first, recipe=asdict(recipe(checkpoint_every=2)), state="elsewhere", arrays={})
    assert same.recipe_hash() == first.recipe_hash()
    assert first.checkpoint().folder.parts[-3:] == ("_state", first.recipe_hash(), first.cell.hash)


def test_seeds_and_cells_have_their_own_randomness(job):
    first, other = run_job(job()), run_job(job(seed=1))
    assert computed(first) != computed(other)


def test_invalid_input_is_told(job):
    with pytest.raises(CellError):
        run_job(job(adjacency="0000001000010000"))
    wrong = job()
    np.save(wrong.arrays["test_images"], np.zeros((14, 3, 8, 9), np.float32))
    with pytest.raises(
        DataError, match=r"test_images\.npy has shape \(14, 3, 8, 9\), its manifest says \(14, 3, 8, 8\)"
    ):
        run_job(wrong)
    with open(wrong.arrays["train_labels"], "wb") as file:  # noqa: PTH123
        file.write(b"\x93NUMPY broken")
    with pytest.raises(DataError, match=r"train_labels\.npy cannot be read"):
        run_job(wrong)


def test_golden_training(job):
    result = run_job(job())
    losses = [row["train_loss"] for row in result.rows]
    np.testing.assert_allclose(losses, GOLDEN_LOSSES, rtol=1e-3, err_msg=RAISE)
    np.testing.assert_allclose(result.test.loss, GOLDEN_TEST_LOSS, rtol=1e-3, err_msg=RAISE)
    assert NUMERICS_VERSION == 1, "new version: put its golden values into this test"


# --- several processes -----------------------------------------------------------------------------------------------


def test_two_processes(job, recipe, arrays):
    settings = asdict(recipe(processes=2, batch_size=4, epochs=2))
    result = run_job(job(recipe=settings))
    assert result.outcome == "ok"
    assert len(result.rows) == 2

    # the scores are those of the returned network on all images, each counted once
    network = Network(job().cell, job().shape)
    network.load_state_dict(result.weights)
    mean, std = np.full(3, 0.5), np.full(3, 1.2)
    for split, scores in (("validation", result.validation), ("test", result.test)):
        images = ImageSet(*arrays[split], mean, std, torch.device("cpu"))
        alone = evaluate(network, images, 3, Recipe.from_settings(settings))
        assert scores.micro_accuracy == alone.micro_accuracy
        assert scores.macro_accuracy == pytest.approx(alone.macro_accuracy, rel=1e-12)
        assert scores.loss == pytest.approx(alone.loss, rel=1e-5)

    # a checkpoint of several processes is gone on from
    resumed = run_job(job(recipe=settings))
    assert resumed.resumed
    assert computed(resumed) == computed(result)
    assert all(torch.equal(result.weights[name], resumed.weights[name]) for name in result.weights)


RANK_PROGRAM = """
import sys
from pathlib import Path
import numpy as np, torch, torch.distributed as dist
from torch import nn
from terranas.training.batches import ImageSet
from terranas.training.distributed import Ranks, join_ranks
from terranas.training.loop import train
from terranas.training.recipe import Recipe

folder, cpu, ranks = Path(sys.argv[1]), torch.device("cpu"), Ranks.from_environment()
join_ranks(ranks, folder, cpu)
torch.manual_seed(0)
network = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
content = np.load(folder / "data.npz")
splits = ("train", "validation", "test")
data = {{s: ImageSet(content[s + "_x"], content[s + "_y"], np.zeros(3), np.ones(3), cpu) for s in splits}}
recipe = Recipe(**{recipe})
result = train(network, data, 3, recipe, lambda epoch: np.random.default_rng(epoch).permutation(40), cpu, None, ranks)
losses = [row["train_loss"] for row in result.rows]
torch.save({{"weights": result.weights, "loss": losses}}, folder / f"rank{{ranks.rank}}.pt")
dist.barrier()
dist.destroy_process_group()
"""


def test_two_processes_take_the_same_steps_as_one(arrays, data, recipe, tmp_path):
    """Without batch statistics, two processes with half the batch each are one process with the whole."""
    np.savez(tmp_path / "data.npz", **{f"{s}_{k}": v for s, (x, y) in arrays.items() for k, v in (("x", x), ("y", y))})
    program = tmp_path / "rank.py"
    program.write_text(RANK_PROGRAM.format(recipe=asdict(recipe(processes=2, batch_size=6))))
    ranks = [
        subprocess.Popen(
            [sys.executable, str(program), str(tmp_path)], env=os.environ | {"RANK": str(rank), "WORLD_SIZE": "2"}
        )
        for rank in range(2)
    ]
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
    alone = train(network, data, 3, recipe(batch_size=12), permutation, torch.device("cpu"))
    assert [rank.wait(timeout=120) for rank in ranks] == [0, 0]
    first, second = (torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in range(2))
    assert first["loss"] == second["loss"]
    assert all(torch.equal(first["weights"][name], second["weights"][name]) for name in first["weights"])
    np.testing.assert_allclose([row["train_loss"] for row in alone.rows], first["loss"], rtol=1e-5)
    for name, value in alone.weights.items():
        torch.testing.assert_close(value, first["weights"][name], rtol=1e-4, atol=1e-6)


def permutation(epoch):
    return np.random.default_rng(epoch).permutation(40)


@pytest.fixture
def fake_worker(monkeypatch, tmp_path):
    """Replace the program of each process by one that does what its rank's line says."""

    def make(*lines):
        program = tmp_path / "worker.py"
        program.write_text(f"import os, signal, sys, time\nexec({list(lines)!r}[int(os.environ['RANK'])])\n")
        original = subprocess.Popen
        monkeypatch.setattr(subprocess, "Popen", lambda _, **kw: original([sys.executable, str(program)], **kw))

    return make


def test_a_dead_process_ends_the_job(fake_worker, tmp_path):
    fake_worker("time.sleep(600)", "os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(TerranasError, match=r"Process 1 of the 2 .* was killed by signal 9"):
        run_processes(tmp_path, 2)
    fake_worker("sys.exit('no luck')", "time.sleep(600)")
    with pytest.raises(TerranasError, match=r"Process 0 of the 2 .* exit code 1"):
        run_processes(tmp_path, 2)


def test_out_of_memory_in_one_process(fake_worker, tmp_path):
    fake_worker("time.sleep(600)", f"sys.exit({OUT_OF_MEMORY_EXIT})")
    assert run_processes(tmp_path, 2) is False
    fake_worker("0", "0")
    assert run_processes(tmp_path, 2) is True


# --- status and script -----------------------------------------------------------------------------------------------


def test_status_round_trip(job, tmp_path):
    status = status_of(run_job(job()), "a" * 32, 1, "0123")
    write_status(status, tmp_path / "status.json")
    assert read_status(tmp_path / "status.json") == status
    assert (status.outcome, status.reason, status.epochs, status.device) == ("ok", "", 3, "cpu")
    assert set(status.software) == {"python", "terranas", "torch", "numpy"}
    failed = status_of(given_up("node 7 is broken"), "a" * 32, 1, "0123")
    assert (failed.outcome, failed.reason, failed.epochs) == ("accepted_failure", "node 7 is broken", 0)
    assert failed.test is None
    assert failed.validation is None


def test_status_of_another_version_is_refused(tmp_path):
    (tmp_path / "status.json").write_text('{"hash": "x"}')
    with pytest.raises(DataError, match=r"status\.json is no training status of this version"):
        read_status(tmp_path / "status.json")


class Named(dict):
    __getattr__ = dict.__getitem__


def run_script(job, folder, accepted=""):
    numbers = {"mean": 0.5, "std": 1.2, "min": 0.0, "max": 1.0}
    rows = [{"source": "npz", "split": "train", "band": band} | numbers for band in range(3)]
    write_table(pd.DataFrame(rows), folder / "statistics.parquet", BAND_STATISTICS)
    (folder / "manifest.json").write_text(json.dumps(job.manifest))
    extra = {"statistics": str(folder / "statistics.parquet"), "manifest": str(folder / "manifest.json")}
    outputs = {
        name: str(folder / "out" / file)
        for name, file in (("metrics", "m.parquet"), ("weights", "w.pt"), ("status", "s.json"))
    }
    params = {
        "cell": {"adjacency": job.adjacency, "operations": job.operations},
        "network": job.network,
        "recipe": job.recipe,
        "seed": job.seed,
        "accepted": accepted,
        "state": job.state,
    }
    snakemake = SimpleNamespace(
        input=Named(job.arrays | extra),
        output=Named(outputs),
        params=Named(params),
        wildcards=Named(hash=job.cell.hash),
        config={"training": {"checkpoint_every": 1}},
        log=[],
    )
    script = Path(__file__).resolve().parents[2] / "workflow_scripts" / "training" / "train.py"
    exec(compile(script.read_text(), str(script), "exec"), {"snakemake": snakemake})
    return outputs


def test_script_writes_the_result_and_a_second_run_finds_it(job, tmp_path):
    one = job()
    outputs = run_script(one, tmp_path)
    metrics = read_table(outputs["metrics"], EPOCHS)
    assert metrics["hash"].unique().tolist() == [one.cell.hash]
    assert metrics["epoch"].tolist() == [1, 2, 3]
    weights = torch.load(outputs["weights"], weights_only=True)
    Network(one.cell, one.shape).load_state_dict(weights)
    status = read_status(outputs["status"])
    assert status.outcome == "ok"
    assert status.numerics == NUMERICS_VERSION
    assert len(status.code) == 16

    again = run_script(one, tmp_path)
    assert read_table(again["metrics"], EPOCHS).equals(metrics)  # times included: nothing was trained
    assert read_status(again["status"]).resumed
    assert read_status(again["status"]).test == status.test


def test_script_writes_the_failure_row_without_training(job, tmp_path):
    outputs = run_script(job(), tmp_path, accepted="killed five times")
    assert len(read_table(outputs["metrics"], EPOCHS)) == 0
    assert torch.load(outputs["weights"], weights_only=True) == {}
    status = read_status(outputs["status"])
    assert (status.outcome, status.reason, status.test) == ("accepted_failure", "killed five times", None)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_learns_what_the_cpu_learns(job, recipe):
    cpu = run_job(job())
    cuda = run_job(job(recipe=asdict(recipe(device="cuda"))))
    assert cuda.outcome == "ok"
    assert cuda.device != "cpu"
    np.testing.assert_allclose(
        [row["train_loss"] for row in cuda.rows], [row["train_loss"] for row in cpu.rows], rtol=0.05
    )
