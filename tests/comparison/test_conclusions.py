"""What the tests between arms are said to show."""

import pandas as pd
import pytest

from terranas.comparison.conclusions import WHICH, conclusions, thesis_claims
from terranas.comparison.figures import Objective
from terranas.search.arms import ARM_NAMES

from .made_up_arms import AXES, compare, indicators


def judge(tests: pd.DataFrame) -> pd.DataFrame:
    return conclusions(tests, AXES).set_index(["statement", "indicator"])


def test_thesis_claims_need_objectives() -> None:
    assert [claim.indicators[0] for claim in thesis_claims(AXES)] == [
        "best_macs",
        "best_validation_micro_accuracy",
        "mean_pairwise_distance",
    ]
    latency = Objective("latency_ms@edge", "minimise", "ms")
    assert thesis_claims([AXES[1], latency])[0].indicators == ("best_macs", "best_latency_ms@edge")
    assert len(thesis_claims([AXES[1], latency])) == 2


def test_conclusions_of_the_thesis() -> None:
    judged = judge(compare(indicators()))
    cost = judged.loc[("surrogate starts end with the lower best cost", "best_macs")]
    assert (cost["verdict"], cost["tests"], cost["first_wins"], cost["second_wins"]) == ("supported", 2, 2, 0)
    assert cost["sentence"].startswith(
        "That surrogate starts end with the lower best cost is supported for best MACs: the tests favour surrogate "
        "starts at 2 of 2 pairs of budgets."
    )
    gain = judged.loc[("random starts end with the better best accuracy", "best_validation_micro_accuracy")]
    assert gain["verdict"] == "open"
    assert "the tests favour neither surrogate starts nor random starts at any of 2 pairs" in gain["sentence"]
    diverse = "surrogate starts end with the higher diversity"
    assert judged.loc[(diverse, "mean_pairwise_distance"), "verdict"] == "open"
    assert judged.loc[(diverse, "published_mean_pairwise_distance"), "verdict"] == "supported"


@pytest.mark.parametrize("pair", [("surrogate", "random"), ("random", "surrogate")])
def test_a_conclusion_is_contradicted_whichever_arm_comes_first(pair: tuple[str, str]) -> None:
    table = indicators()
    table.loc[table["arm"] == "surrogate", "best_macs"] += 5e6
    judged = judge(compare(table, [pair]))
    cost = judged.loc[("surrogate starts end with the lower best cost", "best_macs")]
    assert cost["verdict"] == "contradicted"
    assert judged.loc[(WHICH, "best_macs"), "verdict"] == "random"


def test_verdicts_over_budgets() -> None:
    table = indicators()
    first = (table["arm"] == "surrogate") & (table["budget"] == 10)
    table.loc[first, "hypervolume"] -= 0.45
    judged = judge(compare(table)).loc[WHICH]
    assert judged.loc["hypervolume", "verdict"] == "mixed"
    assert (
        "the tests favour surrogate starts at 1 and random starts at 1 of 2 pairs" in judged["sentence"]["hypervolume"]
    )
    assert judged.loc["best_macs", "verdict"] == "surrogate"
    assert judged.loc["igd_plus", "verdict"] == "neither"
    row = judged.loc["best_macs"]
    assert row["sentence"].startswith("Best MACs (lower is better): the tests favour surrogate starts at 2 of 2")
    assert (
        "medians 100 k (surrogate starts) and 1.00 M (random starts)".replace(" k", "\u202fk").replace(" M", "\u202fM")
        in row["sentence"]
    )
    assert "the value of surrogate starts is the larger (A12) 0.00 (95\u202f% interval 0.00 to 0.1" in row["sentence"]


def test_numbers_of_a_conclusion_are_those_of_its_clearest_test() -> None:
    tests = compare(indicators())
    row = judge(tests).loc[(WHICH, "size")]
    own = tests[tests["indicator"] == "size"]
    clearest = own.loc[(own["a12"] - 0.5).abs().idxmax()]
    for name in ("a12", "a12_low", "a12_high", "p_holm", "first_median", "second_median"):
        assert row[name] == clearest[name]


def test_other_pairs_judge_no_conclusion_of_the_thesis() -> None:
    judged = conclusions(compare(indicators(), [("nsga2", "random")]), AXES)
    assert set(judged["statement"]) == {WHICH}
    assert judged["sentence"].str.contains(ARM_NAMES["nsga2"]).all()


def test_no_test_gives_no_conclusion() -> None:
    assert conclusions(compare(indicators(), []), AXES).empty
