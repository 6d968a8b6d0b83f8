"""The space of NAS-Bench-201: its notation, neighbours, encodings and operators."""

import itertools
from collections import Counter

import numpy as np
import pytest

from terranas.core.errors import DataError
from terranas.core.randomness import generator
from terranas.space.nasbench201 import EDGES, OPERATIONS, SPACE_SIZE, NasBench201Space, has_path, parse_cells


@pytest.fixture(scope="module")
def space() -> NasBench201Space:
    return NasBench201Space()


def test_paths_agree_with_following_every_edge() -> None:
    masks = np.array(list(itertools.product([False, True], repeat=6)))
    for mask, found in zip(masks, has_path(masks), strict=True):
        reached = {0}
        for _ in EDGES:
            reached |= {end for (start, end), is_open in zip(EDGES, mask, strict=True) if is_open and start in reached}
        assert found == (3 in reached)


def test_names_ascend_and_say_what_is_parsed(space: NasBench201Space) -> None:
    assert space.key == "architecture"
    assert len(space) == len(space.names) == len(set(space.names)) == SPACE_SIZE == 15_625
    assert list(space.names) == sorted(space.names)
    labels = parse_cells(space.names)
    one_hot = space.encode("one_hot").reshape(-1, 6, 5)
    assert (one_hot.argmax(axis=2) == labels).all()
    assert (one_hot.sum(axis=2) == 1).all()
    assert one_hot.dtype == np.float32


@pytest.mark.parametrize("text", ["", "|none~0|", "|none~0|+|none~0|none~1|+|none~0|none~1|conv~2|"])
def test_what_is_no_cell_is_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"is no cell of NAS-Bench-201; expected \|op~0"):
        parse_cells([text])


def test_encodings_are_read_only_and_others_are_refused(space: NasBench201Space) -> None:
    with pytest.raises(ValueError, match="read-only"):
        space.encode("one_hot")[0, 0] = 1
    with pytest.raises(ValueError, match="must be one of one_hot, got 'paths'"):
        space.encode("paths")


def test_neighbours_differ_in_one_operation(space: NasBench201Space) -> None:
    graph = space.graph
    assert len(graph) == SPACE_SIZE
    assert (graph.degrees() == 24).all()
    assert (graph.symmetric().indices == graph.indices).all()
    labels = parse_cells(space.names)
    for row in (0, 1, 777, SPACE_SIZE - 1):
        slowly = np.flatnonzero((labels != labels[row]).sum(axis=1) == 1)
        assert graph.neighbours(row).tolist() == slowly.tolist()
    assert graph.components().max() == 0


def test_distances_count_operations(space: NasBench201Space) -> None:
    rows = np.array([4, 900, 4, 15_000])
    names = [space.names[row] for row in rows]
    operations = [name.replace("+", "").split("|") for name in names]
    slowly = [[sum(a != b for a, b in zip(one, other, strict=True)) for other in operations] for one in operations]
    assert space.distances(rows).tolist() == slowly
    assert space.distances(np.array([0, int(space.graph.neighbours(0)[3])])).tolist() == [[0, 1], [1, 0]]


def test_outline_counts_operations_and_open_ways(space: NasBench201Space) -> None:
    outline = space.outline()
    for row in range(0, SPACE_SIZE, 500):
        name = space.names[row]
        labels = parse_cells([name])[0]
        counts = [name.count(operation) for operation in OPERATIONS[1:]]
        ways = 0
        for length in range(1, 4):
            for chosen in itertools.combinations(range(6), length):
                steps = [EDGES[edge] for edge in chosen]
                joined = all(one[1] == other[0] for one, other in itertools.pairwise(sorted(steps)))
                is_way = joined and min(steps)[0] == 0 and max(end for _, end in steps) == 3
                ways += is_way and all(OPERATIONS[labels[edge]] != "none" for edge in chosen)
        assert outline[row].tolist() == [*counts, ways]
    assert (outline[:, -1] == 0).sum() == 341


def test_every_neighbour_is_an_equally_likely_mutant(space: NasBench201Space) -> None:
    rng = generator(0, "test.mutate")
    counts = Counter(space.mutate(1234, rng) for _ in range(12_000))
    assert sorted(counts) == space.graph.neighbours(1234).tolist()
    assert max(abs(count - 500) for count in counts.values()) < 5 * np.sqrt(500)


def test_children_have_each_operation_from_a_parent_and_are_equally_likely(space: NasBench201Space) -> None:
    rng = generator(0, "test.crossover")
    labels = parse_cells(space.names)
    first = 4321
    second = int(np.flatnonzero((labels != labels[first]).sum(axis=1) == 3)[17])
    counts = Counter(space.crossover(first, second, rng) for _ in range(6_000))
    between = ((labels == labels[first]) | (labels == labels[second])).all(axis=1)
    assert sorted(counts) == sorted(set(np.flatnonzero(between).tolist()) - {first, second})
    assert max(abs(count - 1_000) for count in counts.values()) < 5 * np.sqrt(1_000)


def test_parents_without_a_third_cell_between_them_have_a_mutant(space: NasBench201Space) -> None:
    rng = generator(0, "test.close")
    second = int(space.graph.neighbours(7)[0])
    for other in (7, second):
        children = {space.crossover(7, other, rng) for _ in range(500)}
        assert children <= {*space.graph.neighbours(7).tolist(), *space.graph.neighbours(other).tolist()}
        assert len(children) > 20


@pytest.mark.parametrize("row", [-1, SPACE_SIZE])
def test_rows_beyond_the_space_are_refused(space: NasBench201Space, row: int) -> None:
    rng = generator(0, "test.rows")
    with pytest.raises(IndexError, match=f"rows 0 to 15624, got {row}"):
        space.mutate(row, rng)
    with pytest.raises(IndexError, match=f"rows 0 to 15624, got {row}"):
        space.crossover(row, 0, rng)
