"""How pixels are stored: the smallest type that loses nothing that matters.

A stored value means ``stored * scale + offset``, with one scale and one offset a band.

* ``uint8`` and ``uint16`` keep whole numbers, and floats whose values are whole multiples of one step a band: the
  Sentinel-2 bands of So2Sat are digital numbers divided by 10,000. Nothing is lost but the rounding of float64.
* ``float16`` keeps a value to one part in 2,048. A power of two a band keeps the values far from float16's largest
  number (65,504), which Sentinel-1 intensities may pass, and far above its smallest. It is chosen where the root
  mean square of the rounding errors is at most :data:`ACCEPTED_SHARE` of the band's standard deviation.
* ``float32`` is what remains; training computes in it at most.

A type is chosen from a sample and then checked on every value (:meth:`Storage.encode`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terranas.core.errors import DataError
from terranas.data.moments import band_high, band_low, band_sum, by_band, tiled

ACCEPTED_SHARE = 1e-3
"""Largest root mean square of float16's rounding errors, as a share of a band's standard deviation."""

STEPS = (1.0, 1e-1, 1e-2, 1 / 255, 1e-3, 1e-4, 1e-5, 1e-6)
"""Steps that floats may be whole multiples of, the coarsest first."""

FLOAT16_TOP = 2.0**8
"""The largest value of the sample comes below this in float16: radar echoes have long tails, and values 250 times as
large still fit."""

UNCLEAR = 0.1

LEVELS = {"uint8": 255, "uint16": 65_535}
LADDER = ("uint8", "uint16", "float16", "float32")
GIVE_UP = 3  # a type whose scales had to be changed so often is passed over


class UnfitError(Exception):
    """Values do not fit into the chosen type.

    Attributes:
        reason: band and value, for people.
        pixels: the values of all bands at the places that break the choice, shape (n, bands); none where no single
            value does.
    """

    def __init__(self, reason: str, pixels: NDArray[np.float64]):
        super().__init__(reason)
        self.reason = reason
        self.pixels = pixels


@dataclass(frozen=True)
class Encoded:
    """Stored pixels of a block, and what storing them changed.

    Attributes:
        stored: shape (n, height, width, bands).
        largest: largest absolute error a band, physical units, shape (bands,).
        squared: summed squared errors a band, shape (bands,).
    """

    stored: NDArray[Any]
    largest: NDArray[np.float64]
    squared: NDArray[np.float64]


@dataclass(frozen=True)
class Storage:
    """Type, scale and offset of the stored pixels: physical = stored * scale + offset.

    Attributes:
        dtype: uint8, uint16, float16 or float32.
        scale: shape (bands,).
        offset: shape (bands,).
        rounding: relative rounding of the source's floats; 0 for integers.
    """

    dtype: np.dtype[Any]
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]
    rounding: float

    def facts(self) -> dict[str, Any]:
        """Return type, scales and offsets as plain values."""
        return {"dtype": self.dtype.name, "scale": self.scale.tolist(), "offset": self.offset.tolist()}

    @property
    def plain(self) -> bool:
        """Whether stored and physical values are the same."""
        return bool((self.scale == 1).all() and (self.offset == 0).all())

    def encode(self, images: NDArray[Any]) -> Encoded:
        """Return the stored form of finite images (n, height, width, bands).

        Raises:
            UnfitError: a value does not fit into the type with this scale, or is no whole multiple of its step.
        """
        bands = images.shape[3]
        if images.dtype == self.dtype and self.plain:
            return Encoded(images, np.zeros(bands), np.zeros(bands))
        flat = by_band(images).astype(np.float64)
        counts = flat - tiled(self.offset, images)
        counts /= tiled(self.scale, images)
        if self.dtype.name in LEVELS:
            np.rint(counts, out=counts)
        low, high = band_low(counts, bands), band_high(counts, bands)
        least, most = (0, LEVELS[self.dtype.name]) if self.dtype.name in LEVELS else _float_limits(self.dtype)
        if (low < least).any() or (high > most).any():
            band = int(np.argmax(np.maximum(least - low, high - most) > 0))
            column = flat.reshape(-1, bands)
            worst = column[:, band].argmin() if low[band] < least else column[:, band].argmax()
            raise UnfitError(
                f"{column[worst, band]:.10g} of band {band} lies outside of what {self.dtype} holds with the scale "
                f"{self.scale[band]:g}",
                column[[worst]],
            )
        stored = counts.astype(self.dtype)
        if self.dtype.name not in LEVELS:
            counts = stored.astype(np.float64)
        counts *= tiled(self.scale, images)
        counts += tiled(self.offset, images)
        np.subtract(counts, flat, out=counts)
        np.abs(counts, out=counts)
        largest = band_high(counts, bands)
        if self.dtype.name in LEVELS:
            reach = np.maximum(abs(low * self.scale + self.offset), abs(high * self.scale + self.offset))
            self._check_multiples(flat, counts, largest, reach)
        np.square(counts, out=counts)
        return Encoded(stored.reshape(images.shape), largest, band_sum(counts, bands))

    def _check_multiples(
        self,
        flat: NDArray[np.float64],
        errors: NDArray[np.float64],
        largest: NDArray[np.float64],
        reach: NDArray[np.float64],
    ) -> None:
        """Check that values are whole multiples of the step but for rounding.

        A multiple k * step is computed with a few roundings, each of at most ``rounding`` of its size. So a value
        counts as a multiple where it is no farther from one than 4 * rounding of the block's largest value (``reach``):
        never so far that all values of a band could become one. Where the source rounds more coarsely than UNCLEAR of a
        step, every value would look like a multiple, and only true ones count.
        """
        allowed = 4 * self.rounding * reach
        broken = np.flatnonzero(largest > np.where(allowed > UNCLEAR * self.scale, 0, allowed))
        if len(broken):
            band, bands = int(broken[0]), len(largest)
            worst = int(errors.reshape(-1, bands)[:, band].argmax())
            pixel = flat.reshape(-1, bands)[[worst]]
            raise UnfitError(f"{pixel[0, band]:.10g} of band {band} is no multiple of {self.scale[band]:g}", pixel)


def lossy_bands(
    storage: Storage, squared: NDArray[np.float64], pixels: int, std: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the bands that float16 changes by more than is accepted; other types are exact or without alternative.

    Args:
        storage: the chosen one.
        squared: summed squared errors a band, shape (bands,).
        pixels: pixels a band.
        std: standard deviation a band, shape (bands,), physical units.
    """
    if storage.dtype != np.float16:
        return np.empty(0, np.int64)
    return np.flatnonzero(np.sqrt(squared / pixels) > ACCEPTED_SHARE * std)


def choose_storage(
    sample: NDArray[np.float64], dtype: np.dtype[Any], requested: str, refused: frozenset[str] = frozenset()
) -> Storage:
    """Choose the smallest type that holds a sample of the pixels.

    Args:
        sample: finite values, shape (n, bands); those that broke earlier choices among them.
        dtype: type of the source's pixels.
        requested: a type, or ``auto``.
        refused: types that proved unfit.

    Raises:
        DataError: the requested type loses too much, or the values are too large even for float32.
    """
    if requested != "auto":
        ladder: tuple[str, ...] = (requested,)
    elif dtype.name in ("uint8", "uint16"):
        ladder = (dtype.name,)
    elif dtype == np.float16:
        ladder = ("float16", "float32")
    else:
        ladder = LADDER
    why = "it broke too often"
    for name in ladder:
        if name in refused:
            continue
        try:
            return _fitting(sample, dtype, name)
        except UnfitError as error:
            why = error.reason
    if ladder == LADDER or ladder[-1] == "float32":
        raise DataError(f"The pixels cannot be stored: {why}. Rescale the images.")
    raise DataError(
        f"data.storage is {requested}, which the pixels do not fit: {why}. Set data.storage to auto or float32."
    )


def _fitting(sample: NDArray[np.float64], dtype: np.dtype[Any], name: str) -> Storage:
    """Return scales and offsets with which a type holds the sample.

    Raises:
        UnfitError: there are none.
    """
    bands = sample.shape[1]
    rounding = float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0
    scale, offset = np.ones(bands), np.zeros(bands)
    target = np.dtype(name)
    largest = abs(sample).max(axis=0, initial=0)
    if (too_large := np.flatnonzero(largest > np.finfo(np.float32).max)).size:  # training computes in float32
        band = int(too_large[0])
        raise UnfitError(f"{largest[band]:.10g} of band {band} lies outside of what float32 holds", sample[:0])
    if dtype == target or name == "float32":
        pass
    elif name == "float16":
        _, exponent = np.frexp(np.where(largest > 0, largest, FLOAT16_TOP / 2) / FLOAT16_TOP)
        scale = np.ldexp(1.0, exponent)
    else:
        for band in range(bands):
            scale[band], offset[band] = _step(sample[:, [band]], dtype, rounding, target, band)
    storage = Storage(target, scale, offset, rounding)
    encoded = storage.encode(sample[:, None, None, :])
    std = sample.std(axis=0) if len(sample) else np.zeros(bands)
    if len(lossy := lossy_bands(storage, encoded.squared, max(1, len(sample)), std)):
        raise UnfitError(lossy_reason(int(lossy[0]), encoded.largest, encoded.squared, len(sample), std), sample[:0])
    return storage


def lossy_reason(
    band: int,
    largest: NDArray[np.float64],
    squared: NDArray[np.float64],
    pixels: int,
    std: NDArray[np.float64],
) -> str:
    """Say how much float16 changes a band (arguments as in :func:`lossy_bands`)."""
    return (
        f"float16 changes band {band} by up to {largest[band]:.3g} (root mean square "
        f"{np.sqrt(squared[band] / pixels):.3g}, its standard deviation is {std[band]:.3g}; at most "
        f"{ACCEPTED_SHARE:.1%} of it is accepted)"
    )


def _step(
    values: NDArray[np.float64], dtype: np.dtype[Any], rounding: float, target: np.dtype[Any], band: int
) -> tuple[float, float]:
    """Return step and offset with which one band's values (n, 1) fit into an unsigned integer type."""
    levels = LEVELS[target.name]
    reason = f"the values of band {band} are no multiples of one step that fit into {target}"
    for step in STEPS if dtype.kind == "f" else STEPS[:1]:
        low, high = (np.rint(values.min() / step), np.rint(values.max() / step)) if len(values) else (0, 0)
        if high - low > levels:
            break  # finer steps need still more levels
        # round numbers where they do, so that the offset does not depend on the very smallest value of the sample;
        # else the sample lies in the middle, with room on both sides
        half = levels // 2 + 1
        signed = -half <= low and high < half
        centred = float(np.floor((low + high) / 2) - levels // 2)
        first = 0.0 if low >= 0 and high <= levels else -float(half) if signed else centred
        try:
            Storage(target, np.array([step]), np.array([first * step]), rounding).encode(values[:, None, None, :])
        except UnfitError:
            continue
        return step, first * step
    raise UnfitError(f"{reason} (they lie between {values.min():.6g} and {values.max():.6g})", values[:0])


def _float_limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    largest = float(np.finfo(dtype).max)
    return -largest, largest
