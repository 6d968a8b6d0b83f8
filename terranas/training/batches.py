"""Normalised batches of one split, made on the device from pixels as they are stored."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from terranas.training.prefetch import Slot, cuda_slots, read_ahead

GATHERED_AS = {"uint8": torch.uint8, "uint16": torch.int16, "float16": torch.float16, "float32": torch.float32}
"""Type that a stored type is moved and gathered as; torch has no indexing for uint16, so its bits travel as int16."""

BLOCK_BYTES = 64_000_000
"""Bytes that are brought to the device at a time where all images go there."""

Batch = tuple[Tensor, Tensor]
"""Images (n, bands, height, width) as float32 and labels (n,), both on the device."""


class ImageSet:
    """Images and labels of one split that gives normalised batches on a device.

    A batch is ``stored * factor + shift`` a band, in float32, computed on the device: the bits are the same whether the
    images are held there or read batch by batch, and what travels is as small as what is stored.

    Attributes:
        labels: all labels, shape (n,), on the device.
    """

    def __init__(
        self,
        images: NDArray[Any],
        labels: NDArray[np.int64],
        factor: ArrayLike,
        shift: ArrayLike,
        device: torch.device,
        *,
        resident: bool,
        channels_last: bool = True,
    ):
        """Take the arrays, which may be memory-mapped and read-only.

        Args:
            images: stored pixels, shape (n, height, width, bands), uint8, uint16, float16 or float32, in C order.
            labels: shape (n,).
            factor: factor of each band, shape (bands,).
            shift: what is added to each band, shape (bands,).
            device: device of the batches.
            resident: whether the images are copied to the device at once, as they are stored.
            channels_last: whether batches lie channels-last in memory, which is the order they are stored in, or
                contiguous.
        """
        self.labels = torch.from_numpy(np.array(labels, dtype=np.int64)).to(device)
        self._images = np.asarray(images)  # a plain view of the map: indexing it costs less
        self._device = device
        self._channels_last = channels_last
        self._type = GATHERED_AS[images.dtype.name]
        # one factor for each value of a row of the image, not of a pixel: long rows are what vector units are made for
        repeat = (images.shape[2],) if channels_last else (1, 1)
        self._factor, self._shift = (
            torch.from_numpy(np.asarray(values, dtype=np.float32).reshape(-1 if channels_last else (-1, 1)))
            .repeat(*repeat)
            .to(device)
            for values in (factor, shift)
        )
        self._held = self._hold() if resident else None

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, shares: Iterable[NDArray[np.int64]]) -> Iterator[Batch]:
        """Yield the images and labels of each share of indices, in order.

        Images that are not held on a CUDA device are read ahead by a thread, which then also consumes ``shares``. On a
        CPU they are read when it is their turn, which takes 0.01 % (NAS-Bench-101's network) to 3 % (the default
        study's) of a training step; a thread would compete with it for the cores.

        Raises:
            IndexError: an index is no image.
        """
        if self._held is not None:
            for indices in shares:
                chosen = self._on_device(self._checked(indices))
                yield self._normalised(self._held.index_select(0, chosen)), self.labels[chosen]
        elif self._device.type == "cuda":
            yield from self._read_ahead(shares, cuda_slots(self._images.shape[1:], self._type, self._device))
        else:
            buffer = np.empty((0, *self._images.shape[1:]), self._images.dtype)
            for indices in shares:
                if len(indices) > len(buffer):
                    buffer = np.empty((len(indices), *buffer.shape[1:]), buffer.dtype)
                stored = self._gather(indices, buffer[: len(indices)])
                yield self._normalised(stored), self.labels[torch.from_numpy(indices)]

    def _read_ahead(self, shares: Iterable[NDArray[np.int64]], slots: "list[Any]") -> Iterator[Batch]:
        def fill(indices: NDArray[np.int64], slot: Slot) -> None:
            self._gather(indices, slot.rows(len(indices)).view(self._images.dtype))

        def finish(indices: NDArray[np.int64], stored: Tensor) -> Batch:
            return self._normalised(stored), self.labels[self._on_device(indices)]

        return read_ahead(shares, slots, fill, finish)

    def _gather(self, indices: NDArray[np.int64], rows: NDArray[Any]) -> Tensor:
        """Copy stored images into ``rows`` and return these as a tensor; the only copy on the host."""
        # "clip" writes straight into `rows`, the default mode by way of a copy; hence the check of our own
        np.take(self._images, self._checked(indices), axis=0, out=rows, mode="clip")
        return torch.from_numpy(rows if rows.dtype != np.uint16 else rows.view(np.int16))

    def _checked(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        if len(indices) and (indices.min() < 0 or indices.max() >= len(self)):
            raise IndexError(f"Images 0 to {len(self) - 1} exist, {indices.min()} to {indices.max()} were asked for.")
        return indices

    def _on_device(self, indices: NDArray[np.int64]) -> Tensor:
        chosen = torch.from_numpy(indices)
        # from page-locked memory, so that the launching thread does not wait for the device
        return chosen.pin_memory().to(self._device, non_blocking=True) if self._device.type == "cuda" else chosen

    def _hold(self) -> Tensor:
        """Return all images on the device, brought there block by block."""
        count, *row = self._images.shape
        held = torch.empty((count, *row), dtype=self._type, device=self._device)
        size = max(1, BLOCK_BYTES // max(1, self._images[:1].nbytes))
        buffer = np.empty((min(size, count), *row), self._images.dtype)
        for start in range(0, count, size):
            indices = np.arange(start, min(start + size, count))
            held[start : start + size].copy_(self._gather(indices, buffer[: len(indices)]))
        return held

    def _normalised(self, stored: Tensor) -> Tensor:
        """Return stored images (n, height, width, bands) as a new (n, bands, height, width) in float32."""
        count, height, width, bands = stored.shape
        if self._channels_last:
            flat = stored.reshape(count, height, width * bands)
        else:
            flat = stored.permute(0, 3, 1, 2).contiguous().view(count, bands, height * width)
        if self._images.dtype == np.uint16:
            flat = flat.view(torch.uint16)
        # two operations, each rounded: a fused one may round otherwise at the end of a vector than within
        wide = flat.to(torch.float32)
        wide = (wide * self._factor if wide is flat else wide.mul_(self._factor)).add_(self._shift)
        if self._channels_last:
            return wide.view(count, height, width, bands).permute(0, 3, 1, 2)
        return wide.view(count, bands, height, width)


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
