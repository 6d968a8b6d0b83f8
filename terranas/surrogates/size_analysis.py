"""Scores of surrogates by the number of architectures they were trained on (thesis, section 5.2)."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.core.errors import ConfigError
from terranas.core.logs import progress
from terranas.core.randomness import derive_seed, generator
from terranas.surrogates.fitting import fit
from terranas.surrogates.regressors import RegressorSettings
from terranas.surrogates.schema import SCORES
from terranas.surrogates.scores import prediction_scores

MAX_HELD_OUT = 20_000
"""Held-out architectures of one repeat at most: their scores' sampling error is far below the spread over repeats."""

logger = logging.getLogger(__name__)


def analyse_sizes(
    features: Mapping[str, NDArray[np.float32]],
    values: NDArray[np.float64],
    objectives: Sequence[str],
    *,
    dataset: str,
    sizes: Sequence[int],
    repeats: int,
    compared: Mapping[str, RegressorSettings],
    seed: int,
    max_held_out: int = MAX_HELD_OUT,
) -> pd.DataFrame:
    """Train surrogates on random sets of several sizes and score them on architectures left out.

    Each repeat puts the architectures into a random order. Its training sets are the first ones of that order, so that
    a larger set holds the smaller ones; its held-out set are the last ``max_held_out`` ones, or all that do not train
    where there are fewer. All surrogates and objectives of a size and repeat share both sets, so that scores can be
    compared in pairs.

    Args:
        features: encoded architectures, shape (n, d), by name of the encoding.
        values: objectives, shape (n, m); rows with a value that is not finite are left out.
        objectives: names of the columns of ``values``.
        dataset: name of the images.
        sizes: training-set sizes.
        repeats: random orders.
        compared: the surrogates' settings, by the name they have in the table.
        seed: the study's seed.
        max_held_out: largest held-out set.

    Returns:
        A table of schema :data:`~terranas.surrogates.schema.SCORES`.

    Raises:
        ConfigError: fewer architectures have values than the largest size and two held-out ones need, features of an
            encoding are not given, or a surrogate cannot be fitted.
    """
    known = np.flatnonzero(np.isfinite(values).all(axis=1))
    if max(sizes) + 2 > len(known):
        raise ConfigError(
            f"surrogates.sizes asks for {max(sizes)} training architectures and at least 2 to test on, but only "
            f"{len(known)} of the {len(values)} architectures have values of {', '.join(objectives)} (failed or "
            "missing trainings have none). Lower surrogates.sizes or train more architectures."
        )
    if lacking := {settings.encoding for settings in compared.values()} - set(features):
        raise ConfigError(
            f"Features are lacking for {', '.join(sorted(lacking))}; given: {', '.join(features)}. Encode the "
            "architectures by each encoding that is compared."
        )
    if len(known) < len(values):
        logger.info("%d of %d architectures have no values and are left out", len(values) - len(known), len(values))
    jobs = [(size, repeat) for size in sizes for repeat in range(repeats)]
    rows: list[dict[str, Any]] = []
    for size, repeat in progress(jobs, len(jobs), "training sets", logger):
        order = generator(seed, "surrogates.size", repeat).permutation(known)
        train, held_out = order[:size], order[max(size, len(order) - max_held_out) :]
        for (name, settings), (column, objective) in _pairs(compared, objectives):
            own = features[settings.encoding]
            begun = time.perf_counter()
            surrogate = fit(
                own[train],
                values[train, column],
                settings,
                log=settings.is_log(objective),
                seed=derive_seed(seed, "surrogates.size.fit", repeat),
            )
            fitted = time.perf_counter()
            predicted = surrogate.predict(own[held_out])
            done = time.perf_counter()
            key = {"dataset": dataset, "surrogate": name, "encoding": settings.encoding, "objective": objective}
            times = {"fit_seconds": fitted - begun, "predict_seconds": done - fitted}
            scores = asdict(prediction_scores(values[held_out, column], predicted))
            rows.append({**key, "size": size, "repeat": repeat, "held_out": len(held_out), **scores, **times})
    return SCORES.from_rows(rows)


def _pairs(
    compared: Mapping[str, RegressorSettings], objectives: Sequence[str]
) -> list[tuple[tuple[str, RegressorSettings], tuple[int, str]]]:
    return [(settings, objective) for settings in compared.items() for objective in enumerate(objectives)]
