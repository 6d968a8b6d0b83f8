"""Distributions of metrics over the architectures: values of density and cumulative curves, and their summary.

Densities are Gaussian kernel estimates with Scott's bandwidth, mirrored at the bounds of what is bounded (accuracies
at 0 and 1, costs at 0), so that each integrates to 1 between them (Silverman, Density Estimation, 1986, section 2.10).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import gaussian_kde

from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import TableError
from terranas.landscape.schema import DISTRIBUTION_SUMMARY, DISTRIBUTIONS

Array = NDArray[np.float64]

POINTS = 401
"""Places at which a curve is given."""

_BINS = 4_096
"""Values are counted in so many bins before a density is estimated of more of them: cost does not grow with n."""

_SMALLEST_RANGE = 1e-150  # its square is still a number

_MARGIN = 0.1
"""Share of the range by which curves go beyond the smallest and largest value, at the least."""

_BANDWIDTHS = 3
"""Bandwidths by which they go beyond it, at the least: a normal kernel has hardly any mass farther away."""


def describe_distributions(
    benchmark: TabularBenchmark, metrics: Sequence[str], fidelities: Sequence[int] | None = None
) -> pd.DataFrame:
    """Return location and spread of metrics over the architectures.

    Args:
        benchmark: values of the architectures; repeats are averaged.
        metrics: which metrics.
        fidelities: which fidelities; all that the benchmark has by default.

    Returns:
        A table of the schema ``DISTRIBUTION_SUMMARY``, one row a metric and fidelity; statistics of no values are NaN.

    Raises:
        TableError: there is no such metric or fidelity.
    """
    rows = []
    for metric, epochs, values in _series(benchmark, metrics, fidelities):
        known = pd.Series(values).dropna()
        rows.append(
            {
                "dataset": benchmark.dataset,
                "metric": metric,
                "epochs": epochs,
                "unit": benchmark.unit(metric),
                "mean": known.mean(),
                "std": known.std(),
                "min": known.min(),
                "lower_quartile": known.quantile(0.25),
                "median": known.median(),
                "upper_quartile": known.quantile(0.75),
                "max": known.max(),
                "n": len(known),
                "left_out": len(values) - len(known),
            }
        )
    return DISTRIBUTION_SUMMARY.from_rows(rows)


def distribution_curves(
    benchmark: TabularBenchmark,
    metrics: Sequence[str],
    fidelities: Sequence[int] | None = None,
    *,
    points: int = POINTS,
) -> pd.DataFrame:
    """Return density and cumulative share of metrics, as figures draw them.

    All fidelities of a metric share their places, from the smallest to the largest value and beyond them until the
    densities have come down to nothing, within the metric's bounds.

    Args:
        benchmark: values of the architectures; repeats are averaged.
        metrics: which metrics.
        fidelities: which fidelities; all that the benchmark has by default.
        points: places of a curve, at least 2.

    Returns:
        A table of the schema ``DISTRIBUTIONS``; a metric and fidelity without values has no rows, and where all values
        are equal the density is NaN.

    Raises:
        TableError: there is no such metric or fidelity.
    """
    found = [(*part, _bounds(part[0])) for part in _series(benchmark, metrics, fidelities)]
    parts = [DISTRIBUTIONS.empty()]
    for metric in dict.fromkeys(metrics):
        levels = [
            (epochs, values[~np.isnan(values)], bounds) for name, epochs, values, bounds in found if name == metric
        ]
        levels = [level for level in levels if len(level[1])]
        if not levels:
            continue
        grid = _grid([values for _, values, _ in levels], levels[0][2], points)
        for epochs, values, bounds in levels:
            parts.append(
                pd.DataFrame(
                    {
                        "dataset": benchmark.dataset,
                        "metric": metric,
                        "epochs": epochs,
                        "value": grid,
                        "unit": benchmark.unit(metric),
                        "density": density(values, grid, bounds),
                        "cumulative": np.searchsorted(np.sort(values), grid, side="right") / len(values),
                        "n": len(values),
                    }
                )
            )
    return DISTRIBUTIONS.validate(pd.concat(parts[1:] or parts, ignore_index=True))


def density(values: Array, places: Array, bounds: tuple[float, float] = (-np.inf, np.inf)) -> Array:
    """Return the kernel density estimate of values at places, mirrored at finite bounds.

    Args:
        values: shape (n,), without NaN, within the bounds.
        places: shape (points,), within the bounds.
        bounds: what the metric cannot go below and above.

    Returns:
        Shape (points,), per unit of the values; NaN where all values are equal.
    """
    if _equal(values):
        return np.full(len(places), np.nan)
    if len(values) > _BINS:
        counts, edges = np.histogram(values, _BINS)
        kept = counts > 0
        centres, weights = ((edges[1:] + edges[:-1]) / 2)[kept], counts[kept]
        # Scott's factor is that of the number of values, not of bins
        estimate = gaussian_kde(centres, bw_method=len(values) ** -0.2, weights=weights)
    else:
        estimate = gaussian_kde(values)
    height = estimate(places)
    for bound in bounds:
        if np.isfinite(bound):
            height = height + estimate(2 * bound - places)
    return np.asarray(height, dtype=np.float64)


def _series(
    benchmark: TabularBenchmark, metrics: Sequence[str], fidelities: Sequence[int] | None
) -> list[tuple[str, int, Array]]:
    """Return metric, fidelity and the values of the architectures known at that fidelity or at the one looked up."""
    chosen = benchmark.fidelities if fidelities is None else fidelities
    keys = benchmark.architectures
    return [
        (metric, epochs, benchmark.values([metric], keys, epochs=epochs)[:, 0])
        for metric in metrics
        for epochs in chosen
    ]


def _bounds(metric: str) -> tuple[float, float]:
    """Return what a metric cannot go below and above: its declared range, at the least of a share or a count."""
    try:
        column = BENCHMARK.column(metric.partition("@")[0])
    except TableError:  # another search space's own metric, whose range is not declared there
        return -np.inf, np.inf
    low = -np.inf if column.ge is None else min(column.ge, 0.0)
    return low, np.inf if column.le is None else float(column.le)


def _equal(values: Array) -> bool:
    """Return whether values are equal up to rounding; compared, not squared, since tiny variances vanish."""
    return bool(np.ptp(values) <= max(1e-9 * np.abs(values).max(), _SMALLEST_RANGE))


def _grid(levels: Sequence[Array], bounds: tuple[float, float], points: int) -> Array:
    """Return ascending places from below the smallest to above the largest value, within the bounds."""
    values = np.concatenate(levels)
    lowest, highest = float(values.min()), float(values.max())
    if _equal(values):
        margin = 0.05 * abs(highest) or 1.0
    else:
        widths = [np.std(level, ddof=1) * len(level) ** -0.2 for level in levels if len(level) > 1]
        margin = max(_MARGIN * (highest - lowest), _BANDWIDTHS * max(widths, default=0.0))
    return np.linspace(max(bounds[0], lowest - margin), min(bounds[1], highest + margin), points)
