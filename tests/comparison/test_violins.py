"""Violins: numbers, words, and samples that have no density."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from terranas.comparison.figures import Objective
from terranas.comparison.violins import (
    density_outline,
    overview_violin_words,
    overview_violins,
    pair_violin_words,
    pair_violins,
    shown_indicators,
)
from terranas.search.arms import ARMS

from ..landscape.drawn import headline, legend, overlapping_labels, same_twice, words_inside
from .made_up import LONG, THREE, TWO, indicators

PAIR = ("surrogate", "random")
BUDGETS = [(10, 30), (20, 40)]

pytestmark = pytest.mark.filterwarnings("error")


def test_a_pair_of_arms_shows_only_its_budgets(tmp_path: Path) -> None:
    table = indicators()
    numbers = same_twice(lambda: pair_violins(table, TWO, PAIR, BUDGETS[:1]), tmp_path)
    assert set(zip(numbers["arm"], numbers["budget"], strict=True)) == {("surrogate", 10), ("random", 30)}
    assert len(numbers) == 10
    own = table[(table["arm"] == "surrogate") & (table["budget"] == 10)]
    shown = numbers[numbers["arm"] == "surrogate"]
    np.testing.assert_allclose(shown["best_macs"], own["best_macs"])


@pytest.mark.parametrize("objectives", [TWO, THREE], ids=["two", "three"])
def test_nothing_covers_anything(objectives: tuple[Objective, ...]) -> None:
    table = indicators(objectives=objectives, dataset=LONG)
    pair = ("regularised_evolution_ranked", "surrogate_published")
    with pair_violins(table, objectives, pair, [(30, 10), (40, 20)]) as (drawn, _):
        assert not overlapping_labels(drawn)
        assert legend(drawn) == ["regularised evolution, multi-objective", "surrogate starts, published way", "median"]
        assert sum(axes.get_visible() for axes in drawn.axes) == len(objectives) + 2
        assert "(with its training sample)" in headline(drawn)
        lowest = [axes for axes in drawn.axes if axes.get_visible()][-1]
        assert [label.get_text() for label in lowest.get_xticklabels()] == ["30\n/ 10\n(30)", "40\n/ 20\n(40)"]
    with overview_violins(table, objectives) as (drawn, numbers):
        assert not overlapping_labels(drawn)
        assert numbers.groupby("arm")["budget"].nunique().eq(1).all()
        assert len(drawn.axes[0].get_yticklabels()) == len(ARMS)
        assert drawn.axes[0].get_yticklabels()[0].get_text() == "Surrogate starts\n20 (40)"


def test_one_seed_constant_values_and_no_values() -> None:
    table = indicators(seeds=1).assign(hypervolume=0.5, mean_pairwise_distance=np.nan)
    for searches, drawing in (
        (2, pair_violins(table, TWO, PAIR, BUDGETS[:1])),
        (len(ARMS), overview_violins(table, TWO)),
    ):
        with drawing as (drawn, numbers):
            assert len(numbers) == searches
            assert "1 seed" in headline(drawn)
            assert words_inside(drawn) == "no search has a value of mean pairwise distance (Hamming)"
            assert not overlapping_labels(drawn)
    assert "mean pairwise distance (Hamming) has no values" in overview_violin_words(table, TWO)[0]


def test_wide_samples_have_logarithmic_axes() -> None:
    table = indicators()
    table["best_macs"] *= 10.0 ** table["seed"]
    with pair_violins(table, TWO, PAIR, BUDGETS) as (drawn, _):
        assert [axes.get_yscale() for axes in drawn.axes] == ["linear", "log", "linear", "linear"]
    with overview_violins(table, TWO) as (drawn, _):
        assert [axes.get_xscale() for axes in drawn.axes] == ["linear", "log", "linear", "linear"]


def test_words_name_the_medians() -> None:
    table = indicators(PAIR)
    table.loc[table["arm"] == "surrogate", "hypervolume"] = [0.1, 0.2, 0.3, 0.4, 0.9] * 2
    table.loc[table["arm"] == "random", "hypervolume"] = 0.25
    alt, caption = pair_violin_words(table, TWO, PAIR, BUDGETS)
    assert "hypervolume 0.3000 against 0.2500 and 0.3000 against 0.2500" in alt
    assert "5 searches" in caption
    alt, _ = overview_violin_words(table, TWO)
    assert "hypervolume from 0.2500 (random starts) to 0.3000 (surrogate starts)" in alt
    macs = table[table["budget"].isin((20, 40))].groupby("arm")["best_macs"].median()
    worst = "surrogate starts" if macs["surrogate"] > macs["random"] else "random starts"
    assert f"M ({worst}) to" in alt  # fewer are better


def test_words_name_no_arm_alone_where_several_are_equal() -> None:
    table = indicators().assign(hypervolume=0.25, mean_pairwise_distance=3.0)
    table.loc[table["arm"] == "random", "mean_pairwise_distance"] = 2.0
    alt, _ = overview_violin_words(table, TWO)
    others = f"(surrogate starts and {table['arm'].nunique() - 1} others)"
    assert f"hypervolume from 0.2500 {others} to 0.2500 {others}" in alt
    assert "2.00 (random starts) to 3.00 (surrogate starts and " in alt
    alt, _ = overview_violin_words(table[table["arm"].isin(PAIR)], TWO)
    assert "hypervolume from 0.2500 (surrogate starts and random starts) to" in alt


def test_no_searches_are_said_to_be_none() -> None:
    empty = indicators()[:0]
    with pair_violins(empty, TWO, PAIR, BUDGETS) as (drawn, numbers):
        assert words_inside(drawn).count("no search has a value") == len(shown_indicators(TWO))
        assert numbers.empty
    with overview_violins(empty, TWO) as (drawn, _):
        assert not overlapping_labels(drawn)
    assert "no searches" in pair_violin_words(empty, TWO, PAIR, BUDGETS)[0]
    assert "no searches" in overview_violin_words(empty, TWO)[0]


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize("factor", [1e-12, 1.0, 1e12])
def test_density_stays_within_the_data_and_integrates_to_most_of_one(factor: float, logarithmic: bool) -> None:
    values = factor * np.exp(np.random.default_rng(0).normal(size=50))
    heights, density = density_outline(values, logarithmic)
    assert heights.min() == pytest.approx(values.min())
    assert heights.max() == pytest.approx(values.max())
    scaled = np.log10(heights) if logarithmic else heights
    spread = (np.log10(values) if logarithmic else values).std()
    assert 0.85 < np.trapezoid(density, scaled / spread) <= 1


@pytest.mark.parametrize("values", [np.full(9, 0.3), np.full(9, 3e9) * (1 + 1e-15), np.array([0.7])])
def test_nothing_to_outline_in_a_constant_sample(values: np.ndarray) -> None:
    assert len(density_outline(values, False)[0]) == 0
    assert len(density_outline(values, True)[0]) == 0


def test_numbers_keep_what_was_charged() -> None:
    table = pd.concat([indicators(("surrogate",)), indicators(("random",))])
    with overview_violins(table, TWO) as (_, numbers):
        assert set(zip(numbers["arm"], numbers["charged"], strict=True)) == {("surrogate", 40), ("random", 40)}
