"""Columns of a benchmark table, read when they are needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from terranas.benchmark.schema import BENCHMARK
from terranas.core.errors import TableError
from terranas.core.tables import TableSchema, read_facts

_PIECE = 1 << 16


class TableColumns:
    """Columns of a table in memory or in a file.

    Attributes:
        key: name of the column that names an architecture.
        directions: which way each metric is better, by name.
        units: unit of each metric, empty where there is none.
        per_device: metrics that belong to the device of a row.
        facts: attributes stored with the table.
        place: what to call the table in errors.
    """

    def __init__(
        self,
        source: pa.Table | Path,
        key: str,
        metrics: Mapping[str, Mapping[str, Any]],
        facts: dict[str, object],
        place: str,
    ) -> None:
        """Describe a table; ``metrics`` holds direction, unit and whether it is per device, by name."""
        self._source = source
        self.key = key
        self.directions = {name: str(about["direction"]) for name, about in metrics.items()}
        self.units = {name: str(about["unit"]) for name, about in metrics.items()}
        self.per_device = {name for name, about in metrics.items() if about["per_device"]}
        self.facts = facts
        self.place = place

    @classmethod
    def of_table(cls, table: pd.DataFrame, schema: TableSchema) -> TableColumns:
        """Return the columns of a table in memory.

        Raises:
            TableError: the table lacks a column of the schema.
        """
        if missing := [name for name in schema.names if name not in table.columns]:
            raise TableError(f"A table of {schema.name} must have the columns {', '.join(missing)}.")
        metrics = {column.name: vars(column) for column in schema.columns if column.direction}
        arrow = pa.Table.from_pandas(table[schema.names], preserve_index=False)
        return cls(arrow, schema.key[0], metrics, {}, "The benchmark table")

    @classmethod
    def of_file(cls, path: str | Path) -> TableColumns:
        """Return the columns of a file that terranas wrote.

        Raises:
            TableError: the file is missing, or holds no benchmark table.
        """
        facts = read_facts(path)
        outdated = facts["schema"] == BENCHMARK.name and facts["version"] != BENCHMARK.version
        if not str(facts["schema"]).startswith("benchmark.") or "key" not in facts or outdated:
            raise TableError(
                f"{path} holds the table {facts['schema']} version {facts['version']}; expected a benchmark table "
                f"({BENCHMARK.name} has version {BENCHMARK.version}). Remove it and run again."
            )
        if set(facts["columns"]) != set(pq.read_schema(path).names):
            raise TableError(f"{path} does not have the columns that it describes. Remove it and run again.")
        metrics = {name: about for name, about in facts["columns"].items() if about["direction"] is not None}
        return cls(Path(path), facts["key"][0], metrics, dict(facts["attributes"]), str(path))

    def __len__(self) -> int:
        if isinstance(self._source, Path):
            return int(pq.read_metadata(self._source).num_rows)
        return int(self._source.num_rows)

    def has(self, name: str) -> bool:
        """Return whether there is such a column."""
        schema = pq.read_schema(self._source) if isinstance(self._source, Path) else self._source.schema
        return name in schema.names

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column of numbers, shape (rows,); NaN where the value is not known."""
        result = np.empty(len(self), dtype=np.float64)
        end = 0
        for piece in self._pieces(name):
            start, end = end, end + len(piece)
            result[start:end] = pc.fill_null(piece.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False)
        return result

    def integers(self, name: str) -> NDArray[np.int32]:
        """Return a column of whole numbers without nulls, shape (rows,)."""
        result = np.empty(len(self), dtype=np.int32)
        end = 0
        for piece in self._pieces(name):
            start, end = end, end + len(piece)
            result[start:end] = piece.to_numpy(zero_copy_only=False)
        return result

    def labels(self, name: str) -> tuple[list[str], NDArray[np.int32]]:
        """Return the different texts of a column, ascending, and the position of each row's text among them."""
        column = self._read(name)
        encoded = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
        texts: list[str] = encoded.dictionary.to_pylist()
        order = sorted(range(len(texts)), key=texts.__getitem__)
        rank = np.empty(len(texts), dtype=np.int32)
        rank[order] = np.arange(len(texts), dtype=np.int32)
        return [texts[code] for code in order], rank[np.asarray(encoded.indices.to_numpy(zero_copy_only=False))]

    def texts(self, name: str) -> Iterator[pa.Array]:
        """Yield a column of texts piece by piece, as Arrow arrays of large strings."""
        for piece in self._pieces(name):
            yield piece.cast(pa.large_string())

    def _pieces(self, name: str) -> Iterator[pa.Array]:
        """Yield a column in pieces of some thousand rows, so that it is never in memory as a whole."""
        if isinstance(self._source, Path):
            with self._opened() as file:
                for batch in file.iter_batches(_PIECE, columns=[name], use_threads=False):
                    yield batch.column(0)
        else:
            for batch in self._source.select([name]).to_batches(_PIECE):
                yield batch.column(0)

    def _read(self, name: str) -> pa.Array:
        if not isinstance(self._source, Path):
            return self._source.column(name).combine_chunks()
        # texts as the file holds them, each once, with a number a row
        with self._opened(read_dictionary=[name]) as file:
            column = file.read([name], use_threads=False).column(name)
        if pa.types.is_dictionary(column.type):
            column = column.unify_dictionaries()
        return column.combine_chunks()

    @contextmanager
    def _opened(self, **options: Any) -> Iterator[pq.ParquetFile]:
        # pages are read one after another, and freed memory goes back to the system: whole columns in buffers, and a
        # pool that keeps what it once had, cost more than the arrays that are wanted
        pool = pa.default_memory_pool()
        pa.set_memory_pool(pa.system_memory_pool())
        try:
            with pq.ParquetFile(self._source, buffer_size=1 << 20, pre_buffer=False, **options) as file:
                yield file
        except (pa.ArrowInvalid, OSError) as error:
            raise TableError(f"{self.place} is damaged ({error}). Remove it and run again.") from error
        finally:
            pa.set_memory_pool(pool)
