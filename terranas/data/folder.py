"""Reader of a folder of images a class, as EuroSAT is published: ``<class>/*.jpg`` or ``<class>/*.tif``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from terranas.config.inputs import ImagesConfig
from terranas.core.randomness import generator
from terranas.data.folder_layout import class_folders, image_files
from terranas.data.image_file import box_average, check_first, read_facts, read_image
from terranas.data.reader import Block, block_rows
from terranas.data.splits import stratified_splits


class FolderReader:
    """Images (n, height, width, bands) of many files, in stratified splits; classes are in the order of their names."""

    def __init__(self, path: str | Path, settings: ImagesConfig, seed: int, rows: int | None = None):
        """List the files, look at the first one, and draw the splits.

        Args:
            path: the folder with a folder a class.
            settings: expected shape, and the share of each split.
            seed: the study's seed; the splits are drawn from its stream ``data.split``.
            rows: images in a block.

        Raises:
            DataError: the folder is not in this layout; the message names the folder or file.
        """
        self._path = Path(path)
        folders = class_folders(self._path, settings.classes)
        files = [image_files(folder, self._path) for folder in folders]
        self._files = [file for members in files for file in members]
        self._y = np.repeat(np.arange(len(folders)), [len(members) for members in files])
        self._facts = read_facts(self._files[0], settings.bands)
        self._factor = check_first(self._files[0], self._facts, settings.bands, settings.image_size)
        self.bands = settings.bands
        self.image_size = settings.image_size
        self.class_names = tuple(folder.name for folder in folders)
        self.dtype: np.dtype[Any] = self._facts.dtype
        self.rows = rows or block_rows(self.bands, self.image_size)
        self._splits = stratified_splits(self._y, settings.shares, generator(seed, "data.split"))

    def count(self, split: str) -> int:
        """Return the number of images of a split."""
        return len(self._splits[split])

    def where(self, split: str, index: int | None = None) -> str:
        """Return the folder, or the file of an image."""
        return f"{self._path}, {split} split" if index is None else str(self._files[self._splits[split][index]])

    def blocks(self, split: str, start: int = 0) -> Iterator[Block]:
        """Yield a split's images and labels from its image ``start`` on, in the order of the classes and file names.

        Raises:
            DataError: a file is damaged, or has another size, type or number of bands.
        """
        chosen = self._splits[split]
        for first in range(start, len(chosen), self.rows):
            rows = chosen[first : first + self.rows]
            images = [read_image(self._files[row], self.bands, self._facts) for row in rows]
            yield np.stack([box_average(image, self._factor) for image in images]), self._y[rows]
