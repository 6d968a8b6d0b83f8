"""Tables of the searches for people."""

import math
from dataclasses import replace

import numpy as np
import pytest

from terranas.comparison import tabulation
from terranas.comparison.figures import Objective, indicator_text
from terranas.core.formats import MISSING, SPACE, p_value

from .study_tables import ARMS, PAIR, calibration_table, plateau_table, search_study

OBJECTIVES = [
    Objective("validation_micro_accuracy", "maximise"),
    Objective("macs", "minimise", "MAC"),
    Objective("latency_ms@Pixel 3", "minimise", "ms"),
]


@pytest.fixture(scope="module")
def study():
    return search_study()


@pytest.mark.parametrize(
    ("indicator", "value", "text"),
    [
        ("hypervolume", 0.81249, "0.8125"),
        ("igd_plus", 0.00411249, "0.00411"),
        ("best_macs", 803_200.0, f"803{SPACE}k"),
        ("best_validation_micro_accuracy", 0.58672, f"58.7{SPACE}%"),
        ("mean_latency_ms@Pixel 3", 13.3612, f"13.4{SPACE}ms"),
        ("size", 5.5, "5.5"),
        ("diameter", 7.0, "7"),
        ("mean_pairwise_distance", 3.14159, "3.14"),
        ("best_macs", math.nan, MISSING),
    ],
)
def test_indicators_have_units(indicator, value, text):
    assert indicator_text(indicator, value, OBJECTIVES) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.00099, f"<{SPACE}0.001"), (0.0123, "0.012"), (0.5, "0.50"), (1.0, "1.0"), (math.nan, MISSING)]
)
def test_p_values(p, text):
    assert p_value(p) == text


def rows_fit(table):
    assert table.rows
    assert all(len(row) == len(table.heads) for row in table.rows)


def test_rows_fit_their_heads(study):
    for table in (
        tabulation.arms(study),
        tabulation.conclusions(study.conclusions, PAIR, study.objectives),
        tabulation.effects(study.tests, PAIR, study.objectives),
        tabulation.all_tests(study.tests, PAIR, study.objectives),
        tabulation.ranks(study.ranks, study.objectives),
        tabulation.search_ends(study.runs),
        tabulation.plateaus(plateau_table()),
        tabulation.calibration(calibration_table()),
    ):
        rows_fit(table)


def test_arms_stand_at_their_largest_budgets_with_medians_and_ranks(study):
    table = tabulation.arms(study)
    assert [row[0] for row in table.rows] == [
        "Surrogate starts",
        "Random starts",
        "Random starts, published way",
        "NSGA-II",
    ]
    own = study.indicators.query("arm == 'surrogate' and budget == 25")
    assert table.rows[0][1:4] == ["25", "40", f"{own['hypervolume'].median():.4f}"]
    last = study.ranks.query("indicator == 'hypervolume' and level == '4 of 4'").set_index("arm")["mean_rank"]
    assert table.rows[0][5] == f"{last['surrogate']:.1f}"
    assert "Kruskal-Wallis's test the arms differ" in table.caption


def test_arms_without_ranks(study):
    table = tabulation.arms(replace(study, ranks=study.ranks.iloc[:0]))
    assert [row[5] for row in table.rows] == [MISSING] * len(ARMS)
    assert "rank is" not in table.caption


def test_ranks_over_all_budgets_serve_where_there_are_no_others(study):
    friedman = study.ranks[study.ranks["test"] == "friedman"]
    ranks, text = tabulation.hypervolume_ranks(friedman)
    expected = friedman.query("indicator == 'hypervolume'").set_index("arm")["mean_rank"]
    assert ranks == expected.to_dict()
    assert "within pairs of budgets" in text


def test_effects_name_an_arm_only_where_a_test_is_significant(study):
    table = tabulation.effects(study.tests, PAIR, study.objectives)
    by_name = {row[0]: row for row in table.rows}
    assert [head.text for head in table.heads[2:]] == [
        "10 against 25",
        "15 against 30",
        "20 against 35",
        "25 against 40",
    ]
    assert all(entry.endswith(" first") for entry in by_name["Hypervolume"][2:])
    worse = study.tests.assign(favours=study.tests["favours"].replace("surrogate", "random"))
    turned = {row[0]: row for row in tabulation.effects(worse, PAIR, study.objectives).rows}
    assert all(entry.endswith(" second") for entry in turned["Hypervolume"][2:])
    assert by_name["Best MACs"] == ["Best MACs", "lower", "0.50", "0.50", "0.50", "0.50"]
    # the thesis's faulty indicators are a family of their own
    assert not any("ublished" in name for name in by_name)
    assert any("ublished" in row[0] for row in tabulation.all_tests(study.tests, PAIR, study.objectives).rows)


def test_a_pair_that_was_not_tested_at_a_budget_stays_empty(study):
    first = study.tests.index[(study.tests["indicator"] == "hypervolume") & (study.tests["first_budget"] == 15)]
    table = tabulation.effects(study.tests.drop(first), PAIR, study.objectives)
    assert next(row for row in table.rows if row[0] == "Hypervolume")[3] == MISSING


def test_how_searches_ended(study):
    runs = study.runs.copy()
    runs.loc[(runs["arm"] == "surrogate") & (runs["seed"] < 5), "stopped_by"] = "space_exhausted"
    table = tabulation.search_ends(runs)
    assert table.rows[0] == ["Surrogate starts", "10", "25", "4", "10", "10", "7", "5"]
    assert [head.text for head in table.heads[-2:]] == ["Spent the budget", "Exhausted the space"]
    published = next(row for row in table.rows if row[0] == "Random starts, published way")
    assert published[4:6] == ["32", "25"]
    # a search without starts has none to lack
    assert next(row for row in table.rows if row[0] == "NSGA-II")[3] == MISSING


def test_what_no_search_met_has_no_column(study):
    heads = [head.text for head in tabulation.search_ends(study.runs).heads]
    more = [head.text for head in tabulation.search_ends(study.runs.assign(predicted=2, without_value=1)).heads]
    assert [text for text in more if text not in heads] == ["Of them predicted", "Passed over without a value"]
    assert len(tabulation.arms(study).heads) == 9
    flagged = replace(study, indicators=study.indicators.assign(predicted=0.5))
    table = tabulation.arms(flagged)
    assert table.heads[-1].text == "Predicted"
    assert [row[-1] for row in table.rows] == [f"50.0{SPACE}%"] * len(ARMS)
    assert "not measured" in table.caption


def test_plateaus_that_were_not_found_stay_empty():
    found, none = tabulation.plateaus(plateau_table()).rows
    assert found[1:4] == ["MACs", "35", "0.91"]
    assert none[1:4] == ["Validation micro accuracy", MISSING, MISSING]


def test_calibration_has_a_column_for_each_level():
    table = tabulation.calibration(calibration_table())
    assert table.heads[1].text == f"In the 50{SPACE}% interval"
    (row,) = table.rows
    assert row[1:3] == [f"48.7{SPACE}%", f"93.7{SPACE}%"]
    missing = calibration_table().assign(coverage=np.nan)
    assert tabulation.calibration(missing).rows[0][1] == MISSING
