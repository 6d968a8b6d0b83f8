"""The summary of the programs in benchmarks/."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def summary():
    spec = importlib.util.spec_from_file_location("summary", BENCHMARKS / "summary.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["summary"] = module  # where dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["summary"]


def test_every_program_is_in_the_summary(summary):
    programs = {file.stem for file in BENCHMARKS.glob("*.py") if 'if __name__ == "__main__"' in file.read_text()}
    others = {"explorer", "gpu_training", "make_nasbench101", "summary"}
    assert programs - set(summary.PROGRAMS) == others, "a program is in the summary, or here with those that cannot be"


def test_columns_are_those_of_the_programs(summary):
    for name, program in summary.PROGRAMS.items():
        source = (BENCHMARKS / f"{name}.py").read_text().replace('f"{kind} img/s"', '"plain img/s", "bf16 img/s"')
        columns = [program.ours, program.reference, program.ratio, program.memory, *program.what]
        assert [column for column in columns if column and f'"{column}"' not in source] == [], name


def test_settings_are_options_of_the_programs(summary):
    for name, program in summary.PROGRAMS.items():
        options = [word for word in program.arguments if word.startswith("--")]
        assert all(f'"{option}"' in (BENCHMARKS / f"{name}.py").read_text() for option in options), name


def test_rows_without_a_reference_are_left_out(summary):
    heads = ["vertices", "cells", "ours", "MiB", "plain", "MiB", "ratio"]
    rows = [["4", "91", "0.1 ms", "222", "3.3 ms", "230", "31"], ["7", "423,624", "0.4 s", "359", "not run", "", ""]]
    found = summary.summary_rows(summary.PROGRAMS["enumeration"], heads, rows)
    assert found == [["all cells, vertices up to 4", "0.1 ms", "3.3 ms", "31", "222"]]
    baseline = summary.summary_rows(summary.PROGRAMS["baselines"], ["baseline", "an evaluation", "MiB"], [["a", "b"]])
    assert baseline == [["evaluation by a", "b", "", "", ""]]
    with pytest.raises(ValueError, match="no column 'MiB' among"):
        summary.summary_rows(summary.PROGRAMS["enumeration"], ["vertices", "ours", "plain", "ratio"], rows)


def test_only_the_text_between_the_markers_changes(summary):
    page = f"# Title\n\n{summary.BEGIN}\nold\n{summary.END}\n\nrest\n"
    new = summary.replaced(page, "new")
    assert new == f"# Title\n\n{summary.BEGIN}\n\nnew\n\n{summary.END}\n\nrest\n"
    assert summary.replaced(new, "new") == new
    for broken in ("no markers", page + summary.END, page + page):
        with pytest.raises(ValueError, match="each once"):
            summary.replaced(broken, "new")


def test_the_committed_summary_has_a_row_of_every_program(summary):
    _, _, rest = (BENCHMARKS / "README.md").read_text().partition(summary.BEGIN)
    table, end, _ = rest.partition(summary.END)
    assert end
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    assert lines[:2] == summary.markdown([]).splitlines()
    assert all(line.count("|") == 6 for line in lines)
    for name, program in summary.PROGRAMS.items():
        assert any(line.startswith(f"| {program.title} ") for line in lines), name


def test_a_program_writes_its_table(tmp_path):
    file = tmp_path / "table.json"
    code = "from measure import parser_of, show; given = parser_of('Doc.').parse_args(); "
    code += "show(['a', 'b'], [['1', '2']], given.json)"
    command = [sys.executable, "-c", code, "--json", file]
    done = subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["a", "b", "-", "-", "1", "2"]
    assert json.loads(file.read_text()) == {"heads": ["a", "b"], "rows": [["1", "2"]]}


def test_a_failing_program_ends_the_run(summary, tmp_path, monkeypatch):
    monkeypatch.setitem(summary.PROGRAMS, "encodings", summary.Program("x", ("y",), arguments=("--no-such-option",)))
    with pytest.raises(SystemExit, match=r"encodings\.py ended with 2; the summary is left as it was"):
        summary.run("encodings", tmp_path)
