"""The program of benchmarks/ on landscapes: its reference gives what the library gives, and a difference stops it."""

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def landscape(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import landscape
    import measure

    def here(function: object, *arguments: object, prepare: object = None, runs: int = 3) -> measure.Measured:
        return measure._timed(function, arguments, prepare, runs)  # twenty new processes would take half a minute

    monkeypatch.setattr(landscape, "measured", here)
    return landscape


def test_the_references_agree(
    landscape: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["hamming", "edit_symmetric"]
    monkeypatch.setattr(sys, "argv", ["landscape.py", "--vertices", "5", "--sample", "40", "--neighbourhoods", *names])
    landscape.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2,532 cells"
    for name in names:
        parts = [line for line in lines if line.startswith(f"{name} ")]
        assert len(parts) == 5
        for line in parts:
            assert re.search(r"\d (s|ms|us) +\d+ +\d[\d.]* (s|ms|us)( \(from 40\))? +\d+$", line)


def test_a_difference_stops_the_program(landscape: ModuleType) -> None:
    landscape.require_same("part", ([1.0, np.nan], [1.0, np.nan]), (2, 2))
    with pytest.raises(SystemExit, match="part: the reference differs"):
        landscape.require_same("part", ([1.0], [1.0]), (2, 3))
