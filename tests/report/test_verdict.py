import numpy as np
import pytest

from terranas.comparison.arm_tests import compare_arms
from terranas.report import verdict


def compared(stand_in, indicators):
    pairs = list(zip(stand_in.budgets["surrogate"], stand_in.budgets["random"], strict=True))
    return compare_arms(indicators, stand_in.objectives, pairs, alpha=0.05, resamples=100, seed=0)


@pytest.fixture(scope="module")
def equal(stand_in, make_results):
    """Tests of arms that do not differ in anything."""
    indicators = make_results().indicators.copy()
    for name in indicators.columns[5:]:
        indicators[name] = indicators["seed"].astype(indicators[name].dtype) / 100 + (1 if name == "size" else 0)
    return compared(stand_in, indicators.astype({"size": "float64"}))


@pytest.fixture(scope="module")
def tests(make_results):
    return make_results(shift=0.03).tests


def test_nothing_significant(equal):
    assert verdict.verdict_sentence(equal) == (
        "None of 28 Mann-Whitney tests (7 indicators, 4 pairs of budgets) is significant at the level 0.05 after "
        "Holm's correction: no difference between the arms was shown."
    )
    assert verdict.indicator_sentences(equal) == [
        "No difference between the arms was shown for best validation micro accuracy, best MACs, hypervolume, IGD+, "
        "mean pairwise distance, diameter of the front and size of the front."
    ]


def test_counts_what_is_significant(tests):
    found = int(tests["significant"].sum())
    assert 1 < found < 28
    assert verdict.verdict_sentence(tests).startswith(f"{found} of 28 Mann-Whitney tests")


def test_names_the_favoured_arm_with_medians_and_effect(tests):
    line = next(line for line in verdict.indicator_sentences(tests) if line.startswith("Hypervolume"))
    rows = tests[tests["indicator"] == "hypervolume"]
    assert rows["significant"].all()
    clearest = rows.iloc[int(np.argmax(np.abs(rows["a12"] - 0.5)))]
    assert "(higher is better): the tests favour surrogate starts in 4 of 4 pairs of budgets." in line
    assert f"medians {clearest['surrogate_median']:.3f} against {clearest['random_median']:.3f}" in line
    assert f"A12 {clearest['a12']:.2f} (95\u202f% interval" in line


def test_an_arm_with_worse_values_is_not_favoured(make_results):
    worse = make_results(shift=-0.05).tests
    line = next(line for line in verdict.indicator_sentences(worse) if line.startswith("Hypervolume"))
    assert "the tests favour random starts in 4 of 4 pairs" in line


def test_arms_that_win_at_different_budgets_are_both_named(tests):
    mixed = tests.copy()
    first = mixed.index[mixed["indicator"] == "hypervolume"][0]
    mixed.loc[first, "favours"] = "random"
    line = next(line for line in verdict.indicator_sentences(mixed) if line.startswith("Hypervolume"))
    assert "favour surrogate starts in 3 and random starts in 1 of 4 pairs" in line


def test_equal_values_everywhere_are_said(tests):
    assert (tests["method"] == "degenerate").sum() == 4  # the best MACs of the stand-in
    assert verdict.indicator_sentences(tests)[-1] == "In 4 tests all searches of both arms have the same value."


def test_no_tests_at_all(tests):
    none = tests.iloc[:0]
    assert verdict.verdict_sentence(none) == "No test between the arms could be made."
    assert verdict.indicator_sentences(none) == []
    assert verdict.budget_sentences(none) == []
    assert verdict.prefix_sentences(none) == []


def test_equal_cost_is_said_only_where_it_is_equal(tests):
    assert verdict.budget_sentences(tests)[0].endswith("so that both arms of a pair cost the same.")
    assert "10 with 25, 15 with 30, 20 with 35 and 25 with 40" in verdict.budget_sentences(tests)[0]
    unequal = tests.assign(surrogate_charged=tests["surrogate_charged"] + 1)
    assert verdict.budget_sentences(unequal)[0].endswith("in 4 of 4 pairs the arms do not cost the same.")


def test_prefixes_are_a_matter_of_several_budgets(tests):
    assert len(verdict.prefix_sentences(tests)) == 1
    assert verdict.prefix_sentences(tests[tests["surrogate_budget"] == 10]) == []


def test_searches_that_saw_everything_are_a_ceiling(stand_in):
    runs = stand_in.run_table("images")
    assert verdict.ceiling_sentences(runs) == []
    runs.loc[runs["seed"] == 0, "stopped_by"] = "space_exhausted"
    assert verdict.ceiling_sentences(runs)[0].startswith("8 of 96 searches (all arms and budgets) evaluated every")
