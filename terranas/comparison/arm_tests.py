"""Tests of the surrogate against the random arm, for every pair of budgets and every indicator."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.schema import Direction, direction
from terranas.comparison.schema import INDICATORS
from terranas.comparison.statistics import a12, bootstrap_intervals, holm, mann_whitney
from terranas.core.errors import TableError
from terranas.core.randomness import generator

TESTED = ("hypervolume", "igd_plus", "mean_pairwise_distance", "diameter", "size")
"""Indicators tested besides the best value of each objective."""


def indicator_family(objectives: Sequence[str]) -> list[str]:
    """Return the columns of the indicators' table that are tested; with the budgets they form Holm's family."""
    return [*(f"best_{name}" for name in objectives), *TESTED]


def indicator_direction(indicator: str) -> Direction:
    """Return which way an indicator is better.

    Raises:
        TableError: there is no such indicator, or it has no direction.
    """
    if indicator.startswith("best_"):
        return direction(indicator.removeprefix("best_"))
    found = INDICATORS.column(indicator).direction
    if found is None:
        raise TableError(f"'{indicator}' is no indicator that has a better direction.")
    return found


def compare_arms(
    indicators: pd.DataFrame,
    objectives: Sequence[str],
    pairs: Sequence[tuple[int, int]],
    *,
    alpha: float,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Test the arms against each other.

    The seeds of the two arms are independent samples: they share neither starts nor random streams. All tests form
    one family for Holm's correction.

    Args:
        indicators: indicators of both arms, schema ``comparison.indicators``.
        objectives: names of the objectives.
        pairs: budgets of the surrogate and of the random arm that are compared.
        alpha: level of the tests; intervals cover 1 - alpha.
        resamples: bootstrap resamples.
        seed: the study's seed.

    Returns:
        One row a pair and indicator; differences and effects are surrogate against random, so A12 above .5 says
        that the surrogate arm has the larger values (``favours`` takes the indicator's direction into account).

    Raises:
        TableError: the indicators lack a budget of a pair.
    """
    rows: list[dict[str, Any]] = []
    for number, (surrogate_budget, random_budget) in enumerate(pairs):
        surrogate_rows = _of(indicators, "surrogate", surrogate_budget)
        random_rows = _of(indicators, "random", random_budget)
        for indicator in indicator_family(objectives):
            first = _sample(surrogate_rows, indicator)
            second = _sample(random_rows, indicator)
            test = mann_whitney(first, second)
            rng = generator(seed, "comparison.bootstrap", number, indicator)
            difference, effect = bootstrap_intervals(first, second, alpha=alpha, resamples=resamples, rng=rng)
            rows.append(
                {
                    "dataset": surrogate_rows["dataset"].iloc[0],
                    "indicator": indicator,
                    "better": "higher" if indicator_direction(indicator) == "maximise" else "lower",
                    "surrogate_budget": surrogate_budget,
                    "surrogate_charged": int(surrogate_rows["charged"].iloc[0]),
                    "random_budget": random_budget,
                    "surrogate_n": len(first),
                    "random_n": len(second),
                    "surrogate_median": np.median(first),
                    "random_median": np.median(second),
                    "median_difference": np.median(first) - np.median(second),
                    "median_difference_low": difference.low,
                    "median_difference_high": difference.high,
                    "u": test.u,
                    "method": test.method,
                    "p": test.p,
                    "a12": a12(first, second),
                    "a12_low": effect.low,
                    "a12_high": effect.high,
                }
            )
    table = pd.DataFrame(rows)
    adjusted = holm(table["p"].to_numpy())
    table.insert(list(table.columns).index("p") + 1, "p_holm", adjusted)
    table["alpha"] = alpha
    table["significant"] = adjusted < alpha
    higher_wins = (table["a12"] > 0.5) == (table["better"] == "higher")
    table["favours"] = np.where(~table["significant"], "neither", np.where(higher_wins, "surrogate", "random"))
    return table


def _of(indicators: pd.DataFrame, arm: str, budget: int) -> pd.DataFrame:
    rows = indicators[(indicators["arm"] == arm) & (indicators["budget"] == budget)]
    if rows.empty:
        raise TableError(f"The indicators hold no search of the {arm} arm with a budget of {budget} evaluations.")
    return rows


def _sample(rows: pd.DataFrame, indicator: str) -> NDArray[np.float64]:
    return rows[indicator].to_numpy(dtype=np.float64)
