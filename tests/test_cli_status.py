"""terranas status, why and clean: what they print, ask and refuse; Snakemake's answers are given."""

import json
import subprocess
import sys
import time

import pytest
import typer

from terranas import __version__, cli
from terranas.core.errors import TerranasError
from terranas.core.records import record_path
from terranas.inspection.workflow import Job, NoRuleError, StudyCall
from terranas.training import campaign_run

NEW = "Input files updated by another job: "


def job(rule, inputs, output, reason=""):
    return Job(rule, tuple(inputs), (f"out/{output}",), (f"out/logs/{rule}.log",), {}, reason)


EVERY = [
    job("space_cells", [], "space/cells"),
    job("search_run", ["out/space/cells"], "search/runs", "Updated input files: out/space/cells"),
    job("comparison_tests", ["out/search/runs"], "comparison/tests", f"{NEW}out/search/runs"),
    job("report_page", ["out/comparison/tests"], "report/page", "Missing output files: out/report/page"),
]


@pytest.fixture
def run(command_line, tmp_path, monkeypatch):
    """Run the command in a folder with a study whose report is missing and whose search is stale."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "study.yaml").write_text("results_dir: out\n")
    for each in EVERY[:3]:
        path = tmp_path / each.outputs[0]
        path.parent.mkdir(parents=True)
        path.write_text("x")
    (tmp_path / "out/logs").mkdir()

    def planned(*_, everything=False, **__):
        return EVERY if everything else EVERY[1:]

    monkeypatch.setattr(StudyCall, "planned", planned)

    return lambda *arguments: command_line(*arguments, "--configfile", "study.yaml")


def test_status_counts_and_tells_why(run):
    code, output, _ = run("status", "--json")
    facts = json.loads(output)
    assert code == 0
    assert {stage["stage"]: stage["done"] for stage in facts["stages"]} == {
        "space": 1,
        "search": 0,
        "comparison": 0,
        "report": 0,
    }
    assert {each["rule"]: each["state"] for each in facts["jobs"]} == {
        "search_run": "stale",
        "comparison_tests": "stale",
        "report_page": "missing",
    }
    text = run("status")[1]
    assert "out: no snakemake runs it." in text
    assert "The list of architectures is not made yet" in text
    assert "stale: search_run: input is newer: out/space/cells" in text
    assert "stale: 1 more, since their inputs are made again" in text
    assert "missing: report_page" in text


def test_a_file_that_snakemake_does_not_miss_is_missing_all_the_same(run, tmp_path):
    (tmp_path / "out/space/cells").unlink()
    text = run("status")[1]
    assert "missing: space_cells: was removed, and nothing that is left to do needs it: out/space/cells" in text


def test_a_failed_job_is_told_with_its_log_and_ends_with_code_3(run, tmp_path):
    (tmp_path / ".snakemake/log").mkdir(parents=True)
    log = "[Sun Nov 22 17:16:29 2026]\nError in rule report_page:\n    jobid: 1\n    output: out/report/page\n"
    (tmp_path / ".snakemake/log/2026.snakemake.log").write_text(log)
    (tmp_path / "out/logs/report_page.log").write_text("first\n2026-11-22 ERROR   terranas: no room left\n")
    code, output, _ = run("status")
    assert code == 3
    assert "failed: report_page: no room left" in output
    assert "    first" in output
    # a record of the failed attempt, and one of a success after it
    record = record_path(tmp_path / ".snakemake" / "metadata", "out/report/page")
    record.parent.mkdir()
    failed = time.mktime((2026, 11, 22, 17, 16, 29, 0, 0, -1))
    for later, code in ((0.9, 3), (60.0, 0)):
        record.write_text(json.dumps({"rule": "report_page", "endtime": failed + later}))
        assert run("status")[0] == code
    record.unlink()
    (tmp_path / "out/logs/report_page.log").unlink()
    code, output, _ = run("status")
    assert code == 3
    assert "failed: report_page: ended without a word in its log" in output


def test_a_job_that_runs_is_told_from_one_that_a_dead_snakemake_left(run, tmp_path):
    marker = record_path(tmp_path / ".snakemake" / "incomplete", "out/report/page")
    marker.parent.mkdir(parents=True)
    marker.write_text("{}")
    assert "missing: report_page" in run("status")[1]
    campaign_run.announce("out", [])
    output = run("status")[1]
    assert "running: report_page" in output
    assert "runs it." in output


def test_why_follows_back_to_the_reason(run):
    code, output, _ = run("why", "out/report/page", "--json")
    facts = json.loads(output)
    assert code == 0
    assert (facts["rule"], facts["jobs"], facts["up_to_date"]) == ("report_page", 3, False)
    assert [(root["rule"], root["chain"]) for root in facts["roots"]] == [
        ("report_page", ["report_page"]),
        ("search_run", ["report_page", "comparison_tests", "search_run"]),
    ]
    text = run("why", "./out/../out/report/page")[1]
    assert "out/report/page would be made again by report_page (3 jobs would run)." in text
    assert "by way of report_page <- comparison_tests <- search_run" in text


def test_why_answers_for_the_folder_that_a_file_is_in(run, monkeypatch):
    site = job("report_site", [], "report", "Missing output files: out/report")

    def planned(_, *targets, everything=False, **__):
        if targets and targets[0] not in site.outputs:
            raise NoRuleError("snakemake cannot say what there is to do:\n  MissingRuleException")
        return [*EVERY, site] if everything else [site]

    monkeypatch.setattr(StudyCall, "planned", planned)
    code, output, _ = run("why", "out/report/index.html")
    assert code == 0
    assert "out/report would be made again by report_site (1 job would run)." in output
    code, _, errors = run("why", "comparisn")
    assert code == 1
    assert "called 'comparisn'" in errors
    assert "Near it: comparison" in errors
    assert "Name a file of the study" in run("why", "")[2]


def test_snakemakes_refusal_is_passed_on(run, monkeypatch):
    def refuse(*_, **__):
        raise TerranasError("snakemake cannot say what there is to do:\n  No rule to produce x")

    monkeypatch.setattr(StudyCall, "planned", refuse)
    for command in (["status"], ["why", "x"], ["clean", "search"]):
        code, output, errors = run(*command)
        assert (code, output) == (1, "")
        assert "No rule to produce x" in errors


def test_what_snakemake_says_of_an_error_is_kept_and_its_greeting_is_not(tmp_path, monkeypatch):
    (tmp_path / "study.yaml").write_text("results_dir: out\n")
    said = "host: x\nSNAKEMAKE\n=========\n  Date: now\n  Host: x\nMissingRuleException:\nNo rule to produce x\n"
    answer = subprocess.CompletedProcess([], 1, stdout=said)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    with pytest.raises(TerranasError) as raised:
        StudyCall.of(tmp_path / "study.yaml").planned("x")
    assert str(raised.value).splitlines()[1:] == ["  MissingRuleException:", "  No rule to produce x"]
    assert isinstance(raised.value, NoRuleError)
    answer.stdout = "usage: __main__.py [-h]\n   [--dry-run]\n__main__.py: error: unrecognized arguments: --nonsense\n"
    with pytest.raises(TerranasError) as raised:
        StudyCall.of(tmp_path / "study.yaml", ["--nonsense"]).planned()
    assert str(raised.value).splitlines()[1:] == ["  unrecognized arguments: --nonsense"]


def test_settings_of_the_options_count(tmp_path):
    study = tmp_path / "study.yaml"
    study.write_text("results_dir: out\n")
    call = StudyCall.of(study, ["-C", "search={seeds: 5}", "seed=3", "--cores", "1"])
    assert (call.config.search.seeds, call.config.seed, str(call.results)) == (5, 3, "out")
    for wrong, message in (("--configfile=x", "Use --configfile before"), ("--directory", "cannot be passed")):
        with pytest.raises(TerranasError, match=message):
            StudyCall.of(study, [wrong])
    with pytest.raises(TerranasError, match="KEY=VALUE"):
        StudyCall.of(study, ["--config", "seed"])


def test_clean_says_what_goes_asks_and_removes(run, tmp_path):
    code, output, errors = run("clean", "search", "--dry-run")
    assert code == 0
    assert "out/search\n1 files" in output
    assert "comparison, report" in errors
    assert (tmp_path / "out/search/runs").exists()
    assert run("clean", "search", "--yes")[0] == 0
    assert not (tmp_path / "out/search").exists()
    assert (tmp_path / "out/comparison/tests").exists()
    assert "There is nothing of the stage search" in run("clean", "search", "--yes")[1]


def test_clean_without_an_answer_removes_nothing(run, tmp_path, monkeypatch):
    def no_answer(*_, **__):
        raise typer.Abort

    monkeypatch.setattr(typer, "confirm", no_answer)
    assert run("clean", "search")[0] == 1
    assert (tmp_path / "out/search/runs").exists()


def test_trainings_need_one_more_word(run, tmp_path):
    (tmp_path / "out/training/x").mkdir(parents=True)
    code, _, errors = run("clean", "training", "--yes")
    assert code == 1
    assert "say --trainings" in errors
    assert (tmp_path / "out/training/x").exists()
    assert run("clean", "training", "--yes", "--trainings")[0] == 0
    assert not (tmp_path / "out/training").exists()


def test_version_and_wrong_usage(command_line):
    assert command_line("--version")[:2] == (0, f"terranas {__version__}\n")
    for arguments, code in ((["--help"], 0), (["nonsense"], 2), (["status", "--nonsense"], 2)):
        assert command_line(*arguments)[0] == code


def test_every_command_has_help_with_an_example():
    group = typer.main.get_command(cli.app)
    commands = {name: command for name, command in group.commands.items() if not hasattr(command, "commands")}
    for name in set(group.commands) - set(commands):
        commands |= {f"{name} {inner}": command for inner, command in group.commands[name].commands.items()}
    assert len(commands) == 18
    for name, command in commands.items():
        assert command.help, name
        epilog = command.epilog or ""
        assert f"terranas {name}" in epilog, name
        # a terminal of 80 columns would break a longer call, which then cannot be copied
        assert max(len(line.strip()) for line in epilog.splitlines()) <= 78, name


def test_looking_up_help_imports_nothing_heavy():
    heavy = "pandas numpy torch pyarrow scipy sklearn xgboost snakemake matplotlib numba pandera"
    program = f"import sys, terranas.cli; print([name for name in '{heavy}'.split() if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
