"""When a training stops: its own clock, signals, and Slurm's word."""

import os
import signal
import threading

import pytest

from terranas.core.errors import TerranasError
from terranas.training import deadline, slurm_jobs
from terranas.training.deadline import Stop, job_deadline, made_progress


@pytest.fixture
def handlers():
    """Give the process its signal handlers back."""
    kept = {number: signal.getsignal(number) for number in deadline.SIGNALS}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Put a pretended Slurm command first on the path; it prints what the test says and notes how it was called."""

    def install(name, output="", code=0, errors=""):
        script = tmp_path / name
        script.write_text(
            f"#!/bin/sh\necho \"$@\" >> {tmp_path}/calls\ncat <<'END'\n{output}\nEND\n"
            f"[ -n '{errors}' ] && echo '{errors}' >&2\nexit {code}\n"
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return tmp_path / "calls"

    return install


def test_the_time_limit_is_a_reason_from_its_moment_on():
    now = [99.9]
    stop = Stop(100.0, clock=lambda: now[0])
    assert stop.reason() == ""
    now[0] = 100.0
    assert stop.reason() == "time limit"


def test_without_a_limit_there_is_no_reason():
    assert Stop(None, clock=lambda: 1e12).reason() == ""


@pytest.mark.parametrize("name", ["SIGUSR1", "SIGTERM"])
@pytest.mark.usefixtures("handlers")
def test_signals_are_reasons_and_the_first_one_stays(name):
    stop = Stop(None)
    stop.listen()
    os.kill(os.getpid(), signal.Signals[name])
    assert stop.reason() == name
    os.kill(os.getpid(), signal.SIGUSR1)
    assert stop.reason() == name


@pytest.mark.usefixtures("handlers")
def test_a_signal_reaches_a_stop_that_inherited_its_being_ignored():
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    stop = Stop(None)
    stop.listen()
    os.kill(os.getpid(), signal.SIGUSR1)
    assert stop.reason() == "SIGUSR1"


@pytest.mark.usefixtures("handlers")
def test_other_threads_cannot_listen_and_do_no_harm():
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=Stop(None).listen)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before


def test_outside_slurm_there_is_no_deadline(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setenv("SLURM_JOB_END_TIME", "1000")
    assert job_deadline(60) is None


def test_the_jobs_own_variable_comes_first(monkeypatch, slurm):
    calls = slurm("squeue", "1:00")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_JOB_END_TIME", "1700000000")
    assert job_deadline(60) == 1700000000 - 60
    assert not calls.exists()


@pytest.mark.parametrize("variable", [None, "", "Unknown", "0"])
def test_else_slurm_is_asked_for_the_time_left(monkeypatch, slurm, variable):
    calls = slurm("squeue", "1-02:03:04")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.delenv("SLURM_JOB_END_TIME", raising=False)
    if variable is not None:
        monkeypatch.setenv("SLURM_JOB_END_TIME", variable)
    monkeypatch.setattr(deadline.time, "time", lambda: 1000.0)
    assert job_deadline(60) == 1000 + 24 * 3600 + 2 * 3600 + 3 * 60 + 4 - 60
    assert "--jobs=7" in calls.read_text()


@pytest.mark.parametrize("answer", ["UNLIMITED", "NOT_SET", "INVALID", ""])
def test_a_job_without_limit_has_no_deadline(monkeypatch, slurm, answer):
    slurm("squeue", answer)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.delenv("SLURM_JOB_END_TIME", raising=False)
    assert job_deadline(60) is None


def test_slurm_that_does_not_answer_is_told_of(monkeypatch, slurm, caplog):
    slurm("squeue", code=1, errors="Unable to contact slurm controller")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.delenv("SLURM_JOB_END_TIME", raising=False)
    assert job_deadline(60) is None
    assert "does not tell the time left of job 7" in caplog.text


def test_a_refused_requeue_is_an_error_with_slurms_reason(slurm):
    slurm("scontrol", code=1, errors="Requested operation is presently disabled")
    with pytest.raises(TerranasError, match=r"presently disabled.*slurm-requeue"):
        slurm_jobs.requeue("7")


def test_requeue_names_the_job(slurm):
    calls = slurm("scontrol")
    slurm_jobs.requeue("7")
    assert calls.read_text() == "requeue 7\n"


def test_a_missing_slurm_is_an_error_too(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TerranasError, match="missing"):
        slurm_jobs.requeue("7")


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], False),
        ([("started", None), ("interrupted", None)], False),
        ([("started", None), ("checkpoint", 12), ("interrupted", None)], True),
        ([("started", None), ("checkpoint", 41), ("started", None), ("checkpoint", 41)], False),
        ([("started", None), ("epoch", 40), ("interrupted", None)], False),
        # killed after its last checkpoint: the next run has to do again what was not saved, and saves more than was
        ([("started", None), ("checkpoint", 40), ("epoch", 60), ("started", None), ("checkpoint", 55)], True),
        ([("started", None), ("checkpoint", 40), ("started", None), ("checkpoint", 55)], True),
        ([("checkpoint", 5)], False),
    ],
)
def test_progress_is_to_save_more_than_ever_before(events, expected):
    assert made_progress([{"event": event, "step": step} for event, step in events]) is expected
