"""Small benchmarks and walks for the tests of the landscape."""

import math

import numpy as np
import pandas as pd

from terranas.benchmark.schema import BENCHMARK, METRICS
from terranas.benchmark.tabular import TabularBenchmark
from terranas.sampling.schema import WALKS

DATASET = "synthetic test images"


def name_of(number: int) -> str:
    """Return the hash of the architecture of a number."""
    return f"{number:032x}"


def benchmark_of(
    dataset: str = DATASET, epochs: int | None = None, *, shuffle: int | None = None, **columns: dict[int, np.ndarray]
) -> TabularBenchmark:
    """Return a benchmark of metrics, each given as values by fidelity; the n-th architecture has the hash n."""
    fidelities = sorted({fidelity for levels in columns.values() for fidelity in levels})
    parts = []
    for fidelity in fidelities:
        count = max(len(levels[fidelity]) for levels in columns.values() if fidelity in levels)
        part = pd.DataFrame({"hash": [name_of(number) for number in range(count)], "id": None, "epochs": fidelity})
        part = part.assign(repeat=0, outcome="ok", dataset=dataset, source="terranas", device="")
        for column in METRICS:
            part[column.name] = columns.get(column.name, {}).get(fidelity, [math.nan] * count)
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    if shuffle is not None:
        table = table.sample(frac=1, random_state=shuffle, ignore_index=True)
    return TabularBenchmark(BENCHMARK.validate(table), epochs=epochs)


def walks_of(*walks: list[int]) -> pd.DataFrame:
    """Return walks over architectures given by number."""
    return WALKS.from_rows(
        [
            {"walk": walk, "step": step, "redraws": 0, "hash": name_of(number), "id": None}
            for walk, numbers in enumerate(walks)
            for step, number in enumerate(numbers)
        ]
    )


def first_order(rng: np.random.Generator, count: int, length: int, coefficient: float) -> np.ndarray:
    """Return stationary first-order autoregressive series, shape (count, length)."""
    noise = rng.normal(size=(count, length))
    series = np.empty_like(noise)
    series[:, 0] = noise[:, 0] / math.sqrt(1 - coefficient**2)
    for step in range(1, length):
        series[:, step] = coefficient * series[:, step - 1] + noise[:, step]
    return series
