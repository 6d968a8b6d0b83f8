"""Numbers and lists as a reader sees them: sensible digits, units, plain words."""

import math
from collections.abc import Callable, Iterable, Sequence

SPACE = "\u202f"  # narrow no-break space: a number and its unit stay on one line
MISSING = "–"
MINUS = "−"


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


def p_value(p: float) -> str:
    """Return a p-value with two significant digits, small ones as a bound: ``0.012``, ``< 0.001``."""
    return f"<{SPACE}0.001" if p < 0.001 else significant(p, 2)


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


def span(values: Iterable[float], formatted: Callable[[float], str]) -> str:
    """Return the smallest and the largest value that is known: ``3 to 7``, or one text where both read the same."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return MISSING
    low, high = formatted(min(known)), formatted(max(known))
    return low if low == high else f"{low} to {high}"


def listed(parts: Sequence[str]) -> str:
    """Return the parts as a list in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def shortened(text: str, most: int) -> str:
    """Return a text of at most ``most`` letters, the last an ellipsis where something was cut off."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def sentence(text: str) -> str:
    """Return the text with its first letter in upper case."""
    return text[:1].upper() + text[1:]
