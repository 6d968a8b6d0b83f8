"""The state of the code: which commit it is, and whether it was edited since."""

import os
import subprocess
from pathlib import Path
from typing import Any

CODE = ("Snakefile", "rules", "workflow_scripts", "terranas")
"""What of the repository decides results; an edit elsewhere does not make the code 'dirty'."""


def git_state(root: Path) -> dict[str, Any] | None:
    """Return ``{"commit": ..., "dirty": ...}`` of the work tree at ``root``; None where there is none, or no git.

    ``dirty`` tells whether a file of :data:`CODE` differs from the commit or is new. A repository that merely contains
    ``root`` somewhere below its own root (a package installed into another project's folder) does not count.
    """
    top = _git(root, "rev-parse", "--show-toplevel")
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--", *CODE)
    if top is None or commit is None or changes is None or Path(top).resolve() != root.resolve():
        return None
    return {"commit": commit, "dirty": bool(changes)}


def _git(root: Path, *arguments: str) -> str | None:
    """Return what git prints, or None when it is missing or refuses."""
    # variables such as GIT_DIR would point git elsewhere when the workflow is started from a git hook
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
