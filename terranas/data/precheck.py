"""Checks of the study's images that are quick enough for every parse of the workflow: they stand before any job.

Only headers are read, and nothing heavy is imported. The readers check the content itself later.
"""

import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from terranas.config.inputs import DataConfig, ImagesConfig
from terranas.config.study import StudyConfig
from terranas.core.errors import DataError
from terranas.data.layout import SO2SAT_FILES, SO2SAT_IMAGE_BYTES

WHERE_SO2SAT = (
    "So2Sat LCZ42 (Sentinel-1 and Sentinel-2 patches of 52 cities, 59 GB): put training.h5, validation.h5 and "
    "testing.h5 of 'So2Sat LCZ42 v2', from the TUM data repository mediaTUM (https://mediatum.ub.tum.de/1483140), "
    "into one folder and set data.path to it; `snakemake download` fetches them."
)
WHERE_NPZ = (
    "For EuroSAT (27,000 Sentinel-2 images of 10 land-cover classes, https://zenodo.org/records/7711810): get it and "
    "make a file with numpy.savez_compressed that holds the arrays x (N, H, W, bands) uint8, y (N) integer, "
    "names (classes) text, and set data.path to it."
)
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def source_path(data: DataConfig) -> Path:
    """Return ``data.path``, a leading ``~`` expanded; relative paths count from the working directory."""
    return Path(data.path or "").expanduser()


def source_files(data: DataConfig) -> list[str]:
    """Return the files that the study reads its images from; none for generated images."""
    if data.source == "synthetic":
        return []
    path = source_path(data)
    return [str(path)] if data.source == "npz" else [str(path / name) for name in SO2SAT_FILES.values()]


def check_source(data: DataConfig) -> None:
    """Check that the images exist, are complete as far as their headers tell, and have the configured shape.

    Raises:
        DataError: says what was looked for, what was found and where to get it.
    """
    if data.source == "so2sat":
        _check_so2sat(data)
    elif data.source == "npz":
        _check_npz(data)


def estimate_disk_use(study: StudyConfig) -> int:
    """Return roughly how many bytes a whole study writes: arrays, weights, tables.

    The paths of the images must have been checked before.
    """
    data = study.data
    if data.source == "synthetic":
        images = data.synthetic.train + data.synthetic.validation + data.synthetic.test
        arrays = images * (SO2SAT_IMAGE_BYTES + 4 * data.bands * data.image_size**2)
    elif data.source == "so2sat":
        images = sum(Path(file).stat().st_size for file in source_files(data)) // SO2SAT_IMAGE_BYTES
        arrays = images * 4 * data.bands * data.image_size**2
    else:
        shape, dtype = npz_headers(source_path(data))["x"]
        arrays = int(np.prod(shape, dtype=np.int64)) * (1 if dtype == np.uint8 else 4)
    network, sampling = study.network, study.sampling
    visited = sampling.walks * (sampling.steps + 1)
    trained = study.space_size() if sampling.architectures == "all" else min(visited, study.space_size())
    # NAS-Bench-101's cells have 8.5 million parameters on average, four bytes each, with 128, 256 and 512 channels and
    # three cells a stack (10 million are reckoned); parameters grow with the square of the channels
    squares = sum((network.stem_channels << stack) ** 2 for stack in range(network.stacks)) * network.cells_per_stack
    # once as a result, once as the last state of the training
    weights = 2 * trained * (40e6 * squares / (3 * (128**2 + 256**2 + 512**2)) + 50e3)
    tables = study.space_size() * 1500 + 50e6
    return int(arrays + weights + tables)


def preparation_memory(data: DataConfig) -> int:
    """Return how many MB preparing the images takes: blocks of HDF5 files, but all of an ``.npz`` file's array."""
    if data.source != "npz":
        return 2000
    shape, dtype = npz_headers(source_path(data))["x"]
    return 2000 + int(3 * np.prod(shape, dtype=np.int64) * dtype.itemsize / 1e6)


def npz_headers(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype[np.generic]]]:
    """Return shape and type of every array in an ``.npz`` file, from the headers alone.

    Raises:
        DataError: the file is no complete zip file of arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            headers = {}
            for name in names:
                with archive.open(name) as member:
                    headers[name.removesuffix(".npy")] = _npy_header(member)
            return headers
    except zipfile.BadZipFile as error:
        raise DataError(
            f"{path} is no complete npz (zip) file: {error}. It is truncated or of another format; "
            "copy or download it again."
        ) from error
    except (ValueError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path} cannot be read as an npz file: {error}. Copy or download it again.") from error


def check_npz_layout(
    path: Path, headers: dict[str, tuple[tuple[int, ...], np.dtype[np.generic]]], expected: ImagesConfig
) -> None:
    """Check shapes and types of the arrays ``x``, ``y`` and ``names`` against the configured ones.

    Raises:
        DataError: an array is missing or has another shape or type; the message names file, array and setting.
    """
    missing = [name for name in ("x", "y", "names") if name not in headers]
    if missing:
        raise DataError(
            f"{path} lacks the array{'s' * (len(missing) > 1)} {', '.join(missing)}; it has "
            f"{', '.join(headers) or 'none'}. Expected x (N, H, W, bands), y (N) and names (classes)."
        )
    (shape, dtype), (y_shape, y_dtype), (names_shape, names_dtype) = headers["x"], headers["y"], headers["names"]
    size = expected.image_size
    if len(shape) != 4 or shape[1:] != (size, size, expected.bands):
        raise DataError(
            f"{path}: array x has shape {shape}; expected (N, {size}, {size}, {expected.bands}) by data.images.image_size "
            f"{size} and data.images.bands {expected.bands}. Set these to the file's values, or name another file."
        )
    if dtype.kind not in "uif" or dtype.hasobject:
        raise DataError(f"{path}: array x has type {dtype}; expected uint8, or another integer or float type.")
    if len(y_shape) != 1 or y_shape[0] != shape[0] or y_dtype.kind not in "ui":
        raise DataError(
            f"{path}: array y has shape {y_shape} and type {y_dtype}; expected ({shape[0]},) integers, one an image."
        )
    if names_shape != (expected.classes,) or names_dtype.kind != "U":
        raise DataError(
            f"{path}: array names has shape {names_shape} and type {names_dtype}; expected ({expected.classes},) texts "
            f"by data.images.classes {expected.classes}."
        )


def _npy_header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(member)
    else:
        raise ValueError(f"array format {version[0]}.{version[1]} is not supported, only 1.0 and 2.0")
    return shape, dtype


def _check_so2sat(data: DataConfig) -> None:
    folder = source_path(data)
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise DataError(f"data.path is '{data.path}', but the folder {folder.absolute()} {what}. {WHERE_SO2SAT}")
    missing = [name for name in SO2SAT_FILES.values() if not (folder / name).is_file()]
    if missing:
        raise DataError(
            f"data.path is '{data.path}', but the folder {folder.absolute()} lacks {', '.join(missing)}. {WHERE_SO2SAT}"
        )
    for file in source_files(data):
        _check_hdf5_size(Path(file))


def _check_npz(data: DataConfig) -> None:
    path = source_path(data)
    if not path.is_file():
        problem = "that is a folder" if path.is_dir() else "there is no such file"
        raise DataError(f"data.path is '{data.path}', but {problem}. Looked for {path.absolute()}. {WHERE_NPZ}")
    check_npz_layout(path, npz_headers(path), data.images)


def _check_hdf5_size(path: Path) -> None:
    """Compare a file's size with the end of file that its HDF5 superblock states (HDF5 format, section II.A)."""
    with path.open("rb") as file:
        head = file.read(48)
    if head[:8] != HDF5_SIGNATURE:
        raise DataError(f"{path} is no HDF5 file (it starts with other bytes). Copy or download it again.")
    # versions 0 and 1 keep the address after group parameters, 2 and 3 right after the header
    place = {0: 40, 1: 44, 2: 28, 3: 28}.get(head[8], 0) if len(head) == 48 else 0
    offset_size = head[13] if head[8:9] in (b"\0", b"\1") else head[9]
    if place and offset_size == 8:
        with path.open("rb") as file:
            file.seek(place)
            stated = int.from_bytes(file.read(8), "little")
        if path.stat().st_size < stated:
            raise DataError(
                f"{path} is truncated: it has {path.stat().st_size:,} bytes of {stated:,}. Copy or download it again."
            )
