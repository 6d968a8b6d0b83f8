"""The disk space that a study will take. No torch here: the workflow asks before anything is started."""

from terranas.config.study import StudyConfig
from terranas.data.precheck import arrays_on_disk
from terranas.training.estimate import optimizer_values

BYTES_A_CELL = 1500
OTHER_BYTES = 50e6
"""Reckoned for the tables of the space, a cell, and for all other files together."""


def estimate_disk_use(study: StudyConfig) -> int:
    """Return roughly how many bytes a whole study writes: arrays, weights, checkpoints, tables.

    The paths of the images must have been checked before.
    """
    return int(arrays_on_disk(study.data) + _weights(study) + study.space_size() * BYTES_A_CELL + OTHER_BYTES)


def _weights(study: StudyConfig) -> float:
    """Return the bytes of all networks' weights, of the last and the best epoch, at their most (docs/training.md).

    Both stand in every checkpoint, and twice after the end: as results and for a later run. Unless all checkpoints are
    kept, they go when the result comes.
    """
    network, sampling, training, campaign = study.network, study.sampling, study.training, study.campaign
    visited = sampling.walks * (sampling.steps + 1)
    trained = study.space_size() if sampling.architectures == "all" else min(visited, study.space_size())
    # NAS-Bench-101's cells have 8.5 million parameters on average, four bytes each, with 128, 256 and 512 channels and
    # three cells a stack (10 million are reckoned); parameters grow with the square of the channels
    squares = sum((network.stem_channels << stack) ** 2 for stack in range(network.stacks)) * network.cells_per_stack
    one = 40e6 * squares / (3 * (128**2 + 256**2 + 512**2)) + 50e3
    made = -(-training.epochs // campaign.checkpoint_every)
    checkpoint = 2 + optimizer_values(training.model_dump())
    if campaign.checkpoints_kept is None:
        return trained * one * (4 + made * checkpoint)
    return trained * one * max(4, min(made, campaign.checkpoints_kept) * checkpoint)
