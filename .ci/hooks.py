"""Checks of .pre-commit-config.yaml that no tool of the environment has: ``python .ci/hooks.py CHECK [FILE ...]``.

large FILE ...      no file above half a megabyte, vendored libraries of the report apart
notebooks FILE ...  no notebook with outputs or execution counts
config              config/config.yaml and config/schema.json are what the models say now
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LARGEST = 500_000
VENDORED = "terranas/report/assets/vendor"


def large(files: Iterable[Path]) -> list[str]:
    """Return a sentence for each file that is too large."""
    sizes = ((file, file.stat().st_size) for file in files if VENDORED not in file.as_posix())
    return [f"{file}: {size:,} bytes; at most {LARGEST:,} belong into git" for file, size in sizes if size > LARGEST]


def notebooks(files: Iterable[Path]) -> list[str]:
    """Return a sentence for each notebook that keeps what a run put into it."""
    kept = []
    for file in files:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        if any(cell.get("outputs") or cell.get("execution_count") is not None for cell in cells):
            kept.append(f"{file}: has outputs; clear them (jupyter: Clear All Outputs) before the commit")
    return kept


def config(_: Iterable[Path]) -> list[str]:
    """Return a sentence for each generated configuration file that is out of step with the models."""
    from terranas.config.generate import write_generated

    with tempfile.TemporaryDirectory() as place:
        write_generated(place)
        return [
            f"config/{made.name}: out of step with terranas/config; run: terranas config write"
            for made in sorted(Path(place).iterdir())
            if made.read_bytes() != (ROOT / "config" / made.name).read_bytes()
        ]


CHECKS: dict[str, Callable[[Iterable[Path]], list[str]]] = {"large": large, "notebooks": notebooks, "config": config}


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in CHECKS:
        sys.exit(f"usage: python .ci/hooks.py {'|'.join(CHECKS)} [FILE ...]")
    if found := CHECKS[sys.argv[1]](map(Path, sys.argv[2:])):
        sys.exit("\n".join(found))
