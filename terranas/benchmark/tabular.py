"""Looking architectures up in a tabular benchmark."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.schema import METRICS, direction
from terranas.core.errors import TableError
from terranas.core.pareto import nondominated

_METRIC_NAMES = [column.name for column in METRICS]


class TabularBenchmark:
    """What is known of each architecture at the highest fidelity of a benchmark table.

    Repeats of one architecture are averaged, metric by metric, over the runs that have a value; an architecture whose
    runs all failed keeps its place in :attr:`hashes` with NaN in what only a training can tell.

    Attributes:
        dataset: name of the images.
        epochs: the highest fidelity of the table; nothing of lower fidelities is looked up.
        hashes: architectures with a row at that fidelity, ascending.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        """Index a table of the schema :data:`terranas.benchmark.schema.BENCHMARK`.

        Raises:
            TableError: the table has no rows or mixes images of several names.
        """
        if table.empty:
            raise TableError("The benchmark table has no rows. Train at least one architecture first.")
        names = sorted(table["dataset"].unique().tolist())
        if len(names) > 1:
            raise TableError(
                f"The benchmark table mixes the results of {len(names)} sets of images ({', '.join(names)}); expected "
                "one. Select the rows of one of them first."
            )
        self.dataset: str = names[0]
        self.epochs = int(table["epochs"].max())
        final = table.loc[table["epochs"] == self.epochs, ["hash", *_METRIC_NAMES]]
        if final["hash"].is_unique:
            means = final.set_index("hash").sort_index()
        else:
            means = final.groupby("hash", sort=True).mean()  # leaves NaN out
        self._index = means.index
        # a NaN at the end of each column, which is where get_indexer's -1 for "not found" points
        self._columns = {name: np.append(means[name].to_numpy(dtype=np.float64), np.nan) for name in _METRIC_NAMES}
        self.hashes: list[str] = self._index.tolist()

    def values(self, metrics: Sequence[str], hashes: Sequence[str] | None = None) -> NDArray[np.float64]:
        """Return metrics of architectures.

        Args:
            metrics: names of m metrics.
            hashes: n architectures in any order, also repeatedly; :attr:`hashes` by default.

        Returns:
            Shape (n, m); NaN where the benchmark does not know the architecture or the metric, and for what a failed
            training did not give.

        Raises:
            TableError: there is no such metric.
        """
        if hashes is None:
            rows = np.arange(len(self.hashes))
        else:
            rows = self._index.get_indexer(pd.Index(pd.Series(list(hashes), dtype="str")))
        values = np.empty((len(rows), len(metrics)))
        for position, metric in enumerate(metrics):
            values[:, position] = self._column(metric)[rows]
        return values

    def true_front(self, metrics: Sequence[str]) -> list[str]:
        """Return the architectures that no other one dominates in the metrics, ascending.

        Architectures with an unknown value in one of the metrics are left out; equal ones are all kept.

        Raises:
            TableError: there is no such metric.
        """
        mask = nondominated(self.values(metrics), [direction(metric) for metric in metrics])
        return [self.hashes[row] for row in np.flatnonzero(mask)]

    def _column(self, metric: str) -> NDArray[np.float64]:
        if metric not in self._columns:
            raise TableError(f"'{metric}' is no metric of a benchmark. Known: {', '.join(_METRIC_NAMES)}.")
        return self._columns[metric]
