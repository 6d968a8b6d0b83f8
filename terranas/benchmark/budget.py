"""Counting what a search asks of a benchmark."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import BudgetError, TableError


class BudgetedBenchmark:
    """A benchmark that answers for a limited number of architectures.

    A search pays for each different architecture once, as it would for training it; asking again is free. The limit
    is hard: what does not fit is not answered at all.

    Attributes:
        benchmark: what is asked.
        budget: number of different architectures that may be evaluated.
        evaluated: architectures in the order they were first asked for.
    """

    def __init__(self, benchmark: TabularBenchmark, metrics: Sequence[str], budget: int) -> None:
        """Give a budget of at least 0 to spend on ``metrics`` of a benchmark.

        Raises:
            ValueError: the budget is negative.
            TableError: there is no such metric.
        """
        if budget < 0:
            raise ValueError(f"a budget is at least 0 evaluations, got {budget}")
        benchmark.values(metrics, [])  # names of metrics are checked before anything is spent
        self.benchmark = benchmark
        self.budget = budget
        self.evaluated: list[str] = []
        self._metrics = list(metrics)
        self._known: set[str] = set()

    @property
    def spent(self) -> int:
        """Number of different architectures evaluated."""
        return len(self.evaluated)

    @property
    def left(self) -> int:
        """Number of different architectures that may still be evaluated."""
        return self.budget - self.spent

    @property
    def training_seconds(self) -> float:
        """Seconds that training the evaluated architectures once would have taken; NaN when one is not known."""
        return float(self.benchmark.values(["training_seconds"], self.evaluated).sum())

    def affordable(self, architectures: Sequence[str]) -> list[str]:
        """Return the longest beginning of a list that the budget still pays for."""
        fresh: set[str] = set()
        for number, architecture in enumerate(architectures):
            if architecture not in self._known:
                fresh.add(architecture)
            if len(fresh) > self.left:
                return list(architectures[:number])
        return list(architectures)

    def evaluate(self, architectures: Sequence[str]) -> NDArray[np.float64]:
        """Return the metrics of architectures, shape (n, metrics), and count those that are new.

        Raises:
            BudgetError: they do not fit into the budget; none of them is counted.
            TableError: the benchmark does not know one of them; none of them is counted.
        """
        fresh = [name for name in dict.fromkeys(architectures) if name not in self._known]
        if len(fresh) > self.left:
            raise BudgetError(
                f"{len(fresh)} more evaluations do not fit into the budget of {self.budget}, of which {self.left} are "
                "left. Ask for affordable(...) of them."
            )
        if (unknown := self.benchmark.find(fresh) < 0).any():
            raise TableError(
                f"The benchmark does not know the architecture {fresh[int(unknown.argmax())]}. Leave it out, or ask a "
                "surrogate benchmark, which knows the whole space."
            )
        values = self.benchmark.values(self._metrics, architectures)
        self.evaluated += fresh
        self._known.update(fresh)
        return values
