"""``terranas cell``: looking at cells of the search space."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terranas.cli_frame import Json, examples, note, print_json

if TYPE_CHECKING:
    import pandas as pd

cell_app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Look at cells of the search space.")


@cell_app.command(
    "show",
    epilog=examples(
        "terranas cell show 010001000:input,conv3x3-bn-relu,output --svg cell.svg",
        "terranas cell show 4711 --json",
        "terranas cell show 001a6fcc8b38cbc515be788a86bdc804 --cells cells.parquet",
    ),
)
def show_cell(
    what: Annotated[str, typer.Argument(help="A hash (32 hex digits), an id, or ADJACENCY:OPERATIONS.")],
    cells: Annotated[
        Path | None,
        typer.Option("--cells", help="Table of cells to look in, a study's space/cells.parquet; default: all."),
    ] = None,
    svg: Annotated[Path | None, typer.Option("--svg", help="File to draw the cell to.")] = None,
    json: Json = False,
) -> None:
    """Print a cell, its hash and id, and the parameters and MACs of its network for CIFAR-10.

    Keys of --json: hash, id (null: not in the table of cells), adjacency and operations (of the cell as it was named),
    pruned (the same without vertices that do no work), parameters, macs, network, svg.
    """
    from dataclasses import asdict

    from terranas.core.files import write_text
    from terranas.space.cell import Cell
    from terranas.space.complexity import CIFAR10_NETWORK, macs, parameters
    from terranas.space.lookup import CellIndex, parse_name

    name = parse_name(what)
    index = CellIndex(_table_of_cells(cells))
    cell = name if isinstance(name, Cell) else index.cell(name)
    listed = index.cell(cell) if cell in index else None
    pruned = cell.prune()
    number = None if listed is None else index.id(name)
    # how channels are shared out depends on the numbering; the table's is the published one
    counted = listed or pruned
    shape = CIFAR10_NETWORK
    if svg is not None:
        from terranas.space.drawing import cell_svg

        write_text(svg, f"{cell_svg(cell)}\n")
    if json:
        graph = {"adjacency": cell.adjacency.tolist(), "operations": list(cell.operations)}
        print_json(
            {
                "hash": cell.hash,
                "id": number,
                **graph,
                "pruned": {"adjacency": pruned.adjacency.tolist(), "operations": list(pruned.operations)},
                "parameters": parameters(counted, shape),
                "macs": macs(counted, shape),
                "network": asdict(shape),
                "svg": None if svg is None else str(svg),
            }
        )
        return
    typer.echo(cell)
    if pruned is not cell:
        typer.echo(f"Pruned, since vertices on no path do no work:\n{pruned}")
    if listed is not None and listed != pruned:
        typer.echo(f"As the table numbers it:\n{listed}")
    typer.echo(f"hash        {cell.hash}")
    typer.echo(f"id          {'not known from this table of cells' if number is None else number}")
    typer.echo(f"parameters  {parameters(counted, shape):,}")
    typer.echo(f"MACs        {macs(counted, shape):,}")
    typer.echo(
        f"Parameters and MACs are those of NAS-Bench-101's CIFAR-10 network ({shape.bands} bands, {shape.classes} "
        f"classes, {shape.image_size} pixels, {shape.stem_channels} stem channels)."
    )
    if svg is not None:
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
    note("Enumerating all cells, which takes some seconds; --cells FILE reads a study's table instead.")
    return cells_table(MAX_VERTICES, MAX_EDGES, CIFAR10_NETWORK)
