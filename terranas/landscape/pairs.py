"""Pairs of metrics over the same architectures: within a table, between its fidelities, and across tables."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from terranas.benchmark.tabular import TabularBenchmark
from terranas.landscape.known import has_values, known_metrics, require_shared, shared_architectures

logger = logging.getLogger(__name__)

FIDELITIES = 5
"""Fidelities of a table that are compared with each other at most."""


@dataclass(frozen=True)
class Series:
    """Values of one metric of a benchmark.

    Attributes:
        dataset: name of the images.
        metric: name of the metric.
        epochs: fidelity.
        values: shape (architectures,), NaN where not known.
    """

    dataset: str
    metric: str
    epochs: int
    values: NDArray[np.float64]


def pairs_of_tables(
    benchmarks: Sequence[TabularBenchmark], accuracies: Sequence[str], costs: Sequence[str]
) -> list[tuple[Series, Series]]:
    """Return the pairs that a study looks at.

    Within each table every pair of accuracies and costs, and each accuracy at a few fidelities; across tables each
    accuracy of one against each accuracy of the other, over the architectures that both have.

    Args:
        benchmarks: one or several tables over the same search space.
        accuracies: metrics; of each table those that it has values of.
        costs: further metrics.

    Raises:
        TableError: a table has none of the accuracies.
    """
    pairs, known = [], [known_metrics(benchmark, accuracies) for benchmark in benchmarks]
    for benchmark, names in zip(benchmarks, known, strict=True):
        there = known_metrics(benchmark, [*names, *(cost for cost in costs if cost not in names)])
        pairs += metric_pairs(benchmark, there)
        for name in names:
            pairs += fidelity_pairs(benchmark, name, spread_fidelities(benchmark.fidelities))
    for (one, names), (other, others) in combinations(zip(benchmarks, known, strict=True), 2):
        if shared_architectures(one, other):
            pairs += table_pairs(one, other, list(product(names, others)))
        else:
            logger.warning("The tables on %s and %s have no architecture in common", one.dataset, other.dataset)
    return pairs


def spread_fidelities(fidelities: Sequence[int], most: int = FIDELITIES) -> list[int]:
    """Return at most so many fidelities, from the lowest to the highest in about equal ratios."""
    if len(fidelities) <= most:
        return list(fidelities)
    wanted = np.geomspace(fidelities[0], fidelities[-1], most)
    places = {int(np.abs(np.asarray(fidelities) - value).argmin()) for value in wanted}
    return [fidelities[place] for place in sorted(places)]


def metric_pairs(benchmark: TabularBenchmark, metrics: Sequence[str]) -> list[tuple[Series, Series]]:
    """Return every pair of metrics of one table, at the fidelity it looks up; metrics without any value are left out.

    Raises:
        TableError: the table has no such metric.
    """
    known = [
        Series(benchmark.dataset, metric, benchmark.epochs, benchmark.values([metric])[:, 0])
        for metric in metrics
        if has_values(benchmark, metric)
    ]
    return [(first, second) for place, first in enumerate(known) for second in known[place + 1 :]]


def fidelity_pairs(
    benchmark: TabularBenchmark, metric: str, fidelities: Sequence[int] | None = None
) -> list[tuple[Series, Series]]:
    """Return every pair of fidelities of one metric, the lower one first, over all architectures of the higher one.

    Args:
        benchmark: the table.
        metric: name of the metric.
        fidelities: which ones, ascending; all that the table has by default.

    Raises:
        TableError: the table has no such metric.
    """
    keys = benchmark.architectures
    levels = [
        Series(benchmark.dataset, metric, epochs, benchmark.values([metric], keys, epochs=epochs)[:, 0])
        for epochs in (benchmark.fidelities if fidelities is None else fidelities)
    ]
    return [(first, second) for place, first in enumerate(levels) for second in levels[place + 1 :]]


def table_pairs(
    first: TabularBenchmark, second: TabularBenchmark, metrics: Sequence[tuple[str, str]]
) -> list[tuple[Series, Series]]:
    """Return pairs of metrics of the architectures that two tables have in common, joined by their keys.

    Args:
        first: a table, at the fidelity it looks up.
        second: a table over the same search space.
        metrics: names of a metric of the first and one of the second.

    Raises:
        TableError: a table has no such metric, or they have no architecture in common.
    """
    shared = require_shared(first, second)
    return [
        (
            Series(first.dataset, one, first.epochs, first.values([one], shared)[:, 0]),
            Series(second.dataset, other, second.epochs, second.values([other], shared)[:, 0]),
        )
        for one, other in metrics
    ]
