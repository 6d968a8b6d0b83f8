"""The campaign's side commands on real studies: before, while and after snakemake runs them."""

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.workflow

SMALLEST = Path(__file__).with_name("smallest.yaml")
COMMAND = ("-c", "from terranas.cli import main; main()", "campaign")
# seconds for what takes some tens of them on a quiet machine: seven trainings and three starts of snakemake
PATIENCE = 1200


def start(place, name, *arguments):
    """Start a command in a workplace; it writes to a file of this name."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("TERRANAS")}
    variables |= {"PYTHONPATH": str(place.code), "OMP_NUM_THREADS": "1"}
    with (place.folder / name).open("wb") as output:
        command = [sys.executable, *arguments]
        return subprocess.Popen(command, cwd=place.folder, env=variables, stdout=output, stderr=output)


def terranas(place, *arguments):
    """Run ``terranas campaign`` in a workplace; return exit code and output."""
    process = start(place, "said.txt", *COMMAND, *arguments)
    return process.wait(PATIENCE), (place.folder / "said.txt").read_text()


def wait_until(condition, process):
    """Wait for something that a process does."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert process.poll() is None, "the process ended before"
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.1)
    return found


def snakemake_options(place):
    """Return the options that make a call of ``terranas campaign`` run the workflow here."""
    profile = ("--workflow-profile", str(place.code / "profiles" / "default"))
    return "--", "--executor", "local", "--snakefile", str(place.code / "Snakefile"), *profile


def table(place):
    with (place.results / "campaign" / "trainings.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_report_of_a_finished_study(finished, tmp_path):
    place = finished.copy(tmp_path)
    assert not (place.results / "campaign" / "run.json").exists(), "snakemake ended by itself"
    for _ in range(2):  # it runs whenever it is asked for
        run = place.snakemake("campaign_report", "--nolock")
        assert run.code == 0, run.output
        assert "1 of 1 steps (100%) done" in run.output
    rows = table(place)
    assert len(rows) == 7
    assert {(row["state"], row["outcome"], row["epochs"], row["attempts"]) for row in rows} == {
        ("finished", "ok", "1", "1")
    }
    assert all(float(row["expected_seconds"]) > 0 and float(row["used_host_mb"]) > 0 for row in rows)
    page = (place.results / "campaign" / "index.html").read_text()
    assert "7 of 7" in page
    assert "Campaign: Smallest study" in page
    assert place.snakemake("-n", "training").jobs == {}, "looking made something run again"
    code, output = terranas(place, "status", "--configfile", str(SMALLEST))
    assert code == 0
    assert "7 finished" in output


def test_the_report_of_a_study_that_has_not_begun(empty):
    code, output = terranas(empty, "report", "--configfile", str(SMALLEST), *snakemake_options(empty))
    assert code == 0, output
    assert {row["state"] for row in table(empty)} == {"missing"}
    page = (empty.results / "campaign" / "index.html").read_text()
    assert "0 of 7" in page
    assert "GB" in page
    assert not (empty.results / "data").exists(), "nothing but the list of architectures is needed"


def test_a_killed_snakemake_is_resumed_and_a_living_one_is_left_alone(empty):
    place, study = empty, empty.folder / "study.yaml"
    # enough epochs to be in the middle of
    study.write_text(SMALLEST.read_text().replace("training: {epochs: 1,", "training: {epochs: 10,"))
    configured = ("--configfile", str(study))
    options = snakemake_options(place)[1:]
    main = start(place, "main.txt", "-m", "snakemake", "training", *options, "--cores", "1", *configured)
    journals = place.results / "training" / "_state"
    frozen = resumed = None
    try:
        first = wait_until(lambda: next(journals.glob("*/*/history.jsonl"), None), main)
        # the training stands still, so that it is still there when snakemake is not
        frozen = json.loads(first.read_text().splitlines()[0])["pid"]
        os.kill(frozen, signal.SIGSTOP)
        code, said = terranas(place, "resume", *configured)
        assert code == 1
        assert f"process {main.pid}" in said
        assert "there is nothing to resume" in said
        code, said = terranas(place, "report", *configured, *snakemake_options(place))
        assert code == 0, said
        assert {row["hash"]: row["state"] for row in table(place)}[first.parent.name] == "running"
        assert list((place.folder / ".snakemake" / "locks").iterdir()), "the report took the lock away"
        assert json.loads((place.results / "campaign" / "run.json").read_text())["process"]["pid"] == main.pid
        main.kill()
        main.wait()
        arguments = ("resume", *configured, "--target", "training", *snakemake_options(place))
        resumed = start(place, "resumed.txt", *COMMAND, *arguments)
        output = place.folder / "resumed.txt"
        wait_until(lambda: "Trainings that run on: 1" in output.read_text(), resumed)
        os.kill(frozen, signal.SIGCONT)
        assert resumed.wait(PATIENCE) == 0, output.read_text()
    finally:
        for process in (main, resumed):
            if process is not None:
                process.kill()
                process.wait()
        if frozen is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(frozen, signal.SIGKILL)
    assert len(list((place.results / "training").glob("*/status.json"))) == 7
    for journal in journals.glob("*/*/history.jsonl"):
        events = [json.loads(line)["event"] for line in journal.read_text().splitlines()]
        assert (events.count("started"), events.count("finished")) == (1, 1), "a training was done twice"
    assert place.snakemake("-n", "training", configfile=study).jobs == {}
    changed = place.snakemake("-n", "training", configfile=study, settings={"training": {"learning_rate": 0.001}})
    assert changed.jobs["training_train"] == 7, "snakemake has a record of every result"
