"""Going on after a killed snakemake: stand-ins for Slurm's commands and for snakemake note what is asked of them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from terranas.core.errors import TerranasError
from terranas.core.processes import Process
from terranas.training import campaign_resume, campaign_run, lease
from terranas.training.campaign_resume import StillRunningError, Study, resume, run_snakemake, stop, unrecorded_in
from terranas.training.campaign_run import announce, announced, withdraw
from terranas.training.slurm_jobs import SEPARATOR

from .noted_calls import NOTING, calls

A, B, C = (letter * 32 for letter in "abc")

SQUEUE = """#!/bin/sh
cat {folder}/queue
"""

SCANCEL = """#!{python}
import sys
from pathlib import Path
queue = Path("{folder}/queue")
Path("{folder}/cancelled").open("a").write(" ".join(sys.argv[1:]) + "\\n")
left = [line for line in queue.read_text().splitlines() if line.split("{separator}")[0] not in sys.argv[1:]]
queue.write_text("".join(line + "\\n" for line in left))
"""

# ends with the code in a file
SNAKEMAKE = (
    NOTING
    + """
(folder / "queue").write_text("")
sys.exit(int((folder / "code").read_text()))
"""
)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a study of three architectures, an empty queue, and stand-ins for all commands."""
    monkeypatch.chdir(tmp_path)
    names = {"folder": tmp_path, "python": sys.executable, "separator": SEPARATOR}
    (tmp_path / "bin").mkdir()
    for name, text in (("squeue", SQUEUE), ("scancel", SCANCEL)):
        script = tmp_path / "bin" / name
        script.write_text(text.format(**names))
        script.chmod(0o755)
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "snakemake.py").write_text(SNAKEMAKE.format(**names))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "fake"))
    monkeypatch.setattr(campaign_resume, "POLL_SECONDS", 0.05)
    (tmp_path / "queue").write_text("")
    (tmp_path / "code").write_text("0")
    (tmp_path / "summary").write_text("output_file\tdate\trule\tlog-file(s)\tstatus\tplan\n")
    listed = "".join(f"{name},,0,o\n" for name in (A, B, C))
    path = tmp_path / "results" / "sampling" / "architectures.csv"
    path.parent.mkdir(parents=True)
    path.write_text(f"# terranas architectures; layout: 1; key: x\nhash,id,adjacency,operations\n{listed}")
    return tmp_path


@pytest.fixture
def study(place):
    return Study(Path("study.yaml"), Path("results"), 60.0, [A, B, C], place)


def queue(place, *jobs):
    lines = []
    for number, state, comment, run in jobs:
        lines.append(SEPARATOR.join([number, run, state, "n1", "None", str(place), comment]))
    (place / "queue").write_text("".join(line + "\n" for line in lines))


def training(name):
    return f"rule_training_train_wildcards_{name}"


def dead_main(place, *logs):
    """Leave what a killed snakemake leaves."""
    announce("results", logs)
    path = place / "results" / "campaign" / "run.json"
    content = json.loads(path.read_text())
    content["process"]["born"] += 1
    path.write_text(json.dumps(content))


def holding(place, name, number, beat=0.0):
    """Leave the lease of a training that runs on another machine."""
    folder = place / "results" / "training" / "_state" / ("0" * 16) / name / "lease"
    folder.mkdir(parents=True)
    one = replace(lease._new_holder({}), host="elsewhere", slurm_job=number, heartbeat=time.time() - beat)
    (folder / "000001.json").write_text(json.dumps(asdict(one)))


def finish(place, name):
    path = place / "results" / "training" / name / "status.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"outcome": "ok"}')


# --- the process that runs a study ---


def test_a_process_announces_itself_and_withdraws(place):
    announce("results", ["log"])
    main = announced("results")
    assert main.process == Process.this()
    assert main.process.is_gone() is False
    assert main.logs == [str(place / "log")]
    withdraw("results")
    assert announced("results") is None


@pytest.mark.usefixtures("place")
def test_a_second_one_does_not_take_the_place_of_a_living_one():
    code = "import sys; from terranas.training.campaign_run import announce, withdraw\n"
    code += "announce('results', []); withdraw('results'); print('done')"
    announce("results", [])
    environment = os.environ | {"PYTHONPATH": str(Path(campaign_run.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "done\n"
    assert announced("results").process == Process.this()


def test_jobs_of_earlier_killed_calls_stay_known(place):
    (place / "one.log").write_text("Building DAG\nSLURM run ID: terranas_1-2\n")
    (place / "two.log").write_text("SLURM run ID: terranas_3-4\n")
    dead_main(place, "one.log")
    announce("results", ["two.log"])
    assert announced("results").run_names() == ["terranas_3-4", "terranas_1-2"]
    (place / "two.log").unlink()
    assert announced("results").run_names() == ["terranas_1-2"]


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"process": 1}', '{"process": {"host": "h", "boot": "b", "pid": 1, "born": 2}}', '"x"'],
)
def test_something_else_in_place_of_the_announcement_says_nothing(place, content):
    path = place / "results" / "campaign" / "run.json"
    path.parent.mkdir()
    path.write_text(content)
    assert announced("results") is None


# --- resume ---


def test_a_living_snakemake_is_left_alone(place, study):
    announce("results", [])
    with pytest.raises(StillRunningError, match=f"process {os.getpid()} on {socket.gethostname()}.*nothing to resume"):
        resume(study, [])
    assert calls(place) == []


def test_a_snakemake_elsewhere_is_taken_for_dead_only_when_told(place, study):
    announce("results", [])
    path = place / "results" / "campaign" / "run.json"
    path.write_text(path.read_text().replace(socket.gethostname(), "login2"))
    with pytest.raises(StillRunningError, match=r"login2.*--gone"):
        resume(study, [])
    assert resume(study, [], gone=True) == 0


def test_without_survivors_the_whole_study_goes_on(place, study):
    dead_main(place)
    assert resume(study, ["--jobs", "3"], targets=["training"]) == 0
    assert calls(place) == [["training", "--configfile=study.yaml", "--profile=slurm", "--jobs", "3"]]


@pytest.mark.parametrize("option", ["--profile=other", "--profile", "--executor", "-e"])
def test_a_profile_of_the_users_own_replaces_slurms(study, option):
    assert "--profile=slurm" not in study.command([option, "x"])


def test_survivors_are_adopted_or_cancelled_and_the_rest_goes_on_first(place, study):
    (place / "log").write_text("SLURM run ID: mine\n")
    dead_main(place, "log")
    holding(place, A, "1")
    queue(
        place,
        ("1", "RUNNING", training(A), "mine"),
        ("2", "PENDING", training(B), "mine"),
        ("3", "RUNNING", "rule_profiling_session_wildcards_cpu_0", "mine"),
        ("4", "RUNNING", "rule_data_prepare", "another study's"),
    )
    # the stand-in for snakemake empties the queue: while it runs, the survivor ends and leaves its result
    state = place / "results" / "training" / "_state" / ("0" * 16) / A / "lease" / "000001.json"
    one = json.loads(state.read_text())
    state.write_text(json.dumps(one | {"heartbeat": time.time() - 59}))
    assert resume(study, []) == 0
    assert (place / "cancelled").read_text() == "2 3\n"
    first, second = calls(place)
    statuses = {name: f"results/training/{name}/status.json" for name in (A, B, C)}
    assert first[:2] == [statuses[B], statuses[C]]
    assert second[:2] == ["--forcerun", statuses[A]]


def test_survivors_are_cancelled_when_asked(place, study):
    holding(place, A, "1")
    queue(place, ("1", "RUNNING", training(A), "r"))
    path = place / "results" / "training" / "_state" / ("0" * 16) / A / "lease" / "000001.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"released": True}))
    assert resume(study, [], cancel_running=True) == 0
    assert (place / "cancelled").read_text() == "1\n"
    assert len(calls(place)) == 1


def test_results_that_snakemake_has_no_record_of_are_collected_again(place, study):
    finish(place, A)
    finish(place, B)
    rows = [
        f"results/training/{A}/status.json\tMon\ttraining_train\t-\tok\tno update",
        f"results/training/{B}/status.json\tMon\ttraining_train\tlogs/x\tok\tno update",
        f"results/training/{C}/status.json\t-\ttraining_train\t-\tmissing\tupdate pending",
    ]
    (place / "summary").write_text("\n".join(rows))
    assert unrecorded_in("\n".join(rows)) == {A}
    assert resume(study, []) == 0
    summary, run = calls(place)
    assert "--summary" in summary
    assert run[:2] == ["--forcerun", f"results/training/{A}/status.json"]


def test_the_lock_is_removed(place, study):
    locks = place / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text(f"results/training/{A}/status.json\n")
    assert resume(study, []) == 0
    assert "--unlock" in calls(place)[0]
    assert not list(locks.iterdir())


def test_another_studys_lock_is_not(place, study):
    locks = place / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/training/x\n")
    (locks / "1.output.lock").write_text("other/training/y\n")
    with pytest.raises(TerranasError, match="other/training/y"):
        resume(study, [])
    assert calls(place) == []


def test_exit_codes_are_passed_on(place, study):
    (place / "code").write_text("3")
    assert resume(study, []) == 3


@pytest.mark.parametrize(("code", "collected"), [(1, True), (130, False)])
def test_a_failure_beside_them_leaves_no_adopted_training_behind(place, study, code, collected):
    (place / "code").write_text(str(code))
    holding(place, A, "1")
    queue(place, ("1", "RUNNING", training(A), "r"))
    # the adopted one ends while the others are trained
    state = place / "results" / "training" / "_state" / ("0" * 16) / A / "lease" / "000001.json"
    state.write_text(json.dumps(json.loads(state.read_text()) | {"heartbeat": time.time() - 59}))
    assert resume(study, []) == code
    target = f"results/training/{A}/status.json"
    assert [call[:3] for call in calls(place)[1:]] == ([[target, "--forcerun", target]] if collected else [])


def test_ctrl_c_waits_for_snakemake_to_tidy_up(tmp_path):
    child = "import signal, time\ntry:\n  open('{0}', 'w'); time.sleep(60)\nexcept KeyboardInterrupt:\n"
    child = child.format(tmp_path / "started") + f"  time.sleep(0.5); open('{tmp_path / 'tidy'}', 'w')"
    code = "import sys, signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "from terranas.training.campaign_resume import run_snakemake\n"
    code += f"sys.exit(run_snakemake([sys.executable, '-c', {child!r}]))"
    parent = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    for _ in range(300):
        if (tmp_path / "started").exists():
            break
        time.sleep(0.1)
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.wait(300) == 130
    assert (tmp_path / "tidy").exists()


def test_a_killed_snakemakes_code_is_the_shells():
    assert run_snakemake([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]) == 137


# --- cancel ---


def test_cancel_ends_snakemake_and_its_jobs(place, study):
    queue(place, ("1", "RUNNING", training(A), "r"), ("2", "PENDING", training(B), "r"))
    code = "import time; from terranas.training.campaign_run import announce\nannounce('results', [])\ntime.sleep(60)"
    environment = os.environ | {"PYTHONPATH": str(Path(campaign_run.__file__).parents[2])}
    main = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL)
    for _ in range(300):
        if announced("results"):
            break
        time.sleep(0.1)
    assert stop(study) == 2
    assert main.wait(300) != 0
    assert (place / "cancelled").read_text() == "1 2\n"
    assert announced("results") is None


def test_a_queue_that_does_not_let_go_is_an_error(place, study, monkeypatch):
    (place / "bin" / "scancel").write_text("#!/bin/sh\n")
    monkeypatch.setattr(campaign_resume, "CANCEL_SECONDS", 0.5)
    queue(place, ("1", "RUNNING", training(A), "r"))
    with pytest.raises(TerranasError, match="stay in the queue"):
        stop(study)
