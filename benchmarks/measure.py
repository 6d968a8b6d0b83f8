"""Timing a function in a process of its own, so that memory and caches of one do not count for another."""

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terranas.core.processes import host_peak_mb

MIB = 1 << 20


@dataclass(frozen=True)
class Measured:
    """What a function took.

    Attributes:
        seconds: shortest wall time of the runs.
        processor_seconds: processor time of that run, all threads together.
        megabytes: largest memory of the whole process (MiB), imports and what came before the runs included.
        before: the same (MiB) before the first run.
        result: what the function returned; small, since it comes from another process.
    """

    seconds: float
    processor_seconds: float
    megabytes: float
    before: float
    result: Any


def measured(
    function: Callable[..., Any],
    *arguments: Any,
    prepare: Callable[..., Any] | None = None,
    runs: int = 3,
    fresh_compilation: bool = False,
) -> Measured:
    """Run a function some times in a new process and return what it took.

    Args:
        function: importable by name; what it returns must be small.
        *arguments: handed to ``prepare``, or to the function where there is nothing to prepare.
        prepare: makes the function's argument from ``arguments``, before the clock starts.
        runs: how often the function runs; the shortest run counts.
        fresh_compilation: whether to begin with an empty cache of compiled code, so that compilation counts.
    """
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as cache:
        before = os.environ.get("NUMBA_CACHE_DIR")
        if fresh_compilation:
            os.environ["NUMBA_CACHE_DIR"] = cache
        try:
            with context.Pool(1) as pool:
                return pool.apply(_timed, (function, arguments, prepare, runs))
        finally:
            if fresh_compilation:
                os.environ.pop("NUMBA_CACHE_DIR")
                if before is not None:
                    os.environ["NUMBA_CACHE_DIR"] = before


def _timed(
    function: Callable[..., Any], arguments: tuple[Any, ...], prepare: Callable[..., Any] | None, runs: int
) -> Measured:
    given = arguments if prepare is None else (prepare(*arguments),)
    before = host_peak_mb() * 1e6 / MIB
    best: tuple[float, float] | None = None
    result = None
    for _ in range(runs):
        wall, processor = time.perf_counter(), time.process_time()
        result = function(*given)
        took = time.perf_counter() - wall, time.process_time() - processor
        best = took if best is None else min(best, took)
    assert best is not None
    return Measured(*best, host_peak_mb() * 1e6 / MIB, before, result)


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser of a program's options: the first line of its docstring as help, and ``--json``."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, help="file that gets the table too, for summary.py")
    return parser


def show(heads: list[str], rows: list[list[str]], file: Path | None) -> None:
    """Print a table, and write it as JSON where a file is given."""
    print(table(heads, rows))
    if file is not None:
        file.write_text(json.dumps({"heads": heads, "rows": rows}), encoding="utf-8")


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Return rows as a table of aligned columns, the first flush left."""
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    lines = []
    for row in [heads, ["-" * width for width in widths], *rows]:
        entries = [
            text.ljust(width) if column == 0 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(entries).rstrip())
    return "\n".join(lines)


def seconds(value: float) -> str:
    """Return a time with the unit that suits it."""
    if value >= 1:
        return f"{value:.1f} s"
    return f"{value * 1e3:.1f} ms" if value >= 1e-3 else f"{value * 1e6:.1f} us"
