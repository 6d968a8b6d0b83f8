"""Calls of the workflow by a live search; a stand-in for snakemake notes what is asked of it."""

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

from terranas.config import load_config
from terranas.core.errors import TerranasError
from terranas.core.processes import Process
from terranas.search import live_workflow
from terranas.search.live_list import live_folder, live_list
from terranas.search.live_workflow import LiveSearchRunsError, LiveWorkflow, only_search
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.table import cells_table
from terranas.training import campaign_resume, lease
from terranas.training.campaign_resume import StillRunningError
from terranas.training.campaign_run import announce

from ..training.noted_calls import NOTING, calls

# leaves a status file for each target but those named in `failing`; `hang` keeps it running
SNAKEMAKE = (
    NOTING
    + """
while (folder / "hang").exists():
    time.sleep(0.05)
failing = (folder / "failing").read_text().split()
code = 0
for word in sys.argv[1:]:
    if word.startswith("results/") and not any(name in word for name in failing):
        Path(word).parent.mkdir(parents=True, exist_ok=True)
        Path(word).write_text(json.dumps({{"outcome": "ok"}}))
    elif word.startswith("results/"):
        print("Error in rule training_train: out of luck")
        code = 1
sys.exit(code)
"""
)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "snakemake.py").write_text(SNAKEMAKE.format(folder=tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "fake"))
    monkeypatch.setattr(campaign_resume, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(live_workflow, "POLL_SECONDS", 0.05)
    (tmp_path / "failing").write_text("")
    (tmp_path / "summary").write_text("output_file\tdate\trule\tlog-file(s)\tstatus\tplan\n")
    return tmp_path


@pytest.fixture
def workflow():
    config = load_config({"results_dir": "results"})
    return LiveWorkflow(config, Path("study.yaml"), ["--executor=local"])


@pytest.fixture(scope="module")
def cells():
    return cells_table(3, 9, CIFAR10_NETWORK)


def statuses(cells):
    return [f"results/training/{name}/status.json" for name in cells["hash"]]


END = ["--keep-going", "--configfile=study.yaml", "--executor=local"]


def test_a_round_is_one_call_on_its_trainings(place, workflow, cells):
    watched = []
    workflow.train(cells.iloc[[4, 1]], watched.append)
    assert calls(place) == [[*statuses(cells.iloc[[1, 4]]), *END]]
    assert watched[-1] == 2
    listed = live_list("results").read_text()
    assert all(name in listed for name in cells["hash"].iloc[[1, 4]])
    assert not (live_folder("results") / "call.json").exists()


def test_what_a_round_needs_first_is_asked_for(place, workflow):
    files = workflow.prepare()
    assert calls(place) == [[*map(str, files), *END]]
    assert [file.name for file in files] == [
        "cells.parquet",
        "indptr.npy",
        "indices.npy",
        "summary.json",
        "manifest.json",
    ]


def test_what_is_lacking_is_said(place, workflow, cells):
    lacking = cells["hash"].iloc[3]
    (place / "failing").write_text(lacking)
    log = place / "results" / "logs" / "training" / f"{lacking}.log"
    log.parent.mkdir(parents=True)
    log.write_text("2026-01-01 00:00:00 ERROR   terranas: No GPU is left.\n")
    with pytest.raises(TerranasError) as refused:
        workflow.train(cells, id)
    said = str(refused.value)
    assert "1 training of 7 of this round gave no result" in said
    assert f"{lacking}: failed, No GPU is left." in said
    assert "snakemake ended with exit code 1" in said
    assert "out of luck" in said
    assert "terranas accept HASH" in said
    assert not (live_folder("results") / "call.json").exists()


def test_many_failures_are_counted(place, cells, workflow, monkeypatch):
    monkeypatch.setattr(live_workflow, "FAILURES_SHOWN", 2)
    (place / "failing").write_text("training")
    with pytest.raises(TerranasError, match="7 trainings of 7 of this round gave no result"):
        workflow.train(cells, id)
    with pytest.raises(TerranasError, match=r": missing\n  and 5 more\n"):
        workflow.train(cells, id)


def test_a_failed_preparation_is_said(place, workflow):
    (place / "failing").write_text("manifest")
    with pytest.raises(TerranasError, match="could not be prepared: snakemake ended with exit code 1"):
        workflow.prepare()


def dead_main(place):
    """Leave what a killed snakemake leaves: what it announced, and its lock."""
    announce("results", [])
    path = place / "results" / "campaign" / "run.json"
    content = json.loads(path.read_text())
    content["process"]["born"] += 1
    path.write_text(json.dumps(content))
    locks = place / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/training/x/status.json\n")


def test_nothing_is_to_be_settled_at_first(place, workflow):
    workflow.settle()
    assert calls(place) == []


def test_a_lock_of_a_killed_call_is_removed_and_its_results_are_collected_again(place, workflow, cells):
    workflow.train(cells.iloc[:3], id)
    dead_main(place)
    first, second, third = statuses(cells.iloc[:3])
    with (place / "summary").open("a") as file:
        file.write(f"{first}\tToday\ttraining_train\tlog\tok\tno update\n{second}\tToday\t-\t-\tok\tno update\n")
    workflow.settle()
    assert calls(place)[1:] == [
        ["--unlock", *END[1:]],
        [first, second, third, "--summary", *END[1:]],
    ]
    workflow.train(cells.iloc[:3], id)
    workflow.train(cells.iloc[:3], id)
    assert calls(place)[3:] == [[first, second, third, "--forcerun", second, *END], [first, second, third, *END]]


def test_a_lock_without_an_announcement_is_removed_too(place, workflow):
    dead_main(place)
    (place / "results" / "campaign" / "run.json").unlink()
    workflow.settle()
    assert calls(place) == [["--unlock", *END[1:]]]


def test_another_snakemake_of_the_study_is_left_alone(place, workflow):
    announce("results", [])
    with pytest.raises(StillRunningError, match=f"process {os.getpid()}"):
        workflow.settle()
    assert calls(place) == []


def test_a_machine_that_cannot_be_seen_is_asked_about(place, workflow):
    announce("results", [])
    path = place / "results" / "campaign" / "run.json"
    path.write_text(path.read_text().replace(Process.this().host, "elsewhere"))
    with pytest.raises(StillRunningError, match="say --gone"):
        workflow.settle()
    workflow.settle(gone=True)


def test_the_call_of_a_killed_search_is_waited_for(workflow):
    """The process is a stand-in that ends after a moment."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as orphan:
        call = live_folder("results") / "call.json"
        call.parent.mkdir(parents=True)
        call.write_text(json.dumps(asdict(Process.of(orphan.pid))))
        settled = threading.Thread(target=workflow.settle)
        settled.start()
        time.sleep(0.3)
        assert settled.is_alive()
        orphan.communicate(b"\n")
        settled.join(10)
        assert not settled.is_alive()
    assert not call.exists()


def test_a_damaged_note_of_a_call_says_nothing(workflow):
    call = live_folder("results") / "call.json"
    call.parent.mkdir(parents=True)
    for text in ("", "[]", '{"pid": 1}', "7"):
        call.write_text(text)
        workflow.settle()


def test_ctrl_c_ends_the_round(place, workflow, cells):
    (place / "hang").touch()

    def interrupt(_):
        if calls(place) and (place / "hang").exists():  # snakemake runs
            (place / "hang").unlink()
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        workflow.train(cells, interrupt)
    assert not (live_folder("results") / "call.json").exists()


# --- one search at a time ---------------------------------------------------------------------------------------------


def leave_lease(**facts):
    folder = live_folder("results") / "lease"
    folder.mkdir(parents=True)
    (folder / "000001.json").write_text(json.dumps(asdict(replace(lease._new_holder({}), **facts))))


def test_a_second_search_is_refused_while_the_first_one_lives():
    with (
        only_search("results", 60.0),
        pytest.raises(LiveSearchRunsError, match=f"runs already .process {os.getpid()}"),
        only_search("results", 60.0),
    ):
        raise AssertionError("two searches run")
    with only_search("results", 60.0):  # it ended
        pass


def test_a_killed_search_leaves_its_place():
    leave_lease(born=1)
    with only_search("results", 60.0):
        pass


def test_a_search_on_another_machine_is_given_time_and_then_taken_for_dead():
    leave_lease(host="elsewhere")
    with only_search("results", 0.5):
        pass


def test_a_search_that_lives_on_another_machine_is_not_waited_for_for_ever():
    leave_lease(host="elsewhere")
    path, ended = live_folder("results") / "lease" / "000001.json", threading.Event()

    def live():
        while not ended.wait(0.05):
            content = json.loads(path.read_text())
            path.with_suffix(".new").write_text(json.dumps(content | {"heartbeat": time.time()}))
            path.with_suffix(".new").replace(path)

    other = threading.Thread(target=live)
    other.start()
    try:
        with pytest.raises(LiveSearchRunsError, match="on elsewhere"), only_search("results", 1.0):
            raise AssertionError("two searches run")
    finally:
        ended.set()
        other.join()
