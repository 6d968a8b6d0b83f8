"""Finding a cell in a table of cells: by its id, by its hash, or by the graph itself."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.core.errors import CellError
from terranas.space.cell import Cell

_HASH = re.compile(r"[0-9a-f]{32}")
_ID = re.compile(r"[0-9]{1,18}")

Name = int | np.integer[Any] | str | Cell
"""What names a cell: its id, its hash (32 hex digits), or a graph in any numbering, pruned or not."""

Names = Sequence[Name] | NDArray[Any] | pd.Series | pd.Index
"""What names many cells."""


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
        return bool(self._found([name])[0] >= 0)

    def row(self, name: Name) -> int:
        """Return the position of a cell's row in the table.

        Raises:
            CellError: the table holds no such cell.
        """
        return int(self.rows([name])[0])

    def rows(self, names: Names) -> NDArray[np.int64]:
        """Return the positions of many cells' rows in the table, in the order of their names, shape (names,).

        Args:
            names: ids, hashes or cells; one may stand more than once. Arrays and columns of ids are fastest.

        Raises:
            CellError: the table does not hold a cell of one of these names; the message is about the first such.
        """
        found = self._found(names)
        unknown = np.flatnonzero(found < 0)
        if len(unknown):
            raise self._unknown(names.iloc[unknown[0]] if isinstance(names, pd.Series) else names[unknown[0]])
        return found

    def table(self, names: Names) -> pd.DataFrame:
        """Return many cells' rows of the table, in the order of their names: what encodings and features take.

        Raises:
            CellError: the table does not hold a cell of one of these names.
        """
        return self._cells.iloc[self.rows(names)]

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

    def _found(self, names: Names) -> NDArray[np.int64]:
        """Return the positions of rows, -1 where the table holds no cell of a name."""
        if isinstance(names, np.ndarray) and names.ndim != 1:
            raise CellError(f"Names of cells must stand in one dimension, got an array of the shape {names.shape}.")
        dtype: Any = getattr(names, "dtype", None)
        if pd.api.types.is_integer_dtype(dtype):
            return self._found_ids(pd.Index(names))
        if isinstance(dtype, pd.StringDtype):
            return self._found_hashes(pd.Index(names))
        listed = list(names)
        hashes = [name.hash if isinstance(name, Cell) else name if isinstance(name, str) else "" for name in listed]
        found = self._found_hashes(pd.Index(hashes, dtype="str"))
        numbers = {place: name for place, name in enumerate(listed) if isinstance(name, int | np.integer)}
        if numbers:
            found[list(numbers)] = self._found_ids(pd.Index(list(numbers.values())))
        return found

    def _found_hashes(self, hashes: pd.Index) -> NDArray[np.int64]:
        return np.asarray(self._hashes.get_indexer(hashes), dtype=np.int64)

    def _found_ids(self, ids: pd.Index) -> NDArray[np.int64]:
        known, rows = self._rows_by_id
        # the last entry, -1, is where ids that are not there point to
        return np.asarray(np.append(rows, -1)[known.get_indexer(ids)], dtype=np.int64)

    @cached_property
    def _rows_by_id(self) -> tuple[pd.Index, NDArray[np.int64]]:
        """The ids of the table, and the positions of their rows."""
        ids = self._cells["id"]
        rows = np.flatnonzero(ids.notna())
        return pd.Index(ids.iloc[rows].to_numpy(dtype=np.int64)), rows

    def _unknown(self, name: Name) -> CellError:
        """Return the error for a name that the table holds no cell of."""
        if isinstance(name, int | np.integer):
            known, _ = self._rows_by_id
            if not len(known):
                return CellError(
                    f"This table of {len(self):,} cells covers a smaller space and has no ids, so there is no id "
                    f"{name}. Name the cell by its hash, or take the table of all 423,624 cells."
                )
            return CellError(
                f"This table of {len(self):,} cells has no id {name}; its ids are {known.min()} to {known.max()}."
            )
        if isinstance(name, Cell):
            what = f"{name.hash} (the cell {name.adjacency_string}:{name.operations_string})"
            return CellError(f"This table of {len(self):,} cells does not hold the hash {what}.")
        if not isinstance(name, str):
            return CellError(
                f"A cell is named by its id, its hash or a Cell, got {name!r} of type {type(name).__name__}."
            )
        if not _HASH.fullmatch(name):
            return CellError(f"A hash has 32 hexadecimal digits in lower case, got '{name}'.")
        return CellError(f"This table of {len(self):,} cells does not hold the hash {name}.")


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
