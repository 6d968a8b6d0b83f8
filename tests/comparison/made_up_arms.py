"""Made-up indicators of four arms, for the tests of tables."""

import numpy as np
import pandas as pd

from terranas.comparison.arm_tests import compare_arms
from terranas.comparison.figures import Objective
from terranas.comparison.schema import INDICATORS
from terranas.search.arms import CHARGED

OBJECTIVES = ["validation_micro_accuracy", "macs"]
AXES = [Objective("validation_micro_accuracy", "maximise"), Objective("macs", "minimise", "MAC")]
BUDGETS = {"surrogate": [10, 20], "surrogate_spread": [10, 20], "random": [25, 35], "nsga2": [25, 35]}
PAIRS = [("surrogate", "random")]


def indicators(seeds: int = 12) -> pd.DataFrame:
    """All arms draw from one distribution, but for hypervolume (surrogate higher) and best MACs (surrogate lower)."""
    rng = np.random.default_rng(0)
    rows = []
    for arm, budgets in BUDGETS.items():
        ahead = 1 if arm == "surrogate" else 0
        for budget in budgets:
            for seed in range(seeds):
                row = {
                    "arm": arm,
                    "dataset": "synthetic",
                    "budget": budget,
                    "charged": budget + 15 * (arm in CHARGED),
                    "seed": seed,
                    "size": int(rng.integers(3, 9)),
                    "hypervolume": 0.5 + 0.3 * ahead + 0.05 * rng.random(),
                    "hypervolume_per_point": 0.1,
                    "hypervolume_regret": 0.1,
                    "igd_plus": rng.random(),
                    "additive_epsilon": rng.random(),
                    "diameter": 4.0,
                    "mean_pairwise_distance": rng.random(),
                    "published_hypervolume": rng.random(),
                    "published_mean_pairwise_distance": 1 + ahead + rng.random(),
                    "predicted": 0.0,
                }
                row |= {"best_validation_micro_accuracy": rng.random(), "best_macs": 1e6 - 9e5 * ahead + rng.random()}
                rows.append(row)
    return INDICATORS.from_rows(rows)


def compare(table: pd.DataFrame, pairs: list[tuple[str, str]] = PAIRS, **options: object) -> pd.DataFrame:
    defaults = {"alpha": 0.05, "resamples": 200, "seed": 0}
    return compare_arms(table, OBJECTIVES, pairs, BUDGETS, **(defaults | options))
