"""What searches could see of a benchmark, measured and predicted."""

from pathlib import Path

import numpy as np
import pandas as pd

from terranas.benchmark.schema import BENCHMARK, METRICS
from terranas.benchmark.tabular import TabularBenchmark
from terranas.comparison.known_values import KnownValues
from terranas.core.tables import write_table
from terranas.surrogates.benchmark import complete_benchmark
from terranas.surrogates.regressors import RegressorSettings

NAMES = [f"{row:032x}" for row in range(40)]
OBJECTIVES = ["validation_micro_accuracy", "macs"]
FEATURES = np.random.default_rng(0).integers(0, 2, size=(40, 6)).astype(np.float32)
ACCURACY = 0.5 + FEATURES @ np.linspace(0.01, 0.05, 6)


def measured(known: np.ndarray) -> TabularBenchmark:
    about = {"hash": NAMES, "id": pd.array([None] * 40, dtype="Int64"), "dataset": "synthetic", "epochs": 4}
    about |= {"repeat": 0, "device": "", "outcome": "ok", "source": "test"}
    values = {"validation_micro_accuracy": np.where(known, ACCURACY, np.nan), "macs": 1e6 * (1 + FEATURES.sum(axis=1))}
    table = pd.DataFrame(about | values).reindex(columns=BENCHMARK.names)
    table[[column.name for column in METRICS]] = table[[column.name for column in METRICS]].astype(np.float64)
    return TabularBenchmark(BENCHMARK.validate(table))


def test_without_predictions_the_unknown_stays_unknown() -> None:
    known = np.arange(40) % 3 != 0
    found = KnownValues.of(measured(known), None, OBJECTIVES, NAMES)
    assert not found.complete
    assert not found.predicted.any()
    np.testing.assert_array_equal(np.isnan(found.values[:, 0]), ~known)
    np.testing.assert_array_equal(found.values[:, 1], 1e6 * (1 + FEATURES.sum(axis=1)))


def test_a_complete_table_is_told_from_one_that_was_filled_in(tmp_path: Path) -> None:
    known = np.arange(40) % 3 != 0
    settings = RegressorSettings("ridge", encoding="bits", log_targets=())
    filled = complete_benchmark(measured(known), NAMES, FEATURES, OBJECTIVES, settings=settings, members=3, seed=1)
    path = tmp_path / "filled.parquet"
    write_table(filled.table, path, filled.schema, filled.facts)
    found = KnownValues.of(measured(known), TabularBenchmark.open(path), OBJECTIVES, NAMES)
    assert not found.complete
    np.testing.assert_array_equal(found.predicted, ~known)
    np.testing.assert_allclose(found.values[known, 0], ACCURACY[known])
    assert np.isfinite(found.values).all()
    everything = KnownValues.of(measured(np.ones(40, dtype=bool)), None, OBJECTIVES, NAMES)
    assert everything.complete
