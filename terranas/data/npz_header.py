"""Headers of the arrays in an ``.npz`` file, and what they must say; nothing heavy is imported."""

import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from terranas.config.inputs import ImagesConfig
from terranas.core.errors import DataError

UNREADABLE = (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, NotImplementedError, RuntimeError)
"""What reading a damaged or unusual zip file of arrays raises: its checksums, a method or a password it needs."""


class Header(NamedTuple):
    """What the header of an array says."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]


def npz_headers(path: Path) -> dict[str, Header]:
    """Return the header of every array in an ``.npz`` file.

    Raises:
        DataError: the file is no complete zip file of arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            headers = {}
            for name in names:
                with archive.open(name) as member:
                    headers[name.removesuffix(".npy")] = read_header(member)
            return headers
    except zipfile.BadZipFile as error:
        raise DataError(
            f"{path} is no complete npz (zip) file: {error}. It is truncated or of another format; "
            "copy or download it again."
        ) from error
    except UNREADABLE as error:
        raise DataError(f"{path} cannot be read as an npz file: {error}. Copy or download it again.") from error


def read_header(member: IO[bytes]) -> Header:
    """Read the header of an array, and leave the stream at its first value.

    Raises:
        ValueError: there is none, or one of an unknown version.
    """
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        return Header(*np.lib.format.read_array_header_1_0(member))
    if version == (2, 0):
        return Header(*np.lib.format.read_array_header_2_0(member))
    raise ValueError(f"array format {version[0]}.{version[1]} is not supported, only 1.0 and 2.0")


def check_npz_layout(path: Path, headers: dict[str, Header], expected: ImagesConfig) -> None:
    """Check shapes and types of the arrays ``x``, ``y`` and ``names`` against the configured ones.

    Raises:
        DataError: an array is missing or has another shape, order or type; the message names file, array and setting.
    """
    missing = [name for name in ("x", "y", "names") if name not in headers]
    if missing:
        raise DataError(
            f"{path} lacks the array{'s' * (len(missing) > 1)} {', '.join(missing)}; it has "
            f"{', '.join(headers) or 'none'}. Expected x (N, H, W, bands), y (N) and names (classes)."
        )
    x, y, names = headers["x"], headers["y"], headers["names"]
    size = expected.image_size
    if len(x.shape) != 4 or x.shape[1:] != (size, size, expected.bands):
        raise DataError(
            f"{path}: array x has shape {x.shape}; expected (N, {size}, {size}, {expected.bands}) by "
            f"data.images.image_size {size} and data.images.bands {expected.bands}. Set these to the file's values, or "
            "name another file."
        )
    if x.dtype.kind not in "uif" or x.dtype.hasobject or x.dtype.itemsize > 8:
        raise DataError(f"{path}: array x has type {x.dtype}; expected uint8, or another integer or float type.")
    if x.fortran_order:
        raise DataError(
            f"{path}: array x is stored in Fortran order, in which images cannot be read one after the other; save "
            "numpy.ascontiguousarray(x)."
        )
    if len(y.shape) != 1 or y.shape[0] != x.shape[0] or y.dtype.kind not in "ui":
        raise DataError(
            f"{path}: array y has shape {y.shape} and type {y.dtype}; expected ({x.shape[0]},) integers, one an image."
        )
    if names.shape != (expected.classes,) or names.dtype.kind != "U":
        raise DataError(
            f"{path}: array names has shape {names.shape} and type {names.dtype}; expected ({expected.classes},) texts "
            f"by data.images.classes {expected.classes}."
        )
