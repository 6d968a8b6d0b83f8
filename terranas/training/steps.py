"""The optimiser steps of an epoch, each as one or more pieces that go through the network one after the other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terranas.training.batches import epoch_batches


@dataclass(frozen=True)
class Step:
    """One process's part of a step.

    Attributes:
        pieces: indices of the images that go through the network together.
        images: images of the step over all processes.
    """

    pieces: list[NDArray[np.int64]]
    images: int


def plan_epoch(
    order: NDArray[np.int64], batch_size: int, micro_batch: int, rank: int = 0, processes: int = 1
) -> list[Step]:
    """Return the steps of an epoch for one process.

    A share that is larger than ``micro_batch`` is cut into pieces of about equal size, whose gradients are added up. No
    piece has a single image, which batch normalisation could not handle (so that a share of three stays whole).

    Args:
        order: the epoch's permutation of the images.
        batch_size: images in a batch of one process.
        micro_batch: most images that go through the network together, at least 2.
        rank: the process.
        processes: number of processes.
    """
    steps = []
    for share, images in epoch_batches(order, batch_size, rank, processes):
        pieces = min(-(-len(share) // micro_batch), len(share) // 2)
        steps.append(Step(np.array_split(share, pieces), images))
    return steps
