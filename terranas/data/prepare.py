"""One streaming pass over a source: arrays ready to train from, statistics per band, class counts, checksums."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.core.errors import DataError
from terranas.core.files import atomic_path, require_free_space
from terranas.core.logs import progress
from terranas.data.layout import SPLITS
from terranas.data.reader import Reader
from terranas.data.schema import BAND_STATISTICS, CLASS_COUNTS

logger = logging.getLogger(__name__)


@dataclass
class BandMoments:
    """Mean, variance and range of every band, merged block by block.

    Means and squared deviations are merged by the pairwise formula of Chan, Golub and LeVeque (1983, "Algorithms for
    computing the sample variance"), which stays accurate where sums of squares cancel.

    Attributes:
        pixels: pixels a band seen so far.
        mean: mean a band, shape (bands,).
        squared: summed squared deviations from the mean, shape (bands,).
        low: smallest value a band, shape (bands,).
        high: largest value a band, shape (bands,).
    """

    pixels: int
    mean: NDArray[np.float64]
    squared: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def empty(cls, bands: int) -> "BandMoments":
        """Return the moments of no pixels."""
        return cls(0, np.zeros(bands), np.zeros(bands), np.full(bands, np.inf), np.full(bands, -np.inf))

    def add(self, images: NDArray[Any]) -> None:
        """Merge a block of images, shape (n, bands, height, width)."""
        values = images.astype(np.float64)
        axes = (0, 2, 3)
        pixels = values.size // values.shape[1]
        mean = values.mean(axis=axes)
        squared = ((values - mean[None, :, None, None]) ** 2).sum(axis=axes)
        total = self.pixels + pixels
        delta = mean - self.mean
        self.squared += squared + delta**2 * (self.pixels * pixels / total)
        self.mean += delta * (pixels / total)
        self.pixels = total
        self.low = np.minimum(self.low, values.min(axis=axes))
        self.high = np.maximum(self.high, values.max(axis=axes))

    @property
    def std(self) -> NDArray[np.float64]:
        """Population standard deviation a band, shape (bands,)."""
        return np.asarray(np.sqrt(self.squared / self.pixels))


@dataclass(frozen=True)
class Prepared:
    """What the pass found out.

    Attributes:
        moments: statistics per band by split.
        counts: images per class by split, each of shape (classes,).
        checksums: SHA-256 of each written file, by split and part (``images``, ``labels``).
        reader: the source.
    """

    reader: Reader
    moments: dict[str, BandMoments] = field(default_factory=dict)
    counts: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    checksums: dict[str, dict[str, str]] = field(default_factory=dict)

    def statistics_table(self, source: str) -> pd.DataFrame:
        """Return the BAND_STATISTICS table."""
        rows = [
            {
                "source": source,
                "split": split,
                "band": band,
                "mean": moments.mean[band],
                "std": moments.std[band],
                "min": moments.low[band],
                "max": moments.high[band],
            }
            for split, moments in self.moments.items()
            for band in range(self.reader.bands)
        ]
        return BAND_STATISTICS.from_rows(rows)

    def class_table(self, source: str) -> pd.DataFrame:
        """Return the CLASS_COUNTS table."""
        rows = [
            {
                "source": source,
                "split": split,
                "class_index": index,
                "class_name": name,
                "count": int(counts[index]),
            }
            for split, counts in self.counts.items()
            for index, name in enumerate(self.reader.class_names)
        ]
        return CLASS_COUNTS.from_rows(rows)

    def manifest(self, source: str) -> dict[str, Any]:
        """Return what identifies the prepared data; equal content gives an equal manifest."""
        return {
            "source": source,
            "bands": self.reader.bands,
            "classes": len(self.reader.class_names),
            "class_names": list(self.reader.class_names),
            "image_size": self.reader.image_size,
            "splits": {
                split: {
                    "images": self.reader.count(split),
                    "sha256_images": checksums["images"],
                    "sha256_labels": checksums["labels"],
                }
                for split, checksums in self.checksums.items()
            },
        }


def prepare(reader: Reader, outputs: Mapping[str, str | Path]) -> Prepared:
    """Write every split as ``.npy`` arrays in one pass, each file whole or not at all.

    Images become (n, bands, height, width) in the reader's type, labels int64 (n,).

    Args:
        reader: the source.
        outputs: path of each array, keyed ``<split>_images`` and ``<split>_labels``.

    Raises:
        EnvironmentLackError: the disk has too little space; nothing was written.
        DataError: the source holds something it must not hold, or lacks a class in its training split.
    """
    pixels = reader.bands * reader.image_size**2
    needed = sum(reader.count(split) * (pixels * reader.dtype.itemsize + 8) + 256 for split in SPLITS)
    require_free_space(Path(outputs["train_images"]).parent, needed)
    prepared = Prepared(reader)
    for split in SPLITS:
        _prepare_split(prepared, split, outputs[f"{split}_images"], outputs[f"{split}_labels"])
    return prepared


def _prepare_split(prepared: Prepared, split: str, images_path: str | Path, labels_path: str | Path) -> None:
    reader, classes = prepared.reader, len(prepared.reader.class_names)
    count, size = reader.count(split), reader.image_size
    if not count:
        raise DataError(f"{reader.where(split)}: the split has no images; expected at least one.")
    moments, counts = BandMoments.empty(reader.bands), np.zeros(classes, dtype=np.int64)
    with atomic_path(images_path) as images_temporary, atomic_path(labels_path) as labels_temporary:
        with images_temporary.open("wb") as images_file, labels_temporary.open("wb") as labels_file:
            images_out = _NpyStream(images_file, (count, reader.bands, size, size), reader.dtype)
            labels_out = _NpyStream(labels_file, (count,), np.dtype(np.int64))
            blocks = progress(reader.blocks(split), -(-count // reader.rows), f"blocks of {split} images", logger)
            for images, labels in blocks:
                moments.add(images)
                counts += np.bincount(labels, minlength=classes)
                images_out.write(images)
                labels_out.write(labels)
        missing = np.flatnonzero(counts == 0)
        if split == "train" and len(missing):
            names = ", ".join(f"{index} ({reader.class_names[index]})" for index in missing)
            raise DataError(
                f"{reader.where(split)}: no training image has the class {names}; expected at least one of each of the "
                f"{classes} classes."
            )
    prepared.moments[split], prepared.counts[split] = moments, counts
    prepared.checksums[split] = {"images": images_out.digest, "labels": labels_out.digest}


class _NpyStream:
    """An ``.npy`` file written block by block, its SHA-256 computed on the way."""

    def __init__(self, file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[Any]):
        self._file = file
        self._dtype = dtype
        self._hash = hashlib.sha256()
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self, header)

    def write(self, content: NDArray[Any] | bytes) -> None:
        piece = content if isinstance(content, bytes) else np.ascontiguousarray(content, self._dtype).data
        self._file.write(piece)
        self._hash.update(piece)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()
