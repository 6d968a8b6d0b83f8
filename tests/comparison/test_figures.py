"""What the figures of the comparison share, and the looks of the arms."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from sklearn.isotonic import IsotonicRegression

from terranas.comparison.figures import (
    Objective,
    arms_of,
    at_largest_budgets,
    indicator_words,
    label_ends,
    p_text,
    spread_apart,
    write_axis,
)
from terranas.comparison.schema import INDICATORS
from terranas.core.figures import ARM_LOOKS, figure
from terranas.search.arms import ARM_NAMES, ARMS

from ..landscape.drawn import overlapping_labels
from .made_up import ACCURACY, LATENCY, MACS, evaluations, indicators


def contrast(colour: str) -> float:
    """Return the contrast to white of WCAG 2."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 1.05 / (0.05 + np.dot([0.2126, 0.7152, 0.0722], parts))


def test_every_arm_has_a_look_of_its_own() -> None:
    assert set(ARM_LOOKS) == set(ARMS)
    assert len({look.colour for look in ARM_LOOKS.values()}) == len(ARMS)
    assert len({look.marker for look in ARM_LOOKS.values()}) == len(ARMS)
    assert min(contrast(look.colour) for look in ARM_LOOKS.values()) > 2


def test_objectives_read_as_words() -> None:
    assert LATENCY.words == "latency on Raspberry Pi 4"
    assert LATENCY.label() == "Latency on Raspberry Pi 4 (ms)"
    assert MACS.label("best") == "Best MACs"
    assert ACCURACY.label() == "Test micro accuracy (%)"
    assert ACCURACY.text(0.9351) == "93.5\u202f%"
    assert MACS.text(1.24e9) == "1.24\u202fG"
    assert Objective("inference_energy_mj@Eyeriss", "minimise", "mJ").words == "inference energy on Eyeriss"
    assert len(Objective("latency_ms@" + "a device " * 9, "minimise", "ms").label()) <= 44 + len(" (ms)")


def test_indicators_read_as_words() -> None:
    for column in INDICATORS.columns:
        assert "_" not in indicator_words(column.name)
    assert indicator_words("igd_plus") == "IGD+"
    assert indicator_words(f"best_{LATENCY.name}", [LATENCY]) == "best latency on Raspberry Pi 4"
    assert indicator_words("regret_macs") == "regret MACs"


@pytest.mark.parametrize(
    ("value", "text"), [(0.0284, "p = .028"), (0.0009, "p < .001"), (1.0, "p = 1.000"), (float("nan"), "p not defined")]
)
def test_p_values_as_journals_write_them(value: float, text: str) -> None:
    assert p_text(value) == text


def test_arms_stand_in_their_fixed_order() -> None:
    table = evaluations(("random", "nsga2", "surrogate"), 1)
    assert arms_of(table) == ["surrogate", "random", "nsga2"]
    assert arms_of(table, ("nsga2", "latin", "random")) == ["nsga2", "random"]
    largest = at_largest_budgets(indicators(("surrogate", "random"), 1))
    assert sorted(largest["budget"]) == [20, 40]


@given(st.lists(st.floats(-100, 100), max_size=15), st.floats(0.01, 10))
def test_labels_are_moved_apart_as_little_as_possible(places: list[float], gap: float) -> None:
    moved = spread_apart(places, gap)
    assert np.all(np.diff(np.sort(moved)) >= gap * (1 - 1e-9))
    if places:
        order = np.argsort(places, kind="stable")
        ranks = gap * np.arange(len(places))
        fitted = IsotonicRegression().fit_transform(ranks, np.asarray(places)[order] - ranks)
        np.testing.assert_allclose(moved[order], fitted + ranks, atol=1e-6)


def test_labels_stay_between_their_ends() -> None:
    np.testing.assert_allclose(spread_apart([0.5, 0.99, 0.98], 0.1, 0.0, 1.0), [0.5, 1.0, 0.9])
    np.testing.assert_allclose(spread_apart([-1.0, 0.0], 0.1, 0.0, 1.0), [0.0, 0.1])
    np.testing.assert_allclose(spread_apart([0.5, 0.5, 0.5], 0.6, 0.0, 1.0), [0.0, 0.6, 1.2])  # no room for all
    np.testing.assert_allclose(spread_apart([3.0, 7.0], 1.0), [3.0, 7.0])
    assert len(spread_apart([], 0.1)) == 0


def test_names_beside_curves_that_end_together_do_not_cover_each_other() -> None:
    with figure(6, 3.6) as (drawn, axes):
        axes.set_ylim(0, 1)
        drawn.draw_without_rendering()
        label_ends(axes, dict.fromkeys(ARMS, 0.999), bold=ARMS[:1])
        assert [text.get_text() for text in axes.texts] == list(ARM_NAMES.values())
        assert not overlapping_labels(drawn)
        label_ends(axes, {})
        assert len(axes.texts) == len(ARMS)


@pytest.mark.parametrize(
    ("values", "options", "expected"),
    [
        ([0.9, 0.95], {"percent": True}, "92"),
        ([1e6, 9e6], {}, "4M"),
        ([0, 4000], {}, "4,000"),
        ([1e6, 9e8], {"logarithmic": True}, "200M"),
        ([1e6, 9e6], {"logarithmic": True, "few": True}, "3M"),
    ],
)
def test_numbers_on_axes(values: list[float], options: dict[str, bool], expected: str) -> None:
    with warnings.catch_warnings(), figure(6, 3) as (drawn, axes):
        warnings.simplefilter("error")
        axes.set_xlim(values)
        if options.get("logarithmic"):
            axes.set_xscale("log")
        write_axis(axes.xaxis, [*values, np.nan], **options)
        drawn.canvas.draw()
        assert expected in [label.get_text() for label in axes.get_xticklabels()]
        write_axis(axes.yaxis, [np.nan])
        drawn.canvas.draw()
