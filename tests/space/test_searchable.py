"""Cells as a searchable space: encodings, distances, and mutation and crossover against brute force."""

from collections import Counter
from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd
import pytest

from terranas.core.errors import TableError
from terranas.core.randomness import generator
from terranas.space.cell import MAX_EDGES, OPERATIONS, Cell
from terranas.space.complexity import CIFAR10_NETWORK, NetworkShape
from terranas.space.encodings import expanded_adjacency, from_adjacency_one_hot, from_expanded_adjacency, path_encoding
from terranas.space.features import graph_features
from terranas.space.searchable import CellSpace
from terranas.space.table import cells_table


@pytest.fixture(scope="module")
def four() -> pd.DataFrame:
    return cells_table(4, 9, CIFAR10_NETWORK)


@pytest.fixture(scope="module")
def five() -> pd.DataFrame:
    return cells_table(5, 9, CIFAR10_NETWORK)


@pytest.fixture(scope="module")
def sparse(five: pd.DataFrame) -> pd.DataFrame:
    """A table of scattered cells, some of three vertices among them."""
    return five.iloc[::40].reset_index(drop=True)


# --- what the space tells ---------------------------------------------------------------------------------------------


def test_encodings_are_those_of_the_table(five: pd.DataFrame) -> None:
    space = CellSpace(five)
    assert from_adjacency_one_hot(space.encode("adjacency_one_hot")).to_strings() == texts(five)
    expanded = space.encode("expanded")
    assert expanded.shape == (len(five), 17 * 17)
    decoded = from_expanded_adjacency(expanded.reshape(-1, 17, 17).astype(np.uint8))
    assert (decoded.num_vertices == five["num_vertices"]).all()
    assert (space.encode("paths") == path_encoding(five)).all()
    features = graph_features(five, CIFAR10_NETWORK)
    assert np.allclose(space.encode("graph_features"), features, rtol=1e-6)


def texts(cells: pd.DataFrame) -> tuple[list[str], list[str]]:
    return cells["adjacency"].tolist(), cells["operations"].tolist()


@pytest.mark.parametrize("encoding", CellSpace.encodings)
def test_encodings_are_float32_made_once_and_read_only(four: pd.DataFrame, encoding: str) -> None:
    space = CellSpace(four)
    encoded = space.encode(encoding)
    assert encoded.dtype == np.float32
    assert space.encode(encoding) is encoded
    with pytest.raises(ValueError, match="read-only"):
        encoded[0, 0] = 7


def test_graph_features_follow_the_network(four: pd.DataFrame) -> None:
    wide = NetworkShape(bands=3, classes=10, image_size=32, stem_channels=256, stacks=3, cells_per_stack=3)
    last = CellSpace(four).encode("graph_features")[:, -1]
    assert (CellSpace(four, wide).encode("graph_features")[:, -1] > last).all()


def test_distances_count_entries_of_expanded_matrices(five: pd.DataFrame) -> None:
    rows = np.array([2000, 3, 3, 77, 512])
    matrices = expanded_adjacency(five.iloc[rows]).reshape(5, -1)
    slowly = [[int((one != other).sum()) for other in matrices] for one in matrices]
    assert CellSpace(five).distances(rows).tolist() == slowly


def test_outline_counts_operations_edges_and_depth(five: pd.DataFrame) -> None:
    columns = ["num_conv3x3", "num_conv1x1", "num_maxpool3x3", "num_edges", "depth"]
    outline = CellSpace(five).outline()
    assert outline.dtype == np.float64
    assert (outline == five[columns].to_numpy()).all()


def test_names_are_the_hashes(four: pd.DataFrame) -> None:
    space = CellSpace(four)
    assert space.key == "hash"
    assert list(space.names) == four["hash"].tolist() == sorted(four["hash"])
    assert len(space) == 91


def test_an_unknown_encoding_is_refused(four: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="one of adjacency_one_hot, paths, expanded, graph_features, got 'one_hot'"):
        CellSpace(four).encode("one_hot")


@pytest.mark.parametrize("rows", [[], [1, 0], [0, 0]])
def test_a_table_without_ascending_hashes_is_refused(four: pd.DataFrame, rows: list[int]) -> None:
    with pytest.raises(TableError, match=f"ascending hashes, each once, got a table of {len(rows)} rows"):
        CellSpace(four.iloc[rows])


# --- mutation and crossover -------------------------------------------------------------------------------------------

Graph = tuple[np.ndarray, tuple[int, ...]]


def filled_up(cell: Cell, vertices: int) -> list[Graph]:
    """Return every form of a cell with idle vertices, each as likely as the others."""
    inner = [OPERATIONS.index(name) for name in cell.operations[1:-1]]
    idle = vertices - cell.num_vertices
    places = [p for p in product(range(1, vertices - 1), repeat=len(inner)) if list(p) == sorted(set(p))]
    forms = []
    for place in places:
        vertex_of = [0, *place, vertices - 1]
        matrix = np.zeros((vertices, vertices), dtype=np.uint8)
        matrix[np.ix_(vertex_of, vertex_of)] = cell.adjacency
        for drawn in product(range(3), repeat=idle):
            rest = iter(drawn)
            known = dict(zip(place, inner, strict=True))
            labels = tuple(known[v] if v in known else next(rest) for v in range(1, vertices - 1))
            forms.append((matrix, labels))
    return forms


def hash_of(matrix: np.ndarray, labels: tuple[int, ...]) -> str | None:
    """Return the hash of the pruned cell, None where there is none."""
    try:
        cell = Cell(matrix, ("input", *(OPERATIONS[label] for label in labels), "output"))
    except ValueError:
        return None
    return cell.hash


def subsets(vertices: int) -> list[np.ndarray]:
    """Return every set of edges as a matrix."""
    places = np.triu_indices(vertices, 1)
    result = []
    for bits in product([0, 1], repeat=len(places[0])):
        matrix = np.zeros((vertices, vertices), dtype=np.uint8)
        matrix[places] = bits
        result.append(matrix)
    return result


def mutant_weights(cell: Cell, vertices: int) -> Counter[str]:
    """Return the probability of each mutant of a cell, by going through all draws; they sum to less than one."""
    edges, inner = vertices * (vertices - 1) // 2, vertices - 2
    weights: Counter[str] = Counter()
    forms = filled_up(cell, vertices)
    for matrix, labels in forms:
        for flips in subsets(vertices):
            count = int(flips.sum())
            of_flips = (1 / edges) ** count * (1 - 1 / edges) ** (edges - count)
            for moves in product(range(3), repeat=inner):
                moved = sum(move > 0 for move in moves)
                of_moves = (0.5 / inner) ** moved * (1 - 1 / inner) ** (inner - moved)
                changed = tuple((label + move) % 3 for label, move in zip(labels, moves, strict=True))
                name = hash_of(matrix ^ flips, changed)
                if name is not None and name != cell.hash:
                    weights[name] += of_flips * of_moves / len(forms)
    return weights


def agree(counts: Counter[str], weights: Counter[str]) -> None:
    """Check that counts are within five standard deviations of what the weights make them."""
    draws, total = sum(counts.values()), sum(weights.values())
    assert set(counts) <= {name for name, weight in weights.items() if weight > 0}
    for name, weight in weights.items():
        expected = draws * weight / total
        assert abs(counts[name] - expected) < 5 * np.sqrt(expected) + 1


@pytest.mark.parametrize("vertices", [2, 3, 4])
def test_mutants_are_as_likely_as_going_through_all_draws_says(four: pd.DataFrame, vertices: int) -> None:
    space = CellSpace(four)
    rng = generator(0, "test.mutate", vertices)
    row = int(np.flatnonzero(four["num_vertices"] == vertices)[-1])
    cell = Cell.from_strings(four["adjacency"][row], four["operations"][row])
    counts = Counter(space.names[space.mutate(row, rng)] for _ in range(20_000))
    agree(counts, mutant_weights(cell, 4))


@pytest.mark.parametrize("sizes", [(4, 4), (4, 3), (3, 2)])
def test_children_are_as_likely_as_going_through_all_draws_says(four: pd.DataFrame, sizes: tuple[int, int]) -> None:
    space = CellSpace(four)
    rng = generator(0, "test.crossover", *sizes)
    first, second = (int(np.flatnonzero(four["num_vertices"] == size)[-place]) for place, size in enumerate(sizes))
    parents = [Cell.from_strings(four["adjacency"][row], four["operations"][row]) for row in (first, second)]
    ones, others = (filled_up(cell, 4) for cell in parents)
    masks = subsets(4)
    weights: Counter[str] = Counter()
    for (one, its_labels), (other, other_labels) in product(ones, others):
        for mask in masks:
            for choice in product([False, True], repeat=2):
                pairs = zip(choice, its_labels, other_labels, strict=True)
                labels = tuple(own if taken else foreign for taken, own, foreign in pairs)
                name = hash_of(np.where(mask, one, other).astype(np.uint8), labels)
                if name is not None and name not in {cell.hash for cell in parents}:
                    weights[name] += 1 / (len(ones) * len(others) * len(masks) * 4)
    # twenty attempts, then a mutant of either parent
    total = sum(weights.values())
    failed = (1 - total) ** 20
    expected = Counter({name: (1 - failed) * weight / total for name, weight in weights.items()})
    for cell in parents:
        mutants = mutant_weights(cell, 4)
        for name, weight in mutants.items():
            expected[name] += failed / 2 * weight / sum(mutants.values())
    counts = Counter(space.names[space.crossover(first, second, rng)] for _ in range(20_000))
    agree(counts, expected)


@pytest.mark.parametrize("table", ["four", "five", "sparse"])
def test_mutation_reaches_every_cell(table: str, request: pytest.FixtureRequest) -> None:
    space = CellSpace(request.getfixturevalue(table))
    rng = generator(0, "test.reach", table)
    reached = set()
    for row in range(len(space)):
        mutants = {space.mutate(row, rng) for _ in range(60)}
        assert row not in mutants
        reached |= mutants
    assert reached == set(range(len(space)))


def test_results_are_cells_of_a_table_of_seven_vertices(table_of: Callable[[list[Cell]], pd.DataFrame]) -> None:
    rng = generator(0, "test.seven")
    drawn = {}
    while len(drawn) < 300:
        matrix = np.triu(rng.random((7, 7)) < 0.5, 1).astype(np.uint8)
        labels = rng.integers(3, size=5).tolist()
        if matrix.sum() <= MAX_EDGES and hash_of(matrix, tuple(labels)):
            cell = Cell(matrix, ("input", *(OPERATIONS[label] for label in labels), "output")).prune()
            drawn[cell.hash] = cell
    space = CellSpace(table_of([drawn[name] for name in sorted(drawn)]).assign(hash=sorted(drawn)))
    rows = rng.integers(300, size=(300, 2)).tolist()
    mutants = [space.mutate(row, rng) for row, _ in rows]
    children = [space.crossover(first, second, rng) for first, second in rows]
    assert all(0 <= found < 300 for found in (*mutants, *children))
    assert all(mutant != row for mutant, (row, _) in zip(mutants, rows, strict=True))


def test_children_differ_from_both_parents(five: pd.DataFrame) -> None:
    space = CellSpace(five)
    rng = generator(0, "test.children")
    for first, second in rng.integers(len(space), size=(500, 2)).tolist():
        assert space.crossover(first, second, rng) not in (first, second) or first == second
        assert space.crossover(first, first, rng) != first


def test_equal_generators_give_equal_results(five: pd.DataFrame) -> None:
    def drawn() -> list[int]:
        space, rng = CellSpace(five), generator(3, "test.equal")
        return [space.mutate(row, rng) for row in range(50)] + [space.crossover(row, 9, rng) for row in range(50)]

    assert drawn() == drawn()


def test_a_space_of_one_cell_has_no_other(four: pd.DataFrame) -> None:
    space = CellSpace(four.iloc[[5]])
    rng = generator(0, "test.one")
    assert space.mutate(0, rng) == 0
    assert space.crossover(0, 0, rng) == 0


def test_of_two_cells_each_is_the_others_mutant(four: pd.DataFrame) -> None:
    space = CellSpace(four.iloc[[5, 60]])
    rng = generator(0, "test.two")
    assert [space.mutate(row, rng) for row in (0, 1, 0, 1)] == [1, 0, 1, 0]


@pytest.mark.parametrize("row", [-1, 91])
def test_rows_beyond_the_table_are_refused(four: pd.DataFrame, row: int) -> None:
    space, rng = CellSpace(four), generator(0, "test.rows")
    with pytest.raises(IndexError, match=f"a space of 91 cells has no row {row}"):
        space.mutate(row, rng)
    with pytest.raises(IndexError, match=f"a space of 91 cells has no row {row}"):
        space.crossover(0, row, rng)
