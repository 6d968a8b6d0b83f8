"""Paired tests and conclusions: scipy, pingouin, brute force, equal and few pairs, Holm's family."""

import math

import numpy as np
import pandas as pd
import pingouin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from terranas.core.errors import TableError
from terranas.core.randomness import generator
from terranas.landscape.conclusions import (
    Comparison,
    difficulty_comparisons,
    imbalance_comparisons,
    judge,
    ruggedness_comparisons,
)
from terranas.landscape.paired import paired_test
from terranas.landscape.ruggedness import analyse_walks
from terranas.landscape.schema import CONCLUSIONS

from .tables import DATASET, benchmark_of, first_order, walks_of

METRIC = "validation_micro_accuracy"


def rng(*index: int) -> np.random.Generator:
    return generator(8, "test", *index)


samples = arrays(np.float64, 9, elements=st.integers(-3, 3))


@given(samples, samples)
@settings(max_examples=80, deadline=None)
def test_statistics_are_those_of_libraries_and_brute_force(first: np.ndarray, second: np.ndarray) -> None:
    found = paired_test(first, second, rng(), resamples=9)
    differences = first - second
    assert found.equal == np.sum(differences == 0)
    assert found.median_difference[0] == np.median(differences)
    delta = np.mean(np.sign(first[:, None] - second))
    assert found.cliffs_delta[0] == pytest.approx(delta)
    if found.equal == len(first):
        assert (found.w, found.p, found.method, found.rank_biserial[0]) == (0, 1, "degenerate", 0)
        return
    unequal = differences[differences != 0]
    ranks = stats.rankdata(np.abs(unequal))
    assert found.w == ranks[unequal > 0].sum()
    expected = (ranks * np.sign(unequal)).sum() / ranks.sum()
    assert found.rank_biserial[0] == pytest.approx(expected)
    assert 0 <= found.p <= 1


def test_test_and_effect_are_those_of_scipy_and_pingouin() -> None:
    first, second = rng().normal(size=(2, 15))
    found = paired_test(first + 0.8, second, rng())
    expected = pingouin.wilcoxon(first + 0.8, second)
    assert found.method == "exact"
    assert found.p == pytest.approx(stats.wilcoxon(first + 0.8, second, method="exact").pvalue)
    assert found.p == pytest.approx(expected["p_val"].item() if "p_val" in expected else expected["p-val"].item())
    assert found.rank_biserial[0] == pytest.approx(expected["RBC"].item())
    for value, interval in (found.median_difference, found.rank_biserial, found.cliffs_delta):
        assert interval.low <= value <= interval.high
    turned = paired_test(second, first + 0.8, rng())
    assert turned.p == pytest.approx(found.p)
    assert turned.rank_biserial[0] == pytest.approx(-found.rank_biserial[0])


def test_interval_of_the_median_is_that_of_scipys_bootstrap() -> None:
    first, second = rng().normal(size=(2, 41))
    found = paired_test(first, second, rng(), resamples=4999).median_difference[1]
    expected = stats.bootstrap((first - second,), np.median, method="percentile", rng=rng(1), n_resamples=4999)
    assert found.low == pytest.approx(expected.confidence_interval.low, abs=0.1)
    assert found.high == pytest.approx(expected.confidence_interval.high, abs=0.1)


def test_missing_pairs_ties_and_row_order() -> None:
    first = np.array([1.0, 2, 3, 4, 5, math.nan, 7])
    second = np.array([0.0, 1, 2, 4, 4, 6, math.nan])
    found = paired_test(first, second, rng())
    assert (found.n, found.equal, found.method) == (5, 1, "asymptotic")
    assert found.smallest_p == 2 / 2**4
    order = rng(2).permutation(7)
    assert paired_test(first[order], second[order], rng()) == found
    nothing = paired_test(first[5:], second[5:], rng())
    assert (nothing.n, nothing.method) == (0, "")
    assert math.isnan(nothing.p)
    assert math.isnan(nothing.cliffs_delta[0])
    few = paired_test(first[:4], second[:4], rng())
    assert math.isnan(few.rank_biserial[1].low)


def test_holm_over_the_family_and_verdicts() -> None:
    base = rng().normal(size=30)
    comparisons = [
        Comparison("c", "larger", "a", "b", "architecture", base + 1, base),
        Comparison("c", "smaller", "a", "b", "architecture", base - 1 + base / 100, base),
        Comparison("c", "noise", "a", "b", "architecture", base, rng(1).normal(size=30), note="a note"),
        Comparison("c", "few", "a", "b", "walk", np.array([1.0, 2, 3]), np.zeros(3)),
        Comparison("c", "none", "a", "b", "walk", np.full(4, math.nan), np.zeros(4)),
    ]
    table = judge(comparisons, seed=1).set_index("quantity")
    assert table["verdict"].to_dict() == {
        "larger": "supported",
        "smaller": "contradicted",
        "noise": "open",
        "few": "open",
        "none": "open",
    }
    # the family has four members: the smallest p counts four times
    known = table["p"].dropna().sort_values()
    steps = np.maximum.accumulate(known * np.arange(4, 0, -1)).clip(upper=1)
    pd.testing.assert_series_equal(table["p_holm"].loc[known.index], steps, check_names=False)
    assert table.loc["few", "note"] == "too few pairs: 3 unequal ones cannot give a p-value below 0.25"
    assert table.loc["none", "note"] == "no pair has both values"
    assert table.loc["noise", "note"] == "a note"
    assert table.loc["larger", "median_difference"] == pytest.approx(1)
    assert math.isnan(table.loc["none", "p_holm"])
    assert judge([], seed=1).columns.tolist() == CONCLUSIONS.names


def test_a_more_rugged_landscape_on_the_same_walks_is_found() -> None:
    smooth, noisy = first_order(rng(), 15, 15, 0.8), rng(1).normal(size=(15, 15))
    walks = walks_of(*np.arange(225).reshape(15, 15).tolist())
    eo = benchmark_of(**{METRIC: {4: 0.5 + noisy.ravel() / 100}})
    other = benchmark_of("other images", test_micro_accuracy={4: 0.5 + smooth.ravel() / 100})
    tables = [
        analyse_walks(walks, benchmark, [metric], seed=1, resamples=19)
        for benchmark, metric in ((eo, METRIC), (other, "test_micro_accuracy"))
    ]
    comparisons = ruggedness_comparisons(*tables, (METRIC, "test_micro_accuracy"))
    table = judge(comparisons, seed=1)
    assert table["unit"].tolist() == ["walk", "walk"]
    assert table["n"].tolist() == [15, 15]
    assert table["first"].tolist() == ["other images, test_micro_accuracy"] * 2
    assert table["verdict"].tolist() == ["supported", "supported"]
    expected = stats.wilcoxon(tables[1]["autocorrelation"], tables[0]["autocorrelation"])
    assert table["p"].iloc[0] == pytest.approx(expected.pvalue)
    turned = judge(ruggedness_comparisons(*tables[::-1], ("test_micro_accuracy", METRIC)), seed=1)
    assert turned["verdict"].tolist() == ["contradicted", "contradicted"]
    with pytest.raises(TableError, match="has no walk in common"):
        ruggedness_comparisons(
            tables[0], tables[1].assign(walk=tables[1]["walk"] + 99), (METRIC, "test_micro_accuracy")
        )


def test_harder_images_and_imbalance_are_compared_by_architecture_and_by_walk() -> None:
    micro = rng().uniform(0.5, 0.7, 40)
    macro = micro - rng(1).uniform(0.05, 0.1, 40)
    eo = benchmark_of(test_micro_accuracy={4: micro}, test_macro_accuracy={4: macro})
    other = benchmark_of("other images", test_micro_accuracy={108: np.append(micro + 0.2, 0.1)}, shuffle=1)
    walks = walks_of(*np.arange(40).reshape(8, 5).tolist())
    metrics = ("test_micro_accuracy", "test_micro_accuracy")
    comparisons = [*difficulty_comparisons(eo, other, metrics, walks), *imbalance_comparisons(eo, walks)]
    table = judge(comparisons, seed=1)
    assert table["unit"].tolist() == ["architecture", "walk"] * 2
    assert table["n"].tolist() == [40, 8, 40, 8]
    assert table["verdict"].tolist() == ["described", "supported"] * 2
    # the family of Holm holds the comparisons over independent pairs alone
    assert table["p"].notna().all()
    first, second = table["p"][[1, 3]]
    smaller = min(2 * min(first, second), 1)
    expected = [np.nan, smaller if first <= second else max(smaller, first)]
    expected += [np.nan, smaller if second < first else max(smaller, second)]
    np.testing.assert_allclose(table["p_holm"], expected)
    np.testing.assert_allclose(table["median_difference"][:2], 0.2)
    assert "not independent" in table["note"].iloc[0]
    assert table["note"].iloc[1] == ""
    means = (micro - macro).reshape(8, 5).mean(axis=1)
    assert table["median_difference"].iloc[3] == pytest.approx(np.median(means))
    assert table["second"].iloc[2] == f"{DATASET}, test_macro_accuracy"
    alone = imbalance_comparisons(eo)
    assert [comparison.note for comparison in alone] == [""]
