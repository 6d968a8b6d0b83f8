"""The terranas command."""

import json
import sys

import pytest

from terranas import cli

HASH = "0123456789abcdef" * 2
DONE = "fedcba9876543210" * 2
OTHER = "0" * 32
STATUS = {
    "hash": DONE,
    "outcome": "ok",
    "reason": "",
    "epochs": 1,
    "validation": {"loss": 1.0, "macro_accuracy": 0.5, "micro_accuracy": 0.5},
    "test": {"loss": 1.0, "macro_accuracy": 0.5, "micro_accuracy": 0.5},
    "processes": 1,
    "device": "cpu",
    "seconds": 1.0,
    "resumed": False,
    "code": "0" * 16,
    "numerics": 1,
    "software": {},
}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in an empty folder with a study file; return (exit code, output, errors)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text("results_dir: out\n")
    (tmp_path / "out/sampling").mkdir(parents=True)
    (tmp_path / "out/sampling/architectures.csv").write_text(f"# list\nhash,id\n{HASH},1\n{DONE},2\n")
    (tmp_path / "out/training" / DONE).mkdir(parents=True)
    (tmp_path / "out/training" / DONE / "status.json").write_text(json.dumps(STATUS))

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["terranas", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        captured = capsys.readouterr()
        return stopped.value.code, captured.out, captured.err

    return call


def test_accept_list_and_retract(run, tmp_path):
    study = ("--configfile", "study.yaml")
    assert run("accept", HASH, "--reason", "node broke", *study)[0] == 0
    assert json.loads((tmp_path / "out/training/accepted.json").read_text()) == {HASH: "node broke"}
    assert run("accepted", *study)[1] == f"{HASH}  node broke\n"
    assert run("retract", HASH, *study)[0] == 0
    assert run("accepted", *study)[1] == ""
    code, _, errors = run("retract", HASH, *study)
    assert code == 1
    assert "nothing to take back" in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("accept", "xyz", "--reason", "r", "--configfile", "study.yaml"), "'xyz' is none of the architectures"),
        (("accept", OTHER, "--reason", "r", "--configfile", "study.yaml"), "is none of the architectures"),
        (("accept", DONE, "--reason", "r", "--configfile", "study.yaml"), "there is no failure to accept"),
        (("accept", HASH, "--reason", " ", "--configfile", "study.yaml"), "A reason is needed"),
        (("config", "check", "none.yaml"), "none.yaml does not exist"),
    ],
)
def test_errors_are_one_sentence(run, arguments, message):
    code, _, errors = run(*arguments)
    assert code == 1
    assert message in errors
    assert "Traceback" not in errors


def test_a_file_with_something_else_in_place_of_the_acceptances_is_refused(run, tmp_path):
    (tmp_path / "out/training/accepted.json").write_text('{"not a hash": "x"}')
    code, _, errors = run("accepted", "--configfile", "study.yaml")
    assert code == 1
    assert "must map architecture hashes" in errors


def test_config_check_and_write(run):
    assert run("config", "check", "study.yaml")[1] == "study.yaml is valid; results go to out.\n"
    assert run("config", "write", "written")[0] == 0
    assert run("config", "check", "written/config.yaml")[0] == 0
