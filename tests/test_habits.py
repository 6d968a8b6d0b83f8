"""The project's own checks are in step: make, .ci/run, the workflow file, pre-commit, the package."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
HOOKS = ROOT / ".ci" / "hooks.py"


def recipe(target: str) -> list[str]:
    """Return the commands of a target of the Makefile."""
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)
    assert found, f"no target {target} in the Makefile"
    return [line.strip() for line in found.group(1).splitlines()]


def targets(text: str) -> list[str]:
    """Return the targets that shell commands make, in their order."""
    return re.findall(r"(?m)(?:^|\$\(|^sudo .* )make ([a-z][a-z-]*)", text)


@pytest.fixture(scope="module")
def workflow():
    return yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())


@pytest.fixture(scope="module")
def hooks():
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local", "hooks of other repositories would need a network and name versions twice"
    return {hook["id"]: hook for hook in local["hooks"]}


# --- continuous integration -------------------------------------------------------------------------------------------


def test_the_workflow_file_makes_what_the_gate_makes(workflow):
    gate = targets((ROOT / ".ci" / "run").read_text())
    assert {"lint", "docs", "demo", "test", "test-docs", "test-browser", "test-cluster"} == set(gate)
    runs = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    hosted = targets("\n".join(runs))
    assert {name: hosted.count(name) for name in gate} == {name: gate.count(name) for name in gate}


def test_the_gate_makes_what_check_makes():
    (line,) = re.findall(r"for suite in (.*); do", (ROOT / ".ci" / "check").read_text())
    assert {*line.split(), "demo"} == set(targets((ROOT / ".ci" / "run").read_text()))


def test_the_workflow_file_takes_no_more_rights_than_it_needs(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    used = {step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step}
    assert {name.partition("/")[0] for name in used} == {"actions"}
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", name) for name in used), used
    assert all(job["timeout-minutes"] <= 60 for job in workflow["jobs"].values())


def test_skips_are_forbidden_wherever_a_service_is(workflow):
    assert "export TERRANAS_FORBID_SKIPS=1" in (ROOT / ".ci" / "run").read_text()
    assert workflow["env"]["TERRANAS_FORBID_SKIPS"] == "1"


def test_every_suite_runs_somewhere_and_none_twice():
    """A marker with a suite of its own is left out of `make test`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    markers = {line.partition(":")[0] for line in project["tool"]["pytest"]["ini_options"]["markers"]}
    (test,) = recipe("test")
    left_out = set(re.findall(r"not (\w+)", test))
    assert left_out == {"cluster", "browser", "docs"} == markers - {"gpu", "workflow"}
    for marker in left_out:
        assert f"-m {marker}" in " ".join(recipe(f"test-{marker}"))


# --- pre-commit -------------------------------------------------------------------------------------------------------


def test_hooks_are_the_lint_commands(hooks):
    lint = [line.replace("$(BIN)", ".venv/bin") for line in recipe("lint")]
    entries = [hook["entry"] for hook in hooks.values()]
    # `snakemake --lint` parses all rules with every import: too slow before each commit
    assert [line for line in lint if line not in entries] == [".venv/bin/snakemake --lint"]
    assert all(hook["language"] == "system" for hook in hooks.values())


def test_hooks_pass_on_the_tree(hooks):
    """The project's own hooks; the tools behind the others are run by `make lint`."""
    tracked = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True)
    files = [ROOT / name for name in tracked.stdout.split("\0") if name] or sorted((ROOT / "docs").rglob("*.*"))
    chosen = {
        "config": [],
        "large-files": [file for file in files if file.is_file()],
        "notebooks": [file for file in files if file.suffix == ".ipynb" and file.is_file()],
    }
    for name, given in chosen.items():
        entry = hooks[name]["entry"].split()
        assert entry[:2] == [".venv/bin/python", ".ci/hooks.py"]
        done = subprocess.run([sys.executable, *entry[1:], *given], cwd=ROOT, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), name


def test_hooks_find_what_they_are_for(tmp_path):
    large = tmp_path / "table.parquet"
    large.write_bytes(b"0" * 500_001)
    notebook = tmp_path / "notes.ipynb"
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [], "source": "1 + 1"}
    notebook.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    for check, file, sentence in (
        ("large", large, "500,001 bytes; at most 500,000 belong into git"),
        ("notebooks", notebook, "has outputs; clear them"),
    ):
        done = subprocess.run([sys.executable, HOOKS, check, file], capture_output=True, text=True)
        assert (done.returncode, sentence in done.stderr) == (1, True), done.stderr
    done = subprocess.run([sys.executable, HOOKS, "spelling"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "usage: python .ci/hooks.py large|notebooks|config [FILE ...]\n")


# --- package ----------------------------------------------------------------------------------------------------------


def test_everything_the_library_reads_is_packaged():
    """Templates, assets, tables and the marker of typed packages match a pattern of package-data."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["terranas"]
    package = ROOT / "terranas"
    packaged = {file for pattern in patterns for file in package.glob(pattern) if file.is_file()}
    files = {file for file in package.rglob("*") if file.is_file() and "__pycache__" not in file.parts}
    data = {file for file in files if file.suffix != ".py"}
    assert package / "py.typed" in packaged
    assert data - packaged == set()
    assert all(any(package.glob(pattern)) for pattern in patterns), "a pattern matches nothing"


# --- dependency bounds ------------------------------------------------------------------------------------------------


def test_bounds_are_what_the_bounds_script_can_make_exact():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dev = project["optional-dependencies"]["dev"]
    assert [line for line in project["dependencies"] if not re.fullmatch(r"[\w-]+>=[\d.]+", line)] == []
    (tools,) = re.findall(r"^tools = \((.*)\)$", (ROOT / "envs" / "bounds.sh").read_text(), re.M)
    assert set(re.findall(r'"([\w-]+)"', tools)) <= {line.partition(">=")[0] for line in dev}


def test_the_snakefile_asks_for_the_snakemake_of_the_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (least,) = re.findall(r'^min_version\("(.*)"\)$', (ROOT / "Snakefile").read_text(), re.M)
    assert f"snakemake>={least}" in project["dependencies"]


def test_the_bounds_script_refuses_other_words():
    done = subprocess.run([ROOT / "envs" / "bounds.sh", "middle"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "usage: envs/bounds.sh lowest|newest\n")
