"""terranas config: checking and explaining, as text and as JSON."""

import json
from functools import partial

import pytest

from terranas import cli_frame
from terranas.config.explain import explain_key, sections
from terranas.config.load import known_keys
from terranas.core.stages import STAGES
from terranas.inspection.workflow import Job, StudyCall


@pytest.fixture
def run(command_line, tmp_path, monkeypatch):
    """Run the command in a folder with a study; return (exit code, output, errors)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text("results_dir: out\nsearch: {seeds: 7}\n")

    return partial(command_line, "config")


def test_check_as_json(run, tmp_path):
    code, output, _ = run("check", "study.yaml", "--json")
    assert code == 0
    assert json.loads(output) == {"valid": True, "configfile": "study.yaml", "results_dir": "out", "problem": ""}
    (tmp_path / "wrong.yaml").write_text("search: {sedes: 7}\n")
    code, output, _ = run("check", "wrong.yaml", "--json")
    facts = json.loads(output)
    assert (code, facts["valid"], facts["results_dir"]) == (1, False, None)
    assert "search.seeds" in facts["problem"]


def test_a_setting_is_explained(run):
    code, output, _ = run("explain", "search.seeds", "--configfile", "study.yaml", "--json")
    assert code == 0
    assert json.loads(output) == {
        "key": "search.seeds",
        "meaning": "Repetitions with independent randomness.",
        "type": "whole number",
        "allowed": [],
        "bounds": ["at least 2"],
        "default": 30,
        "value": 7,
        "reruns": None,
    }
    text = run("explain", "search.seeds", "--configfile", "study.yaml")[1]
    assert "default  30" in text
    assert "value    7 (study.yaml)" in text
    assert "allowed  predict, skip" in run("explain", "search.unknown")[1]


def test_every_setting_and_section_has_a_meaning_and_a_type():
    for key in (*known_keys(), *sections()):
        found = explain_key(key)
        assert found.meaning, key
    assert explain_key("data.path").type == "text or null"
    assert explain_key("comparison.pairs").type == "list of lists of texts"
    assert sorted(explain_key("comparison.alpha").bounds) == ["greater than 0", "less than 1"]


def test_a_section_lists_its_settings(run):
    lines = run("explain", "search.budgets")[1].splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["search.budgets.surrogate", "search.budgets.random"]
    facts = json.loads(run("explain", "search", "--json")[1])
    assert {setting["key"] for setting in facts["settings"]} >= {"search.seeds", "search.local_search.order"}


@pytest.mark.parametrize(
    ("key", "words", "nearest"),
    [
        ("search.sedes", "are", "search.seeds"),
        ("seeds", "is", "search.seeds"),
        ("batchsize", "are", "training.batch_size"),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest(run, key, words, nearest):
    code, output, errors = run("explain", key)
    assert (code, output) == (1, "")
    assert f"There is no setting '{key}'; the nearest {words} {nearest}" in errors


def test_a_value_to_try_is_checked_and_tried(run, monkeypatch):
    asked = []

    def planned(*_, settings=(), **__):
        asked.append(settings)
        rules = ["report_page", *(["search_run"] * 3 if settings else [])]
        return [Job(rule, (), ("o",), (), {}, "") for rule in rules]

    monkeypatch.setattr(StudyCall, "planned", planned)
    code, output, _ = run(
        "explain", "search.budgets.random", "--value", "[5, 6, 7, 8]", "--configfile", "study.yaml", "--json"
    )
    assert code == 0
    assert json.loads(output)["reruns"] == {"search_run": 3}
    assert asked == [(), ["search={budgets: {random: [5, 6, 7, 8]}}"]]
    code, _, errors = run("explain", "search.seeds", "--value", "one", "--configfile", "study.yaml")
    assert code == 1
    assert "search.seeds" in errors
    assert len(asked) == 2


def test_completion_knows_keys_stages_metrics_and_arms():
    assert list(cli_frame.complete_key("search.local_search.o")) == ["search.local_search.order"]
    assert "search" in cli_frame.complete_key("sea")
    assert list(cli_frame.complete_stage("s")) == [stage for stage in STAGES if stage.startswith("s")]
    assert "macs,latency_ms" in cli_frame.complete_metrics("macs,lat")
    assert "nsga2" in cli_frame.complete_arm("ns")
