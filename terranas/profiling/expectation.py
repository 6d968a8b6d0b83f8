"""Time and memory that a session is expected to take, from closed forms and rough rates. No torch here.

The rates are low on purpose: a session that is given too little is killed, and one that ends early costs nothing. They
stand for an old server core and an old GPU, and are the only numbers here that a faster machine would change.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from terranas.profiling.settings import Condition, Settings
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape, activations, macs, parameters

LEAST_MINUTES = 10
LEAST_MEGABYTES = 1500

MACS_PER_SECOND = {"cpu": 5e9, "cuda": 3e12}
"""Multiply-accumulates a second in single precision: of one thread of a processor, and of a GPU. An own device counts
as a thread."""

SLOWER_WITHOUT_SUPPORT = 10
"""How much longer a processor takes in 16 bits than in single precision where it has no instructions for them."""

RUN_SECONDS = 0.01
"""What a run takes at least: the launches of a network's kernels, or the calls of its layers."""

START_SECONDS = 120
"""Opening the device, importing torch, and the first run of each kind of layer."""

MEASUREMENT_SECONDS = 6
"""Building a network, counting its operations, and where the device counts no memory a process of its own for that."""

REPEATED_SHARE = 0.5
"""Share of the further attempts that a session is expected to need."""

PROCESS_MEGABYTES = {"cpu": 600, "cuda": 3500}
"""Resident memory of a process that has imported torch and opened the device; CUDA's libraries count to it."""


def expected_minutes(members: Sequence[Mapping[str, str]], shape: Mapping[str, int], content: Mapping[str, Any]) -> int:
    """Return the minutes that a session is expected to take at most, at least :data:`LEAST_MINUTES`.

    All runs up to ``max_runs`` count, and :data:`REPEATED_SHARE` of the further attempts. A session that is killed for
    taking longer goes on where it was.

    Args:
        members: ``adjacency`` and ``operations`` of the session's architectures.
        shape: everything about the networks that does not depend on the cells (see ``NetworkShape``).
        content: the ``profiling`` section as plain built-ins.
    """
    settings, network = Settings.of_config(content), NetworkShape(**shape)
    costs = [macs(cell, network) for cell in _cells(members)]
    attempts = 1 + REPEATED_SHARE * settings.repeats
    seconds = sum(_seconds(cost, condition, settings, content) for cost in costs for condition in settings.conditions)
    # idle for as long as the runs whose energy is read
    seconds += len(costs) * 2 * settings.energy_seconds
    references = 2 + math.ceil(len(costs) / settings.reference_every)  # and the empty network
    mean_cost = sum(costs) / max(1, len(costs))
    seconds += references * _seconds(mean_cost, settings.primary, settings, content)
    return max(LEAST_MINUTES, math.ceil((START_SECONDS + attempts * seconds) / 60))


def _seconds(cost: float, condition: Condition, settings: Settings, content: Mapping[str, Any]) -> float:
    """Return the seconds that one measurement of a network with so many multiply-accumulates takes."""
    on_gpu = content["device"] == "cuda"
    rate = MACS_PER_SECOND["cuda"] if on_gpu else MACS_PER_SECOND["cpu"] * settings.threads
    if not on_gpu and condition.precision in ("bf16", "fp16"):
        rate /= SLOWER_WITHOUT_SUPPORT
    run = RUN_SECONDS + condition.batch_size * cost / rate
    # the run that ends the warm-up begins before its time is over, and one more run takes the memory
    warmup = max(settings.warmup_runs * run, settings.warmup_seconds + run)
    return MEASUREMENT_SECONDS + warmup + (settings.max_runs + 1) * run


def expected_megabytes(
    members: Sequence[Mapping[str, str]], shape: Mapping[str, int], content: Mapping[str, Any]
) -> int:
    """Return the host's memory that a session is expected to take at most, in MB, at least :data:`LEAST_MEGABYTES`.

    On a processor, the feature maps of the largest batch are counted as if all that a training keeps were kept, in two
    processes, since memory is measured in a process of its own. Arguments as in :func:`expected_minutes`.
    """
    settings, network = Settings.of_config(content), NetworkShape(**shape)
    on_gpu = content["device"] == "cuda"
    batch_size = 0 if on_gpu else max(condition.batch_size for condition in settings.conditions)
    most = 0
    for cell in _cells(members):
        values, _ = activations(cell, network)
        # the network, its copy in another precision or with folded normalisation, and its state dict
        most = max(most, 4 * (3 * parameters(cell, network) + batch_size * values))
    processes = 1 if on_gpu else 2
    megabytes = processes * (PROCESS_MEGABYTES["cuda" if on_gpu else "cpu"] + most / 1e6)
    return max(LEAST_MEGABYTES, math.ceil(megabytes))


def _cells(members: Sequence[Mapping[str, str]]) -> Iterator[Cell]:
    return (Cell.from_strings(member["adjacency"], member["operations"]) for member in members)
