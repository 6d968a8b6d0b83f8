"""Readers that users write for their own layout; what breaks the protocol is told as the reader's error."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from terranas.config.inputs import ImagesConfig
from terranas.data.layout import SPLITS
from terranas.data.precheck import reader_code
from terranas.data.reader import Block, block_rows


class OwnReader:
    """A user's reader, every answer of which is checked."""

    def __init__(self, file: str | Path, path: str | Path, settings: ImagesConfig, seed: int):
        """Run the Python file and call its ``open_reader(path, images, seed)``.

        Args:
            file: the Python file.
            path: handed on: the file or folder to read.
            settings: handed on: expected shape and shares of the splits.
            seed: handed on: the study's seed.

        Raises:
            DataError: the file cannot be run, or what it returns is no reader.
        """
        code = reader_code(file)
        self._file, self._told, self._error = code.file, code.told, code.wrong
        self._reader = code.call(Path(path), settings, seed)
        self.bands = self._whole("bands")
        self.image_size = self._whole("image_size")
        self.rows = self._whole("rows") if hasattr(self._reader, "rows") else block_rows(self.bands, self.image_size)
        with self._told("its attributes were read"):
            self.class_names = tuple(map(str, self._reader.class_names))
            self.dtype: np.dtype[Any] = np.dtype(self._reader.dtype)
        if self.dtype.kind not in "uif" or self.dtype.itemsize > 8:
            raise self._error(f"its dtype is {self.dtype}; expected integers or floats of at most 8 bytes")
        self._counts = {split: self._count(split) for split in SPLITS}

    def count(self, split: str) -> int:
        """Return the number of images of a split."""
        return self._counts[split]

    def where(self, split: str, index: int | None = None) -> str:
        """Return what the reader says of a place, or its file and the place where it says nothing."""
        if not hasattr(self._reader, "where"):
            return f"{self._file}, {split} split" + ("" if index is None else f", image {index}")
        with self._told("where() was called"):
            return str(self._reader.where(split, index))

    def blocks(self, split: str, start: int = 0) -> Iterator[Block]:
        """Yield what the reader yields, checked.

        Raises:
            DataError: it raised an error, or yielded something else than images and labels.
        """
        done = start
        with self._told(f"blocks('{split}', {start}) was called"):
            pieces = iter(self._reader.blocks(split, start))
        while True:
            with self._told(f"blocks('{split}', {start}) was read after image {done}"):
                piece = next(pieces, None)
            if piece is None:
                return
            images, labels = self._checked(piece, f"blocks('{split}', {start})")
            done += len(labels)
            if done > self._counts[split]:
                raise self._error(f"blocks('{split}', {start}) gave more images than count, {self._counts[split]}")
            yield images, labels

    def _checked(self, piece: Any, what: str) -> Block:
        if not isinstance(piece, tuple) or len(piece) != 2:
            raise self._error(f"{what} gave a {type(piece).__name__}; expected a tuple of images and labels")
        images, labels = np.asarray(piece[0]), np.asarray(piece[1])
        shape = (self.image_size, self.image_size, self.bands)
        if images.ndim != 4 or images.shape[1:] != shape or images.dtype != self.dtype:
            raise self._error(
                f"{what} gave images of shape {images.shape} and type {images.dtype}; expected "
                f"(n, {', '.join(map(str, shape))}) and {self.dtype}"
            )
        if labels.shape != (len(images),) or labels.dtype.kind not in "ui":
            raise self._error(
                f"{what} gave labels of shape {labels.shape} and type {labels.dtype}; expected {len(images)} integers"
            )
        return np.ascontiguousarray(images), labels.astype(np.int64)

    def _whole(self, name: str) -> int:
        with self._told(f"its attribute {name} was read"):
            value = getattr(self._reader, name)
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
            raise self._error(f"its attribute {name} is {value!r}; expected a whole number above 0")
        return int(value)

    def _count(self, split: str) -> int:
        with self._told(f"count('{split}') was called"):
            value = self._reader.count(split)
        if not isinstance(value, (int, np.integer)) or value < 0:
            raise self._error(f"count('{split}') gave {value!r}; expected a whole number")
        return int(value)
