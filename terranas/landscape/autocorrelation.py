"""Autocorrelation of the fitness along random walks on the neighbour graph: exact, and estimated from walks.

Sources: Weinberger, "Correlated and uncorrelated fitness landscapes and how to tell the difference" (Biological
Cybernetics 63, 1990); Stadler, "Landscapes and their correlation functions" (Journal of Mathematical Chemistry 20,
1996). In the stationary state of the simple random walk, a cell is visited in proportion to its neighbours, and the
lag-1 autocorrelation is the correlation of the fitness at both ends of an edge drawn uniformly.
"""

from dataclasses import dataclass

import numba as nb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.landscape.bootstrap import CONFIDENCE
from terranas.landscape.graph_schema import AUTOCORRELATION
from terranas.landscape.landscape import Landscape
from terranas.space.neighbours import NeighbourGraph


@dataclass(frozen=True)
class Estimate:
    """A quantity at each lag with a percentile interval over walks.

    Attributes:
        value: shape (lags + 1,), from lag 0; NaN where undefined.
        low: lower end of the interval, same shape.
        high: upper end, same shape.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def exact_autocorrelation(fitness: NDArray[np.float64], graph: NeighbourGraph, lags: int) -> NDArray[np.float64]:
    """Return the autocorrelation function of the stationary simple random walk, without any walk.

    With the transition matrix P, the stationary distribution p and deviations d from the stationary mean, rho(k) =
    sum p d (P^k d) / sum p d d. Where the graph has many components, a walk starts in one of them in proportion to
    its arcs and stays there, so that differences between components never fade.

    Args:
        fitness: shape (cells,); read only where a cell has neighbours.
        graph: an undirected graph.
        lags: largest lag.

    Returns:
        Values at the lags 0 to ``lags``; all NaN where the fitness is the same wherever a walk can go.
    """
    weights = graph.degrees().astype(np.float64)
    reached = weights > 0
    if not reached.any() or np.ptp(fitness[reached]) == 0:
        return np.full(lags + 1, np.nan)
    deviations = np.where(reached, fitness, 0.0)
    deviations -= weights @ deviations / weights.sum()
    deviations[~reached] = 0
    variance = float(weights @ deviations**2)
    values = np.ones(lags + 1)
    moved = deviations
    for lag in range(1, lags + 1):
        moved = _mean_of_neighbours(graph.indptr, graph.indices, moved)
        values[lag] = weights @ (deviations * moved) / variance
    return values


def autocorrelation_by_component(landscape: Landscape) -> NDArray[np.float64]:
    """Return the exact lag-1 autocorrelation within each connected component, shape (components,).

    Raises:
        TableError: the graph is directed.
    """
    landscape.require_undirected("The autocorrelation along random walks")
    graph, labels = landscape.graph, landscape.components
    known = landscape.known
    label, fitness = labels[known], landscape.fitness[known]
    weights = graph.degrees()[known].astype(np.float64)
    count = int(labels.max()) + 1
    total = np.bincount(label, weights, count)
    deviations = np.zeros(len(landscape))
    with np.errstate(invalid="ignore"):  # a component of one cell has no arcs
        deviations[known] = fitness - (np.bincount(label, weights * fitness, count) / total)[label]
        variance = np.bincount(label, weights * deviations[known] ** 2, count)
        moved = _mean_of_neighbours(graph.indptr, graph.indices, deviations)[known]
        values = np.bincount(label, weights * deviations[known] * moved, count) / variance
    values[constant_groups(fitness, label, count)] = np.nan
    return np.asarray(values, dtype=np.float64)


def constant_groups(values: NDArray[np.float64], labels: NDArray[np.int32], count: int) -> NDArray[np.bool_]:
    """Return which groups hold at most one value, shape (count,); compared, since sums of equal numbers round."""
    lowest, highest = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(lowest, labels, values)
    np.maximum.at(highest, labels, values)
    return np.asarray(lowest >= highest, dtype=np.bool_)


def pooled_autocorrelation(
    series: NDArray[np.float64], lags: int, rng: np.random.Generator, *, resamples: int, confidence: float
) -> Estimate:
    """Estimate the stationary autocorrelation function from all walks about their common mean.

    The estimate of :func:`exact_autocorrelation`: it has no bias from the shortness of a walk, whose own mean follows
    its values. The interval is that of the percentile bootstrap over walks.

    Args:
        series: values along the walks, shape (walks, visits), without NaN.
        lags: largest lag, less than the visits of a walk.
        rng: draws the walks of the bootstrap.
        resamples: bootstrap samples.
        confidence: nominal coverage of the interval.

    Raises:
        ValueError: the walks are too short for the lags.
    """
    _require_lags(series, lags)
    if np.ptp(series) == 0:
        return _undefined(lags)
    sums = _lag_sums(series - series.mean(), lags)
    counts = series.shape[1] - np.arange(lags + 1.0)
    resampled = rng.multinomial(len(series), np.full(len(series), 1 / len(series)), size=resamples)
    drawn = _ratios(np.einsum("bw,wkc->bkc", resampled.astype(np.float64), sums, optimize=True), counts * len(series))
    value = _ratios(sums.sum(axis=0)[None], counts * len(series))[0]
    return Estimate(value, *_percentiles(drawn, confidence))


def mean_autocorrelation(
    series: NDArray[np.float64], lags: int, rng: np.random.Generator, *, resamples: int, confidence: float
) -> Estimate:
    """Return the mean over walks of each walk's own autocorrelation function, the usual biased estimate.

    As footprints of landscapes report it (Traoré, Camero and Zhu, arXiv:2111.01584): ``acf`` of statsmodels walk by
    walk. Walks of constant fitness have none and are left out. The interval is that of the percentile bootstrap over
    walks.

    Args:
        series: as for :func:`pooled_autocorrelation`.
        lags: the same.
        rng: the same.
        resamples: the same.
        confidence: the same.

    Raises:
        ValueError: the walks are too short for the lags.
    """
    _require_lags(series, lags)
    varied = series[np.ptp(series, axis=1) > 0]
    if not len(varied):
        return _undefined(lags)
    products = _lag_sums(varied - varied.mean(axis=1, keepdims=True), lags)[:, :, 0]
    own = products / products[:, :1]
    resampled = rng.multinomial(len(own), np.full(len(own), 1 / len(own)), size=resamples) / len(own)
    return Estimate(own.mean(axis=0), *_percentiles(resampled @ own, confidence))


def autocorrelation_table(
    landscape: Landscape,
    walks: NDArray[np.int32],
    rng: np.random.Generator,
    *,
    lags: int,
    resamples: int = 1000,
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Return exact and estimated autocorrelation functions as a table of the schema ``AUTOCORRELATION``.

    Args:
        landscape: values and an undirected graph.
        walks: simple random walks on its graph, as rows, shape (walks, visits).
        rng: draws the bootstrap's walks.
        lags: largest lag.
        resamples: bootstrap samples.
        confidence: nominal coverage of the intervals.

    Raises:
        TableError: the graph is directed.
        ValueError: the walks are too short for the lags.
    """
    landscape.require_undirected("The autocorrelation along random walks")
    series = landscape.fitness[walks]
    pooled = pooled_autocorrelation(series, lags, rng, resamples=resamples, confidence=confidence)
    mean = mean_autocorrelation(series, lags, rng, resamples=resamples, confidence=confidence)
    return AUTOCORRELATION.validate(
        pd.DataFrame(
            {
                "lag": np.arange(lags + 1),
                "exact": exact_autocorrelation(landscape.fitness, landscape.graph, lags),
                "pooled": pooled.value,
                "pooled_low": pooled.low,
                "pooled_high": pooled.high,
                "mean_of_walks": mean.value,
                "mean_of_walks_low": mean.low,
                "mean_of_walks_high": mean.high,
                "walks": len(series),
                "constant_walks": int((np.ptp(series, axis=1) == 0).sum()),
            }
        )
    )


def _require_lags(series: NDArray[np.float64], lags: int) -> None:
    if series.ndim != 2 or not 0 <= lags < series.shape[1]:
        raise ValueError(f"walks with values of the shape {series.shape} have no autocorrelation at lag {lags}")


def _undefined(lags: int) -> Estimate:
    return Estimate(*(np.full(lags + 1, np.nan) for _ in range(3)))


def _percentiles(drawn: NDArray[np.float64], confidence: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of the interval at each lag; NaN where no sample has a value."""
    low, high = np.full(drawn.shape[1], np.nan), np.full(drawn.shape[1], np.nan)
    defined = ~np.isnan(drawn).all(axis=1)  # a sample of constant walks alone has no value at any lag
    if defined.any():
        low, high = np.quantile(drawn[defined], [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return low, high


def _ratios(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return autocorrelations about the mean of each sample of walks.

    Args:
        sums: products, heads and tails at each lag, shape (samples, lags + 1, 3).
        counts: pairs of visits at each lag, shape (lags + 1,).
    """
    mean = sums[:, :1, 1] / counts[0]
    covariance = sums[:, :, 0] / counts - mean * (sums[:, :, 1] + sums[:, :, 2]) / counts + mean**2
    variance = covariance[:, :1]
    ratios = np.full(covariance.shape, np.nan)
    np.divide(covariance, variance, out=ratios, where=variance > 0)
    return ratios


@nb.njit(cache=True)
def _lag_sums(series: NDArray[np.float64], lags: int) -> NDArray[np.float64]:
    """Return sums of x(t) x(t+k), of x(t) and of x(t+k) for each walk and lag k, shape (walks, lags + 1, 3)."""
    walks, visits = series.shape
    sums = np.zeros((walks, lags + 1, 3))
    for walk in range(walks):
        for lag in range(lags + 1):
            for visit in range(visits - lag):
                sums[walk, lag, 0] += series[walk, visit] * series[walk, visit + lag]
                sums[walk, lag, 1] += series[walk, visit]
                sums[walk, lag, 2] += series[walk, visit + lag]
    return sums


@nb.njit(cache=True)
def _mean_of_neighbours(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean of the neighbours' values at each cell; 0 where there is no neighbour."""
    means = np.zeros(len(values))
    for row in range(len(values)):
        total = 0.0
        for arc in range(indptr[row], indptr[row + 1]):
            total += values[indices[arc]]
        if indptr[row + 1] > indptr[row]:
            means[row] = total / (indptr[row + 1] - indptr[row])
    return means
