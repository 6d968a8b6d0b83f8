"""The pinned environments, and what is installed in this one."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def pins():
    lines = (ROOT / "envs" / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {normalised(name): version for name, version in pairs}


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def requirement_name(text: str) -> str:
    return normalised(re.match(r"[\w.-]+", text).group())


def test_every_direct_dependency_is_pinned(pins, project):
    named = [*project["dependencies"], *project["optional-dependencies"]["dev"], "torch", "xgboost"]
    assert [name for name in map(requirement_name, named) if name not in pins] == []


def test_the_conda_environment_equals_the_constraints(pins, project):
    environment = yaml.safe_load((ROOT / "envs" / "terranas.yaml").read_text())
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    conda = dict(line.split("==") for line in pip if not line.startswith("--"))
    wanted = {name: pins[name] for name in map(requirement_name, project["dependencies"])}
    wanted |= {"torch": pins["torch"] + "+cpu", "xgboost-cpu": pins["xgboost-cpu"]}
    assert {normalised(name): version for name, version in conda.items()} == wanted


def test_this_environment_has_the_tested_versions(pins):
    installed = {normalised(d.name): d.version.split("+")[0] for d in metadata.distributions()}
    wrong = {n: (installed[n], pins[n]) for n in pins if n in installed and installed[n] != pins[n].split("+")[0]}
    assert wrong == {}


def test_a_cpu_install_holds_no_cuda_package():
    """CUDA libraries are gigabytes that a laptop never uses; nvidia-ml-py is a small reader of GPU states."""
    torch_version = metadata.version("torch")
    if "+cpu" not in torch_version:
        pytest.skip(f"torch {torch_version} is no CPU build")
    cuda = re.compile(r"nvidia|cuda|cudnn|nccl|cupy|triton", re.IGNORECASE)
    names = {normalised(d.name) for d in metadata.distributions()}
    assert {name for name in names if cuda.search(name)} <= {"nvidia-ml-py"}
