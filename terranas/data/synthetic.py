"""Generated images in the So2Sat LCZ42 layout, so that a study runs without any download.

An image is its class's spectrum, changed by correlated textures of the class's own length scales and directions (and,
for built-up classes, by blocks and streets), seen through the gain and offset of a city. Validation and test images
come from other cities than the training images and have another mix of classes, as in So2Sat: a domain shift that a
network cannot learn away. Nothing here models radiation; the pixels are made so that classes differ in what the
network's operations can tell apart, and overlap enough that no network gets all of them right.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from terranas.core.files import atomic_path, require_free_space
from terranas.core.logs import progress
from terranas.core.randomness import generator
from terranas.data.layout import LCZ_NAMES, SO2SAT_IMAGE_BYTES, SO2SAT_IMAGE_SIZE, SO2SAT_SENSOR_BANDS

logger = logging.getLogger(__name__)

SIZE = SO2SAT_IMAGE_SIZE
BANDS = sum(SO2SAT_SENSOR_BANDS.values())  # sen1's, then sen2's
CLASSES = len(LCZ_NAMES)
BUILT_UP = 10  # classes 0 .. 9
TEXTURES = 3  # independent textures an image

# Balanced by trial: after four epochs of 640 images small networks get 35 to 70 % of the validation images right, those
# with larger convolutions rather more, and all of them more of the training images. In units of 0.1.
GROUPS = 5  # groups of classes with similar spectra and equal texture weights
GROUP_SPREAD = 0.3  # of the spectra of the groups
CLASS_SPREAD = 0.03  # of the classes of a group
IMAGE_SPREAD = 0.2  # of the images of a class
TEXTURE_CONTRAST = 0.5
NOISE = 0.8  # of single pixels
CITY_GAIN = (0.6, 1.5)
CITY_OFFSET = 0.4

BLOCK = 64  # images drawn from one random stream; part of the content, so never changed

# Share of each class, per mille, about as in So2Sat LCZ42: water leads in training, large low-rise elsewhere
TRAIN_MIX = (14, 69, 90, 25, 47, 100, 9, 112, 39, 34, 122, 27, 26, 117, 7, 22, 140)
OTHER_MIX = (11, 52, 97, 35, 31, 79, 20, 140, 79, 36, 95, 16, 50, 114, 8, 28, 109)
MIXES = {"train": TRAIN_MIX, "validation": OTHER_MIX, "test": OTHER_MIX}
CITIES = {"train": range(8), "validation": range(8, 12), "test": range(8, 12)}


def write_synthetic(outputs: Mapping[str, str | Path], sizes: Mapping[str, int], seed: int) -> None:
    """Write one HDF5 file a split, each whole or not at all; equal arguments give equal content.

    Datasets as in So2Sat LCZ42: ``sen1`` (n, 32, 32, 8), ``sen2`` (n, 32, 32, 10), ``label`` (n, 17) one-hot, all
    float64.

    Args:
        outputs: file of each split.
        sizes: images of each split.
        seed: the study's seed.

    Raises:
        EnvironmentLackError: the disk has too little space; nothing was written.
    """
    needed = sum(sizes[split] * SO2SAT_IMAGE_BYTES + 100_000 for split in outputs)
    require_free_space(Path(outputs["train"]).parent, needed)
    world = _World(seed)
    for split, path in outputs.items():
        labels = draw_labels(sizes[split], MIXES[split], generator(seed, "data.synthetic.labels", split))
        with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
            count = len(labels)
            # one image a chunk: files that are read image by image, as this data set mostly is, are best written so
            sen1 = file.create_dataset("sen1", (count, SIZE, SIZE, 8), "f8", chunks=(1, SIZE, SIZE, 8))
            sen2 = file.create_dataset("sen2", (count, SIZE, SIZE, 10), "f8", chunks=(1, SIZE, SIZE, 10))
            file["label"] = np.eye(CLASSES)[labels]
            starts = range(0, count, BLOCK)
            for start in progress(starts, len(starts), f"blocks of {split} images", logger):
                rows = slice(start, start + BLOCK)
                rng = generator(seed, "data.synthetic.images", split, start)
                images = world.draw(labels[rows], split, rng)
                sen1[rows], sen2[rows] = images[..., :8], images[..., 8:]


def draw_labels(count: int, mix: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return ``count`` labels in random order: the mix as exactly as whole numbers allow, every class at least once.

    Raises:
        ValueError: there are fewer images than classes.
    """
    if count < CLASSES:
        raise ValueError(f"count is {count}, expected at least {CLASSES}, one image a class")
    shares = np.array(mix) / sum(mix) * (count - CLASSES)
    counts = np.floor(shares).astype(np.int64)
    left = count - CLASSES - int(counts.sum())
    counts[np.argsort(counts - shares, kind="stable")[:left]] += 1
    return rng.permutation(np.repeat(np.arange(CLASSES), counts + 1))


class _World:
    """Everything that classes and cities have of their own, drawn once from the seed."""

    def __init__(self, seed: int):
        rng = generator(seed, "data.synthetic.classes")
        # spectra: smooth curves over the bands; classes of a group differ little, and texture has to tell them apart
        groups = rng.normal(scale=GROUP_SPREAD, size=(GROUPS, 5))
        group = rng.permutation(np.arange(CLASSES) % GROUPS)
        knots = groups[group] + rng.normal(scale=CLASS_SPREAD, size=(CLASSES, 5))
        positions = np.linspace(0, 4, BANDS)
        self.spectra = np.stack([np.interp(positions, np.arange(5), curve) for curve in knots])
        # textures: length along and across (pixels), direction, and weight of each texture in each band
        self.along = rng.uniform(0.6, 4.5, size=(CLASSES, TEXTURES))
        self.across = self.along * rng.uniform(0.25, 1.0, size=(CLASSES, TEXTURES))
        self.angle = rng.uniform(0, np.pi, size=(CLASSES, TEXTURES))
        self.weights = rng.normal(scale=TEXTURE_CONTRAST, size=(GROUPS, TEXTURES, BANDS))[group]
        # built-up classes: period of the blocks (pixels), share of street, brightness of roofs in each band
        self.period = rng.uniform(4, 14, size=BUILT_UP)
        self.street = rng.uniform(0.2, 0.6, size=BUILT_UP)
        self.roofs = rng.normal(loc=0.4, scale=0.3, size=(GROUPS, BANDS))[group[:BUILT_UP]]
        cities = max(range_.stop for range_ in CITIES.values())
        rng = generator(seed, "data.synthetic.cities")
        self.gain = rng.uniform(*CITY_GAIN, size=(cities, BANDS))
        self.offset = rng.normal(scale=CITY_OFFSET, size=(cities, BANDS))
        self.preference = rng.gamma(1.5, size=(cities, CLASSES))  # which classes a city has more of

    def draw(self, labels: NDArray[np.int64], split: str, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return images (n, 32, 32, 18) of the given classes."""
        count, cities = len(labels), np.array(CITIES[split])
        chances = self.preference[cities][:, labels]
        ends = np.cumsum(chances / chances.sum(axis=0), axis=0)
        city = cities[np.minimum((rng.random(count) > ends).sum(axis=0), len(cities) - 1)]
        texture = self._textures(labels, rng)
        images = np.einsum("nthw,ntb->nhwb", texture, self.weights[labels])
        images += (self.spectra[labels] + rng.normal(scale=IMAGE_SPREAD, size=(count, BANDS)))[:, None, None, :]
        built = np.flatnonzero(labels < BUILT_UP)
        images[built] += self._blocks(labels[built], rng)[..., None] * self.roofs[labels[built], None, None, :]
        images += rng.normal(scale=NOISE, size=images.shape)
        images = images * self.gain[city, None, None, :] + self.offset[city, None, None, :]
        # So2Sat's sen2 are reflectances in steps of 1e-4; rounding also hides last-bit differences between processors
        return np.asarray(np.round(0.25 + 0.1 * images, 4))

    def _textures(self, labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return Gaussian fields (n, textures, 32, 32) of unit variance: white noise, filtered along a direction."""
        frequency = 2 * np.pi * np.fft.fftfreq(SIZE)
        fy, fx = frequency[:, None], frequency[None, : SIZE // 2 + 1]
        angle = (self.angle[labels] + rng.normal(scale=0.25, size=(len(labels), 1)))[..., None, None]
        along, across = self.along[labels][..., None, None], self.across[labels][..., None, None]
        u, v = np.cos(angle) * fx + np.sin(angle) * fy, np.cos(angle) * fy - np.sin(angle) * fx
        response = np.exp(-0.5 * ((along * u) ** 2 + (across * v) ** 2))
        noise = np.fft.rfft2(rng.normal(size=(len(labels), TEXTURES, SIZE, SIZE)))
        fields = np.fft.irfft2(noise * response, s=(SIZE, SIZE))
        return np.asarray(fields / fields.std(axis=(2, 3), keepdims=True))

    def _blocks(self, labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return masks (n, 32, 32): 1 on the roofs of a turned grid of blocks, 0 on the streets between."""
        count = len(labels)
        y, x = np.mgrid[:SIZE, :SIZE]
        angle = rng.uniform(0, np.pi / 2, size=count)[:, None, None]
        shift = rng.uniform(0, SIZE, size=count)[:, None, None]
        period = (self.period[labels] * rng.uniform(0.85, 1.15, size=count))[:, None, None]
        street = self.street[labels][:, None, None]
        u = (np.cos(angle) * x + np.sin(angle) * y + shift) / period
        v = (np.cos(angle) * y - np.sin(angle) * x + shift) / period
        return np.asarray(((u % 1 > street) & (v % 1 > street)).astype(np.float64))
