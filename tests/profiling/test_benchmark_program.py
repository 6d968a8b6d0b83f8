"""The program benchmarks/profiling.py: it runs, and picks the architectures that it says."""

import re
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

from terranas.profiling.memory import HostMemory, MemoryServer
from terranas.space.cell import Cell
from terranas.space.complexity import macs

ROOT = Path(__file__).resolve().parents[2]


def test_cells_are_far_enough_apart(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import profiling

    cells = profiling.spaced_cells(12)
    assert len(cells) == 12
    for adjacency, operations, counted in cells:
        assert macs(Cell.from_strings(adjacency, operations), profiling.SPACED_NETWORK) == counted
    assert all(later[2] >= 1.5 * earlier[2] for earlier, later in pairwise(cells))


def test_the_program_runs(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import profiling

    options = ["--cells", "3", "--vertices", "3", "--batch", "1", "--size", "32", "--rounds", "1", "--least", "0.01"]
    monkeypatch.setattr(sys, "argv", ["profiling.py", *options, "--study", "2"])
    # in processes of their own, and with memory, nine starts of Python and torch would take most of a minute
    monkeypatch.setattr(profiling, "measured", lambda asked, *given, **_: SimpleNamespace(result=asked(*given)))
    monkeypatch.setattr(MemoryServer, "measure", lambda *_: HostMemory("ok"))
    profiling.main()
    printed = capsys.readouterr().out
    assert re.search(r"^order of 3 cells, Kendall's tau +-?[01]\.\d+ ", printed, re.MULTILINE)
    ratio = re.search(r"^matrix product of 32, over torch's timer +(\d+\.\d+) ", printed, re.MULTILINE)
    assert ratio is not None
    assert float(ratio[1]) > 0
    assert re.search(r"^empty network, a run +[\d.]+ (us|ms)", printed, re.MULTILINE)
    assert re.search(r"^default study, 2 cells +[\d.]+ s .* % are not timed runs", printed, re.MULTILINE)
