"""What tables are sorted by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terranas.core.formats import MINUS, count, fixed, p_value, percent, scaled, significant
from terranas.core.page import Head, Table
from terranas.report.ordering import sort_key, sort_keys


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234", 1234),
        ("12.3 %", 12.3),
        (f"{MINUS}0.25", -0.25),
        ("< 0.001", 0.001),
        ("91 of 423,624", 91),
        ("3 to 7", 3),
        ("4.00 ms", 4),
        ("43.2 k", 43_200),
        ("1.55 GB", 1.55e9),
        ("2 MACs", 2),
        ("2.5e-07", 2.5e-7),
        ("25.5 (1 to 3)", 25.5),
        ("1, 2, 3", 1),
        ("12 : 1", 12),
    ],
)
def test_the_number_that_a_text_begins_with(text, number):
    assert float(sort_key(text)) == pytest.approx(number)


@pytest.mark.parametrize("text", ["–", "", "none", "about 3", "e5"])
def test_texts_without_a_number_have_no_key(text):
    assert sort_key(text) == ""


@given(st.integers(0, 10**12), st.floats(1e-4, 1e6))
def test_formatted_numbers_keep_their_order_of_size(whole, number):
    assert float(sort_key(count(whole))) == whole
    assert float(sort_key(scaled(float(whole)))) == pytest.approx(whole, rel=0.01)
    assert float(sort_key(significant(number, 3))) == pytest.approx(number, rel=0.01)
    assert float(sort_key(fixed(-number))) == pytest.approx(-number, abs=0.0051)
    assert float(sort_key(percent(number))) == pytest.approx(100 * number, abs=0.051)
    assert float(sort_key(p_value(min(number, 1)))) == pytest.approx(min(number, 1), rel=0.06, abs=0.001)


def test_only_numbers_get_keys():
    table = Table("", [Head("Name", "text"), Head("Number")], [("12", "12"), ("b", "–")])
    assert sort_keys(table) == [[None, "12"], [None, ""]]
