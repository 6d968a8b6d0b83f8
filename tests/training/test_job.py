from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from terranas.core.errors import CellError, DataError
from terranas.core.files import read_json
from terranas.space.network import Network
from terranas.training import NUMERICS_VERSION
from terranas.training.job import run_job
from terranas.training.loop import evaluate
from terranas.training.result import given_up
from terranas.training.status import Cost, read_status, status_of, write_status

from .comparing import computed

GOLDEN_LOSSES = [1.227288, 0.768875, 0.636945]
GOLDEN_TEST_LOSS = 0.529983
RAISE = (
    "Training gives other numbers than before. If that is meant, raise NUMERICS_VERSION in "
    "terranas/training/__init__.py (all finished trainings are then redone) and put the new values here."
)
CPU_MESSAGE = "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to"


def test_recipe_hash_covers_what_decides_the_numbers(job, recipe):
    first = job()
    changed = [
        replace(first, adjacency="0110001000010000"),
        replace(first, operations="input,conv1x1-bn-relu,maxpool3x3,output"),
        replace(first, network=first.network | {"stem_channels": 5}),
        replace(first, seed=1),
        replace(first, manifest=first.manifest | {"source": "synthetic"}),
        replace(first, statistics=first.statistics | {"test": {"mean": [0.0] * 3, "std": [1.0] * 3}}),
        replace(first, class_counts=[1, 2, 3]),
        *(
            replace(first, recipe=asdict(recipe(**{name: value})))
            for name, value in {
                "epochs": 4,
                "augmentation": "flips",
                "loss": "focal",
                "precision": "bf16",
                "best_metric": "validation_loss",
                "compile": True,
            }.items()
        ),
    ]
    assert len({job.recipe_hash() for job in [first, *changed]}) == 14
    elsewhere = {"state": "elsewhere", "arrays": {}, "deadline": 1.0, "nodes": 2, "micro_batch": 4}
    same = replace(first, campaign=first.campaign | {"checkpoint_every": 7}, **elsewhere)
    assert same.recipe_hash() == first.recipe_hash()
    assert first.folder.parts[-3:] == ("_state", first.recipe_hash(), first.cell.hash)


def test_seeds_have_their_own_randomness(job):
    assert computed(run_job(job())) != computed(run_job(job(seed=1)))


def test_invalid_input_is_told(job):
    with pytest.raises(CellError):
        run_job(job(adjacency="0000001000010000"))
    wrong = job()
    np.save(wrong.arrays["test_images"], np.zeros((14, 8, 9, 3), np.float32))
    with pytest.raises(DataError, match=r"test_images\.npy has shape \(14, 8, 9, 3\), its manifest says"):
        run_job(wrong)


def test_golden_training(job):
    result = run_job(job())
    losses = [row["train_loss"] for row in result.rows]
    np.testing.assert_allclose(losses, GOLDEN_LOSSES, rtol=1e-3, err_msg=RAISE)
    np.testing.assert_allclose(result.test.loss, GOLDEN_TEST_LOSS, rtol=1e-3, err_msg=RAISE)
    assert NUMERICS_VERSION == 2, "new version: put its golden values into this test"


def test_each_split_is_normalised_by_its_own_statistics(job, arrays, image_set, task):
    other = {"mean": [5.0] * 3, "std": [3.0] * 3}
    given = job()
    given = replace(given, statistics=given.statistics | {"validation": other})
    plain, changed = run_job(job()), run_job(given)
    assert plain.test == changed.test
    assert plain.validation != changed.validation
    network = Network(given.cell, given.shape)
    network.load_state_dict(changed.weights)
    images, labels = arrays["validation"]
    tally = evaluate(network, image_set((images - 5) / 3, labels), task())
    assert tally.scores().micro_accuracy == changed.validation.micro_accuracy
    assert tally.scores().loss == pytest.approx(changed.validation.loss, rel=1e-4)


# --- memory ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def short_memory(monkeypatch):
    """Let a network in training take no more than so many images at once, from a certain call on."""

    def make(fits, error, after=0):
        original, calls = Network.forward, []

        def forward(self, x):
            calls.append(len(x))
            if self.training and len(calls) > after and len(x) > fits:
                raise error
            return original(self, x)

        monkeypatch.setattr(Network, "forward", forward)
        return calls

    return make


@pytest.mark.parametrize("error", [RuntimeError(CPU_MESSAGE), torch.OutOfMemoryError("CUDA out of memory")])
def test_out_of_memory_halves_what_is_trained_on_at_once(job, short_memory, error):
    calls, reports = short_memory(3, error), []
    result = run_job(job(), report=reports.append)
    assert (result.outcome, result.micro_batch) == ("ok", 2)
    assert [row["micro_batch"] for row in result.rows] == [2, 2, 2]
    assert [told["micro_batch"] for told in reports if told["event"] == "out_of_memory"] == [8, 4]
    # evaluations take no more than steps do
    assert calls[:2] == [8, 4]
    assert max(calls[2:]) == 2


def test_out_of_memory_goes_on_from_the_last_checkpoint(job, recipe, short_memory):
    reports = []
    short_memory(4, RuntimeError(CPU_MESSAGE), after=20)  # 5 steps and 1 validation an epoch
    short = job(recipe=asdict(recipe(epochs=5)))
    result = run_job(short, report=reports.append)
    assert (result.outcome, result.resumed) == ("ok", True)
    assert [row["micro_batch"] for row in result.rows] == [8, 8, 8, 4, 4]
    assert [told["epoch"] for told in reports if told["event"] == "epoch"] == [1, 2, 3, 4, 5]


def test_what_fits_is_remembered(job, short_memory):
    """A job that is stopped and run again does not have to find out once more."""
    calls = short_memory(4, RuntimeError(CPU_MESSAGE))
    short = replace(job(), deadline=0.0)
    assert run_job(short).interrupted == "time limit"
    assert read_json(short.folder / "micro_batch.json") == 4
    calls.clear()
    assert run_job(job()).outcome == "ok"
    assert max(calls) == 4


def test_memory_that_is_never_enough_is_a_result(job, short_memory):
    short_memory(1, RuntimeError(CPU_MESSAGE))
    short = job()
    result = run_job(short)
    assert (result.outcome, result.micro_batch, result.rows, result.weights) == ("out_of_memory", 2, [], {})
    assert "DefaultCPUAllocator" in result.reason
    assert list(short.folder.iterdir()) == []  # an attempt with more memory starts with whole batches


# --- status ----------------------------------------------------------------------------------------------------------


def test_status_round_trip(job, tmp_path):
    given, estimate = job(), Cost(seconds=1.0, host_mb=300.0, device_mb=0.0)
    result = run_job(given)
    status = status_of(result, given, "0123", 4.5, estimate, 2)
    write_status(status, tmp_path / "status.json")
    assert read_status(tmp_path / "status.json") == status
    assert (status.hash, status.outcome, status.reason, status.epochs) == (given.cell.hash, "ok", "", 3)
    assert (status.device, status.precision, status.micro_batch, status.processes) == ("cpu", "fp32", 8, 1)
    assert (status.energy_joule, status.estimate, status.interruptions) == (4.5, estimate, 2)
    assert status.used.seconds == status.seconds == result.seconds
    assert status.used.host_mb > 50
    assert status.used.device_mb == 0
    assert status.best.epoch == result.best.epoch
    assert vars(status.best.test) == vars(result.best.test)
    assert {"python", "terranas", "torch", "numpy"} <= set(status.software)


def test_status_of_a_failure(job, tmp_path):
    given = job()
    status = status_of(given_up("node 7 is broken"), given, "0123")
    write_status(status, tmp_path / "status.json")
    assert read_status(tmp_path / "status.json") == status
    assert (status.outcome, status.reason, status.epochs) == ("accepted_failure", "node 7 is broken", 0)
    assert (status.validation, status.test, status.best, status.used, status.energy_joule) == (None,) * 5


def test_status_of_another_version_is_refused(tmp_path):
    (tmp_path / "status.json").write_text('{"hash": "x"}')
    with pytest.raises(DataError, match=r"status\.json is no training status of this version"):
        read_status(tmp_path / "status.json")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_learns_what_the_cpu_learns(job, recipe):
    cpu = run_job(job())
    cuda = run_job(job(recipe=asdict(recipe(device="cuda"))))
    assert cuda.outcome == "ok"
    assert cuda.device != "cpu"
    assert cuda.peak_device_mb > 0
    np.testing.assert_allclose(
        [row["train_loss"] for row in cuda.rows], [row["train_loss"] for row in cpu.rows], rtol=0.05
    )
