"""terranas campaign: what its commands print, refuse and pass on."""

import json
import os
from functools import partial

import pytest

from terranas import cli_campaign
from terranas.training import campaign_run

A, B = "a" * 32, "b" * 32


@pytest.fixture
def run(command_line, tmp_path, monkeypatch):
    """Run the command in a folder with a study of two architectures, one of which failed; Slurm is not there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "study.yaml").write_text("results_dir: out\n")
    (tmp_path / "out/sampling").mkdir(parents=True)
    header = "# terranas architectures; layout: 1; key: x\nhash,id,adjacency,operations\n"
    (tmp_path / "out/sampling/architectures.csv").write_text(f"{header}{A},1,0,o\n{B},2,0,o\n")
    state = tmp_path / "out/training/_state/0000/" / A
    state.mkdir(parents=True)
    events = [{"time": 10.0, "event": "started"}, {"time": 70.0, "event": "failed", "reason": "no GPU here"}]
    (state / "history.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))

    return partial(command_line, "campaign")


@pytest.fixture
def calls(monkeypatch):
    """Note the calls of snakemake instead of making them; they end with exit code 5."""
    made = []

    def note(command):
        made.append(list(command)[3:])
        return 5

    monkeypatch.setattr(cli_campaign, "run_snakemake", note)
    monkeypatch.setattr("terranas.training.campaign_resume.run_snakemake", note)
    return made


STUDY = ("--configfile", "study.yaml")


def test_status_counts_and_names_what_failed(run):
    code, output, _ = run("status", *STUDY)
    assert code == 0
    assert "No snakemake runs this study." in output
    assert "Slurm does not answer or is not there" in output
    assert "2 trainings:" in output
    assert "1 failed" in output
    assert "1 missing" in output
    assert f"failed {A}: no GPU here" in output
    assert "time spent 1 min 00 s, of which 1 min 00 s was lost" in output


def test_status_tells_whether_snakemake_lives(run, tmp_path):
    campaign_run.announce("out", [])
    assert "runs." in run("status", *STUDY)[1].splitlines()[0]
    path = tmp_path / "out/campaign/run.json"
    content = json.loads(path.read_text())
    content["process"]["born"] += 1
    path.write_text(json.dumps(content))
    assert "`terranas campaign resume` goes on" in run("status", *STUDY)[1]


def test_resume_passes_options_and_the_exit_code_on(run, calls):
    code, _, _ = run("resume", *STUDY, "--target", "training", "--", "--jobs", "3", "--executor", "local")
    assert code == 5
    assert calls == [["training", "--configfile=study.yaml", "--jobs", "3", "--executor", "local"]]


def test_resume_and_cancel_refuse_while_snakemake_may_live(run, calls, tmp_path):
    campaign_run.announce("out", [])
    code, _, errors = run("resume", *STUDY)
    assert code == 1
    assert "there is nothing to resume" in errors
    path = tmp_path / "out/campaign/run.json"
    content = json.loads(path.read_text())
    content["process"]["host"] = "login2"
    path.write_text(json.dumps(content))
    for command in ("resume", "cancel"):
        code, _, errors = run(command, *STUDY)
        assert code == 1
        assert "--gone" in errors
    assert calls == []
    assert run("cancel", *STUDY, "--gone")[1] == "Cancelled 0 jobs.\n"
    assert not path.exists()


def test_report_keeps_the_lock_of_a_running_snakemake(run, calls):
    code, _, _ = run("report", *STUDY, "--", "--cores", "1")
    assert code == 5
    assert calls[0][:3] == ["campaign_report", "--nolock", "--configfile=study.yaml"]
    assert calls[0][-2:] == ["--cores", "1"]


def test_a_study_without_a_list_is_one_sentence(run, tmp_path):
    (tmp_path / "out/sampling/architectures.csv").unlink()
    for command in ("status", "resume", "cancel"):
        code, _, errors = run(command, *STUDY)
        assert code == 1
        assert "There is no list of architectures" in errors
        assert "Traceback" not in errors


def test_clean_removes_what_was_staged_here(run, tmp_path):
    copy = tmp_path / "fast" / f"terranas-{os.getuid()}" / "0123456789abcdef"
    copy.mkdir(parents=True)
    copy.parent.chmod(0o700)
    (copy / "train_images.npy").write_bytes(bytes(2_500_000))
    (tmp_path / "study.yaml").write_text("results_dir: out\ncampaign: {staging: fast}\n")
    assert run("clean", *STUDY)[:2] == (0, "2.5 MB became free below fast.\n")
    assert not copy.parent.exists()
    (tmp_path / "study.yaml").write_text("results_dir: out\n")
    assert run("clean", *STUDY)[1] == "campaign.staging is null: nothing is copied.\n"
