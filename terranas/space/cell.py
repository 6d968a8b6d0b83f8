"""One cell of NAS-Bench-101: a small directed acyclic graph whose inner vertices carry operations.

Source: Ying et al., "NAS-Bench-101: Towards Reproducible Neural Architecture Search", ICML 2019, section 2.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from terranas.core.errors import CellError

INPUT = "input"
OUTPUT = "output"
CONV3X3 = "conv3x3-bn-relu"
CONV1X1 = "conv1x1-bn-relu"
MAXPOOL3X3 = "maxpool3x3"

OPERATIONS = (CONV3X3, CONV1X1, MAXPOOL3X3)
"""Operations of inner vertices; the position is the label that NAS-Bench-101 hashes."""

MAX_VERTICES = 7
MAX_EDGES = 9


@dataclass(frozen=True, eq=False)
class Cell:
    """A validated cell.

    Vertex 0 is the input, the last one the output, and edges lead from lower to higher numbers. Vertices that lie on
    no path from input to output are allowed, since editing a cell can leave some behind; they do no work, so
    :attr:`hash` and everything computed from a cell ignore them, and :meth:`prune` removes them.

    Attributes:
        adjacency: matrix of zeros and ones, shape (vertices, vertices); entry (x, y) is the edge from x to y.
            Copied and made read-only.
        operations: operation of each vertex, from ``input`` to ``output``.

    Raises:
        CellError: the graph is no cell; the message says which rule it breaks.
    """

    adjacency: NDArray[np.uint8]
    operations: tuple[str, ...]

    def __post_init__(self) -> None:
        matrix = _checked_matrix(self.adjacency)
        object.__setattr__(self, "adjacency", matrix)
        object.__setattr__(self, "operations", tuple(self.operations))
        self._check_operations()
        if (edges := int(matrix.sum())) > MAX_EDGES:
            raise CellError(f"A cell has at most {MAX_EDGES} edges, got {edges}. Remove {edges - MAX_EDGES} of them.")
        if not self._on_path[0]:
            raise CellError(
                f"No path leads from input to output in the cell {self.adjacency_string} ({self.operations_string}). "
                "Add the missing edges."
            )

    def _check_operations(self) -> None:
        vertices = len(self.adjacency)
        if len(self.operations) != vertices:
            raise CellError(f"A cell of {vertices} vertices needs {vertices} operations, got {len(self.operations)}.")
        if self.operations[0] != INPUT or self.operations[-1] != OUTPUT:
            raise CellError(
                f"The first operation must be '{INPUT}' and the last '{OUTPUT}', "
                f"got '{self.operations[0]}' and '{self.operations[-1]}'."
            )
        for name in self.operations[1:-1]:
            if name not in OPERATIONS:
                raise CellError(f"Unknown operation '{name}' of an inner vertex, expected one of: {_listed()}.")

    @classmethod
    def from_strings(cls, adjacency: str, operations: str) -> Cell:
        """Return the cell that :attr:`adjacency_string` and :attr:`operations_string` describe.

        Args:
            adjacency: all entries of the matrix, row by row, as digits 0 and 1.
            operations: operations separated by commas.

        Raises:
            CellError: the strings do not describe a cell.
        """
        names = tuple(operations.split(","))
        if set(adjacency) - {"0", "1"}:
            raise CellError(f"An adjacency string has only the digits 0 and 1, got '{adjacency}'.")
        if len(adjacency) != len(names) ** 2:
            raise CellError(
                f"{len(names)} operations need an adjacency string of {len(names) ** 2} digits, got {len(adjacency)}."
            )
        digits = np.frombuffer(adjacency.encode("ascii"), dtype=np.uint8) - ord("0")
        return cls(digits.reshape(len(names), len(names)), names)

    def __eq__(self, other: object) -> bool:
        """Return whether the other cell has the same matrix and operations (isomorphic cells may differ)."""
        if not isinstance(other, Cell):
            return NotImplemented
        return self.operations == other.operations and np.array_equal(self.adjacency, other.adjacency)

    def __hash__(self) -> int:
        return hash((self.adjacency_string, self.operations))

    def __str__(self) -> str:
        """Return the cell in lines: each vertex with its operation and the vertices it leads to."""
        lines = [f"Cell of {self.num_vertices} vertices and {self.num_edges} edge{'s' * (self.num_edges > 1)}"]
        width = max(map(len, self.operations))
        for vertex, name in enumerate(self.operations):
            targets = ", ".join(map(str, np.flatnonzero(self.adjacency[vertex]).tolist()))
            ending = f" -> {targets}" if targets else ""
            idle = "" if self._on_path[vertex] else "  (on no path from input to output)"
            lines.append(f"  {vertex} {name:{width}}{ending}{idle}".rstrip())
        return "\n".join(lines)

    def _repr_svg_(self) -> str:
        """Return the drawing that notebooks show."""
        # by name: imported in the usual way, the drawing's code would count as code of every rule that uses a cell
        return str(import_module("terranas.space.drawing").cell_svg(self))

    @property
    def adjacency_string(self) -> str:
        """All entries of the matrix, row by row, as digits 0 and 1."""
        return "".join(map(str, self.adjacency.ravel().tolist()))

    @property
    def operations_string(self) -> str:
        """The operations, separated by commas."""
        return ",".join(self.operations)

    @property
    def num_vertices(self) -> int:
        """Number of vertices, input and output included."""
        return len(self.operations)

    @property
    def num_edges(self) -> int:
        """Number of edges."""
        return int(self.adjacency.sum())

    @cached_property
    def _on_path(self) -> NDArray[np.bool_]:
        """Whether each vertex lies on a path from input to output."""
        vertices = len(self.adjacency)
        from_input = np.zeros(vertices, dtype=np.bool_)
        to_output = np.zeros(vertices, dtype=np.bool_)
        from_input[0] = to_output[-1] = True
        for vertex in range(1, vertices):
            from_input[vertex] = bool((self.adjacency[:vertex, vertex] & from_input[:vertex]).any())
        for vertex in range(vertices - 2, -1, -1):
            to_output[vertex] = bool((self.adjacency[vertex] & to_output).any())
        return from_input & to_output

    def prune(self) -> Cell:
        """Return the cell without the vertices that lie on no path from input to output (itself if there are none)."""
        kept = np.flatnonzero(self._on_path)
        if len(kept) == self.num_vertices:
            return self
        return Cell(self.adjacency[np.ix_(kept, kept)], tuple(self.operations[vertex] for vertex in kept))

    @cached_property
    def hash(self) -> str:
        """MD5 of the pruned cell as NAS-Bench-101 defines it; equal for isomorphic cells.

        Each vertex starts with the hash of its degrees and label; ``vertices`` rounds mix in the hashes of its
        neighbours (Ying 2019, "graph_util.hash_module" of the released code).
        """
        cell = self.prune()
        matrix = cell.adjacency
        labels = [-1, *(OPERATIONS.index(name) for name in cell.operations[1:-1]), -2]
        degrees = zip(matrix.sum(axis=1).tolist(), matrix.sum(axis=0).tolist(), labels, strict=True)
        hashes = [_md5(str(facts)) for facts in degrees]
        for _ in range(cell.num_vertices):
            hashes = [
                _md5(
                    "".join(sorted(hashes[source] for source in np.flatnonzero(matrix[:, vertex])))
                    + "|"
                    + "".join(sorted(hashes[target] for target in np.flatnonzero(matrix[vertex])))
                    + "|"
                    + hashes[vertex]
                )
                for vertex in range(cell.num_vertices)
            ]
        return _md5(str(sorted(hashes)))


def _checked_matrix(adjacency: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a read-only copy of an adjacency matrix after checking shape, entries and direction of the edges."""
    given = np.asarray(adjacency)
    if given.ndim != 2 or given.shape[0] != given.shape[1]:
        raise CellError(f"An adjacency matrix is square, got the shape {given.shape}.")
    if not 2 <= len(given) <= MAX_VERTICES:
        raise CellError(f"A cell has 2 to {MAX_VERTICES} vertices, got {len(given)}.")
    if not np.isin(given, (0, 1)).all():
        raise CellError(f"An adjacency matrix has only the entries 0 and 1, got {np.unique(given).tolist()}.")
    if backward := np.argwhere(np.tril(given)).tolist():
        source, target = backward[0]
        raise CellError(
            "Edges must lead from lower to higher vertices, so that there is no cycle; got an edge from vertex "
            f"{source} to vertex {target}. Number the vertices in topological order."
        )
    matrix = given.astype(np.uint8)
    matrix.setflags(write=False)
    return matrix


def _listed() -> str:
    return ", ".join(OPERATIONS)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()
