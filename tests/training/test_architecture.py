"""One architecture as a campaign trains it: lease, journal, staging, and leaving before the end."""

import json
import os
import stat
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from terranas.core.errors import DataError, TerranasError
from terranas.data.schema import BAND_STATISTICS, CLASS_COUNTS
from terranas.training import architecture
from terranas.training.architecture import PreparedImages, build_job, leave, train_architecture
from terranas.training.deadline import Stop
from terranas.training.journal import Journal, read_journal
from terranas.training.lease import hold


def events(job):
    return [event["event"] for event in read_journal(job.folder)]


def test_a_finished_training_is_taken_over_and_not_trained_again(job, monkeypatch):
    one = job()
    first = train_architecture(one, Stop(None))
    assert first.outcome == "ok"
    assert events(one)[0] == "started"
    assert events(one)[-1] == "finished"

    monkeypatch.setattr(architecture, "run_job", lambda *_: pytest.fail("trained again"))
    again = train_architecture(one, Stop(None))
    assert again.rows == first.rows
    assert again.test == first.test
    assert events(one).count("started") == 1


def test_changed_arrays_are_named_before_anything_is_trained(job, monkeypatch):
    one = job()
    images = np.load(one.arrays["train_images"])
    np.save(one.arrays["train_images"], images[::-1])
    monkeypatch.setattr(architecture, "run_job", lambda *_: pytest.fail("trained"))
    with pytest.raises(DataError, match=r"train_images\.npy"):
        train_architecture(one, Stop(None))
    assert events(one) == ["started", "failed"]


def test_staged_arrays_give_the_same_result(job, tmp_path):
    plain = train_architecture(job(tmp_path / "a"), Stop(None))
    (tmp_path / "fast").mkdir()
    campaign = job().campaign | {"staging": str(tmp_path / "fast")}
    staged = train_architecture(job(tmp_path / "b", campaign=campaign), Stop(None))
    assert staged.test == plain.test
    assert list((tmp_path / "fast").rglob("train_images.npy"))


def test_time_that_ran_out_interrupts_and_the_next_run_goes_on(job, tmp_path):
    whole = train_architecture(job(tmp_path / "a"), Stop(None))
    late = replace(job(tmp_path / "b"), deadline=0.0)
    stopped = train_architecture(late, Stop(late.deadline))
    assert stopped.interrupted == "time limit"
    assert events(late)[-1] == "interrupted"
    finished = train_architecture(replace(late, deadline=None), Stop(None))
    assert finished.outcome == "ok"
    assert finished.test == whole.test


def test_whoever_must_stop_while_another_trains_leaves_it_alone(job, monkeypatch):
    one = job()
    monkeypatch.setattr(architecture, "run_job", lambda *_: pytest.fail("trained twice at once"))
    with hold(one.folder, 60, {}):
        waited = train_architecture(one, Stop(0.0))
    assert waited.interrupted == "time limit"
    assert events(one) == []


# --- leaving ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def slurm(monkeypatch, tmp_path):
    """Pretend to be in job 17, with an scontrol that notes what it is asked."""
    program = tmp_path / "bin" / "scontrol"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path / "asked"}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setattr(architecture, "REQUEUE_SECONDS", 0)
    return tmp_path / "asked"


def test_outside_slurm_the_next_attempt_goes_on(job, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with pytest.raises(TerranasError, match=r"stopped \(time limit\) and saved itself; the next attempt"):
        leave([job()], "time limit")


def test_a_job_out_of_time_is_queued_again_if_it_made_a_step(job, slurm):
    one = job()
    Journal(one.folder).add("started")
    with pytest.raises(TerranasError, match="made no step in the time that job 17 had"):
        leave([one], "time limit")
    assert not slurm.exists()

    Journal(one.folder).add("checkpoint", epoch=1, step=3)
    with pytest.raises(TerranasError, match="saved itself"):  # Slurm's kill does not come
        leave([one], "time limit")
    assert slurm.read_text() == "requeue 17\n"
    assert events(one)[-1] == "requeued"


def test_a_cancelled_job_is_not_queued_again(job, slurm):
    Journal(job().folder).add("checkpoint", epoch=1, step=3)
    with pytest.raises(TerranasError, match=r"stopped \(SIGTERM\)"):
        leave([job()], "SIGTERM")
    assert not slurm.exists()


# --- building the job ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("normalisation", "mean"), [("training", [1.0, 2.0]), ("each_split", [5.0, 6.0])])
def test_each_split_is_normalised_as_configured(job, normalisation, mean):
    one = job()
    means = {"train": (1.0, 2.0), "validation": (5.0, 6.0), "test": (7.0, 8.0)}
    rows = [
        {"source": "npz", "split": split, "band": band, "mean": values[band], "std": 1.0, "min": 0.0, "max": 9.0}
        for split, values in means.items()
        for band in (1, 0)  # the order of rows must not matter
    ]
    counts = [
        {"source": "npz", "split": split, "class_index": index, "class_name": str(index), "count": count}
        for split, numbers in (("test", (9, 9)), ("train", (3, 4)))
        for index, count in enumerate(numbers)
    ]
    settings = {"network": one.network, "recipe": one.recipe, "seed": 0, "state": "x", "normalisation": normalisation}
    cell = {"adjacency": one.adjacency, "operations": one.operations}
    tables = BAND_STATISTICS.validate(pd.DataFrame(rows)), CLASS_COUNTS.validate(pd.DataFrame(counts))
    built = build_job(cell, settings, one.campaign, PreparedImages(one.manifest, *tables, one.arrays))
    assert built.statistics["validation"]["mean"] == mean
    assert built.statistics["train"]["mean"] == [1.0, 2.0]
    assert built.class_counts == [3, 4]
    assert json.loads(json.dumps(built.statistics)) == built.statistics
