"""What one measurement gives, before it becomes a row of a table."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Energy:
    """Energy that a device took while it ran a network.

    Attributes:
        joules: all energy within the window.
        seconds: length of the window.
        images: images that went through the network meanwhile.
        idle_watts: power of the idle device, measured before.
    """

    joules: float
    seconds: float
    images: int
    idle_watts: float

    @property
    def gross_mj(self) -> float:
        """Energy an image in mJ."""
        return 1e3 * self.joules / self.images

    @property
    def net_mj(self) -> float:
        """Energy an image in mJ, without what the idle device would have taken."""
        return 1e3 * (self.joules - self.idle_watts * self.seconds) / self.images


@dataclass(frozen=True)
class Circumstances:
    """State of the machine during a measurement; NaN for what it does not tell.

    Attributes:
        sm_clock_mhz: clock of the GPU under load, median of what was read.
        temperature_c: temperature of the GPU at the end.
        power_w: power of the GPU under load, median of what was read.
        foreign_load: processor cores that others kept busy.
        load_average: load average over one minute at the end.
    """

    sm_clock_mhz: float = np.nan
    temperature_c: float = np.nan
    power_w: float = np.nan
    foreign_load: float = np.nan
    load_average: float = np.nan


@dataclass(frozen=True)
class Measurement:
    """One measurement of one network in one condition.

    Attributes:
        outcome: one of ``schema.OUTCOMES``.
        samples: times of the runs in ms, shape (runs,); empty unless ``outcome`` is ``ok``.
        flags: what disturbed it, of ``schema.FLAGS``, in their order there.
        peak_memory_bytes: see ``schema.MEASUREMENTS``.
        baseline_memory_bytes: see ``schema.MEASUREMENTS``.
        energy: None where none was read.
        circumstances: state of the machine.
        started: Unix time.
    """

    outcome: str
    samples: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    flags: tuple[str, ...] = ()
    peak_memory_bytes: float = np.nan
    baseline_memory_bytes: float = np.nan
    energy: Energy | None = None
    circumstances: Circumstances = Circumstances()
    started: float = 0.0


@dataclass(frozen=True)
class Size:
    """Size of a network; see ``schema.PROFILES``."""

    parameters: int
    macs: int
    activations: int
    depth: int
    model_bytes: int
    checkpoint_bytes: int
