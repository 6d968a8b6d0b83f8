"""Figures of features: the strongest ones with intervals, partial dependence over the distribution, and no values."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from terranas.landscape.feature_effects import SurrogateSettings, correlate_features, feature_effects
from terranas.landscape.feature_figures import (
    MOST_FEATURES,
    feature_correlations,
    feature_correlations_words,
    feature_effects_words,
    feature_name,
)
from terranas.landscape.feature_figures import feature_effects as draw_effects
from terranas.landscape.schema import FEATURE_CORRELATIONS, FEATURE_EFFECTS

from .drawn import headline, overlapping_labels, same_twice, words_inside
from .tables import DATASET, benchmark_of, name_of

MACRO = "validation_macro_accuracy"
SETTINGS = SurrogateSettings(n_estimators=30, places=8)


def features_of(count: int = 60, more: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    columns = {
        "num_conv3x3": rng.integers(0, 5, count),
        "log10_macs": rng.normal(7, 1, count),
        "has_skip": np.ones(count, dtype=np.int64),
        **{f"noise_{number}": rng.normal(size=count) for number in range(more)},
    }
    return pd.DataFrame(columns, index=[name_of(number) for number in range(count)])


def benchmark(features: pd.DataFrame, **changes: float):
    noise = np.random.default_rng(1).normal(0, 0.01, len(features))
    values = changes.get("values", 0.3 + 0.05 * features["num_conv3x3"].to_numpy() + noise)
    latency = changes.get("latency", 5 + features["log10_macs"].to_numpy())
    return benchmark_of(
        validation_macro_accuracy={4: np.broadcast_to(values, len(features))},
        latency_ms={4: np.broadcast_to(latency, len(features))},
    )


def correlations_of(features: pd.DataFrame, **changes: float) -> pd.DataFrame:
    table = benchmark(features, **changes)
    found = [correlate_features(table, metric, features, seed=1, resamples=49) for metric in (MACRO, "latency_ms")]
    return pd.concat(found, ignore_index=True)


def effects_of(features: pd.DataFrame, names: list[str], **changes: float) -> pd.DataFrame:
    table = benchmark(features, **changes)
    found = [
        feature_effects(table, metric, features, names, seed=1, settings=SETTINGS) for metric in (MACRO, "latency_ms")
    ]
    return pd.concat(found, ignore_index=True)


def test_the_strongest_features_come_first_in_each_panel(tmp_path: Path) -> None:
    table = correlations_of(features_of())
    with feature_correlations(table) as (drawn, numbers):
        labels = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
        assert labels == ["log10 MACs", "3×3 convolutions"]
        assert headline(drawn).endswith(
            "2 of 3 features, by their strongest correlation; undefined: edge from input to output"
        )
        titles = [axes.get_title(loc="left") for axes in drawn.axes]
        assert titles == [
            f"validation macro accuracy\n{DATASET}, 4 epochs\nn = 60",
            f"latency\n{DATASET}, 4 epochs\nn = 60",
        ]
        strongest = table[(table["metric"] == MACRO) & (table["place"] == 1)]["statistic"].iloc[0]
        assert f"{strongest:.2f}" in words_inside(drawn)
        assert numbers["shown"].sum() == 4
        assert not overlapping_labels(drawn)
    alt, caption = feature_correlations_words(table)
    assert f"validation macro accuracy on {DATASET}: 3×3 convolutions {strongest:.2f}" in alt
    assert "with 95\u202f% intervals" in caption
    same_twice(lambda: feature_correlations(table), tmp_path)


def test_only_so_many_features_are_drawn() -> None:
    table = correlations_of(features_of(more=30))
    with feature_correlations(table) as (drawn, numbers):
        assert len(drawn.axes[0].get_yticks()) == MOST_FEATURES
        assert f"{MOST_FEATURES} of 33 features" in headline(drawn)
        shown = numbers.loc[numbers["shown"], "statistic"].abs().groupby(numbers["feature"]).max()
        others = numbers.loc[~numbers["shown"], "statistic"].abs().groupby(numbers["feature"]).max()
        assert shown.min() >= others.max()
        assert not overlapping_labels(drawn)


def test_constant_metrics_and_no_rows_are_told() -> None:
    half = correlations_of(features_of(), values=0.5)
    with feature_correlations(half) as (drawn, _):
        assert words_inside(drawn).count("undefined") == 2
        assert not overlapping_labels(drawn)
    assert f"validation macro accuracy on {DATASET}: no correlation is defined" in feature_correlations_words(half)[0]
    for table in (correlations_of(features_of(), values=0.5, latency=1.0), FEATURE_CORRELATIONS.empty()):
        with feature_correlations(table) as (drawn, _):
            drawn.canvas.draw()
            assert "No feature has a defined rank correlation" in words_inside(drawn)
        assert "nan" not in " ".join(feature_correlations_words(table))


def test_effects_stand_over_the_distribution_of_the_feature(tmp_path: Path) -> None:
    features = features_of(200)
    features.loc[features.index[0], "num_conv3x3"] = 7  # one cell in two hundred
    table = effects_of(features, ["num_conv3x3", "log10_macs"])
    with draw_effects(table) as (drawn, numbers):
        upper, lower = drawn.axes[0], drawn.axes[2]
        part = numbers[(numbers["metric"] == MACRO) & (numbers["feature"] == "num_conv3x3")]
        np.testing.assert_allclose(upper.get_lines()[0].get_ydata(), 100 * part["effect"])
        np.testing.assert_allclose([bar.get_height() for bar in lower.patches], 100 * part["cells"] / 200)
        rare = upper.get_lines()[2]
        assert rare.get_xdata().tolist() == [7]
        assert rare.get_markerfacecolor() == "white"
        assert "quantiles" in words_inside(drawn)  # of the feature with as many values as cells
        scores = f"R² = {part['r2'].iloc[0]:.2f}, ρ = {part['spearman'].iloc[0]:.2f}"
        assert upper.get_title(loc="left") == f"{DATASET}, 4 epochs: {scores} on 40 held-out cells"
        assert headline(drawn).endswith("boosted trees fitted to 160 cells, averaged over 200")
        assert upper.get_ylim() == drawn.axes[1].get_ylim()
        assert not overlapping_labels(drawn)
    alt, caption = feature_effects_words(table)
    assert "3×3 convolutions from " in alt
    assert "R² = " in alt
    assert "Boosted trees fitted to 160 cells" in caption
    same_twice(lambda: draw_effects(table), tmp_path)


@pytest.mark.parametrize("names", [["has_skip"], [f"noise_{number}" for number in range(5)]])
def test_effects_of_one_value_and_of_more_features_than_a_line_holds(names: list[str]) -> None:
    table = effects_of(features_of(more=5), names)
    with draw_effects(table) as (drawn, _):
        shown = {axes.get_xlabel() for axes in drawn.axes if axes.get_xlabel()}
        assert shown == {feature_name(name) for name in names}
        assert not overlapping_labels(drawn)
    assert "nan" not in " ".join(feature_effects_words(table))


def test_effects_of_a_constant_metric_and_of_none() -> None:
    table = effects_of(features_of(), ["num_conv3x3"], values=0.5)
    with draw_effects(table) as (drawn, _):
        assert "R² = –, ρ = –" in drawn.axes[0].get_title(loc="left")
        assert not overlapping_labels(drawn)
    assert "3×3 convolutions no effect" in feature_effects_words(table)[0]
    with draw_effects(FEATURE_EFFECTS.empty()) as (drawn, numbers):
        drawn.canvas.draw()
        assert "No partial dependence was computed." in words_inside(drawn)
        assert numbers.empty
    assert "nan" not in " ".join(feature_effects_words(FEATURE_EFFECTS.empty()))
