"""Running the real workflow in a folder of its own."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SMALLEST = ROOT / "tests" / "workflow" / "smallest.yaml"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
TABLE = re.compile(r"^job +count\n-[- ]+\n(.*?)^total +\d+$", re.MULTILINE | re.DOTALL)
TARGETS = {"all", "space", "data", "sampling", "training", "profiling", "benchmark"}
TARGETS |= {"landscape", "surrogates", "search", "comparison", "report", "tables", "download", "campaign_report"}
TARGETS |= {"device_report"}


@dataclass
class Run:
    """What a snakemake call printed, and how it ended."""

    code: int
    output: str

    @property
    def jobs(self) -> Counter[str]:
        """Jobs that ran or would run by rule, targets left out; the calls that made the list of architectures count."""
        jobs: Counter[str] = Counter()
        # before it starts, snakemake prints a table of its jobs; a dry run prints it again at the end
        tables = list(dict.fromkeys(TABLE.findall(self.output)))
        if "making the list of architectures, /" in self.output:
            tables = tables[1:]  # made in a temporary folder, so that a dry run changes nothing
        for table in tables:
            for line in table.splitlines():
                rule, count = line.split()
                jobs[rule] += int(count)
        return Counter({rule: count for rule, count in jobs.items() if rule not in TARGETS})

    @property
    def rules(self) -> set[str]:
        """Names of the rules that ran or would run, targets left out."""
        return set(self.jobs)


class Workplace:
    """A folder with its own results and its own snakemake state, run with the code of a checkout."""

    def __init__(self, folder: Path, code: Path = ROOT) -> None:
        self.folder = folder
        self.code = code

    def snakemake(
        self,
        *arguments: str,
        configfile: Path | None = SMALLEST,
        settings: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        timeout: float = 600,
    ) -> Run:
        """Call snakemake here; `settings` are written to a second config file."""
        command = [sys.executable, "-m", "snakemake", *arguments, "--snakefile", str(self.code / "Snakefile")]
        command += ["--workflow-profile", str(self.code / "profiles" / "default"), "--cores", "2", "--nocolor"]
        command += ["--configfile"] + ([str(configfile)] if configfile else [])
        if settings is not None:
            changed = self.folder / f"changed.{WORKER}.yaml"
            changed.write_text(yaml.safe_dump(dict(settings)))
            command.append(str(changed))
        variables = {k: v for k, v in os.environ.items() if not k.startswith("TERRANAS")}
        variables |= {"PYTHONPATH": str(self.code), "OMP_NUM_THREADS": "1", **(environment or {})}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Run(done.returncode, done.stdout)

    def copy(self, folder: Path, code: Path | None = None) -> "Workplace":
        """Return a workplace with the same results and state elsewhere."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)  # keeps the files' times
        return Workplace(folder, code or self.code)

    @property
    def results(self) -> Path:
        """Results of the smallest study."""
        return self.folder / "results" / "smallest"


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Workplace:
    """Return a workplace that one process of the test run makes, while the others that want it wait.

    Args:
        factory: where temporary folders are.
        name: name of its folder.
        make: fills the folder.
    """
    base = factory.getbasetemp()
    base = base.parent if WORKER else base
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (base / f"{name}.made").exists():
            shutil.rmtree(base / name, ignore_errors=True)
            (base / name).mkdir()
            make(base / name)
            (base / f"{name}.made").touch()
    return Workplace(base / name)


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Workplace:
    """A workplace in which the smallest study is finished. Tests must not change it; they copy it."""

    def make(folder: Path) -> None:
        run = Workplace(folder).snakemake()
        assert run.code == 0, run.output

    return made_once(tmp_path_factory, "finished", make)


@pytest.fixture
def empty(tmp_path) -> Workplace:
    """A workplace without results."""
    return Workplace(tmp_path)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """Return a function that makes a copy of the code, to be edited."""

    def make() -> Path:
        folder = tmp_path_factory.mktemp("checkout")
        for name in ("Snakefile", "rules", "workflow_scripts", "terranas", "envs", "profiles"):
            source = ROOT / name
            ignored = shutil.ignore_patterns("__pycache__")
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=ignored)
            else:
                shutil.copy2(source, folder / name)
        return folder

    return make
