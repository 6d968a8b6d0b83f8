"""What makes a cell good: a metric against each number that describes the cell's graph.

Rank correlations look at one feature at a time. Partial dependence (Friedman, Annals of Statistics 29, 2001) is the
mean prediction of a surrogate over many cells when one feature is set to a value and the others stay: it accounts for
the others as far as the surrogate does, but it also asks for cells that cannot be (a longest path of 1 with seven
vertices), since features of a graph depend on each other. Neither says what causes what.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xgboost
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.metrics import r2_score

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import TableError
from terranas.core.randomness import generator
from terranas.landscape.bootstrap import CONFIDENCE, RESAMPLES
from terranas.landscape.correlation import BOOTSTRAP_LIMIT, rank_correlations
from terranas.landscape.schema import FEATURE_CORRELATIONS, FEATURE_EFFECTS

logger = logging.getLogger(__name__)

Array = NDArray[np.float64]

MIN_CELLS = 10
"""Fewest cells that a surrogate is fitted to and scored on."""

STRONGEST = 6
"""Features whose partial dependence is computed, the most strongly correlated ones."""

_HELD_OUT = 0.2


@dataclass(frozen=True)
class SurrogateSettings:
    """Boosted trees (XGBoost) behind the partial dependence, and how much it looks at.

    Attributes:
        n_estimators: number of trees.
        max_depth: depth of a tree.
        learning_rate: shrinkage of each tree.
        training_cells: most cells that are fitted to.
        background_cells: most cells that predictions are averaged over.
        places: most values of a feature that the dependence is given at.
    """

    n_estimators: int = 200
    max_depth: int = 4
    learning_rate: float = 0.1
    training_cells: int = 50_000
    background_cells: int = 2_000
    places: int = 20


def correlate_features(
    benchmark: TabularBenchmark,
    metric: str,
    features: pd.DataFrame,
    *,
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    bootstrap_limit: int = BOOTSTRAP_LIMIT,
) -> pd.DataFrame:
    """Return Spearman's correlation of a metric with each feature, the strongest first.

    Args:
        benchmark: values of the architectures, at the fidelity it looks up.
        metric: name of the metric.
        features: numbers that describe cells, indexed by hash, one column a feature
            (:func:`terranas.space.features.graph_features` of cells indexed by hash).
        seed: the study's seed.
        confidence: nominal coverage of the intervals.
        resamples: bootstrap resamples.
        bootstrap_limit: with more architectures than these the interval is asymptotic.

    Returns:
        A table of the schema ``FEATURE_CORRELATIONS``; features without a correlation, such as constant ones, last.

    Raises:
        TableError: the benchmark has no such metric, or the features lack its architectures.
    """
    values, known = _join(benchmark, metric, features)
    rows = []
    for name in known.columns:
        column = known[name].to_numpy(dtype=np.float64)
        rng = generator(seed, "landscape.feature_correlations", benchmark.dataset, metric, str(name))
        (found,) = rank_correlations(
            values,
            column,
            rng,
            coefficients=("spearman",),
            confidence=confidence,
            resamples=resamples,
            bootstrap_limit=bootstrap_limit,
        )
        rows.append(
            {
                "dataset": benchmark.dataset,
                "metric": metric,
                "epochs": benchmark.epochs,
                "feature": str(name),
                "distinct": len(np.unique(column)),
                "confidence": confidence,
                **found.columns(),
            }
        )
    table = pd.DataFrame(rows)
    table = table.iloc[np.lexsort((table["feature"], -table["statistic"].abs()))]
    table["place"] = pd.array(range(1, len(table) + 1), dtype="Int64")
    table.loc[table["statistic"].isna(), "place"] = pd.NA
    return FEATURE_CORRELATIONS.validate(table)


def feature_effects(
    benchmark: TabularBenchmark,
    metric: str,
    features: pd.DataFrame,
    names: Sequence[str],
    *,
    seed: int,
    settings: SurrogateSettings | None = None,
) -> pd.DataFrame:
    """Return the partial dependence of a metric on some features, from boosted trees fitted to all features.

    A fifth of the cells is held out; R2 and Spearman's correlation on it say how far the dependence may be trusted
    (R2 falls to a few cells that did not learn, which ranks forgive).

    Args:
        benchmark: values of the architectures, at the fidelity it looks up.
        metric: name of the metric.
        features: numbers that describe cells, indexed by hash, one column a feature.
        names: features whose dependence is computed, such as the strongest of :func:`correlate_features`.
        seed: the study's seed.
        settings: the surrogate, and how much is looked at.

    Returns:
        A table of the schema ``FEATURE_EFFECTS``.

    Raises:
        TableError: the benchmark has no such metric, the features lack its architectures or a name, or fewer than
            :data:`MIN_CELLS` cells have a value.
    """
    chosen = settings or SurrogateSettings()
    if unknown := [name for name in names if name not in features.columns]:
        raise TableError(f"There are no features {', '.join(unknown)}. Known: {', '.join(map(str, features.columns))}.")
    values, known = _join(benchmark, metric, features)
    if len(values) < MIN_CELLS:
        raise TableError(
            f"{len(values)} cells on {benchmark.dataset} have a value of {metric}; a surrogate needs {MIN_CELLS}."
        )
    matrix = known.to_numpy(dtype=np.float64)
    order = generator(seed, "landscape.feature_effects", benchmark.dataset, metric).permutation(len(values))
    held_out, rest = np.split(order, [max(2, round(_HELD_OUT * len(order)))])
    trained = rest[: chosen.training_cells]
    predict = _fit(matrix[trained], values[trained], chosen)
    predicted, truth = predict(matrix[held_out]), values[held_out]
    score = float(r2_score(truth, predicted)) if np.ptp(truth) > 0 else np.nan
    ranked = float(spearmanr(truth, predicted).statistic) if min(np.ptp(truth), np.ptp(predicted)) > 0 else np.nan
    background = matrix[order[: chosen.background_cells]]
    rows = []
    for name in names:
        column = known.columns.tolist().index(name)
        places = grid_of(matrix[:, column], chosen.places)
        effects = partial_dependence(predict, background, column, places)
        rows += [
            {
                "dataset": benchmark.dataset,
                "metric": metric,
                "epochs": benchmark.epochs,
                "feature": name,
                "value": value,
                "effect": effect,
                "cells": int(np.sum(background[:, column] == value)),
                "background": len(background),
                "trained": len(trained),
                "held_out": len(held_out),
                "r2": score,
                "spearman": ranked,
            }
            for value, effect in zip(places.tolist(), effects.tolist(), strict=True)
        ]
    return FEATURE_EFFECTS.from_rows(rows)


def strongest_effects(
    benchmark: TabularBenchmark, metric: str, features: pd.DataFrame, correlations: pd.DataFrame, *, seed: int
) -> pd.DataFrame:
    """Return the partial dependence of a metric on the features that correlate with it most.

    Args:
        benchmark: values of the architectures.
        metric: name of the metric.
        features: numbers that describe cells, indexed by hash.
        correlations: schema ``FEATURE_CORRELATIONS``, of this metric.
        seed: the study's seed.

    Returns:
        A table of the schema ``FEATURE_EFFECTS``, empty where no feature correlates or too few cells have a value.
    """
    strongest = correlations.dropna(subset="place").sort_values("place").head(STRONGEST)
    cells = int(correlations["n"].max()) if len(correlations) else 0
    if strongest.empty or cells < MIN_CELLS:
        logger.warning("%s: no partial dependence of %s, which %d cells have", benchmark.dataset, metric, cells)
        return FEATURE_EFFECTS.empty()
    return feature_effects(benchmark, metric, features, strongest["feature"].tolist(), seed=seed)


def partial_dependence(predict: Callable[[Array], Array], background: Array, column: int, places: Array) -> Array:
    """Return the mean prediction over the background with one column set to each of the places.

    Args:
        predict: takes shape (rows, features), returns shape (rows,).
        background: shape (rows, features).
        column: index of the feature.
        places: values to set it to, shape (p,).

    Returns:
        Shape (p,), in the unit of the predictions.
    """
    changed = background.copy()
    means = np.empty(len(places))
    for number, place in enumerate(places):
        changed[:, column] = place
        means[number] = predict(changed).mean()
    return means


def grid_of(values: Array, most: int) -> Array:
    """Return the different values of a feature, or so many of its quantiles where there are more; ascending."""
    distinct = np.unique(values)
    if len(distinct) <= most:
        return distinct
    return np.unique(np.quantile(values, np.linspace(0, 1, most), method="nearest"))


def _fit(features: Array, targets: Array, settings: SurrogateSettings) -> Callable[[Array], Array]:
    """Return the predictions of boosted trees fitted by squared error.

    On one thread and without subsampling nothing is random. Targets are standardised, since XGBoost refuses splits
    that gain less than 1e-6 whatever the unit.
    """
    centre, scale = float(targets.mean()), float(targets.std()) or 1.0
    model = xgboost.XGBRegressor(
        n_estimators=settings.n_estimators,
        max_depth=settings.max_depth,
        learning_rate=settings.learning_rate,
        tree_method="hist",
        base_score=0.0,
        n_jobs=1,
    )
    model.fit(features, (targets - centre) / scale)
    return lambda rows: centre + scale * np.asarray(model.predict(rows), dtype=np.float64)


def _join(benchmark: TabularBenchmark, metric: str, features: pd.DataFrame) -> tuple[Array, pd.DataFrame]:
    """Return the known values of a metric, ascending by hash, and the features of their architectures."""
    values = pd.Series(benchmark.values([metric])[:, 0], index=benchmark.architectures).dropna()
    if missing := len(values.index.difference(features.index)):
        raise TableError(
            f"The features lack {missing:,} of the {len(values):,} architectures on {benchmark.dataset}; expected "
            "features of all of them, indexed by hash."
        )
    return np.asarray(values, dtype=np.float64), features.loc[values.index]
