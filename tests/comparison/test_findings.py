"""Sentences on the searches."""

from dataclasses import replace

import pandas as pd
import pytest

from terranas.comparison import findings
from terranas.comparison.schema import REFERENCES
from terranas.core.formats import SPACE

from .study_tables import PAIR, SAMPLE, run_table, search_study

PERCENT = f"{SPACE}%"


@pytest.fixture(scope="module")
def study():
    return search_study()


def test_says_what_was_searched(study):
    text = findings.searched_sentences(study)[0]
    assert text == (
        "4 arms searched for architectures with the highest validation micro accuracy and the lowest MACs on some "
        "images, with 12 seeds each: surrogate starts; random starts; random starts, published way; NSGA-II."
    )


def test_budgets_and_the_sample_that_is_charged(study):
    charged, others, cost = findings.budget_sentences(study)
    assert "(surrogate starts) may evaluate 10, 15, 20 and 25 architectures" in charged
    assert f"the {SAMPLE} architectures of the sample are charged to them besides" in charged
    assert others == "The other arms may evaluate 25, 30, 35 and 40 architectures."
    assert cost == (
        "Surrogate starts against random starts is compared at 4 pairs of budgets (10 with 25, 15 with 30, 20 with 35 "
        "and 25 with 40), at which both arms may spend the same."
    )


def test_equal_cost_is_said_only_where_it_is_equal(study):
    dearer = replace(study, tests=study.tests.assign(first_charged=study.tests["first_charged"] + 1))
    assert findings.budget_sentences(dearer)[-1].endswith("at which the arms may not spend the same.")
    tests = study.tests.copy()
    tests.loc[tests["first_budget"] == 10, "first_charged"] += 1
    assert findings.budget_sentences(replace(study, tests=tests))[-1].endswith(
        "; in 1 of them the arms may not spend the same."
    )


def test_the_kind_of_the_reference(study):
    assert "with the true front (12 points, hypervolume 0.9123)" in findings.reference_sentence(study)
    partial = replace(study, reference={**study.reference, "reference": REFERENCES[1]})
    assert "the front of all values at hand" in findings.reference_sentence(partial)
    # what is predicted may be too good as well as too bad
    assert "may make that front better or worse" in findings.reference_sentence(partial)
    assert "a better front may exist" in findings.reference_sentence(replace(partial, unknown="skip"))


def test_predicted_values_are_counted(study):
    assert findings.predicted_sentences(study) == ["All values that the searches met are measured; none is predicted."]
    runs = study.runs.assign(predicted=study.runs["distinct"] // 5 * 2)
    indicators = study.indicators.assign(
        predicted=study.indicators["arm"].map(lambda arm: 0.25 if arm in PAIR else 0.5)
    )
    (line,) = findings.predicted_sentences(replace(study, runs=runs, indicators=indicators))
    assert line.startswith(f"40.0{PERCENT} of the architectures that the longest searches evaluated")
    assert f"25.0{PERCENT} to 50.0{PERCENT}" in line


def test_architectures_passed_over_are_counted(study):
    skipped = replace(study, unknown="skip")
    assert findings.predicted_sentences(skipped)[-1].endswith("the searches met none.")
    many = replace(skipped, runs=study.runs.assign(without_value=3))
    line = findings.predicted_sentences(many)[-1]
    assert "met 144 architectures without a value and passed over them (median of a search: 3)" in line


def test_overshoot_and_repeated_evaluations_of_the_published_way(study):
    beyond, again = findings.overshoot_sentences(study.runs)
    assert beyond.startswith("Random starts, published way: 48 searches spent more than the budget, at most 32 ")
    assert "evaluations of 25" in beyond
    assert again.startswith(f"Random starts, published way: {100 * 7 / 47:.1f}{PERCENT} of the evaluations")
    assert findings.overshoot_sentences(study.runs[study.runs["arm"].isin(PAIR)]) == []


def test_significant_tests_are_counted_by_family(study):
    main, published = findings.verdict_sentences(study.tests)
    own = study.tests[study.tests["family"] == "main"]
    assert main.startswith(f"{int(own['significant'].sum())} of {len(own)} Mann-Whitney tests (")
    assert "as the thesis's code computes them" in published
    nothing = study.tests.assign(significant=False)
    assert findings.verdict_sentences(nothing)[0].startswith(f"None of {len(own)} Mann-Whitney tests")
    assert findings.verdict_sentences(nothing)[0].endswith(": no difference was shown.")
    assert findings.verdict_sentences(study.tests.iloc[:0]) == ["No test between arms could be made."]


def test_conclusions_of_the_thesis_are_told_in_a_sentence_and_in_detail(study):
    table = study.conclusions
    judged = table["verdict"].isin(findings.JUDGED)
    assert findings.thesis_details(table, PAIR) == table.loc[judged, "sentence"].tolist()
    (line,) = findings.thesis_sentence(table, PAIR, study.objectives)
    assert line.startswith("Conclusions of the thesis, surrogate starts against random starts – ")
    assert "surrogate starts end with the lower best cost (best MACs): open;" in line
    changed = table.assign(verdict=table["verdict"].where(~judged, "contradicted"))
    assert findings.thesis_sentence(changed, PAIR, study.objectives)[0].count(": contradicted") == int(judged.sum())
    assert findings.thesis_sentence(table, ("nsga2", "random"), study.objectives) == []


def test_arms_are_said_to_be_ahead_by_indicators(study):
    table = study.conclusions.copy()
    (line,) = findings.ahead_sentence(table, PAIR, study.objectives)
    assert line.startswith("Surrogate starts against random starts: the tests favour surrogate starts by hyper")
    assert "; no difference was shown for best validation micro accuracy, best MACs" in line
    details = findings.difference_details(table, PAIR)
    decided = table["verdict"].isin(PAIR)
    assert details == table.loc[decided, "sentence"].tolist()
    assert "hypervolume" in table.loc[decided, "indicator"].tolist()
    which = (table["indicator"] == "hypervolume") & ~table["verdict"].isin(findings.JUDGED)
    table.loc[which, "verdict"] = "random"
    assert "the tests favour random starts by hypervolume" in findings.ahead_sentence(table, PAIR, study.objectives)[0]
    table.loc[which, "verdict"] = "mixed"
    (line,) = findings.ahead_sentence(table, PAIR, study.objectives)
    assert "which they favour depends on the budget for hypervolume" in line
    assert findings.ahead_sentence(table, ("nsga2", "random"), study.objectives) == []


def test_searches_that_spent_their_budget():
    assert findings.stop_sentences(run_table()) == ["Every search spent its whole budget."]


def test_searches_that_ended_early_are_told_at_the_largest_budget():
    runs = run_table()
    at = (runs["arm"] == "surrogate") & (runs["budget"] == 25)
    runs.loc[at & (runs["seed"] < 4), "stopped_by"] = "space_exhausted"
    runs.loc[at & (runs["seed"] == 5), "stopped_by"] = "nothing_left_to_expand"
    runs.loc[(runs["arm"] == "random") & (runs["budget"] == 40), "stopped_by"] = "space_exhausted"
    assert findings.stop_sentences(runs) == [
        "Surrogate starts, budget 25: 4 of 12 searches exhausted the space and 1 of 12 searches stopped early because "
        "nothing was left to expand.",
        "Random starts, budget 40: 12 of 12 searches exhausted the space.",
    ]


def test_fewer_starts_than_wanted():
    runs = run_table()
    assert findings.start_sentences(runs) == []
    runs.loc[(runs["arm"] == "surrogate") & (runs["seed"] == 3), "starts"] = 2
    (line,) = findings.start_sentences(runs)
    assert line.startswith(
        "Surrogate starts: 1 of 12 searches began from fewer than the 4 starts asked for (down to 2), as many as the "
        "predicted front offered"
    )


def test_a_budget_smaller_than_the_starts_is_no_lack_of_starts():
    runs = run_table()
    runs.loc[runs["budget"] == 10, "starts"] = 3
    assert findings.start_sentences(runs) == []


def test_searches_that_saw_everything_are_a_ceiling():
    runs = run_table()
    assert findings.ceiling_sentences(runs) == []
    runs.loc[runs["seed"] == 0, "stopped_by"] = "space_exhausted"
    assert findings.ceiling_sentences(runs)[0].startswith("16 of 192 searches (all arms and budgets) evaluated every")


def test_searches_that_ended_before_their_smallest_budget_are_the_same_at_all():
    runs = run_table()
    assert findings.repeated_sentences(runs) == []
    at = (runs["arm"] == "random") & (runs["seed"] < 5)
    runs.loc[at, "evaluations"] = 20
    assert findings.repeated_sentences(runs) == []
    runs.loc[at, "stopped_by"] = "nothing_left_to_expand"
    assert findings.repeated_sentences(runs) == [
        "Searches that ended by themselves before their smallest budget have the same front at every budget, and spent "
        "less than any: random starts 5 of 12 searches (median of them 20 of 25 evaluations)."
    ]
    assert findings.repeated_sentences(runs[runs["budget"] == 25]) == []


def test_prefixes_are_a_matter_of_several_budgets(study):
    assert len(findings.prefix_sentences(study.tests)) == 1
    assert findings.prefix_sentences(study.tests[study.tests["first_budget"] == 10]) == []
    assert findings.prefix_sentences(pd.DataFrame(columns=study.tests.columns)) == []
