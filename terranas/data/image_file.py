"""One image from a JPEG, PNG or TIFF file, with every fault told by its name."""

import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terranas.core.errors import DataError

PILLOW_BANDS = {"L": 1, "I;16": 1, "RGB": 3, "RGBA": 4}
"""Bands by Pillow's mode; other modes (palettes, CMYK, ...) hold no bands of light."""


class ImageFacts(NamedTuple):
    """What the header of an image file says."""

    height: int
    width: int
    bands: int
    dtype: np.dtype[Any]


def read_facts(path: Path, bands: int) -> ImageFacts:
    """Read size, bands and type from a file's header; nothing is decoded.

    Args:
        path: the file.
        bands: expected bands, by which it is told whether a TIFF file has its bands first or last.

    Raises:
        DataError: the file is damaged, of another format, or far too large.
    """
    return _read(path, bands, None)[0]


def read_image(path: Path, bands: int, expected: ImageFacts) -> NDArray[Any]:
    """Read an image, shape (height, width, bands), once its header says what is expected.

    Raises:
        DataError: the file is damaged, or its size, bands or type are others; the message names it.
    """
    image = _read(path, bands, expected)[1]
    assert image is not None
    return image


def _read(path: Path, bands: int, expected: ImageFacts | None) -> tuple[ImageFacts, NDArray[Any] | None]:
    read = _read_tiff if path.suffix.lower() in (".tif", ".tiff") else _read_pillow
    try:
        return read(path, bands, expected)
    except DataError:
        raise
    # libraries that decode damaged files raise nearly everything
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise DataError(
            f"{path} cannot be read as an image ({reason}). It is damaged, or its format or compression is not "
            "supported; copy or download it again, or remove it."
        ) from error


def _read_pillow(path: Path, _: int, expected: ImageFacts | None) -> tuple[ImageFacts, NDArray[Any] | None]:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)  # else Pillow only warns
        opened = Image.open(path, formats=("JPEG", "PNG"))
    with opened as image:
        if image.mode != "I;16" and any("16" in str(tile.args) for tile in image.tile):
            raise DataError(f"{path} has 16 bits a band, of which Pillow reads 8; save such images as TIFF.")
        if image.mode not in PILLOW_BANDS:
            raise DataError(f"{path} has the colour mode {image.mode}; expected {', '.join(PILLOW_BANDS)}.")
        dtype = np.dtype(np.uint16 if image.mode == "I;16" else np.uint8)
        facts = ImageFacts(image.height, image.width, PILLOW_BANDS[image.mode], dtype)
        if expected is None:
            return facts, None
        _compare(path, facts, expected)
        return facts, np.asarray(image).reshape(facts[:3])


def _read_tiff(path: Path, bands: int, expected: ImageFacts | None) -> tuple[ImageFacts, NDArray[Any] | None]:
    import tifffile
    from PIL import Image

    # pages and not series: these may be spread over other files
    with tifffile.TiffFile(path) as file:
        first = file.pages.first
        pages = len(file.pages) if first.ndim == 2 and bands > 1 else 1
        shape = (pages, *first.shape) if pages > 1 else first.shape
        if first.dtype is None or first.dtype.kind not in "uif" or first.dtype.itemsize > 8:
            raise DataError(f"{path} has pixels of type {first.dtype}; expected integers or floats.")
        if int(np.prod(shape, dtype=np.int64)) > (Image.MAX_IMAGE_PIXELS or 0):
            raise DataError(f"{path} is far too large: its header says {shape}. Cut it into smaller images.")
        first_axis = len(shape) == 3 and shape[0] == bands and shape[2] != bands
        height, width, depth = (*shape[1:], bands) if first_axis else shape if len(shape) == 3 else (*shape, 1)
        facts = ImageFacts(height, width, depth, first.dtype.newbyteorder("="))
        if expected is None:
            return facts, None
        _compare(path, facts, expected)
        if any(page.shape != first.shape or page.dtype != first.dtype for page in file.pages if pages > 1):
            raise DataError(f"{path} has pages of different sizes or types; expected one page, or one a band.")
        image = np.stack([page.asarray() for page in file.pages]) if pages > 1 else first.asarray()
        image = np.moveaxis(image, 0, 2) if first_axis else image.reshape(height, width, depth)
        return facts, image.astype(facts.dtype, copy=False)


def _compare(path: Path, facts: ImageFacts, expected: ImageFacts) -> None:
    """Check that a file is as the first one was."""
    names = {"height": "pixels high", "width": "pixels wide", "bands": "bands"}
    for name, words in names.items():
        if getattr(facts, name) != getattr(expected, name):
            raise DataError(
                f"{path} is {getattr(facts, name)} {words}; expected {getattr(expected, name)}."
                if name != "bands"
                else f"{path} has {facts.bands} bands; expected {expected.bands}."
            )
    if facts.dtype != expected.dtype:
        raise DataError(f"{path} has pixels of type {facts.dtype}; the first image has {expected.dtype}.")


def check_first(path: Path, facts: ImageFacts, bands: int, image_size: int) -> int:
    """Check the first image against the configuration; return by how much images are averaged down.

    Raises:
        DataError: it has other bands, or its size is no whole multiple of the configured one.
    """
    if facts.bands != bands:
        raise DataError(f"{path} has {facts.bands} bands; expected {bands} by data.images.bands.")
    if facts.height != facts.width or facts.height % image_size:
        raise DataError(
            f"{path} is {facts.height} pixels high and {facts.width} wide; expected a square with a whole multiple of "
            f"data.images.image_size {image_size}."
        )
    return facts.height // image_size


def box_average(image: NDArray[Any], factor: int) -> NDArray[Any]:
    """Average squares of ``factor`` x ``factor`` pixels of an image (height, width, bands).

    Integers are rounded to the nearest, halves up; floats are averaged as float64 and rounded to their own type.
    """
    if factor == 1:
        return image
    height, width, bands = image.shape
    boxes = image.reshape(height // factor, factor, width // factor, factor, bands)
    if image.dtype.kind == "f":
        return np.asarray(boxes.mean(axis=(1, 3), dtype=np.float64).astype(image.dtype))
    total = boxes.sum(axis=(1, 3), dtype=np.int64)
    return np.asarray(((total + factor**2 // 2) // factor**2).astype(image.dtype))
