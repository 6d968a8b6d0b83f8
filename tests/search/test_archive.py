"""The incremental archive against a filter of everything that was offered."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terranas.core.pareto import nondominated
from terranas.search.archive import ParetoArchive

# few distinct values: many ties in one or both objectives
points = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=40)


@given(points)
def test_holds_what_a_filter_of_all_points_keeps_after_every_insertion(offered: list[tuple[int, int]]) -> None:
    archive = ParetoArchive()
    for number, (first, second) in enumerate(offered):
        entered = archive.add(number, first, second)
        so_far = np.array(offered[: number + 1], dtype=np.float64)
        kept = np.flatnonzero(nondominated(so_far, ["minimise", "minimise"])).tolist()
        assert archive.members == kept
        assert entered == (number in kept)
        assert [member in archive for member in range(len(offered))] == [m in kept for m in range(len(offered))]
        assert len(archive) == len(kept)


def test_equal_points_are_all_kept_and_fall_together() -> None:
    archive = ParetoArchive()
    assert [archive.add(number, 1.0, 1.0) for number in range(3)] == [True] * 3
    assert archive.members == [0, 1, 2]
    assert archive.add(3, 1.0, 0.5)
    assert archive.members == [3]
