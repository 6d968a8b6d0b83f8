"""Conditions and times as a reader sees them."""

import math

from terranas.core.formats import MISSING, SPACE, count, counted, fixed, significant
from terranas.profiling.settings import Condition

VARIANT_NAMES = {
    "plain": "plain",
    "folded": "folded",
    "graph": "CUDA graph",
    "folded_graph": "folded, CUDA graph",
}


def network_name(precision: str, variant: str) -> str:
    """Return how a network is run: ``fp32, folded``; a plain one goes without saying."""
    return precision if variant == "plain" else f"{precision}, {VARIANT_NAMES[variant]}"


def condition_name(condition: Condition) -> str:
    """Return a condition in words: ``batch 64, fp32, folded``."""
    return f"batch {condition.batch_size}, {network_name(condition.precision, condition.variant)}"


def ms(value: float) -> str:
    """Return a time in milliseconds."""
    return MISSING if math.isnan(value) else f"{significant(value)}{SPACE}ms"


def short_time(milliseconds: float) -> str:
    """Return a short time in the unit that suits it: ``4.70 µs``."""
    return f"{significant(1e3 * milliseconds)}{SPACE}µs" if milliseconds < 0.1 else ms(milliseconds)


def rate(images_per_second: float) -> str:
    """Return a throughput: a whole number where that has three digits."""
    return significant(images_per_second) if images_per_second < 100 else count(images_per_second)


def setting(share: float) -> str:
    """Return a share that somebody chose, in percent with the digits that it was chosen with: ``2 %``."""
    return f"{100 * share:.6g}{SPACE}%"


def none_or(number: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its noun, for a sentence: ``no change``, ``1 change``, ``2 changes``."""
    return counted(number, singular, plural) if number else f"no {singular}"


def correlation(value: float) -> str:
    """Return a correlation, which is undefined for constant or too few values."""
    return "undefined" if math.isnan(value) else fixed(value)
