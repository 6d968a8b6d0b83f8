"""Indicators against brute force, direct formulas and invariances, of final fronts and along the run."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymoo.indicators.hv import HV

from terranas.comparison.indicators import (
    Box,
    Reference,
    additive_epsilon,
    diversity,
    hypervolume,
    igd_plus,
    indicator_table,
)
from terranas.comparison.published_indicators import published_hypervolume, published_mean_pairwise_distance
from terranas.comparison.schema import INDICATORS, REFERENCES, TRAJECTORY
from terranas.comparison.trajectory import GRID_POINTS, evaluation_grid, trajectory_table
from terranas.core.errors import TableError
from terranas.core.pareto import nondominated

DIRECTIONS = ("maximise", "minimise")
OBJECTIVES = ["validation_micro_accuracy", "macs"]
unit = st.integers(0, 8).map(lambda eighth: eighth / 8)
fronts_in_the_box = st.lists(st.tuples(unit, unit), min_size=1, max_size=8).map(np.array)
solid_fronts = st.lists(st.tuples(unit, unit, unit), min_size=1, max_size=7).map(np.array)


class CodeSpace:
    """Architectures that are whole numbers; their distance is the number of different bits."""

    def __init__(self, codes: Sequence[int]) -> None:
        self._codes = np.array(sorted(codes), dtype=np.uint64)

    @property
    def names(self) -> list[str]:
        return [f"{code:04d}" for code in self._codes]

    def distances(self, rows: np.ndarray) -> np.ndarray:
        own = self._codes[rows]
        return np.bitwise_count(own[:, None] ^ own).astype(np.int64)


def inclusion_exclusion(points: np.ndarray) -> float:
    """Volume of the union of the boxes from each point to (1, ..., 1): add single boxes, subtract pairs, ..."""
    volume = 0.0
    for size in range(1, len(points) + 1):
        for group in combinations(points, size):
            volume += (-1) ** (size + 1) * float(np.prod(1 - np.max(group, axis=0)))
    return volume


@settings(deadline=None)
@given(fronts_in_the_box)
def test_hypervolume_is_the_area_of_the_union(points: np.ndarray) -> None:
    assert hypervolume(points) == pytest.approx(inclusion_exclusion(points), abs=1e-12)


@settings(deadline=None)
@given(solid_fronts)
def test_hypervolume_of_three_objectives_is_the_volume_of_the_union(points: np.ndarray) -> None:
    assert hypervolume(points) == pytest.approx(inclusion_exclusion(points), abs=1e-12)


@given(fronts_in_the_box, st.tuples(unit, unit))
def test_hypervolume_never_falls_and_ignores_dominated_points(points: np.ndarray, more: tuple[float, float]) -> None:
    grown = np.vstack([points, more])
    assert hypervolume(grown) >= hypervolume(points) - 1e-15
    kept = grown[nondominated(grown, ["minimise"] * 2)]
    assert hypervolume(kept) == pytest.approx(hypervolume(grown), abs=1e-15)


def test_hypervolume_of_the_corners() -> None:
    assert hypervolume(np.array([[0.0, 0.0]])) == 1
    assert hypervolume(np.array([[1.0, 1.0]])) == 0
    assert hypervolume(np.array([[0.0, 1.0], [1.0, 0.0]])) == 0


@given(fronts_in_the_box, fronts_in_the_box)
def test_igd_plus_follows_its_formula(points: np.ndarray, truth: np.ndarray) -> None:
    nearest = [min(np.linalg.norm(np.maximum(point - target, 0)) for point in points) for target in truth]
    assert igd_plus(points, truth) == pytest.approx(np.mean(nearest), abs=1e-12)
    assert igd_plus(truth, truth) == 0


@given(solid_fronts, solid_fronts)
def test_additive_epsilon_follows_its_formula(points: np.ndarray, truth: np.ndarray) -> None:
    shift = max(min(float(np.max(point - target)) for point in points) for target in truth)
    assert additive_epsilon(points, truth) == pytest.approx(max(0.0, shift), abs=1e-15)
    assert additive_epsilon(truth, truth) == 0


def test_diversity_counts_every_pair_once() -> None:
    space = CodeSpace([3, 17, 94, 200, 201, 777, 1023])
    distances = space.distances(np.arange(7))
    pairs = [distances[one, other] for one, other in combinations(range(7), 2)]
    assert diversity(distances) == (max(pairs), pytest.approx(np.mean(pairs)))
    assert diversity(distances[:1, :1]) == (0, 0)


def test_box_spans_all_known_values() -> None:
    values = np.array([[0.2, 100.0], [0.8, 300.0], [np.nan, 1.0], [0.5, 200.0]])
    box = Box.around(values, DIRECTIONS)
    np.testing.assert_allclose(box.normalise(values[[0, 1, 3]]), [[1, 0], [0, 1], [0.5, 0.5]])
    best, worst = box.bounds()
    assert (best.tolist(), worst.tolist()) == ([0.8, 100], [0.2, 300])


def test_constant_objective_is_zero_throughout() -> None:
    values = np.array([[0.5, 1.0], [0.5, 3.0]])
    reference = Reference.of(values, DIRECTIONS, complete=True)
    np.testing.assert_array_equal(reference.box.normalise(values), [[0, 0], [0, 1]])
    assert reference.hypervolume == 1
    both = Reference.of(values[:1], DIRECTIONS, complete=True)
    assert both.hypervolume == 1


def test_reference_counts_equal_points_once_and_tells_its_bounds() -> None:
    values = np.array([[0.9, 2.0], [0.9, 2.0], [0.1, 1.0], [0.1, 9.0], [np.nan, np.nan]])
    reference = Reference.of(values, DIRECTIONS, complete=False)
    assert reference.facts == {
        "reference": "front of all known values",
        "reference_points": 2,
        "best": [0.9, 1.0],
        "worst": [0.1, 9.0],
        "reference_hypervolume": pytest.approx(7 / 8),
    }
    assert Reference.of(values, DIRECTIONS, complete=True).kind == REFERENCES[0] == "true front"


def test_no_value_at_all_is_a_clear_error() -> None:
    with pytest.raises(TableError, match="No architecture has values of all objectives"):
        Reference.of(np.full((3, 2), np.nan), DIRECTIONS, complete=True)


def released_hypervolume(values: np.ndarray) -> float:
    """The released indicator on a table with accuracies .09 to .95 and times 200 to 5,000 s."""
    return published_hypervolume(values, DIRECTIONS, np.array([0.95, 200.0]), np.array([0.09, 5000.0]))


def test_published_hypervolume_is_upside_down() -> None:
    # numbers measured with the released code on these bounds
    assert released_hypervolume(np.array([[0.94, 300.0]])) == pytest.approx(1.163, abs=5e-4)
    assert released_hypervolume(np.array([[0.15, 4800.0]])) == pytest.approx(4279.07, abs=5e-3)


def test_published_hypervolume_is_pymoos_of_the_released_transformation() -> None:
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.uniform(0.09, 0.95, 12), rng.uniform(200, 5000, 12)])
    transformed = np.column_stack([(values[:, 0] - 0.09) / 0.86, 5200 - values[:, 1]])
    expected = HV(ref_point=np.array([1.0, 5000.0]))(transformed)
    assert released_hypervolume(values) == pytest.approx(expected)
    turned = published_hypervolume(values[:, ::-1], DIRECTIONS[::-1], np.array([200.0, 0.95]), np.array([5000.0, 0.09]))
    assert turned == pytest.approx(expected)


@pytest.mark.parametrize("directions", [("minimise", "minimise"), ("maximise", "minimise", "minimise")])
def test_published_hypervolume_needs_its_two_objectives(directions: tuple[str, ...]) -> None:
    size = len(directions)
    assert np.isnan(published_hypervolume(np.ones((1, size)), directions, np.zeros(size), np.ones(size) * 2))


def test_published_hypervolume_needs_an_accuracy_that_varies() -> None:
    assert np.isnan(published_hypervolume(np.ones((1, 2)), DIRECTIONS, np.ones(2), np.array([1.0, 2.0])))


def test_published_mean_distance_adds_new_maxima_only() -> None:
    distances = np.array([[0, 2, 5, 3], [2, 0, 4, 7], [5, 4, 0, 6], [3, 7, 6, 0]])
    total = largest = 0
    for one in range(4):
        for other in range(4):
            if one != other and distances[one, other] > largest:
                largest = distances[one, other]
                total += largest
    assert total == 2 + 5 + 7
    assert published_mean_pairwise_distance(distances) == total / 4
    order = np.array([3, 2, 1, 0])
    assert published_mean_pairwise_distance(distances[np.ix_(order, order)]) == (6 + 7) / 4
    assert published_mean_pairwise_distance(np.zeros((1, 1))) == 0


def small_fronts() -> tuple[pd.DataFrame, Reference, CodeSpace]:
    """Fronts over three architectures, two bits, one bit and one bit apart."""
    values = np.array([[0.2, 100.0], [0.6, 200.0], [1.0, 300.0]])
    fronts = pd.DataFrame(
        {
            "arm": ["surrogate", "surrogate", "random"],
            "dataset": "synthetic",
            "budget": [5, 5, 9],
            "seed": 0,
            "architecture": ["0003", "0000", "0001"],
            "predicted": [True, False, False],
            OBJECTIVES[0]: values[[2, 0, 1], 0],
            OBJECTIVES[1]: values[[2, 0, 1], 1],
        }
    )
    return fronts, Reference.of(values, DIRECTIONS, complete=True), CodeSpace([0, 1, 3])


def test_indicator_table_of_small_fronts() -> None:
    fronts, reference, space = small_fronts()
    table = indicator_table(fronts, space, reference, OBJECTIVES, training_sample=7).set_index("arm")
    pair, single = table.loc["surrogate"], table.loc["random"]
    assert (pair["charged"], single["charged"]) == (12, 9)
    assert (pair["size"], single["size"]) == (2, 1)
    assert (pair["predicted"], single["predicted"]) == (0.5, 0)
    # the true front's corners (1, 0) and (0, 1) lie on the box's edge: only (.5, .5) has an area
    assert (pair["hypervolume"], pair["hypervolume_regret"]) == (0, pytest.approx(0.25))
    assert (single["hypervolume"], single["hypervolume_regret"]) == (pytest.approx(0.25), pytest.approx(0))
    assert single["hypervolume_per_point"] == single["hypervolume"]
    assert pair["igd_plus"] == pytest.approx(0.5 / 3)
    assert single["igd_plus"] == pytest.approx((0.5 + 0 + 0.5) / 3)
    assert pair["additive_epsilon"] == single["additive_epsilon"] == pytest.approx(0.5)
    assert pair["diameter"] == pair["mean_pairwise_distance"] == 2
    assert pair["published_mean_pairwise_distance"] == 1
    assert single["diameter"] == single["mean_pairwise_distance"] == 0
    # worst - best cost times what accuracy lacks of the best: .5 * 100
    assert single["published_hypervolume"] == pytest.approx(0.5 * 100)
    assert (pair["best_validation_micro_accuracy"], pair["best_macs"]) == (1.0, 100.0)
    assert (pair["regret_validation_micro_accuracy"], pair["regret_macs"]) == (0, 0)
    assert (single["regret_validation_micro_accuracy"], single["regret_macs"]) == (pytest.approx(0.4), 100)
    assert (pair["mean_macs"], pair["std_macs"]) == (200, 100)
    assert single["std_validation_micro_accuracy"] == 0


def test_indicators_of_three_objectives() -> None:
    values = np.array([[0.0, 0.0, 1.0], [0.5, 0.5, 0.5], [1.0, 1.0, 0.0]])
    names = ["macs", "parameters", "test_micro_accuracy"]
    directions = ("minimise", "minimise", "maximise")
    fronts = pd.DataFrame({"arm": "random", "dataset": "x", "budget": 1, "seed": [0], "architecture": ["0001"]})
    fronts = fronts.assign(predicted=False, **dict(zip(names, values[1], strict=True)))
    reference = Reference.of(values, directions, complete=True)
    row = indicator_table(fronts, CodeSpace([0, 1, 2]), reference, names, 5).iloc[0]
    assert (row["hypervolume"], row["hypervolume_regret"]) == (pytest.approx(1 / 8), pytest.approx(7 / 8))
    assert np.isnan(row["published_hypervolume"])
    assert row["published_mean_pairwise_distance"] == 0
    assert (row["regret_macs"], row["regret_test_micro_accuracy"]) == (0.5, 0.5)


def test_rows_in_any_order_give_the_same_table() -> None:
    fronts, reference, space = small_fronts()
    more = pd.concat([fronts, fronts.assign(seed=1), fronts.assign(budget=fronts["budget"] + 2)], ignore_index=True)
    straight = indicator_table(more, space, reference, OBJECTIVES, 7)
    assert straight[["arm", "budget", "seed"]].apply(tuple, axis=1).is_monotonic_increasing
    # members of one front keep their order, on which the released code's distance depends
    shuffled = more.sort_values(["seed", "arm", "budget"], kind="stable")
    pd.testing.assert_frame_equal(indicator_table(shuffled, space, reference, OBJECTIVES, 7), straight)


def test_a_front_of_unknown_architectures_is_refused() -> None:
    fronts, reference, space = small_fronts()
    fronts.loc[1, "architecture"] = "0099"
    with pytest.raises(TableError, match="name the architecture 0099, which is not in the search space"):
        indicator_table(fronts, space, reference, OBJECTIVES, 1)


def test_no_front_gives_no_indicator() -> None:
    fronts, reference, space = small_fronts()
    pd.testing.assert_frame_equal(indicator_table(fronts[:0], space, reference, OBJECTIVES, 1), INDICATORS.empty())


def test_grid_holds_ends_and_budgets() -> None:
    grid = evaluation_grid(4000, [500, 1000, 9000])
    assert {1, 500, 1000, 4000} <= set(grid.tolist())
    assert grid.max() == 4000
    assert GRID_POINTS * 0.7 < len(grid) <= GRID_POINTS + 2
    assert (np.diff(grid) > 0).all()
    assert evaluation_grid(1).tolist() == [1]


def searches(evaluations: int = 60) -> tuple[pd.DataFrame, Reference, CodeSpace]:
    """Two searches of one arm and a shorter one of another, over random values."""
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.random(100), rng.random(100) * 1e6])
    space = CodeSpace(rng.choice(1 << 12, 100, replace=False))
    parts = []
    for arm, seed, size in (("random", 0, evaluations), ("random", 1, evaluations), ("surrogate", 0, 17)):
        rows = rng.permutation(100)[:size]
        part = pd.DataFrame({"arm": arm, "dataset": "x", "seed": seed, "evaluation": np.arange(1, size + 1)})
        part["architecture"] = [space.names[row] for row in rows]
        part[["start", "entered_archive", "repeated"]] = False
        part["predicted"] = rows % 3 == 0
        part[OBJECTIVES] = values[rows]
        parts.append(part)
    return pd.concat(parts, ignore_index=True), Reference.of(values, DIRECTIONS, complete=True), space


def test_trajectory_is_the_indicators_of_every_prefix() -> None:
    evaluations, reference, space = searches()
    table = trajectory_table(evaluations.sample(frac=1, random_state=1), space, reference, OBJECTIVES, 9, budgets=[33])
    assert table[["arm", "seed", "evaluation"]].apply(tuple, axis=1).is_monotonic_increasing
    assert 33 in set(table["evaluation"])
    assert table.groupby(["arm", "seed"])["evaluation"].max().tolist() == [60, 60, 17]
    for _, row in table.iterrows():
        own = evaluations[(evaluations["arm"] == row["arm"]) & (evaluations["seed"] == row["seed"])]
        seen = own[own["evaluation"] <= row["evaluation"]]
        front = seen[nondominated(seen[OBJECTIVES].to_numpy(), DIRECTIONS)].assign(budget=row["evaluation"])
        expected = indicator_table(front, space, reference, OBJECTIVES, 9).iloc[0]
        shared = [name for name in table.columns if name != "evaluation"]
        assert row[shared].to_dict() == expected[shared].to_dict()


def test_trajectory_counts_an_architecture_once() -> None:
    evaluations, reference, space = searches(6)
    once = evaluations[evaluations["seed"] == 1]
    again = pd.concat([once, once.assign(evaluation=once["evaluation"] + 6, repeated=True)], ignore_index=True)
    last = trajectory_table(again, space, reference, OBJECTIVES, 9).iloc[-1]
    single = trajectory_table(once, space, reference, OBJECTIVES, 9).iloc[-1]
    assert (last["evaluation"], last["size"], last["hypervolume"]) == (12, single["size"], single["hypervolume"])


def test_trajectory_of_nothing_is_empty() -> None:
    evaluations, reference, space = searches()
    pd.testing.assert_frame_equal(
        trajectory_table(evaluations[:0], space, reference, OBJECTIVES, 9), TRAJECTORY.empty()
    )
