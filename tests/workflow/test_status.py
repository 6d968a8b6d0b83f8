"""terranas status and why on the real workflow: finished, edited, with a file gone, a broken record, a failed job."""

import json
import sys

import pytest

from terranas.cli import main as terranas
from terranas.core.records import record_path

from .conftest import SMALLEST

pytestmark = pytest.mark.workflow

RANDOM = "results/smallest/search/study/random/evaluations.parquet"
TESTS = "results/smallest/comparison/study/tests.parquet"


@pytest.fixture(scope="module")
def place(finished, tmp_path_factory):
    """A copy of the finished study; a test that changes it puts it right again, the last one excepted."""
    return finished.copy(tmp_path_factory.mktemp("looked_at"))


@pytest.fixture
def ask(place, monkeypatch, capsys):
    """Ask a command for JSON in the study's folder; return (exit code, document)."""

    def call(*arguments, config=()):
        monkeypatch.chdir(place.folder)
        monkeypatch.setenv("PYTHONPATH", str(place.code))
        options = ["--snakefile", str(place.code / "Snakefile"), "--cores", "2"]
        options += ["--workflow-profile", str(place.code / "profiles" / "default")]
        options += ["--config", *config] if config else []
        command = ["terranas", *arguments, "--json", "--configfile", str(SMALLEST), "--", *options]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as stopped:
            terranas()
        return stopped.value.code, json.loads(capsys.readouterr().out)

    return call


def in_state(status, state):
    return {job["rule"]: job for job in status["jobs"] if job["state"] == state}


def test_a_finished_study_is_done(ask):
    code, status = ask("status")
    assert code == 0
    assert status["jobs"] == []
    counts = {stage["stage"]: (stage["jobs"], stage["done"]) for stage in status["stages"]}
    assert (counts["training"], counts["search"]) == ((7, 7), (3, 3))
    assert all(jobs == done for jobs, done in counts.values())
    assert status["snakemake"] == {"state": "none", "process": None}
    assert status["results_dir"] == "results/smallest"


def test_a_changed_setting_is_named_with_its_values(ask):
    code, status = ask("status", config=["search={seeds: 4}"])
    assert code == 0
    stale = in_state(status, "stale")
    assert {"search_run", "surrogates_predict", "comparison_tests"} <= set(stale)
    assert not {"training_train", "landscape_summary"} & set(stale)
    changes = [cause for cause in stale["surrogates_predict"]["causes"] if cause["kind"] == "setting"]
    assert [(each["setting"], each["old"], each["new"]) for each in changes] == [("search.seeds", 3, 4)]
    assert changes[0]["text"] == "params: search.seeds 3 -> 4"
    assert {cause["kind"] for cause in stale["comparison_tests"]["causes"]} == {"upstream"}


def test_a_deleted_file_is_missing(ask, place):
    file = place.folder / RANDOM
    file.rename(f"{file}.kept")
    try:
        code, status = ask("status")
        _, answer = ask("why", RANDOM)
    finally:
        file.with_name(f"{file.name}.kept").rename(file)
    assert code == 0
    missing, stale = in_state(status, "missing"), in_state(status, "stale")
    assert missing.keys() == {"search_run"}
    assert missing["search_run"]["wildcards"] == {"benchmark": "study", "arm": "random"}
    causes = missing["search_run"]["causes"]
    assert [(cause["kind"], cause["files"]) for cause in causes] == [("missing_output", [RANDOM])]
    assert "comparison_page" in stale
    assert {cause["kind"] for job in stale.values() for cause in job["causes"]} == {"upstream"}
    (root,) = answer["roots"]
    assert (answer["rule"], root["rule"]) == ("search_run", "search_run")
    assert [(cause["kind"], cause["files"]) for cause in root["causes"]] == [("missing_output", [RANDOM])]


def test_a_file_of_a_finished_study_is_up_to_date(ask):
    assert ask("why", TESTS) == (
        0,
        {"output": TESTS, "up_to_date": True, "rule": None, "causes": [], "jobs": 0, "roots": []},
    )


def test_what_stands_in_a_record_is_text_and_nothing_else(ask, place):
    record = record_path(place.folder / ".snakemake" / "metadata", RANDOM)
    kept = record.read_bytes()
    hostile = "__import__('pathlib').Path('harm').touch()"
    try:
        record.write_text(json.dumps(json.loads(kept) | {"params": [hostile, "'</script>'"]}))
        _, answer = ask("why", RANDOM)
    finally:
        record.write_bytes(kept)
    (cause,) = answer["causes"]
    assert cause["kind"] == "other"
    assert hostile in cause["text"]
    assert not (place.folder / "harm").exists()


def test_a_failed_job_is_failed_with_the_end_of_its_log(ask, place):
    (place.results / "comparison" / "study" / "anytime.parquet").write_bytes(b"no table" * 10)
    run = place.snakemake("results/smallest/comparison/study/anytime.png")
    assert run.code != 0, run.output
    code, status = ask("status")
    assert code == 3, run.output
    failed = in_state(status, "failed")
    assert set(failed) == {"comparison_anytime_figure"}
    job = failed["comparison_anytime_figure"]
    assert "is no readable parquet file" in job["error"]
    assert job["log"].startswith("results/smallest/logs/comparison/")
    assert any("is no readable parquet file" in line for line in job["log_tail"])
