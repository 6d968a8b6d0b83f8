"""The program of benchmarks/ on searches: its references give what the library gives, and a difference stops it."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import measure
    import search

    def here(function: object, *arguments: object, prepare: object = None, runs: int = 3) -> measure.Measured:
        return measure._timed(function, arguments, prepare, min(runs, 1))

    monkeypatch.setattr(search, "measured", here)
    monkeypatch.setattr(search, "BUDGETS", {"surrogate": [20, 50], "random": [60, 200]})
    monkeypatch.setattr(sys, "argv", ["search.py", "--vertices", "4", "--seeds", "2"])
    return search


def test_the_references_agree(search: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    search.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "91 cells, 2 seeds of each arm"
    for line, start in zip(lines[3:], [r"edit +local", r"edit +published", r"edit_symmetric +local"], strict=True):
        assert re.match(start, line)
        assert re.search(r"[\d,]+ +\d[\d.]* (s|ms|us) +\d+ +\d[\d.]* (s|ms|us) +\d+\.\d +\d[\d.]* (s|ms|us)$", line)


def test_a_difference_stops_the_program(search: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search.plain, "_dominates", lambda one, other: one <= other)
    with pytest.raises(SystemExit, match="edit, local search: the reference differs from the library"):
        search.main()
