"""What an unfinished session keeps on disk, so that it goes on where it was after being killed."""

import logging
import math
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from terranas.core.errors import DataError, EnvironmentLackError, TableError
from terranas.core.files import read_json, write_json
from terranas.core.processes import Process
from terranas.profiling.schema import MEASUREMENTS, SAMPLES, SIZES

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
"""How often a process looks whether the one before it has ended."""


@dataclass(frozen=True)
class Block:
    """What was measured between two reference measurements, the closing one included.

    Attributes:
        process: process of the session that measured it, from 0.
        description: what the device said of itself when that process began.
        rows: rows of the schema ``MEASUREMENTS``, in the order of measuring.
        samples: times of the runs of each row in ms.
        sizes: rows of the schema ``SIZES``.
    """

    process: int
    description: Mapping[str, Any]
    rows: list[dict[str, Any]]
    samples: list[list[float]]
    sizes: list[dict[str, Any]]


@dataclass(frozen=True)
class SessionTables:
    """Blocks put together.

    Attributes:
        measurements: table of the schema ``MEASUREMENTS``, in the order of measuring.
        samples: table of the schema ``SAMPLES``.
        sizes: table of the schema ``SIZES``, in the order of the architectures.
    """

    measurements: pd.DataFrame
    samples: pd.DataFrame
    sizes: pd.DataFrame


def tables_of(blocks: Sequence[Block]) -> SessionTables:
    """Return what blocks of a session say as tables.

    Raises:
        TableError: they break a schema.
    """
    pairs = [pair for block in blocks for pair in zip(block.rows, block.samples, strict=True)]
    pairs.sort(key=lambda pair: int(pair[0]["sequence"]))
    times = [
        {"session": row["session"], "sequence": row["sequence"], "run": run, "latency_ms": latency}
        for row, samples in pairs
        for run, latency in enumerate(samples)
    ]
    return SessionTables(
        MEASUREMENTS.from_rows([row for row, _ in pairs]),
        SAMPLES.from_rows(times),
        SIZES.from_rows([size for block in blocks for size in block.sizes]),
    )


_PARTS = {"process": int, "description": dict, "rows": list, "samples": list, "sizes": list}


class RecordStore:
    """Blocks of an unfinished session, one file each, so that a killed session goes on where it was.

    Where Snakemake was killed, the session that it had started may still measure when the next one begins. Two at once
    would disturb each other. So the next one tells by a file that it takes over, and waits; the earlier one stops when
    it has finished its block.

    Args:
        folder: folder of this session alone. Its name must depend on everything that decides the measurements, so that
            no block of other settings is ever found in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    def begin(self) -> int:
        """Count one more process of the session, wait until the one before has ended, and return its number, from 0.

        Raises:
            DataError: the count on disk is damaged.
        """
        process, last = self._begun()
        self._number = process
        self._take_over()
        if last is not None and last != Process.this() and last.is_gone() is False:
            logger.info(
                "Process %d of this machine still measures this session; waiting for its block to end", last.pid
            )
            while last.is_gone() is False:
                time.sleep(_LOOK_SECONDS)
            self._take_over()  # it may have finished all, and removed the folder
        return process

    def _take_over(self) -> None:
        write_json(self._folder / "processes.json", {"processes": self._number + 1, "last": asdict(Process.this())})

    def _begun(self) -> tuple[int, Process | None]:
        """Return how many processes the session had, and the last one."""
        path = self._folder / "processes.json"
        if not path.exists():
            return 0, None
        content = read_json(path)
        try:
            number, last = content["processes"], Process(**content["last"])
            if type(number) is not int or number < 1:
                raise ValueError
        except (TypeError, KeyError, ValueError) as error:
            raise DataError(f"{path} does not tell which processes the session had. {self.remedy}") from error
        return number, last

    def read(self, number: int) -> Block | None:
        """Return a block of the session, or None when it is not finished yet.

        Raises:
            DataError: the file does not hold a block of measurements.
        """
        path = self._path(number)
        if not path.exists():
            return None
        content = read_json(path)
        try:
            return _checked_block(content)
        except (ValueError, TypeError, KeyError, TableError) as error:
            raise DataError(
                f"{path} holds no block of measurements of this version of terranas ({error}). {self.remedy}"
            ) from error

    def write(self, number: int, block: Block) -> None:
        """Keep a block; NaN is stored as null, which JSON has.

        Raises:
            EnvironmentLackError: a later process took the session over; the block is kept.
        """
        write_json(self._path(number), asdict(block) | {"rows": [_without_nan(row) for row in block.rows]})
        if self._begun()[0] > self._number + 1:
            raise EnvironmentLackError("Another process took this session over, and goes on with it; this one ends.")

    def clear(self) -> None:
        """Remove the session's blocks, and the folders above that hold nothing else."""
        shutil.rmtree(self._folder, ignore_errors=True)
        for folder in list(self._folder.parents)[:2]:
            try:
                folder.rmdir()
            except OSError:  # another session's blocks are in it, or it is gone
                return

    def _path(self, number: int) -> Path:
        return self._folder / f"block_{number:06d}.json"

    @property
    def remedy(self) -> str:
        """What to do about a damaged store."""
        return f"Remove the folder {self._folder} and run again; the session is measured anew."


def _checked_block(content: Any) -> Block:
    if not isinstance(content, dict) or set(content) != set(_PARTS):
        raise ValueError(f"expected the entries {', '.join(_PARTS)}")
    for name, kind in _PARTS.items():
        if type(content[name]) is not kind:
            raise TypeError(f"{name} is a {type(content[name]).__name__}, expected a {kind.__name__}")
    rows = [_with_nan(row) for row in content["rows"]]
    block = Block(**content | {"rows": rows})
    if not rows:
        raise ValueError("it is empty")
    if [row.get("runs") for row in rows] != [len(samples) for samples in block.samples]:
        raise ValueError("the runs of its rows are not those of its samples")
    tables_of([block])
    return block


_FLOATS = frozenset(column.name for column in MEASUREMENTS.columns if column.dtype == "float64")


def _without_nan(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}


def _with_nan(row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise TypeError(f"a row is a {type(row).__name__}, expected a dict")
    return {name: math.nan if value is None and name in _FLOATS else value for name, value in row.items()}
