"""What a study was made with: its effective configuration and the versions of the software.

Neither the machine's nor a person's name nor a path gets into the software record: results are meant to be passed on.
"""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

import terranas

PACKAGES = (
    "h5py",
    "matplotlib",
    "moocore",
    "numba",
    "numpy",
    "pandas",
    "pandera",
    "pyarrow",
    "pydantic",
    "scikit-learn",
    "scipy",
    "snakemake",
    "snakemake-executor-plugin-slurm",
    "statsmodels",
    "torch",
    "xgboost",
)
"""Distributions whose version can change what a study computes or how it runs."""

CODE = ("Snakefile", "rules", "workflow_scripts", "terranas")
"""What of the repository decides results; an edit elsewhere does not make the code 'dirty'."""

_HEADER = """\
# The effective configuration of this study: every setting, defaults included.
# Run it again from the repository with: snakemake --configfile <this file>
"""


def config_yaml(config: Mapping[str, Any]) -> str:
    """Return the effective configuration as YAML that ``snakemake --configfile`` reads back to equal settings.

    Args:
        config: the configuration's tree of plain values, in the order it is to be written.
    """
    return _HEADER + yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True, width=100)


def software_versions(packages: Sequence[str] = PACKAGES) -> dict[str, Any]:
    """Return the versions of terranas, Python, the platform and the packages that matter.

    Args:
        packages: distributions to look up; one that is not installed gets None.

    Returns:
        JSON-serialisable: ``terranas``, ``python``, ``platform``, ``packages`` and ``git``; ``git`` is None where the
        code does not stand in a git work tree of its own.
    """
    return {
        "terranas": terranas.__version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in packages},
        "git": git_state(Path(terranas.__file__).resolve().parents[1]),
    }


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


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


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
