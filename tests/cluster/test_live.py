"""A live search whose trainings are Slurm jobs: killed amid a round, its running training is adopted."""

import json

import pytest
import yaml

from .results import assert_equal, assert_one_at_a_time, journals, read_training
from .slurm import wait_until
from .studies import ROOT, WORKFLOW

pytestmark = pytest.mark.cluster

SMALLEST = yaml.safe_load((ROOT / "tests" / "workflow" / "smallest.yaml").read_text())
SETTINGS = {name: value for name, value in SMALLEST.items() if name != "results_dir"}
COMMAND = ("search", "live", "--budget", "6")


def journal(study):
    """Return what a search noted."""
    text = (study.results / "search" / "live" / "random" / "seed_0" / "journal.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_a_search_killed_amid_a_round_goes_on_with_what_runs(studies, tmp_path):
    here = studies("here", settings=SETTINGS)
    assert here.terranas(*COMMAND, options=(*WORKFLOW, "--cores", "2")).wait(300) == 0
    chosen = [line["architecture"] for line in journal(here)[1:]]

    held = chosen[-1]
    (tmp_path / "plan.json").write_text(json.dumps({held: "hold"}))
    study = studies(settings=SETTINGS, environment={"FAULTS": str(tmp_path)})
    first = study.terranas(*COMMAND, "--profile", "slurm", options=WORKFLOW)
    wait_until(lambda: (tmp_path / f"{held}.ready").exists() or not first.running, 400, "a training to hold")
    assert first.running, first.output
    first.kill()
    again = study.terranas(*COMMAND, "--profile", "slurm", options=WORKFLOW)
    wait_until(lambda: "call that run on: 1" in again.output or not again.running, 120, "an adopted training")
    (tmp_path / f"{held}.done").touch()
    assert again.wait(300) == 0, again.output

    assert journal(study) == journal(here)
    assert len(journals(study.results)) == 6
    for architecture, events in journals(study.results).items():
        assert_one_at_a_time(events)
        assert [event["event"] for event in events].count("started") == 1, "nothing was trained twice"
        assert all(event["slurm_job"] for event in events)
        assert_equal(read_training(study.results, architecture), read_training(here.results, architecture))
