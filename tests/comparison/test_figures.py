"""Figures: their numbers, and degenerate input."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from terranas.comparison.anytime_figure import anytime_figure, summarise_anytime
from terranas.comparison.front_figure import MAX_POINTS, found_shares, front_figure
from terranas.comparison.violins import density_outline, violin_figure
from terranas.core.figures import save_figure
from terranas.core.pareto import nondominated

OBJECTIVES = ["validation_micro_accuracy", "macs"]
DIRECTIONS = ["maximise", "minimise"]


def anytime() -> pd.DataFrame:
    rows = [
        ("surrogate", 0, [0.1, 0.2, 0.4]),
        ("surrogate", 1, [0.3]),
        ("random", 0, [0.5, 0.6]),
        ("random", 1, [0.7, 0.7]),
    ]
    return pd.DataFrame(
        [
            {"arm": arm, "dataset": "synthetic", "seed": seed, "evaluation": step + 1, "hypervolume": volume}
            for arm, seed, volumes in rows
            for step, volume in enumerate(volumes)
        ]
    )


def test_ended_searches_keep_their_last_value() -> None:
    summary = summarise_anytime(anytime(), charged=15)
    own = summary[summary["arm"] == "surrogate"]
    assert own["charged"].tolist() == [16, 17, 18]
    assert own["median"].tolist() == pytest.approx([0.2, 0.25, 0.35])
    assert own["seeds_still_searching"].tolist() == [2, 1, 1]
    assert summary.loc[summary["arm"] == "random", "charged"].tolist() == [1, 2]


def fronts() -> pd.DataFrame:
    points = {
        ("surrogate", 10): [(0, 0.5, 2e6), (1, 0.5, 2e6)],
        ("surrogate", 20): [(0, 0.6, 3e6), (0, 0.5, 2e6), (1, 0.6, 3e6)],
        ("random", 40): [(0, 0.9, 5e6), (0, 0.9, 5e6), (1, 0.4, 1e6)],
    }
    rows = [
        {"arm": arm, "dataset": "synthetic", "budget": budget, "seed": seed, "hash": f"{number:032x}"}
        | dict(zip(OBJECTIVES, values, strict=True))
        for (arm, budget), members in points.items()
        for number, (seed, *values) in enumerate(members)
    ]
    return pd.DataFrame(rows)


def test_shares_are_of_seeds_at_the_largest_budget() -> None:
    shares = found_shares(fronts(), OBJECTIVES)
    assert shares[["arm", "budget", *OBJECTIVES, "share"]].to_numpy().tolist() == [
        ["random", 40, 0.4, 1e6, 0.5],
        ["random", 40, 0.9, 5e6, 0.5],  # two equal architectures of one seed are one point
        ["surrogate", 20, 0.5, 2e6, 0.5],
        ["surrogate", 20, 0.6, 3e6, 1.0],
    ]


@pytest.mark.parametrize("count", [50, MAX_POINTS + 1000])
@pytest.mark.parametrize("factor", [1.0, 1e3], ids=["linear", "logarithmic"])
def test_front_figure_writes_what_it_shows(tmp_path: Path, count: int, factor: float) -> None:
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.random(count), 1e6 * (1 + 8 * rng.random(count))])
    values[0, 1] *= factor
    values[1] = np.nan
    with front_figure(values, fronts(), OBJECTIVES, DIRECTIONS) as (drawn, numbers):
        assert "synthetic" in drawn.get_suptitle()
        assert drawn.axes[0].get_xscale() == ("log" if factor > 1 else "linear")
        save_figure(drawn, {kind: tmp_path / f"fronts.{kind}" for kind in ("png", "csv")}, numbers)
    table = pd.read_csv(tmp_path / "fronts.csv")
    truth = values[nondominated(values, DIRECTIONS)]
    shown = table.loc[table["series"] == "true front", OBJECTIVES].to_numpy()
    assert sorted(map(tuple, shown)) == sorted(map(tuple, truth))
    cloud = table.loc[table["series"] == "known architectures", "architectures"]
    assert cloud.sum() <= count - 1
    assert cloud.sum() > 0.9 * count
    assert set(table["dataset"]) == {"synthetic"}


def indicators(volumes: dict[str, list[float]]) -> pd.DataFrame:
    rows = [
        {
            "arm": arm,
            "dataset": "synthetic",
            "budget": {"surrogate": 10, "random": 25}[arm],
            "charged": 25,
            "seed": seed,
            "hypervolume": volume,
            "mean_pairwise_distance": 0.0,
            "best_validation_micro_accuracy": 0.5,
            "best_macs": 10.0 ** (6 + seed),
        }
        for arm, own in volumes.items()
        for seed, volume in enumerate(own)
    ]
    return pd.DataFrame(rows)


def test_constant_and_wide_samples_are_drawn_without_a_warning(tmp_path: Path) -> None:
    table = indicators({"surrogate": [0.5, 0.5, 0.5], "random": [0.1, 0.2, 0.2]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with violin_figure(table, OBJECTIVES, [(10, 25)]) as (drawn, numbers):
            assert [axes.get_yscale() for axes in drawn.axes] == ["linear", "log", "linear", "linear"]
            assert "2 seeds" not in drawn.get_suptitle()
            assert "3 seeds" in drawn.get_suptitle()
            save_figure(drawn, {"png": tmp_path / "violins.png"}, numbers)
    assert len(numbers) == 6


def test_anytime_figure_of_a_search_that_has_nothing_to_improve(tmp_path: Path) -> None:
    table = anytime().assign(hypervolume=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with anytime_figure(table, 15, 1.0) as (drawn, numbers):
            save_figure(drawn, {"png": tmp_path / "anytime.png"}, numbers)
    assert set(numbers["true_front_hypervolume"]) == {1.0}


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


def test_nothing_to_outline_in_a_constant_sample() -> None:
    assert len(density_outline(np.full(9, 0.3), False)[0]) == 0
    assert len(density_outline(np.full(9, 3e9) * (1 + 1e-15), True)[0]) == 0
