"""Ranks of all arms together: Friedman over blocks, and Kruskal-Wallis at each pair of budgets.

Friedman's test, with the critical difference that papers draw, wants blocks that are independent of each other; in the
literature they are problems (Demsar, JMLR 7, 2006). A study has few: its objective sets, each at several budgets, and a
smaller budget is the beginning of a larger one. Its searches are independent repetitions, for which Kruskal and
Wallis's test with Dunn's comparisons is the one whose assumptions hold. Both are given, each row with what it assumes.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.comparison.arm_tests import TESTED, indicator_direction, indicator_family, searches_of
from terranas.comparison.rank_statistics import (
    Omnibus,
    critical_difference,
    dunn,
    friedman,
    kruskal_wallis,
    nemenyi,
    pairwise_wilcoxon,
)
from terranas.comparison.schema import RANK_PAIRS, RANKS
from terranas.core.errors import TableError
from terranas.core.holm import holm

FEWEST_ARMS = 3
"""With fewer arms there is nothing to rank that the tests of pairs do not say."""

_ONE_PROBLEM = (
    "blocks are pairs of budgets of one problem, and a smaller budget is the beginning of a larger one: they are not "
    "independent, and p is too small"
)
_PROBLEMS = "blocks are problems and independent of each other"
_BOTH = "blocks are problems at several pairs of budgets; those of one problem are not independent, and p is too small"
_INDEPENDENT = (
    "all searches are independent, and equally distributed if the arms do not differ; arms that share a training "
    "sample are taken for independent"
)


def rank_arms(
    problems: Mapping[str, tuple[pd.DataFrame, Sequence[str]]],
    arms: Sequence[str],
    budgets: Mapping[str, Sequence[int]],
    *,
    alpha: float,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rank all arms by every indicator.

    Friedman's blocks are the problems at each pair of budgets; the value of an arm in a block is its median over the
    seeds. With several problems only the indicators that all of them have are ranked, and Kruskal-Wallis, which takes
    the searches as they are, is made of a single problem only.

    Args:
        problems: by name, the indicators of all arms (schema ``comparison.indicators``) and the objectives.
        arms: arms that are ranked.
        budgets: of every arm, as many as of the others; those of one place are compared.
        alpha: level of the tests.

    Returns:
        Tables of the schemas ``RANKS`` and ``RANK_PAIRS``, empty for fewer than three arms. Friedman's rows are left
        out where there is a single block.

    Raises:
        TableError: the indicators lack an arm or a budget, or the arms have different numbers of budgets.
    """
    if len(arms) < FEWEST_ARMS:
        return RANKS.empty(), RANK_PAIRS.empty()
    places = {len(budgets[arm]) for arm in arms}
    if len(places) > 1:
        raise TableError(
            f"Arms are ranked at budgets of equal place, so all must have as many; got {sorted(places)}. Set "
            "search.budgets accordingly."
        )
    samples = {
        name: {arm: [searches_of(table, arm, budget) for budget in budgets[arm]] for arm in arms}
        for name, (table, _) in problems.items()
    }
    single = next(iter(problems.values())) if len(problems) == 1 else None
    names = indicator_family(single[1]) if single else list(TESTED)
    count = places.pop()
    ranks: list[dict[str, Any]] = []
    pairs: list[dict[str, Any]] = []
    for indicator in names:
        sign = -1.0 if indicator_direction(indicator) == "maximise" else 1.0
        common = {
            "dataset": ", ".join(sorted({str(table["dataset"].iloc[0]) for table, _ in problems.values()})),
            "indicator": indicator,
            "better": "lower" if sign > 0 else "higher",
            "alpha": alpha,
        }
        # blocks x arms, smaller is better
        medians = np.array(
            [
                [sign * float(found[arm][place][indicator].median()) for arm in arms]
                for found in samples.values()
                for place in range(count)
            ]
        )
        if len(medians) > 1:
            blocks = f"{len(problems)} problems at {count} pairs of budgets" if not single else f"{count} budgets"
            assumes = _ONE_PROBLEM if single else _PROBLEMS if count == 1 else _BOTH
            own = common | {"test": "friedman", "level": "all", "blocks": f"{blocks}, median over the seeds"}
            _add_friedman(ranks, pairs, own | {"assumption": assumes}, medians, arms, sign, alpha)
        if not single:
            continue
        for place in range(count):
            values = [
                sign * next(iter(samples.values()))[arm][place][indicator].to_numpy(dtype=np.float64) for arm in arms
            ]
            own = common | {
                "test": "kruskal_wallis",
                "level": f"{place + 1} of {count}",
                "blocks": "none; searches are repeated",
            }
            _add_kruskal_wallis(ranks, pairs, own | {"assumption": _INDEPENDENT}, values, arms, sign)
    return _finish(ranks, alpha), RANK_PAIRS.from_rows([_judged(pair, alpha) for pair in pairs])


def _add_friedman(
    ranks: list[dict[str, Any]],
    pairs: list[dict[str, Any]],
    common: dict[str, Any],
    values: NDArray[np.float64],
    arms: Sequence[str],
    sign: float,
    alpha: float,
) -> None:
    """Append the rows of Friedman's test of ``values``, shape (blocks, arms), and of its two post-hoc tests."""
    result = friedman(values)
    difference = critical_difference(len(values), len(arms), alpha)
    medians = sign * np.median(values, axis=0)
    ranks += _omnibus_rows(common, result, arms, medians, len(values), difference)
    adjusted = nemenyi(result.mean_ranks, len(values))
    pairs += _pair_rows(common, "nemenyi", result, arms, adjusted, adjusted)
    pairs += _pair_rows(common, "wilcoxon", result, arms, *pairwise_wilcoxon(values))


def _add_kruskal_wallis(
    ranks: list[dict[str, Any]],
    pairs: list[dict[str, Any]],
    common: dict[str, Any],
    values: list[NDArray[np.float64]],
    arms: Sequence[str],
    sign: float,
) -> None:
    """Append the rows of Kruskal and Wallis's test of one sample an arm, and of Dunn's."""
    result = kruskal_wallis(values)
    medians = sign * np.array([np.median(sample) for sample in values])
    ranks += _omnibus_rows(common, result, arms, medians, min(map(len, values)), np.nan)
    pairs += _pair_rows(common, "dunn", result, arms, *dunn(values))


def _omnibus_rows(
    common: dict[str, Any],
    result: Omnibus,
    arms: Sequence[str],
    medians: NDArray[np.float64],
    size: int,
    difference: float,
) -> list[dict[str, Any]]:
    shared = {
        "n": size,
        "arms": len(arms),
        "statistic": result.statistic,
        "p": result.p,
        "f": result.f,
        "critical_difference": difference,
    }
    return [
        common | shared | {"arm": arm, "median": float(medians[column]), "mean_rank": float(result.mean_ranks[column])}
        for column, arm in enumerate(arms)
    ]


def _pair_rows(
    common: dict[str, Any],
    post_hoc: str,
    result: Omnibus,
    arms: Sequence[str],
    p: NDArray[np.float64],
    adjusted: NDArray[np.float64],
) -> list[dict[str, Any]]:
    shared = {name: common[name] for name in ("dataset", "test", "indicator", "better", "level")}
    return [
        shared
        | {
            "first_arm": arms[one],
            "second_arm": arms[other],
            "rank_difference": float(result.mean_ranks[one] - result.mean_ranks[other]),
            "post_hoc": post_hoc,
            "p": float(p[one, other]),
            "p_holm": float(adjusted[one, other]),
        }
        for one, other in combinations(range(len(arms)), 2)
    ]


def _judged(pair: dict[str, Any], alpha: float) -> dict[str, Any]:
    significant = bool(pair["p_holm"] < alpha) and pair["rank_difference"] != 0
    winner = pair["first_arm"] if pair["rank_difference"] < 0 else pair["second_arm"]
    return pair | {"alpha": alpha, "significant": significant, "favours": winner if significant else "neither"}


def _finish(rows: list[dict[str, Any]], alpha: float) -> pd.DataFrame:
    """Return the table of ranks with the omnibus tests of each kind adjusted together."""
    table = pd.DataFrame(rows)
    table["p_holm"] = np.nan
    for _, own in table.groupby("test"):
        tests = own.drop_duplicates(["indicator", "level"])[["indicator", "level", "p"]]
        adjusted = tests.assign(p_holm=holm(tests["p"].to_numpy(dtype=np.float64))).drop(columns="p")
        merged = own[["indicator", "level"]].merge(adjusted, on=["indicator", "level"], how="left")
        table.loc[own.index, "p_holm"] = merged["p_holm"].to_numpy()
    table["significant"] = table["p_holm"] < alpha
    return RANKS.validate(table)
