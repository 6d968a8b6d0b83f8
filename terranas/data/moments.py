"""Mean, variance and range of every band, in one pass."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terranas.core.errors import DataError


def by_band(images: NDArray[Any]) -> NDArray[Any]:
    """View images (n, height, width, bands) as (n, height * width * bands).

    Working along the long axis is several times faster than along the few bands.
    """
    return images.reshape(len(images), -1)


def tiled(values: NDArray[np.float64], images: NDArray[Any]) -> NDArray[np.float64]:
    """Repeat values a band, shape (bands,), to the width of :func:`by_band`."""
    return np.tile(values, images.shape[1] * images.shape[2])


def band_sum(flat: NDArray[np.float64], bands: int) -> NDArray[np.float64]:
    """Return the sum a band of what :func:`by_band` gave."""
    return np.asarray(flat.sum(axis=0).reshape(-1, bands).sum(axis=0))


def band_low(flat: NDArray[np.float64], bands: int) -> NDArray[np.float64]:
    """Return the smallest value a band of what :func:`by_band` gave."""
    return np.asarray(flat.min(axis=0).reshape(-1, bands).min(axis=0))


def band_high(flat: NDArray[np.float64], bands: int) -> NDArray[np.float64]:
    """Return the largest value a band of what :func:`by_band` gave."""
    return np.asarray(flat.max(axis=0).reshape(-1, bands).max(axis=0))


@dataclass
class BandMoments:
    """Mean, variance and range of every band, merged block by block.

    Means and squared deviations are merged by the pairwise formula of Chan, Golub and LeVeque (1983, "Algorithms for
    computing the sample variance"), which stays accurate where sums of squares cancel.

    Attributes:
        pixels: pixels a band seen so far.
        mean: mean a band, shape (bands,).
        squared: summed squared deviations from the mean, shape (bands,).
        low: smallest value a band, shape (bands,).
        high: largest value a band, shape (bands,).
    """

    pixels: int
    mean: NDArray[np.float64]
    squared: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def empty(cls, bands: int) -> "BandMoments":
        """Return the moments of no pixels."""
        return cls(0, np.zeros(bands), np.zeros(bands), np.full(bands, np.inf), np.full(bands, -np.inf))

    def add(self, images: NDArray[Any]) -> None:
        """Merge a block of images, shape (n, height, width, bands)."""
        bands = images.shape[3]
        values = by_band(images).astype(np.float64)
        pixels = values.size // bands
        if not pixels:
            return
        mean = band_sum(values, bands) / pixels
        self.low = np.minimum(self.low, band_low(values, bands))
        self.high = np.maximum(self.high, band_high(values, bands))
        values -= tiled(mean, images)
        np.square(values, out=values)
        total = self.pixels + pixels
        delta = mean - self.mean
        self.squared += band_sum(values, bands) + delta**2 * (self.pixels * pixels / total)
        self.mean += delta * (pixels / total)
        self.pixels = total

    @property
    def std(self) -> NDArray[np.float64]:
        """Population standard deviation a band, shape (bands,); exactly 0 where all values are equal."""
        return np.where(self.high > self.low, np.sqrt(self.squared / self.pixels), 0.0)

    def scaled(self, scale: NDArray[np.float64], offset: NDArray[np.float64]) -> "BandMoments":
        """Return the moments of ``value * scale + offset`` (scale above 0)."""
        return BandMoments(
            self.pixels,
            self.mean * scale + offset,
            self.squared * scale**2,
            self.low * scale + offset,
            self.high * scale + offset,
        )

    def to_record(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_record` turns back without any loss."""
        arrays = {name: getattr(self, name) for name in ("mean", "squared", "low", "high")}
        return {"pixels": self.pixels} | {name: [float(x).hex() for x in array] for name, array in arrays.items()}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "BandMoments":
        """Take what :meth:`to_record` gave.

        Raises:
            DataError: it is something else.
        """
        try:
            arrays = [np.array([float.fromhex(x) for x in record[k]]) for k in ("mean", "squared", "low", "high")]
            return cls(int(record["pixels"]), *arrays)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"these are no recorded moments: {error}") from error
