"""What the searches of a study could see: measured values, and predicted ones where the table has none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from terranas.benchmark.tabular import TabularBenchmark


@dataclass(frozen=True)
class KnownValues:
    """Objectives of all architectures of a space.

    Attributes:
        values: in the objectives' own directions, shape (n, m); NaN where nothing is known.
        predicted: whether any of an architecture's values is predicted, shape (n,).
        complete: whether all of them were measured.
    """

    values: NDArray[np.float64]
    predicted: NDArray[np.bool_]
    complete: bool

    @classmethod
    def of(
        cls,
        measured: TabularBenchmark,
        filled: TabularBenchmark | None,
        objectives: Sequence[str],
        names: Sequence[str],
    ) -> Self:
        """Look up all architectures of a space.

        Args:
            measured: the benchmark that was searched.
            filled: the same with predicted values where it has none; None where searches passed over them.
            objectives: names of m metrics.
            names: names of the n architectures of the space.

        Raises:
            TableError: a table has no such metric.
        """
        values = measured.values(objectives, names)
        complete = not np.isnan(values).any()
        if filled is None:
            return cls(values, np.zeros(len(values), dtype=np.bool_), complete)
        return cls(filled.values(objectives, names), filled.predicted(objectives, names), complete)
