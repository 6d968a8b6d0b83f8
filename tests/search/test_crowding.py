"""Crowding distances against pymoo, thinning against the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymoo.operators.survival.rank_and_crowding.metrics import calc_crowding_distance

from terranas.search.crowding import crowding_distances, thin


@pytest.mark.parametrize("objectives", [2, 3])
def test_distances_of_different_points_are_those_of_pymoo(objectives: int) -> None:
    points = np.random.default_rng(objectives).random((25, objectives))
    # pymoo divides by the number of objectives
    np.testing.assert_allclose(crowding_distances(points), objectives * calc_crowding_distance(points))


def test_distances_by_hand() -> None:
    points = np.array([[0, 10], [1, 6], [1, 6], [3, 4], [10, 0]], dtype=np.float64)
    expected = [np.inf, 3 / 10 + 6 / 10, 3 / 10 + 6 / 10, 9 / 10 + 6 / 10, np.inf]
    np.testing.assert_allclose(crowding_distances(points), expected)


def test_a_constant_objective_says_nothing() -> None:
    points = np.array([[0, 7], [1, 7], [4, 7]], dtype=np.float64)
    np.testing.assert_array_equal(crowding_distances(points), [np.inf, 1, np.inf])
    assert crowding_distances(np.ones((3, 2))).tolist() == [np.inf] * 3


def slow_thin(points: np.ndarray, count: int) -> list[int]:
    left = list(range(len(points)))
    while len(left) > count:
        again = [p for place, p in enumerate(left) if any((points[p] == points[q]).all() for q in left[:place])]
        if again:
            left.remove(again[-1])
            continue
        distances = crowding_distances(points[left])
        least = distances.min()
        left.remove([p for p, distance in zip(left, distances, strict=True) if distance == least][-1])
    return left


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 25), st.integers(2, 4), st.sampled_from([2, 8, 1000]), st.integers(0, 25))
def test_thinning_drops_the_most_crowded_one_at_a_time(
    seed: int, size: int, objectives: int, levels: int, count: int
) -> None:
    points = np.random.default_rng(seed).integers(0, levels, size=(size, objectives)).astype(np.float64)
    assert thin(points, count).tolist() == slow_thin(points, count)


def test_thinning_keeps_the_ends_and_evens_the_rest() -> None:
    first = np.array([0, 0.01, 0.02, 0.5, 0.51, 1.0])
    left = thin(np.column_stack([first, -first]), 3)
    assert left[0] == 0
    assert left[-1] == 5
    assert left[1] in (3, 4)
