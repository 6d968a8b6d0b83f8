"""terranas search: what its command passes on, shows and refuses."""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import typer

from terranas import cli_search
from terranas.search import live_study, live_workflow
from terranas.search.campaign import SearchTables
from terranas.search.driver import SearchRun
from terranas.search.schema import EVALUATIONS, FRONTS, QUEUE, RUNS

A, B = "a" * 32, "b" * 32


@pytest.fixture
def run(command_line, tmp_path, monkeypatch):
    """Run the command in a folder with a study."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text("results_dir: out\nsearch: {budgets: {random: [5, 9], surrogate: [2, 3]}}\n")

    return partial(command_line, "search", "live")


def tables(failed):
    common = {"arm": "random", "dataset": "made up", "seed": 0}
    point = {"architecture": A, "predicted": False, "validation_micro_accuracy": 0.25, "macs": 1234567.0}
    place = {"evaluation": 1, "start": True, "entered_archive": True, "repeated": False}
    counts = {"charged": 9, "starts_wanted": 4, "starts": 4, "evaluations": 9 - failed, "distinct": 9 - failed}
    end = {"predicted": 0, "without_value": failed, "stopped_by": "budget"}
    return SearchTables(
        EVALUATIONS.from_rows([{**common, **point, **place}]),
        FRONTS.from_rows([{**common, **point, "budget": 9}]),
        RUNS.from_rows([{**common, **counts, **end, "budget": 9}]),
        QUEUE.empty(),
    )


@pytest.fixture
def made(monkeypatch):
    """Note what is asked of the library, which answers with tables or does what `noted["then"]` says."""
    noted = {"failed": 0, "then": None}

    class Workflow(live_workflow.LiveWorkflow):
        def __init__(self, config, configfile, options):
            super().__init__(config, configfile, options)
            noted["options"] = options

        def settle(self, *, gone=False):
            noted["gone"] = gone

    def search(config, request, _, *, display):
        noted["request"] = request
        with display.round(3, 4) as watch:
            watch(2)
        run = SearchRun(np.arange(6), np.ones(6, bool), np.zeros(6, bool), np.arange(2), 2, np.zeros(1, np.int64))
        journal = live_study.LiveJournal("journal.jsonl", {}, config.search.objectives)
        display.learned(journal, run)
        if noted["then"]:
            raise noted["then"]
        return tables(noted["failed"])

    monkeypatch.setattr(live_workflow, "LiveWorkflow", Workflow)
    monkeypatch.setattr(live_study, "search_live", search)
    return noted


def test_defaults(run, made):
    code, output, errors = run("--configfile", "study.yaml")
    assert code == 0
    assert made["request"] == live_study.LiveRequest("random", 0, 9, 1000)
    assert (made["options"], made["gone"]) == (["--executor=local"], False)
    assert "Front after 9 evaluations" in output
    assert A in output
    assert "1,234,567" in output
    assert "0.2500" in output
    assert "Stopped by: budget.\n" in output
    assert "out/search/live/random/seed_0" in output
    assert "Round 3: 4 architectures" in errors
    assert "7 of 9 evaluations (1 of them failed), 2 on the front" in errors


def test_options_are_passed_on(run, made):
    arguments = ("--method", "nsga2", "--seed", "3", "--budget", "50", "--batch", "8", "--gone")
    code, _, _ = run("--configfile", "study.yaml", *arguments, "--profile", "slurm", "--", "--jobs", "20")
    assert code == 0
    assert made["request"] == live_study.LiveRequest("nsga2", 3, 50, 8)
    assert (made["options"], made["gone"]) == (["--profile=slurm", "--jobs", "20"], True)


@pytest.mark.parametrize("options", [["--profile", "site"], ["--executor=local"], ["-e", "local"]])
def test_an_executor_of_the_users_own_is_taken(run, made, options):
    assert run("--configfile", "study.yaml", "--", *options)[0] == 0
    assert made["options"] == options


@pytest.mark.parametrize("option", ["--config", "-C", "--configfile=other.yaml", "--directory=elsewhere"])
def test_settings_that_the_search_would_not_know_of_are_refused(run, made, option):
    code, _, errors = run("--configfile", "study.yaml", "--", option, "seed=3")
    assert code == 1
    assert f"{option} cannot be passed to snakemake here" in errors
    assert "request" not in made


def test_failed_trainings_are_counted(run, made):
    made["failed"] = 2
    assert "Stopped by: budget; 2 trainings failed." in run("--configfile", "study.yaml")[1]


def test_a_stop_is_said(run, made):
    made["then"] = KeyboardInterrupt()
    code, _, errors = run("--configfile", "study.yaml")
    assert code == 130
    assert "The same command goes on where this one stopped." in errors


def test_a_missing_configuration_is_said(run):
    code, _, errors = run("--configfile", "none.yaml")
    assert code == 1
    assert "none.yaml does not exist" in errors


def test_an_empty_front_can_be_shown(run, made, monkeypatch):
    empty = tables(9)
    monkeypatch.setattr(
        live_study,
        "search_live",
        lambda *_, **__: replace(empty, evaluations=empty.evaluations.iloc[:0], fronts=empty.fronts.iloc[:0]),
    )
    code, output, _ = run("--configfile", "study.yaml")
    assert code == 0
    assert "9 trainings failed" in output
    assert A not in output
    assert made["gone"] is False


def test_the_documentation_names_every_option_and_method():
    page = (Path(__file__).resolve().parents[1] / "docs" / "search.md").read_text()
    section = page[page.index("## Live search") :]
    command = typer.main.get_command(cli_search.search_app).commands["live"]
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
    documented = set(re.findall(r"^\| `(--[a-z]+)`", section, re.MULTILINE))
    assert documented == options - {"--help"}
    methods = section[section.index("**Methods.**") : section.index("Those that start")]
    assert set(re.findall(r"`(\w+)`", methods)) == set(live_study.LIVE_ARMS)
