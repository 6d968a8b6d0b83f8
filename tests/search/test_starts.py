"""Where local searches start."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata
from scipy.stats.qmc import LatinHypercube

from terranas.core.pareto import nondominated
from terranas.search.crowding import thin
from terranas.search.starts import SpaceFilling, best_subset, random_subset, spread_subset


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_a_random_subset_is_drawn_without_replacement() -> None:
    candidates = np.arange(100, 130)
    times = np.zeros(30)
    for seed in range(600):
        drawn = random_subset(candidates, 10, np.random.default_rng(seed))
        assert len(set(drawn.tolist())) == 10
        times[drawn - 100] += 1
    assert abs(times / 600 - 1 / 3).max() < 0.1
    assert sorted(random_subset(candidates, 50, rng()).tolist()) == candidates.tolist()


def test_a_spread_subset_is_the_thinned_front() -> None:
    first = np.array([0, 0.01, 0.02, 0.03, 0.5, 1.0])
    front = np.column_stack([first, 1 - first])
    rows = np.array([11, 13, 17, 19, 23, 29])
    drawn = spread_subset(rows, front, 3, rng())
    assert sorted(drawn.tolist()) == rows[thin(front, 3)].tolist() == [11, 23, 29]
    assert sorted(spread_subset(rows, front, 9, rng()).tolist()) == rows.tolist()


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 30), st.integers(2, 3))
def test_the_best_come_rank_by_rank(seed: int, size: int, count: int, objectives: int) -> None:
    values = np.random.default_rng(seed).integers(0, 6, size=(size, objectives)).astype(np.float64)
    rows = np.arange(size) * 3
    drawn = best_subset(rows, values, count, rng())
    assert len(set(drawn.tolist())) == min(count, size)
    left = np.arange(size)
    expected: set[int] = set()
    while len(left) and len(expected) < count:
        on_front = nondominated(values[left], ["minimise"] * objectives)
        front = left[on_front]
        expected |= set(rows[front[thin(values[front], count - len(expected))]].tolist())
        left = left[~on_front]
    assert set(drawn.tolist()) == expected


def test_space_filling_places_are_shares_of_what_is_available() -> None:
    outline = np.array([[5, 1], [5, 2], [7, 2], [9, 2], [0, 0]], dtype=np.float64)
    filling = SpaceFilling.of(outline, np.arange(4))
    expected = (rankdata(outline[:4], axis=0) - 0.5) / 4
    ends = filling.ends.tolist()
    for place, begin, end in zip(filling.places, [0, *ends[:-1]], ends, strict=True):
        for row in filling.members[begin:end]:
            np.testing.assert_allclose(place, expected[row])
    assert sorted(filling.members.tolist()) == [0, 1, 2, 3]


def test_a_hypercube_over_one_feature_takes_one_of_each_stratum() -> None:
    outline = np.random.default_rng(0).permutation(1000).astype(np.float64)[:, None]
    drawn = SpaceFilling.of(outline, np.arange(1000)).draw(10, rng())
    assert np.sort(outline[drawn, 0] // 100).tolist() == list(range(10))


def test_space_filling_starts_differ_even_where_all_look_the_same() -> None:
    filling = SpaceFilling.of(np.zeros((50, 2)), np.arange(0, 50, 2))
    drawn = filling.draw(20, rng())
    assert len(set(drawn.tolist())) == 20
    assert set(drawn.tolist()) <= set(range(0, 50, 2))
    assert filling.draw(20, rng()).tolist() == drawn.tolist()
    assert sorted(filling.draw(99, rng()).tolist()) == list(range(0, 50, 2))


def test_each_of_those_that_look_the_same_is_drawn() -> None:
    outline = np.repeat([[0.0], [1.0]], 3, axis=0)
    filling = SpaceFilling.of(outline, np.arange(6))
    drawn = [filling.draw(2, np.random.default_rng(seed)).tolist() for seed in range(60)]
    assert all(sorted(row // 3 for row in pair) == [0, 1] for pair in drawn)
    assert {row for pair in drawn for row in pair} == set(range(6))


@pytest.mark.parametrize("count", [1, 7])
def test_the_nearest_that_is_left_is_taken(count: int) -> None:
    outline = np.random.default_rng(1).random((60, 3))
    filling = SpaceFilling.of(outline, np.arange(60))
    shares = (rankdata(outline, axis=0) - 0.5) / 60
    left = list(range(60))
    expected = []
    for point in LatinHypercube(3, rng=rng()).random(count):
        nearest = min(left, key=lambda row: float(((shares[row] - point) ** 2).sum()))
        left.remove(nearest)
        expected.append(nearest)
    assert filling.draw(count, rng()).tolist() == expected
