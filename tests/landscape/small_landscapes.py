"""Small landscapes, and their optima and basins from the definitions: sets of reachable cells, one cell at a time."""

import hashlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from terranas.core.pareto import Direction
from terranas.landscape.landscape import Landscape
from terranas.space.neighbours import NeighbourGraph

NAN = math.nan


def names_of(cells: int) -> list[str]:
    """Return hashes whose order is not that of the rows."""
    return [hashlib.md5(str(row).encode(), usedforsecurity=False).hexdigest() for row in range(cells)]


def graph_of(cells: int, arcs: Iterable[tuple[int, int]]) -> NeighbourGraph:
    """Return the graph of directed arcs."""
    ascending = sorted(set(arcs))
    indptr = np.zeros(cells + 1, dtype=np.int64)
    for source, _ in ascending:
        indptr[source + 1] += 1
    return NeighbourGraph(np.cumsum(indptr), np.array([target for _, target in ascending], dtype=np.int32))


def undirected(cells: int, edges: Iterable[tuple[int, int]]) -> NeighbourGraph:
    """Return the graph of undirected edges."""
    return graph_of(cells, [arc for one, other in edges for arc in ((one, other), (other, one))])


def hypercube(bits: int) -> NeighbourGraph:
    """Return the graph of all bit strings, rows by their number, neighbours by one bit."""
    return undirected(1 << bits, [(row, row ^ 1 << bit) for row in range(1 << bits) for bit in range(bits)])


def landscape_of(values: Iterable[float], graph: NeighbourGraph, direction: Direction = "maximise") -> Landscape:
    """Return a landscape with hashes whose order is not that of the rows."""
    return Landscape.of(np.array(list(values), dtype=np.float64), graph, direction, names_of(len(graph)))


def nk_values(bits: int, links: int, rng: np.random.Generator) -> list[float]:
    """Return an NK landscape with adjacent neighbourhoods: each bit's part depends on it and the next ones."""
    parts = rng.random((bits, 1 << (links + 1)))
    values = []
    for row in range(1 << bits):
        total = 0.0
        for bit in range(bits):
            seen = [row >> (bit + offset) % bits & 1 for offset in range(links + 1)]
            total += parts[bit][int("".join(map(str, seen)), 2)]
        values.append(total / bits)
    return values


@dataclass(frozen=True)
class Slow:
    """Optima as sets of rows, and the optimum and the moves of each cell's ascent."""

    optima: set[frozenset[int]]
    ends: dict[int, frozenset[int]]
    moves: dict[int, int]


def slow_optima(values: list[float], graph: NeighbourGraph, direction: Direction = "maximise") -> Slow:
    """Return optima and basins as the definitions say them."""
    names = names_of(len(values))
    sign = 1 if direction == "maximise" else -1
    known = [row for row in range(len(values)) if not math.isnan(values[row])]
    around = {row: [other for other in graph.neighbours(row).tolist() if other in known] for row in known}
    fitness = {row: sign * values[row] for row in known}

    def reached(row: int, allowed: Callable[[int, int], bool]) -> dict[int, int]:
        moves, queue = {row: 0}, [row]
        for one in queue:
            for other in around[one]:
                if allowed(one, other) and other not in moves:
                    moves[other] = moves[one] + 1
                    queue.append(other)
        return moves

    never_worse = {row: frozenset(reached(row, lambda one, other: fitness[other] >= fitness[one])) for row in known}
    optima = {cells for row, cells in never_worse.items() if all(row in never_worse[other] for other in cells)}
    optimum_of = {row: cells for cells in optima for row in cells}

    def better(row: int) -> list[int]:
        return [other for other in around[row] if fitness[other] > fitness[row]]

    def to_a_way_out(row: int) -> int:
        moves = reached(row, lambda one, other: fitness[other] == fitness[one])
        return min(moves[other] for other in moves if better(other) or other in optimum_of)

    ends, moves = {}, {}
    for start in known:
        row, count = start, 0
        while row not in optimum_of:
            choices = better(row)
            if choices:
                best = max(fitness[other] for other in choices)
                choices = [other for other in choices if fitness[other] == best]
            else:
                nearer = to_a_way_out(row) - 1
                equals = [other for other in around[row] if fitness[other] == fitness[row]]
                choices = [other for other in equals if to_a_way_out(other) == nearer]
            row = min(choices, key=lambda other: names[other])
            count += 1
        ends[start], moves[start] = optimum_of[row], count
    return Slow(optima, ends, moves)


@st.composite
def small_cases(draw: st.DrawFn, directed: bool | None = None) -> tuple[list[float], NeighbourGraph]:
    """Draw values with many ties and gaps on a small graph, directed or not."""
    cells = draw(st.integers(1, 9))
    values = draw(st.lists(st.sampled_from([NAN, 0.0, 1.0, 1.0, 2.0, 3.0]), min_size=cells, max_size=cells))
    if all(map(math.isnan, values)):
        values[0] = 0.5
    pairs = [(one, other) for one in range(cells) for other in range(cells) if one != other]
    arcs = draw(st.lists(st.sampled_from(pairs), max_size=20)) if pairs else []
    if directed is None:
        directed = draw(st.booleans())
    return values, graph_of(cells, arcs) if directed else undirected(cells, arcs)


def shuffled(graph: NeighbourGraph, order: list[int]) -> NeighbourGraph:
    """Return the graph whose row i is the given graph's row order[i]."""
    place = {row: new for new, row in enumerate(order)}
    arcs = [(place[row], place[other]) for row in range(len(graph)) for other in graph.neighbours(row).tolist()]
    return graph_of(len(graph), arcs)
