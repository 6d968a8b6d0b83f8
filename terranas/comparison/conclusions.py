"""What the tests between the arms say, one sentence a row, and what becomes of the thesis's three conclusions.

Demir (master's thesis, 2023, section 4.2.2) compares surrogate with random starts and concludes that surrogate starts
end with the lower best cost (training time), random starts with the better best accuracy, and surrogate starts with the
higher diversity (mean pairwise distance of the front). Each is restated for the objectives and budgets at hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from terranas.comparison.figures import Objective, indicator_text, indicator_words
from terranas.comparison.schema import CONCLUSIONS
from terranas.core.formats import count, counted, fixed, listed, percent, sentence, significant
from terranas.search.arms import ARM_NAMES

WHICH = "which arm is better"
"""Statement of the rows that judge no conclusion."""

_COMPARED = (("surrogate", "random"), ("surrogate_published", "random_published"))
_DIVERSITY = ("mean_pairwise_distance", "published_mean_pairwise_distance")


@dataclass(frozen=True)
class Claim:
    """A conclusion of the thesis.

    Attributes:
        statement: the conclusion in words.
        winner: place of the arm that it says to be ahead, in a pair of surrogate and random starts.
        indicators: columns of the indicators' table that it speaks of.
    """

    statement: str
    winner: int
    indicators: tuple[str, ...]


def thesis_claims(objectives: Sequence[Objective]) -> list[Claim]:
    """Return those of the thesis's three conclusions that the objectives allow.

    Args:
        objectives: of the study; minimised ones are costs, maximised ones qualities.
    """
    costs = tuple(f"best_{objective.name}" for objective in objectives if not objective.maximised)
    gains = tuple(f"best_{objective.name}" for objective in objectives if objective.maximised)
    claims = (
        Claim("surrogate starts end with the lower best cost", 0, costs),
        Claim("random starts end with the better best accuracy", 1, gains),
        Claim("surrogate starts end with the higher diversity", 0, _DIVERSITY),
    )
    return [claim for claim in claims if claim.indicators]


def conclusions(tests: pd.DataFrame, objectives: Sequence[Objective]) -> pd.DataFrame:
    """Return what the tests say of each pair of arms and indicator over all budgets.

    An arm is named where at least one pair of budgets is significant in its favour and none in the other's, ``mixed``
    where both happens, ``neither`` where nothing is significant. A conclusion of the thesis is ``supported`` where
    the arm that it names is, ``contradicted`` where the other one is, and ``open`` otherwise. Medians, A12 and p are
    those of the pair of budgets with the clearest effect, among the significant ones if there are any.

    Args:
        tests: schema ``comparison.tests``.
        objectives: of the study.

    Returns:
        A table of the schema ``CONCLUSIONS``; the thesis's conclusions come first.
    """
    found: dict[Any, pd.DataFrame] = dict(iter(tests.groupby(["first_arm", "second_arm", "indicator"], sort=False)))
    rows: list[dict[str, Any]] = []
    for claim in thesis_claims(objectives):
        for pair in _COMPARED:
            for indicator in claim.indicators:
                for arms in (pair, pair[::-1]):
                    if (own := found.get((*arms, indicator))) is not None:
                        rows.append(_claim_row(claim, pair[claim.winner], own, objectives))
    for own in found.values():
        verdict = _verdict(own)
        rows.append(_row(own, WHICH, verdict, _which_sentence(own, verdict, objectives)))
    return CONCLUSIONS.from_rows(rows)


def _claim_row(claim: Claim, winner: str, tests: pd.DataFrame, objectives: Sequence[Objective]) -> dict[str, Any]:
    verdict = _verdict(tests)
    judged = "supported" if verdict == winner else "contradicted" if verdict in ARM_NAMES else "open"
    published = str(tests["first_arm"].iloc[0]).endswith("_published")
    by = indicator_words(str(tests["indicator"].iloc[0]), objectives)
    where = f"for {by}{', searched the published way' if published else ''}"
    outcome = {"supported": "is supported", "contradicted": "is contradicted", "open": "stays open"}[judged]
    words = f"That {claim.statement} {outcome} {where}: {_finding(tests, verdict, objectives)}"
    return _row(tests, claim.statement, judged, words)


def _verdict(tests: pd.DataFrame) -> str:
    """Return the arm that the significant tests favour, or ``mixed`` or ``neither``."""
    winners = sorted(set(tests["favours"]) - {"neither"})
    return "neither" if not winners else winners[0] if len(winners) == 1 else "mixed"


def _row(tests: pd.DataFrame, statement: str, verdict: str, words: str) -> dict[str, Any]:
    clearest = _clearest(tests)
    shared = ("dataset", "first_arm", "second_arm", "indicator", "better", "first_median", "second_median", "p_holm")
    effect = ("a12", "a12_low", "a12_high")
    return {name: clearest[name] for name in (*shared, *effect)} | {
        "statement": statement,
        "tests": len(tests),
        "first_wins": int((tests["favours"] == tests["first_arm"]).sum()),
        "second_wins": int((tests["favours"] == tests["second_arm"]).sum()),
        "verdict": verdict,
        "sentence": words,
    }


def _clearest(tests: pd.DataFrame) -> pd.Series:
    among = tests[tests["significant"]] if tests["significant"].any() else tests
    return among.iloc[int((among["a12"] - 0.5).abs().to_numpy().argmax())]


def _which_sentence(tests: pd.DataFrame, verdict: str, objectives: Sequence[Objective]) -> str:
    name = sentence(indicator_words(str(tests["indicator"].iloc[0]), objectives))
    return f"{name} ({tests['better'].iloc[0]} is better): {_finding(tests, verdict, objectives)}"


def _finding(tests: pd.DataFrame, verdict: str, objectives: Sequence[Objective]) -> str:
    """Return how often the tests favour which arm, and the numbers of the clearest pair of budgets."""
    clearest = _clearest(tests)
    arms = [str(tests[name].iloc[0]) for name in ("first_arm", "second_arm")]
    budgets = counted(len(tests), "pair of budgets", "pairs of budgets")
    if verdict == "neither":
        lead = f"the tests favour neither {ARM_NAMES[arms[0]]} nor {ARM_NAMES[arms[1]]} at any of {budgets}"
    else:
        wins = [(arm, int((tests["favours"] == arm).sum())) for arm in arms]
        lead = (
            f"the tests favour {listed([f'{ARM_NAMES[arm]} at {count(won)}' for arm, won in wins if won])} of {budgets}"
        )
    interval = percent(1 - clearest["alpha"], 0 if float(100 * clearest["alpha"]).is_integer() else 1)
    medians = [
        f"{indicator_text(clearest['indicator'], clearest[f'{which}_median'], objectives)} ({ARM_NAMES[arm]})"
        for which, arm in zip(("first", "second"), arms, strict=True)
    ]
    p = "below 0.001" if clearest["p_holm"] < 0.001 else significant(clearest["p_holm"], 2)
    return (
        f"{lead}. The effect is clearest at {count(clearest['first_budget'])} against "
        f"{count(clearest['second_budget'])} evaluations: medians {listed(medians)}, chance that the "
        f"value of {ARM_NAMES[arms[0]]} is the larger (A12) {fixed(clearest['a12'])} ({interval} interval "
        f"{fixed(clearest['a12_low'])} to {fixed(clearest['a12_high'])}), adjusted p {p}."
    )
