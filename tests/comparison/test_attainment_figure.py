"""Attainment surfaces and their differences against counting, for any directions and numbers of searches."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from terranas.comparison.attainment_figure import attainment_figure, attainment_words
from terranas.comparison.figures import Objective

from ..landscape.drawn import headline, legend, overlapping_labels, same_twice, words_inside
from .made_up import LONG, MACS, THREE, TWO, fronts

PAIR = ("surrogate", "random")
BUDGETS = (20, 40)

pytestmark = pytest.mark.filterwarnings("error")


def small_fronts(searches: tuple[int, int], objectives: tuple[Objective, ...]) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    parts = []
    for arm, budget, number in zip(PAIR, BUDGETS, searches, strict=True):
        for seed in range(number):
            values = rng.integers(1, 9, (4, 2)).astype(float)
            part = pd.DataFrame(values, columns=[objective.name for objective in objectives])
            parts.append(part.assign(arm=arm, budget=budget, seed=seed, dataset="synthetic"))
    return pd.concat(parts, ignore_index=True)


def attained(table: pd.DataFrame, arm: str, point: tuple[float, float], objectives: tuple[Objective, ...]) -> float:
    """Return the share of an arm's searches with a value that is as good as a point's in both objectives."""
    own = table[table["arm"] == arm]
    good = np.ones(len(own), dtype=bool)
    for value, objective in zip(point, objectives, strict=True):
        values = own[objective.name].to_numpy()
        good &= values >= value if objective.maximised else values <= value
    return own.loc[good, "seed"].nunique() / own["seed"].nunique()


@pytest.mark.parametrize("searches", [(3, 3), (4, 3), (1, 5)])
@pytest.mark.parametrize(
    "objectives",
    [
        (Objective("zen_score", "maximise"), MACS),
        (Objective("parameters", "minimise"), Objective("zen_score", "maximise")),
        (Objective("parameters", "minimise"), MACS),
    ],
    ids=["max_min", "min_max", "min_min"],
)
def test_surfaces_and_differences_are_those_of_counting(
    searches: tuple[int, int], objectives: tuple[Objective, ...]
) -> None:
    table = small_fronts(searches, objectives)
    with attainment_figure(table, objectives, PAIR, BUDGETS) as (_, numbers):
        pass
    names = [objective.name for objective in objectives]
    rectangles = numbers[numbers["series"] == "difference"]
    for point in np.random.default_rng(0).uniform(0.6, 9.4, (150, 2)):  # none on an edge
        shares = [attained(table, arm, tuple(point), objectives) for arm in PAIR]
        inside = np.ones(len(rectangles), dtype=bool)
        for value, name in zip(point, names, strict=True):
            ends = rectangles[[name, f"{name}_end"]].to_numpy()
            inside &= (ends.min(axis=1) <= value) & (value <= ends.max(axis=1))
        expected = shares[0] - shares[1]
        found = rectangles.loc[inside, "difference"].tolist()
        assert found == pytest.approx([expected] if abs(expected) > 1e-9 else [])
    for arm in PAIR:
        for level, least in (("best", 1e-9), ("median", 0.5), ("worst", 1.0)):
            own = numbers[(numbers["series"] == arm) & (numbers["level"] == level)]
            assert len(own)
            for corner in own[names].to_numpy():
                assert attained(table, arm, tuple(corner), objectives) >= least - 1e-9


def test_three_objectives_are_projected_and_that_is_said(tmp_path: Path) -> None:
    table = fronts(objectives=THREE, dataset=LONG)
    pair, budgets = ("regularised_evolution_ranked", "sample"), (40, 20)
    numbers = same_twice(lambda: attainment_figure(table, THREE, pair, budgets), tmp_path)
    assert {"regularised_evolution_ranked", "sample", "both arms", "difference"} == set(numbers["series"])
    with attainment_figure(table, THREE, pair, budgets) as (drawn, _):
        assert "latency on Raspberry Pi 4 is left out" in headline(drawn)
        assert not overlapping_labels(drawn)
        assert len(legend(drawn)) == 4
    assert "latency on Raspberry Pi 4 is left out" in attainment_words(table, THREE, pair, budgets)[1]
    with attainment_figure(table, TWO, pair, budgets) as (drawn, _):
        assert "left out" not in headline(drawn)


def test_words_say_the_largest_differences() -> None:
    rows = [
        {"arm": arm, "budget": budget, "seed": seed, "dataset": "synthetic", TWO[0].name: 0.9, TWO[1].name: macs}
        for arm, budget, values in zip(PAIR, BUDGETS, ([1e6, 1e6, 3e6], [2e6, 2e6, 2e6]), strict=True)
        for seed, macs in enumerate(values)
    ]
    alt, caption = attainment_words(pd.DataFrame(rows), TWO, PAIR, BUDGETS)
    assert "up to 67\u202f% of the searches in favour of surrogate starts" in alt
    assert "up to 33\u202f% of the searches in favour of random starts" in alt
    assert "3 searches of surrogate starts (20 evaluations)" in caption
    equal = pd.DataFrame(rows).assign(**{TWO[1].name: 1e6})
    assert (
        "none in favour of surrogate starts and none in favour of random starts"
        in attainment_words(equal, TWO, PAIR, BUDGETS)[0]
    )
    with attainment_figure(equal, TWO, PAIR, BUDGETS) as (drawn, numbers):
        drawn.canvas.draw()
        assert not (numbers["series"] == "difference").any()


def test_an_arm_without_fronts() -> None:
    table = small_fronts((2, 2), TWO)
    for present in (table[table["arm"] == "random"], table[:0], table.assign(**{TWO[1].name: np.nan})):
        with attainment_figure(present, TWO, PAIR, BUDGETS) as (drawn, _):
            assert "there are no fronts" in words_inside(drawn)
            assert words_inside(drawn).count("there is nothing to compare") == 2
            assert not overlapping_labels(drawn)
        assert "no fronts" in attainment_words(present, TWO, PAIR, BUDGETS)[0]
