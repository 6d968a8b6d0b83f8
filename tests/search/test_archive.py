"""The incremental archives against a filter of everything that was offered."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.core.pareto import nondominated
from terranas.search.archive import ListArchive, pareto_archive

NAN = float("nan")


@st.composite
def offers(draw: st.DrawFn) -> list[tuple[float, ...]]:
    """Points of two to five objectives with few distinct values: many ties; some not known."""
    objectives = draw(st.integers(2, 5))
    value = st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 5.0, NAN])
    return draw(st.lists(st.tuples(*[value] * objectives), min_size=1, max_size=40))


@settings(deadline=None)
@given(offers())
def test_holds_what_a_filter_of_all_points_keeps_after_every_insertion(offered: list[tuple[float, ...]]) -> None:
    objectives = len(offered[0])
    archive = pareto_archive(objectives)
    for number, point in enumerate(offered):
        entered = archive.add(number, point)
        so_far = np.array(offered[: number + 1], dtype=np.float64)
        kept = np.flatnonzero(nondominated(so_far, ["minimise"] * objectives)).tolist()
        assert archive.members == kept
        assert entered == (number in kept)
        assert [member in archive for member in range(len(offered))] == [m in kept for m in range(len(offered))]
        assert len(archive) == len(kept)


@settings(max_examples=50, deadline=None)
@given(offers())
def test_both_archives_agree_on_two_objectives(offered: list[tuple[float, ...]]) -> None:
    one, other = pareto_archive(2), ListArchive(2)
    for number, point in enumerate(offered):
        assert one.add(number, point[:2]) == other.add(number, point[:2])
        assert one.members == other.members


@pytest.mark.parametrize("objectives", [2, 3])
def test_equal_points_are_all_kept_and_fall_together(objectives: int) -> None:
    archive = pareto_archive(objectives)
    assert [archive.add(number, [1.0] * objectives) for number in range(3)] == [True] * 3
    assert archive.members == [0, 1, 2]
    assert archive.add(3, [1.0] * (objectives - 1) + [0.5])
    assert archive.members == [3]


def test_grows_beyond_the_room_it_begins_with() -> None:
    archive = pareto_archive(3)
    points = np.column_stack([np.arange(300.0), -np.arange(300.0), np.zeros(300)])
    assert all(archive.add(number, point) for number, point in enumerate(points.tolist()))
    assert archive.members == list(range(300))
    assert archive.add(300, [-1.0, -400.0, 0.0])
    assert archive.members == [300]


def test_one_objective_is_refused() -> None:
    with pytest.raises(ValueError, match="two or more objectives, got 1"):
        pareto_archive(1)
