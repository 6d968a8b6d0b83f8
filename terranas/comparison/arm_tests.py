"""Tests between pairs of arms, for every pair of budgets and every indicator."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from terranas.benchmark.schema import Direction, direction
from terranas.comparison.schema import FAMILIES, INDICATORS, TESTS
from terranas.comparison.statistics import (
    RankTest,
    a12,
    effect_intervals,
    kolmogorov_smirnov,
    mann_whitney,
    shapiro_wilk,
    welch,
    wilcoxon,
)
from terranas.core.errors import TableError
from terranas.core.formats import counted
from terranas.core.holm import holm
from terranas.core.randomness import generator
from terranas.search.arms import CHARGED

TESTED = ("hypervolume", "igd_plus", "additive_epsilon", "mean_pairwise_distance", "diameter", "size")
"""Indicators tested besides the best value of each objective."""

PUBLISHED = ("published_hypervolume", "published_mean_pairwise_distance")
"""Indicators of the thesis's released code; their tests are a family of their own."""

_SHARING = (CHARGED, frozenset({"random", "random_published"}))
"""Arms that share something of each seed: a training sample, or the starts."""

_ADJUSTED = ("p", "mann_whitney_p", "wilcoxon_p", "kolmogorov_smirnov_p", "welch_p")
_NO_TEST = RankTest(np.nan, np.nan, np.nan, "")


def indicator_family(objectives: Sequence[str]) -> list[str]:
    """Return the columns of the indicators' table that are tested; with pairs and budgets they form Holm's family."""
    return [*(f"best_{name}" for name in objectives), *TESTED]


def indicator_direction(indicator: str) -> Direction:
    """Return which way an indicator is better.

    Raises:
        TableError: there is no such indicator, or it has no direction.
    """
    if indicator.startswith("best_"):
        return direction(indicator.removeprefix("best_"))
    if indicator.startswith("regret_"):
        return "minimise"
    found = INDICATORS.column(indicator).direction
    if found is None:
        raise TableError(f"'{indicator}' is no indicator that has a better direction.")
    return found


def seeds_form_pairs(first_arm: str, second_arm: str) -> bool:
    """Return whether equal seeds of two arms belong together.

    They do where both use that seed's training sample, and where both start from the same random architectures. Seeds
    of all other arms are independent samples: they share neither starts nor random streams.
    """
    return any(first_arm in arms and second_arm in arms for arms in _SHARING)


def compare_arms(
    indicators: pd.DataFrame,
    objectives: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    budgets: Mapping[str, Sequence[int]],
    *,
    alpha: float,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Test arms against each other.

    One test of each row decides: Mann-Whitney's, or Wilcoxon's where seeds form pairs. The deciding tests of all rows
    of a family are adjusted together; the other tests are shown beside them, each kind adjusted by itself. The
    indicators of the released code are a family of their own, tested where they are defined.

    A search without a front has no indicators and is left out, in pairs together with its partner; ``first_n`` and
    ``second_n`` tell how many are left.

    Args:
        indicators: indicators of all arms, schema ``comparison.indicators``.
        objectives: names of the objectives.
        pairs: arms that are compared.
        budgets: of every arm of the pairs, as many as of the others; those of one place are compared.
        alpha: level of the tests; intervals cover 1 - alpha.
        resamples: bootstrap resamples.
        seed: the study's seed.

    Returns:
        A table of the schema ``TESTS``. Differences and effects are first against second arm, so A12 above .5 says
        that the first arm has the larger values (``favours`` takes the indicator's direction into account).

    Raises:
        TableError: the indicators lack a budget of an arm, two arms have different numbers of budgets, or two arms
            whose seeds form pairs have no seed in common.
    """
    rows: list[dict[str, Any]] = []
    for pair in pairs:
        if len(budgets[pair[0]]) != len(budgets[pair[1]]):
            raise TableError(
                f"The arms {pair[0]} and {pair[1]} are compared at budgets of equal place, so both must have as many; "
                f"got {len(budgets[pair[0]])} and {len(budgets[pair[1]])}. Set search.budgets accordingly."
            )
        for both in zip(budgets[pair[0]], budgets[pair[1]], strict=True):
            first, second = (searches_of(indicators, arm, budget) for arm, budget in zip(pair, both, strict=True))
            for family, names in zip(FAMILIES, (indicator_family(objectives), PUBLISHED), strict=True):
                known = [name for name in names if not (first[name].isna().any() or second[name].isna().any())]
                rows += [_compare(first, second, name, family, alpha, resamples, seed) for name in known]
    if not rows:
        return TESTS.empty()
    return _adjust(pd.DataFrame(rows), alpha)


def _compare(
    first_rows: pd.DataFrame,
    second_rows: pd.DataFrame,
    indicator: str,
    family: str,
    alpha: float,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    first_arm, second_arm = str(first_rows["arm"].iloc[0]), str(second_rows["arm"].iloc[0])
    paired = seeds_form_pairs(first_arm, second_arm)
    if paired:
        # the published way can lose all of a front, and that seed has no indicators
        first_rows, second_rows = _common_seeds(first_rows, second_rows)
    budgets = int(first_rows["budget"].iloc[0]), int(second_rows["budget"].iloc[0])
    first = first_rows[indicator].to_numpy(dtype=np.float64)
    second = second_rows[indicator].to_numpy(dtype=np.float64)
    ranks = mann_whitney(first, second)
    signed = wilcoxon(first, second) if paired else _NO_TEST
    decides = signed if paired else ranks
    # named by what is compared: an interval does not change when another pair is added
    rng = generator(seed, "comparison.bootstrap", first_arm, second_arm, *budgets, indicator)
    intervals = effect_intervals(first, second, paired=paired, alpha=alpha, resamples=resamples, rng=rng)
    effect = a12(first, second)
    return {
        "dataset": first_rows["dataset"].iloc[0],
        "first_arm": first_arm,
        "second_arm": second_arm,
        "first_budget": budgets[0],
        "second_budget": budgets[1],
        "first_charged": int(first_rows["charged"].iloc[0]),
        "second_charged": int(second_rows["charged"].iloc[0]),
        "indicator": indicator,
        "better": "higher" if indicator_direction(indicator) == "maximise" else "lower",
        "family": family,
        "paired": paired,
        "first_n": len(first),
        "second_n": len(second),
        "first_median": np.median(first),
        "second_median": np.median(second),
        "median_difference": np.median(first) - np.median(second),
        "median_difference_low": intervals.median_difference.low,
        "median_difference_high": intervals.median_difference.high,
        "test": "wilcoxon" if paired else "mann_whitney",
        "method": decides.method,
        "p": decides.p,
        "share": decides.share,  # signed ranks can point elsewhere than A12, which knows no pairs
        "u": ranks.statistic,
        "mann_whitney_method": ranks.method,
        "mann_whitney_p": ranks.p,
        "w": signed.statistic,
        "wilcoxon_method": signed.method,
        "wilcoxon_p": signed.p,
        "kolmogorov_smirnov_p": kolmogorov_smirnov(first, second),
        "welch_p": welch(first, second),
        "first_shapiro_wilk_p": shapiro_wilk(first),
        "second_shapiro_wilk_p": shapiro_wilk(second),
        "a12": effect,
        "a12_low": intervals.a12.low,
        "a12_high": intervals.a12.high,
        "cliffs_delta": 2 * effect - 1,
        "cliffs_delta_low": intervals.cliffs_delta.low,
        "cliffs_delta_high": intervals.cliffs_delta.high,
    }


def _common_seeds(first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    common = set(first["seed"]) & set(second["seed"])
    if not common:
        raise TableError(
            f"The seeds of {first['arm'].iloc[0]} and {second['arm'].iloc[0]} form pairs, but the indicators hold no "
            "seed of both. Remove the comparison folder of this study and run again."
        )
    return first[first["seed"].isin(common)], second[second["seed"].isin(common)]


def _adjust(table: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Return the table with adjusted p-values and what they decide."""
    for family, rows in table.groupby("family").indices.items():
        own = table.iloc[rows]
        for name in _ADJUSTED:
            table.loc[own.index, f"{name}_holm"] = holm(own[name].to_numpy(dtype=np.float64))
        table.loc[own.index, "family_members"] = _family_members(own, str(family))
    table["alpha"] = alpha
    table["significant"] = table["p_holm"] < alpha
    share = table.pop("share")
    winner = np.where((share > 0.5) == (table["better"] == "higher"), table["first_arm"], table["second_arm"])
    table["favours"] = np.where(table["significant"] & (share != 0.5), winner, "neither")
    return TESTS.validate(table)


def _family_members(rows: pd.DataFrame, family: str) -> str:
    pairs = len(rows.drop_duplicates(["first_arm", "second_arm"]))
    budgets = len(rows.drop_duplicates(["first_arm", "second_arm", "first_budget", "second_budget"]))
    return (
        f"{counted(len(rows), 'test')}: {counted(rows['indicator'].nunique(), 'indicator')}"
        f"{' of the released code' if family == 'published' else ''} at "
        f"{counted(budgets, 'pair of budgets', 'pairs of budgets')} of {counted(pairs, 'pair')} of arms"
    )


def searches_of(indicators: pd.DataFrame, arm: str, budget: int) -> pd.DataFrame:
    """Return the searches of an arm with a budget, in the order of their seeds.

    Raises:
        TableError: there are none: all of them ended without a front.
    """
    rows = indicators[(indicators["arm"] == arm) & (indicators["budget"] == budget)]
    if rows.empty:
        raise TableError(
            f"The indicators hold no search of the arm {arm} with a budget of {budget} evaluations: none of its seeds "
            "ended with a front. Take the arm out of search.arms and comparison.pairs, or raise the smallest of "
            "search.budgets."
        )
    return rows.sort_values("seed")
