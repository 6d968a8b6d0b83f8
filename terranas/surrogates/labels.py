"""Words and numbers for metrics on the axes of figures."""

from typing import Any

import numpy as np
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import ArrayLike

from terranas.benchmark.schema import metric_column

_LARGE = 10_000  # from here on axes count in k, M and G


def metric_unit(metric: str) -> str:
    """Return the unit to write behind a metric's name, empty where there is none or the name says it (MACs).

    Raises:
        TableError: there is no such metric.
    """
    unit = metric_column(metric).unit
    return "" if unit == "MAC" else unit


def sentence_case(text: str) -> str:
    """Return the text with a capital first letter, the rest unchanged."""
    return text[:1].upper() + text[1:]


def spans_decades(values: ArrayLike) -> bool:
    """Return whether positive values span more than a factor of ten, so that a logarithmic axis serves them."""
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    return bool(len(finite) and finite.min() > 0 and finite.max() > 10 * finite.min())


def write_numbers(axis: Any, values: ArrayLike, *, logarithmic: bool = False) -> None:
    """Write an axis' numbers the way people read them: 1,500 or 2.5M, and 1, 2, 5 in every decade if logarithmic.

    Args:
        axis: ``axes.xaxis`` or ``axes.yaxis``.
        values: what the axis shows.
        logarithmic: whether its scale is logarithmic.
    """
    large = float(np.nanmax(np.abs(np.asarray(values, dtype=np.float64)))) >= _LARGE
    if logarithmic:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_minor_formatter(NullFormatter())
    if large:
        axis.set_major_formatter(EngFormatter(sep=""))
    elif logarithmic:
        axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
