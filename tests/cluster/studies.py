"""Studies that the tests send to the cluster, by the commands that a user would type."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ROOT / "tests" / "cluster" / "hooks"
WORKFLOW = (
    "--snakefile",
    str(ROOT / "Snakefile"),
    "--workflow-profile",
    str(ROOT / "profiles" / "default"),
    "--nocolor",
)
PROFILE: dict[str, Any] = {
    # what a test sets otherwise than slurm/config.yaml: it cannot wait as long as a campaign of weeks
    "jobs": 12,
    "latency-wait": 10,
    "slurm-init-seconds-before-status-checks": 1,
}


class Snakemake:
    """A snakemake, or a command that calls one, that runs beside the test."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as out:
            # a session of its own: what kills it does not reach the test
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def wait(self, seconds: float) -> int:
        """Return its exit code; it is ended where it takes longer."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.end()
            raise TimeoutError(f"snakemake ran longer than {seconds:g} seconds:\n{self.output[-6000:]}") from None

    def kill(self) -> None:
        """Kill it as a power failure of the login node would: it can clean up nothing."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def end(self) -> None:
        """End it, and whatever it started here."""
        if self.running:
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        self.kill()


class Study:
    """A study in a folder of its own.

    Args:
        folder: where snakemake is started.
        settings: what differs from the default study.
        resources: expressions for the resources of rules, as ``set-resources`` of a profile takes them.
        environment: further variables, which jobs inherit.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, Any] | None = None,
        resources: Mapping[str, Mapping[str, Any]] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.results = folder / "results"
        folder.mkdir(parents=True, exist_ok=True)
        self.started: list[Snakemake] = []
        (folder / "study.yaml").write_text(yaml.safe_dump({"results_dir": "results", **(settings or {})}))
        self._write_profile(resources or {})
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TERRANAS", "SLURM"))}
        self.environment = kept | {"OMP_NUM_THREADS": "1"} | dict(environment or {})
        self.environment["PYTHONPATH"] = os.pathsep.join((str(HOOKS), str(ROOT)))

    def _write_profile(self, resources: Mapping[str, Mapping[str, Any]]) -> None:
        profile = yaml.safe_load((ROOT / "slurm" / "config.yaml").read_text())
        profile |= PROFILE
        for rule, values in resources.items():
            profile["set-resources"][rule] = profile["set-resources"].get(rule, {}) | dict(values)
        (self.folder / "slurm").mkdir(exist_ok=True)
        (self.folder / "slurm" / "config.yaml").write_text(yaml.safe_dump(profile))

    def start(self, *arguments: str, profile: str | None = "slurm") -> Snakemake:
        """Start ``snakemake --profile slurm`` on targets, or without a profile on this machine."""
        command = [sys.executable, "-m", "snakemake", *arguments, *WORKFLOW, "--configfile", "study.yaml"]
        command += ["--profile", profile] if profile else ["--cores", "2"]
        return self.call(command)

    def terranas(self, *arguments: str, options: Sequence[str] = ()) -> Snakemake:
        """Start the command ``terranas`` on the study; `options` are for the snakemake that it starts."""
        command = [str(Path(sys.executable).with_name("terranas")), *arguments, "--configfile", "study.yaml"]
        return self.call([*command, *(["--", *options] if options else [])])

    def resume(self, target: str) -> Snakemake:
        """Start ``terranas campaign resume``, as after a crash."""
        return self.terranas("campaign", "resume", "--target", target, options=WORKFLOW)

    def call(self, command: Sequence[str]) -> Snakemake:
        """Start any command in the study's folder."""
        log = self.folder / f"output_{len(self.started)}.txt"
        self.started.append(Snakemake(command, self.folder, self.environment, log))
        return self.started[-1]

    def run(self, *arguments: str, profile: str | None = "slurm", seconds: float = 300) -> str:
        """Run snakemake to its end and return what it printed.

        Raises:
            AssertionError: it failed.
        """
        snakemake = self.start(*arguments, profile=profile)
        assert snakemake.wait(seconds) == 0, snakemake.output[-8000:]
        return snakemake.output

    def prepare(self) -> None:
        """Make all that trainings need, on this machine."""
        self.run("data", "sampling", profile=None)

    def take_over(self, other: "Study") -> None:
        """Begin with the results of another study, as if they had been made here."""
        for name in ("results", ".snakemake"):
            shutil.copytree(other.folder / name, self.folder / name)  # keeps the files' times

    def close(self) -> None:
        """End whatever still runs."""
        for snakemake in self.started:
            snakemake.end()

    def output_of(self, architecture: str, name: str = "status.json") -> str:
        """Return the path of one of a training's outputs as snakemake knows it."""
        return f"results/training/{architecture}/{name}"

    @property
    def architectures(self) -> list[str]:
        """Hashes of the architectures to train, in the order of their list."""
        text = (self.results / "sampling" / "architectures.csv").read_text()
        return re.findall(r"\b[0-9a-f]{32}\b", text)
