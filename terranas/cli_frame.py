"""What the commands share: exit codes, JSON on standard output, messages on standard error, options and completion."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

ERROR = 1
"""Exit code where a command cannot do what was asked: the input is wrong, or the machine refuses."""

USAGE = 2
"""Exit code of a wrong call: an unknown option or command, a missing argument (Typer's own)."""

STUDY_FAILED = 3
"""Exit code of ``terranas status`` where a job of the study has failed."""

EXIT_CODES = (
    f"Exit codes: 0 done; {ERROR} it could not be done, the message says why; {USAGE} wrong call; {STUDY_FAILED} "
    "(status) a job of the study failed; 130 stopped by Ctrl-C. campaign and search pass snakemake's own on."
)

DEFAULT_CONFIG = Path("config/config.yaml")

ConfigFile = Annotated[Path, typer.Option("--configfile", help="Configuration of the study.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else, on standard output.")]
SnakemakeOptions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="-- OPTIONS", help="Options of snakemake, such as --jobs 20 or --config 'search={seeds: 10}'."
    ),
]


def examples(*calls: str) -> str:
    """Return calls as the end of a command's help, one a line."""
    return "\n\n".join([f"Example{'s' if len(calls) > 1 else ''}:", *(f"    {call}" for call in calls)])


def print_json(content: Any) -> None:
    """Print plain values as one JSON document; NaN, which JSON does not have, is an error."""
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))


def note(message: str) -> None:
    """Say something beside the result, on standard error."""
    typer.echo(message, err=True)


def complete_key(incomplete: str) -> Iterator[str]:
    """Yield the settings and sections that begin so."""
    from terranas.config.explain import sections
    from terranas.config.load import known_keys

    yield from (key for key in (*sections(), *known_keys()) if key.startswith(incomplete))


def complete_stage(incomplete: str) -> Iterator[str]:
    """Yield the stages that begin so."""
    from terranas.core.stages import STAGES

    yield from (stage for stage in STAGES if stage.startswith(incomplete))


def complete_metrics(incomplete: str) -> Iterator[str]:
    """Yield lists of metrics, of which the last begins so."""
    from terranas.config.study import BENCHMARK_METRICS

    before, comma, last = incomplete.rpartition(",")
    yield from (f"{before}{comma}{metric}" for metric in BENCHMARK_METRICS if metric.startswith(last))


def complete_arm(incomplete: str) -> Iterator[str]:
    """Yield the arms that a live search can be and that begin so."""
    from terranas.search.live_study import LIVE_ARMS

    yield from (arm for arm in LIVE_ARMS if arm.startswith(incomplete))
