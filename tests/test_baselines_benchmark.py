"""The program of benchmarks/ on baselines runs and prints every baseline."""

import re
import sys
from pathlib import Path

import pytest

from terranas.search.methods import METHODS

ROOT = Path(__file__).resolve().parents[1]


def test_every_baseline_is_timed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import baselines
    import measure

    def here(function: object, *arguments: object, prepare: object = None, runs: int = 3) -> measure.Measured:
        return measure._timed(function, arguments, prepare, min(runs, 1))

    monkeypatch.setattr(baselines, "measured", here)
    monkeypatch.setattr(baselines, "CALLS", 100)
    monkeypatch.setattr(sys, "argv", ["baselines.py", "--vertices", "5", "--seeds", "2", "--evaluations", "400"])
    baselines.main()
    first, _, _, *lines = capsys.readouterr().out.splitlines()
    assert first == "2,532 cells, 2 seeds of 400 evaluations"
    for name, line in zip(METHODS, lines, strict=False):
        assert re.fullmatch(rf"{name} +[\d.]+ (s|ms|us) +[\d.]+ (us|ms) +\d+", line)
    share, *operators = lines[len(METHODS) :]
    assert 0 < float(share.removeprefix("pymoo's share of nsga2: ").rstrip("%")) < 100
    assert [line.partition(":")[0] for line in operators] == ["mutations", "crossovers"]
