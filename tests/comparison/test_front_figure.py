"""Fronts over the cloud of known architectures."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from terranas.comparison.front_figure import MAX_POINTS, found_shares, front_figure, front_words, planes_of
from terranas.core.pareto import nondominated
from terranas.search.arms import ARMS

from ..landscape.drawn import headline, legend, overlapping_labels, same_twice, saved, words_inside
from .made_up import ACCURACY, LONG, MACS, THREE, TWO, fronts

NAMES = [objective.name for objective in TWO]
DIRECTIONS = [objective.direction for objective in TWO]
PAIR = ("surrogate", "random")

pytestmark = pytest.mark.filterwarnings("error")


def few_fronts() -> pd.DataFrame:
    points = {
        ("surrogate", 10): [(0, 0.5, 2e6), (1, 0.5, 2e6)],
        ("surrogate", 20): [(0, 0.6, 3e6), (0, 0.5, 2e6), (1, 0.6, 3e6)],
        ("random", 40): [(0, 0.9, 5e6), (0, 0.9, 5e6), (1, 0.4, 1e6)],
    }
    rows = [
        {"arm": arm, "dataset": "synthetic", "budget": budget, "seed": seed, "architecture": f"{number:032x}"}
        | dict(zip(NAMES, values, strict=True))
        | {"predicted": values[0] == 0.4}
        for (arm, budget), members in points.items()
        for number, (seed, *values) in enumerate(members)
    ]
    return pd.DataFrame(rows)


def test_shares_are_of_seeds_at_the_largest_budget() -> None:
    shares = found_shares(few_fronts(), NAMES)
    assert shares[["arm", "budget", *NAMES, "predicted", "share"]].to_numpy().tolist() == [
        ["random", 40, 0.4, 1e6, True, 0.5],
        ["random", 40, 0.9, 5e6, False, 0.5],  # two equal architectures of one seed are one point
        ["surrogate", 20, 0.5, 2e6, False, 0.5],
        ["surrogate", 20, 0.6, 3e6, False, 1.0],
    ]


@pytest.mark.parametrize("count", [50, MAX_POINTS + 1000])
@pytest.mark.parametrize("factor", [1.0, 1e3], ids=["linear", "logarithmic"])
def test_the_numbers_are_what_is_drawn(tmp_path: Path, count: int, factor: float) -> None:
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.random(count), 1e6 * (1 + 8 * rng.random(count))])
    values[0, 1] *= factor
    values[1] = np.nan
    with front_figure(values, few_fronts(), TWO) as drawing:
        drawn, _ = drawing
        assert "synthetic" in headline(drawn)
        assert drawn.axes[0].get_xscale() == ("log" if factor > 1 else "linear")
        assert not overlapping_labels(drawn)
        assert "values predicted, not measured" in legend(drawn)
        saved(drawing, tmp_path)
    table = pd.read_csv(tmp_path / "figure.csv")
    truth = values[nondominated(values, DIRECTIONS)]
    shown = table.loc[table["series"] == "best known front", NAMES].to_numpy()
    assert sorted(map(tuple, shown)) == sorted(map(tuple, truth))
    cloud = table.loc[table["series"] == "known architectures", "architectures"]
    assert 0.9 * count < cloud.sum() <= count - 1
    assert set(table["dataset"]) == {"synthetic"}
    assert set(table.loc[table["share"].notna(), "series"]) == set(PAIR)


def test_hollow_marks_are_predicted_values(tmp_path: Path) -> None:
    values = np.array([[0.95, 1e6], [0.5, 9e6]])
    assert same_twice(lambda: front_figure(values, few_fronts(), TWO), tmp_path)["predicted"].sum() == 1
    with front_figure(values, few_fronts(), TWO) as (drawn, _):
        hollow = [line for line in drawn.axes[1].get_lines() if line.get_markerfacecolor() == "none"]
        assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in hollow] == [(1e6, 0.4)]
    assert "Hollow marks" in front_words(values, few_fronts(), TWO)[1]
    measured = few_fronts().assign(predicted=False)
    with front_figure(values, measured, TWO) as (drawn, _):
        assert "values predicted, not measured" not in legend(drawn)


def test_predicted_architectures_are_not_called_known() -> None:
    values = np.array([[0.9, 1e6], [0.5, 9e6]])
    with front_figure(values, few_fronts(), TWO, predicted=1) as (drawn, _):
        assert "over 2 architectures (1 with predicted values)" in headline(drawn).replace("\n", " ")
    assert "over 2 architectures (1 with predicted values) on" in front_words(values, few_fronts(), TWO, predicted=1)[1]
    assert "over 2 known architectures on" in front_words(values, few_fronts(), TWO)[1]


def test_shares_in_percent_never_have_a_logarithmic_axis() -> None:
    values = np.array([[0.95, 1e6], [0.003, 9e9]])
    with front_figure(values, few_fronts(), TWO) as (drawn, _):
        assert (drawn.axes[0].get_yscale(), drawn.axes[0].get_xscale()) == ("linear", "log")


def test_the_stairs_bound_what_can_be_reached() -> None:
    truth = np.array([[0.5, 1.0], [0.7, 2.0], [0.9, 3.0]])
    own = pd.DataFrame(
        {"arm": "random", "dataset": "x", "budget": 1, "seed": 0, "architecture": "a", "predicted": False}, index=[0]
    )
    with front_figure(truth, own.assign(**{ACCURACY.name: 0.5, MACS.name: 1.0}), TWO) as (drawn, _):
        stairs = next(line for line in drawn.axes[0].get_lines() if line.get_drawstyle() == "steps-post")
        assert stairs.get_xdata().tolist() == [1, 2, 3]  # with more MACs than 1 and less than 2, 0.5 is the best
        assert stairs.get_ydata().tolist() == [0.5, 0.7, 0.9]


def test_three_objectives_have_a_panel_for_each_two() -> None:
    table = fronts(PAIR, objectives=THREE)
    values = table[[objective.name for objective in THREE]].to_numpy()
    assert planes_of(3) == [(0, 1), (0, 2), (1, 2)]
    with front_figure(values, table, THREE) as (drawn, numbers):
        assert len(drawn.axes) == 6
        assert not overlapping_labels(drawn)
        assert drawn.axes[5].get_xlabel() == "Latency on Raspberry\nPi 4 (ms)"
        drawn.canvas.draw()
        below = [axes.xaxis.label.get_window_extent() for axes in drawn.axes[3:]]
        assert all(left.x1 < right.x0 for left, right in pairwise(below))
        assert all(line.get_drawstyle() == "default" for axes in drawn.axes for line in axes.get_lines())
        assert numbers["plane"].nunique() == 3
    assert "two objectives" in front_words(values, table, THREE)[1]


@pytest.mark.parametrize("planes", [None, [(0, 2)]], ids=["two", "three"])
def test_all_arms_have_panels(planes: list[tuple[int, int]] | None) -> None:
    objectives = TWO if planes is None else THREE
    table = fronts(objectives=objectives, dataset=LONG)
    values = table[[objective.name for objective in objectives]].to_numpy()
    with front_figure(values, table, objectives, planes=planes) as (drawn, numbers):
        assert set(ARMS) <= set(numbers["series"])
        assert sum(axes.get_visible() for axes in drawn.axes) == len(ARMS)
        assert not overlapping_labels(drawn)


def test_a_single_bad_point_does_not_squeeze_the_rest() -> None:
    table = fronts(("random",), seeds=30)
    values = np.vstack([table[NAMES].to_numpy(), [[0.95, 1e6]]])
    bad = table.iloc[[-1]].assign(**{ACCURACY.name: 0.01, MACS.name: 5e6})
    with front_figure(values, pd.concat([table, bad], ignore_index=True), TWO) as (drawn, _):
        assert drawn.axes[0].get_ylim()[0] > 0.3
        assert "1 found point" in headline(drawn)


def test_words_count_what_was_found_of_the_best_known_front() -> None:
    values = np.array([[0.9, 5e6], [0.6, 3e6], [0.4, 4e6]])
    alt, caption = front_words(values, few_fronts(), TWO)
    assert "Of 2 points of the best known front" in alt
    assert "surrogate starts 1 in 20 evaluations; random starts 1 in 40 evaluations" in caption
    assert "random starts" not in front_words(values, few_fronts(), TWO, ("surrogate",))[1]


def test_nothing_known_and_nothing_found() -> None:
    nothing = np.full((5, 2), np.nan)
    with front_figure(nothing, few_fronts(), TWO) as (drawn, numbers):
        assert words_inside(drawn).count("no architecture has values of all objectives") == 2
        assert not (numbers["series"] == "best known front").any()
        drawn.canvas.draw()
    assert "no architecture has values" in front_words(nothing, few_fronts(), TWO)[0]
    with front_figure(np.ones((5, 2)), few_fronts()[:0], TWO) as (drawn, _):
        assert words_inside(drawn) == "there are no fronts"
        assert not legend(drawn)
    assert "no fronts" in front_words(np.ones((5, 2)), few_fronts()[:0], TWO)[1]
