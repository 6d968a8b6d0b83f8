"""``python -m terranas.report.published``: write docs/results.md and its pictures."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from terranas.core.errors import TerranasError
from terranas.report.published.inputs import Inputs
from terranas.report.published.page import write_page


def main(
    data: Annotated[Path, typer.Option("--data", help="Folder of published data.")],
    studies: Annotated[Path, typer.Option("--studies", help="Folder of the studies' results.")],
    output: Annotated[Path, typer.Option("--output", help="Folder that gets results.md and images/.")],
) -> None:
    """Write the page of published numbers beside terranas' own.

    Example: python -m terranas.report.published --data data --studies results --output docs
    """
    try:
        write_page(Inputs(data, studies), output)
    except TerranasError as error:
        typer.echo(f"terranas: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
