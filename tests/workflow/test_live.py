"""Live searches that train: killed at any moment, beside a study that trains the same, and with trainings that fail."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
import pytest
import yaml

from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.tabular import TabularBenchmark
from terranas.cli import main as terranas
from terranas.core.tables import read_table
from terranas.search.schema import EVALUATIONS, FRONTS, RUNS

from .conftest import Workplace, made_once
from .test_failures import KILLER

pytestmark = pytest.mark.workflow

SMALLEST = yaml.safe_load(Path(__file__).with_name("smallest.yaml").read_text())
# the study trains six of the seven cells
SETTINGS = SMALLEST | {"sampling": SMALLEST["sampling"] | {"architectures": "walks"}}
TABLES = {"evaluations": EVALUATIONS, "fronts": FRONTS, "runs": RUNS}
SECONDS = 300


def configured(place, settings=SETTINGS):
    path = place.folder / "study.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


class Live:
    """A live search in a workplace, in a session of its own."""

    def __init__(self, place, *arguments, path=""):
        self.place = place
        self.said = place.folder / "said.txt"
        command = [sys.executable, "-c", "from terranas.cli import main; main()", "search", "live"]
        command += ["--configfile", "study.yaml", *arguments, "--", "--snakefile", str(place.code / "Snakefile")]
        command += ["--workflow-profile", str(place.code / "profiles" / "default"), "--cores", "1"]
        variables = {name: value for name, value in os.environ.items() if not name.startswith("TERRANAS")}
        variables |= {"PYTHONPATH": f"{place.code}:{path}", "OMP_NUM_THREADS": "1"}
        with self.said.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=place.folder, env=variables, stdout=output, stderr=output, start_new_session=True
            )

    def end(self, expected=0):
        """Wait for the end of the search; return what it said."""
        code = self.process.wait(SECONDS)
        said = self.said.read_text()
        assert code == expected, said
        return said

    def until_trained(self, trainings):
        """Wait until a training has begun after so many others have ended."""
        end = time.monotonic() + SECONDS
        while not (len(finished(self.place)) >= trainings and len(started(self.place)) > trainings):
            assert self.process.poll() is None, self.said.read_text()
            assert time.monotonic() < end, "it takes too long"
            time.sleep(0.02)

    def snakemake(self):
        """Return the number of the snakemake process that trains."""
        return json.loads((self.place.results / "search" / "live" / "call.json").read_text())["pid"]


@contextmanager
def live(place, *arguments, path=""):
    """Run a live search; whatever it started ends with the block."""
    search = Live(place, *arguments, path=path)
    try:
        yield search
    finally:
        with suppress(ProcessLookupError):
            os.killpg(search.process.pid, signal.SIGKILL)
        search.process.wait()


def run(place, *arguments, expected=0, path=""):
    with live(place, *arguments, path=path) as search:
        return search.end(expected)


def events(place):
    """Return the events of every training that was ever started, by architecture."""
    return {
        path.parent.name: [json.loads(line)["event"] for line in path.read_text().splitlines()]
        for path in place.results.glob("training/_state/*/*/history.jsonl")
    }


def started(place):
    return [name for name, happened in events(place).items() if "started" in happened]


def finished(place):
    return [path.parent.name for path in place.results.glob("training/*/status.json")]


def record(place, arm="random"):
    """Return the journal's lines and the tables of a live search."""
    folder = place.results / "search" / "live" / arm / "seed_0"
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    return lines, {name: read_table(folder / f"{name}.parquet", schema) for name, schema in TABLES.items()}


def assert_trained_once(place, trainings):
    happened = events(place)
    assert len(happened) == trainings
    assert all(one.count("finished") == 1 for one in happened.values()), happened


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A workplace with space and images, and no training."""

    def make(folder):
        place = Workplace(folder)
        done = place.snakemake("space", "data", "sampling", configfile=configured(place))
        assert done.code == 0, done.output

    return made_once(tmp_path_factory, "prepared", make)


@pytest.fixture(scope="module")
def searched(prepared, tmp_path_factory):
    """A workplace in which one live search ran in one go. Tests must not change it."""

    def make(folder):
        said = run(prepared.copy(folder), "--budget", "9")
        assert "Front after 7 evaluations" in said
        assert "Stopped by: space exhausted" in said

    return made_once(tmp_path_factory, "searched", make)


def test_the_record_of_a_search(searched):
    lines, tables = record(searched)
    assert {line["outcome"] for line in lines[1:]} == {"ok"}
    evaluations = tables["evaluations"]
    assert [line["architecture"] for line in lines[1:]] == evaluations["architecture"].tolist()
    assert [line["values"]["macs"] for line in lines[1:]] == evaluations["macs"].tolist()
    assert tables["runs"]["evaluations"].tolist() == [7]
    assert set(tables["fronts"]["architecture"]) <= set(evaluations["architecture"])
    assert_trained_once(searched, 7)
    assert not (searched.results / "campaign" / "run.json").exists()


def test_a_study_after_a_search_finds_its_trainings_done(searched, tmp_path):
    place = searched.copy(tmp_path)
    config = configured(place)
    listed = (place.results / "sampling" / "architectures.csv").read_text()
    chosen = {line["architecture"] for line in record(place)[0][1:]}
    assert sum(name in listed for name in chosen) == 6, "one was chosen that the study does not train"
    assert place.snakemake("-n", "training", configfile=config).jobs == {}
    assert place.snakemake("-n", "profiling", configfile=config).jobs["training_train"] == 0


def test_a_damaged_list_of_what_was_chosen_is_said(searched, tmp_path):
    place = searched.copy(tmp_path)
    path = place.results / "search" / "live" / "architectures.csv"
    path.write_text(path.read_text().replace("input,", "put,"))
    looked = place.snakemake("-n", "training", configfile=configured(place))
    assert looked.code != 0
    assert "is no architecture" in looked.output
    assert "search/live/architectures.csv" in looked.output


def test_the_same_search_again_trains_nothing_and_says_the_same(searched, tmp_path):
    place = searched.copy(tmp_path)
    before, files = record(place), {path: path.stat().st_mtime_ns for path in place.results.glob("training/*/*")}
    assert "The journal holds 7 evaluations" in run(place, "--budget", "9")
    assert record(place)[0] == before[0]
    assert {path: path.stat().st_mtime_ns for path in files} == files
    run(place, "--budget", "3")
    lines, tables = record(place)
    assert lines == before[0], "what is known stays known"
    assert tables["evaluations"]["architecture"].tolist() == [line["architecture"] for line in lines[1:4]]
    assert tables["runs"]["stopped_by"].tolist() == ["budget"]


def test_another_method_shares_the_trainings(searched, tmp_path):
    place = searched.copy(tmp_path)
    run(place, "--method", "random_search", "--budget", "4")
    assert len(record(place, "random_search")[0]) == 5
    assert_trained_once(place, 7)


@pytest.mark.parametrize(
    ("killed", "code"), [("both", -9), ("driver", -9), ("Ctrl-C", 130)], ids=lambda value: str(value)
)
def test_stopped_amid_a_round_it_comes_to_the_same_end(prepared, searched, tmp_path, killed, code):
    place = prepared.copy(tmp_path)
    with live(place, "--budget", "9") as first:
        first.until_trained(3)
        if killed == "Ctrl-C":
            os.killpg(first.process.pid, signal.SIGINT)
        if killed in ("both", "driver"):
            first.process.kill()
        if killed == "both":
            os.kill(first.snakemake(), signal.SIGKILL)
        first.end(code)
        assert len(finished(place)) < 7, "it was in the middle"
        before = record_of_journal(place)
        again = run(place, "--budget", "9")
    if killed == "driver":
        assert "which a killed live search left running" in again
    lines, tables = record(place)
    expected_lines, expected = record(searched)
    assert lines == expected_lines
    assert lines[: len(before)] == before
    for name in TABLES:
        pd.testing.assert_frame_equal(tables[name], expected[name], check_exact=True)
    assert_trained_once(place, 7)
    assert place.snakemake("-n", "training", configfile=configured(place)).jobs == {}


def record_of_journal(place):
    text = (place.results / "search" / "live" / "random" / "seed_0" / "journal.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_a_search_after_a_finished_study_trains_nothing(finished, tmp_path):
    place = finished.copy(tmp_path)
    configured(place, SMALLEST)
    before = events(place)
    run(place, "--method", "restarts", "--budget", "7")
    assert events(place) == before
    evaluations = record(place, "restarts")[1]["evaluations"]
    assert len(evaluations) == 7
    benchmark = TabularBenchmark(read_table(place.results / "benchmark" / "study.parquet", BENCHMARK), schema=BENCHMARK)
    objectives = ["validation_micro_accuracy", "macs"]
    values = benchmark.values(objectives, evaluations["architecture"].tolist())
    assert (evaluations[objectives].to_numpy() == values).all()


def test_diverged_trainings_have_no_value_and_another_recipe_is_another_search(searched, tmp_path):
    place = searched.copy(tmp_path)
    broken = SETTINGS | {"training": SETTINGS["training"] | {"learning_rate": 1e20, "schedule": "constant"}}
    configured(place, broken)
    said = run(place, "--budget", "3", expected=1)
    assert "belongs to a search with other settings: training.learning_rate was 0.005 and is 1e+20" in said
    run(place, "--method", "random_search", "--budget", "3")
    lines, tables = record(place, "random_search")
    failed = [line for line in lines[1:] if line["outcome"] == "diverged"]
    assert failed
    assert all(line["values"]["validation_micro_accuracy"] is None for line in failed)
    assert tables["runs"][["charged", "without_value"]].iloc[0].tolist() == [3, len(failed)]


def test_a_training_that_cannot_be_done_stops_the_search_until_it_is_accepted(
    searched, prepared, tmp_path, monkeypatch
):
    place = prepared.copy(tmp_path)
    configured(place)
    names = [line["architecture"] for line in record(searched)[0][1:]]
    listed = (place.results / "sampling" / "architectures.csv").read_text()
    (own,) = (name for name in names if name not in listed)
    budget = ("--budget", "9")
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(KILLER.replace("{victim}", own))
    said = run(place, *budget, expected=1, path=tmp_path / "hook")
    assert "1 training of " in said
    assert own in said
    assert (place.results / "training" / own).exists() is False
    trained = events(place)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["terranas", "accept", own, "--configfile", "study.yaml", "--reason", "no luck"])
    with pytest.raises(SystemExit) as stopped:
        terranas()
    assert stopped.value.code == 0
    run(place, *budget)
    lines, tables = record(place)
    outcomes = {line["architecture"]: line["outcome"] for line in lines[1:]}
    assert outcomes == dict.fromkeys(names, "ok") | {own: "accepted_failure"}
    assert tables["runs"][["evaluations", "without_value"]].iloc[0].tolist() == [6, 1]
    assert all(events(place)[name] == trained[name] for name in trained), "what was trained is not trained again"


def test_a_second_search_is_refused(prepared, tmp_path):
    place = prepared.copy(tmp_path)
    configured(place)
    with live(place, "--budget", "4") as first:
        first.until_trained(0)
        said = place.folder / "said.txt"
        said.rename(place.folder / "first.txt")
        refused = run(place, "--method", "nsga2", expected=1)
        assert f"A live search of this study runs already (process {first.process.pid}" in refused
        first.said = place.folder / "first.txt"
        first.end()
    assert_trained_once(place, 4)


def test_what_cannot_be_searched_live_is_refused_before_anything_starts(tmp_path):
    place = Workplace(tmp_path)
    objectives = {"objectives": ["validation_micro_accuracy", "latency_ms"]}
    configured(place, SETTINGS | {"search": SETTINGS["search"] | objectives})
    said = run(place, expected=1)
    assert "it has no values of latency_ms" in said
    assert not place.results.exists()
