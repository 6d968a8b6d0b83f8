"""Fitness Landscape Footprint: eight numbers that describe an architecture search problem.

Source: Traoré, Camero and Zhu, "Fitness Landscape Footprint: A Framework to Compare Neural Architecture Search
Problems" (arXiv 2111.01584, 2021), and the authors' notebooks where the text leaves something open.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import TerranasError
from terranas.core.randomness import generator
from terranas.landscape.bootstrap import (
    CONFIDENCE,
    MIN_SAMPLE,
    UNDEFINED,
    Interval,
    bootstrap_counts,
    percentile_interval,
)
from terranas.landscape.schema import FOOTPRINT

Array = NDArray[np.float64]

PERCENT = 25
"""Share of the architectures that counts as best or worst, in percent; the areas reach from 1 to it."""

RESAMPLES = 499
"""Bootstrap resamples over the architectures, unless asked otherwise."""

_ENDS = ("", "_low", "_high")
_SIGNS = {"positive": 1, "negative": -1}


@dataclass(frozen=True)
class OptimaEstimate:
    """How many local optima a landscape has.

    Attributes:
        value: the number or its estimate.
        interval: confidence interval; undefined for an exact count.
        n: architectures that local searches start from.
        method: what made it, such as ``birthday estimate`` or ``exact count``.
    """

    value: float
    interval: Interval
    n: int
    method: str


def optima_of_measures(measures: pd.DataFrame) -> tuple[OptimaEstimate, OptimaEstimate | None]:
    """Return the birthday estimate of the local optima on a neighbour graph, and their count where all cells are known.

    Args:
        measures: schema ``landscape.graph_measures``.
    """
    rows = {str(row["measure"]): row for row in measures.to_dict("records")}
    guess, counted = rows["birthday_optima"], rows["optima"]
    interval = Interval(guess["low"], guess["high"])
    estimate = OptimaEstimate(guess["value"], interval, guess["cells"], "birthday estimate")
    if rows["unknown"]["value"] > 0:
        return estimate, None
    return estimate, OptimaEstimate(counted["value"], UNDEFINED, counted["cells"], "exact count")


def footprint(
    benchmark: TabularBenchmark,
    fitness: str,
    *,
    seed: int,
    walks: pd.DataFrame | None = None,
    optima: OptimaEstimate | None = None,
    exact_optima: OptimaEstimate | None = None,
    percent: int = PERCENT,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> pd.DataFrame:
    """Return the footprint of a benchmark.

    The intervals of mean, deviation and persistence are percentile-bootstrap ones over the architectures, which are
    taken as a sample. Mean and deviation are those at the fidelity the benchmark looks up (the authors': 36 epochs);
    persistence compares all its fidelities, over the architectures that have a value at each.

    Args:
        benchmark: values of the architectures.
        fitness: metric that is the fitness.
        seed: the study's seed.
        walks: schema ``landscape.ruggedness_summary``, with a row of this metric on these images (its variant
            ``defined`` is used); None where there are no walks.
        optima: number of local optima as the authors estimate it.
        exact_optima: their exact number, where all cells of the search space are known.
        percent: share of the architectures that counts as best or worst, from 1.
        confidence: nominal coverage of the intervals.
        resamples: bootstrap resamples.

    Returns:
        A table of the schema ``FOOTPRINT``. What is not defined for the table is NaN, and ``reason`` says why.

    Raises:
        TerranasError: ``percent`` is not from 1 to 100.
        TableError: the benchmark has no such metric.
    """
    if not 1 <= percent <= 100:
        raise TerranasError(f"The best and worst share of a footprint must be from 1 to 100 percent, got {percent}.")
    rng = generator(seed, "landscape.footprint", benchmark.dataset, fitness)
    rows = [
        *_fitness_rows(benchmark.values([fitness])[:, 0], rng, confidence, resamples),
        *_walk_rows(benchmark.dataset, fitness, walks),
        _optima_row("optima", optima, "not estimated"),
        _optima_row("optima_exact", exact_optima, "not all cells are known"),
        *_persistence_rows(benchmark, fitness, percent, rng, confidence, resamples),
    ]
    common = {
        "dataset": benchmark.dataset,
        "fitness": fitness,
        "percent": 0,
        "from_epochs": benchmark.epochs,
        "to_epochs": benchmark.epochs,
        "across": "",
        "confidence": confidence,
    }
    return FOOTPRINT.from_rows([{**common, **row} for row in rows])


def persistence(values: Array, percent: int = PERCENT) -> Array:
    """Return which share of the best architectures at the lowest fidelity is among the best at others.

    The best N % of n architectures are those that fewer than N n / 100 (rounded, at least one) others surpass, so
    that ties at the edge all belong to them and the order of rows does not matter. By chance, N / 100 would persist.

    Args:
        values: shape (architectures, fidelities), larger is better, without NaN, fidelities ascending.
        percent: largest N.

    Returns:
        Shape (percent, fidelities): at N = 1, 2, ..., the share that is also among the best N % at each of the higher
        fidelities, and in the last column at all of them together (with two fidelities, the two columns agree).
    """
    return _shares(_surpassed(_levels(values), np.ones(len(values), dtype=np.int64)), np.ones(len(values)), percent)


def _fitness_rows(values: Array, rng: np.random.Generator, confidence: float, resamples: int) -> list[dict[str, Any]]:
    known = np.sort(values[~np.isnan(values)])
    n: int = len(known)
    mean = float(known.mean()) if n else np.nan
    std = float(np.std(known, ddof=1)) if n > 1 else np.nan
    ends = [UNDEFINED, UNDEFINED]
    if n >= MIN_SAMPLE:
        centred = known - mean

        def moments(counts: NDArray[np.int64]) -> Array:
            first = counts @ centred / n
            second = counts @ centred**2 - n * first**2
            return np.array([mean + first, np.sqrt(max(float(second), 0.0) / (n - 1))])

        drawn = bootstrap_counts(n, resamples, rng, moments)
        ends = [percentile_interval(drawn[:, column], confidence) for column in range(2)]
    reason = "" if n >= MIN_SAMPLE else f"{n} architectures with a value, {MIN_SAMPLE} needed"
    return [
        _row(name, value, interval, n, reason=reason)
        for name, value, interval in zip(("fitness_mean", "fitness_std"), (mean, std), ends, strict=True)
    ]


def _walk_rows(dataset: str, fitness: str, walks: pd.DataFrame | None) -> list[dict[str, Any]]:
    names = ("autocorrelation", "ruggedness", "correlation_length")
    if walks is not None:
        chosen = walks[
            (walks["dataset"] == dataset) & (walks["metric"] == fitness) & (walks["variant"] == "defined")
        ].to_dict("records")
        if chosen:
            summary = chosen[0]
            return [
                _row(
                    name,
                    summary[name],
                    Interval(summary[f"{name}_low"], summary[f"{name}_high"]),
                    summary["walks"],
                    method="studentised bootstrap over the walks",
                    reason=summary["reason"] if pd.isna([summary[f"{name}{end}"] for end in _ENDS]).any() else "",
                )
                for name in names
            ]
    return [_row(name, np.nan, UNDEFINED, 0, reason="no walks in this metric") for name in names]


def _optima_row(measure: str, optima: OptimaEstimate | None, reason: str) -> dict[str, Any]:
    if optima is None:
        return _row(measure, np.nan, UNDEFINED, 0, reason=reason)
    return _row(measure, optima.value, optima.interval, optima.n, method=optima.method)


def _persistence_rows(
    benchmark: TabularBenchmark,
    fitness: str,
    percent: int,
    rng: np.random.Generator,
    confidence: float,
    resamples: int,
) -> list[dict[str, Any]]:
    fidelities = benchmark.fidelities
    keys = benchmark.architectures
    values = np.column_stack([benchmark.values([fitness], keys, epochs=epochs)[:, 0] for epochs in fidelities])
    values = values[~np.isnan(values).any(axis=1)]
    # rows in the order of their values: equal resamples for rows in any order
    values = values[np.lexsort(values.T)] * (1 if benchmark.direction(fitness) == "maximise" else -1)
    n, lowest, highest = len(values), fidelities[0], fidelities[-1]
    spans = [*((lowest, epochs, "pair") for epochs in fidelities[1:]), (lowest, highest, "all")]
    reason = ""
    if len(fidelities) < 2:
        reason = f"one fidelity only: {lowest} epochs"
    elif n < MIN_SAMPLE:
        reason = f"{n} architectures with a value at each fidelity, {MIN_SAMPLE} needed"
    elif (np.ptp(values, axis=0) == 0).any():
        reason = "all architectures have the same value at one of the fidelities"
    rows = []
    for kind, sign in _SIGNS.items():
        if reason:
            found, drawn = np.full((percent, len(spans)), np.nan), None
        else:
            found = persistence(sign * values, percent)
            drawn = _resampled(sign * values, percent, rng, resamples)
        for column, (low, high, across) in enumerate(spans):
            for name, place in ((f"{kind}_persistence", percent - 1), (f"{kind}_persistence_area", slice(None))):
                span = {"percent": percent, "from_epochs": low, "to_epochs": high, "across": across}
                interval = UNDEFINED
                if drawn is not None:
                    parts = drawn[:, place, column].reshape(resamples, -1).mean(axis=1)
                    interval = percentile_interval(parts, confidence)
                value = float(np.mean(found[place, column]))
                rows.append({**_row(name, value, interval, n, reason=reason), **span})
    return rows


def _row(
    measure: str, value: float, interval: Interval, n: int, *, method: str = "", reason: str = ""
) -> dict[str, Any]:
    bootstrapped = "percentile bootstrap over the architectures" if not np.isnan(interval.low) else ""
    return {
        "measure": measure,
        "value": value,
        "value_low": interval.low,
        "value_high": interval.high,
        "n": n,
        "method": method or bootstrapped,
        "reason": reason,
    }


def _resampled(values: Array, percent: int, rng: np.random.Generator, resamples: int) -> Array:
    """Return the persistence of resamples of the architectures, shape (resamples, percent, fidelities)."""
    levels = _levels(values)  # sorted once: a resample changes how often a value stands there, not its level
    flat = bootstrap_counts(
        len(values),
        resamples,
        rng,
        lambda counts: _shares(_surpassed(levels, counts), counts.astype(np.float64), percent).ravel(),
    )
    return flat.reshape(resamples, percent, values.shape[1])


def _levels(values: Array) -> NDArray[np.int64]:
    """Return the place of each value among the different ones of its fidelity, ascending, shape as ``values``."""
    places = [np.unique(values[:, column], return_inverse=True)[1] for column in range(values.shape[1])]
    return np.asfortranarray(np.column_stack(places))


def _surpassed(levels: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return by how many architectures each is surpassed at each fidelity, shape as ``levels``.

    Args:
        levels: places of the values, a larger one is better.
        counts: how often each architecture stands in the sample.
    """
    found = np.empty(levels.shape, dtype=np.int64, order="F")
    for column in range(levels.shape[1]):
        weights = np.bincount(levels[:, column], counts).astype(np.int64)
        above = weights[::-1].cumsum()[::-1] - weights
        found[:, column] = above[levels[:, column]]
    return found


def _shares(surpassed: NDArray[np.int64], counts: Array, percent: int) -> Array:
    """Return the persistence as :func:`persistence` does, of a sample in which rows stand ``counts`` times."""
    sizes = np.maximum(1, np.rint(counts.sum() * np.arange(1, percent + 1) / 100))
    lowest = surpassed[:, 0]
    # an architecture is among the best N % at several fidelities if it is so at the worst of them
    worst = [np.maximum(lowest, surpassed[:, column]) for column in range(1, surpassed.shape[1])]
    worst.append(surpassed.max(axis=1))
    kept = np.column_stack([_number_below(ranks, counts, sizes) for ranks in worst])
    return np.asarray(kept / _number_below(lowest, counts, sizes)[:, None], dtype=np.float64)


def _number_below(ranks: NDArray[np.int64], counts: Array, sizes: Array) -> Array:
    """Return how many architectures have a rank below each of the sizes."""
    cumulative = np.concatenate([[0.0], np.bincount(ranks, counts).cumsum()])
    return np.asarray(cumulative[np.minimum(sizes.astype(np.int64), len(cumulative) - 1)])
