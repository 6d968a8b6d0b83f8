"""Random walks: never cut short, never twice at one cell, uniform, and honest when there is no way."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare

from terranas.core.errors import TerranasError
from terranas.core.randomness import generator
from terranas.sampling.walks import Walks, random_walks, walks_table
from terranas.space.complexity import NetworkShape
from terranas.space.neighbours import NeighbourGraph, build_neighbours
from terranas.space.table import cells_table

from ..space.graphs import graph_of

SHAPE = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=8, stacks=3, cells_per_stack=1)


def ring(size: int) -> NeighbourGraph:
    return graph_of([sorted([(row - 1) % size, (row + 1) % size]) for row in range(size)])


def generators(count: int, seed: int = 0) -> list[np.random.Generator]:
    return [generator(seed, "sampling.walks", walk) for walk in range(count)]


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    return cells_table(4, 9, SHAPE)


@pytest.fixture(scope="module")
def hamming(cells: pd.DataFrame) -> NeighbourGraph:
    return build_neighbours(cells, "hamming")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("unique", ["walk", "study"])
def test_every_step_leads_to_an_unvisited_neighbour(hamming: NeighbourGraph, unique: str, seed: int) -> None:
    walks = random_walks(hamming, generators(6, seed), steps=4, unique=unique)
    assert walks.rows.shape == (6, 5)
    for walk in walks.rows:
        assert len(set(walk.tolist())) == 5
        assert all(after in hamming.neighbours(before) for before, after in pairwise(walk))
    if unique == "study":
        assert len(np.unique(walks.rows)) == 30


def test_equal_seeds_give_equal_walks_and_a_walk_does_not_depend_on_later_ones(hamming: NeighbourGraph) -> None:
    few = random_walks(hamming, generators(3), steps=4, unique="study")
    many = random_walks(hamming, generators(6), steps=4, unique="study")
    assert np.array_equal(few.rows, many.rows[:3])
    other = random_walks(hamming, generators(3, seed=1), steps=4, unique="study")
    assert not np.array_equal(few.rows, other.rows)


def test_starts_and_steps_are_uniform() -> None:
    # from 0 of the complete graph of 5, each of 4 neighbours is as likely; each start too
    complete = graph_of([[other for other in range(5) if other != row] for row in range(5)])
    rows = random_walks(complete, generators(4_000), steps=1, unique="walk").rows
    assert chisquare(np.bincount(rows[:, 0], minlength=5)).pvalue > 1e-4
    steps = np.bincount((rows[:, 1] - rows[:, 0]) % 5, minlength=5)
    assert steps[0] == 0
    assert chisquare(steps[1:]).pvalue > 1e-4


def test_a_stuck_walk_is_drawn_again_and_gives_its_visits_back() -> None:
    # two cells reach nothing; the other three form the only possible walk of three, in three orders and two senses
    graph = graph_of([[], [2, 3], [1, 3], [1, 2], []])
    walks = random_walks(graph, generators(200), steps=2, unique="walk")
    assert {tuple(sorted(walk)) for walk in walks.rows.tolist()} == {(1, 2, 3)}
    assert walks.redraws.sum() > 0
    # a chain of four: starting at its middle gets stuck, and the chain must be free again afterwards
    chain = graph_of([[1], [0, 2], [1, 3], [2]])
    walks = random_walks(chain, generators(20), steps=3, unique="walk")
    assert {tuple(walk) for walk in walks.rows.tolist()} == {(0, 1, 2, 3), (3, 2, 1, 0)}


def test_a_study_can_use_up_the_whole_space() -> None:
    walks = random_walks(ring(12), generators(1), steps=11, unique="study")
    assert sorted(walks.rows[0].tolist()) == list(range(12))


@pytest.mark.parametrize(
    ("unique", "count", "message"),
    [
        ("walk", 1, r"No walk of 4 steps was found for walk 0 of 1 in 51 tries.*among the 4 cells.*or another space\."),
        ("study", 1, r"fewer walks or sampling\.unique: walk\."),
    ],
)
def test_an_impossible_walk_is_told(unique: str, count: int, message: str) -> None:
    with pytest.raises(TerranasError, match=message):
        random_walks(ring(4), generators(count), steps=4, unique=unique, max_redraws=50)


def test_a_space_too_small_for_all_walks_names_the_walk() -> None:
    with pytest.raises(TerranasError, match="found for walk 2 of 3"):
        random_walks(ring(10), generators(3), steps=4, unique="study", max_redraws=500)


def test_table_of_walks(cells: pd.DataFrame) -> None:
    walks = Walks(np.array([[3, 1], [0, 90]]), np.zeros(2, dtype=np.int64))
    table = walks_table(walks, cells)
    assert table["walk"].tolist() == [0, 0, 1, 1]
    assert table["step"].tolist() == [0, 1, 0, 1]
    assert table["hash"].tolist() == cells["hash"].iloc[[3, 1, 0, 90]].tolist()
    assert table["id"].isna().all()
