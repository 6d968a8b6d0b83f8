"""Conclusions of the thesis, restated as tests with effect sizes.

The thesis of Demir (sections 4.4 and 5) concludes that the landscape of its Earth-observation images is harder and
more rugged than that of CIFAR-10, and that class imbalance sets macro and micro accuracy apart. Here each becomes a
paired comparison: the same walks, or the same architectures, in both. Cells of one walk are neighbours and not
independent, so that a test over architectures is too sure of itself; where walks are at hand, their means are compared
too.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import TableError
from terranas.core.holm import holm
from terranas.core.randomness import generator
from terranas.data.layout import SPLITS
from terranas.landscape.bootstrap import RESAMPLES
from terranas.landscape.known import has_values, known_metrics, require_shared, shared_architectures
from terranas.landscape.paired import PairedTest, paired_test
from terranas.landscape.ruggedness import analyse_walks
from terranas.landscape.schema import CONCLUSIONS

logger = logging.getLogger(__name__)

Array = NDArray[np.float64]

MORE_RUGGED = "the landscape is more rugged than the other one"
HARDER = "the landscape is harder than the other one"
IMBALANCE = "class imbalance makes micro accuracy exceed macro accuracy"

_DEPENDENT = "cells of one walk are neighbours and not independent: a description, no test"


@dataclass(frozen=True)
class Comparison:
    """What a conclusion says of two paired series.

    Attributes:
        conclusion: the sentence that is tested.
        quantity: what is compared.
        first: name of the series that the conclusion says to be larger.
        second: name of the other one.
        unit: what is paired.
        first_values: shape (n,), NaN where not known.
        second_values: shape (n,), NaN where not known.
        note: what limits the test.
        independent: whether the pairs are independent of each other, so that a test means something.
    """

    conclusion: str
    quantity: str
    first: str
    second: str
    unit: Literal["walk", "architecture"]
    first_values: Array
    second_values: Array
    note: str = ""
    independent: bool = True


def judge(
    comparisons: Sequence[Comparison], *, seed: int, alpha: float = 0.05, resamples: int = RESAMPLES
) -> pd.DataFrame:
    """Test all comparisons as one family.

    Args:
        comparisons: what is compared.
        seed: the study's seed.
        alpha: level of the tests; intervals cover 1 - alpha.
        resamples: bootstrap resamples for the intervals.

    Returns:
        A table of the schema ``CONCLUSIONS``. A conclusion is ``supported`` or ``contradicted`` where Holm's adjusted
        p-value is below ``alpha``, by the direction of the effect, and ``open`` elsewhere. A comparison that has no
        pair has no p-value; one whose pairs depend on each other has one that is too small and is only ``described``.
        Neither is counted in the family.
    """
    rows: list[dict[str, object]] = []
    independent: list[bool] = []
    for comparison in comparisons:
        names = (comparison.conclusion, comparison.quantity, comparison.first, comparison.second)
        result = paired_test(
            comparison.first_values,
            comparison.second_values,
            generator(seed, "landscape.conclusions", *names),
            confidence=1 - alpha,
            resamples=resamples,
        )
        rows.append(_row(comparison, result, alpha))
        independent.append(comparison.independent)
    if not rows:
        return CONCLUSIONS.empty()
    table = pd.DataFrame(rows)
    table["p_holm"] = holm(np.where(independent, table["p"].to_numpy(dtype=np.float64), np.nan))
    table["significant"] = table["p_holm"] < alpha
    agrees = np.where(table["rank_biserial"] > 0, "supported", "contradicted")
    table["verdict"] = np.where(independent, np.where(table["significant"], agrees, "open"), "described")
    return CONCLUSIONS.validate(table)


def comparisons_of_tables(
    benchmarks: Sequence[TabularBenchmark],
    walks: Sequence[pd.DataFrame],
    metrics: Sequence[str],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> list[Comparison]:
    """Return all that the tables at hand can say of the conclusions.

    Imbalance is looked at within each table; harder and more rugged are said of a table against each later one, along
    the walks of the former: of each accuracy against the same one of the other, or else its micro accuracy.

    Args:
        benchmarks: tables over the same search space, the one said to be harder first.
        walks: schema ``sampling.walks``, one for each table.
        metrics: accuracies; of each table those that it has values of.
        seed: the study's seed.
        resamples: bootstrap resamples.

    Raises:
        TableError: a table has none of the accuracies.
    """
    found = []
    for benchmark, own_walks in zip(benchmarks, walks, strict=True):
        found += imbalance_comparisons(benchmark, own_walks)
    for (one, own_walks), (other, _) in combinations(zip(benchmarks, walks, strict=True), 2):
        if not shared_architectures(one, other):
            logger.warning("%s and %s have no architecture in common: not compared", one.dataset, other.dataset)
            continue
        whole = _known_to_both(own_walks, one, other)
        if whole.empty:
            logger.warning("%s and %s do not both know a whole walk: no ruggedness", one.dataset, other.dataset)
        for metric in known_metrics(one, metrics):
            if not (partner := _counterpart(metric, other)):
                continue
            found += difficulty_comparisons(one, other, (metric, partner), own_walks)
            if whole.empty:
                continue
            rugged = [
                analyse_walks(whole, table, [name], seed=seed, resamples=resamples)
                for table, name in ((one, metric), (other, partner))
            ]
            found += ruggedness_comparisons(rugged[0], rugged[1], (metric, partner))
    return found


def _known_to_both(walks: pd.DataFrame, one: TabularBenchmark, other: TabularBenchmark) -> pd.DataFrame:
    """Return those walks all of whose architectures both tables have."""
    visited = walks["hash"].tolist()
    known = pd.Series((one.find(visited) >= 0) & (other.find(visited) >= 0), index=walks.index)
    return walks[known.groupby(walks["walk"]).transform("all")]


def _counterpart(metric: str, other: TabularBenchmark) -> str:
    """Return the accuracy of another table that a metric is compared with; empty where it has none."""
    candidates = (metric, metric.replace("macro", "micro"))
    return next((name for name in candidates if name in other.metrics and has_values(other, name)), "")


def ruggedness_comparisons(ruggedness: pd.DataFrame, other: pd.DataFrame, metrics: tuple[str, str]) -> list[Comparison]:
    """Return what "more rugged" says of the same walks on two sets of images.

    A more rugged landscape has the smaller autocorrelations, so the other one is said to have the larger ones: signed
    (neighbours that differ more than chance are rugged, too), and in size, as 1 / |autocorrelation| reads it.

    Args:
        ruggedness: schema ``landscape.ruggedness``, of the landscape that is said to be more rugged.
        other: the same, of the other landscape, over the same walks.
        metrics: metric of the first, and metric of the other.

    Raises:
        TableError: the tables have no walk in common.
    """
    series = []
    for table, metric in zip((ruggedness, other), metrics, strict=True):
        chosen = table[table["metric"] == metric]
        series.append(chosen.set_index("walk")["autocorrelation"].rename(_name(chosen, metric)))
    shared = series[0].index.intersection(series[1].index).sort_values()
    if shared.empty:
        raise TableError(
            f"The ruggedness of {metrics[0]} and of {metrics[1]} has no walk in common; expected both along the same "
            "walks."
        )
    small, large = (part.loc[shared].to_numpy(dtype=np.float64) for part in series)
    names = (str(series[1].name), str(series[0].name))
    return [
        Comparison(MORE_RUGGED, "lag-1 autocorrelation", *names, "walk", large, small),
        Comparison(MORE_RUGGED, "|lag-1 autocorrelation|", *names, "walk", np.abs(large), np.abs(small)),
    ]


def difficulty_comparisons(
    benchmark: TabularBenchmark,
    other: TabularBenchmark,
    metrics: tuple[str, str],
    walks: pd.DataFrame | None = None,
) -> list[Comparison]:
    """Return what "harder" says of the same architectures on two sets of images: lower accuracies.

    Args:
        benchmark: accuracies on the images that are said to be harder.
        other: accuracies on the other images.
        metrics: accuracy of the first, and accuracy of the other.
        walks: schema ``sampling.walks``; where given, the means of the walks are compared too.

    Raises:
        TableError: the tables have no architecture in common.
    """
    shared = require_shared(benchmark, other)
    low = pd.Series(benchmark.values([metrics[0]], shared)[:, 0], index=shared)
    high = pd.Series(other.values([metrics[1]], shared)[:, 0], index=shared)
    names = (f"{other.dataset}, {metrics[1]}", f"{benchmark.dataset}, {metrics[0]}")
    return _by_architecture_and_walk(HARDER, "accuracy", names, (high, low), walks)


def imbalance_comparisons(benchmark: TabularBenchmark, walks: pd.DataFrame | None = None) -> list[Comparison]:
    """Return what "imbalance sets micro and macro accuracy apart" says of each split that has both.

    Args:
        benchmark: accuracies of the architectures.
        walks: schema ``sampling.walks``; where given, the means of the walks are compared too.
    """
    found = []
    for split in SPLITS:
        metrics = [f"{split}_micro_accuracy", f"{split}_macro_accuracy"]
        values = benchmark.values(metrics)
        if np.isnan(values).any(axis=1).all():
            continue
        micro, macro = (pd.Series(values[:, column], index=benchmark.architectures) for column in range(2))
        names = (f"{benchmark.dataset}, {metrics[0]}", f"{benchmark.dataset}, {metrics[1]}")
        found += _by_architecture_and_walk(IMBALANCE, "accuracy", names, (micro, macro), walks)
    return found


def _by_architecture_and_walk(
    conclusion: str,
    quantity: str,
    names: tuple[str, str],
    series: tuple[pd.Series, pd.Series],
    walks: pd.DataFrame | None,
) -> list[Comparison]:
    """Return the comparison over the architectures and, where there are walks, the one of the walks' means."""
    first, second = (part.to_numpy(dtype=np.float64) for part in series)
    if walks is None:
        return [Comparison(conclusion, quantity, *names, "architecture", first, second)]
    both = pd.DataFrame({"first": first, "second": second}, index=series[0].index).dropna()
    visits = walks[["walk", "hash"]].merge(both, left_on="hash", right_index=True)
    means = visits.groupby("walk")[["first", "second"]].mean()
    return [
        Comparison(conclusion, quantity, *names, "architecture", first, second, _DEPENDENT, independent=False),
        Comparison(
            conclusion,
            f"{quantity}, mean of a walk",
            *names,
            "walk",
            means["first"].to_numpy(dtype=np.float64),
            means["second"].to_numpy(dtype=np.float64),
        ),
    ]


def _name(rows: pd.DataFrame, metric: str) -> str:
    return f"{', '.join(sorted(rows['dataset'].unique()))}, {metric}"


def _row(comparison: Comparison, result: PairedTest, alpha: float) -> dict[str, object]:
    known = ~(np.isnan(comparison.first_values) | np.isnan(comparison.second_values))
    notes = [comparison.note] if comparison.note else []
    if not result.n:
        notes.append("no pair has both values")
    elif result.smallest_p >= alpha:
        notes.append(
            f"too few pairs: {result.n - result.equal} unequal ones cannot give a p-value below {result.smallest_p:.2g}"
        )
    row: dict[str, object] = {
        "conclusion": comparison.conclusion,
        "quantity": comparison.quantity,
        "first": comparison.first,
        "second": comparison.second,
        "unit": comparison.unit,
        "n": result.n,
        "equal": result.equal,
        "median_first": np.median(comparison.first_values[known]) if result.n else np.nan,
        "median_second": np.median(comparison.second_values[known]) if result.n else np.nan,
        "w": result.w,
        "p": result.p,
        "method": result.method,
        "alpha": alpha,
        "note": "; ".join(notes),
    }
    for name in ("median_difference", "rank_biserial", "cliffs_delta"):
        value, interval = getattr(result, name)
        row |= {name: value, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return row
