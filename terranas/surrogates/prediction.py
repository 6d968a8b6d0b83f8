"""Predicting the objectives of every architecture from a sample, and the front the predictions show."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.core.errors import ConfigError
from terranas.core.logs import progress
from terranas.core.pareto import Direction, nondominated
from terranas.core.randomness import derive_seed, generator
from terranas.surrogates.fitting import fit
from terranas.surrogates.regressors import RegressorSettings
from terranas.surrogates.schema import PREDICTED_FRONTS, PREDICTIONS, TRAINING_SAMPLES

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PredictionTables:
    """Tables of all repetitions, each of the schema of its name in :mod:`terranas.surrogates.schema`."""

    samples: pd.DataFrame
    fronts: pd.DataFrame
    predictions: pd.DataFrame


def predict_fronts(
    architectures: Sequence[str],
    features: NDArray[np.float32],
    values: NDArray[np.float64],
    objectives: Sequence[str],
    directions: Sequence[Direction],
    *,
    dataset: str,
    sample_size: int,
    repetitions: int,
    settings: RegressorSettings,
    seed: int,
) -> PredictionTables:
    """Train one surrogate an objective on a random sample, predict the whole space, take the predicted front; repeat.

    Args:
        architectures: names of all n architectures of the space, ascending.
        features: their encodings, shape (n, d), encoded once for all objectives and repetitions.
        values: their objectives, shape (n, m); a row with a value that is not finite counts as not known.
        objectives: names of the columns of ``values``.
        directions: which way each objective is better.
        dataset: name of the images.
        sample_size: architectures in a training sample, drawn from those with values.
        repetitions: independent samples.
        settings: regressor of every objective.
        seed: the study's seed.

    Returns:
        Training samples and predicted fronts of all repetitions, predictions of repetition 0.

    Raises:
        ConfigError: fewer architectures than ``sample_size`` have values, or the surrogate cannot be fitted.
    """
    known = np.flatnonzero(np.isfinite(values).all(axis=1))
    if sample_size > len(known):
        raise ConfigError(
            f"surrogates.training_sample is {sample_size}, but only {len(known)} of the {len(values)} architectures "
            f"have values of {', '.join(objectives)} (failed or missing trainings have none). Lower "
            "surrogates.training_sample or train more architectures."
        )
    names = np.asarray(architectures, dtype=object)
    samples, fronts = [], []
    predictions = pd.DataFrame()
    for repetition in progress(range(repetitions), repetitions, "predicted fronts", logger):
        rng = generator(seed, "surrogates.sample", repetition)
        sample = np.sort(rng.choice(known, size=sample_size, replace=False))
        fitting = derive_seed(seed, "surrogates.fit", repetition)
        predicted = np.column_stack(
            [
                fit(
                    features[sample], values[sample, column], settings, log=settings.is_log(objective), seed=fitting
                ).predict(features)
                for column, objective in enumerate(objectives)
            ]
        )
        rows, scope = _front_rows(predicted, directions, known)
        samples.append(pd.DataFrame({"dataset": dataset, "seed": repetition, "architecture": names[sample]}))
        front = pd.DataFrame({"dataset": dataset, "seed": repetition, "architecture": names[rows], "scope": scope})
        fronts.append(pd.concat([front, pd.DataFrame(predicted[rows], columns=list(objectives))], axis=1))
        if repetition == 0:
            predictions = pd.DataFrame({"dataset": dataset, "architecture": names})
            predictions = pd.concat([predictions, pd.DataFrame(predicted, columns=list(objectives))], axis=1)
        if scope[-1] == "known":
            logger.warning(
                "repetition %d: no architecture of the predicted front has known values; the front that is predicted "
                "among the %d known architectures is listed too",
                repetition,
                len(known),
            )
    all_fronts = PREDICTED_FRONTS.validate(pd.concat(fronts, ignore_index=True))
    sizes = all_fronts[all_fronts["scope"] == "space"].groupby("seed").size()
    logger.info("predicted fronts hold %d to %d architectures (median %g)", sizes.min(), sizes.max(), sizes.median())
    return PredictionTables(
        samples=TRAINING_SAMPLES.validate(pd.concat(samples, ignore_index=True)),
        fronts=all_fronts,
        predictions=PREDICTIONS.validate(predictions),
    )


def _front_rows(
    predicted: NDArray[np.float64], directions: Sequence[Direction], known: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[str]]:
    """Return rows of the predicted front and their scope.

    A search of a table can start only from known architectures. On a table that covers a part of the space the
    predicted front may hold none; then the rows that are non-dominated among the known ones follow.
    """
    front = np.flatnonzero(nondominated(predicted, directions))
    if np.isin(front, known).any():
        return front, ["space"] * len(front)
    among_known = known[nondominated(predicted[known], directions)]
    return np.concatenate([front, among_known]), ["space"] * len(front) + ["known"] * len(among_known)
