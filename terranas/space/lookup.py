"""Finding a cell in a table of cells: by its id, by its hash, or by the graph itself."""

import re
from typing import Any

import numpy as np
import pandas as pd

from terranas.core.errors import CellError
from terranas.space.cell import Cell

_HASH = re.compile(r"[0-9a-f]{32}")
_ID = re.compile(r"[0-9]{1,18}")

Name = int | np.integer[Any] | str | Cell
"""What names a cell: its id, its hash (32 hex digits), or a graph in any numbering, pruned or not."""


class CellIndex:
    """The cells of a table, found by what names them (see ``Name``)."""

    def __init__(self, cells: pd.DataFrame) -> None:
        """Index a table of the schema ``CELLS``, or a part of its rows."""
        self._cells = cells
        self._hashes = pd.Index(cells["hash"])

    def __len__(self) -> int:
        return len(self._cells)

    def __contains__(self, name: Name) -> bool:
        """Return whether the table holds a cell of that name."""
        try:
            self.row(name)
        except CellError:
            return False
        return True

    def row(self, name: Name) -> int:
        """Return the position of a cell's row in the table.

        Raises:
            CellError: the table holds no such cell.
        """
        if isinstance(name, int | np.integer):
            return self._row_of_id(name)
        if isinstance(name, Cell):
            return self._row_of_hash(name.hash, f" (the cell {name.adjacency_string}:{name.operations_string})")
        if not _HASH.fullmatch(name):
            raise CellError(f"A hash has 32 hexadecimal digits in lower case, got '{name}'.")
        return self._row_of_hash(name)

    def cell(self, name: Name) -> Cell:
        """Return a cell as the table writes it: pruned and in the published numbering.

        Raises:
            CellError: the table holds no such cell.
        """
        row = self._cells.iloc[self.row(name)]
        return Cell.from_strings(row["adjacency"], row["operations"])

    def id(self, name: Name) -> int | None:
        """Return the id of a cell; None in a table of a smaller space, which has no ids.

        Raises:
            CellError: the table holds no such cell.
        """
        found = self._cells["id"].iloc[self.row(name)]
        return None if pd.isna(found) else int(found)

    def _row_of_hash(self, name: str, what: str = "") -> int:
        row = int(self._hashes.get_indexer([name])[0])
        if row < 0:
            raise CellError(f"This table of {len(self):,} cells does not hold the hash {name}{what}.")
        return row

    def _row_of_id(self, name: int | np.integer[Any]) -> int:
        ids = self._cells["id"]
        if ids.isna().all():
            raise CellError(
                f"This table of {len(self):,} cells covers a smaller space and has no ids, so there is no id {name}. "
                "Name the cell by its hash, or take the table of all 423,624 cells."
            )
        rows = np.flatnonzero((ids == name).to_numpy(dtype=np.bool_, na_value=False))
        if not len(rows):
            raise CellError(
                f"This table of {len(self):,} cells has no id {name}; its ids are {ids.min()} to {ids.max()}."
            )
        return int(rows[0])


def parse_name(text: str) -> Name:
    """Return the name that a text gives: an id in digits, a hash, or a cell as ``ADJACENCY:OPERATIONS``.

    Args:
        text: digits; 32 hex digits; or the two strings that :meth:`Cell.from_strings` takes with a colon between them.

    Raises:
        CellError: the text is none of these, or its strings describe no cell.
    """
    if ":" in text:
        adjacency, operations = text.split(":", 1)
        return Cell.from_strings(adjacency, operations)
    if _HASH.fullmatch(text):
        return text
    if _ID.fullmatch(text):
        return int(text)
    raise CellError(
        f"'{text}' names no cell. Give its hash (32 hexadecimal digits in lower case), its id, or "
        "ADJACENCY:OPERATIONS as in the table of cells."
    )
