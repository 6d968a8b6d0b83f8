"""What docs/results.md says of finished studies, from made-up results whose answers are known."""

import numpy as np
import pandas as pd
import pytest

from terranas.report.published import search_findings, surrogate_findings
from terranas.report.published.claims import SIZES, SPEARMAN
from terranas.report.published.inputs import Inputs
from terranas.report.published.pictures import effect_picture, size_picture
from terranas.report.published.search_findings import DISTANCE, PUBLISHED, PUBLISHED_DISTANCE, RIGHT
from terranas.report.published.studies import ARMS, PART, STUDIES, WHOLE, Study
from terranas.surrogates.plateau import SCORE_NAMES


def scores(study: Study) -> pd.DataFrame:
    """Return scores of two surrogates over five repeats: the tuned one gains nothing from 2,000 cells on."""
    rows = []
    for surrogate in surrogate_findings.SURROGATES:
        for objective in (study.accuracy, study.cost):
            for size in SIZES:
                end = 0.75 if (study, surrogate) == (WHOLE, "xgboost") else 0.9
                loss = 200 / min(size, 2000 if surrogate == "xgboost_tuned" else size)
                value = end - 0.1 * loss + (0.05 if objective == study.cost else 0)
                for repeat in range(5):
                    shift = 0.001 * (repeat - 2)
                    rows.append((surrogate, objective, size, repeat, value + shift))
    table = pd.DataFrame(rows, columns=["surrogate", "objective", "size", "repeat", "spearman"])
    table["dataset"] = "CIFAR-10"
    return table.assign(**{name: 0.5 for name in SCORE_NAMES if name != "spearman"})


def comparisons(study: Study) -> pd.DataFrame:
    """Return tests in which the right way says nothing and the published way what the thesis says."""
    rows = []
    for arms in (RIGHT, PUBLISHED):
        for indicator, winner in (
            (f"best_{study.cost}", 0),
            (f"best_{study.accuracy}", 1),
            (DISTANCE, None),
            (PUBLISHED_DISTANCE, 0),
        ):
            better = "lower" if study.cost in indicator else "higher"
            for place in range(4):
                wins = arms == PUBLISHED and winner is not None
                first_larger = (better == "higher") == (winner == 0)
                rows.append(
                    {
                        "first_arm": arms[0],
                        "second_arm": arms[1],
                        "indicator": indicator,
                        "better": better,
                        "first_budget": 500 * (place + 1),
                        "second_budget": 500 * (place + 5),
                        "first_median": 10.0 - place if wins else 10.0,
                        "second_median": 12.0 - place if wins else 10.0,
                        "a12": (0.9 if first_larger else 0.1) if wins else 0.5,
                        "a12_low": 0.05,
                        "a12_high": 0.95,
                        "p": 0.001 if wins else 0.8,
                        "significant": wins,
                        "favours": arms[winner] if wins else "neither",
                    }
                )
    return pd.DataFrame(rows)


def indicators(study: Study) -> pd.DataFrame:
    """Return indicators of three runs an arm at two budgets; the arm's place decides its hypervolume."""
    rows = [
        {
            "arm": arm,
            "budget": budget,
            "seed": seed,
            "hypervolume": 0.5 + 0.01 * place + (0.2 if budget == 4000 else 0) + 0.001 * seed,
            "predicted": 0.25 * seed,
            f"best_{study.accuracy}": 0.93 + 0.01 * seed,
        }
        for place, arm in enumerate(ARMS)
        if study in (PART, WHOLE) or not arm.endswith("published")
        for budget in (2000, 4000)
        for seed in range(3)
    ]
    table = pd.DataFrame(rows)
    table["hypervolume_regret"] = 0.95 - table["hypervolume"]
    return table


class MadeUp(Inputs):
    """Studies that nobody ran."""

    scores, tests, indicators = (staticmethod(made) for made in (scores, comparisons, indicators))


@pytest.fixture(scope="module")
def inputs() -> MadeUp:
    return MadeUp("no data", "no studies")


def test_surrogates(inputs: MadeUp) -> None:
    means = surrogate_findings.mean_spearman(inputs, PART)
    assert means.index.tolist() == list(SIZES)
    assert means["xgboost", "training_seconds"][1000] == pytest.approx(0.95 - 0.02)
    found = {name: find(inputs) for name, find in surrogate_findings.FINDINGS.items()}
    # 20 / size below .9, and .01 from 2,000 on: 20 / 700 - .01 is at most .02, 20 / 600 - .01 is not
    assert found["U1"].ours == "XGBoost, tuned: validation accuracy from 700 and training time from 700"
    assert found["U1"].verdict == "differs"
    assert found["U2"].verdict == "agrees"
    assert "higher at 11 of 11 sizes" in found["U2"].ours
    assert found["U3"].verdict == "agrees in part"
    assert "0.75 for test accuracy in the whole space" in found["U3"].published_way


def test_table_of_sizes(inputs: MadeUp) -> None:
    header, *rows = surrogate_findings.size_table(inputs)
    assert header[2:5] == ["300", "400", "500"]
    assert {len(row) for row in rows} == {len(header)}
    assert [float(value) for value in rows[0][2:]] == list(SPEARMAN["validation_micro_accuracy"])
    assert rows[1][2] == f"{0.9 - 20 / 300:.3f}"


def test_searches(inputs: MadeUp) -> None:
    found = {name: find(inputs) for name, find in search_findings.FINDINGS.items()}
    for name in ("Q1", "Q3", "Q5"):
        assert found[name].verdict == "agrees in part"
        assert "open in the right way; supported at 4 of 4 pairs in the published way" in found[name].words
    assert found["Q5"].words.endswith("open with the published search and the right distance")
    assert found["Q2"].published_way == "surrogate starts 10.0 s to 7.0 s, random starts 12.0 s to 9.0 s"
    assert found["Q2"].verdict == "agrees in part"
    assert (found["Q4"].ours, found["Q4"].words[:4]) == ("0.930 to 0.950", "67\u202f%")


def test_tables_of_searches(inputs: MadeUp) -> None:
    _, *conclusions = search_findings.complete_table(inputs)
    assert [row[1].split(":")[0] for row in conclusions] == ["open"] * 3
    assert [row[2].split(":")[0] for row in conclusions] == ["supported"] * 3
    header, reference, *arms = search_findings.hypervolumes(inputs)
    assert header[1:] == [study.title for study in STUDIES]
    assert reference[1:] == ["0.9500"] * 3
    assert len(arms) == len(ARMS)
    assert [row[1] for row in arms] == [f"{0.701 + 0.01 * place:.4f}" for place in range(len(ARMS))]
    assert [row[3] for row in arms].count("not run") == 2
    assert search_findings.predicted_share(inputs, PART) == pytest.approx(0.25)


def test_pictures_show_the_numbers(inputs: MadeUp) -> None:
    with size_picture(inputs) as drawn:
        accuracy, seconds = drawn.axes
        assert (len(accuracy.lines), len(seconds.lines)) == (5, 3)
        np.testing.assert_allclose(accuracy.lines[0].get_ydata(), SPEARMAN["validation_micro_accuracy"])
    with effect_picture(inputs) as drawn:
        (axes,) = drawn.axes
        points = np.concatenate([part.get_offsets() for part in axes.collections if len(part.get_offsets())])
        # right of the middle favours surrogate starts: lower times, higher distances
        assert sorted(np.round(points[:, 0], 3).tolist()).count(0.9) == 8
        assert sorted(np.round(points[:, 0], 3).tolist()).count(0.1) == 4
