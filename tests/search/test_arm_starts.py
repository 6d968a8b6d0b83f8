"""Starts of an arm from predicted fronts and training samples."""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from terranas.core.errors import TableError
from terranas.core.randomness import generator
from terranas.search.arm_starts import StartMaterial, choose_starts, measured_sample, predicted_candidates
from terranas.search.arms import METHOD_OF
from terranas.search.problem import Problem
from terranas.search.starts import best_subset, spread_subset
from terranas.space.neighbours import NeighbourGraph

OBJECTIVES = ["accuracy", "time"]
SEEDS = 3


@dataclass
class Line:
    """Forty architectures in a row."""

    names: list[str]

    def outline(self) -> np.ndarray:
        return np.arange(len(self.names), dtype=np.float64)[:, None]


def problem(missing: tuple[int, ...] = (), predicted: bool = False) -> Problem:
    values = np.column_stack([np.linspace(0, 1, 40) ** 2, np.arange(40.0)])
    values[list(missing), 0] = np.nan
    return Problem(
        "synthetic",
        Line([f"a{row:02d}" for row in range(40)]),  # type: ignore[arg-type]
        OBJECTIVES,
        ["maximise", "minimise"],
        values,
        NeighbourGraph(np.zeros(41, dtype=np.int64), np.zeros(0, dtype=np.int32)),
        np.full((40, 2), 0.5) if predicted else None,
    )


def front_table(rows: list[int], scope: str = "space", seeds: int = SEEDS) -> pd.DataFrame:
    one = pd.DataFrame(
        {
            "architecture": [f"a{row:02d}" for row in rows],
            "scope": scope,
            "accuracy": np.array(rows) / 40,
            "time": np.array(rows, dtype=np.float64),
        }
    )
    return pd.concat([one.assign(seed=seed) for seed in range(seeds)])


def starts(arm: str, material: StartMaterial | None = None, count: int = 5, **settings: object) -> list[list[int]]:
    given = problem(**settings)  # type: ignore[arg-type]
    found = choose_starts(given, arm, material or StartMaterial(), seeds=SEEDS, count=count, seed=7)
    return [rows.tolist() for rows in found]


FRONT = StartMaterial(fronts=front_table(list(range(0, 40, 4))))


def test_random_starts_are_those_of_their_stream() -> None:
    available = np.arange(40)
    expected = [generator(7, "search.starts", "random", seed).permutation(available)[:5] for seed in range(SEEDS)]
    assert starts("random") == [rows.tolist() for rows in expected]


def test_the_published_arms_start_where_the_others_do() -> None:
    assert starts("random_published") == starts("random")
    assert starts("surrogate_published", FRONT) == starts("surrogate", FRONT)
    assert starts("surrogate_spread", FRONT) != starts("surrogate", FRONT)


def test_the_spread_arm_thins_the_predicted_front() -> None:
    rows = np.arange(0, 40, 4)
    predicted = np.column_stack([-rows / 40, rows])
    expected = [spread_subset(rows, predicted, 5, generator(7, "search.starts", "surrogate_spread", s)) for s in (0, 1)]
    assert starts("surrogate_spread", FRONT)[:2] == [rows.tolist() for rows in expected]


def test_the_sample_arm_takes_the_best_measured() -> None:
    sample = pd.DataFrame(
        [{"seed": seed, "architecture": f"a{row:02d}"} for seed in range(SEEDS) for row in range(30, -1, -3)]
    )
    rows = np.arange(0, 31, 3)
    expected = [
        best_subset(rows, problem().minimised[rows], 5, generator(7, "search.starts", "sample", seed))
        for seed in range(SEEDS)
    ]
    assert starts("sample", StartMaterial(samples=sample)) == [rows.tolist() for rows in expected]


def test_space_filling_starts_are_spread() -> None:
    for drawn in starts("latin"):
        assert sorted(row // 8 for row in drawn) == [0, 1, 2, 3, 4]


def test_a_smaller_front_is_used_whole_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    material = StartMaterial(fronts=front_table([4, 8, 15]))
    for arm in ("surrogate", "surrogate_spread"):
        with caplog.at_level(logging.WARNING):
            assert [sorted(rows) for rows in starts(arm, material)] == [[4, 8, 15]] * SEEDS
        assert "3 of 3 seeds had fewer than the 5 starts wanted (smallest: 3)" in caplog.text
        caplog.clear()


def test_members_without_value_are_no_starts_unless_predicted(caplog: pytest.LogCaptureFixture) -> None:
    material = StartMaterial(fronts=front_table([4, 8, 15]))
    with caplog.at_level(logging.INFO):
        assert [sorted(rows) for rows in starts("surrogate", material, missing=(8,))] == [[4, 15]] * SEEDS
    assert "3 of 9 members of the predicted fronts (all seeds) have no value" in caplog.text
    assert [sorted(rows) for rows in starts("surrogate", material, missing=(8,), predicted=True)] == [[4, 8, 15]] * 3


def test_the_known_front_counts_only_where_the_whole_one_has_no_value() -> None:
    fronts = pd.concat([front_table([4, 8]), front_table([20, 21], scope="known")])
    found = predicted_candidates(problem(), fronts, SEEDS)
    assert [rows.tolist() for rows, _ in found] == [[4, 8]] * SEEDS
    found = predicted_candidates(problem(missing=(4, 8)), fronts, SEEDS)
    assert [rows.tolist() for rows, _ in found] == [[20, 21]] * SEEDS
    np.testing.assert_allclose(found[0][1], [[-0.5, 20], [-21 / 40, 21]])


def test_tables_that_do_not_fit_are_refused() -> None:
    with pytest.raises(TableError, match="front of seed 3 holds no architecture with values"):
        predicted_candidates(problem(), front_table([4]), 4)
    with pytest.raises(TableError, match="predicted fronts name the architecture a77, which is not in the search"):
        predicted_candidates(problem(), front_table([4, 77]), 1)
    sample = pd.DataFrame({"seed": [0, 1], "architecture": ["a04", "a05"]})
    with pytest.raises(TableError, match="sample of seed 2 is missing"):
        measured_sample(problem(), sample, 3)
    with pytest.raises(TableError, match="sample of seed 1 names an architecture that was not measured"):
        measured_sample(problem(missing=(5,), predicted=True), sample, 2)


@pytest.mark.parametrize("arm", ["surrogate", "surrogate_spread", "sample", "nsga2", "restarts"])
def test_an_arm_without_what_it_needs_is_refused(arm: str) -> None:
    assert arm in METHOD_OF
    with pytest.raises(ValueError, match=f"the arm '{arm}' has no starts, or its table"):
        starts(arm)
