"""Arrays in the making: appended to block by block, hashed on the way, and continued after a kill.

The files live in a folder of their own beside the finished ones (a declared output would be deleted by Snakemake before
a retry), together with a record of how far they are. A record counts only when the bytes it speaks of are still there.
"""

import fcntl
import hashlib
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from terranas.core.errors import DataError
from terranas.core.files import read_json, write_json
from terranas.data.moments import BandMoments

logger = logging.getLogger(__name__)

RECORD = "progress.json"
PIECE = 1 << 20


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other process works in a folder, and keep others out.

    A killed Snakemake may leave its job running on another node. The lock goes with its process; file systems without
    locks are told of and trusted.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.warning("another process prepares images in %s; waiting for its end", folder)
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            logger.warning("%s cannot be locked (%s); see to it that nothing else prepares these images", folder, error)
        yield


@dataclass
class SplitProgress:
    """How far one split is.

    Attributes:
        moments: of the stored values.
        largest: largest absolute error a band, physical units, shape (bands,).
        squared: summed squared errors a band, shape (bands,).
        counts: images written a class, shape (classes,).
        consumed: images taken from the source.
        dropped: images left out.
        spoiled: images with pixels that are not finite.
        first_spoiled: the first of them.
        finished: whether that is all.
        digests: SHA-256 of the files ``images`` and ``labels`` up to here.
    """

    moments: BandMoments
    largest: NDArray[np.float64]
    squared: NDArray[np.float64]
    counts: NDArray[np.int64]
    consumed: int = 0
    dropped: int = 0
    spoiled: int = 0
    first_spoiled: int = 0
    finished: bool = False
    digests: dict[str, str] = field(default_factory=dict)

    @classmethod
    def new(cls, bands: int, classes: int) -> "SplitProgress":
        """Return the progress of a split that has not begun."""
        return cls(BandMoments.empty(bands), np.zeros(bands), np.zeros(bands), np.zeros(classes, np.int64))

    @property
    def written(self) -> int:
        """Images in the files."""
        return self.consumed - self.dropped

    def to_record(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_record` turns back without any loss."""
        return {
            "moments": self.moments.to_record(),
            "largest": [float(x).hex() for x in self.largest],
            "squared": [float(x).hex() for x in self.squared],
            "counts": self.counts.tolist(),
            "consumed": self.consumed,
            "dropped": self.dropped,
            "spoiled": self.spoiled,
            "first_spoiled": self.first_spoiled,
            "finished": self.finished,
            "digests": self.digests,
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "SplitProgress":
        """Take what :meth:`to_record` gave."""
        return cls(
            BandMoments.from_record(record["moments"]),
            np.array([float.fromhex(x) for x in record["largest"]]),
            np.array([float.fromhex(x) for x in record["squared"]]),
            np.array(record["counts"], dtype=np.int64),
            int(record["consumed"]),
            int(record["dropped"]),
            int(record["spoiled"]),
            int(record["first_spoiled"]),
            bool(record["finished"]),
            {str(name): str(digest) for name, digest in record["digests"].items()},
        )


class ArrayPart:
    """An ``.npy`` file that grows along its first axis."""

    def __init__(self, path: Path, dtype: np.dtype[Any], shape: tuple[int, ...], count: int):
        """Name the file.

        Args:
            path: the file.
            dtype: type of the values.
            shape: shape of one item.
            count: items to come at most.
        """
        self.path = path
        self._dtype = dtype
        self._shape = shape
        self._count = count
        self._item = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        self._hash = hashlib.sha256()
        self._file: BinaryIO | None = None

    def open(self, rows: int, digest: str | None) -> bool:
        """Begin the file, or go on after ``rows`` items where these have the digest; return whether it can be.

        What was written after the digest was noted is cut off.
        """
        header = _header(self._dtype, (self._count, *self._shape))
        if digest is None:
            self._file = self.path.open("wb+")
            self._write(header)
            return True
        length = len(header) + rows * self._item
        if not self.path.is_file() or self.path.stat().st_size < length:
            return False
        self._file = self.path.open("rb+")
        self._hash = _hashed(self._file, length)
        self._file.truncate(length)
        self._file.seek(length)
        return bool(self._hash.hexdigest() == digest)

    def append(self, items: NDArray[Any]) -> None:
        """Write items at the end."""
        self._write(np.ascontiguousarray(items, self._dtype).data.cast("B"))

    def sync(self) -> str:
        """Bring everything to disk and return its SHA-256."""
        self._opened.flush()
        os.fsync(self._opened.fileno())
        return str(self._hash.hexdigest())

    def finish(self, rows: int) -> str:
        """State the true number of items in the header, bring everything to disk and return its SHA-256."""
        if rows != self._count:  # the header has the same length for any number
            self._opened.seek(0)
            self._opened.write(_header(self._dtype, (rows, *self._shape)))
            self._hash = _hashed(self._opened, self._opened.seek(0, os.SEEK_END))
        digest = self.sync()
        self.close()
        return digest

    def close(self) -> None:
        """Close the file, if it is open."""
        if self._file is not None:
            self._file.close()

    @property
    def _opened(self) -> BinaryIO:
        assert self._file is not None, "open() comes first"
        return self._file

    def _write(self, piece: bytes | memoryview) -> None:
        self._opened.write(piece)
        self._hash.update(piece)


class Workplace:
    """The folder of the unfinished files and the record of how far they are."""

    def __init__(self, folder: Path, key: str):
        """Take up what an earlier run left for the same key, or begin.

        Args:
            folder: removed when everything is done.
            key: text that tells apart what must not be mixed: source, settings, version.
        """
        self.folder = folder
        self.key = key
        self.splits: dict[str, SplitProgress] = {}
        self.storage: dict[str, Any] = {}
        self.breaking: list[list[float]] = []
        self.broken: dict[str, int] = {}
        if (folder / RECORD).is_file():
            self._take_up()

    def _take_up(self) -> None:
        try:
            record = read_json(self.folder / RECORD)
            if record["key"] != self.key:
                logger.info("%s was left by other settings or images; it is begun anew", self.folder)
                return
            self.splits = {name: SplitProgress.from_record(part) for name, part in record["splits"].items()}
            self.storage = dict(record["storage"])
            self.breaking = [[float.fromhex(x) for x in pixel] for pixel in record["breaking"]]
            self.broken = {str(name): int(times) for name, times in record["broken"].items()}
        except (DataError, KeyError, TypeError, ValueError, AttributeError) as error:
            logger.warning("%s holds no usable record (%s); it is begun anew", self.folder, error)
            self.splits = {}

    def record(self) -> None:
        """Write down how far the splits are; what it speaks of must be on disk."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(
            self.folder / RECORD,
            {
                "key": self.key,
                "storage": self.storage,
                "breaking": [[x.hex() for x in pixel] for pixel in self.breaking],
                "broken": self.broken,
                "splits": {name: part.to_record() for name, part in self.splits.items()},
            },
        )

    def path(self, split: str, part: str) -> Path:
        """Return the unfinished file of a split's ``images`` or ``labels``."""
        return self.folder / f"{split}_{part}.npy"

    def publish(self, outputs: dict[str, Path]) -> None:
        """Move the finished files to their places and remove the folder."""
        for name, path in outputs.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            (self.folder / f"{name}.npy").replace(path)
        shutil.rmtree(self.folder)


class _Text:
    """Collects what numpy writes."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, piece: bytes) -> None:
        self.content += piece


def _header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return the header of an ``.npy`` file; numpy pads it so that a longer first axis needs no more bytes."""
    text = _Text()
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(text, header)
    return text.content


def _hashed(file: BinaryIO, length: int) -> Any:
    """Return the SHA-256 of the first bytes of a file."""
    file.seek(0)
    digest, left = hashlib.sha256(), length
    while left and (piece := file.read(min(PIECE, left))):
        digest.update(piece)
        left -= len(piece)
    return digest
