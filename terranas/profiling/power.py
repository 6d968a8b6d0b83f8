"""Counters of energy: NVIDIA's for a GPU, Intel's and AMD's RAPL for processors. Nothing is ever estimated."""

from collections.abc import Sequence
from pathlib import Path

from terranas.core.nvml import Gpu

POWERCAP = Path("/sys/class/powercap")
"""Where Linux offers RAPL (running average power limit); since 2020 only root may read it."""


class GpuCounter:
    """The energy that a GPU took since its driver was loaded, all of its processes together (Volta and newer)."""

    def __init__(self, gpu: Gpu) -> None:
        self._gpu = gpu
        self._before = 0.0

    def joules(self) -> float | None:
        """Return the counter in joules; None where it cannot be read, and once when it runs lower than before."""
        counted = self._gpu.ask(lambda nvml, handle: nvml.nvmlDeviceGetTotalEnergyConsumption(handle))
        if counted is None:
            return None
        before, self._before = self._before, counted / 1000
        return self._before if self._before >= before else None


class RaplCounter:
    """The energy that the processor's packages took since the first reading; memory outside them does not count.

    A package's counter ends at a value that Linux tells and begins at zero again, after some minutes of full work at
    the earliest. Readings further apart than that miss whole rounds; those of one measurement are seconds apart.

    Args:
        root: folder of the system's power zones.
    """

    def __init__(self, root: Path = POWERCAP) -> None:
        # processors of AMD have this name as well; a zone within a package has a second number, and its own name
        zones = sorted(root.glob("intel-rapl:*"))
        self._packages = [zone for zone in zones if (_read(zone / "name") or "").startswith("package")]
        self._before: list[int] | None = None
        self._microjoules = 0

    def joules(self) -> float | None:
        """Return the counter in joules; None where there is no package, or the counter of one cannot be read."""
        now = _numbers(self._packages, "energy_uj")
        if now is None:
            return None
        before, self._before = self._before or now, now
        steps = [after - start for start, after in zip(before, now, strict=True)]
        if min(steps) < 0:
            ranges = _numbers(self._packages, "max_energy_range_uj")
            if ranges is None:
                return None
            steps = [step + around if step < 0 else step for step, around in zip(steps, ranges, strict=True)]
        self._microjoules += sum(steps)
        return self._microjoules / 1e6


def _numbers(folders: Sequence[Path], name: str) -> list[int] | None:
    """Return a whole number of each folder's file of this name; None where one lacks, or there is no folder."""
    told = [_read(folder / name) for folder in folders]
    try:
        return [int(text or "") for text in told] or None
    except ValueError:
        return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
