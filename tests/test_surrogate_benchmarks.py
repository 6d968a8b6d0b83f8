"""The program of benchmarks/ on surrogates: its references give what the library gives, and a difference stops it."""

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def surrogates(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import measure
    import surrogates

    def here(function: object, *arguments: object, prepare: object = None, runs: int = 3) -> measure.Measured:
        return measure._timed(function, arguments, prepare, runs)  # a new process for each would take half a minute

    monkeypatch.setattr(surrogates, "measured", here)
    return surrogates


def test_the_references_agree(
    surrogates: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["xgboost", "ridge"]
    options = ["--vertices", "5", "--sample", "100", "--rows", "50", "--regressors", *names]
    monkeypatch.setattr(sys, "argv", ["surrogates.py", *options])
    surrogates.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2,532 cells"
    for name in names:
        parts = [line for line in lines if line.startswith(f"{name} ")]
        assert len(parts) == 5
        for part in ("prediction of all cells", "front of 2 objectives"):
            (line,) = [line for line in parts if part in line]
            assert re.search(r"\d (s|ms|us) +\d[\d.]* (s|ms|us) +\d+ +\d[\d.]* (s|ms|us)( \(from 50\))? +\d+$", line)


def test_a_difference_stops_the_program(surrogates: ModuleType) -> None:
    surrogates.require_same("part", [1, 2], np.array([1, 2]))
    with pytest.raises(SystemExit, match="part: the reference differs"):
        surrogates.require_same("part", [1, 2], [1, 3])
