"""What happens when a training fails: by its own numbers, or by the machine."""

import json

import pandas as pd
import pytest

from terranas.benchmark.schema import BENCHMARK
from terranas.cli import main as terranas
from terranas.core.tables import read_table

pytestmark = pytest.mark.workflow

# Python imports sitecustomize before a script starts: the script of one architecture's training kills itself,
# as a node's memory limit would
KILLER = """
import os, signal, sys
from pathlib import Path

script = sys.argv[0] if getattr(sys, "argv", None) else sys.orig_argv[-1]
if script.endswith(".train.py") and b"{victim}" in Path(script).read_bytes():
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_diverging_training_is_a_result_with_its_reason(finished, tmp_path):
    place = finished.copy(tmp_path)
    run = place.snakemake("benchmark", settings={"training": {"learning_rate": 1e20, "schedule": "constant"}})
    assert run.code == 0, run.output
    table = read_table(place.results / "benchmark" / "study.parquet", BENCHMARK)
    assert table["hash"].nunique() == 7
    diverged = table[table["outcome"] == "diverged"]
    assert len(diverged) > 0
    assert diverged["validation_micro_accuracy"].isna().all()
    status = json.loads((place.results / "training" / diverged["hash"].iloc[0] / "status.json").read_text())
    assert status["outcome"] == "diverged"
    assert "not finite" in status["reason"]


def test_a_killed_training_stops_what_needs_it_until_it_is_accepted(finished, tmp_path, monkeypatch):
    place = finished.copy(tmp_path)
    changed = {"training": {"epochs": 2}}
    victim = sorted(path.name for path in (place.results / "training").iterdir() if len(path.name) == 32)[0]
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(KILLER.replace("{victim}", victim))
    paths = f"{place.code}:{tmp_path / 'hook'}"

    run = place.snakemake("--retries", "1", settings=changed, environment={"PYTHONPATH": paths})
    assert run.code != 0
    assert run.output.count(f"Training {victim}") >= 2, "the job is tried again before it is given up"
    assert not (place.results / "training" / victim / "status.json").exists()
    others = [path for path in (place.results / "training").glob("*/status.json") if path.parent.name != victim]
    assert [json.loads(path.read_text())["epochs"] for path in others] == [2] * 6, "the others finish"
    left = place.snakemake("-n", settings=changed)
    assert left.jobs["training_train"] == 1

    study = tmp_path / "study.yaml"
    study.write_text("results_dir: results/smallest\n")
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        monkeypatch.setattr("sys.argv", ["terranas", *arguments, "--configfile", str(study)])
        with pytest.raises(SystemExit) as stopped:
            terranas()
        assert stopped.value.code == 0

    command("accept", victim, "--reason", "killed on every attempt")
    run = place.snakemake("benchmark", settings=changed, environment={"PYTHONPATH": paths.split(":")[0]})
    assert run.code == 0, run.output
    assert run.jobs["training_train"] == 1
    table = read_table(place.results / "benchmark" / "study.parquet", BENCHMARK)
    row = table[table["hash"] == victim]
    assert row["outcome"].tolist() == ["accepted_failure"]
    assert pd.isna(row["test_micro_accuracy"].iloc[0])
    status = json.loads((place.results / "training" / victim / "status.json").read_text())
    assert status["reason"] == "killed on every attempt"

    command("retract", victim)
    again = place.snakemake("-n", settings=changed)
    assert again.jobs["training_train"] == 1
    assert "report_page" in again.rules
