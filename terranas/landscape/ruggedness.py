"""Ruggedness of the landscape along random walks.

The thesis of Demir (section 4.4) calls the inverse of the lag-1 autocorrelation of the fitness along a walk its
ruggedness, after Traoré et al. ("Fitness Landscape Footprint", arXiv:2111.01584). The literature on landscapes uses
the correlation length of Weinberger (Biological Cybernetics 63, 1990) instead; the table has both.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.tabular import TabularBenchmark
from terranas.landscape.schema import RUGGEDNESS

NAN = float("nan")
MIN_VISITS = 3
"""Shortest series with an autocorrelation: that of any two values is -1/2, whatever they are."""


def lag1_autocorrelation(series: NDArray[np.float64]) -> float:
    """Return the lag-1 autocorrelation of a series.

    The usual biased estimate, which divides by the variance of the whole series (Box and Jenkins; ``acf`` of
    statsmodels with its defaults): sum (x_t - m)(x_{t+1} - m) / sum (x_t - m)^2.

    Args:
        series: shape (visits,), without NaN.

    Returns:
        A value between -1 and 1; NaN for a constant series or one of fewer than three values.
    """
    # compared, not squared: the mean of equal numbers can differ from them by rounding
    if len(series) < MIN_VISITS or np.ptp(series) == 0:
        return NAN
    deviations = series - series.mean()
    power = float(deviations @ deviations)
    return float(deviations[:-1] @ deviations[1:]) / power if power > 0 else NAN


def ruggedness(autocorrelation: float) -> float:
    """Return 1 / autocorrelation; NaN where that is no finite number, as for an autocorrelation of 0."""
    if autocorrelation == 0:
        return NAN
    inverse = 1 / autocorrelation
    return inverse if np.isfinite(inverse) else NAN


def correlation_length(autocorrelation: float) -> float:
    """Return -1 / ln |autocorrelation|, the steps after which the correlation has fallen to 1/e; 0 for none at all."""
    if autocorrelation == 0:
        return 0.0
    logarithm = float(np.log(abs(autocorrelation)))
    return -1 / logarithm if logarithm != 0 else NAN


def analyse_walks(walks: pd.DataFrame, benchmark: TabularBenchmark, metrics: Sequence[str]) -> pd.DataFrame:
    """Return the ruggedness of each walk in each metric.

    Architectures without a value (failed trainings) are left out of their walk's series; ``visits`` counts the others.
    The published variant enters each start twice, as the released script does; it differs for short walks.

    Args:
        walks: random walks (schema ``sampling.walks``).
        benchmark: values of the visited architectures at its highest fidelity.
        metrics: metrics whose series are analysed.

    Returns:
        A table of the schema ``RUGGEDNESS``; what is undefined is NaN, never infinite.
    """
    ordered = walks.sort_values(["walk", "step"])
    values = benchmark.values(metrics, ordered["hash"].tolist())
    numbers = ordered["walk"].to_numpy()
    rows = []
    for walk in np.unique(numbers).tolist():
        for column, metric in enumerate(metrics):
            visited = values[numbers == walk, column]
            series = visited[~np.isnan(visited)]
            autocorrelation = lag1_autocorrelation(series)
            start_twice = np.concatenate([series[:1], series]) if len(series) >= MIN_VISITS else series
            rows.append(
                {
                    "walk": walk,
                    "metric": metric,
                    "dataset": benchmark.dataset,
                    "visits": len(series),
                    "autocorrelation": autocorrelation,
                    "ruggedness": ruggedness(autocorrelation),
                    "correlation_length": correlation_length(autocorrelation),
                    "ruggedness_published": ruggedness(lag1_autocorrelation(start_twice)),
                }
            )
    return RUGGEDNESS.from_rows(rows)
