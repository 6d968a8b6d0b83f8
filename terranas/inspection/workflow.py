"""Asking Snakemake which jobs a study has and which of them it would run, by dry runs that change nothing."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from terranas.config.load import load_config, read_settings, typed
from terranas.config.study import StudyConfig
from terranas.core.errors import ConfigError, TerranasError

PLUGINS = Path(__file__).parent / "logger_plugin"
_REFUSED = ("--configfile", "--configfiles", "--directory", "-d")
_GREETING = (
    "Using workflow specific profile",
    "Assuming unrestricted",
    "host:",
    "Building DAG",
    "SNAKEMAKE",
    "=========",
)
_WORDS = 3000
_NO_RULE = "MissingRuleException"
_WRONG_CALL = ": error: "
_NO_LIST = {"TERRANAS_MAKES_LIST": "1"}


class NoRuleError(TerranasError):
    """No rule makes what was asked for."""


@dataclass(frozen=True)
class Job:
    """A job of the workflow.

    Attributes:
        rule: its rule.
        inputs: files it reads.
        outputs: files it makes; none for a target.
        logs: its log files.
        wildcards: what tells it from other jobs of the rule.
        reason: why Snakemake would run it, in Snakemake's words.
    """

    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    logs: tuple[str, ...]
    wildcards: Mapping[str, str]
    reason: str

    @property
    def stage(self) -> str:
        """The stage that the rule belongs to."""
        return self.rule.partition("_")[0]

    @property
    def name(self) -> str:
        """Rule and wildcards, as in ``search_run benchmark=study arm=random``."""
        return " ".join([self.rule, *(f"{name}={value}" for name, value in self.wildcards.items())])


@dataclass(frozen=True)
class StudyCall:
    """How snakemake is called for a study.

    Attributes:
        configfile: its configuration.
        options: further options of snakemake, such as ``--config ...`` or ``--snakefile ...``.
        config: the effective configuration, with what ``options`` change of it.
        folder: where snakemake is started.
    """

    configfile: Path
    options: Sequence[str]
    config: StudyConfig
    folder: Path = field(default_factory=Path.cwd)

    @classmethod
    def of(cls, configfile: Path, options: Sequence[str] = ()) -> "StudyCall":
        """Return the call of a study.

        Raises:
            ConfigError: the configuration is not valid, or the options name another one.
        """
        for option in options:
            if option.partition("=")[0] in _REFUSED:
                raise ConfigError(f"{option} cannot be passed to snakemake here. Use --configfile before the `--`.")
        settings = read_settings(configfile)
        return cls(configfile, tuple(options), load_config(merged(settings, _overrides(options))))

    @property
    def results(self) -> Path:
        """The study's results folder, as the rules spell it."""
        return Path(self.config.results_dir.rstrip("/"))

    @property
    def metadata(self) -> Path:
        """The folder of Snakemake's records."""
        return self.folder / ".snakemake" / "metadata"

    @property
    def has_list(self) -> bool:
        """Whether there is a list of architectures, which decides what trainings there are."""
        return (self.folder / self.results / "sampling" / "architectures.csv").is_file()

    def planned(self, *targets: str, everything: bool = False, settings: Sequence[str] = ()) -> list[Job]:
        """Return the jobs that snakemake would run now, without targets that make no file.

        A dry run: nothing is locked, started or removed, and a running snakemake is not disturbed. Where the list of
        architectures is missing, trainings and measurements are left out rather than the list made.

        Args:
            targets: files or rules; the workflow's default without any.
            everything: return all jobs that lead to the targets, the finished ones too.
            settings: settings to try, as ``--config`` takes them.

        Raises:
            NoRuleError: no rule makes a target.
            TerranasError: snakemake refuses; the message holds its last words.
        """
        with tempfile.TemporaryDirectory(prefix="terranas.") as folder:
            file = Path(folder) / "jobs.jsonl"
            command = [sys.executable, "-m", "snakemake", *targets, "--dry-run", "--nolock", "--nocolor"]
            command += ["--logger", "terranas", "--logger-terranas-file", str(file)]
            command += ["--forceall"] if everything else []
            command += [f"--configfile={self.configfile}", *_with_settings(self.options, settings)]
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=_environment({} if self.has_list else _NO_LIST),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
            if done.returncode:
                words = _last_words(done.stdout)
                refusal = NoRuleError if words.lstrip().startswith(_NO_RULE) else TerranasError
                raise refusal(f"snakemake cannot say what there is to do:\n{words}")
            return list(_read_jobs(file))


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    # in front of what is inherited; the checkout's library stays the one that this process uses
    paths = [str(PLUGINS), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}


def _read_jobs(file: Path) -> Iterator[Job]:
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        facts: dict[str, Any] = json.loads(line)
        if facts["output"]:
            inputs, outputs, logs = (tuple(facts[name] or ()) for name in ("input", "output", "log"))
            yield Job(facts["rule_name"], inputs, outputs, logs, facts["wildcards"] or {}, facts["reason"] or "")


def _overrides(options: Sequence[str]) -> dict[str, Any]:
    """Return the settings that ``--config`` gives among options of snakemake."""
    found: dict[str, Any] = {}
    inside = False
    for option in options:
        name, _, value = option.partition("=")
        if option.startswith("-"):
            inside = name in ("--config", "-C")
            option = value if inside else ""
        if inside and option:
            key, equals, text = option.partition("=")
            if not equals:
                raise ConfigError(f"--config takes KEY=VALUE, got '{option}', as in 'search={{seeds: 100}}'.")
            try:
                found[key] = typed(yaml.safe_load(text))
            except yaml.YAMLError as error:
                raise ConfigError(f"--config {option} is no valid YAML: {error}") from error
    return found


def _with_settings(options: Sequence[str], settings: Sequence[str]) -> list[str]:
    """Return the options with further settings in one ``--config``; of two, Snakemake would take the last alone."""
    if not settings:
        return list(options)
    for position, option in enumerate(options):
        name, equals, value = option.partition("=")
        if name in ("--config", "-C"):
            first = [value] if equals else []
            return [*options[:position], name, *first, *settings, *options[position + 1 :]]
    return [*options, "--config", *settings]


def merged(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with changes, section by section, as Snakemake merges ``--config``."""
    result = dict(settings)
    for key, value in changes.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def _last_words(output: str) -> str:
    """Return what snakemake said of an error: its last indented block and what follows, without its greeting."""
    said = [line for line in output.splitlines() if line.strip() and not line.startswith(_GREETING)]
    if said and said[0].startswith("usage:"):  # of a wrong option, behind some pages of all options
        said = [line.partition(_WRONG_CALL)[2] for line in said if _WRONG_CALL in line] or said
    while said and said[0].startswith(" "):
        said.pop(0)
    return "\n".join(f"  {line}" for line in said)[-_WORDS:]
