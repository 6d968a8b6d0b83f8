"""Shuffled batches of images from a warm memory map, beside an item-by-item reader of HDF5.

    python benchmarks/reader.py [--images 60000] [--items 4000] [--batch 256] [--dtypes uint16,float16]

On one core. Images of 10 bands and 32 x 32 pixels, as So2Sat's Sentinel-2. The reference does what a data set and a
loader of torch do with the published layout: the file is opened once, and each image (float64) and one-hot label is
read, made a tensor in float32 and stacked to a batch. All files lie in a temporary folder, which is removed.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from measure import measured, parser_of, seconds, show
from numpy.typing import NDArray

from terranas.training.batches import ImageSet

SHAPE = (32, 32, 10)
BLOCK = 2000
BYTES_AT_MOST = 3_000_000_000
GOAL = 100_000


@dataclass(frozen=True)
class Given:
    """What a reader is measured on.

    Attributes:
        images: images of the memory map.
        order: the batches' indices, one row a batch.
        made: the set of images.
        buffer: stored rows of one batch.
    """

    images: NDArray[Any]
    order: NDArray[np.int64]
    made: ImageSet
    buffer: NDArray[Any]


def write(folder: Path, images: int, items: int, dtypes: list[str]) -> None:
    """Write the same kind of pixels as memory maps and as HDF5."""
    rng = np.random.default_rng(0)
    for dtype in dtypes:
        stored = np.lib.format.open_memmap(folder / f"{dtype}.npy", "w+", np.dtype(dtype), (images, *SHAPE))
        for start in range(0, images, BLOCK):
            block = stored[start : start + BLOCK]
            block[:] = rng.integers(0, 28_000 if dtype != "uint8" else 255, block.shape, dtype=np.uint16)
        stored.flush()
    with h5py.File(folder / "images.h5", "w") as file:
        data = file.create_dataset("sen2", (items, *SHAPE), "float64", chunks=(1, *SHAPE))
        for start in range(0, items, BLOCK):
            data[start : start + BLOCK] = rng.random((min(BLOCK, items - start), *SHAPE))
        file.create_dataset("label", data=np.eye(17)[rng.integers(0, 17, items)], chunks=(1, 17))


def mapped(folder: Path, dtype: str, batch: int, channels_last: bool, resident: bool) -> Given:
    """Map a file that is in the page cache, and shuffle."""
    torch.set_num_threads(1)
    images = np.load(folder / f"{dtype}.npy", mmap_mode="r")
    for start in range(0, len(images), BLOCK):  # reads every page
        images[start : start + BLOCK].max()
    batches = len(images) // batch
    order = np.random.default_rng(1).permutation(len(images))[: batches * batch].reshape(batches, batch)
    made = ImageSet(
        images,
        np.zeros(len(images), np.int64),
        np.full(SHAPE[2], 1e-3),
        np.full(SHAPE[2], -2.0),
        torch.device("cpu"),
        resident=resident,
        channels_last=channels_last,
    )
    return Given(images, order, made, np.empty((batch, *SHAPE), images.dtype))


def stored_batches(given: Given) -> int:
    """Gather all batches as they are stored: what the host does where the device converts."""
    for indices in given.order:
        given.made._gather(indices, given.buffer)
    return given.order.size


def indexed_batches(given: Given) -> int:
    """The same by plain indexing, into new memory each time."""
    for indices in given.order:
        given.images[indices]
    return given.order.size


def normalised_batches(given: Given) -> int:
    """Gather and normalise all batches on the CPU."""
    count = 0
    for x, _ in given.made.batches(given.order):
        count += len(x)
    return count


def opened(folder: Path, items: int, batch: int) -> tuple[h5py.File, NDArray[np.int64], int]:
    """Open the HDF5 file once, and shuffle."""
    torch.set_num_threads(1)
    file = h5py.File(folder / "images.h5", "r")
    file["sen2"][:]
    return file, np.random.default_rng(1).permutation(items), batch


def hdf5_items(given: tuple[h5py.File, NDArray[np.int64], int]) -> int:
    """Read one image after the other and stack batches."""
    file, order, size = given
    images, labels = file["sen2"], file["label"]
    for start in range(0, len(order), size):
        items = [
            (torch.from_numpy(images[index]).float().permute(2, 0, 1), int(labels[index].argmax()))
            for index in order[start : start + size]
        ]
        torch.stack([image for image, _ in items])
        torch.tensor([label for _, label in items])
    return len(order)


def main() -> None:
    """Print samples a second."""
    parser = parser_of(__doc__)
    parser.add_argument("--images", type=int, default=60_000, help="images in each memory map")
    parser.add_argument("--items", type=int, default=4_000, help="images in the HDF5 file")
    parser.add_argument("--batch", type=int, default=256, help="images in a batch")
    parser.add_argument("--dtypes", default="uint16,float16", help="stored types")
    parser.add_argument("--runs", type=int, default=5, help="passes, of which the fastest counts")
    options = parser.parse_args()
    dtypes = options.dtypes.split(",")
    pixels = int(np.prod(SHAPE))
    needed = pixels * (options.images * sum(np.dtype(dtype).itemsize for dtype in dtypes) + 8 * options.items)
    if needed > BYTES_AT_MOST:
        parser.error(f"that is {needed / 1e9:.1f} GB of files; at most {BYTES_AT_MOST / 1e9:.0f} GB are written")
    rows = []
    with tempfile.TemporaryDirectory(prefix="terranas.") as name:
        folder = Path(name)
        write(folder, options.images, options.items, dtypes)
        slow = measured(hdf5_items, folder, options.items, options.batch, prepare=opened, runs=options.runs)
        reference = slow.result / slow.seconds

        def add(what: str, dtype: str, took: Any) -> None:
            speed = took.result / took.seconds
            rows.append([what, dtype, f"{speed:,.0f}", f"{speed * pixels * np.dtype(dtype).itemsize / 1e9:.2f}"])
            rows[-1] += [f"{speed / reference:,.1f}", seconds(took.seconds / took.result * options.batch)]

        add("HDF5, item by item", "float64", slow)
        for dtype in dtypes:
            for what, function, channels_last, resident in (
                ("batches as stored", stored_batches, True, False),
                ("the same by plain indexing", indexed_batches, True, False),
                ("normalised on the CPU, channels-last", normalised_batches, True, False),
                ("the same from a copy in memory", normalised_batches, True, True),
                ("normalised on the CPU, contiguous", normalised_batches, False, False),
            ):
                given = (folder, dtype, options.batch, channels_last, resident)
                add(what, dtype, measured(function, *given, prepare=mapped, runs=options.runs))
    print(f"10 bands, 32 x 32 pixels, batches of {options.batch}, one core; goal as stored: {GOAL:,} samples/s")
    show(["what", "stored as", "samples/s", "GB/s", "times HDF5", "a batch"], rows, options.json)


if __name__ == "__main__":
    main()
