"""Stand-in tables of a small search study: plausible numbers in every schema that pages on the searches read."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from terranas.comparison.arm_ranks import rank_arms
from terranas.comparison.arm_tests import compare_arms
from terranas.comparison.conclusions import conclusions
from terranas.comparison.figures import Objective
from terranas.comparison.schema import CONCLUSIONS, INDICATORS, RANKS, REFERENCES, TESTS
from terranas.comparison.study import SearchStudy
from terranas.core.page import Picture
from terranas.core.tables import write_table
from terranas.search.arms import CHARGED, METHOD_OF, PUBLISHED
from terranas.search.schema import RUNS
from terranas.surrogates.schema import CALIBRATION, PLATEAUS

ACCURACY, COST = "validation_micro_accuracy", "macs"
OBJECTIVES = [ACCURACY, COST]
AXES = [Objective(ACCURACY, "maximise"), Objective(COST, "minimise", "MAC")]
CHARGED_BUDGETS, OTHER_BUDGETS = [10, 15, 20, 25], [25, 30, 35, 40]
SEEDS = 12
SAMPLE = 15
PAIR = ("surrogate", "random")
ARMS = (*PAIR, "random_published", "nsga2")


def budgets_of(arm: str) -> list[int]:
    """Return the budgets of an arm."""
    return CHARGED_BUDGETS if arm in CHARGED else OTHER_BUDGETS


def search_study(dataset: str = "some images", *, shift: float = 0.03, **replaced: Any) -> SearchStudy:
    """Return a study; ``shift`` is how much better the hypervolume of surrogate starts is on average."""
    given: dict[str, Any] = {
        "objectives": AXES,
        "pairs": [PAIR],
        "training_sample": SAMPLE,
        "unknown": "predict",
        "reference": {"reference": REFERENCES[0], "reference_points": 12, "reference_hypervolume": 0.9123},
        "runs": run_table(dataset),
    }
    tables = {name: table.assign(dataset=dataset) for name, table in _tables(shift).items()}
    return SearchStudy(**(given | tables | replaced))


@cache
def _tables(shift: float) -> dict[str, pd.DataFrame]:
    """Return indicators, and what follows from them; tests with bootstrap intervals take a while."""
    indicators = indicator_table("some images", shift, np.random.default_rng(7))
    budgets = {arm: budgets_of(arm) for arm in ARMS}
    tests = compare_arms(indicators, OBJECTIVES, [PAIR], budgets, alpha=0.05, resamples=100, seed=0)
    ranks, _ = rank_arms({"study": (indicators, OBJECTIVES)}, ARMS, budgets, alpha=0.05)
    return {
        "indicators": indicators,
        "tests": tests,
        "ranks": ranks,
        "conclusions": conclusions(tests, AXES),
    }


def run_table(dataset: str = "some images", arms: tuple[str, ...] = ARMS) -> pd.DataFrame:
    """Return runs that all spent their budget on known architectures."""
    rows = [
        {
            "arm": arm,
            "dataset": dataset,
            "budget": budget,
            "charged": budget + (SAMPLE if arm in CHARGED else 0),
            "seed": seed,
            "starts_wanted": 0 if arm == "nsga2" else 4,
            "starts": 0 if arm == "nsga2" else 4,
            "evaluations": budget + (7 if METHOD_OF[arm] == PUBLISHED else 0),
            "distinct": budget,
            "predicted": 0,
            "without_value": 0,
            "stopped_by": "budget",
        }
        for arm in arms
        for budget in budgets_of(arm)
        for seed in range(SEEDS)
    ]
    return RUNS.from_rows(rows)


def indicator_table(dataset: str, shift: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return indicators of all arms."""
    rows = []
    for arm in ARMS:
        for step, budget in enumerate(budgets_of(arm)):
            for seed in range(SEEDS):
                volume = 0.7 + 0.03 * step + (shift if arm == "surrogate" else 0) + float(rng.normal(0, 0.01))
                size = int(rng.integers(3, 9))
                accuracy = float(rng.uniform(0.48, 0.55))
                rows.append(
                    {
                        "arm": arm,
                        "dataset": dataset,
                        "budget": budget,
                        "charged": budget + (SAMPLE if arm in CHARGED else 0),
                        "seed": seed,
                        "size": size,
                        "hypervolume": volume,
                        "hypervolume_per_point": volume / size,
                        "hypervolume_regret": 0.9123 - volume,
                        "igd_plus": max(0.0, 0.9 - volume + float(rng.normal(0, 0.02))),
                        "additive_epsilon": max(0.0, 0.95 - volume),
                        "diameter": float(rng.integers(4, 9)),
                        "mean_pairwise_distance": float(rng.uniform(2, 5)),
                        "published_hypervolume": float(rng.uniform(0, 1)),
                        "published_mean_pairwise_distance": float(rng.uniform(0, 1)),
                        "predicted": 0.0,
                        f"best_{ACCURACY}": accuracy,
                        f"mean_{ACCURACY}": float(rng.uniform(0.3, 0.4)),
                        f"std_{ACCURACY}": 0.1,
                        f"regret_{ACCURACY}": 0.6 - accuracy,
                        f"best_{COST}": 2.5e5,
                        f"mean_{COST}": 1e6,
                        f"std_{COST}": 4e5,
                        f"regret_{COST}": 0.0,
                    }
                )
    return INDICATORS.from_rows(rows)


def plateau_table() -> pd.DataFrame:
    """Return plateaus, one found and one not."""
    shared = {"dataset": "some images", "surrogate": "xgboost", "score": "spearman", "tolerance": 0.02, "alpha": 0.05}
    sizes = {"repeats": 5, "largest_size": 45, "largest_mean": 0.91}
    found = {"objective": COST, "size": 35, "mean": 0.906, "p_value": 0.01}
    none = {"objective": ACCURACY, "size": None, "mean": np.nan, "p_value": np.nan}
    return PLATEAUS.from_rows([shared | sizes | found, shared | sizes | none])


def calibration_table() -> pd.DataFrame:
    """Return the calibration of one metric at two levels."""
    shared = {"dataset": "some images", "metric": ACCURACY, "held_out": 18, "trained": 60, "calibrated": 13}
    scores = {"members": 5, "log": False, "member_std": 0.01, "residual_std": 0.02, "rmse": 0.03, "r2": 0.71}
    return CALIBRATION.from_rows(
        [shared | scores | {"level": level, "coverage": level - 0.013, "spearman": 0.83} for level in (0.5, 0.95)]
    )


class Inputs(SimpleNamespace):
    """Inputs of a rule, by name."""

    def items(self) -> Any:
        """Return names and paths, as Snakemake's inputs do."""
        return vars(self).items()


def parameters_of(study: SearchStudy) -> dict[str, Any]:
    """Return what a rule says of a study besides its tables."""
    return {
        "objectives": [objective.name for objective in study.objectives],
        "pairs": [list(pair) for pair in study.pairs],
        "training_sample": study.training_sample,
        "unknown": study.unknown,
    }


def write_search_study(study: SearchStudy, folder: Path) -> dict[str, Any]:
    """Write the tables of a study as the workflow does and return their paths by name of the input."""
    paths: dict[str, Any] = {"runs": []}
    for arm in study.arms:
        paths["runs"].append(folder / f"runs_{arm}.parquet")
        write_table(study.runs[study.runs["arm"] == arm], paths["runs"][-1], RUNS)
    schemas = {"indicators": INDICATORS, "tests": TESTS, "ranks": RANKS, "conclusions": CONCLUSIONS}
    for name, schema in schemas.items():
        paths[name] = folder / f"{name}.parquet"
        facts = study.reference if name == "indicators" else None
        write_table(getattr(study, name), paths[name], schema, facts)
    return paths


def write_pictures(pictures: Sequence[Picture], folder: Path) -> Path:
    """Write figures and the JSON file with their texts, whose path is returned."""
    for picture in pictures:
        (folder / f"{picture.name}.png").write_bytes(picture.png)
    words = folder / "figure_words.json"
    texts = {picture.name: {"alt": picture.alt, "caption": picture.caption} for picture in pictures}
    words.write_text(json.dumps(texts), encoding="utf-8")
    return words
