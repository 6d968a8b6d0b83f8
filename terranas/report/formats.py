"""Numbers and names as a reader sees them: sensible digits, units, plain words."""

import math
from collections.abc import Callable, Iterable, Sequence

from terranas.benchmark.schema import METRICS, metric_name

SPACE = "\u202f"  # narrow no-break space: a number and its unit stay on one line
MISSING = "–"
MINUS = "−"

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


def count(number: float) -> str:
    """Return a whole number with thousands separated: ``423,624``."""
    return MISSING if math.isnan(number) else f"{number:,.0f}"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its noun: ``1 walk``, ``6 walks``."""
    return f"{count(number)} {singular if number == 1 else plural or singular + 's'}"


def percent(share: float, digits: int = 1) -> str:
    """Return a share in percent: ``58.7 %``."""
    return MISSING if math.isnan(share) else f"{100 * share:.{digits}f}{SPACE}%"


def significant(number: float, digits: int = 3) -> str:
    """Return a number with so many significant digits, written without an exponent between 0.0001 and 10 million."""
    if math.isnan(number):
        return MISSING
    if number == 0:
        return "0"
    if math.isinf(number) or not 1e-4 <= abs(number) < 1e7:
        return f"{number:.{digits - 1}e}"
    # rounding first: 9.996 has one digit before the point, its three-digit rounding 10.0 has two
    rounded = float(f"{number:.{digits - 1}e}")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}".replace("-", MINUS)


def halves(number: float) -> str:
    """Return a median of whole numbers: ``25`` or ``25.5``."""
    return MISSING if math.isnan(number) else f"{number:,.1f}".removesuffix(".0")


def scaled(number: float, unit: str = "") -> str:
    """Return a number with three digits and a decimal prefix: ``4,321``, ``43.2 k``, ``1.55 G``."""
    if math.isnan(number):
        return MISSING
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(number) >= factor:
            return f"{significant(number / (1e3 if prefix == 'k' else factor))}{SPACE}{prefix}{unit}"
    return f"{number:,.0f}{SPACE}{unit}" if unit else f"{number:,.0f}"


def fixed(number: float, digits: int = 2) -> str:
    """Return a number with fixed decimals: correlations, effect sizes, hypervolumes."""
    # adding 0.0 turns a rounded -0.00 into 0.00
    return MISSING if math.isnan(number) else f"{round(number, digits) + 0.0:.{digits}f}".replace("-", MINUS)


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


def span(values: Iterable[float], formatted: Callable[[float], str]) -> str:
    """Return the smallest and the largest value that is known: ``3 to 7``, or one text where both read the same."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return MISSING
    low, high = formatted(min(known)), formatted(max(known))
    return low if low == high else f"{low} to {high}"


def outcome_name(outcome: str) -> str:
    """Return what became of a failed training, in words that fit behind a number."""
    return _OUTCOME_NAMES.get(outcome, f"ended as '{outcome}'")


def listed(parts: Sequence[str]) -> str:
    """Return the parts as a list in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def sentence(text: str) -> str:
    """Return the text with its first letter in upper case."""
    return text[:1].upper() + text[1:]
