"""Memory that is kept: no page is mapped anew from run to run, and all of it can be handed back."""

import json
import subprocess
import sys

import pytest

from terranas.profiling import allocator
from terranas.profiling.allocator import keep_freed_memory, return_freed_memory

PROGRAM = """
import json, resource, sys
from pathlib import Path
import torch
from terranas.profiling.allocator import keep_freed_memory, return_freed_memory

def run():
    layers = [torch.ones(9_000_000) for _ in range(2)]  # 36 MB each, more than glibc ever keeps by itself

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

kept = keep_freed_memory() if sys.argv[1] == "keep" else None
for _ in range(10):
    run()
before = faults()
for _ in range(40):
    run()
taken, held = faults() - before, resident()
return_freed_memory()
print(json.dumps([kept, taken, held - resident()]))
"""


@pytest.mark.skipif(allocator._glibc() is None, reason="the system's library is not glibc")
def test_kept_memory_is_not_mapped_again() -> None:
    found = {}
    for mode in ("keep", "default"):
        done = subprocess.run([sys.executable, "-c", PROGRAM, mode], capture_output=True, text=True, check=True)
        found[mode] = json.loads(done.stdout)
    kept, faults, returned = found["keep"]
    assert kept is True
    # at most, where freed pieces are a little too small, a few runs take new ones; else each of the 40 runs does
    assert found["default"][1] > 5 * faults
    assert returned > 50e6


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert keep_freed_memory() is False
    return_freed_memory()
