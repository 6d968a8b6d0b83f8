"""Scores of surrogates by the number of architectures they were trained on (thesis, section 5.2)."""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.core.errors import ConfigError
from terranas.core.logs import progress
from terranas.core.randomness import generator
from terranas.surrogates.boosting import BoostingSettings, fit_surrogate
from terranas.surrogates.schema import SCORES
from terranas.surrogates.scores import prediction_scores

MAX_HELD_OUT = 20_000
"""Held-out architectures of one repeat at most: their scores' sampling error is far below the spread over repeats."""

logger = logging.getLogger(__name__)


def analyse_sizes(
    features: NDArray[np.float32],
    values: NDArray[np.float64],
    objectives: Sequence[str],
    *,
    dataset: str,
    sizes: Sequence[int],
    repeats: int,
    settings: BoostingSettings,
    seed: int,
    max_held_out: int = MAX_HELD_OUT,
) -> pd.DataFrame:
    """Train surrogates on random sets of several sizes and score them on the architectures left out.

    All objectives of a size and repeat share the training set and the held-out set. The held-out set is every other
    architecture with values, or a random ``max_held_out`` of them where there are more.

    Args:
        features: encoded architectures, shape (n, d).
        values: objectives, shape (n, m); rows with a value that is not finite are left out.
        objectives: names of the columns of ``values``.
        dataset: name of the images.
        sizes: training-set sizes.
        repeats: random training sets a size.
        settings: parameters of the trees.
        seed: the study's seed.
        max_held_out: largest held-out set.

    Returns:
        A table of schema :data:`~terranas.surrogates.schema.SCORES`.

    Raises:
        ConfigError: fewer architectures have values than the largest size and two held-out ones need.
    """
    known = np.flatnonzero(np.isfinite(values).all(axis=1))
    if max(sizes) + 2 > len(known):
        raise ConfigError(
            f"surrogates.sizes asks for {max(sizes)} training architectures and at least 2 to test on, but only "
            f"{len(known)} of the {len(values)} architectures have values of {', '.join(objectives)} (failed or "
            "missing trainings have none). Lower surrogates.sizes or train more architectures."
        )
    if len(known) < len(values):
        logger.info("%d of %d architectures have no values and are left out", len(values) - len(known), len(values))
    jobs = [(size, repeat) for size in sizes for repeat in range(repeats)]
    rows: list[dict[str, Any]] = []
    for size, repeat in progress(jobs, len(jobs), "training sets", logger):
        order = generator(seed, "surrogates.size", size, repeat).permutation(known)
        train, held_out = order[:size], order[size : size + max_held_out]
        for column, objective in enumerate(objectives):
            begun = time.perf_counter()
            surrogate = fit_surrogate(features[train], values[train, column], settings)
            fitted = time.perf_counter()
            predicted = surrogate.predict(features[held_out])
            done = time.perf_counter()
            scores = asdict(prediction_scores(values[held_out, column], predicted))
            key = {"dataset": dataset, "objective": objective, "size": size, "repeat": repeat}
            times = {"fit_seconds": fitted - begun, "predict_seconds": done - fitted}
            rows.append({**key, "held_out": len(held_out), **scores, **times})
    return SCORES.from_rows(rows)
