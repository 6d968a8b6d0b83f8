"""One streaming pass over a source: arrays ready to train from, statistics per band, class counts, checksums."""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.core.errors import DataError
from terranas.core.files import require_free_space
from terranas.core.logs import progress
from terranas.data.layout import SPLITS
from terranas.data.partial import ArrayPart, SplitProgress, Workplace, alone
from terranas.data.reader import Reader, check_labels, regrouped
from terranas.data.schema import BAND_STATISTICS, CLASS_COUNTS
from terranas.data.storage import GIVE_UP, Storage, UnfitError, choose_storage, lossy_bands, lossy_reason

logger = logging.getLogger(__name__)

SAMPLE_PIXELS = 20_000
"""Roughly how many pixels a block are looked at."""

SAMPLE_PLACES = (0.0, 0.5, 0.9)
"""Where in each split the blocks are taken from that the type of the pixels is chosen by."""


@dataclass(frozen=True)
class Options:
    """How images are prepared.

    Attributes:
        storage: type of the pixels: auto, uint8, uint16, float16 or float32.
        not_finite: what happens to images with NaN or infinite pixels: refuse, drop or zero.
        key: text that tells apart what must not be mixed when an interrupted preparation goes on.
        record_seconds: how often it is written down how far the preparation is.
    """

    storage: str = "auto"
    not_finite: str = "refuse"
    key: str = ""
    record_seconds: float = 10.0


@dataclass(frozen=True)
class Prepared:
    """What the pass found out.

    Attributes:
        reader: the source.
        storage: how the pixels are stored.
        splits: statistics (of stored values), counts and checksums of each split.
    """

    reader: Reader
    storage: Storage
    splits: dict[str, SplitProgress]

    def statistics_table(self, source: str) -> pd.DataFrame:
        """Return the BAND_STATISTICS table: physical values, as they are stored."""
        physical = {
            split: part.moments.scaled(self.storage.scale, self.storage.offset) for split, part in self.splits.items()
        }
        rows = [
            {
                "source": source,
                "split": split,
                "band": band,
                "mean": moments.mean[band],
                "std": moments.std[band],
                "min": moments.low[band],
                "max": moments.high[band],
            }
            for split, moments in physical.items()
            for band in range(self.reader.bands)
        ]
        return BAND_STATISTICS.from_rows(rows)

    def class_table(self, source: str) -> pd.DataFrame:
        """Return the CLASS_COUNTS table."""
        rows = [
            {"source": source, "split": split, "class_index": index, "class_name": name, "count": part.counts[index]}
            for split, part in self.splits.items()
            for index, name in enumerate(self.reader.class_names)
        ]
        return CLASS_COUNTS.from_rows(rows)

    def manifest(self, source: str) -> dict[str, Any]:
        """Return what identifies the prepared data; equal content gives an equal manifest."""
        errors = np.max([part.largest for part in self.splits.values()], axis=0)
        return {
            "source": source,
            "bands": self.reader.bands,
            "classes": len(self.reader.class_names),
            "class_names": list(self.reader.class_names),
            "image_size": self.reader.image_size,
            "storage": self.storage.facts() | {"largest_error": errors.tolist()},
            "splits": {
                split: {
                    "images": part.written,
                    "dropped": part.dropped,
                    "sha256_images": part.digests["images"],
                    "sha256_labels": part.digests["labels"],
                }
                for split, part in self.splits.items()
            },
        }


def prepare(
    reader: Reader, outputs: Mapping[str, str | Path], state: str | Path, options: Options | None = None
) -> Prepared:
    """Write every split as ``.npy`` arrays, each file whole or not at all.

    Images become (n, height, width, bands) in the type of :mod:`terranas.data.storage`, labels int64 (n,). The type is
    chosen from a sample; where a later value does not fit it, another is chosen and the pass begins again. A killed
    preparation goes on where it was last written down, and gives the same files and numbers as one that was not killed.

    Args:
        reader: the source.
        outputs: path of each array, keyed ``<split>_images`` and ``<split>_labels``.
        state: folder of the unfinished files, on the same file system; removed at the end.
        options: how.

    Raises:
        EnvironmentLackError: the disk has too little space; no image was written.
        DataError: the source holds something it must not hold, or lacks a class in its training split.
    """
    options = options or Options()
    for split in SPLITS:
        if not reader.count(split):
            raise DataError(f"{reader.where(split)}: the split has no images; expected at least one.")
    with alone(Path(state)):
        return _prepare_alone(reader, {name: Path(path) for name, path in outputs.items()}, Path(state), options)


def _prepare_alone(reader: Reader, outputs: dict[str, Path], state: Path, options: Options) -> Prepared:
    """Prepare as :func:`prepare`, while nothing else writes to the state."""
    work = Workplace(state, options.key)
    sample = _sample(reader)
    while True:
        refused = frozenset(name for name, times in work.broken.items() if times >= GIVE_UP)
        seen = np.concatenate([sample, np.array(work.breaking).reshape(-1, reader.bands)])
        storage = choose_storage(seen, reader.dtype, options.storage, refused)
        if work.storage != storage.facts():
            work.storage, work.splits = storage.facts(), {}
        _require_space(reader, storage, outputs["train_images"].parent, work.folder)
        logger.info("pixels are stored as %s", work.storage)
        try:
            for split in SPLITS:
                _prepare_split(reader, work, storage, split, options)
            break
        except UnfitError as unfit:
            name = storage.dtype.name
            # a type that is refused for its precision has no single value to choose better scales by
            work.broken[name] = work.broken.get(name, 0) + 1 if len(unfit.pixels) else GIVE_UP
            work.breaking += unfit.pixels.tolist()
            logger.warning("%s does not hold the images: %s. They are prepared anew.", name, unfit.reason)
            if options.storage != "auto" and work.broken[name] >= GIVE_UP:
                raise DataError(
                    f"data.storage is {name}, which the pixels do not fit: {unfit.reason}. Set data.storage to auto."
                ) from unfit
    work.publish(outputs)
    return Prepared(reader, storage, {split: work.splits[split] for split in SPLITS})


def _sample(reader: Reader) -> NDArray[np.float64]:
    """Return finite pixels (n, bands) from blocks that are spread over all splits."""
    parts = []
    for split in SPLITS:
        for place in SAMPLE_PLACES:
            blocks = regrouped(reader.blocks(split, int(place * reader.count(split))), reader.rows)
            pixels = next(blocks)[0].reshape(-1, reader.bands)
            pixels = pixels[:: max(1, len(pixels) // SAMPLE_PIXELS)].astype(np.float64)
            parts.append(pixels[np.isfinite(pixels).all(axis=1)])
    sample = np.concatenate(parts)
    return sample if len(sample) else np.zeros((1, reader.bands))


def _require_space(reader: Reader, storage: Storage, folder: Path, state: Path) -> None:
    pixels = reader.bands * reader.image_size**2
    needed = sum(reader.count(split) * (pixels * storage.dtype.itemsize + 8) + 256 for split in SPLITS)
    there = sum(file.stat().st_size for file in state.glob("*.npy")) if state.is_dir() else 0
    require_free_space(folder, max(0, needed - there))


def _prepare_split(reader: Reader, work: Workplace, storage: Storage, split: str, options: Options) -> None:
    """Write one split's files from where they are.

    Raises:
        UnfitError: a value does not fit the storage.
        DataError: as :func:`prepare`.
    """
    work.folder.mkdir(parents=True, exist_ok=True)
    part = work.splits.get(split) or SplitProgress.new(reader.bands, len(reader.class_names))
    files = _Files.of(reader, work, storage, split, part)
    try:
        if not files.open(part):
            logger.warning("the unfinished %s files are not as they were left; the split is begun anew", split)
            part = SplitProgress.new(reader.bands, len(reader.class_names))
            files = _Files.of(reader, work, storage, split, part)
            files.open(part)
        if part.consumed:
            logger.info("%s: %d of %d images were prepared before", split, part.consumed, reader.count(split))
        if not part.finished:
            for _ in _filled(reader, storage, split, part, files, options):
                files.sync(part)
                work.splits[split] = part
                work.record()
            _check_split(reader, storage, split, part)
            files.finish(part)
            work.splits[split] = part
            work.record()
    finally:
        files.close()


@dataclass(frozen=True)
class _Files:
    """The two files of a split."""

    images: ArrayPart
    labels: ArrayPart

    @classmethod
    def of(cls, reader: Reader, work: Workplace, storage: Storage, split: str, part: SplitProgress) -> "_Files":
        count = part.written if part.finished else reader.count(split)
        shape = (reader.image_size, reader.image_size, reader.bands)
        return cls(
            ArrayPart(work.path(split, "images"), storage.dtype, shape, count),
            ArrayPart(work.path(split, "labels"), np.dtype(np.int64), (), count),
        )

    def open(self, part: SplitProgress) -> bool:
        opened = [
            self.images.open(part.written, part.digests.get("images")),
            self.labels.open(part.written, part.digests.get("labels")),
        ]
        if not all(opened):
            self.close()
        return all(opened)

    def sync(self, part: SplitProgress) -> None:
        part.digests = {"images": self.images.sync(), "labels": self.labels.sync()}

    def finish(self, part: SplitProgress) -> None:
        part.digests = {"images": self.images.finish(part.written), "labels": self.labels.finish(part.written)}
        part.finished = True

    def close(self) -> None:
        self.images.close()
        self.labels.close()


def _filled(
    reader: Reader, storage: Storage, split: str, part: SplitProgress, files: _Files, options: Options
) -> Iterator[None]:
    """Append the rest of a split to its files; yield whenever it is time to write down how far they are."""
    count, classes = reader.count(split), len(reader.class_names)
    blocks = regrouped(reader.blocks(split, part.consumed), reader.rows)
    left = -(-(count - part.consumed) // reader.rows)
    recorded = time.monotonic()
    for images, labels in progress(blocks, left, f"blocks of {split} images", logger):
        check_labels(labels, classes, part.consumed, reader.where(split))
        finite = _finite(images)
        if not finite.all():
            if not part.spoiled:
                part.first_spoiled = part.consumed + int(np.flatnonzero(~finite)[0])
            part.spoiled += int(np.count_nonzero(~finite))
        part.consumed += len(labels)
        if part.spoiled and options.not_finite == "refuse":
            continue  # the others are only counted
        if options.not_finite == "drop":
            part.dropped += int(np.count_nonzero(~finite))
            images, labels = images[finite], labels[finite]
        elif not finite.all():
            images = np.where(np.isfinite(images), images, images.dtype.type(0))
        if not len(labels):
            continue
        encoded = storage.encode(images)
        part.moments.add(encoded.stored)
        part.largest = np.maximum(part.largest, encoded.largest)
        part.squared = part.squared + encoded.squared
        part.counts += np.bincount(labels, minlength=classes)
        files.images.append(encoded.stored)
        files.labels.append(labels)
        if time.monotonic() - recorded >= options.record_seconds:
            yield
            recorded = time.monotonic()
    if part.consumed != count:
        raise DataError(f"{reader.where(split)}: {part.consumed} images came, {count} were announced.")
    if part.spoiled:
        what = (
            f"{reader.where(split, part.first_spoiled)}: NaN or infinite pixels in {part.spoiled} of the {split} images"
        )
        if options.not_finite == "refuse":
            raise DataError(
                f"{what}; expected finite numbers. Repair these images, or set data.not_finite to drop (leave them "
                "out) or zero."
            )
        logger.warning("%s; %s", what, "left out" if options.not_finite == "drop" else "these pixels are 0 now")


def _check_split(reader: Reader, storage: Storage, split: str, part: SplitProgress) -> None:
    """Check what only a whole split shows."""
    if not part.written:
        raise DataError(f"{reader.where(split)}: the split has no images with finite pixels; expected at least one.")
    missing = np.flatnonzero(part.counts == 0)
    if split == "train" and len(missing):
        names = ", ".join(f"{index} ({reader.class_names[index]})" for index in missing)
        raise DataError(
            f"{reader.where(split)}: no training image has the class {names}; expected at least one of each of the "
            f"{len(reader.class_names)} classes."
        )
    std = part.moments.scaled(storage.scale, storage.offset).std
    if len(lossy := lossy_bands(storage, part.squared, part.moments.pixels, std)):
        reason = lossy_reason(int(lossy[0]), part.largest, part.squared, part.moments.pixels, std)
        raise UnfitError(reason, np.empty((0, reader.bands)))


def _finite(images: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which images have finite pixels only, shape (n,)."""
    if images.dtype.kind != "f":
        return np.ones(len(images), dtype=bool)
    return np.asarray(np.isfinite(images).all(axis=(1, 2, 3)))
