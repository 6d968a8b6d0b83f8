"""What a search asks of a search space, whichever it is, and the space of NAS-Bench-101 cells in that form.

An architecture is a row, 0 to n - 1, of the space. Its name is a text.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.core.errors import TableError
from terranas.space.batch import CellBatch
from terranas.space.codes import canonical_codes, child_row, mutant_row
from terranas.space.complexity import CIFAR10_NETWORK, NetworkShape, complexity_of
from terranas.space.encodings import (
    adjacency_one_hot,
    expanded_adjacency,
    expanded_bits,
    hamming_distances,
    path_encoding,
)
from terranas.space.features import graph_features, longest_paths, operation_counts

_Rows = NDArray[np.int64]
_Arrays = tuple[NDArray[np.uint8], NDArray[np.int8], _Rows, _Rows, _Rows, int]

# mutation finds another cell of the whole space in 1.7 attempts on average (of 20,000 random cells); a part takes more
_MUTATIONS = 200
# where this many fail, the parents differ in too little for a third cell to lie between them
_CROSSINGS = 20


class SearchableSpace(Protocol):
    """A search space as searches and surrogates see it."""

    @property
    def key(self) -> str:
        """Column that names architectures in tables."""

    @property
    def names(self) -> Sequence[str]:
        """Names of all architectures, ascending, n."""

    @property
    def encodings(self) -> Sequence[str]:
        """Encodings that :meth:`encode` knows; the first is the plainest."""

    def encode(self, encoding: str) -> NDArray[np.float32]:
        """Return all architectures as vectors, shape (n, d); read-only, and the same array when asked again.

        Raises:
            ValueError: the space has no such encoding.
        """

    def distances(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how far apart each two of some architectures are in architecture space, shape (k, k)."""

    def outline(self) -> NDArray[np.float64]:
        """Return a few structural features of all architectures, for starts that fill the space, shape (n, k)."""

    def mutate(self, row: int, rng: np.random.Generator) -> int:
        """Return an architecture that differs a little from one, itself only where the space has no other."""

    def crossover(self, first: int, second: int, rng: np.random.Generator) -> int:
        """Return an architecture made of parts of two.

        It is neither of them, save where the space has no third; then it may be the second.
        """


class CellSpace:
    """Cells of NAS-Bench-101: all of them, all up to some number of vertices, or any part of their table."""

    key = "hash"
    encodings = ("adjacency_one_hot", "paths", "expanded", "graph_features")

    def __init__(self, cells: pd.DataFrame, shape: NetworkShape = CIFAR10_NETWORK) -> None:
        """Take a table of the schema ``CELLS``.

        Args:
            cells: the cells, in ascending order of their hashes; only they are in the space.
            shape: the network that graph features tell channels, MACs and parameters of.

        Raises:
            TableError: there are no cells, or their hashes do not ascend.
        """
        hashes = pd.Index(cells["hash"])
        if not len(hashes) or not (hashes.is_monotonic_increasing and hashes.is_unique):
            raise TableError(
                f"A search space needs cells with ascending hashes, each once, got a table of {len(hashes):,} rows"
                f"{' in another order' if len(hashes) else ''}. Read the table of cells that the stage space writes."
            )
        self._cells = cells
        self._shape = shape
        self._encoded: dict[str, NDArray[np.float32]] = {}

    def __len__(self) -> int:
        return len(self._cells)

    @cached_property
    def names(self) -> Sequence[str]:
        """MD5 hashes of the cells, ascending."""
        listed: list[str] = self._cells["hash"].tolist()
        return listed

    @cached_property
    def _batch(self) -> CellBatch:
        return CellBatch.from_table(self._cells)

    def encode(self, encoding: str) -> NDArray[np.float32]:
        """Return all cells as vectors, shape (n, d); see :mod:`terranas.space.encodings` for what each number says.

        Args:
            encoding: ``adjacency_one_hot`` (d = 36), ``paths`` (364), ``expanded`` (17 x 17, row by row) or
                ``graph_features`` (the columns of :func:`terranas.space.features.graph_features`).

        Raises:
            ValueError: there is no such encoding.
        """
        if encoding not in self._encoded:
            makers: dict[str, Callable[[], NDArray[np.generic]]] = {
                "adjacency_one_hot": lambda: adjacency_one_hot(self._cells),
                "paths": lambda: path_encoding(self._cells),
                "expanded": lambda: expanded_adjacency(self._cells).reshape(len(self), -1),
                "graph_features": lambda: graph_features(self._cells, self._shape).to_numpy(),
            }
            if encoding not in makers:
                raise ValueError(f"encoding of cells must be one of {', '.join(self.encodings)}, got '{encoding}'")
            encoded = makers[encoding]().astype(np.float32)
            encoded.flags.writeable = False
            # one at a time: some take 500 MB for the whole space
            self._encoded = {encoding: encoded}
        return self._encoded[encoding]

    def distances(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return in how many entries the 17x17 expanded matrices of each two cells differ, shape (k, k)."""
        return hamming_distances(expanded_bits(self._cells.iloc[rows]))

    def costs(self, shape: NetworkShape | None = None) -> dict[str, NDArray[np.float64]]:
        """Return what needs no measurement: ``parameters`` and ``macs`` by name, shape (n,) each.

        Args:
            shape: the network around the cells; None for that of the table.
        """
        if shape is None:
            return {name: self._cells[name].to_numpy(dtype=np.float64) for name in ("parameters", "macs")}
        numbers = complexity_of(self._batch, shape)
        return {name: part.astype(np.float64) for name, part in zip(("parameters", "macs"), numbers, strict=True)}

    def outline(self) -> NDArray[np.float64]:
        """Return the number of each operation, of edges, and of edges on the longest path, shape (n, 5)."""
        batch = self._batch
        edges = batch.adjacency.sum(axis=(1, 2), dtype=np.int64)
        columns = (*operation_counts(batch).values(), edges, longest_paths(batch))
        return np.column_stack(columns).astype(np.float64)

    def mutate(self, row: int, rng: np.random.Generator) -> int:
        """Return the row of a cell a few edits away.

        As in regularised evolution on this space (Ying et al., ICML 2019, section 3): of the cell's matrix each edge
        from a lower to a higher vertex is flipped, and each operation replaced by another; what then lies on no path is
        pruned. That is repeated until it gives another cell of the space. Edge and operation change with such
        probabilities that one of each changes on average. (The code published with that paper flips seven edges, of
        matrices that carry their idle vertices along; a row stands for the pruned cell.) A cell with fewer vertices
        than the space allows gets idle vertices of random operations at random places first, a new draw each time.

        Where 200 attempts fail, as in a table of scattered cells they may, the row is any other, uniformly; in a space
        of one cell it is that cell.

        Raises:
            IndexError: there is no such row.
        """
        self._require_rows(row)
        found = int(mutant_row(*self._arrays, row, _MUTATIONS, rng))
        if found >= 0 or len(self) == 1:
            return max(found, 0)
        return (row + 1 + int(rng.integers(len(self) - 1))) % len(self)

    def crossover(self, first: int, second: int, rng: np.random.Generator) -> int:
        """Return the row of a cell that has each edge and operation from either parent (uniform crossover).

        Parents with fewer vertices than the space allows are filled up as in :meth:`mutate`, and the child is pruned.
        Where 20 attempts lead to no third cell of the space, the row is a mutant of either parent.

        Raises:
            IndexError: there is no such row.
        """
        self._require_rows(first, second)
        found = int(child_row(*self._arrays, first, second, _CROSSINGS, rng))
        return found if found >= 0 else self.mutate(first if rng.random() < 0.5 else second, rng)

    def _require_rows(self, *rows: int) -> None:
        """Raise for rows that compiled code, which checks no bounds, would read past the arrays for."""
        for row in rows:
            if not 0 <= row < len(self):
                raise IndexError(f"a space of {len(self):,} cells has no row {row}")

    @cached_property
    def _arrays(self) -> _Arrays:
        """Cells, their canonical codes ascending and the rows of these, and the most vertices: what variation takes."""
        batch = self._batch
        codes = canonical_codes(batch)
        rows = np.argsort(codes, kind="stable")
        vertices = int(batch.num_vertices.max())
        return batch.adjacency, batch.labels, batch.num_vertices, codes[rows], rows, vertices
