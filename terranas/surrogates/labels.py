"""Words and numbers for metrics on the axes of figures."""

from typing import Any

import numpy as np
from matplotlib.ticker import EngFormatter
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


def spans_decades(values: ArrayLike) -> bool:
    """Return whether positive values span more than a factor of ten, so that a logarithmic axis serves them."""
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    return bool(len(finite) and finite.min() > 0 and finite.max() > 10 * finite.min())


def write_numbers(axis: Any, values: ArrayLike) -> None:
    """Write the numbers of a linear axis with prefixes where they are large: 2.5M.

    Args:
        axis: ``axes.xaxis`` or ``axes.yaxis``.
        values: what the axis shows.
    """
    if float(np.nanmax(np.abs(np.asarray(values, dtype=np.float64)))) >= _LARGE:
        axis.set_major_formatter(EngFormatter(sep=""))
