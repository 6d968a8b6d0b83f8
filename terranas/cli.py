"""The ``terranas`` command: what people do outside the workflow."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from terranas.config import read_config
from terranas.config.generate import write_generated
from terranas.core.errors import TerranasError
from terranas.training.acceptance import accept, read_accepted, retract
from terranas.training.status import read_status

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Side commands of the terranas workflow.")
config_app = typer.Typer(no_args_is_help=True, help="Check a study's configuration, or write the generated files.")
app.add_typer(config_app, name="config")

ConfigFile = Annotated[Path, typer.Option("--configfile", help="Configuration of the study.")]
Architecture = Annotated[str, typer.Argument(metavar="HASH", help="Architecture, 32 hex digits.")]
DEFAULT_CONFIG = Path("config/config.yaml")


def main() -> None:
    """Run the command; errors for users are one message and exit code 1."""
    try:
        app()
    except TerranasError as error:
        typer.echo(f"terranas: {error}", err=True)
        sys.exit(1)


@app.command("accept")
def accept_failure(
    architecture: Architecture,
    reason: Annotated[str, typer.Option("--reason", help="Why the study goes on without this result.")],
    configfile: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Accept that a training stays without a result; the next run writes a failure row and goes on.

    Example: terranas accept 0a1b...  --reason "killed by the node's memory limit on every attempt"
    """
    path = _accepted_file(configfile)
    _require_failed(path.parent, architecture)
    accept(path, architecture, reason)
    typer.echo(f"Accepted in {path}; run snakemake again to go on without {architecture}.")


@app.command("retract")
def retract_acceptance(architecture: Architecture, configfile: ConfigFile = DEFAULT_CONFIG) -> None:
    """Take an acceptance back; the next run trains the architecture again."""
    path = _accepted_file(configfile)
    retract(path, architecture)
    typer.echo(f"No longer accepted; run snakemake again to train {architecture}.")


@app.command("accepted")
def list_accepted(configfile: ConfigFile = DEFAULT_CONFIG) -> None:
    """List the accepted failures and their reasons."""
    for architecture, reason in read_accepted(_accepted_file(configfile)).items():
        typer.echo(f"{architecture}  {reason}")


@config_app.command("check")
def check_config(configfile: Annotated[Path, typer.Argument(help="File to check.")] = DEFAULT_CONFIG) -> None:
    """Check a configuration file and say where its results go."""
    study = read_config(configfile)
    typer.echo(f"{configfile} is valid; results go to {study.results_dir}.")


@config_app.command("write")
def write_config(folder: Annotated[Path, typer.Argument(help="Folder to write to.")] = Path("config")) -> None:
    """Write config.yaml and schema.json from the models."""
    write_generated(folder)
    typer.echo(f"Wrote {folder / 'config.yaml'} and {folder / 'schema.json'}.")


def _require_failed(training: Path, architecture: str) -> None:
    """Refuse to accept the failure of an architecture that the study does not train, or that is trained."""
    listed = training.parent / "sampling" / "architectures.csv"
    if not listed.is_file():
        raise TerranasError(f"There is no list of architectures at {listed}. Is --configfile the study you mean?")
    if f"\n{architecture}," not in listed.read_text(encoding="utf-8"):
        raise TerranasError(f"'{architecture}' is none of the architectures that this study trains ({listed}).")
    status = training / architecture / "status.json"
    if status.is_file() and (outcome := read_status(status).outcome) != "accepted_failure":
        raise TerranasError(
            f"The training of '{architecture}' has a result ({outcome}); there is no failure to accept."
        )


def _accepted_file(configfile: Path) -> Path:
    return Path(read_config(configfile).results_dir) / "training" / "accepted.json"
