"""Hypervolume over evaluations: medians and quartiles against brute force, and searches with nothing to improve."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from terranas.comparison.anytime_figure import anytime_figure, anytime_panels, anytime_words, summarise_anytime
from terranas.search.arms import ARM_NAMES, ARMS

from ..landscape.drawn import headline, overlapping_labels, same_twice, words_inside
from .made_up import LONG, SAMPLE, anytime

PAIR = ("surrogate", "random")

pytestmark = pytest.mark.filterwarnings("error")


def few_searches() -> pd.DataFrame:
    rows = [
        ("surrogate", 0, {1: 0.1, 2: 0.2, 3: 0.4}),
        ("surrogate", 1, {1: 0.3}),
        ("random", 0, {1: 0.5, 2: 0.6}),
        ("random", 1, {1: 0.7, 2: 0.7}),
    ]
    return pd.DataFrame(
        [
            {
                "arm": arm,
                "dataset": "synthetic",
                "seed": seed,
                "evaluation": step,
                "charged": step + (15 if arm == "surrogate" else 0),
                "hypervolume": volume,
            }
            for arm, seed, volumes in rows
            for step, volume in volumes.items()
        ]
    )


def test_ended_searches_keep_their_last_value() -> None:
    summary = summarise_anytime(few_searches(), 0.8)
    own = summary[summary["arm"] == "surrogate"]
    assert own["charged"].tolist() == [16, 17, 18]
    assert own["median"].tolist() == pytest.approx([0.2, 0.25, 0.35])
    assert own["median_regret"].tolist() == pytest.approx([0.6, 0.55, 0.45])
    assert own["seeds_still_searching"].tolist() == [2, 1, 1]
    assert summary.loc[summary["arm"] == "random", "charged"].tolist() == [1, 2]
    assert list(dict.fromkeys(summary["arm"])) == ["surrogate", "random"]


def test_quartiles_at_every_evaluation() -> None:
    table = anytime(("nsga2",), seeds=7)
    summary = summarise_anytime(table, 0.9).set_index("evaluation")
    shown = summary.reindex(range(1, 41)).ffill()
    for evaluation in range(1, 41):
        met = table[table["evaluation"] <= evaluation]
        volumes = met.sort_values("evaluation").groupby("seed")["hypervolume"].last()
        expected = np.quantile(volumes, [0.25, 0.5, 0.75])
        np.testing.assert_allclose(shown.loc[evaluation, ["lower_quartile", "median", "upper_quartile"]], expected)


def test_rows_where_nothing_changes_are_left_out() -> None:
    rows = [{"seed": seed, "evaluation": step} for seed in range(3) for step in (1, seed + 2, 9)]
    table = pd.DataFrame(rows).assign(arm="random", dataset="x", hypervolume=0.5)
    summary = summarise_anytime(table.assign(charged=table["evaluation"]), 1.0)
    assert summary["evaluation"].tolist() == [1, 9]


def test_thirteen_arms_are_labelled_beside_their_curves(tmp_path: Path) -> None:
    table = anytime(dataset=LONG)
    numbers = same_twice(lambda: anytime_figure(table, 0.9, "front of all known values", PAIR), tmp_path)
    assert set(numbers["arm"]) == set(ARMS)
    with anytime_figure(table, 0.9, "front of all known values", PAIR) as (drawn, _):
        names = [text for text in drawn.axes[1].texts if text.get_text() in ARM_NAMES.values()]
        assert {text.get_text() for text in names} == set(ARM_NAMES.values())
        assert [text.get_text() for text in names if text.get_fontweight() == "bold"] == [ARM_NAMES[a] for a in PAIR]
        assert len(drawn.axes[0].collections) == 2  # bands of the two arms alone
        assert "quartiles of surrogate starts and random starts" in headline(drawn)
        assert not overlapping_labels(drawn)
        assert drawn.axes[1].get_yscale() == "log"
        assert f"training sample ({SAMPLE})" in words_inside(drawn)


def test_every_arm_has_a_panel() -> None:
    with anytime_panels(anytime(dataset=LONG), 0.9, "true front") as (drawn, numbers):
        assert sum(axes.get_visible() for axes in drawn.axes) == len(ARMS)
        assert numbers["arm"].nunique() == len(ARMS)
        assert all(len(axes.collections) == 1 for axes in drawn.axes[: len(ARMS)])
        assert not overlapping_labels(drawn)


def test_highlighted_arms_that_were_not_searched() -> None:
    with anytime_figure(anytime(("nsga2",)), 0.9, "true front", PAIR) as (drawn, _):
        assert "quartiles" not in headline(drawn)
        assert not drawn.axes[0].collections
    assert "quartiles" not in anytime_words(anytime(("nsga2",)), 0.9, "true front", PAIR)[1]


@pytest.mark.parametrize("draw", [lambda *a: anytime_figure(*a, PAIR), anytime_panels], ids=["pair", "panels"])
def test_nothing_to_improve_and_nothing_searched(draw: object) -> None:
    table = anytime(PAIR, seeds=1).assign(hypervolume=1.0)
    with draw(table, 1.0, "true front") as (drawn, numbers):
        drawn.canvas.draw()
        assert "no regret: at the lower end" in words_inside(drawn)
        assert numbers["median_regret"].eq(0).all()
    with draw(table[:0], 1.0, "true front") as (drawn, numbers):
        drawn.canvas.draw()
        assert "there are no searches" in words_inside(drawn)
        assert numbers.empty
    assert "no searches" in anytime_words(table[:0], 1.0, "true front")[0]


def test_words_give_the_medians_at_the_end() -> None:
    alt, caption = anytime_words(few_searches(), 0.8, "true front", PAIR)
    assert "surrogate starts 0.3500 after 18; random starts 0.6500 after 2; true front 0.8000" in alt
    assert "begin after its 15 evaluations" in caption
    assert "Drawn beside it is the regret, what a search lacks of the true front (0.8000)" in caption
    assert "in the arm's own panel" not in caption
    # one panel an arm: no list of all arms
    _, caption = anytime_words(few_searches(), 0.8, "true front")
    assert "2 searches an arm; the quartiles are a band in the arm's own panel" in caption
    assert "random starts" not in caption
