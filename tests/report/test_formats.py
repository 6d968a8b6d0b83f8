import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terranas.core import formats as plain
from terranas.core.formats import MINUS, MISSING, SPACE
from terranas.report import formats


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (1234.5, "1,230"),
        (9.996, "10.0"),
        (0.012345, "0.0123"),
        (-0.5, f"{MINUS}0.500"),
        (123456.0, "123,000"),
        (1.5e9, "1.50e+09"),
        (math.nan, MISSING),
    ],
)
def test_three_significant_digits(number, text):

    assert plain.significant(number) == text


@given(st.floats(min_value=1e-4, max_value=9.9e6))
def test_significant_digits_are_those_of_the_number(number):
    read = float(plain.significant(number).replace(",", ""))
    assert read == pytest.approx(number, rel=0.0051)


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("test_macro_accuracy", 0.58672, f"58.7{SPACE}%"),
        ("macs", 1.5531e9, f"1,550{SPACE}M"),
        ("macs", 803_200.0, f"0.803{SPACE}M"),
        ("parameters", 28161.0, "28,161"),
        ("parameters", 2_705_937.0, f"2.71{SPACE}M"),
        ("model_bytes", 112_644.0, f"113{SPACE}kB"),
        ("model_bytes", 900.0, f"900{SPACE}B"),
        ("latency_ms", 13.3612, f"13.4{SPACE}ms"),
        ("training_seconds", 5036.4, f"5,040{SPACE}s"),
        ("train_loss", 1.23456, "1.23"),
        ("macs", math.nan, MISSING),
        ("latency_ms@Pixel 3", 13.3612, f"13.4{SPACE}ms"),
        ("zen_score", 3.14159, "3.14"),
    ],
)
def test_metrics_have_units_and_no_false_digits(metric, value, text):
    assert formats.metric_value(metric, value) == text


def test_metrics_of_other_tables_bring_their_unit():
    assert formats.metric_value("arithmetic_intensity@FPGA", 12.345, "op/B") == f"12.3{SPACE}op/B"
    assert formats.metric_value("latency_ms", 2.0, "something else") == f"2.00{SPACE}ms"


def test_errors_of_accuracies_are_percentage_points():
    assert formats.metric_error("validation_micro_accuracy", 0.0251) == f"2.5{SPACE}points"
    assert formats.metric_error("latency_ms", 0.31) == f"0.310{SPACE}ms"
    assert formats.metric_error("validation_micro_accuracy", math.nan) == MISSING


def test_words():
    assert plain.listed(["a"]) == "a"
    assert plain.listed(["a", "b", "c"]) == "a, b and c"
    assert plain.counted(1, "class", "classes") == "1 class"
    assert plain.counted(1200, "search", "searches") == "1,200 searches"
    assert plain.span([3, math.nan, 7.0], formats.count) == "3 to 7"
    assert plain.span([4, 4], formats.count) == "4"
    assert plain.span([math.nan], formats.count) == MISSING
    assert plain.fixed(-0.001) == "0.00"
    assert plain.fixed(-0.126) == f"{MINUS}0.13"
    assert formats.outcome_name("diverged") == "diverged"
    assert "strange" in formats.outcome_name("strange")


@given(st.text(), st.integers(1, 30))
def test_long_texts_are_cut(text, most):
    cut = plain.shortened(text, most)
    assert len(cut) == min(len(text), most)
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))
