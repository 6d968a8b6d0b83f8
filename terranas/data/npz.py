"""Reader of an ``.npz`` file with the arrays x, y and names, split by class and seed."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from terranas.config.inputs import ImagesConfig
from terranas.core.errors import DataError
from terranas.core.randomness import generator
from terranas.data.npz_header import UNREADABLE, check_npz_layout, npz_headers, read_header
from terranas.data.reader import Block, block_rows, check_labels
from terranas.data.splits import stratified_splits


class NpzReader:
    """Images (n, height, width, bands) of one file in its own type, in stratified splits."""

    def __init__(self, path: str | Path, settings: ImagesConfig, seed: int, rows: int | None = None):
        """Read the labels and draw the splits.

        Args:
            path: the file.
            settings: expected shape, and the share of each split.
            seed: the study's seed; the splits are drawn from its stream ``data.split``.
            rows: images in a block.

        Raises:
            DataError: the file is damaged, or not in this layout.
        """
        self._path = Path(path)
        headers = npz_headers(self._path)
        check_npz_layout(self._path, headers, settings)
        try:
            with np.load(self._path, allow_pickle=False) as arrays:
                labels, names = arrays["y"], arrays["names"]
        except UNREADABLE as error:
            raise self._damaged(error) from error
        self._y = labels.astype(np.int64)
        check_labels(self._y, settings.classes, 0, f"{self._path}, array y")
        self.bands = settings.bands
        self.image_size = settings.image_size
        self.class_names = tuple(map(str, names))
        self.dtype: np.dtype[Any] = headers["x"].dtype.newbyteorder("=")
        self.rows = rows or block_rows(self.bands, self.image_size)
        self._splits = stratified_splits(self._y, settings.shares, generator(seed, "data.split"))

    def count(self, split: str) -> int:
        """Return the number of images of a split."""
        return len(self._splits[split])

    def where(self, split: str, index: int | None = None) -> str:
        """Return the file and array of a split's labels or, with the image's place in the file, of an image."""
        if index is None:
            return f"{self._path}, array y, {split} split"
        return f"{self._path}, array x, image {self._splits[split][index]}"

    def blocks(self, split: str, start: int = 0) -> Iterator[Block]:
        """Yield a split's images and labels from its image ``start`` on, in the file's order.

        The array is read out of the zip file piece by piece, to its end, where zip files keep their checksum.

        Raises:
            DataError: the file is damaged.
        """
        chosen = self._splits[split][start:]
        try:
            with zipfile.ZipFile(self._path) as archive, archive.open("x.npy") as member:
                header = read_header(member)
                shape, bytes_each = header.shape[1:], header.dtype.itemsize * int(np.prod(header.shape[1:]))
                for first in range(0, header.shape[0], self.rows):
                    count = min(self.rows, header.shape[0] - first)
                    content = _exactly(member, count * bytes_each)
                    rows = chosen[slice(*np.searchsorted(chosen, [first, first + count]))]
                    if len(rows):
                        images = np.frombuffer(content, header.dtype).reshape(count, *shape)[rows - first]
                        yield images.astype(self.dtype, copy=False), self._y[rows]
                if member.read(1):
                    raise ValueError("array x has more values than its header says")
        except UNREADABLE as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> DataError:
        return DataError(f"{self._path} is damaged or truncated ({error}). Copy or download it again.")


def _exactly(member: IO[bytes], length: int) -> bytes:
    content = member.read(length)
    if len(content) < length:
        raise EOFError("array x ends early")
    return content
