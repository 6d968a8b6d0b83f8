"""Metrics, indicators and outcomes as a reader sees them."""

import math

from terranas.benchmark.schema import METRICS, metric_name
from terranas.core.formats import MISSING, SPACE, count, fixed, halves, percent, scaled, significant

UNITS = {column.name: column.unit for column in METRICS}
"""Units of the metrics of tables over NAS-Bench-101."""

INDICATOR_NAMES = {
    "size": "size of the front",
    "hypervolume_regret": "hypervolume regret",
    "igd_plus": "IGD+",
    "diameter": "diameter of the front",
    "mean_pairwise_distance": "mean pairwise distance",
}

_OUTCOME_NAMES = {
    "diverged": "diverged",
    "out_of_memory": "ran out of memory",
    "accepted_failure": "given up by hand",
}


def p_value(p: float) -> str:
    """Return a p value: ``< 0.001`` or two significant digits, at most four decimals."""
    if math.isnan(p):
        return MISSING
    return f"<{SPACE}0.001" if p < 0.001 else significant(p, 2)


def metric_value(metric: str, value: float) -> str:
    """Return a metric's value with its unit: accuracies in percent, MACs in millions."""
    if math.isnan(value):
        return MISSING
    if metric.endswith("accuracy"):
        return percent(value)
    if metric == "macs":
        return f"{significant(value / 1e6)}{SPACE}M"
    if metric == "parameters":
        return count(value) if value < 1e6 else scaled(value)
    if metric.endswith("_bytes"):
        return scaled(value, "B")
    return f"{significant(value)}{SPACE}{UNITS[metric]}" if UNITS.get(metric) else significant(value)


def metric_error(metric: str, error: float) -> str:
    """Return a difference of two values of a metric: those of accuracies in percentage points."""
    if metric.endswith("accuracy") and not math.isnan(error):
        return f"{100 * error:.1f}{SPACE}points"
    return metric_value(metric, error)


def indicator_name(indicator: str) -> str:
    """Return an indicator's name in words; ``best_macs`` becomes ``best MACs``."""
    statistic, _, metric = indicator.partition("_")
    if statistic in ("best", "mean", "std") and metric != "pairwise_distance":
        word = {"best": "best", "mean": "mean", "std": "standard deviation of the"}[statistic]
        return f"{word} {metric_name(metric)}"
    return INDICATOR_NAMES.get(indicator, indicator.replace("_", " "))


def indicator_value(indicator: str, value: float) -> str:
    """Return an indicator's value with the unit it has."""
    statistic, _, metric = indicator.partition("_")
    if statistic in ("best", "mean", "std") and metric != "pairwise_distance":
        return metric_value(metric, value)
    if indicator in ("hypervolume", "hypervolume_regret", "igd_plus"):
        return fixed(value, 3)
    return halves(value) if indicator in ("size", "diameter") else significant(value)


def outcome_name(outcome: str) -> str:
    """Return what became of a failed training, in words that fit behind a number."""
    return _OUTCOME_NAMES.get(outcome, f"ended as '{outcome}'")
