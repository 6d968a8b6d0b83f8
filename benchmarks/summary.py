"""Run the programs of this folder and renew the summary in README.md: ``make bench``.

    python benchmarks/summary.py [--only enumeration neighbours ...]

About 20 minutes on a quiet machine of two cores. With ``--only``, some programs run and nothing is written. What a
program prints stands in its own section of the README; here settings are smaller where the documented ones take long.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"
BEGIN, END = "<!-- summary: made by `make bench` -->", "<!-- end of summary -->"
VERSIONS = ("numpy", "numba", "torch")


@dataclass(frozen=True)
class Program:
    """A program and the columns of its table that the summary shows.

    Attributes:
        title: first words of each row.
        what: columns that tell rows apart.
        ours: column of what the library takes, or how fast it is.
        reference: column of what it is compared with.
        ratio: column of the ratio; empty where there is none.
        memory: column of MiB; empty where none is measured.
        arguments: settings that keep it short.
    """

    title: str
    what: tuple[str, ...]
    ours: str = "ours"
    reference: str = "plain"
    ratio: str = "ratio"
    memory: str = "MiB"
    arguments: tuple[str, ...] = ()


PROGRAMS = {
    "enumeration": Program("all cells, vertices up to", ("vertices",), arguments=("--reference-vertices", "7")),
    "cells_table": Program("table of cells,", ("what",)),
    "neighbours": Program("neighbour graph", ("graph",), ours="build"),
    "encodings": Program("encoding", ("encoding",), memory=""),
    "nasbench101_table": Program("NAS-Bench-101", ("what",)),
    "landscape": Program("landscape", ("graph", "part")),
    "search": Program("search", ("graph", "search")),
    "baselines": Program("evaluation by", ("baseline",), "an evaluation", "", "", arguments=("--seeds", "10")),
    "surrogates": Program("surrogate", ("regressor", "part")),
    "network": Program(
        "network", ("operations, projections", "pass"), "fused", memory="MiB fused", arguments=("--passes", "5")
    ),
    "reader": Program("images/s read,", ("what", "stored as"), "samples/s", "", "times HDF5", ""),
    "training": Program("images/s of training in bf16,", ("cell",), "bf16 img/s", "plain img/s", "bf16 ratio", ""),
    "profiling": Program("profiling", ("what",), "measured", "goal", "", ""),
}
"""Programs by name; gpu_training.py, which needs a GPU, and explorer.py, which needs a browser, are run by hand."""


def summary_rows(program: Program, heads: list[str], rows: list[list[str]]) -> list[list[str]]:
    """Return what, ours, reference, ratio and MiB of each row that has a reference, or all where none can have one.

    Raises:
        ValueError: the program's table lacks a column.
    """
    shown = (program.ours, program.reference, program.ratio, program.memory)
    if lacking := [name for name in (*program.what, *shown) if name and name not in heads]:
        raise ValueError(f"no column {lacking[0]!r} among {heads}")
    place = {name: heads.index(name) for name in heads}  # the first of equal names
    compared = program.ratio or program.reference
    result = []
    for row in rows:
        padded = [*row, *[""] * (len(heads) - len(row))]
        if compared and not padded[place[compared]]:
            continue
        what = ", ".join(padded[place[name]] for name in program.what)
        result.append([f"{program.title} {what}", *(padded[place[name]] if name else "" for name in shown)])
    return result


def markdown(rows: list[list[str]]) -> str:
    """Return the summary's table."""
    heads = ["what", "ours", "reference", "ratio", "MiB"]
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows])


def replaced(text: str, summary: str) -> str:
    """Return a page with a new summary between its markers.

    Raises:
        ValueError: the page does not have each marker once, in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"the page needs {BEGIN} and {END}, each once")
    return f"{before}{BEGIN}\n\n{summary}\n\n{END}{after}"


def machine() -> str:
    """Return one line about this machine and the versions."""
    cpu = platform.processor() or platform.machine()
    if (facts := Path("/proc/cpuinfo")).is_file():
        lines = facts.read_text(encoding="utf-8").splitlines()
        cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), cpu)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in VERSIONS)
    return f"{os.cpu_count()} cores, {cpu}; Python {platform.python_version()}, {versions}."


def run(name: str, folder: Path) -> dict[str, Any]:
    """Run a program and return its table.

    Raises:
        SystemExit: it failed.
    """
    file = folder / f"{name}.json"
    command = [sys.executable, str(HERE / f"{name}.py"), "--json", str(file), *PROGRAMS[name].arguments]
    print(f"\n{name} {' '.join(PROGRAMS[name].arguments)}", flush=True)
    if (code := subprocess.run(command).returncode) != 0:
        raise SystemExit(f"{name}.py ended with {code}; the summary is left as it was.")
    table: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return table


def main() -> None:
    """Run the programs, print the summary, and write it to the README unless some were left out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS), help="programs to run")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for name in options.only:
            rows += summary_rows(PROGRAMS[name], **run(name, Path(place)))
    summary = f"{machine()}\n\n{markdown(rows)}"
    print(f"\n{summary}")
    if set(options.only) == set(PROGRAMS):
        README.write_text(replaced(README.read_text(encoding="utf-8"), summary), encoding="utf-8")


if __name__ == "__main__":
    main()
