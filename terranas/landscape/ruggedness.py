"""Ruggedness of the landscape along random walks.

The thesis of Demir (section 4.4) calls the inverse of the lag-1 autocorrelation of the fitness along a walk its
ruggedness, after Traoré et al. ("Fitness Landscape Footprint", arXiv:2111.01584). The literature on landscapes uses
the correlation length of Weinberger (Biological Cybernetics 63, 1990) instead; the tables have both.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.randomness import generator
from terranas.landscape.bootstrap import (
    CONFIDENCE,
    MIN_VISITS_INTERVAL,
    RESAMPLES,
    UNDEFINED,
    Interval,
    autocorrelation_intervals,
    lag1_autocorrelations,
    mean_interval,
    start_twice,
)
from terranas.landscape.schema import RUGGEDNESS, RUGGEDNESS_SUMMARY

MIN_VISITS = 3
"""Shortest series with an autocorrelation: that of any two values is -1/2, whatever they are."""

UNBOUNDED = "interval of the autocorrelation holds 0: that of 1 / autocorrelation is unbounded"


ROUNDING = 1e-12
"""Sums that cancel leave autocorrelations of about this size by rounding; they are none."""


def _settled(autocorrelation: float) -> float:
    return 0.0 if abs(autocorrelation) < ROUNDING else autocorrelation


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
        return np.nan
    return _settled(float(lag1_autocorrelations(series)))


def ruggedness(autocorrelation: float) -> float:
    """Return 1 / autocorrelation; NaN where that is no finite number, as for an autocorrelation of 0."""
    if autocorrelation == 0:
        return np.nan
    inverse = 1 / autocorrelation
    return inverse if np.isfinite(inverse) else np.nan


def correlation_length(autocorrelation: float) -> float:
    """Return -1 / ln |autocorrelation|, the steps after which the correlation has fallen to 1/e; 0 for none at all."""
    if autocorrelation == 0:
        return 0.0
    logarithm = float(np.log(abs(autocorrelation)))
    return -1 / logarithm if logarithm != 0 else np.nan


def ruggedness_interval(autocorrelation: Interval) -> Interval:
    """Return the interval of 1 / autocorrelation; NaN ends where 0 is possible, since it is unbounded there."""
    if np.isnan(autocorrelation.low) or autocorrelation.holds(0):
        return UNDEFINED
    return Interval(ruggedness(autocorrelation.high), ruggedness(autocorrelation.low))


def length_interval(autocorrelation: Interval) -> Interval:
    """Return the interval of -1 / ln |autocorrelation|, which starts at 0 where the autocorrelation may be 0.

    The upper end is NaN where the autocorrelation may be -1 or 1: the length is unbounded there.
    """
    if np.isnan(autocorrelation.low):
        return UNDEFINED
    nearest, farthest = sorted((abs(autocorrelation.low), abs(autocorrelation.high)))
    return Interval(correlation_length(0 if autocorrelation.holds(0) else nearest), correlation_length(farthest))


def analyse_walks(
    walks: pd.DataFrame,
    benchmark: TabularBenchmark,
    metrics: Sequence[str],
    *,
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> pd.DataFrame:
    """Return the ruggedness of each walk in each metric, with grid-bootstrap intervals.

    Architectures without a value (failed trainings) are left out of their walk's series, so that their neighbours on
    the walk follow each other; ``visits`` counts the others. The published variant enters each start twice, as the
    released script does; it differs for short walks. For the intervals see :mod:`terranas.landscape.bootstrap`.

    Args:
        walks: random walks (schema ``sampling.walks``).
        benchmark: values of the visited architectures at the fidelity it looks up.
        metrics: metrics whose series are analysed.
        seed: the study's seed.
        confidence: nominal coverage of the intervals.
        resamples: bootstrap resamples for each walk and metric.

    Returns:
        A table of the schema ``RUGGEDNESS``; what is undefined or unbounded is NaN, never infinite, and ``reason``
        says why.
    """
    ordered = walks.sort_values(["walk", "step"])
    values = benchmark.values(metrics, ordered["hash"].tolist())
    numbers = ordered["walk"].to_numpy()
    rows = []
    for walk in np.unique(numbers).tolist():
        for column, metric in enumerate(metrics):
            visited = values[numbers == walk, column]
            rng = generator(seed, "landscape.ruggedness", walk, metric, benchmark.dataset)
            numbers_of_walk = _analyse(visited[~np.isnan(visited)], rng, confidence, resamples)
            rows.append({"walk": walk, "metric": metric, "dataset": benchmark.dataset, **numbers_of_walk})
    return RUGGEDNESS.from_rows(rows)


def _analyse(
    series: NDArray[np.float64], rng: np.random.Generator, confidence: float, resamples: int
) -> dict[str, int | float | str]:
    """Return the columns of one walk and metric that tell of its series."""
    defined, published = autocorrelation_intervals(series, rng, confidence=confidence, resamples=resamples)
    found: dict[str, int | float | str] = {"visits": len(series), "confidence": confidence}
    with_start = start_twice(series) if len(series) >= MIN_VISITS else series
    for suffix, interval, visited in (("", defined, series), ("_published", published, with_start)):
        autocorrelation = lag1_autocorrelation(visited)
        for name, value, limits in (
            ("autocorrelation", autocorrelation, interval),
            ("ruggedness", ruggedness(autocorrelation), ruggedness_interval(interval)),
            ("correlation_length", correlation_length(autocorrelation), length_interval(interval)),
        ):
            found |= {f"{name}{suffix}": value, f"{name}{suffix}_low": limits.low, f"{name}{suffix}_high": limits.high}
    found["reason"] = _reason(series, defined)
    return found


def _reason(series: NDArray[np.float64], interval: Interval) -> str:
    """Say what keeps a walk from having a ruggedness with an interval; empty where it has one."""
    if len(series) < MIN_VISITS:
        return f"too short: {len(series)} visits with a value, {MIN_VISITS} needed"
    if np.ptp(series) == 0:
        return "constant: all visits have the same value"
    if len(series) < MIN_VISITS_INTERVAL:
        return f"too short for an interval: {len(series)} visits with a value, {MIN_VISITS_INTERVAL} needed"
    return UNBOUNDED if interval.holds(0) else ""


def summarise_ruggedness(
    ruggedness_table: pd.DataFrame, *, seed: int, confidence: float = CONFIDENCE, resamples: int = RESAMPLES
) -> pd.DataFrame:
    """Return the mean autocorrelation over the walks, and the ruggedness and correlation length that it gives.

    As in the footprint of Traoré et al., autocorrelations are averaged before they are inverted: the mean of the
    inverses is ruled by the walks whose autocorrelation is closest to 0. The interval is the studentised bootstrap's
    over walks, which are independent of each other. It holds the mean autocorrelation of walks of this length; that
    of endless ones, rho, is larger by about (1 + 4 rho) / visits.

    Args:
        ruggedness_table: schema ``landscape.ruggedness``.
        seed: the study's seed.
        confidence: nominal coverage of the intervals.
        resamples: bootstrap resamples.

    Returns:
        A table of the schema ``RUGGEDNESS_SUMMARY``, one row a set of images, metric and variant.
    """
    rows = []
    for (dataset, metric), walks in ruggedness_table.groupby(["dataset", "metric"], sort=False):
        for variant, suffix in (("defined", ""), ("published", "_published")):
            ordered = walks.sort_values("walk")
            values = ordered[f"autocorrelation{suffix}"].to_numpy(dtype=np.float64)
            inverses = ordered[f"ruggedness{suffix}"].dropna()
            known = values[~np.isnan(values)]
            mean = _settled(float(known.mean())) if len(known) else np.nan
            rng = generator(seed, "landscape.ruggedness_summary", str(dataset), str(metric), variant)
            interval = mean_interval(known, rng, bounds=(-1, 1), confidence=confidence, resamples=resamples)
            inverse, length = ruggedness_interval(interval), length_interval(interval)
            rows.append(
                {
                    "dataset": dataset,
                    "metric": metric,
                    "variant": variant,
                    "walks": len(known),
                    "undefined": len(values) - len(known),
                    "autocorrelation": mean,
                    "autocorrelation_low": interval.low,
                    "autocorrelation_high": interval.high,
                    "ruggedness": ruggedness(mean),
                    "ruggedness_low": inverse.low,
                    "ruggedness_high": inverse.high,
                    "correlation_length": correlation_length(mean),
                    "correlation_length_low": length.low,
                    "correlation_length_high": length.high,
                    "median_ruggedness": float(inverses.median()) if len(inverses) else np.nan,
                    "share_0_to_5": float(inverses.between(0, 5).mean()) if len(inverses) else np.nan,
                    "confidence": confidence,
                    "reason": _summary_reason(len(known), interval),
                }
            )
    return RUGGEDNESS_SUMMARY.from_rows(rows)


def _summary_reason(walks: int, interval: Interval) -> str:
    if not walks:
        return "no walk has an autocorrelation"
    if np.isnan(interval.low):
        return f"too few walks for an interval: {walks}"
    return UNBOUNDED if interval.holds(0) else ""
