"""What a study was made with: its effective configuration and the versions of the software.

Neither the machine's nor a person's name nor a path gets into the software record: results are meant to be passed on.
"""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

import terranas
from terranas.core.repository import git_state

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
    "torch",
    "xgboost",
)
"""Distributions whose version can change what a study computes or how it runs."""

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


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
