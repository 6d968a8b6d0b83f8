"""Normalised batches of one split, from arrays in memory or on disk."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

IN_MEMORY_BYTES = 1_000_000_000
"""Splits whose images take at most so much as float32 are normalised once and held on the device."""


class ImageSet:
    """Images and labels of one split that gives normalised batches on a device."""

    def __init__(
        self,
        images: NDArray[np.float32] | NDArray[np.uint8],
        labels: NDArray[np.int64],
        mean: NDArray[np.float64],
        std: NDArray[np.float64],
        device: torch.device,
        in_memory_bytes: int = IN_MEMORY_BYTES,
    ):
        """Take the arrays, which may be memory-mapped.

        Args:
            images: shape (n, bands, height, width).
            labels: shape (n,).
            mean: mean of each band of the training images, shape (bands,).
            std: standard deviation of each band of the training images, shape (bands,); bands without variation are
                only centred.
            device: device of the batches.
            in_memory_bytes: largest size of the images as float32 that is held on the device.
        """
        self.labels = torch.from_numpy(np.array(labels, dtype=np.int64)).to(device)
        self._images = images
        self._device = device
        self._mean = torch.from_numpy(mean.astype(np.float32)).to(device)
        self._std = torch.from_numpy(np.where(std > 0, std, 1).astype(np.float32)).to(device)
        self._ready = self._normalised(images) if 4 * images.size <= in_memory_bytes else None

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Return images (n, bands, height, width) as float32 in channels-last memory order, and labels (n,)."""
        chosen = torch.from_numpy(indices).to(self._device)
        ready = self._ready[chosen] if self._ready is not None else self._normalised(self._images[indices])
        return ready.permute(0, 3, 1, 2), self.labels[chosen]

    def _normalised(self, images: NDArray[np.float32] | NDArray[np.uint8]) -> Tensor:
        """Return images as (n, height, width, bands), so that the permuted view lies channels-last."""
        copied = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 2, 3, 1))).to(self._device)
        return (copied.float() - self._mean) / self._std


def epoch_steps(images: int, batch_size: int, processes: int) -> int:
    """Return the optimiser steps of an epoch; see :func:`epoch_batches`."""
    full, rest = divmod(images, batch_size * processes)
    return full + (rest >= 2 * processes)


def epoch_batches(
    order: NDArray[np.int64], batch_size: int, rank: int = 0, processes: int = 1
) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Yield each step's share of one process, and how many images the step has over all processes.

    No image is taken twice in an epoch. The last step has what is left; where that is less than two images a
    process, which batch normalisation could not handle, they are left out in this epoch.

    Args:
        order: the epoch's permutation of the images.
        batch_size: images in a batch of one process.
        rank: the process.
        processes: number of processes.
    """
    size = batch_size * processes
    for step in range(epoch_steps(len(order), batch_size, processes)):
        whole = order[step * size : (step + 1) * size]
        yield np.array_split(whole, processes)[rank], len(whole)


def shard_batches(images: int, batch_size: int, rank: int = 0, processes: int = 1) -> Iterator[NDArray[np.int64]]:
    """Yield batches of one process's share of 0 .. images - 1 in order; the shares are disjoint and complete."""
    mine = np.array_split(np.arange(images), processes)[rank]
    for start in range(0, len(mine), batch_size):
        yield mine[start : start + batch_size]
