"""One interface to images in any layout, and the checks that every layout shares."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from terranas.core.errors import DataError

Block = tuple[NDArray[np.float32] | NDArray[np.uint8], NDArray[np.int64]]
"""Images (n, bands, height, width) and their labels (n,)."""


class Reader(Protocol):
    """Labelled images in three splits, read in blocks so that memory does not grow with the data set.

    Attributes:
        bands: bands of an image.
        image_size: height and width of an image.
        class_names: names of the classes in the order of the labels.
        dtype: type of the pixels it gives: uint8 where the source has that, else float32.
        rows: images in a block (the last one may have fewer).
    """

    bands: int
    image_size: int
    class_names: tuple[str, ...]
    dtype: np.dtype[Any]
    rows: int

    def count(self, split: str) -> int:
        """Return the number of images of a split."""

    def where(self, split: str) -> str:
        """Return the file and dataset that a split's labels stand in, for messages."""

    def blocks(self, split: str) -> Iterator[Block]:
        """Yield a split's images and labels in order, checked.

        Raises:
            DataError: a value is not what the layout allows; raised before or instead of the offending block.
        """


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
