"""Reader of an ``.npz`` file with the arrays x, y and names, split by class and seed."""

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terranas.config.inputs import ImagesConfig
from terranas.core.errors import DataError
from terranas.core.randomness import generator
from terranas.data.precheck import check_npz_layout, npz_headers
from terranas.data.reader import Block, check_labels


class NpzReader:
    """Images (n, bands, height, width) of one file, uint8 as stored or float32, in stratified splits."""

    def __init__(self, path: str | Path, settings: ImagesConfig, seed: int, rows: int = 1024):
        """Read the file and draw the splits.

        The arrays are read whole: an npz file cannot be read in pieces.

        Args:
            path: the file.
            settings: expected shape, and the share of each split.
            seed: the study's seed; the splits are drawn from its stream ``data.split``.
            rows: images in a block.

        Raises:
            DataError: the file is damaged, or not in this layout.
        """
        self._path = Path(path)
        check_npz_layout(self._path, npz_headers(self._path), settings)
        try:
            with np.load(self._path, allow_pickle=False) as arrays:
                self._x, labels, names = arrays["x"], arrays["y"], arrays["names"]
        except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError) as error:
            raise DataError(f"{self._path} is damaged or truncated ({error}). Copy or download it again.") from error
        self._y = labels.astype(np.int64)
        check_labels(self._y, settings.classes, 0, f"{self._path}, array y")
        self.bands = settings.bands
        self.image_size = settings.image_size
        self.class_names = tuple(map(str, names))
        self.dtype: np.dtype[Any] = np.dtype(np.uint8 if self._x.dtype == np.uint8 else np.float32)
        shares = {"train": settings.train, "validation": settings.validation, "test": settings.test}
        self.rows = rows
        self._splits = stratified_splits(self._y, shares, generator(seed, "data.split"))

    def count(self, split: str) -> int:
        """Return the number of images of a split."""
        return len(self._splits[split])

    def where(self, split: str) -> str:
        """Return the file and array that a split's labels stand in, for messages."""
        return f"{self._path}, array y, {split} split"

    def blocks(self, split: str) -> Iterator[Block]:
        """Yield a split's images and labels in the file's order, checked.

        Raises:
            DataError: pixels are not finite (the whole split is counted first).
        """
        chosen, not_finite = self._splits[split], 0
        for start in range(0, len(chosen), self.rows):
            rows = chosen[start : start + self.rows]
            with np.errstate(over="ignore"):  # too large for float32 becomes infinite and is counted
                images = self._x[rows].transpose(0, 3, 1, 2).astype(self.dtype, order="C")
            not_finite += images.size - int(np.count_nonzero(np.isfinite(images)))
            if not not_finite:
                yield images, self._y[rows]
        if not_finite:
            raise DataError(
                f"{self._path}, array x, {split} split: {not_finite} values are NaN or infinite; expected "
                "finite numbers. Repair or leave out those images."
            )


def stratified_splits(
    labels: NDArray[np.int64], shares: Mapping[str, float], rng: np.random.Generator
) -> dict[str, NDArray[np.int64]]:
    """Draw disjoint splits in which every class has its share, to within one image.

    Args:
        labels: labels of all images, shape (n,).
        shares: share of each split; together at most 1. Images beyond the shares belong to no split.
        rng: randomness of the draw.

    Returns:
        The ascending indices of each split's images.
    """
    ends = np.cumsum([0.0, *shares.values()])
    parts: dict[str, list[NDArray[np.int64]]] = {name: [] for name in shares}
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        bounds = np.rint(ends * len(members)).astype(int)
        for name, begin, end in zip(shares, bounds, bounds[1:], strict=False):
            parts[name].append(members[begin:end])
    return {name: np.sort(np.concatenate(part)) for name, part in parts.items()}
