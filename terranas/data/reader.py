"""One interface to images in any layout, and the checks that every layout shares."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from terranas.core.errors import DataError

Block = tuple[NDArray[Any], NDArray[np.int64]]
"""Images (n, height, width, bands) in the source's type, and their labels (n,)."""

BLOCK_BYTES = 1 << 23
"""Size of a block as float64: a few of them fit into the caches of a processor, and into any memory."""


class Reader(Protocol):
    """Labelled images in three splits, read in blocks so that memory does not grow with the data set.

    Attributes:
        bands: bands of an image.
        image_size: height and width of an image.
        class_names: names of the classes in the order of the labels.
        dtype: type of the pixels it gives: integers or floats as the source has them.
        rows: images in a block.
    """

    bands: int
    image_size: int
    class_names: tuple[str, ...]
    dtype: np.dtype[Any]
    rows: int

    def count(self, split: str) -> int:
        """Return the number of images of a split."""

    def where(self, split: str, index: int | None = None) -> str:
        """Return, for messages, the file and dataset of a split's labels, or those of its image ``index``."""

    def blocks(self, split: str, start: int = 0) -> Iterator[Block]:
        """Yield a split's images and labels from its image ``start`` on, always in the same order.

        Pixels that are not finite are yielded too; what happens to them is not the reader's business.

        Raises:
            DataError: a label or the file is not what the layout allows; raised instead of the offending block.
        """


def block_rows(bands: int, image_size: int) -> int:
    """Return how many images make a block of about :data:`BLOCK_BYTES` as float64, 1 to 1024."""
    return max(1, min(1024, BLOCK_BYTES // (8 * bands * image_size**2)))


def regrouped(blocks: Iterator[Block], rows: int) -> Iterator[Block]:
    """Yield the same images in blocks of exactly ``rows``; the last may be smaller.

    What is computed block by block then depends on the order of the images alone, not on how they were read.
    """
    waiting: list[Block] = []
    held = 0
    for images, labels in blocks:
        waiting.append((images, labels))
        held += len(labels)
        if held >= rows:
            joined = _joined(waiting)
            whole = held - held % rows
            for start in range(0, whole, rows):
                yield joined[0][start : start + rows], joined[1][start : start + rows]
            waiting, held = ([(joined[0][whole:], joined[1][whole:])], held - whole) if held > whole else ([], 0)
    if held:
        yield _joined(waiting)


def _joined(blocks: list[Block]) -> Block:
    if len(blocks) == 1:
        return blocks[0]
    return np.concatenate([images for images, _ in blocks]), np.concatenate([labels for _, labels in blocks])


def check_facts(reader: Reader, bands: int, classes: int, image_size: int) -> None:
    """Check that a source has the shape that the networks are built for.

    Raises:
        DataError: it has another one.
    """
    got = {"bands": reader.bands, "classes": len(reader.class_names), "image_size": reader.image_size}
    expected = {"bands": bands, "classes": classes, "image_size": image_size}
    for name, value in expected.items():
        if got[name] != value:
            raise DataError(f"{reader.where('train')}: {name} is {got[name]}, the study expects {value}.")


def check_labels(labels: NDArray[np.int64], classes: int, first: int, where: str) -> None:
    """Check that labels are in 0 .. classes - 1.

    Args:
        labels: labels, shape (n,).
        classes: number of classes.
        first: index of the first of them in the file, for the message.
        where: file and dataset, for the message.

    Raises:
        DataError: a label is out of range.
    """
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(wrong):
        raise DataError(
            f"{where}: label {labels[wrong[0]]} of image {first + wrong[0]} is out of range; "
            f"expected 0 to {classes - 1}."
        )
