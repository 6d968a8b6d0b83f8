"""The tables of tests between pairs of arms."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from terranas.comparison.arm_tests import (
    PUBLISHED,
    compare_arms,
    indicator_direction,
    indicator_family,
    seeds_form_pairs,
)
from terranas.core.errors import TableError
from terranas.core.holm import holm

from .made_up_arms import BUDGETS, OBJECTIVES, PAIRS, compare, indicators


def test_every_pair_budget_and_indicator_is_tested_once() -> None:
    pairs = [*PAIRS, ("nsga2", "random")]
    tests = compare(indicators(), pairs)
    keys = tests[["first_arm", "second_arm", "first_budget", "second_budget", "indicator"]].apply(tuple, axis=1)
    expected = [
        (first, second, budget, other, name)
        for first, second in pairs
        for budget, other in zip(BUDGETS[first], BUDGETS[second], strict=True)
        for name in (*indicator_family(OBJECTIVES), *PUBLISHED)
    ]
    assert keys.tolist() == expected
    own = tests[tests["first_arm"] == "surrogate"]
    assert own["first_charged"].tolist() == [25] * 10 + [35] * 10
    assert own["second_charged"].tolist() == [25] * 10 + [35] * 10
    assert (tests[["first_n", "second_n"]] == 12).all(axis=None)


def test_families_are_named_and_corrected_apart() -> None:
    tests = compare(indicators())
    main, published = (tests[tests["family"] == name] for name in ("main", "published"))
    assert main["family_members"].unique().tolist() == [
        "16 tests: 8 indicators at 2 pairs of budgets of 1 pair of arms"
    ]
    assert published["family_members"].iloc[0].startswith("4 tests: 2 indicators of the released code")
    for family in (main, published):
        for name in ("p", "mann_whitney_p", "kolmogorov_smirnov_p", "welch_p"):
            np.testing.assert_array_equal(family[f"{name}_holm"], holm(family[name].to_numpy()))
    assert main["wilcoxon_p_holm"].isna().all()


def test_numbers_agree_with_the_samples() -> None:
    table = indicators()
    row = compare(table).set_index(["first_budget", "indicator"]).loc[(20, "igd_plus")]
    first = table[(table["arm"] == "surrogate") & (table["budget"] == 20)]["igd_plus"]
    second = table[(table["arm"] == "random") & (table["budget"] == 35)]["igd_plus"]
    assert row["p"] == pytest.approx(stats.mannwhitneyu(first, second, method="exact").pvalue)
    assert (row["test"], row["method"], row["paired"]) == ("mann_whitney", "exact", False)
    assert row["welch_p"] == pytest.approx(stats.ttest_ind(first, second, equal_var=False).pvalue)
    assert row["kolmogorov_smirnov_p"] == pytest.approx(stats.ks_2samp(first, second).pvalue)
    assert row["first_shapiro_wilk_p"] == pytest.approx(stats.shapiro(first).pvalue, rel=1e-6)
    assert row["median_difference"] == pytest.approx(first.median() - second.median())
    assert row["median_difference_low"] <= row["median_difference"] <= row["median_difference_high"]
    assert row["a12_low"] <= row["a12"] <= row["a12_high"]
    assert row["cliffs_delta"] == pytest.approx(2 * row["a12"] - 1)
    assert row["cliffs_delta_low"] == pytest.approx(2 * row["a12_low"] - 1)


def test_seeds_that_share_a_training_sample_form_pairs() -> None:
    assert seeds_form_pairs("surrogate", "surrogate_spread")
    assert seeds_form_pairs("random_published", "random")
    assert not seeds_form_pairs("surrogate", "random")
    assert not seeds_form_pairs("random", "nsga2")
    table = indicators().sample(frac=1, random_state=0)
    row = compare(table, [("surrogate", "surrogate_spread")]).set_index(["first_budget", "indicator"]).loc[(10, "size")]
    samples = [
        table[(table["arm"] == arm) & (table["budget"] == 10)].set_index("seed")["size"].sort_index()
        for arm in ("surrogate", "surrogate_spread")
    ]
    differences = samples[0] - samples[1]
    ranks = differences[differences != 0].abs().rank()
    assert (row["test"], row["method"], row["paired"]) == ("wilcoxon", "exact_with_ties", True)
    assert row["w"] == ranks[differences > 0].sum()
    assert row["p"] == row["wilcoxon_p"] != row["mann_whitney_p"]


def test_a_seed_without_a_partner_is_left_out() -> None:
    table = indicators()
    lacking = table[(table["arm"] != "surrogate") | (table["seed"] > 0)]
    tests = compare(lacking, [("surrogate", "surrogate_spread")])
    assert (tests[["first_n", "second_n"]] == 11).all(axis=None)
    alone = compare(lacking, PAIRS)
    assert (alone["first_n"] == 11).all()
    assert (alone["second_n"] == 12).all()
    apart = table[(table["arm"] == "surrogate") == (table["seed"] < 6)]
    with pytest.raises(TableError, match="of surrogate and surrogate_spread form pairs, but the indicators hold no"):
        compare(apart, [("surrogate", "surrogate_spread")])


def test_favours_follows_the_direction_of_the_indicator() -> None:
    tests = compare(indicators()).set_index("indicator")
    assert set(tests.loc["hypervolume", "favours"]) == {"surrogate"}
    assert (tests.loc["hypervolume", "a12"] == 1).all()
    assert (tests.loc["hypervolume", "a12_low"] < 1).all()
    assert set(tests.loc["best_macs", "favours"]) == {"surrogate"}
    assert (tests.loc["best_macs", "a12"] == 0).all()
    rest = tests.drop(["hypervolume", "best_macs", "published_mean_pairwise_distance"])
    assert set(rest["favours"]) == {"neither"}
    assert not rest["significant"].any()


def test_the_other_order_of_a_pair_favours_the_same_arm() -> None:
    tests = compare(indicators(), [("random", "surrogate")]).set_index("indicator")
    assert set(tests.loc[["hypervolume", "best_macs"], "favours"]) == {"surrogate"}
    assert (tests.loc["hypervolume", "a12"] == 0).all()


def test_signed_ranks_decide_whom_a_paired_test_favours() -> None:
    # the first arm is a little ahead in each pair, and far behind in one: more pairs won by the second, all in all
    table = indicators()
    shared = np.linspace(0.1, 0.9, 12)
    table.loc[table["arm"] == "surrogate", "igd_plus"] = np.tile(shared, 2)
    table.loc[table["arm"] == "surrogate_spread", "igd_plus"] = np.tile(shared + 0.001, 2)
    rows = compare(table, [("surrogate", "surrogate_spread")]).set_index("indicator").loc["igd_plus"]
    assert set(rows["favours"]) == {"surrogate"}
    assert (rows["mann_whitney_p"] > 0.5).all()


def test_an_indicator_that_never_varies_is_no_difference() -> None:
    diameter = compare(indicators()).set_index("indicator").loc["diameter"]
    assert set(diameter["p"]) == set(diameter["p_holm"]) == {1.0}
    assert set(diameter["a12"]) == {0.5}
    assert set(diameter["method"]) == {"degenerate"}
    assert diameter[["welch_p", "first_shapiro_wilk_p", "second_shapiro_wilk_p"]].isna().all(axis=None)


def test_indicators_that_are_not_defined_are_not_tested() -> None:
    tests = compare(indicators().assign(published_hypervolume=np.nan))
    assert "published_hypervolume" not in set(tests["indicator"])
    published = tests[tests["family"] == "published"]
    assert published["family_members"].iloc[0].startswith("2 tests: 1 indicator of the released code")


def test_intervals_depend_on_the_seed_only() -> None:
    table = indicators()
    pd.testing.assert_frame_equal(compare(table), compare(table), check_exact=True)
    assert not compare(table)["a12_low"].equals(compare(table, seed=1)["a12_low"])
    # a further pair changes what the family adjusts, nothing else
    both = compare(table, [("nsga2", "random"), *PAIRS])
    own = both[both["first_arm"] == "surrogate"].reset_index(drop=True)
    pd.testing.assert_series_equal(own["a12_low"], compare(table)["a12_low"], check_exact=True)


def test_directions_of_indicators() -> None:
    found = {name: indicator_direction(name) for name in indicator_family(OBJECTIVES)}
    lower = {name for name, way in found.items() if way == "minimise"}
    assert lower == {"best_macs", "igd_plus", "additive_epsilon"}
    assert indicator_direction("regret_validation_micro_accuracy") == "minimise"
    assert indicator_direction("best_latency_ms@edge") == "minimise"
    with pytest.raises(TableError, match="'seed' is no indicator"):
        indicator_direction("seed")


def test_a_missing_budget_is_a_clear_error() -> None:
    budgets = {"surrogate": [10], "random": [99]}
    with pytest.raises(TableError, match="no search of the arm random with a budget of 99 evaluations"):
        compare_arms(indicators(), OBJECTIVES, PAIRS, budgets, alpha=0.05, resamples=100, seed=0)


def test_unequal_numbers_of_budgets_are_a_clear_error() -> None:
    budgets = {"surrogate": [10, 20], "random": [25]}
    with pytest.raises(TableError, match="both must have as many; got 2 and 1"):
        compare_arms(indicators(), OBJECTIVES, PAIRS, budgets, alpha=0.05, resamples=100, seed=0)


def test_no_pair_gives_no_test() -> None:
    assert compare(indicators(), []).empty
