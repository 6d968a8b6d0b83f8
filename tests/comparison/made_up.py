"""Made-up tables of searches for the tests of figures."""

import numpy as np
import pandas as pd

from terranas.comparison.figures import Objective
from terranas.core.pareto import nondominated
from terranas.search.arms import ARMS, CHARGED

ACCURACY = Objective("test_micro_accuracy", "maximise")
MACS = Objective("macs", "minimise", "MAC")
LATENCY = Objective("latency_ms@Raspberry Pi 4", "minimise", "ms")
TWO = (ACCURACY, MACS)
THREE = (ACCURACY, MACS, LATENCY)
LONG = "So2Sat LCZ42, all cultural zones, ten bands of Sentinel-2 and a very long name besides"
SAMPLE = 20


def budgets_of(arm: str) -> tuple[int, int]:
    return (10, 20) if arm in CHARGED else (30, 40)


def evaluations(
    arms: tuple[str, ...] = ARMS, seeds: int = 3, objectives: tuple[Objective, ...] = TWO, dataset: str = "synthetic"
) -> pd.DataFrame:
    """Return searches whose values become better with time."""
    rng = np.random.default_rng(len(arms) + seeds)
    parts = []
    for arm in arms:
        for seed in range(seeds):
            steps = budgets_of(arm)[1]
            progress = np.linspace(0, 1, steps)[:, None]
            shares = np.clip(rng.beta(3, 3, (steps, len(objectives))) * (1.2 - 0.4 * progress), 0, 1)  # 0 is best
            values = {
                ACCURACY.name: 0.95 - 0.3 * shares[:, 0],
                MACS.name: 1e7 * 100 ** shares[:, 1],
                LATENCY.name: 2 + 9 * shares[:, -1],
            }
            parts.append(
                pd.DataFrame(
                    {
                        "arm": arm,
                        "dataset": dataset,
                        "seed": seed,
                        "evaluation": np.arange(1, steps + 1),
                        "architecture": [f"{number:032x}" for number in rng.permutation(64)[:steps]],
                        "start": np.arange(steps) < (5 if "start" in arm or arm in CHARGED else 0),
                        "predicted": (rng.random(steps) < 0.3) & (arm == "sample"),
                    }
                    | {objective.name: values[objective.name] for objective in objectives}
                )
            )
    table = pd.concat(parts, ignore_index=True)
    return table.assign(entered_archive=table["evaluation"] % 3 == 1, repeated=False)


def fronts(
    arms: tuple[str, ...] = ARMS, seeds: int = 3, objectives: tuple[Objective, ...] = TWO, dataset: str = "synthetic"
) -> pd.DataFrame:
    parts = []
    for (arm, _), own in evaluations(arms, seeds, objectives, dataset).groupby(["arm", "seed"], sort=False):
        for budget in budgets_of(str(arm)):
            met = own[own["evaluation"] <= budget]
            values = met[[objective.name for objective in objectives]].to_numpy()
            parts.append(met[nondominated(values, [o.direction for o in objectives])].assign(budget=budget))
    columns = ["arm", "dataset", "budget", "seed", "architecture", "predicted", *(o.name for o in objectives)]
    return pd.concat(parts, ignore_index=True)[columns]


def indicators(
    arms: tuple[str, ...] = ARMS, seeds: int = 5, objectives: tuple[Objective, ...] = TWO, dataset: str = "synthetic"
) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = [
        {
            "arm": arm,
            "dataset": dataset,
            "budget": budget,
            "charged": budget + (SAMPLE if arm in CHARGED else 0),
            "seed": seed,
            "hypervolume": 0.9 + 0.002 * place + 0.01 * rng.random(),
            "mean_pairwise_distance": 8 + 3 * rng.random(),
        }
        | {
            f"best_{o.name}": {ACCURACY: 0.9, MACS: 3e7, LATENCY: 2.5}[o] * (1 + 0.05 * rng.random())
            for o in objectives
        }
        for place, arm in enumerate(arms)
        for budget in budgets_of(arm)
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows)


def anytime(arms: tuple[str, ...] = ARMS, seeds: int = 3, dataset: str = "synthetic") -> pd.DataFrame:
    rng = np.random.default_rng(2)
    parts = []
    for arm in arms:
        for seed in range(seeds):
            steps = np.array([1, 2, 5, 9, budgets_of(arm)[1]])
            parts.append(
                pd.DataFrame(
                    {
                        "arm": arm,
                        "dataset": dataset,
                        "seed": seed,
                        "evaluation": steps,
                        "charged": steps + (SAMPLE if arm in CHARGED else 0),
                        "hypervolume": 0.9 - 0.2 * rng.random() / steps,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)
