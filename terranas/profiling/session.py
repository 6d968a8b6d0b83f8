"""A session: many architectures measured one after the other, each record kept as soon as it is made."""

import logging
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from terranas.core.errors import DataError
from terranas.core.files import read_json, write_json
from terranas.core.logs import progress
from terranas.profiling.schema import PROFILES

logger = logging.getLogger(__name__)


class RecordStore:
    """Records of an unfinished session, one small file each, so that a killed session goes on where it was.

    Args:
        folder: folder of this session alone. Its name must depend on everything that decides the measurements, so that
            no record of other settings is ever found in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, position: int) -> dict[str, Any] | None:
        """Return the record at a position of the session, or None when it is not measured yet.

        Raises:
            DataError: the file does not hold a record.
        """
        path = self._path(position)
        if not path.exists():
            return None
        content = read_json(path)
        if not isinstance(content, dict) or set(content) != set(PROFILES.names):
            raise DataError(f"{path} holds no record of a measurement. Remove it and run again.")
        return {name: math.nan if value is None else value for name, value in content.items()}

    def write(self, position: int, record: Mapping[str, Any]) -> None:
        """Keep a record; NaN is stored as null, which JSON has."""
        content = {
            name: None if isinstance(value, float) and math.isnan(value) else value for name, value in record.items()
        }
        write_json(self._path(position), content)

    def clear(self) -> None:
        """Remove the session's records, and the folders above that hold nothing else."""
        shutil.rmtree(self._folder, ignore_errors=True)
        for folder in list(self._folder.parents)[:2]:
            try:
                folder.rmdir()
            except OSError:  # another session's records are in it, or it is gone
                return

    def _path(self, position: int) -> Path:
        return self._folder / f"{position:06d}.json"


def measure_session(
    members: Sequence[str], measure: Callable[[str], Mapping[str, Any]], session: Mapping[str, Any], store: RecordStore
) -> pd.DataFrame:
    """Measure architectures in the given order and return their profiles.

    What an interrupted call has measured is taken from the store and not measured again.

    Args:
        members: hashes in the order to measure.
        measure: returns the measured columns of one architecture.
        session: columns that are equal for the whole session: device, protocol, threads, ...
        store: where records are kept on the way; left for the caller to clear once the result is safe.

    Returns:
        A table of the schema ``PROFILES``, in the order of ``members``.
    """
    records = {position: store.read(position) for position in range(len(members))}
    missing = [position for position, record in records.items() if record is None]
    if len(missing) < len(members):
        logger.info("%d of %d architectures were measured before; going on", len(members) - len(missing), len(members))
    label = f"Measuring on {session['device_name']}"
    for position in progress(missing, len(missing), label, logger):
        architecture = members[position]
        record = {"hash": architecture, "position": position, **session, **measure(architecture)}
        if record["outcome"] != "ok":
            logger.warning("%s has no times: %s", architecture, record["outcome"])
        store.write(position, record)
        records[position] = record
    return PROFILES.from_rows([record for record in records.values() if record is not None])
