"""A session: one process measures many architectures, and tells by a reference network whether the machine drifts.

A session begins with the empty network, whose time is what measuring itself takes. Blocks follow: the reference
network, some architectures, the reference network again, which also opens the next block.

An architecture is measured in all conditions before the next one's turn. The condition it begins with changes from
place to place in the session's order. In a fixed order each condition would always follow the same other one, and what
that leaves behind (heat, clocks, filled caches) would be taken for a difference between conditions. So each condition
comes equally often at each place; and as the order of the architectures is drawn anew for every repetition, the place
that an architecture meets is random, and equal for all architectures on average.
"""

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Literal, Protocol

import numpy as np

from terranas.core.errors import DataError
from terranas.core.formats import counted
from terranas.core.logs import progress
from terranas.profiling.records import Measurement, Size
from terranas.profiling.schema import FLAGS
from terranas.profiling.settings import Condition, Settings
from terranas.profiling.statistics import summarise
from terranas.profiling.store import Block, RecordStore, SessionTables, tables_of
from terranas.space.cell import CONV3X3, INPUT, OUTPUT, Cell

logger = logging.getLogger(__name__)

REFERENCE = Cell(np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]], dtype=np.uint8), (INPUT, CONV3X3, OUTPUT))
"""Cell of the reference network."""


class Workbench(Protocol):
    """What a session needs to measure; see :class:`terranas.profiling.measurement.Workbench`."""

    def size(self, cell: Cell) -> Size:
        """Return the size of a cell's network."""
        ...

    def measure(self, cell: Cell | None, condition: Condition, *, with_energy: bool = False) -> Measurement:
        """Measure a cell's network, or the empty one, in a condition."""
        ...


class Machine(Protocol):
    """What a session tells of its device; see :class:`terranas.profiling.devices.Device`."""

    kind: str
    name: str

    def describe(self) -> Mapping[str, Any]:
        """Return the state of the machine now, in plain built-ins."""
        ...


@dataclass(frozen=True)
class SessionResult:
    """What a session leaves.

    Attributes:
        tables: measurements, samples and sizes.
        descriptions: one for each process whose measurements are kept, with the entries ``session``, ``process`` and
            ``description``.
    """

    tables: SessionTables
    descriptions: list[dict[str, Any]]


@dataclass
class Attempt:
    """One measurement and what is found out about it later."""

    role: Literal["member", "reference", "empty"]
    hash: str
    condition: Condition
    number: int
    measurement: Measurement
    flags: frozenset[str]
    is_accepted: bool = False

    @property
    def is_clean(self) -> bool:
        """Whether nothing disturbed it."""
        return not self.flags

    @property
    def label(self) -> str:
        """What was measured, for the log."""
        condition = self.condition
        name = self.hash if self.role == "member" else f"the {self.role} network"
        return f"{name} (batch {condition.batch_size}, {condition.precision}, {condition.variant})"


def measure_session(
    cells: Mapping[str, Cell],
    workbench: Workbench,
    settings: Settings,
    session: int,
    device: Machine,
    store: RecordStore,
) -> SessionResult:
    """Measure architectures in the given order.

    A measurement that was disturbed is repeated at once, up to ``settings.repeats`` times; accepted is the first clean
    attempt, else the last one with its flags. Where the reference network became faster or slower over a block by more
    than the tolerance, the block's architectures are measured again as far as attempts are left, and keep the flag
    ``drift`` if that does not help. What an interrupted call has finished, block by block, is taken from the store and
    not measured again.

    Args:
        cells: architectures by hash, in the order to measure.
        workbench: measures one network in one condition.
        settings: the protocol.
        session: index of the session.
        device: what is measured.
        store: where blocks are kept on the way; left for the caller to clear once the result is safe.

    Raises:
        DataError: the store is damaged.
    """
    names, step = list(cells), settings.reference_every
    planned = [names[start : start + step] for start in range(0, len(names), step)]
    process = store.begin()
    blocks = _finished_blocks(planned, store)
    missing = [number for number in range(len(planned)) if number not in blocks]
    if missing:
        pending = [(place, name) for number in missing for place, name in enumerate(planned[number], number * step)]
        if blocks:
            logger.info("%d of %d architectures were measured before; going on", len(names) - len(pending), len(names))
        shared = {
            "device": device.kind,
            "device_name": device.name,
            "session": session,
            "process": max([process, *(block.process + 1 for block in blocks.values())]),
        }
        description = dict(device.describe())
        sequence = 1 + max((row["sequence"] for block in blocks.values() for row in block.rows), default=-1)
        turns = progress(pending, len(pending), f"Measuring on {device.name}", logger)
        opening, before = math.nan, -2
        for number in missing:
            measuring = _BlockMeasuring(cells, workbench, settings)
            if number == 0:
                measuring.measure_empty()
            if before != number - 1:  # what another process measured last tells nothing of now
                opening = measuring.measure_reference()
            opening = measuring.measure_members(islice(turns, len(planned[number])), opening)
            blocks[number] = measuring.block(description, sequence, shared | {"block": number})
            store.write(number, blocks[number])
            sequence += len(blocks[number].rows)
            before = number
        next(turns, None)  # says that all is done
    finished = [blocks[number] for number in sorted(blocks)]
    _tell_disturbed([row for block in finished for row in block.rows])
    said = {block.process: dict(block.description) for block in finished}
    descriptions = [{"session": session, "process": process, "description": said[process]} for process in sorted(said)]
    return SessionResult(tables_of(finished), descriptions)


def _tell_disturbed(rows: Sequence[Mapping[str, Any]]) -> None:
    """Log how many measurements have no times, and how many were disturbed and no repetition could save."""
    if lacking := Counter(row["outcome"] for row in rows if row["is_accepted"] and row["outcome"] != "ok"):
        listed = ", ".join(f"{outcome} {count}" for outcome, count in sorted(lacking.items()))
        logger.warning("There are no times of %s: %s", counted(lacking.total(), "measurement"), listed)
    accepted = [row["flags"] for row in rows if row["is_accepted"]]
    if disturbed := len(rows) - len(accepted):
        logger.info("%d measurements were disturbed and repeated", disturbed)
    if flagged := [flags for flags in accepted if flags]:
        counts = Counter(flag for flags in flagged for flag in flags.split(","))
        listed = ", ".join(f"{flag} {counts[flag]}" for flag in FLAGS if counts[flag])
        logger.warning("%d of %d measurements are flagged: %s", len(flagged), len(accepted), listed)


def _finished_blocks(planned: Sequence[Sequence[str]], store: RecordStore) -> dict[int, Block]:
    """Return by number the planned blocks that an earlier process has finished."""
    blocks = {}
    for number, members in enumerate(planned):
        if (block := store.read(number)) is not None:
            if [row["hash"] for row in block.sizes] != members:
                raise DataError(f"Block {number} of the session holds other architectures. {store.remedy}")
            blocks[number] = block
    return blocks


class _BlockMeasuring:
    """Measures one block and keeps every attempt."""

    def __init__(self, cells: Mapping[str, Cell], workbench: Workbench, settings: Settings) -> None:
        self.attempts: list[Attempt] = []
        self.sizes: list[dict[str, Any]] = []
        self._cells = cells
        self._workbench = workbench
        self._settings = settings

    def measure_empty(self) -> None:
        """Measure the network that returns its input."""
        self._accept(self._try("empty", "", None, self._settings.primary))

    def measure_reference(self, opening: float = math.nan) -> float:
        """Measure the reference network and return its median in ms.

        A reference that was disturbed, or that differs from the opening one, is measured again like any other network:
        one that is merely an outlier condemns no block.

        Args:
            opening: its median before the block; NaN where it opens one.

        Returns:
            The median of the accepted attempt; NaN where the network could not be run.
        """
        attempts = self._try(
            "reference", REFERENCE.hash, REFERENCE, self._settings.primary, lambda median: self._drifts(opening, median)
        )
        return _median(self._accept(attempts).measurement)

    def measure_members(self, turns: Iterable[tuple[int, str]], opening: float) -> float:
        """Measure architectures in all conditions and close the block; return the closing reference's median in ms.

        Args:
            turns: place in the session's order and hash of each architecture.
            opening: median of the reference network before the block, in ms.
        """
        taken: dict[tuple[str, Condition], list[Attempt]] = {}
        for place, name in turns:
            self.sizes.append({"hash": name, **asdict(self._workbench.size(self._cells[name]))})
            for condition in _rotated(self._settings.conditions, place):
                taken[name, condition] = self._try("member", name, self._cells[name], condition)
        suspects = list(taken.values())
        while True:
            closing = self.measure_reference(opening)
            if not self._drifts(opening, closing):
                break
            suspects = self._condemn(suspects, closing / opening - 1)
            if not suspects:
                break
            opening = closing
            for number, earlier in enumerate(suspects):
                last = earlier[-1]
                again = self._try("member", last.hash, self._cells[last.hash], last.condition, spent=last.number + 1)
                taken[last.hash, last.condition] += again
                suspects[number] = again
        for attempts in taken.values():
            self._accept(attempts)
        return opening if math.isnan(closing) else closing

    def block(self, description: Mapping[str, Any], sequence: int, shared: Mapping[str, Any]) -> Block:
        """Return all that was measured.

        Args:
            description: what the device said of itself.
            sequence: place of the first attempt in the order of the session's measurements.
            shared: columns that are equal in all rows.
        """
        rows = [
            {**shared, "sequence": place, **_row(attempt, self._settings)}
            for place, attempt in enumerate(self.attempts, sequence)
        ]
        samples = [attempt.measurement.samples.tolist() for attempt in self.attempts]
        return Block(shared["process"], description, rows, samples, self.sizes)

    def _condemn(self, suspects: list[list[Attempt]], change: float) -> list[list[Attempt]]:
        """Flag attempts between two references that differ, and return those that can be repeated."""
        timed = [attempts for attempts in suspects if attempts[-1].measurement.outcome == "ok"]
        for attempts in timed:
            for attempt in attempts:
                if attempt.measurement.outcome == "ok":
                    attempt.flags |= {"drift"}
        again = [attempts for attempts in timed if attempts[-1].number < self._settings.repeats]
        logger.warning(
            "The reference network's time changed by %+.1f %% over a block; %d of its %d measurements are repeated",
            100 * change,
            len(again),
            len(suspects),
        )
        return again

    def _try(
        self,
        role: Literal["member", "reference", "empty"],
        name: str,
        cell: Cell | None,
        condition: Condition,
        drifts: Callable[[float], bool] = lambda _: False,
        spent: int = 0,
    ) -> list[Attempt]:
        """Measure until an attempt is clean or none is left; ``spent`` of them were made before."""
        with_energy = role == "member" and condition == self._settings.primary
        made = []
        for number in range(spent, 1 + self._settings.repeats):
            measurement = self._workbench.measure(cell, condition, with_energy=with_energy)
            flags = frozenset(measurement.flags)
            if drifts(_median(measurement)):
                flags |= {"drift"}
            attempt = Attempt(role, name, condition, number, measurement, flags)
            made.append(attempt)
            self.attempts.append(attempt)
            if attempt.is_clean:
                break
            logger.debug("The measurement of %s was disturbed: %s", attempt.label, _listed(flags))
        return made

    def _accept(self, attempts: Sequence[Attempt]) -> Attempt:
        """Mark the first clean attempt as accepted, else the last one, and return it."""
        accepted = next((attempt for attempt in attempts if attempt.is_clean), attempts[-1])
        accepted.is_accepted = True
        if accepted.measurement.outcome != "ok":
            # of members, the session's end tells how many; without a reference, nothing tells of a drift
            level = logging.INFO if accepted.role == "member" else logging.WARNING
            logger.log(level, "There are no times of %s: %s", accepted.label, accepted.measurement.outcome)
        return accepted

    def _drifts(self, opening: float, closing: float) -> bool:
        """Return whether two medians differ by more than the tolerance; where one is unknown, nobody can tell."""
        return abs(closing - opening) > self._settings.tolerances.drift * opening


def _rotated(conditions: Sequence[Condition], place: int) -> Sequence[Condition]:
    first = place % len(conditions)
    return [*conditions[first:], *conditions[:first]]


def _median(measurement: Measurement) -> float:
    return float(np.median(measurement.samples)) if len(measurement.samples) else math.nan


def _listed(flags: frozenset[str]) -> str:
    return ",".join(flag for flag in FLAGS if flag in flags)


def _row(attempt: Attempt, settings: Settings) -> dict[str, Any]:
    """Return the columns of the schema ``MEASUREMENTS`` that belong to an attempt."""
    measurement, energy = attempt.measurement, attempt.measurement.energy
    statistic: Literal["mean", "median"] = "mean" if settings.protocol == "published" else "median"
    return {
        "role": attempt.role,
        "hash": attempt.hash,
        **asdict(attempt.condition),
        "attempt": attempt.number,
        "is_accepted": attempt.is_accepted,
        "outcome": measurement.outcome,
        "flags": _listed(attempt.flags),
        "runs": len(measurement.samples),
        **summarise(measurement.samples, attempt.condition.batch_size, statistic),
        "peak_memory_bytes": measurement.peak_memory_bytes,
        "baseline_memory_bytes": measurement.baseline_memory_bytes,
        "energy_mj": math.nan if energy is None else energy.net_mj,
        "energy_gross_mj": math.nan if energy is None else energy.gross_mj,
        "idle_power_w": math.nan if energy is None else energy.idle_watts,
        "started": measurement.started,
        **asdict(measurement.circumstances),
    }
