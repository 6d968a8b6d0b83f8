"""The ranks of all arms together."""

import numpy as np
import pandas as pd
import pytest

from terranas.comparison.arm_ranks import rank_arms
from terranas.comparison.rank_statistics import critical_difference, friedman, kruskal_wallis
from terranas.comparison.schema import RANK_PAIRS, RANKS
from terranas.core.errors import TableError
from terranas.core.holm import holm

from .made_up_arms import BUDGETS, OBJECTIVES, indicators


def rank(table: pd.DataFrame, **options: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    problems = {"one": (table, OBJECTIVES)}
    return rank_arms(problems, list(BUDGETS), BUDGETS, **({"alpha": 0.05} | options))


def test_ranks_agree_with_the_statistics() -> None:
    table = indicators()
    ranks, pairs = rank(table)
    medians = table.groupby(["arm", "budget"])["hypervolume"].median()
    blocks = np.array([[-medians[arm, budgets[place]] for arm, budgets in BUDGETS.items()] for place in range(2)])
    expected = friedman(blocks)
    rows = ranks[(ranks["test"] == "friedman") & (ranks["indicator"] == "hypervolume")].set_index("arm")
    assert rows.loc[list(BUDGETS), "mean_rank"].tolist() == expected.mean_ranks.tolist()
    assert rows.loc["surrogate", "mean_rank"] == 1
    assert rows["p"].unique().tolist() == [expected.p]
    assert rows["critical_difference"].iloc[0] == critical_difference(2, 4, 0.05)
    assert rows["n"].iloc[0] == 2
    assert rows.loc["random", "median"] == pytest.approx(np.median(-blocks[:, 2]))
    second = [
        -table[(table["arm"] == arm) & (table["budget"] == budgets[1])]["hypervolume"].to_numpy()
        for arm, budgets in BUDGETS.items()
    ]
    rows = ranks[(ranks["test"] == "kruskal_wallis") & (ranks["level"] == "2 of 2")].set_index(["indicator", "arm"])
    assert rows.loc["hypervolume"]["p"].unique().tolist() == [kruskal_wallis(second).p]
    assert rows.loc["hypervolume"]["n"].unique().tolist() == [12]
    assert set(pairs.groupby("test")["post_hoc"].unique().map(tuple)) == {("nemenyi", "wilcoxon"), ("dunn",)}


def test_ranks_say_what_they_assume_and_what_follows() -> None:
    ranks, pairs = rank(indicators())
    friedmans = ranks[ranks["test"] == "friedman"]
    assert friedmans["assumption"].str.contains("not independent").all()
    assert ranks[ranks["test"] == "kruskal_wallis"]["assumption"].str.contains("all searches are independent").all()
    dunn = pairs[(pairs["post_hoc"] == "dunn") & (pairs["indicator"] == "hypervolume")]
    with_surrogate = (dunn["first_arm"] == "surrogate") | (dunn["second_arm"] == "surrogate")
    assert set(dunn[with_surrogate]["favours"]) == {"surrogate"}
    assert set(dunn[~with_surrogate]["favours"]) == {"neither"}
    kruskal = ranks[ranks["test"] == "kruskal_wallis"].drop_duplicates(["indicator", "level"])
    np.testing.assert_array_equal(kruskal["p_holm"], holm(kruskal["p"].to_numpy()))


def test_problems_are_blocks() -> None:
    table = indicators()
    other = table.rename(columns={"best_macs": "best_parameters"})
    problems = {"macs": (table, OBJECTIVES), "parameters": (other, [OBJECTIVES[0], "parameters"])}
    ranks, pairs = rank_arms(problems, list(BUDGETS), BUDGETS, alpha=0.05)
    assert set(ranks["test"]) == {"friedman"}
    assert not ranks["indicator"].str.startswith("best_").any()
    assert ranks["n"].unique().tolist() == [4]
    assert ranks["assumption"].str.contains("problems at several pairs of budgets").all()
    assert "dunn" not in set(pairs["post_hoc"])
    one = {arm: budgets[:1] for arm, budgets in BUDGETS.items()}
    ranks, _ = rank_arms(problems, list(BUDGETS), one, alpha=0.05)
    assert ranks["assumption"].unique().tolist() == ["blocks are problems and independent of each other"]


def test_a_single_budget_has_no_blocks() -> None:
    one = {arm: budgets[:1] for arm, budgets in BUDGETS.items()}
    ranks, _ = rank_arms({"one": (indicators(), OBJECTIVES)}, list(BUDGETS), one, alpha=0.05)
    assert set(ranks["test"]) == {"kruskal_wallis"}


def test_two_arms_have_no_ranks() -> None:
    ranks, pairs = rank_arms({"one": (indicators(), OBJECTIVES)}, ["surrogate", "random"], BUDGETS, alpha=0.05)
    pd.testing.assert_frame_equal(ranks, RANKS.empty())
    pd.testing.assert_frame_equal(pairs, RANK_PAIRS.empty())


def test_ranks_need_as_many_budgets_of_every_arm() -> None:
    with pytest.raises(TableError, match=r"all must have as many; got \[1, 2\]"):
        rank_arms({"one": (indicators(), OBJECTIVES)}, list(BUDGETS), BUDGETS | {"nsga2": [25]}, alpha=0.05)
    with pytest.raises(TableError, match="no search of the arm nsga2 with a budget of 99"):
        rank_arms({"one": (indicators(), OBJECTIVES)}, list(BUDGETS), BUDGETS | {"nsga2": [25, 99]}, alpha=0.05)
