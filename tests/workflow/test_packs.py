"""Several architectures in one job: each with its own result, and one failure that leaves the others finished."""

import json

import pytest

pytestmark = pytest.mark.workflow

SETTINGS = {"campaign": {"pack": 4}, "training": {"epochs": 2}}

# Python imports sitecustomize before a program starts: one member of a pack kills itself at each of its starts
KILLER = """
import os, signal, sys
from pathlib import Path

words = sys.orig_argv
if "terranas.training.pack_member" in words and "{victim}" in words[-1]:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def starts_of_all_but(victim, place):
    """Return how often each training but the victim's began, by its journal."""
    journals = sorted(place.results.glob("training/_state/*/*/history.jsonl"))
    return {path: path.read_text().count('"event": "started"') for path in journals if path.parent.name != victim}


def test_a_failing_member_of_a_pack_leaves_the_others_finished(finished, tmp_path):
    place = finished.copy(tmp_path)
    victim = sorted(path.name for path in (place.results / "training").iterdir() if len(path.name) == 32)[0]
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(KILLER.replace("{victim}", victim))

    run = place.snakemake(
        "training", settings=SETTINGS, environment={"PYTHONPATH": f"{place.code}:{tmp_path / 'hook'}"}
    )
    assert run.code != 0
    assert run.jobs["training_pack"] == 2
    assert f"The training of {victim} did not finish in its pack: killed by signal 9" in run.output
    statuses = {path.parent.name: json.loads(path.read_text()) for path in place.results.glob("training/*/status.json")}
    assert len(statuses) == 6
    assert victim not in statuses
    assert {status["epochs"] for status in statuses.values()} == {2}

    # what the others finished is collected once more, and not trained again
    receipts = [json.loads(path.read_text()) for path in place.results.glob("training/_packs/*.json")]
    members = next(len(receipt) for receipt in receipts if victim in receipt)
    starts = starts_of_all_but(victim, place)
    again = place.snakemake("training", settings=SETTINGS)
    assert again.code == 0, again.output
    assert again.jobs == {"training_pack": 1, "training_train": members}
    assert starts_of_all_but(victim, place) == starts
    assert json.loads((place.results / "training" / victim / "status.json").read_text())["outcome"] == "ok"
    assert place.snakemake("-n", "training", settings=SETTINGS).rules == set()

    # a failure that is accepted concerns its own pack, and moves nobody to another one
    member = min(json.loads((place.results / "training" / "_packs" / "0.json").read_text()))
    (place.results / "training" / "accepted.json").write_text(json.dumps({member: "to see what follows"}))
    follows = place.snakemake("-n", "training", settings=SETTINGS)
    assert follows.jobs == {"training_pack": 1, "training_train": 1}
