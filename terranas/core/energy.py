"""Energy that GPUs take, from the counters that NVIDIA's management library reads."""

import os
import re
from typing import Any

from terranas.core.nvml import opened_nvml


class EnergyMeter:
    """Counts the energy of the GPUs that this process may use, from its making on.

    The devices are those that ``CUDA_VISIBLE_DEVICES`` names, or all. The counters are the devices' own (Volta and
    newer), so that reading them costs nothing while the work runs; what other processes take of a shared device counts
    too. The library is closed again after each reading.
    """

    def __init__(self) -> None:
        self._start = _counters()

    def joules(self) -> float | None:
        """Return the energy since the start in joules; None where a device does not count, or there is none."""
        now = _counters()
        if self._start is None or now is None or self._start.keys() != now.keys():
            return None
        taken = [now[device] - before for device, before in self._start.items()]
        # a driver that was loaded again counts from zero
        return None if min(taken) < 0 else sum(taken) / 1000


def _counters() -> dict[str, int] | None:
    """Return the counters of the visible devices in millijoules by UUID; None where one cannot be read."""
    with opened_nvml() as nvml:
        if nvml is None:
            return None
        try:
            return {
                _text(nvml.nvmlDeviceGetUUID(handle)): int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle))
                for handle in _visible(nvml)
            } or None
        except nvml.NVMLError:
            return None


def _visible(nvml: Any) -> list[Any]:
    """Return handles of the devices that CUDA would show, which ends at the first name it does not know."""
    names = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = nvml.nvmlDeviceGetCount()
    if names is None:
        return [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(count)]
    handles = []
    for name in (part.strip() for part in names.split(",")):
        if re.fullmatch(r"\d+", name) and int(name) < count:
            handles.append(nvml.nvmlDeviceGetHandleByIndex(int(name)))
        elif name.startswith(("GPU-", "MIG-")):
            handles.append(_by_uuid(nvml, name, count))
        else:
            break
    return handles


def _by_uuid(nvml: Any, name: str, count: int) -> Any:
    """Return the device of a UUID, which CUDA lets be abbreviated; a slice's device where it is a slice (MIG)."""
    if name.startswith("GPU-"):
        for index in range(count):
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            if _text(nvml.nvmlDeviceGetUUID(handle)).startswith(name):
                return handle
    return nvml.nvmlDeviceGetHandleByUUID(name)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
