"""The processor as a device."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from terranas.profiling.description import processor_name
from terranas.profiling.interface import HostTimedDevice, UnsupportedError
from terranas.profiling.power import RaplCounter
from terranas.profiling.settings import Condition, Precision


class CpuDevice(HostTimedDevice):
    """The processor, with a fixed number of torch threads and the monotonic clock with the finest resolution."""

    def __init__(self, threads: int) -> None:
        super().__init__("cpu", processor_name(), threads)
        self._counter = RaplCounter()

    def use_precision(self, precision: Precision) -> None:
        """Accept all types of numbers that torch knows, and keep fp32 from being rounded on the way.

        Raises:
            UnsupportedError: tf32, which is NVIDIA's.
        """
        if precision == "tf32":
            raise UnsupportedError("tf32 is a number format of NVIDIA's tensor cores, which a processor does not have")
        torch.set_float32_matmul_precision("highest")

    def prepare(self, network: nn.Module, images: Tensor, condition: Condition) -> Callable[[], Tensor]:
        """Return a call of the network, after one image has shown that torch can compute in a narrow type.

        Raises:
            UnsupportedError: an operation has no version for this type of numbers, or a CUDA graph is asked for.
        """
        run = super().prepare(network, images, condition)
        if condition.precision != "fp32":
            try:
                with torch.inference_mode():
                    network(images[:1])
            except RuntimeError as error:
                if "not implemented" not in str(error):
                    raise
                raise UnsupportedError(f"torch {torch.__version__} on a processor: {error}") from error
        return run

    def energy_joules(self) -> float | None:
        """Return the energy of the processor's packages by RAPL, of which this process need not be the only user."""
        return self._counter.joules()
