"""Hypervolume over evaluations against the hypervolume of every prefix."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.comparison.anytime import anytime_table, hypervolume_over_time
from terranas.comparison.indicators import Box, hypervolume

OBJECTIVES = ["validation_micro_accuracy", "macs"]
unit = st.integers(0, 8).map(lambda eighth: eighth / 8)


def runs_of(objectives: int) -> st.SearchStrategy[np.ndarray]:
    return st.lists(st.tuples(*[unit] * objectives), min_size=1, max_size=25).map(np.array)


@settings(deadline=None)
@given(st.one_of(runs_of(2), runs_of(3), runs_of(4)))
def test_anytime_hypervolume_is_that_of_every_prefix(points: np.ndarray) -> None:
    over_time = hypervolume_over_time(points)
    prefixes = [hypervolume(points[:end]) for end in range(1, len(points) + 1)]
    np.testing.assert_allclose(over_time, prefixes, atol=1e-14)
    assert (np.diff(over_time) >= 0).all()


@pytest.mark.parametrize("objectives", [2, 3])
def test_long_runs_stay_exact(objectives: int) -> None:
    points = np.random.default_rng(objectives).beta(2, 2, size=(3000, objectives))
    over_time = hypervolume_over_time(points)
    for end in (1, 10, 500, 3000):
        assert over_time[end - 1] == pytest.approx(hypervolume(points[:end]), abs=1e-12)


@pytest.mark.parametrize("objectives", [2, 3])
def test_unknown_and_outer_points_add_nothing(objectives: int) -> None:
    inner = np.full(objectives, 0.5)
    outer, edge, unknown = inner.copy(), inner.copy(), inner.copy()
    outer[0], edge[-1], unknown[0] = 1.5, 1.0, np.nan
    over_time = hypervolume_over_time(np.array([unknown, outer, edge, inner, inner]))
    np.testing.assert_allclose(over_time, [0, 0, 0, 0.5**objectives, 0.5**objectives])
    over_time = hypervolume_over_time(np.array([inner, outer, edge, unknown]))
    np.testing.assert_allclose(over_time, [0.5**objectives] * 4)


def test_one_objective_that_never_changes() -> None:
    points = np.array([[0.0, 0.75], [0.0, 0.25], [0.0, 0.5]])
    assert hypervolume_over_time(points).tolist() == [0.25, 0.75, 0.75]


def test_no_evaluation_has_no_hypervolume() -> None:
    assert hypervolume_over_time(np.empty((0, 2))).shape == (0,)


def table_of(rows: list[tuple[str, int, int, float, float]]) -> pd.DataFrame:
    columns = ["arm", "seed", "evaluation", *OBJECTIVES]
    evaluations = pd.DataFrame(rows, columns=columns).assign(dataset="synthetic")
    box = Box(("maximise", "minimise"), np.array([-1.0, 0.0]), np.array([0.0, 1.0]))
    return anytime_table(evaluations, box, OBJECTIVES, training_sample=10)


def test_every_search_is_treated_alone_and_charged() -> None:
    table = table_of(
        [
            ("random", 0, 2, 1.0, 0.0),
            ("surrogate", 0, 1, 0.5, 0.5),
            ("random", 1, 1, 0.0, 0.0),
            ("random", 0, 1, 0.5, 0.5),
        ]
    )
    assert table[["arm", "seed", "evaluation", "charged", "hypervolume"]].to_numpy().tolist() == [
        ["random", 0, 1, 1, 0.25],
        ["random", 0, 2, 2, 1.0],
        ["random", 1, 1, 1, 0.0],
        ["surrogate", 0, 1, 11, 0.25],
    ]


def test_rows_where_nothing_changes_are_left_out_but_for_the_ends() -> None:
    points = [(0.0, 1.0), (0.0, 1.0), (0.5, 0.5), (0.4, 0.6), (1.0, 0.5), (0.1, 0.9), (0.1, 0.9)]
    table = table_of([("random", 0, place, *point) for place, point in enumerate(points, start=1)])
    assert table["evaluation"].tolist() == [1, 3, 5, 7]
    assert table["hypervolume"].tolist() == [0, 0.25, 0.5, 0.5]
