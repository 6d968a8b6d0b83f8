"""Metrics and outcomes as a reader sees them."""

import math

from terranas.benchmark.schema import METRICS
from terranas.core.formats import MISSING, SPACE, count, percent, scaled, significant

UNITS = {column.name: column.unit for column in METRICS}
"""Units of the metrics of tables over NAS-Bench-101."""

_OUTCOME_NAMES = {
    "diverged": "diverged",
    "out_of_memory": "ran out of memory",
    "accepted_failure": "given up by hand",
}


def metric_value(metric: str, value: float, unit: str | None = None) -> str:
    """Return a metric's value with its unit: accuracies in percent, MACs in millions.

    Args:
        metric: its name, also ``METRIC@DEVICE``.
        value: in the metric's unit.
        unit: of a metric that tables over NAS-Bench-101 do not have; theirs are known.
    """
    name = metric.partition("@")[0]
    if math.isnan(value):
        return MISSING
    if name.endswith("accuracy"):
        return percent(value)
    if name == "macs":
        return f"{significant(value / 1e6)}{SPACE}M"
    if name == "parameters":
        return count(value) if value < 1e6 else scaled(value)
    if name.endswith("_bytes"):
        return scaled(value, "B")
    return f"{significant(value)}{SPACE}{UNITS.get(name, unit) or ''}".rstrip()


def metric_error(metric: str, error: float) -> str:
    """Return a difference of two values of a metric: those of accuracies in percentage points."""
    if metric.partition("@")[0].endswith("accuracy") and not math.isnan(error):
        return f"{100 * error:.1f}{SPACE}points"
    return metric_value(metric, error)


def outcome_name(outcome: str) -> str:
    """Return what became of a failed training, in words that fit behind a number."""
    return _OUTCOME_NAMES.get(outcome, f"ended as '{outcome}'")
