"""The table of tests."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from terranas.comparison.arm_tests import compare_arms, indicator_direction, indicator_family
from terranas.comparison.schema import INDICATORS
from terranas.comparison.statistics import holm
from terranas.core.errors import TableError

OBJECTIVES = ["validation_micro_accuracy", "macs"]
PAIRS = [(10, 25), (20, 35)]


def indicators(seeds: int = 12) -> pd.DataFrame:
    """Both arms draw from one distribution, but for hypervolume (surrogate higher) and best MACs (surrogate lower)."""
    rng = np.random.default_rng(0)
    rows = []
    for arm, budgets in (("surrogate", [10, 20]), ("random", [25, 35])):
        ahead = 1 if arm == "surrogate" else 0
        for budget in budgets:
            for seed in range(seeds):
                row = {
                    "arm": arm,
                    "dataset": "synthetic",
                    "budget": budget,
                    "charged": budget + 15 * ahead,
                    "seed": seed,
                    "size": int(rng.integers(3, 9)),
                    "hypervolume": 0.5 + 0.3 * ahead + 0.05 * rng.random(),
                    "hypervolume_regret": 0.1,
                    "igd_plus": rng.random(),
                    "diameter": 4.0,
                    "mean_pairwise_distance": rng.random(),
                }
                row |= {"best_validation_micro_accuracy": rng.random(), "best_macs": 1e6 - 9e5 * ahead + rng.random()}
                rows.append(row)
    return INDICATORS.from_rows(rows)


def compare(table: pd.DataFrame, **options: object) -> pd.DataFrame:
    defaults = {"alpha": 0.05, "resamples": 200, "seed": 0}
    return compare_arms(table, OBJECTIVES, PAIRS, **(defaults | options))


def test_every_pair_and_indicator_is_tested_once() -> None:
    tests = compare(indicators())
    keys = tests[["surrogate_budget", "random_budget", "indicator"]].to_numpy().tolist()
    assert keys == [[*pair, name] for pair in PAIRS for name in indicator_family(OBJECTIVES)]
    assert tests["surrogate_charged"].tolist() == [25] * 7 + [35] * 7
    assert set(tests["dataset"]) == {"synthetic"}
    assert (tests["surrogate_n"] == 12).all()
    assert (tests["random_n"] == 12).all()


def test_numbers_agree_with_the_samples() -> None:
    table = indicators()
    tests = compare(table).set_index(["surrogate_budget", "indicator"])
    surrogate = table[(table["arm"] == "surrogate") & (table["budget"] == 20)]["igd_plus"]
    random = table[(table["arm"] == "random") & (table["budget"] == 35)]["igd_plus"]
    row = tests.loc[(20, "igd_plus")]
    assert row["p"] == pytest.approx(stats.mannwhitneyu(surrogate, random, method="exact").pvalue)
    assert row["median_difference"] == pytest.approx(surrogate.median() - random.median())
    assert row["median_difference_low"] <= row["median_difference"] <= row["median_difference_high"]
    assert row["a12_low"] <= row["a12"] <= row["a12_high"]
    np.testing.assert_array_equal(tests["p_holm"], holm(tests["p"].to_numpy()))


def test_favours_follows_the_direction_of_the_indicator() -> None:
    tests = compare(indicators()).set_index("indicator")
    assert set(tests.loc["hypervolume", "favours"]) == {"surrogate"}
    assert (tests.loc["hypervolume", "a12"] == 1).all()
    assert set(tests.loc["best_macs", "favours"]) == {"surrogate"}
    assert (tests.loc["best_macs", "a12"] == 0).all()
    rest = tests.drop(["hypervolume", "best_macs"])
    assert set(rest["favours"]) == {"neither"}
    assert not rest["significant"].any()


def test_the_other_arm_is_favoured_when_the_arms_are_swapped() -> None:
    table = indicators()
    swapped = table.assign(
        arm=table["arm"].map({"surrogate": "random", "random": "surrogate"}),
        budget=table["budget"].map({10: 25, 20: 35, 25: 10, 35: 20}),
    )
    tests = compare(swapped).set_index("indicator")
    assert set(tests.loc[["hypervolume", "best_macs"], "favours"]) == {"random"}


def test_an_indicator_that_never_varies_is_no_difference() -> None:
    diameter = compare(indicators()).set_index("indicator").loc["diameter"]
    assert set(diameter["p"]) == set(diameter["p_holm"]) == {1.0}
    assert set(diameter["a12"]) == {0.5}
    assert set(diameter["method"]) == {"degenerate"}


def test_intervals_depend_on_the_seed_only() -> None:
    table = indicators()
    pd.testing.assert_frame_equal(compare(table), compare(table), check_exact=True)
    assert not compare(table)["a12_low"].equals(compare(table, seed=1)["a12_low"])


def test_directions_of_all_indicator_family() -> None:
    found = {name: indicator_direction(name) for name in indicator_family(OBJECTIVES)}
    assert {name for name, way in found.items() if way == "minimise"} == {"best_macs", "igd_plus"}
    with pytest.raises(TableError, match="'seed' is no indicator"):
        indicator_direction("seed")


def test_a_missing_budget_is_a_clear_error() -> None:
    with pytest.raises(TableError, match="no search of the random arm with a budget of 99 evaluations"):
        compare_arms(indicators(), OBJECTIVES, [(10, 99)], alpha=0.05, resamples=100, seed=0)
