"""Which architectures are trained."""

from typing import Literal

import pandas as pd

from terranas.core.errors import TableError
from terranas.sampling.architectures import Architecture


def select_architectures(
    cells: pd.DataFrame, walks: pd.DataFrame, which: Literal["all", "walks"]
) -> list[Architecture]:
    """Return the architectures to train, ascending by hash, each once.

    Args:
        cells: table of the schema ``CELLS``.
        walks: table of the schema ``WALKS``.
        which: ``all`` cells, or those the ``walks`` visit.

    Raises:
        TableError: a walk visits a cell that is not in the table.
    """
    chosen = cells
    if which == "walks":
        chosen = cells[cells["hash"].isin(walks["hash"])]
        if len(chosen) < walks["hash"].nunique():
            raise TableError(
                f"The walks visit {walks['hash'].nunique() - len(chosen)} cells that are not in the table of cells. "
                "The two belong to different spaces: remove both files and run again."
            )
    return architectures_of(chosen)


def architectures_of(cells: pd.DataFrame) -> list[Architecture]:
    """Return the architectures in rows of the table of cells (schema ``CELLS``), ascending by hash."""
    ordered = cells.sort_values("hash")
    return [
        Architecture(hash_, None if pd.isna(id_) else int(id_), adjacency, operations)
        for hash_, id_, adjacency, operations in zip(
            ordered["hash"], ordered["id"], ordered["adjacency"], ordered["operations"], strict=True
        )
    ]
