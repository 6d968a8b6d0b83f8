"""The ``terranas`` command: what people do outside the workflow."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from terranas import __version__
from terranas.cli_campaign import campaign_app
from terranas.cli_cell import cell_app
from terranas.cli_clean import CLEAN_EXAMPLES, clean
from terranas.cli_config import config_app
from terranas.cli_frame import DEFAULT_CONFIG, ERROR, EXIT_CODES, ConfigFile, Json, examples, print_json
from terranas.cli_search import search_app
from terranas.cli_status import STATUS_EXAMPLES, WHY_EXAMPLES, status, why
from terranas.cli_table import table_app
from terranas.config import read_config
from terranas.core.errors import TerranasError
from terranas.search.live_list import live_list
from terranas.training.acceptance import accept, read_accepted, retract
from terranas.training.status import read_status

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", epilog=EXIT_CODES)
app.command(epilog=STATUS_EXAMPLES)(status)
app.command(epilog=WHY_EXAMPLES)(why)
app.command(epilog=CLEAN_EXAMPLES)(clean)
app.add_typer(config_app, name="config")
app.add_typer(cell_app, name="cell")
app.add_typer(table_app, name="table")
app.add_typer(campaign_app, name="campaign")
app.add_typer(search_app, name="search")

Architecture = Annotated[str, typer.Argument(metavar="HASH", help="Architecture, 32 hex digits.")]


def main() -> None:
    """Run the command; errors for users are one message and exit code 1."""
    try:
        app()
    except TerranasError as error:
        typer.echo(f"terranas: {error}", err=True)
        sys.exit(ERROR)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"terranas {__version__}")
        raise typer.Exit


@app.callback()
def terranas(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Look after studies: what is done and what is not, and why; cells, tables, settings, trainings, live searches.

    The studies themselves are run by `snakemake`.
    """


@app.command("accept", epilog=examples("terranas accept 0a1b... --reason 'out of memory on every node'"))
def accept_failure(
    architecture: Architecture,
    reason: Annotated[str, typer.Option("--reason", help="Why the study goes on without this result.")],
    configfile: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Accept that a training stays without a result; the next run writes a failure row and goes on."""
    path = _accepted_file(configfile)
    _require_failed(path.parent, architecture)
    accept(path, architecture, reason)
    typer.echo(f"Accepted in {path}; run snakemake again to go on without {architecture}.")


@app.command("retract", epilog=examples("terranas retract 0a1b... --configfile config/paper.yaml"))
def retract_acceptance(architecture: Architecture, configfile: ConfigFile = DEFAULT_CONFIG) -> None:
    """Take an acceptance back; the next run trains the architecture again."""
    path = _accepted_file(configfile)
    retract(path, architecture)
    typer.echo(f"No longer accepted; run snakemake again to train {architecture}.")


@app.command("accepted", epilog=examples("terranas accepted --json"))
def list_accepted(configfile: ConfigFile = DEFAULT_CONFIG, json: Json = False) -> None:
    """List the accepted failures and their reasons.

    --json prints the reasons by architecture (hash).
    """
    accepted = read_accepted(_accepted_file(configfile))
    if json:
        print_json(accepted)
        return
    for architecture, reason in accepted.items():
        typer.echo(f"{architecture}  {reason}")


def _require_failed(training: Path, architecture: str) -> None:
    """Refuse to accept the failure of an architecture that the study does not train, or that is trained."""
    listed = training.parent / "sampling" / "architectures.csv"
    if not listed.is_file():
        raise TerranasError(f"There is no list of architectures at {listed}. Is --configfile the study you mean?")
    lists = [path for path in (listed, live_list(training.parent)) if path.is_file()]
    if not any(f"\n{architecture}," in path.read_text(encoding="utf-8") for path in lists):
        places = " or ".join(map(str, lists))
        raise TerranasError(f"'{architecture}' is none of the architectures that this study trains ({places}).")
    status = training / architecture / "status.json"
    if status.is_file() and (outcome := read_status(status).outcome) != "accepted_failure":
        raise TerranasError(
            f"The training of '{architecture}' has a result ({outcome}); there is no failure to accept."
        )


def _accepted_file(configfile: Path) -> Path:
    return Path(read_config(configfile).results_dir) / "training" / "accepted.json"
