"""A surrogate benchmark: every architecture of a space has values, and those that nobody measured are flagged.

In the sense of NAS-Bench-301 (Zela et al., ICLR 2022): a tabular benchmark of a part of a space becomes one of all of
it. The table belongs to the family of benchmark tables, so that :class:`~terranas.benchmark.tabular.TabularBenchmark`
serves it; its methods ``predicted`` and ``deviations`` tell what was not measured, and how certain it is.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.schema import METRICS, metric_name, table_schema
from terranas.benchmark.tabular import DEVIATION, PREDICTED, TabularBenchmark
from terranas.core.errors import TableError
from terranas.core.randomness import derive_seed
from terranas.core.tables import Column, TableSchema
from terranas.surrogates.ensemble import LEVELS, fit_ensemble
from terranas.surrogates.regressors import RegressorSettings
from terranas.surrogates.schema import CALIBRATION

logger = logging.getLogger(__name__)

SOURCE = "terranas surrogate"
"""Source of rows that hold a predicted value."""


@dataclass(frozen=True)
class SurrogateBenchmark:
    """A table of all architectures of a space.

    Attributes:
        table: one row an architecture and device, ascending by its key.
        schema: of the table.
        calibration: schema ``surrogates.calibration``; no rows where everything was measured.
        facts: what to store with the table.
    """

    table: pd.DataFrame
    schema: TableSchema
    calibration: pd.DataFrame
    facts: dict[str, Any]


def complete_benchmark(
    benchmark: TabularBenchmark,
    architectures: Sequence[str],
    features: NDArray[np.float32],
    metrics: Sequence[str],
    *,
    settings: RegressorSettings,
    members: int = 5,
    held_out: float = 0.2,
    max_training: int = 50_000,
    computed: Mapping[str, NDArray[np.float64]] = MappingProxyType({}),
    seed: int,
) -> SurrogateBenchmark:
    """Predict what a benchmark does not know of a space.

    A measured value always stays. What can be computed is computed, where it agrees with everything that was measured.
    A metric that is then known of all architectures is taken over, and no model is fitted. A training that failed stays
    without values: it was tried, and a surrogate that never saw a failure would call it good. Predictions stay within
    the range that a metric can have.

    Args:
        benchmark: what was measured; its chosen fidelity counts.
        architectures: names of all n architectures of the space, ascending.
        features: their encodings, shape (n, d).
        metrics: names of metrics; ``METRIC@DEVICE`` for one on another device than the chosen one.
        settings: regressor of the ensemble's members.
        members: surrogates of a metric.
        held_out: share of the known architectures that calibrate and test.
        max_training: most architectures that train.
        computed: exact values of some metrics by name, shape (n,).
        seed: the study's seed.

    Raises:
        ConfigError: too few architectures have values of a metric, or the regressor cannot be fitted to them.
        TableError: the benchmark has no such metric, or knows no architecture of the space.
    """
    values = benchmark.values(metrics, list(architectures))
    failed = benchmark.failed(list(architectures))
    if not np.isfinite(values).any():
        raise TableError(
            f"The benchmark has no value of {', '.join(metrics)} for any of the {len(values):,} architectures of the "
            "space. It belongs to another space, or all trainings failed."
        )
    deviations = np.full(values.shape, np.nan)
    reports = []
    for column, metric in enumerate(metrics):
        known = np.isfinite(values[:, column])
        exact = computed.get(metric)
        if exact is not None and np.array_equal(exact[known], values[known, column]):
            values[:, column] = exact
            continue
        wanted = ~known & ~failed
        if not wanted.any():
            continue
        log = settings.is_log(metric)
        ensemble, calibration = fit_ensemble(
            features[known],
            values[known, column],
            settings,
            log=log,
            members=members,
            held_out=held_out,
            max_training=max_training,
            seed=derive_seed(seed, "surrogates.benchmark", metric),
        )
        predicted, deviations[wanted, column] = ensemble.predict(features[wanted])
        declared = _declaration(benchmark, metric)
        low = -np.inf if declared.ge is None else declared.ge
        high = np.inf if declared.le is None else declared.le
        values[wanted, column] = np.clip(predicted, low, high)
        logger.info("%s: %d measured, %d predicted", metric, known.sum(), wanted.sum())
        reports += [
            {"dataset": benchmark.dataset, "metric": metric, "level": level, "coverage": share, **calibration.facts}
            for level, share in zip(LEVELS, calibration.coverage, strict=True)
        ]
    schema = _schema(benchmark, metrics)
    facts = {
        "name": f"surrogate benchmark on {benchmark.dataset}",
        "space_size": len(values),
        "measured_by": str(benchmark.facts.get("name", benchmark.measured_by)),
        "regressor": settings.regressor,
        "parameters": dict(settings.all_parameters),
        "encoding": settings.encoding,
        "log_targets": list(settings.log_targets),
        "members": members,
    }
    table = _table(benchmark, np.asarray(architectures, dtype=object), metrics, values, deviations, failed)
    return SurrogateBenchmark(schema.validate(table[schema.names]), schema, CALIBRATION.from_rows(reports), facts)


def _declaration(benchmark: TabularBenchmark, metric: str) -> Column:
    """Return the column of a metric: as terranas declares it, or with what the benchmark says about it."""
    name = metric.partition("@")[0]
    for column in METRICS:
        if column.name == name:
            return column
    return Column(
        name,
        "float64",
        metric_name(name),
        unit=benchmark.unit(metric),
        direction=benchmark.direction(metric),
        per_device=bool(benchmark.device_of(metric)),
    )


def _schema(benchmark: TabularBenchmark, metrics: Sequence[str]) -> TableSchema:
    columns: dict[str, Column] = {}
    for metric in metrics:
        declared = _declaration(benchmark, metric)
        columns[declared.name] = declared
        columns[declared.name + DEVIATION] = Column(
            declared.name + DEVIATION,
            "float64",
            f"standard deviation of a predicted {metric_name(declared.name)}; NaN where it was measured",
            unit=declared.unit,
            per_device=declared.per_device,
            ge=0,
        )
    flag = Column(PREDICTED, "bool", "whether any value of the row was predicted instead of measured")
    key = Column(benchmark.key, "string", "architecture")
    return table_schema("benchmark.surrogate", key, tuple(columns.values()), version=1, about=(flag,))


def _table(
    benchmark: TabularBenchmark,
    names: NDArray[np.object_],
    metrics: Sequence[str],
    values: NDArray[np.float64],
    deviations: NDArray[np.float64],
    failed: NDArray[np.bool_],
) -> pd.DataFrame:
    """Return the rows: one an architecture, and a further one for each device but the first, whose metrics it holds."""
    own = [benchmark.device_of(metric) for metric in metrics]
    devices = sorted(set(own) - {""}) or [""]
    parts = []
    for place, device in enumerate(devices):
        numbers: dict[str, Any] = {}
        mine = [number for number, where in enumerate(own) if where == device or (not where and not place)]
        for column, metric in enumerate(metrics):
            name = metric.partition("@")[0]
            if column in mine:
                numbers |= {name: values[:, column], name + DEVIATION: deviations[:, column]}
            elif name not in numbers:
                numbers |= {name: np.nan, name + DEVIATION: np.nan}
        predicted = np.isfinite(deviations[:, mine]).any(axis=1)
        facts = {
            benchmark.key: names,
            PREDICTED: predicted,
            "dataset": benchmark.dataset,
            "epochs": benchmark.epochs,
            "repeat": 0,
            "device": device,
            "outcome": np.select([failed, predicted], ["failed", "predicted"], "ok"),
            "source": np.where(predicted, SOURCE, benchmark.measured_by),
        }
        parts.append(pd.DataFrame(facts | numbers))
    return pd.concat(parts, ignore_index=True).sort_values([benchmark.key, "device"], ignore_index=True)
