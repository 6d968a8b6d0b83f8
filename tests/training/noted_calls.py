"""A stand-in for snakemake: its first lines, and what it noted."""

import json
from pathlib import Path

NOTING = """
import json, sys, time
from pathlib import Path
folder = Path("{folder}")
with (folder / "calls").open("a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
if "--summary" in sys.argv:
    print((folder / "summary").read_text())
    sys.exit()
if "--unlock" in sys.argv:
    for lock in (folder / ".snakemake" / "locks").glob("*"):
        lock.unlink()
    sys.exit()
"""
"""Notes its arguments in a folder, prints a table when asked for one, and unlocks; the rest is for the test to say."""


def calls(folder: Path) -> list[list[str]]:
    """Return the arguments of each call, in order."""
    path = folder / "calls"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
