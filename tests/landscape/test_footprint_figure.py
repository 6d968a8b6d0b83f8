"""The footprint's radar: places on axes of their own scales, undefined metrics, several sets of images, words."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terranas.landscape.bootstrap import Interval
from terranas.landscape.footprint import OptimaEstimate, footprint
from terranas.landscape.footprint_figure import MAX_SERIES, RADAR, _ends, footprint_radar, footprint_words
from terranas.landscape.schema import FOOTPRINT

from .drawn import headline, legend, overlapping_labels, saved, words_inside
from .tables import benchmark_of

METRIC = "validation_micro_accuracy"


def footprint_of(dataset: str, *, ruggedness: float = 4.0, fidelities: tuple[int, ...] = (4, 36)) -> pd.DataFrame:
    rng = np.random.default_rng(len(dataset))
    base = rng.beta(8, 4, 60)
    values = {epochs: np.clip(base + rng.normal(0, 0.05, 60), 0, 1) for epochs in fidelities}
    found = footprint(
        benchmark_of(dataset, **{METRIC: values}),
        METRIC,
        seed=1,
        resamples=29,
        optima=OptimaEstimate(349.0, Interval(120.0, 1_200.0), 20, "birthday estimate"),
    )
    if not math.isnan(ruggedness):
        chosen = found["measure"] == "ruggedness"
        found.loc[chosen, ["value", "value_low", "value_high"]] = ruggedness, ruggedness - 1, 500.0
        found.loc[chosen, "reason"] = ""
    return found


def test_every_metric_stands_on_its_own_axis() -> None:
    tables = [footprint_of("So2Sat LCZ42"), footprint_of("CIFAR-10", ruggedness=1.7)]
    with footprint_radar(pd.concat(tables)) as (drawn, numbers):
        assert len(numbers) == 2 * len(RADAR)
        assert [text.partition(",")[0] for text in legend(drawn)] == ["So2Sat LCZ42", "CIFAR-10"]
        assert legend(drawn)[0].endswith("(n = 60)")
        keyed = numbers.set_index(["dataset", "measure"])
        for dataset, table in zip(("So2Sat LCZ42", "CIFAR-10"), tables, strict=True):
            for measure in RADAR:
                rows = table[(table["measure"] == measure) & table["across"].isin(("", "all"))]
                assert keyed.loc[(dataset, measure), "value"] == rows["value"].iloc[0]
        assert keyed.loc[("So2Sat LCZ42", "ruggedness"), "axis_high"] == 4
        assert keyed.loc[("So2Sat LCZ42", "ruggedness"), "position"] == 1
        assert keyed.loc[("CIFAR-10", "ruggedness"), "position"] == pytest.approx(1.7 / 4)
        assert keyed.loc[("CIFAR-10", "ruggedness"), "position_high"] == 1  # cut at the ring
        assert keyed.loc[("CIFAR-10", "optima"), "position"] == pytest.approx(math.log10(349) / 3)
        assert "not defined" not in words_inside(drawn)
        assert not overlapping_labels(drawn)
    alt, caption = footprint_words(pd.concat(tables))
    assert "CIFAR-10, validation micro accuracy: mean fitness" in alt
    assert "ruggedness 1.70, local optima 349" in alt
    assert "best (worst) 25 %" in caption
    assert "not defined" not in caption
    assert "not comparable" not in caption
    exact = tables[1].assign(method=tables[1]["method"].str.replace("birthday estimate", "exact count"))
    _, caption = footprint_words(pd.concat([tables[0], exact]))
    assert "not comparable here: birthday estimate of So2Sat LCZ42, " in caption
    assert "; exact count of CIFAR-10, validation micro accuracy." in caption


def test_undefined_metrics_break_the_line_and_are_named() -> None:
    table = footprint_of("So2Sat LCZ42", ruggedness=math.nan, fidelities=(36,))
    with footprint_radar(table) as (drawn, numbers):
        drawn.canvas.draw()
        assert numbers.loc[numbers["position"].isna(), "measure"].tolist() == [
            "ruggedness",
            *(name for name in RADAR if "persistence" in name),
        ]
        crosses = [line for line in drawn.axes[0].get_lines() if line.get_marker() == "x"]
        assert len(crosses[0].get_xdata()) == 5
        assert words_inside(drawn).count("not defined") == 5
        assert not drawn.axes[0].patches
        assert not overlapping_labels(drawn)
    _, caption = footprint_words(table)
    assert "ruggedness of So2Sat LCZ42, validation micro accuracy (no walks in this metric)" in caption
    assert "(one fidelity only: 36 epochs)" in caption
    assert "nan" not in caption


def test_a_negative_ruggedness_has_a_place() -> None:
    tables = pd.concat([footprint_of("a", ruggedness=-22.5), footprint_of("b b", ruggedness=5.5)])
    with footprint_radar(tables) as (drawn, numbers):
        rows = numbers[numbers["measure"] == "ruggedness"]
        assert rows["axis_low"].tolist() == [-30, -30]
        assert rows["axis_high"].tolist() == [6, 6]
        np.testing.assert_allclose(rows["position"], [7.5 / 36, 35.5 / 36])
        assert "−30" in words_inside(drawn)
    assert "ruggedness −22.50" in footprint_words(tables)[0]


@given(st.lists(st.floats(-1e9, 1e9).filter(lambda v: v == 0 or abs(v) > 1e-9), max_size=5), st.booleans())
def test_axes_hold_their_values(values: list[float], logarithmic: bool) -> None:
    values = [abs(value) for value in values] if logarithmic else values
    low, high = _ends(pd.Series(values, dtype=float), False, logarithmic)
    assert low < high
    assert all(value <= high * (1 + 1e-9) for value in values)
    assert logarithmic or all(value >= low * (1 + 1e-9) if low else value >= 0 for value in values)


def test_no_footprint_and_too_many() -> None:
    with footprint_radar(FOOTPRINT.empty()) as (drawn, numbers):
        drawn.canvas.draw()
        assert "there is none to show" in headline(drawn)
        assert numbers.empty
    assert "no footprint" in footprint_words(FOOTPRINT.empty())[0]
    table = footprint_of("So2Sat LCZ42", fidelities=(4,))
    many = pd.concat([table.assign(dataset=f"images {number}") for number in range(8)])
    with footprint_radar(many) as (drawn, numbers):
        assert f"(the first {MAX_SERIES} of 8)" in headline(drawn)
        assert len(legend(drawn)) == MAX_SERIES
        assert numbers["series"].nunique() == 8
        assert "not defined for" not in words_inside(drawn)


def test_equal_numbers_give_equal_files(tmp_path: Path) -> None:
    table = footprint_of("So2Sat LCZ42")
    files = []
    for seed in (1, 2):
        with footprint_radar(table.sample(frac=1, random_state=seed)) as drawing:
            files.append(saved(drawing, tmp_path))
    assert files[0] == files[1]
