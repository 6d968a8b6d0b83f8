"""Figures of rank correlations and of tested conclusions: rows, numbers, intervals, maps, and what is not defined."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from terranas.landscape.conclusions import HARDER, IMBALANCE, Comparison, judge
from terranas.landscape.correlation import Series, correlate
from terranas.landscape.correlation_figures import (
    MOST_ROWS,
    conclusions,
    conclusions_words,
    correlations,
    correlations_words,
)
from terranas.landscape.schema import CONCLUSIONS, CORRELATIONS

from .drawn import headline, legend, overlapping_labels, same_twice, words_inside

MACRO, MICRO, LATENCY, MACS = "validation_macro_accuracy", "validation_micro_accuracy", "latency_ms", "macs"


def series(metric: str, values: np.ndarray, epochs: int = 4, dataset: str = "images") -> Series:
    return Series(dataset, metric, epochs, values)


def correlation_table(count: int = 30) -> pd.DataFrame:
    """Return pairs of each kind: of metrics, of fidelities, across tables."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=count)
    macro, micro, cost = (series(name, base + rng.normal(size=count)) for name in (MACRO, MICRO, LATENCY))
    levels = [series(MACRO, base + rng.normal(0, 1 / epochs, count), epochs) for epochs in (4, 12, 36)]
    other = series(MICRO, rng.normal(size=count), dataset="other images")
    pairs = [(macro, micro), (macro, cost), (cost, series(MACS, base)), (macro, other)]
    pairs += [(low, high) for place, low in enumerate(levels) for high in levels[place + 1 :]]
    return correlate(pairs, seed=1, resamples=99)


def test_each_pair_stands_under_its_kind_with_its_numbers(tmp_path: Path) -> None:
    table = correlation_table()
    with correlations(table) as (drawn, numbers):
        forest, *maps = drawn.axes
        told = words_inside(drawn)
        for kind in ("accuracies against costs", "accuracies against accuracies", "costs against costs"):
            assert f"{kind}, images" in told
        assert "across tables" in told
        assert numbers["kind"].value_counts()["fidelities"] == 6
        labels = [label.get_text() for label in forest.get_yticklabels()]
        assert labels == [
            "validation macro accuracy – latency",
            "validation macro accuracy – validation micro accuracy",
            "latency – MACs",
            "images validation macro accuracy – other images validation micro accuracy",
        ]
        row = table[(table["second_metric"] == LATENCY) & (table["coefficient"] == "spearman")].iloc[0]
        ends = f"{row['statistic_low']:.2f}, {row['statistic_high']:.2f}".replace("-", "−")
        assert f"{row['statistic']:.2f} [{ends}], 30" in told
        assert legend(drawn) == ["Spearman's ρ", "Kendall's τ"]
        shown = [axes for axes in maps if axes.images]
        (image,) = shown[0].images
        grid = np.ma.filled(image.get_array(), math.nan)
        chosen = table[(table["first_epochs"] == 4) & (table["second_epochs"] == 36)].set_index("coefficient")
        assert grid[0, 2] == chosen.loc["spearman", "statistic"]
        assert grid[2, 0] == chosen.loc["kendall", "statistic"]
        assert np.isnan(grid[1, 1])
        assert (
            headline(drawn)
            == "Rank correlations with 95\u202f% intervals images and other images, n = 30 architectures"
        )
        assert not overlapping_labels(drawn)
    alt, caption = correlations_words(table)
    assert "accuracies against costs:" in alt
    assert "BCa bootstrap over architectures" in caption
    assert len(same_twice(lambda: correlations(table), tmp_path)) == len(table)


def test_fidelities_alone_and_both_ways_of_one_pair() -> None:
    rng = np.random.default_rng(0)
    levels = [series(MACRO, rng.normal(size=12), epochs) for epochs in (4, 12)]
    with correlations(correlate([(levels[1], levels[0])], seed=1, resamples=20)) as (drawn, numbers):
        (image,) = next(axes.images for axes in drawn.axes if axes.images)
        spearman = numbers.loc[numbers["coefficient"] == "spearman", "statistic"].iloc[0]
        assert image.get_array()[0, 1] == spearman
        assert not overlapping_labels(drawn)


def test_of_too_many_pairs_the_weakest_are_left_out() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(size=8)
    many = [series(f"metric_{number}", base + number * rng.normal(size=8)) for number in range(MOST_ROWS + 9)]
    table = correlate([(series(MACRO, base), one) for one in many], seed=1, coefficients=["kendall"], resamples=9)
    with correlations(table) as (drawn, _):
        assert "the 9 weakest pairs left out" in headline(drawn)
        assert len(drawn.axes[0].get_yticks()) == MOST_ROWS
        assert drawn.axes[0].get_yticklabels()[0].get_text() == "validation macro accuracy – metric 0"
        assert not overlapping_labels(drawn)


def test_undefined_and_missing_correlations_are_told() -> None:
    flat = correlate([(series(MACRO, np.ones(4)), series(MICRO, np.arange(4.0)))], seed=1)
    with correlations(flat) as (drawn, _):
        drawn.canvas.draw()
        assert "undefined: the first is constant" in words_inside(drawn)
    alt, caption = correlations_words(flat)
    assert alt.endswith("None is defined.")
    assert "2 correlations undefined" in caption
    with correlations(CORRELATIONS.empty()) as (drawn, numbers):
        drawn.canvas.draw()
        assert "No rank correlation." in words_inside(drawn)
        assert numbers.empty
    assert "nan" not in " ".join(correlations_words(CORRELATIONS.empty()))
    few = correlate([(series(MACRO, np.arange(3.0)), series(MICRO, np.arange(3.0)))], seed=1)
    with correlations(few) as (drawn, _):
        assert "1.00, 3" in words_inside(drawn)  # a value without an interval


def comparison(effect: float, conclusion: str = HARDER, count: int = 20, note: str = "") -> Comparison:
    rng = np.random.default_rng(3)
    second = rng.normal(0.5, 0.05, count)
    first = second + effect + rng.normal(0, 0.02, count)
    names = (f"other images, {MICRO}", f"images, {MACRO}")
    return Comparison(conclusion, f"accuracy {effect}", *names, "architecture", first, second, note)


def test_conclusions_show_effect_difference_and_verdict(tmp_path: Path) -> None:
    table = judge(
        [comparison(0.2, note="cells of one walk"), comparison(0.0), comparison(-0.1), comparison(0.1, IMBALANCE)],
        seed=1,
        resamples=99,
    )
    assert table["verdict"].tolist() == ["supported", "open", "contradicted", "supported"]
    with conclusions(table) as (drawn, numbers):
        told = words_inside(drawn)
        for row in table.to_dict("records"):
            assert f"{100 * row['median_difference']:+.1f}".replace("-", "−") in told
        assert "supported*" in told
        assert "* cells of one walk" in headline(drawn)
        assert "adjusted for a family of 4 tests (Holm), 95\u202f% intervals" in headline(drawn)
        assert "The landscape is harder than the other one" in told
        effects = drawn.axes[1]
        marks = [line for line in effects.get_lines() if str(line.get_label()).endswith("rank-biserial")]
        np.testing.assert_allclose([line.get_xdata()[0] for line in marks], table["rank_biserial"])
        assert set(legend(drawn)) == {
            f"{verdict}: {name}"
            for verdict in ("supported", "open", "contradicted")
            for name in ("rank-biserial", "Cliff's δ")
        }
        assert not overlapping_labels(drawn)
        assert len(numbers) == 4
    alt, caption = conclusions_words(table)
    assert "1 supported, 1 contradicted and 1 open of 3 comparisons" in alt
    assert "below 0.05" in caption
    same_twice(lambda: conclusions(table), tmp_path)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_conclusions_of_too_few_pairs(count: int) -> None:
    table = judge([comparison(0.1, count=count)], seed=1, resamples=20)
    with conclusions(table) as (drawn, _):
        drawn.canvas.draw()
        assert "open" in words_inside(drawn)
        assert ("no pair has both values" if count == 0 else "too few pairs") in headline(drawn)
    assert "nan" not in " ".join(conclusions_words(table))


def test_conclusions_without_any() -> None:
    with conclusions(CONCLUSIONS.empty()) as (drawn, numbers):
        drawn.canvas.draw()
        assert "No conclusion was tested." in words_inside(drawn)
        assert numbers.empty
    assert "No conclusion was tested" in conclusions_words(CONCLUSIONS.empty())[0]
