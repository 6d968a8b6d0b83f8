"""Non-dominated sets against the definition."""

import moocore
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from terranas.core.pareto import nondominated, to_minimise


def by_definition(values, directions):
    points = to_minimise(values, directions)
    known = ~np.isnan(points).any(axis=1)
    dominated = [
        any(known[j] and (points[j] <= p).all() and (points[j] < p).any() for j in range(len(points))) for p in points
    ]
    return known & ~np.array(dominated, dtype=bool)


@given(
    hnp.arrays(
        np.float64, st.tuples(st.integers(0, 12), st.just(3)), elements=st.sampled_from([0.0, 1.0, 2.0, np.nan])
    ),
    st.lists(st.sampled_from(["maximise", "minimise"]), min_size=3, max_size=3),
)
def test_equals_the_definition_with_ties_and_nan(values, directions):
    before = values.copy()
    np.testing.assert_array_equal(nondominated(values, directions), by_definition(values, directions))
    np.testing.assert_array_equal(values, before)


def test_wrong_number_of_directions():
    with pytest.raises(ValueError, match=r"expected \(points, 1\)"):
        nondominated(np.zeros((2, 2)), ["maximise"])


@pytest.mark.parametrize("objectives", [2, 3])
@pytest.mark.parametrize("kind", ["uniform", "ties", "equal", "infinite"])
def test_many_points_are_filtered_as_few_are(objectives, kind):
    rng = np.random.default_rng(0)
    points = (
        rng.random((4000, objectives)) if kind in ("uniform", "infinite") else rng.integers(0, 20, (4000, objectives))
    )
    points = np.ones((4000, objectives)) if kind == "equal" else points.astype(np.float64)
    if kind == "infinite":
        points[7] = np.inf
        points[8, 0] = -np.inf
    expected = moocore.is_nondominated(np.ascontiguousarray(points), keep_weakly=True)
    np.testing.assert_array_equal(nondominated(points, ["minimise"] * objectives), expected)
