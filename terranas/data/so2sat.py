"""Reader of the So2Sat LCZ42 layout: ``training.h5``, ``validation.h5`` and ``testing.h5`` with sen1, sen2, label."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from terranas.core.errors import DataError
from terranas.data.layout import LCZ_NAMES, SO2SAT_SENSOR_BANDS, SO2SAT_SENSORS
from terranas.data.reader import Block

SIZE = 32


class So2SatReader:
    """Images of the chosen sensors as float32, shape (n, bands, 32, 32), and labels 0 to 16."""

    image_size = SIZE
    class_names = LCZ_NAMES
    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(self, files: Mapping[str, str | Path], sensors: str, rows: int = 256):
        """Open every file once and check names, shapes and types of its datasets.

        Args:
            files: file of each split.
            sensors: ``sen1``, ``sen2`` or ``both``.
            rows: images in a block.

        Raises:
            DataError: a file is missing, truncated or not in this layout.
        """
        self._files = {split: Path(file) for split, file in files.items()}
        self._datasets = SO2SAT_SENSORS[sensors]
        self.rows = rows
        self.bands = sum(SO2SAT_SENSOR_BANDS[name] for name in self._datasets)
        self._counts = {split: self._check_layout(path) for split, path in self._files.items()}

    def count(self, split: str) -> int:
        """Return the number of images of a split."""
        return self._counts[split]

    def where(self, split: str) -> str:
        """Return the file and dataset that a split's labels stand in, for messages."""
        return f"{self._files[split]}, dataset 'label'"

    def blocks(self, split: str) -> Iterator[Block]:
        """Yield a split's images and labels in order, checked.

        Raises:
            DataError: a label is not one-hot, pixels are not finite (the whole split is counted first), or the file
                is damaged.
        """
        path, not_finite = self._files[split], 0
        with _opened(path) as file:
            for start in range(0, self._counts[split], self.rows):
                rows = slice(start, start + self.rows)
                try:
                    parts = [file[name][rows] for name in self._datasets]
                    one_hot = file["label"][rows]
                except OSError as error:
                    raise DataError(
                        f"{path}: images {start} and following cannot be read ({error}). The file is damaged or "
                        "truncated; copy or download it again."
                    ) from error
                labels = _from_one_hot(one_hot, start, self.where(split))
                with np.errstate(over="ignore"):  # too large for float32 becomes infinite and is counted
                    images = np.concatenate(parts, axis=3).astype(np.float32)
                not_finite += images.size - int(np.count_nonzero(np.isfinite(images)))
                if not not_finite:
                    yield np.ascontiguousarray(images.transpose(0, 3, 1, 2)), labels
        if not_finite:
            raise DataError(
                f"{path}, dataset {' and '.join(self._datasets)}: {not_finite} values are NaN or infinite; "
                "expected finite numbers. Repair or leave out those images."
            )

    def _check_layout(self, path: Path) -> int:
        expected: dict[str, tuple[int, ...]] = {
            name: (SIZE, SIZE, SO2SAT_SENSOR_BANDS[name]) for name in self._datasets
        }
        expected["label"] = (len(LCZ_NAMES),)
        with _opened(path) as file:
            counts = {}
            for name, shape in expected.items():
                dataset = file.get(name)
                if not isinstance(dataset, h5py.Dataset):
                    raise DataError(
                        f"{path} lacks the dataset '{name}'; it has {', '.join(file) or 'none'}. Expected the So2Sat "
                        "LCZ42 layout: sen1, sen2 and label."
                    )
                if (
                    file.get(name, getlink=True).__class__ is not h5py.HardLink
                    or dataset.is_virtual
                    or dataset.external
                ):
                    raise DataError(
                        f"{path}, dataset '{name}' points to another file; expected its values in this file."
                    )
                if dataset.ndim != len(shape) + 1 or dataset.shape[1:] != shape:
                    words = ", ".join(map(str, shape))
                    raise DataError(f"{path}, dataset '{name}' has shape {dataset.shape}; expected (N, {words}).")
                if dataset.dtype.kind not in "fiu":
                    raise DataError(f"{path}, dataset '{name}' has type {dataset.dtype}; expected float64.")
                counts[name] = dataset.shape[0]
        if len(set(counts.values())) > 1 or not counts["label"]:
            listed = ", ".join(f"{name} {count}" for name, count in counts.items())
            raise DataError(f"{path}: the datasets must have equally many images, at least one; they have {listed}.")
        return int(counts["label"])


def _opened(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist.") from error
    except OSError as error:
        raise DataError(
            f"{path} cannot be opened as an HDF5 file ({error}). It is truncated, damaged or of another format; "
            "copy or download it again."
        ) from error


def _from_one_hot(one_hot: NDArray[np.float64], first: int, where: str) -> NDArray[np.int64]:
    valid = ((one_hot == 0) | (one_hot == 1)).all(axis=1) & (one_hot.sum(axis=1) == 1)
    if not valid.all():
        row = int(np.flatnonzero(~valid)[0])
        raise DataError(
            f"{where}: the label of image {first + row} is not one-hot (it has {np.count_nonzero(one_hot[row])} "
            f"values that are not 0, with the sum {one_hot[row].sum():g}); expected one 1 and otherwise 0."
        )
    labels: NDArray[np.int64] = one_hot.argmax(axis=1).astype(np.int64)
    return labels
