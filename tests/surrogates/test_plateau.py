"""Intervals of scores, and the size from which they rise no more."""

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats

from terranas.surrogates.plateau import plateau, summarise_scores


def table(spearman: dict[int, list[float]], **columns: object) -> pd.DataFrame:
    """Return scores of one surrogate by size, one value a repeat."""
    rows = [
        {"dataset": "d", "surrogate": "s", "objective": "macs", "size": size, "repeat": repeat, "spearman": value}
        for size, values in spearman.items()
        for repeat, value in enumerate(values)
    ]
    others = dict.fromkeys(["kendall", "pearson", "mae", "rmse", "r2"], 0.5)
    return pd.DataFrame(rows).assign(**(others | columns))


RISING = {100: [0.5, 0.52, 0.48], 200: [0.8, 0.81, 0.79], 400: [0.889, 0.901, 0.892], 800: [0.89, 0.9, 0.895]}


def test_interval_is_students() -> None:
    summary = summarise_scores(table(RISING)).set_index(["score", "size"])
    for size, values in RISING.items():
        row = summary.loc[("spearman", size)]
        low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
        assert (row["low"], row["high"]) == pytest.approx((low, high))
        assert (row["mean"], row["repeats"]) == (pytest.approx(np.mean(values)), 3)
        assert (row["smallest"], row["largest"]) == (min(values), max(values))


def test_interval_needs_two_values() -> None:
    summary = summarise_scores(table({10: [0.5], 20: [np.nan]})).set_index(["score", "size"])
    assert np.isnan(summary.loc[("spearman", 10), ["low", "high"]].astype(float)).all()
    assert summary.loc[("spearman", 10), "mean"] == 0.5
    assert summary.loc[("spearman", 20), "repeats"] == 0


def test_plateau_begins_where_the_loss_is_shown_to_be_small() -> None:
    (row,) = plateau(table(RISING), 0.02).to_dict("records")
    assert (row["size"], row["largest_size"], row["repeats"]) == (400, 800, 3)
    assert row["mean"] == pytest.approx(np.mean(RISING[400]))
    assert row["largest_mean"] == pytest.approx(np.mean(RISING[800]))
    loss = np.subtract(RISING[800], RISING[400])
    reference = pingouin.ttest(loss, 0.02, alternative="less")
    assert row["p_value"] == pytest.approx(reference.filter(regex="^p").iloc[0, 0])


def test_a_larger_tolerance_reaches_further_down_and_none_may_be_found() -> None:
    sizes = [plateau(table(RISING), tolerance)["size"].iloc[0] for tolerance in (0.0, 0.02, 0.2, 0.6)]
    assert pd.isna(sizes[0])
    assert sizes[1:] == [400, 200, 100]


def test_a_size_below_a_failed_one_does_not_count() -> None:
    scores = {10: [0.9, 0.9, 0.9], 20: [0.5, 0.5, 0.5], 40: [0.9, 0.9, 0.9], 80: [0.9, 0.9, 0.9]}
    assert plateau(table(scores), 0.01)["size"].iloc[0] == 40


def test_the_loss_has_to_be_shown_not_only_met() -> None:
    # the same mean loss; with the spread of the second nothing is shown
    certain = {10: [0.800, 0.801, 0.799], 20: [0.805, 0.806, 0.804]}
    uncertain = {10: [0.70, 0.90, 0.80], 20: [0.90, 0.70, 0.815]}
    assert plateau(table(certain), 0.01)["size"].iloc[0] == 10
    assert pd.isna(plateau(table(uncertain), 0.01)["size"].iloc[0])


@pytest.mark.parametrize("scores", [{10: [0.5], 20: [0.5]}, {10: [0.5, np.nan], 20: [0.5, 0.5]}, {10: [0.5, 0.5]}])
def test_too_few_values_or_sizes_show_nothing(scores: dict[int, list[float]]) -> None:
    (row,) = plateau(table(scores), 0.5).to_dict("records")
    assert pd.isna(row["size"])
    assert np.isnan([row["mean"], row["p_value"]]).all()


def test_other_scores_and_several_surrogates() -> None:
    scores = table(RISING, r2=0.7)
    both = pd.concat([scores, scores.assign(surrogate="other", r2=scores["spearman"])])
    found = plateau(both, 0.02, score="r2").set_index("surrogate")["size"]
    assert found.to_dict() == {"s": 100, "other": 400}


@pytest.mark.parametrize(("tolerance", "score"), [(-0.1, "spearman"), (np.nan, "spearman"), (0.1, "mae")])
def test_refuses_what_it_cannot_judge(tolerance: float, score: str) -> None:
    with pytest.raises(ValueError, match="a tolerance >= 0"):
        plateau(table(RISING), tolerance, score=score)
