"""Reader of the So2Sat LCZ42 layout: ``training.h5``, ``validation.h5`` and ``testing.h5`` with sen1, sen2, label."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from terranas.core.errors import DataError
from terranas.core.randomness import generator
from terranas.data.layout import LCZ_NAMES, RANDOM_SHARES, SO2SAT_IMAGE_SIZE, SO2SAT_SENSOR_BANDS, SO2SAT_SENSORS
from terranas.data.reader import Block, block_rows
from terranas.data.splits import stratified_splits

CACHE_BYTES = 1 << 26  # of HDF5, a dataset, where a chunk holds more images than a block


class So2SatReader:
    """Images of the chosen sensors, shape (n, 32, 32, bands), and labels 0 to 16.

    Files are read from front to back in blocks, whatever the split: random access to the published files is ten times
    as slow.
    """

    image_size = SO2SAT_IMAGE_SIZE
    class_names: tuple[str, ...] = LCZ_NAMES

    def __init__(
        self, files: Mapping[str, str | Path], sensors: str, rows: int | None = None, random_seed: int | None = None
    ):
        """Open every file once and check names, shapes and types of its datasets.

        Args:
            files: file of each split, or of ``train`` and ``test`` for random splits.
            sensors: ``sen1``, ``sen2`` or ``both``.
            rows: images in a block; by default some megabytes, whole chunks of the file where these are smaller.
            random_seed: draw training and validation images from the training file, 80 and 20 % of each class; None
                for the official splits.

        Raises:
            DataError: a file is missing, truncated or not in this layout; for random splits also a label that is not
                one-hot.
        """
        self._files = {split: Path(file) for split, file in files.items()}
        self._datasets = SO2SAT_SENSORS[sensors]
        self.bands = sum(SO2SAT_SENSOR_BANDS[name] for name in self._datasets)
        layouts = {split: self._check_layout(path) for split, path in self._files.items()}
        self._counts = {split: layout[0] for split, layout in layouts.items()}
        self.dtype: np.dtype[Any] = np.result_type(*[layout[1] for layout in layouts.values()])
        self.rows = rows or block_rows(self.bands, SO2SAT_IMAGE_SIZE)
        chunk = max(layout[2] for layout in layouts.values())
        if rows is None and chunk <= 4 * self.rows:
            self.rows = max(1, self.rows // chunk) * chunk  # no chunk is read twice
        self._cache = CACHE_BYTES if chunk > self.rows else 1 << 20
        self._chosen: dict[str, NDArray[np.int64]] = {}
        if random_seed is not None:
            labels = np.concatenate([labels for _, labels in self._file_blocks("train", 0, images=False)])
            self._chosen = stratified_splits(labels, RANDOM_SHARES, generator(random_seed, "data.split"))
            self._files["validation"], self._counts["validation"] = self._files["train"], self._counts["train"]

    def count(self, split: str) -> int:
        """Return the number of images of a split."""
        return len(self._chosen[split]) if split in self._chosen else self._counts[split]

    def where(self, split: str, index: int | None = None) -> str:
        """Return the file and dataset of a split's labels or, with the image's place in the file, of an image."""
        if index is None:
            return f"{self._files[split]}, dataset 'label'"
        place = self._chosen[split][index] if split in self._chosen else index
        return f"{self._files[split]}, dataset {' and '.join(self._datasets)}, image {place}"

    def blocks(self, split: str, start: int = 0) -> Iterator[Block]:
        """Yield a split's images and labels from its image ``start`` on, labels checked.

        Raises:
            DataError: a label is not one-hot, or the file is damaged.
        """
        if split not in self._chosen:
            yield from self._file_blocks(split, start)
            return
        chosen = self._chosen[split][start:]
        first = int(chosen[0]) if len(chosen) else self._counts[split]
        for images, labels in self._file_blocks(split, first):
            begin, end = np.searchsorted(chosen, [first, first + len(labels)])
            rows = chosen[begin:end] - first
            first += len(labels)
            if len(rows):
                yield images[rows], labels[rows]

    def _file_blocks(self, split: str, start: int, images: bool = True) -> Iterator[Block]:
        """Yield images (none where they are not asked for) and labels of a file from its image ``start`` on."""
        path = self._files[split]
        with _opened(path, self._cache) as file:
            # starts are multiples of the block, so that blocks are whole chunks however one begins
            while start < self._counts[split]:
                rows = slice(start, min(self._counts[split], start - start % self.rows + self.rows))
                parts = [self._read(file, name, rows) for name in self._datasets] if images else [np.empty((0,) * 4)]
                labels = _from_one_hot(self._read(file, "label", rows), start, f"{path}, dataset 'label'")
                yield (parts[0] if len(parts) == 1 else np.concatenate(parts, axis=3)), labels
                start = rows.stop

    def _read(self, file: h5py.File, name: str, rows: slice) -> NDArray[Any]:
        """Read a block; where that fails, find the first image that cannot be read."""
        try:
            return np.asarray(file[name][rows])
        except OSError as error:
            for index in range(rows.start, rows.stop):
                try:
                    file[name][index]
                except OSError as found:
                    raise _damaged(file.filename, name, index, found) from found
            raise _damaged(file.filename, name, rows.start, error) from error

    def _check_layout(self, path: Path) -> tuple[int, np.dtype[Any], int]:
        """Return the number of images, their type, and the images in a chunk (1 where there are no chunks)."""
        expected: dict[str, tuple[int, ...]] = {
            name: (SO2SAT_IMAGE_SIZE, SO2SAT_IMAGE_SIZE, SO2SAT_SENSOR_BANDS[name]) for name in self._datasets
        }
        expected["label"] = (len(LCZ_NAMES),)
        with _opened(path) as file:
            datasets = {name: _dataset(file, path, name, shape) for name, shape in expected.items()}
            counts = {name: dataset.shape[0] for name, dataset in datasets.items()}
            images = [datasets[name] for name in self._datasets]
            dtype = np.result_type(*[dataset.dtype for dataset in images])
            chunk = max(dataset.chunks[0] if dataset.chunks else 1 for dataset in images)
        if len(set(counts.values())) > 1 or not counts["label"]:
            listed = ", ".join(f"{name} {count}" for name, count in counts.items())
            raise DataError(f"{path}: the datasets must have equally many images, at least one; they have {listed}.")
        return int(counts["label"]), dtype, int(chunk)


def _dataset(file: h5py.File, path: Path, name: str, shape: tuple[int, ...]) -> h5py.Dataset:
    """Return a dataset that holds its values itself and has the expected shape (N, *shape) and a usable type."""
    link = file.get(name, getlink=True)
    if link is not None and not isinstance(link, h5py.HardLink):
        raise _elsewhere(path, name)
    dataset = file.get(name)
    if not isinstance(dataset, h5py.Dataset):
        raise DataError(
            f"{path} lacks the dataset '{name}'; it has {', '.join(file) or 'none'}. Expected the So2Sat "
            "LCZ42 layout: sen1, sen2 and label."
        )
    if dataset.is_virtual or dataset.external:
        raise _elsewhere(path, name)
    if dataset.ndim != len(shape) + 1 or dataset.shape[1:] != shape:
        words = ", ".join(map(str, shape))
        raise DataError(f"{path}, dataset '{name}' has shape {dataset.shape}; expected (N, {words}).")
    if dataset.dtype.kind not in "fiu" or dataset.dtype.itemsize > 8:
        raise DataError(f"{path}, dataset '{name}' has type {dataset.dtype}; expected float64.")
    return dataset


def _elsewhere(path: Path, name: str) -> DataError:
    return DataError(f"{path}, dataset '{name}' points to another place or file; expected its values right there.")


def _damaged(path: str, name: str, index: int, error: OSError) -> DataError:
    return DataError(
        f"{path}, dataset '{name}': image {index} cannot be read ({error}). The file is damaged or truncated; copy or "
        "download it again."
    )


def _opened(path: Path, cache: int = 1 << 20) -> h5py.File:
    try:
        return h5py.File(path, "r", rdcc_nbytes=cache, rdcc_nslots=10_007)
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist.") from error
    except OSError as error:
        raise DataError(
            f"{path} cannot be opened as an HDF5 file ({error}). It is truncated, damaged or of another format; "
            "copy or download it again."
        ) from error


def _from_one_hot(one_hot: NDArray[Any], first: int, where: str) -> NDArray[np.int64]:
    valid = ((one_hot == 0) | (one_hot == 1)).all(axis=1) & (one_hot.sum(axis=1) == 1)
    if not valid.all():
        row = int(np.flatnonzero(~valid)[0])
        raise DataError(
            f"{where}: the label of image {first + row} is not one-hot (it has {np.count_nonzero(one_hot[row])} "
            f"values that are not 0, with the sum {one_hot[row].sum():g}); expected one 1 and otherwise 0."
        )
    labels: NDArray[np.int64] = one_hot.argmax(axis=1).astype(np.int64)
    return labels
