"""What Slurm's commands say, parsed defensively; the commands are stand-ins that print what the test says."""

import subprocess

import pytest

from terranas.core.errors import TerranasError
from terranas.training import slurm_jobs
from terranas.training.slurm_jobs import SEPARATOR, SlurmJob, job_state, jobs_of_study, parse_time

HASH = "0123456789abcdef" * 2
OTHER = "f" * 32


@pytest.fixture
def answers(monkeypatch):
    """Replace the commands; return the calls made."""
    calls = []

    def install(output="", code=0, errors="", fails=None):
        def run(command, **_):
            calls.append(list(command))
            if fails is not None:
                raise fails
            return subprocess.CompletedProcess(command, code, output, errors)

        monkeypatch.setattr(slurm_jobs.subprocess, "run", run)
        return calls

    return install


def line(
    number="7", run="terranas_x", state="RUNNING", folder="/study", comment=f"rule_training_train_wildcards_{HASH}"
):
    return SEPARATOR.join([number, run, state, "n1", "None", folder, comment])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0:00", 0),
        ("1:02", 62),
        ("1:00:00", 3600),
        ("2-00:00:01", 172801),
        ("UNLIMITED", None),
        ("INVALID", None),
        ("", None),
        ("1:2:3:4", None),
        ("-1:00", None),
    ],
)
def test_times_are_slurms(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    ("output", "code", "errors", "state"),
    [
        ("RUNNING\n", 0, "", "running"),
        ("COMPLETING\n", 0, "", "running"),
        ("SUSPENDED\n", 0, "", "running"),
        ("PENDING\n", 0, "", "pending"),
        ("REQUEUED\n", 0, "", "pending"),
        ("COMPLETED\n", 0, "", "over"),
        ("CANCELLED\n", 0, "", "over"),
        ("", 0, "", "over"),
        ("", 1, "slurm_load_jobs error: Invalid job id specified", "over"),
        ("", 1, "slurm_load_jobs error: Unable to contact slurm controller (connect failure)", "unknown"),
    ],
)
def test_a_job_is_over_only_if_slurm_says_so(answers, output, code, errors, state):
    answers(output, code, errors)
    assert job_state("7") == state


@pytest.mark.parametrize("problem", [FileNotFoundError("squeue"), subprocess.TimeoutExpired("squeue", 1)])
def test_a_slurm_that_is_not_there_says_nothing(answers, problem):
    answers(fails=problem)
    assert job_state("7") == "unknown"
    assert jobs_of_study("/study", [HASH]) is None


def test_jobs_of_the_study_are_found_by_folder_and_architecture(answers, tmp_path):
    study = str(tmp_path)
    answers(
        "\n".join(
            [
                line(folder=study),
                line("8", folder=study, comment=f"rule_training_train_wildcards_{OTHER}"),
                line("9", folder="/elsewhere"),
                line("10", folder=study, state="PENDING", comment=f"rule_training_train_wildcards_{HASH}"),
                line("11", folder=study, comment="rule_data_prepare"),
                line("12", folder=study, comment=""),
                line("13_1", folder=study),
                "slurm says something else",
                "",
            ]
        )
    )
    jobs = jobs_of_study(tmp_path, [HASH])
    assert [job.id for job in jobs] == ["7", "10"]
    assert jobs[0] == SlurmJob("7", "terranas_x", "RUNNING", "training_train", HASH, "n1", "None")
    assert [job.pending for job in jobs] == [False, True]


def test_jobs_are_found_by_the_name_of_their_run_and_by_their_number(answers, tmp_path):
    answers(
        "\n".join(
            [
                line("11", run="mine", comment="rule_data_prepare"),
                line("12", run="other", comment="rule_data_prepare"),
                line("13", run="other", comment="rule_training_pack_wildcards_3"),
                line("14", run="mine", comment="put here by somebody"),
            ]
        )
    )
    found = jobs_of_study(tmp_path, [HASH], runs=["mine"], ids=["13"])
    assert [(job.id, job.rule, job.wildcards) for job in found] == [
        ("11", "data_prepare", ""),
        ("13", "training_pack", "3"),
        ("14", "", ""),
    ]


def test_a_users_own_squeue_format_changes_nothing(monkeypatch, tmp_path):
    script = tmp_path / "squeue"
    script.write_text('#!/bin/sh\necho "${SQUEUE_FORMAT-RUNNING}"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("SQUEUE_FORMAT", "%i")
    assert job_state("7") == "running"


def test_cancelling_goes_in_portions_and_errors_are_told(answers):
    calls = answers()
    slurm_jobs.cancel([str(number) for number in range(250)])
    assert [len(call) for call in calls] == [101, 101, 51]
    answers(code=1, errors="scancel: error: Access/permission denied")
    with pytest.raises(TerranasError, match="permission denied"):
        slurm_jobs.cancel(["7"])
