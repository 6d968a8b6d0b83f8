"""From the prepared arrays on disk to the image sets of one training: opened, checked, normalised, placed."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from terranas.core.errors import DataError, EnvironmentLackError
from terranas.core.files import sha256_file
from terranas.core.logs import progress
from terranas.data.layout import SPLITS
from terranas.training.batches import GATHERED_AS, ImageSet
from terranas.training.memory import is_out_of_memory

if TYPE_CHECKING:  # job.py itself imports this module
    from terranas.training.job import TrainingJob

logger = logging.getLogger(__name__)


def image_sets(job: "TrainingJob", device: torch.device, channels_last: bool) -> dict[str, ImageSet]:
    """Return the splits of a training's images, ready to give normalised batches on ``device``.

    Raises:
        DataError: an array is not the one that the manifest describes.
        EnvironmentLackError: the images are to be held on the device, and do not fit.
    """
    arrays = open_arrays(job.arrays, job.manifest)
    images = [arrays[f"{split}_images"] for split in SPLITS]
    resident = held_on_device(sum(array.nbytes for array in images), device, job.campaign["resident"])
    made = {}
    for split in SPLITS:
        factor, shift = normalisation(job.manifest["storage"], job.statistics[split])
        content = arrays[f"{split}_images"], arrays[f"{split}_labels"]
        try:
            made[split] = ImageSet(*content, factor, shift, device, resident=resident, channels_last=channels_last)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise EnvironmentLackError(
                f"The {split} images do not fit into the memory of {device} ({str(error).splitlines()[0]}). Set "
                "campaign.resident to never (they are then read by batch), or train where there is more memory."
            ) from error
    return made


def normalisation(
    storage: Mapping[str, Any], statistics: Mapping[str, list[float]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the factor and the shift of each band that make a stored pixel a normalised one.

    A physical pixel is ``stored * scale + offset``, a normalised one ``(physical - mean) / std``; bands without
    variation are only centred.

    Args:
        storage: ``scale`` and ``offset`` of each band, of the manifest.
        statistics: ``mean`` and ``std`` of each band in physical units.
    """
    scale, offset = np.array(storage["scale"], np.float64), np.array(storage["offset"], np.float64)
    mean, std = np.array(statistics["mean"], np.float64), np.array(statistics["std"], np.float64)
    std = np.where(std > 0, std, 1.0)
    return scale / std, (offset - mean) / std


def open_arrays(paths: Mapping[str, str], manifest: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Map the arrays of all splits into memory, read-only, and compare them with the manifest.

    Args:
        paths: path of each array, keyed ``<split>_images`` and ``<split>_labels``.
        manifest: the manifest of the prepared data.

    Raises:
        DataError: an array cannot be read, or has another shape or type than the manifest says, or a label is out of
            range.
    """
    arrays = {}
    bands, size, classes = (manifest[name] for name in ("bands", "image_size", "classes"))
    stored = manifest["storage"]["dtype"]
    if stored not in GATHERED_AS:
        raise DataError(f"The manifest says that images are stored as {stored}; known: {', '.join(GATHERED_AS)}.")
    for split in SPLITS:
        images = manifest["splits"][split]["images"]
        expected = {
            f"{split}_images": ((images, size, size, bands), np.dtype(stored)),
            f"{split}_labels": ((images,), np.dtype(np.int64)),
        }
        for name, (shape, dtype) in expected.items():
            array = _mapped(paths[name])
            for fact, got, wanted in (("shape", array.shape, shape), ("type", array.dtype, dtype)):
                if got != wanted:
                    raise DataError(
                        f"{paths[name]} has {fact} {got}, its manifest says {wanted}. Remove it and run again."
                    )
            arrays[name] = array
        labels = arrays[f"{split}_labels"]
        if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
            raise DataError(
                f"{paths[f'{split}_labels']} has labels from {labels.min()} to {labels.max()}, expected 0 to "
                f"{classes - 1}. Remove it and run again."
            )
    return arrays


def verify_arrays(paths: Mapping[str, str], manifest: Mapping[str, Any]) -> None:
    """Check that the arrays are, byte by byte, those that were prepared.

    Staging compares while it copies; where arrays are used from where they lie, this is done once before a training.

    Args:
        paths: path of each array, keyed ``<split>_images`` and ``<split>_labels``.
        manifest: the manifest of the prepared data.

    Raises:
        DataError: a file changed since it was prepared.
    """
    parts = [(split, part) for split in SPLITS for part in ("images", "labels")]
    for split, part in progress(parts, len(parts), "files checked", logger):
        path = paths[f"{split}_{part}"]
        expected = manifest["splits"][split][f"sha256_{part}"]
        try:
            got = sha256_file(path)
        except OSError as error:
            raise DataError(f"{path} cannot be read ({error.strerror}).") from error
        if got != expected:
            raise DataError(
                f"{path} changed since it was prepared: its SHA-256 is {got}, the manifest says {expected}. Remove it "
                "and run again."
            )


def held_on_device(needed: int, device: torch.device, setting: str) -> bool:
    """Return whether the images are to be held on the device, and say so in the log.

    Args:
        needed: bytes of the stored images of all splits.
        device: the device of the batches.
        setting: ``always``, ``never``, or ``auto``: on CUDA where they take at most half of its free memory. On a CPU
            they stay mapped then: the map is memory already, and all processes of the machine share it.
    """
    images = f"The images ({needed / 1e9:.2f} GB as stored)"
    if setting != "auto":
        resident = setting == "always"
        logger.info(
            "%s are %s (campaign.resident: %s)", images, f"held on {device}" if resident else "read by batch", setting
        )
        return resident
    if device.type != "cuda":
        logger.info("%s stay mapped from disk: on a CPU a copy of them would gain nothing", images)
        return False
    free, _ = torch.cuda.mem_get_info(device)
    resident = needed <= free / 2
    logger.info(
        "%s are %s: %s of its %.1f GB of free memory",
        images,
        f"held on {device}" if resident else "read ahead by batch",
        "they take at most half" if resident else "they would take more than half",
        free / 1e9,
    )
    return resident


def _mapped(path: str) -> NDArray[Any]:
    try:
        array = np.asarray(np.load(Path(path), mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} cannot be read as an array ({error}). Remove it and run again.") from error
    if not array.flags.c_contiguous:  # one image would lie all over the file
        raise DataError(f"{path} is not in C order. Remove it and run again.")
    return array
