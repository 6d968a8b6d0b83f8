"""Looking architectures up in a tabular benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.columns import TableColumns
from terranas.benchmark.keys import KeyIndex, index_names, index_sorted_hashes
from terranas.benchmark.repeats import Aggregate, aggregate, one_a_run
from terranas.benchmark.schema import BENCHMARK, Direction
from terranas.core.errors import TableError
from terranas.core.pareto import nondominated
from terranas.core.tables import TableSchema

PREDICTED = "predicted"
"""Column of tables that hold predicted values too: whether any value of a row is one."""

DEVIATION = "_predicted_std"
"""Ends the name of the column with the standard deviation of a metric's predicted values; NaN for measured ones."""

Keys = Sequence[str] | NDArray[np.integer]
"""Architectures by their keys, or by their ids (an array of integers)."""


class TabularBenchmark:
    """What is known of each architecture for one set of images.

    Metrics are read when they are first asked for. Repeats of one architecture are aggregated, metric by metric, over
    the runs that have a value; an architecture whose runs all failed keeps its place with NaN in what only a training
    can tell.

    Attributes:
        dataset: name of the images.
        datasets: names of all images in the table.
        device: device of what is measured on one; empty where there is none, or several and none was chosen.
        devices: devices that something was measured on, on these images.
        fidelities: epochs that architectures were trained for, ascending.
        epochs: the fidelity that is looked up unless another is asked for.
        space_size: architectures of the whole search space; None where the table does not say.
    """

    def __init__(
        self,
        table: pd.DataFrame | TableColumns,
        *,
        schema: TableSchema = BENCHMARK,
        dataset: str | None = None,
        device: str | None = None,
        epochs: int | None = None,
    ) -> None:
        """Index a table.

        Args:
            table: rows of ``schema``, or columns opened before.
            schema: schema of a table in memory, made by :func:`terranas.benchmark.schema.table_schema`.
            dataset: images to look up; may be left out where the table has those of one name only.
            device: device whose measurements to look up; may be left out where there is one.
            epochs: fidelity to look up; the highest by default.

        Raises:
            TableError: the table has no rows, does not have what was chosen, or leaves a choice of images open.
        """
        self._columns = table if isinstance(table, TableColumns) else TableColumns.of_table(table, schema)
        if not len(self._columns):
            raise TableError(f"{self._columns.place} has no rows. Train at least one architecture first.")
        self.datasets, images = self._columns.labels("dataset")
        self.dataset = self._chosen_dataset(dataset)
        self._images = images == self.datasets.index(self.dataset) if len(self.datasets) > 1 else None
        names, device_of = self._columns.labels("device")
        used = np.unique(device_of if self._images is None else device_of[self._images]).tolist()
        self.devices = [names[code] for code in used if names[code]]
        self.device = self._chosen_device(device)
        self._device_names = names
        self._device_of = device_of if len(self.devices) > 1 else None

        self._epochs = self._columns.integers("epochs")
        self._index, self._position = _index_keys(self._columns)
        within = self._epochs if self._images is None else self._epochs[self._images]
        self.fidelities: list[int] = np.unique(within).tolist()
        self.epochs = self.fidelities[-1] if epochs is None else epochs
        self._require_fidelity(self.epochs)
        size = self._columns.facts.get("space_size")
        self.space_size = size if isinstance(size, int) else None

        present = np.zeros(len(self._index), dtype=np.bool_)
        present[self._position[self._rows(self.epochs)]] = True
        self._present = np.flatnonzero(present)
        self._values: dict[tuple[str, int, Aggregate | int], NDArray[np.float64]] = {}
        self._names: list[str] | None = None
        self._by_id: NDArray[np.int64] | None = None

    @classmethod
    def open(
        cls, path: str | Path, *, dataset: str | None = None, device: str | None = None, epochs: int | None = None
    ) -> TabularBenchmark:
        """Return the benchmark in a file that terranas wrote, without reading more than is looked up.

        Values were validated when the file was written and are not validated again. Arguments and errors as in
        :meth:`__init__`.

        Raises:
            TableError: the file is missing or damaged, or holds no benchmark table.
        """
        return cls(TableColumns.of_file(path), dataset=dataset, device=device, epochs=epochs)

    def __len__(self) -> int:
        return len(self._present)

    @property
    def architectures(self) -> list[str]:
        """Keys of the architectures known at :attr:`epochs`, ascending."""
        if self._names is None:
            names = self._index.names()
            self._names = names if len(self._present) == len(names) else [names[row] for row in self._present]
        return self._names

    @property
    def key(self) -> str:
        """Name of the column that names architectures."""
        return self._columns.key

    @property
    def measured_by(self) -> str:
        """What measured the table, as its column ``source`` says."""
        return ", ".join(self._columns.labels("source")[0])

    @property
    def metrics(self) -> list[str]:
        """Names of the table's metrics."""
        return list(self._columns.directions)

    @property
    def facts(self) -> dict[str, object]:
        """Where the table comes from: source, licence, citation and what else its importer stored."""
        return self._columns.facts

    @property
    def coverage(self) -> float | None:
        """Share of the search space that is known at :attr:`epochs`; None where the space's size is not known."""
        return len(self) / self.space_size if self.space_size else None

    def direction(self, metric: str) -> Direction:
        """Return which way a metric is better.

        Raises:
            TableError: there is no such metric.
        """
        name, _ = self._metric(metric)
        found: Direction = "maximise" if self._columns.directions[name] == "maximise" else "minimise"
        return found

    def unit(self, metric: str) -> str:
        """Return the unit of a metric, empty where it has none.

        Raises:
            TableError: there is no such metric.
        """
        return self._columns.units[self._metric(metric)[0]]

    def device_of(self, metric: str) -> str:
        """Return the device that a metric is looked up on; empty for one that does not depend on a device.

        Raises:
            TableError: there is no such metric.
        """
        name, device = self._metric(metric)
        return (device or self.device) if name in self._columns.per_device else ""

    def failed(self, keys: Keys) -> NDArray[np.bool_]:
        """Return which architectures were trained, but never with a full result, shape (n,)."""
        rows = self._rows(self.epochs)
        outcomes, outcome_of = self._columns.labels("outcome")
        full = np.array([outcome == "ok" for outcome in outcomes])[outcome_of[rows]]
        result = np.zeros(len(self._index) + 1, dtype=np.bool_)  # the last one is of those not found
        result[self._position[rows]] = True
        result[self._position[rows][full]] = False
        return result[self.find(keys)]

    def predicted(self, metrics: Sequence[str], keys: Keys | None = None) -> NDArray[np.bool_]:
        """Return which architectures have a predicted value, instead of a measured one, in any of the metrics.

        Args:
            metrics: names of metrics.
            keys: n architectures; :attr:`architectures` by default.

        Returns:
            Shape (n,); false for architectures that the table does not have. All false in a table of measurements.

        Raises:
            TableError: as for :meth:`values`.
        """
        return np.asarray(np.isfinite(self.deviations(metrics, keys)).any(axis=1))

    def deviations(self, metrics: Sequence[str], keys: Keys | None = None) -> NDArray[np.float64]:
        """Return the standard deviations of predicted values; as :meth:`values`, NaN for measured ones."""
        positions = self._present if keys is None else self.find(keys)
        result = np.full((len(positions), len(metrics)), np.nan)
        for number, metric in enumerate(metrics):
            self._metric(metric)
            if self._columns.has(PREDICTED):
                result[:, number] = self._column(metric, self.epochs, "mean", DEVIATION)[positions]
        return result

    def values(
        self,
        metrics: Sequence[str],
        keys: Keys | None = None,
        *,
        epochs: int | None = None,
        repeats: Aggregate | int = "mean",
    ) -> NDArray[np.float64]:
        """Return metrics of architectures.

        Args:
            metrics: names of m metrics; ``METRIC@DEVICE`` is a metric on another device than the chosen one.
            keys: n architectures in any order, also repeatedly; :attr:`architectures` by default.
            epochs: fidelity; :attr:`epochs` by default.
            repeats: how repeats become one value, or the index of one of them.

        Returns:
            Shape (n, m); NaN where the benchmark does not know the architecture or the metric, and for what a failed
            training did not give.

        Raises:
            TableError: there is no such metric, fidelity, repeat or aggregate, keys are no list of texts or integers,
                ids are asked for and the table has none, or a metric was measured on several devices and none is
                chosen.
        """
        if not len(metrics) or isinstance(metrics, str):
            raise TableError(f"Metrics are asked for as a list of at least one name, got {metrics!r}.")
        positions = self._present if keys is None else self.find(keys)
        fidelity = self.epochs if epochs is None else epochs
        result = np.empty((len(positions), len(metrics)))
        for number, metric in enumerate(metrics):
            result[:, number] = self._column(metric, fidelity, repeats)[positions]
        return result

    def find(self, keys: Keys) -> NDArray[np.int64]:
        """Return the position of each key or id in the table's index, shape (n,); -1 where it is not in the table.

        Raises:
            TableError: ids are given, but the table has none.
        """
        if isinstance(keys, str) or (isinstance(keys, np.ndarray) and keys.ndim != 1):
            raise TableError("Keys are asked for as a list, got a single text or an array of another shape.")
        names = keys.tolist() if isinstance(keys, np.ndarray) else list(keys)
        kinds = set(map(type, names))
        if all(issubclass(kind, str) for kind in kinds):
            return self._index.find(names)
        if not all(issubclass(kind, int | np.integer) for kind in kinds):
            raise TableError(f"Keys are texts, or ids as integers; got {', '.join(sorted(k.__name__ for k in kinds))}.")
        by_id, ids = self._positions_by_id(), np.asarray(keys, dtype=np.int64)
        inside = (ids >= 0) & (ids < len(by_id) - 1)
        return by_id[np.where(inside, ids, -1)]

    def true_front(self, metrics: Sequence[str], *, epochs: int | None = None) -> list[str]:
        """Return the architectures that no other one dominates in the metrics, ascending.

        Architectures with an unknown value in one of the metrics are left out; equal ones are all kept.

        Raises:
            TableError: as for :meth:`values`.
        """
        values = self.values(metrics, epochs=epochs)
        mask = nondominated(values, [self.direction(metric) for metric in metrics])
        return [self.architectures[row] for row in np.flatnonzero(mask)]

    def missing(self, metrics: Sequence[str], keys: Keys | None = None, *, epochs: int | None = None) -> list[str]:
        """Return the architectures of which a metric is not known, in the order given.

        Args:
            metrics: names of metrics.
            keys: architectures; :attr:`architectures` by default. Keys that the table does not have are missing too.
            epochs: fidelity; :attr:`epochs` by default.

        Raises:
            TableError: as for :meth:`values`.
        """
        unknown = np.isnan(self.values(metrics, keys, epochs=epochs)).any(axis=1)
        names = self.architectures if keys is None else keys
        return [str(names[row]) for row in np.flatnonzero(unknown).tolist()]

    def _column(self, metric: str, epochs: int, repeats: Aggregate | int, ending: str = "") -> NDArray[np.float64]:
        """Return one value an indexed architecture, and a NaN behind them, where -1 for "not found" points.

        With an ending it is that of the column whose name is the metric's with this ending.
        """
        name, device = self._metric(metric)
        self._require_fidelity(epochs)
        known = self._values.get((metric + ending, epochs, repeats))
        if known is None:
            rows = self._rows(epochs)
            column, position = self._columns.numbers(name + ending)[rows], self._position[rows]
            kept = ~np.isnan(column)
            if self._device_of is not None and name in self._columns.per_device:
                kept &= self._on_device(name, device or self.device, self._device_of[rows], kept)
            if not isinstance(repeats, str) or (self._device_of is not None and device is None):
                runs = self._columns.integers("repeat")[rows]
                kept = one_a_run(kept, position, runs)
                if not isinstance(repeats, str):
                    self._require_repeat(repeats, runs)
                    kept &= runs == repeats
            how = repeats if isinstance(repeats, str) else "mean"
            known = aggregate(column[kept], position[kept], len(self._index), how)
            self._values[metric + ending, epochs, repeats] = known
        return known

    def _rows(self, epochs: int) -> slice | NDArray[np.bool_]:
        """Return the rows of a fidelity on the chosen images."""
        if self._images is None:
            return slice(None) if len(self.fidelities) == 1 else self._epochs == epochs
        return np.asarray(self._images & (self._epochs == epochs))

    def _on_device(
        self, name: str, device: str, device_of: NDArray[np.int32], known: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Return the rows of a device; of the only one with values, where none is chosen."""
        if not device:
            candidates = [self._device_names[code] for code in np.unique(device_of[known]).tolist()]
            if len(candidates) > 1:
                raise TableError(
                    f"'{name}' was measured on {len(candidates)} devices; choose one (device=...) or ask for "
                    f"'{name}@{candidates[0]}'. Devices: {', '.join(candidates)}."
                )
            device = candidates[0] if candidates else ""
        return np.asarray(device_of == self._device_names.index(device)) if device else known

    def _require_repeat(self, repeat: int, runs: NDArray[np.int32]) -> None:
        if not (runs == repeat).any():
            raise TableError(f"There is no repeat {repeat}; repeats are numbered {runs.min()} to {runs.max()}.")

    def _metric(self, metric: str) -> tuple[str, str | None]:
        """Return name and device of what was asked for; no device where none was named."""
        name, at, device = metric.partition("@")
        if name not in self._columns.directions:
            raise TableError(f"'{name}' is no metric of this benchmark. Known: {', '.join(self.metrics)}.")
        if not at:
            return name, None
        if name not in self._columns.per_device:
            raise TableError(f"'{name}' does not depend on a device; ask for '{name}' alone.")
        if device not in self.devices:
            raise TableError(f"Nothing was measured on '{device}'. Devices: {', '.join(self.devices) or 'none'}.")
        return name, device

    def _positions_by_id(self) -> NDArray[np.int64]:
        """Return the position of each id, -1 for ids that the table does not have, and a -1 at the end."""
        if self._by_id is None:
            ids = self._columns.numbers("id") if self._columns.has("id") else np.array([np.nan])
            if np.isnan(ids).any():
                raise TableError(
                    f"{self._columns.place} has no ids: they number the whole space of NAS-Bench-101. Look up by "
                    f"'{self._columns.key}'."
                )
            by_id = np.full(int(ids.max()) + 2, -1, dtype=np.int64)
            by_id[ids.astype(np.int64)] = self._position
            self._by_id = by_id
        return self._by_id

    def _chosen_dataset(self, dataset: str | None) -> str:
        names = ", ".join(self.datasets)
        if dataset is None:
            if len(self.datasets) > 1:
                raise TableError(
                    f"{self._columns.place} mixes the results of {len(self.datasets)} sets of images ({names}); "
                    "choose one of them (dataset=...)."
                )
            return self.datasets[0]
        if dataset not in self.datasets:
            raise TableError(f"{self._columns.place} has no results on '{dataset}'. It has: {names}.")
        return dataset

    def _chosen_device(self, device: str | None) -> str:
        if device is None:
            return self.devices[0] if len(self.devices) == 1 else ""
        if device not in self.devices:
            raise TableError(f"Nothing was measured on '{device}'. Devices: {', '.join(self.devices) or 'none'}.")
        return device

    def _require_fidelity(self, epochs: int) -> None:
        if epochs not in self.fidelities:
            raise TableError(
                f"Nothing was trained for {epochs} epochs on {self.dataset}. Fidelities: "
                f"{', '.join(map(str, self.fidelities))}."
            )


def _index_keys(columns: TableColumns) -> tuple[KeyIndex, NDArray[np.int32]]:
    """Return the index of a table's architectures, and the position of each row's architecture in it."""
    in_order = index_sorted_hashes(columns.texts(columns.key))
    if in_order is not None:
        return in_order
    names, position = columns.labels(columns.key)
    return index_names(names), position
