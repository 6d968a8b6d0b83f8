"""Indicators against brute force, direct formulas and invariances."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.comparison.anytime import anytime_table, hypervolume_over_time
from terranas.comparison.indicators import (
    Box,
    Reference,
    diversity,
    hypervolume,
    igd_plus,
    indicator_table,
)
from terranas.core.errors import TableError
from terranas.core.pareto import nondominated
from terranas.space.encodings import expanded_bits, hamming_distances

DIRECTIONS = ("maximise", "minimise")
OBJECTIVES = ["validation_micro_accuracy", "macs"]
unit = st.integers(0, 8).map(lambda eighth: eighth / 8)
fronts_in_the_box = st.lists(st.tuples(unit, unit), min_size=1, max_size=8).map(np.array)


def inclusion_exclusion(points: np.ndarray) -> float:
    """Area of the union of the boxes from each point to (1, 1): add single boxes, subtract pairs, ..."""
    area = 0.0
    for size in range(1, len(points) + 1):
        for group in combinations(points, size):
            area += (-1) ** (size + 1) * float(np.prod(1 - np.max(group, axis=0)))
    return area


@settings(deadline=None)
@given(fronts_in_the_box)
def test_hypervolume_is_the_area_of_the_union(points: np.ndarray) -> None:
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


def test_diversity_counts_every_pair_once() -> None:
    codes = np.random.default_rng(0).integers(0, 2**60, size=(7, 5), dtype=np.uint64)
    distances = [
        sum(bin(int(a) ^ int(b)).count("1") for a, b in zip(first, second, strict=True))
        for first, second in combinations(codes, 2)
    ]
    assert diversity(hamming_distances(codes)) == (max(distances), pytest.approx(np.mean(distances)))
    assert diversity(hamming_distances(codes[:1])) == (0, 0)


def test_box_spans_all_known_values() -> None:
    values = np.array([[0.2, 100.0], [0.8, 300.0], [np.nan, 1.0], [0.5, 200.0]])
    box = Box.around(values, DIRECTIONS)
    np.testing.assert_allclose(box.normalise(values[[0, 1, 3]]), [[1, 0], [0, 1], [0.5, 0.5]])


def test_constant_objective_is_zero_throughout() -> None:
    values = np.array([[0.5, 1.0], [0.5, 3.0]])
    reference = Reference.of(values, DIRECTIONS)
    np.testing.assert_array_equal(reference.box.normalise(values), [[0, 0], [0, 1]])
    assert reference.hypervolume == 1
    both = Reference.of(values[:1], DIRECTIONS)
    assert both.hypervolume == 1


def test_reference_counts_equal_points_once_and_tells_its_bounds() -> None:
    values = np.array([[0.9, 2.0], [0.9, 2.0], [0.1, 1.0], [0.1, 9.0], [np.nan, np.nan]])
    reference = Reference.of(values, DIRECTIONS)
    assert len(reference.true_front) == 2
    assert reference.facts["best"] == [0.9, 1.0]
    assert reference.facts["worst"] == [0.1, 9.0]
    assert reference.facts["true_front_hypervolume"] == pytest.approx(7 / 8)


def test_no_value_at_all_is_a_clear_error() -> None:
    with pytest.raises(TableError, match="No architecture has values of all objectives"):
        Reference.of(np.full((3, 2), np.nan), DIRECTIONS)


def three_cells() -> pd.DataFrame:
    """Cells whose 17x17 codes differ in known numbers of bits."""
    return pd.DataFrame(
        {
            "hash": ["a" * 32, "b" * 32, "c" * 32],
            "num_vertices": [2, 3, 3],
            "adjacency": ["0100", "010001000", "011001000"],
            "operations": ["input,output", "input,conv3x3-bn-relu,output", "input,conv3x3-bn-relu,output"],
        }
    )


def test_indicator_table_of_small_fronts() -> None:
    cells = three_cells()
    values = np.array([[0.2, 100.0], [0.6, 200.0], [1.0, 300.0]])
    fronts = pd.DataFrame(
        {
            "arm": ["surrogate", "surrogate", "random"],
            "dataset": "synthetic",
            "budget": [5, 5, 9],
            "seed": 0,
            "hash": [cells["hash"][2], cells["hash"][0], cells["hash"][1]],
            OBJECTIVES[0]: values[[2, 0, 1], 0],
            OBJECTIVES[1]: values[[2, 0, 1], 1],
        }
    )
    reference = Reference.of(values, DIRECTIONS)
    table = indicator_table(fronts, cells, reference, OBJECTIVES, charged=7).set_index("arm")
    pair, single = table.loc["surrogate"], table.loc["random"]
    assert (pair["charged"], single["charged"]) == (12, 9)
    assert (pair["size"], single["size"]) == (2, 1)
    # the true front's corners (1, 0) and (0, 1) lie on the box's edge: only (.5, .5) has an area
    assert (pair["hypervolume"], pair["hypervolume_regret"]) == (0, pytest.approx(0.25))
    assert (single["hypervolume"], single["hypervolume_regret"]) == (pytest.approx(0.25), pytest.approx(0))
    assert pair["igd_plus"] == pytest.approx(0.5 / 3)
    assert single["igd_plus"] == pytest.approx((0.5 + 0 + 0.5) / 3)
    assert pair["diameter"] == pair["mean_pairwise_distance"] == 2  # two edges more, none less
    assert single["diameter"] == single["mean_pairwise_distance"] == 0
    assert (pair["best_validation_micro_accuracy"], pair["best_macs"]) == (1.0, 100.0)
    assert (pair["mean_macs"], pair["std_macs"]) == (200, 100)
    assert single["std_validation_micro_accuracy"] == 0


def test_distances_of_a_front_follow_its_own_members() -> None:
    cells = three_cells()
    distances = hamming_distances(expanded_bits(cells)).tolist()
    assert distances == [[0, 3, 2], [3, 0, 1], [2, 1, 0]]


def test_a_front_of_unknown_cells_is_refused() -> None:
    fronts = pd.DataFrame({"hash": ["f" * 32], "arm": ["random"], "budget": [1], "seed": [0], "dataset": ["x"]})
    fronts[OBJECTIVES] = [[0.5, 1.0]]
    with pytest.raises(TableError, match=r"f{32}, which is not in the table of cells"):
        indicator_table(fronts, three_cells(), Reference.of(np.ones((1, 2)), DIRECTIONS), OBJECTIVES, 1)


@settings(deadline=None)
@given(st.lists(st.tuples(unit, unit), min_size=1, max_size=25).map(np.array))
def test_anytime_hypervolume_is_that_of_every_prefix(points: np.ndarray) -> None:
    over_time = hypervolume_over_time(points)
    prefixes = [hypervolume(points[:end]) for end in range(1, len(points) + 1)]
    np.testing.assert_allclose(over_time, prefixes, atol=1e-14)
    assert (np.diff(over_time) >= 0).all()


def test_anytime_table_treats_every_search_alone() -> None:
    evaluations = pd.DataFrame(
        {
            "arm": ["random", "surrogate", "random", "random"],
            "dataset": "synthetic",
            "seed": [0, 0, 1, 0],
            "evaluation": [2, 1, 1, 1],
            OBJECTIVES[0]: [1.0, 0.5, 0.0, 0.5],
            OBJECTIVES[1]: [0.0, 0.5, 0.0, 0.5],
        }
    )
    box = Box(DIRECTIONS, np.array([-1.0, 0.0]), np.array([0.0, 1.0]))
    table = anytime_table(evaluations, box, OBJECTIVES)
    assert table[["arm", "seed", "evaluation", "hypervolume"]].to_numpy().tolist() == [
        ["random", 0, 1, 0.25],
        ["random", 0, 2, 1.0],
        ["random", 1, 1, 0.0],
        ["surrogate", 0, 1, 0.25],
    ]
