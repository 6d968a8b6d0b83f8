"""terranas table: what a file holds and its Pareto front, on tables small enough to check by hand."""

import json
from functools import partial

import pandas as pd
import pytest

from terranas.benchmark.schema import BENCHMARK
from terranas.core.tables import write_table

NAMES = [letter * 32 for letter in "abcd"]
# b is beaten by a in both, d has no latency
ACCURACY, LATENCY = [0.9, 0.8, 0.7, 0.95], [5.0, 6.0, 2.0, None]


@pytest.fixture
def run(command_line, tmp_path, monkeypatch):
    """Run the command in a folder with a table of four architectures; return (exit code, output, errors)."""
    monkeypatch.chdir(tmp_path)
    rows = [
        {"hash": name, "id": None, "dataset": "made up", "epochs": 3, "repeat": 0, "device": "box", "outcome": "ok"}
        | {"source": "test", **dict.fromkeys((c.name for c in BENCHMARK.columns if c.direction), None)}
        | {"test_micro_accuracy": accuracy, "latency_ms": latency}
        for name, accuracy, latency in zip(NAMES, ACCURACY, LATENCY, strict=True)
    ]
    write_table(BENCHMARK.from_rows(rows), "table.parquet", BENCHMARK, {"licence": "CC0"})

    return partial(command_line, "table")


def test_info_of_a_benchmark_table(run):
    code, output, _ = run("info", "table.parquet", "--json")
    facts = json.loads(output)
    assert code == 0
    assert (facts["valid"], facts["schema"], facts["rows"], facts["architectures"]) == (True, "benchmark.table", 4, 4)
    assert facts["version"] == BENCHMARK.version
    assert facts["values"]["dataset"] == ["made up"]
    assert facts["attributes"] == {"licence": "CC0"}
    columns = {column["name"]: column for column in facts["columns"]}
    latency = columns["latency_ms"]
    assert (latency["least"], latency["greatest"], latency["missing"]) == (2.0, 6.0, 1)
    assert (latency["unit"], latency["direction"], latency["measured"]) == ("ms", "minimise", True)
    assert (columns["macs"]["least"], columns["macs"]["measured"], columns["macs"]["missing"]) == (None, False, 4)
    text = run("info", "table.parquet")[1]
    assert "latency_ms           2.000 to 6.000 ms, minimise, measured, missing in 1 rows" in text
    assert "licence        CC0" in text


def test_info_of_a_csv_file_with_a_schema_and_of_ones_own_table(run, tmp_path):
    pd.read_parquet("table.parquet").to_csv("table.csv", index=False)
    facts = json.loads(run("info", "table.csv", "--json")[1])
    assert (facts["valid"], facts["schema"], facts["version"]) == (True, "benchmark.table", None)
    (tmp_path / "own.csv").write_text(f"hash,test_micro_accuracy,macs\n{NAMES[0]},0.5,\n{NAMES[1]},0.25,7\n")
    facts = json.loads(run("info", "own.csv", "--json")[1])
    assert (facts["valid"], facts["schema"], facts["architectures"]) == (True, "benchmark.own", 2)
    assert [(each["name"], each["least"], each["missing"]) for each in facts["columns"]] == [
        ("test_micro_accuracy", 0.25, 0),
        ("macs", 7.0, 1),
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [("0.5\nx,1.5", "breaks 'less_than_or_equal_to(1)' with the value '1.5'"), ("much", "could not convert")],
)
def test_a_table_that_does_not_validate_ends_with_code_1_and_the_reason(run, tmp_path, content, problem):
    (tmp_path / "own.csv").write_text(f"hash,test_micro_accuracy\n{NAMES[0]},{content}\n")
    code, output, _ = run("info", "own.csv", "--json")
    facts = json.loads(output)
    assert (code, facts["valid"]) == (1, False)
    assert problem in facts["problem"]
    assert "valid          no" in run("info", "own.csv")[1]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.parquet", None, "Table none.parquet does not exist."),
        ("none.csv", None, "Table none.csv does not exist."),
        ("bad.parquet", b"no parquet", "is no readable parquet file"),
        ("bad.csv", b"\xff\xfe\x00", "no readable CSV"),
        ("figure.csv", b"arm,seed\nrandom,1\n", "which no schema of terranas has"),
        ("list.csv", b"# terranas architectures\nhash,id\nx,\n", "is a list that the workflow keeps for itself"),
        ("typo.csv", b"hash,test_micro_acuracy\nx,1\n", "Did you mean 'test_micro_accuracy'?"),
    ],
)
def test_what_is_no_table_is_refused(run, tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    code, output, errors = run("info", name)
    assert (code, output) == (1, "")
    assert message in errors
    assert "Traceback" not in errors


def test_the_front_is_what_nothing_beats(run):
    code, output, _ = run("front", "table.parquet", "-o", "test_micro_accuracy,latency_ms", "--json", "--csv", "f.csv")
    facts = json.loads(output)
    assert code == 0
    assert facts["front"] == [
        {"hash": NAMES[0], "test_micro_accuracy": 0.9, "latency_ms": 5.0},
        {"hash": NAMES[2], "test_micro_accuracy": 0.7, "latency_ms": 2.0},
    ]
    assert (facts["size"], facts["architectures"], facts["dataset"], facts["epochs"]) == (2, 4, "made up", 3)
    assert facts["objectives"][1] == {"name": "latency_ms", "direction": "minimise", "unit": "ms"}
    assert pd.read_csv("f.csv").to_dict("records") == facts["front"]
    _, output, errors = run("front", "table.parquet", "-o", "latency_ms,test_micro_accuracy", "--limit", "1")
    assert NAMES[2] in output
    assert NAMES[0] not in output
    assert "and 1 more" in errors
    assert run("front", "table.parquet", "-o", "macs,latency_ms")[1] == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "test_micro_acuracy,latency_ms"], "the nearest are test_micro_accuracy, "),
        (["-o", "latency_ms"], "two or more different objectives"),
        (["-o", "latency_ms,latency_ms"], "two or more different objectives"),
        (["-o", "latency_ms,macs", "--dataset", "other"], "has no results on 'other'"),
        (["-o", "latency_ms@phone,macs"], "Nothing was measured on 'phone'"),
        (["-o", "latency_ms,macs", "--epochs", "108"], "Nothing was trained for 108 epochs"),
    ],
)
def test_wrong_objectives_are_one_sentence(run, arguments, message):
    code, output, errors = run("front", "table.parquet", *arguments)
    assert (code, output) == (1, "")
    assert message in errors


def test_a_missing_option_is_wrong_usage(run):
    assert run("front", "table.parquet")[0] == 2
