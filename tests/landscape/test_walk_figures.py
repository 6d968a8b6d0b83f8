"""Walk figures: intervals, unbounded ends and undefined walks, single series, missing values, and their words."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from terranas.core.errors import TableError
from terranas.landscape.ruggedness import analyse_walks, summarise_ruggedness
from terranas.landscape.schema import RUGGEDNESS, RUGGEDNESS_SUMMARY
from terranas.landscape.walk_figures import (
    MAX_WALKS,
    ruggedness_distribution,
    ruggedness_words,
    single_walks,
    single_walks_words,
)
from terranas.sampling.schema import WALKS

from .drawn import headline, legend, overlapping_labels, saved, words_inside
from .tables import DATASET, benchmark_of, first_order, walks_of

MACRO, MICRO = "validation_macro_accuracy", "validation_micro_accuracy"
INTERVAL_COLUMNS = [name for name in RUGGEDNESS.names if name.endswith(("_low", "_high"))]


def ruggedness_of(*values: float) -> pd.DataFrame:
    return RUGGEDNESS.from_rows(
        [
            {
                "walk": walk,
                "metric": metric,
                "dataset": DATASET,
                "visits": 5,
                "autocorrelation": 1 / value,
                "ruggedness": value,
                "correlation_length": 1.0,
                "autocorrelation_published": -1 / value,
                "ruggedness_published": -value,
                "correlation_length_published": 1.0,
                "confidence": 0.95,
                "reason": "",
                **dict.fromkeys(INTERVAL_COLUMNS, math.nan),
            }
            for walk, value in enumerate(values)
            for metric in (MACRO, MICRO)
        ]
    )


def analysed(walks: int = 6, length: int = 60) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the ruggedness of smooth walks in macro accuracy and of noise in micro accuracy."""
    rng = np.random.default_rng(1)
    series = [0.5 + 0.02 * first_order(rng, walks, length, rho) for rho in (0.8, 0.0)]
    benchmark = benchmark_of(**{name: {4: part.ravel()} for name, part in zip((MACRO, MICRO), series, strict=True)})
    visited = walks_of(*(list(range(walk * length, (walk + 1) * length)) for walk in range(walks)))
    table = analyse_walks(visited, benchmark, [MACRO, MICRO], seed=1, resamples=49)
    return table, summarise_ruggedness(table, seed=1, resamples=199)


@pytest.mark.parametrize("largest", [3.0, 80.0, -4000.0, 1e9])
def test_ruggedness_figure_shows_every_defined_walk(largest: float) -> None:
    with ruggedness_distribution(ruggedness_of(1.5, math.nan, largest, -2.0)) as (drawn, numbers):
        assert headline(drawn) == f"Ruggedness along 4 random walks {DATASET}"
        assert "a walk, published way: start counted twice" in legend(drawn)
        labels = [label.get_text().split("\n") for label in drawn.axes[0].get_yticklabels()]
        assert labels[0] == ["validation macro accuracy", "3 of 4 walks", "interval bounded: 0"]
        hollow = drawn.axes[1].get_lines()[1]  # none has an interval
        np.testing.assert_allclose(sorted(hollow.get_xdata()), sorted([1.5, largest, -2.0]))
        low, high = drawn.axes[1].get_xlim()
        assert low < min(largest, -2.0)
        assert high > max(largest, 1.5)
        assert len(numbers) == 8
        assert not overlapping_labels(drawn)


def test_intervals_and_the_mean_of_the_walks_are_drawn() -> None:
    table, summary = analysed()
    with ruggedness_distribution(table, summary) as (drawn, numbers):
        part = table[table["metric"] == MACRO].sort_values("autocorrelation")
        for axes, name in zip(drawn.axes, ("autocorrelation", "ruggedness"), strict=True):
            segments = np.array(axes.collections[0].get_segments())
            np.testing.assert_allclose(segments[:, 0, 0], part[f"{name}_low"])
            np.testing.assert_allclose(segments[:, 1, 0], part[f"{name}_high"])
        bounded = drawn.axes[1].get_lines()[0]
        np.testing.assert_allclose(bounded.get_xdata(), part.loc[part["ruggedness_low"].notna(), "ruggedness"])
        squares = [line for line in drawn.axes[0].get_lines() if line.get_marker() == "s"]
        assert [float(line.get_xdata()[0]) for line in squares] == summary["autocorrelation"].tolist()
        assert legend(drawn)[-1] == "mean autocorrelation, 1 / mean"
        assert len(numbers) == len(table) + len(summary)
        assert not overlapping_labels(drawn)


def test_words_on_ruggedness_come_from_the_tables() -> None:
    table, summary = analysed()
    alt, caption = ruggedness_words(table, summary)
    macro = table.loc[table["metric"] == MACRO, "ruggedness"]
    assert f"validation macro accuracy from {macro.min():.2f} to {macro.max():.2f}, median {macro.median():.2f}" in alt
    mean = summary.iloc[0]
    text = f"mean autocorrelation {mean['autocorrelation']:.2f} [{mean['autocorrelation_low']:.2f}, "
    assert text + f"{mean['autocorrelation_high']:.2f}], whose inverse is {mean['ruggedness']:.2f} [" in caption
    noise = table.loc[table["metric"] == MICRO, "ruggedness_low"].notna().sum()
    assert f"{noise} of 6 walks have a bounded interval" in caption
    assert "60 visits with a value" in caption
    assert "mean" not in ruggedness_words(table)[1].split("Hollow")[0].replace("means", "")


def test_ruggedness_without_any_defined_walk_or_any_walk() -> None:
    table = ruggedness_of(math.nan, math.nan)
    summary = summarise_ruggedness(table, seed=1, resamples=9)
    with ruggedness_distribution(table, summary) as (drawn, _):
        drawn.canvas.draw()
        assert "0 of 2 walks" in drawn.axes[0].get_yticklabels()[0].get_text()
    assert "validation macro accuracy: undefined on all 2 walks" in ruggedness_words(table, summary)[1].replace(
        "Validation", "validation"
    )
    with ruggedness_distribution(RUGGEDNESS.empty(), RUGGEDNESS_SUMMARY.empty()) as (drawn, numbers):
        drawn.canvas.draw()
        assert words_inside(drawn) == "no walks no walks"
        assert numbers.empty
    assert "there are no walks" in ruggedness_words(RUGGEDNESS.empty())[0]


def test_each_walk_has_its_series() -> None:
    values = np.array([0.3, 0.4, 0.5, math.nan, 0.7, 0.6])
    benchmark = benchmark_of(**{MACRO: {4: values}, MICRO: {4: values + 0.1}})
    walks = walks_of([0, 1, 2], [3, 4, 5], [5])
    with single_walks(walks, benchmark, [MACRO, MICRO]) as (drawn, numbers):
        assert headline(drawn) == f"Series along 3 random walks, 7 visits, after 4 epochs {DATASET}"
        assert legend(drawn) == ["validation macro accuracy", "validation micro accuracy", "no value"]
        lines = [axes.get_lines() for axes in drawn.axes]
        np.testing.assert_allclose(lines[0][0].get_ydata(), [30, 40, 50])
        np.testing.assert_allclose(lines[1][2].get_ydata(), [math.nan, 80, 70])
        assert list(lines[1][1].get_xdata()) == [0]  # the cross of the missing value
        assert drawn.get_supylabel() == "accuracy (%)"
        assert len(numbers) == 14
        assert not overlapping_labels(drawn)
    alt, caption = single_walks_words(walks, benchmark, [MACRO, MICRO])
    assert "validation macro accuracy 30.0\u202f% to 70.0\u202f%, within a walk by 10.0 points (median)" in alt
    assert "Crosses mark 2 values that are missing." in caption
    assert "1 to 3 visits" in caption


def test_of_many_walks_the_first_are_shown() -> None:
    benchmark = benchmark_of(latency_ms={4: np.arange(1.0, 81.0)})
    walks = walks_of(*([2 * walk, 2 * walk + 1] for walk in range(40)))
    with single_walks(walks, benchmark, ["latency_ms"]) as (drawn, numbers):
        assert f"(the first {MAX_WALKS} of 40)" in headline(drawn)
        assert len(drawn.axes) == MAX_WALKS
        assert numbers["walk"].nunique() == 40
        assert drawn.get_supylabel() == "latency of a batch (ms)"
    alt, _ = single_walks_words(walks, benchmark, ["latency_ms"])
    assert "the first 30 of 40: latency 1.00\u202fms to 60.0\u202fms, within a walk by 1.00\u202fms" in alt


def test_single_walks_without_values_or_walks() -> None:
    benchmark = benchmark_of(**{MACRO: {4: np.full(4, math.nan)}})
    with single_walks(walks_of([0, 1], [2, 3]), benchmark, [MACRO]) as (drawn, _):
        drawn.canvas.draw()
        assert "no visit has a value" in words_inside(drawn)
    assert "validation macro accuracy without values" in single_walks_words(walks_of([0, 1]), benchmark, [MACRO])[0]
    with single_walks(WALKS.empty(), benchmark, [MACRO]) as (drawn, numbers):
        drawn.canvas.draw()
        assert "no walks" in words_inside(drawn)
        assert numbers.empty
    assert "no walks" in single_walks_words(WALKS.empty(), benchmark, [MACRO])[0]


def test_metrics_of_several_units_are_refused() -> None:
    benchmark = benchmark_of(**{MACRO: {4: np.ones(2)}, "latency_ms": {4: np.ones(2)}})
    with (
        pytest.raises(TableError, match=r"must have one unit, got validation_macro_accuracy \(%\), latency_ms \(ms\)"),
        single_walks(walks_of([0, 1]), benchmark, [MACRO, "latency_ms"]),
    ):
        pass


def test_equal_numbers_give_equal_files(tmp_path: Path) -> None:
    table, summary = analysed(3, 12)
    files = []
    for seed in (1, 2):
        shuffled = table.sample(frac=1, random_state=seed).sort_values("metric", kind="stable")
        with ruggedness_distribution(shuffled, summary) as drawing:
            files.append(saved(drawing, tmp_path)["svg"])
    assert files[0] == files[1]
    benchmark = benchmark_of(**{MACRO: {4: np.linspace(0, 1, 9)}})
    walks = walks_of([0, 3, 4], [8, 7, 6])
    files = []
    for seed in (1, 2):
        with single_walks(walks.sample(frac=1, random_state=seed), benchmark, [MACRO]) as drawing:
            files.append(saved(drawing, tmp_path))
    assert files[0] == files[1]
