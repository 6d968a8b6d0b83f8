"""The ``terranas`` command: what people do outside the workflow."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terranas.cli_campaign import campaign_app
from terranas.cli_search import search_app
from terranas.config import read_config
from terranas.config.generate import write_generated
from terranas.core.errors import TerranasError
from terranas.search.live_list import live_list
from terranas.surrogates.regressors import check_parameters
from terranas.training.acceptance import accept, read_accepted, retract
from terranas.training.status import read_status

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Side commands of the terranas workflow.")
config_app = typer.Typer(no_args_is_help=True, help="Check a study's configuration, or write the generated files.")
app.add_typer(config_app, name="config")
cell_app = typer.Typer(no_args_is_help=True, help="Look at cells of the search space.")
app.add_typer(cell_app, name="cell")
app.add_typer(campaign_app, name="campaign")
app.add_typer(search_app, name="search")

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
    check_parameters(study.surrogates.regressor, study.surrogates.parameters)
    typer.echo(f"{configfile} is valid; results go to {study.results_dir}.")


@config_app.command("write")
def write_config(folder: Annotated[Path, typer.Argument(help="Folder to write to.")] = Path("config")) -> None:
    """Write config.yaml and schema.json from the models."""
    write_generated(folder)
    typer.echo(f"Wrote {folder / 'config.yaml'} and {folder / 'schema.json'}.")


@cell_app.command("show")
def show_cell(
    what: Annotated[str, typer.Argument(help="A hash (32 hex digits), an id, or ADJACENCY:OPERATIONS.")],
    cells: Annotated[
        Path | None,
        typer.Option("--cells", help="Table of cells to look in, a study's space/cells.parquet; default: all."),
    ] = None,
    svg: Annotated[Path | None, typer.Option("--svg", help="File to draw the cell to.")] = None,
) -> None:
    """Print a cell, its hash and id, and the parameters and MACs of its network for CIFAR-10.

    Example: terranas cell show 0110010010000000:input,conv3x3-bn-relu,maxpool3x3,output --svg cell.svg
    """
    from terranas.core.files import write_text
    from terranas.space.cell import Cell
    from terranas.space.complexity import CIFAR10_NETWORK, macs, parameters
    from terranas.space.lookup import CellIndex, parse_name

    name = parse_name(what)
    index = CellIndex(_table_of_cells(cells))
    cell = name if isinstance(name, Cell) else index.cell(name)
    listed = index.cell(cell) if cell in index else None
    typer.echo(cell)
    pruned = cell.prune()
    if pruned is not cell:
        typer.echo(f"Pruned, since vertices on no path do no work:\n{pruned}")
    if listed is not None and listed != pruned:
        typer.echo(f"As the table numbers it:\n{listed}")
    number = None if listed is None else index.id(name)
    typer.echo(f"hash        {cell.hash}")
    typer.echo(f"id          {'not known from this table of cells' if number is None else number}")
    # how channels are shared out depends on the numbering; the table's is the published one
    counted = listed or pruned
    shape = CIFAR10_NETWORK
    typer.echo(f"parameters  {parameters(counted, shape):,}")
    typer.echo(f"MACs        {macs(counted, shape):,}")
    typer.echo(
        f"Parameters and MACs are those of NAS-Bench-101's CIFAR-10 network ({shape.bands} bands, {shape.classes} "
        f"classes, {shape.image_size} pixels, {shape.stem_channels} stem channels)."
    )
    if svg is not None:
        from terranas.space.drawing import cell_svg

        write_text(svg, f"{cell_svg(cell)}\n")
        typer.echo(f"Drawn to {svg}.")


def _table_of_cells(path: Path | None) -> "pd.DataFrame":
    """Return the table of cells of a file, or of the whole space where there is none."""
    from terranas.core.tables import read_table
    from terranas.space.cell import MAX_EDGES, MAX_VERTICES
    from terranas.space.complexity import CIFAR10_NETWORK
    from terranas.space.schema import CELLS
    from terranas.space.table import cells_table

    if path is not None:
        return read_table(path, CELLS, ["id", "hash", "adjacency", "operations"])
    typer.echo("Enumerating all cells, which takes some seconds; --cells FILE reads a study's table instead.", err=True)
    return cells_table(MAX_VERTICES, MAX_EDGES, CIFAR10_NETWORK)


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
