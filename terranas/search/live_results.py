"""What trainings left, as objectives of a live search: the very values that the study's benchmark table would hold."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.study import assemble_study
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import ConfigError
from terranas.core.tables import read_table
from terranas.profiling.schema import PROFILES
from terranas.training.schema import EPOCHS
from terranas.training.status import TrainingStatus, read_status

LIVE_OBJECTIVES = (
    "train_loss",
    "validation_loss",
    "train_macro_accuracy",
    "train_micro_accuracy",
    "validation_macro_accuracy",
    "validation_micro_accuracy",
    "test_macro_accuracy",
    "test_micro_accuracy",
    "training_seconds",
    "parameters",
    "macs",
)
"""Metrics that a training and the table of cells give; others need measurements on a device."""


def require_live_objectives(objectives: Sequence[str]) -> None:
    """Check that a live search can know its objectives without measuring on a device.

    Raises:
        ConfigError: names the objectives that it cannot know.
    """
    if unknown := [name for name in objectives if name not in LIVE_OBJECTIVES]:
        raise ConfigError(
            f"A live search trains architectures and does not measure them on a device, so it has no values of "
            f"{', '.join(unknown)}. Set search.objectives to some of {', '.join(LIVE_OBJECTIVES)}. For the others, let "
            "the study train and profile, and search its table."
        )


def read_trainings(
    results: str | Path, names: Sequence[str], cells: pd.DataFrame, objectives: Sequence[str], dataset: str
) -> tuple[list[str], NDArray[np.float64]]:
    """Return how trainings ended and what they reached after their last epoch.

    Args:
        results: the study's results folder.
        names: hashes of k trained architectures.
        cells: the search space (schema ``space.cells``).
        objectives: m of :data:`LIVE_OBJECTIVES`.
        dataset: name of the images.

    Returns:
        Outcomes, and objectives in their own directions, shape (k, m); NaN for what a failed training did not give.

    Raises:
        TerranasError: a result is missing, damaged, or of another version.
    """
    folders = [Path(results) / "training" / name for name in names]
    statuses: list[TrainingStatus] = [read_status(folder / "status.json") for folder in folders]
    epochs = pd.concat([read_table(folder / "metrics.parquet", EPOCHS) for folder in folders])
    table = assemble_study(cells, epochs, statuses, PROFILES.empty(), dataset)
    values = TabularBenchmark(table, schema=BENCHMARK).values(list(objectives), list(names))
    return [status.outcome for status in statuses], values
