"""What is measured and how: conditions, and the settings of a protocol."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

Precision = Literal["fp32", "tf32", "bf16", "fp16"]
Variant = Literal["plain", "folded", "graph", "folded_graph"]


@dataclass(frozen=True)
class Condition:
    """What a latency depends on besides the architecture and the device.

    Attributes:
        batch_size: images in a batch.
        precision: type that weights and feature maps have; tf32 is fp32 whose products NVIDIA's tensor cores round to
            10 bits of mantissa.
        variant: ``plain``, with batch normalisation folded into the convolutions, and either replayed as a CUDA graph.
    """

    batch_size: int
    precision: Precision
    variant: Variant

    @property
    def is_folded(self) -> bool:
        """Whether batch normalisation is folded into the convolutions before it."""
        return self.variant.startswith("folded")

    @property
    def is_graph(self) -> bool:
        """Whether the kernels are launched together as one CUDA graph."""
        return self.variant.endswith("graph")


@dataclass(frozen=True)
class Tolerances:
    """From where on a measurement counts as disturbed.

    Attributes:
        drift: relative change of the reference network's median between two of its measurements.
        spread: interquartile range over median of a measurement's runs.
        clock_change: relative change of the GPU's clock within a measurement.
        foreign_load: processor cores that others keep busy during a measurement (CPU).
    """

    drift: float
    spread: float
    clock_change: float
    foreign_load: float


@dataclass(frozen=True)
class Settings:
    """Settings of a measuring protocol; see ``ProfilingConfig`` for what they mean.

    Attributes:
        protocol: ``quick``, ``full`` or ``published``.
        conditions: what to measure; the first one is primary: its numbers enter the benchmark.
    """

    protocol: Literal["quick", "full", "published"]
    conditions: tuple[Condition, ...]
    threads: int
    memory_format: Literal["channels_last", "contiguous"]
    weights: Literal["drawn", "trained"]
    warmup_runs: int
    warmup_seconds: float
    timed_runs: int
    max_runs: int
    interval_width: float
    reference_every: int
    repeats: int
    energy_seconds: float
    tolerances: Tolerances

    @classmethod
    def of_config(cls, content: Mapping[str, Any]) -> "Settings":
        """Return the settings of a ``profiling`` section as plain built-ins; entries of no meaning here are ignored."""
        lists = (content["batch_sizes"], content["precisions"], content["variants"])
        names = [name for name in cls.__annotations__ if name not in ("conditions", "tolerances")]
        return cls(
            **{name: content[name] for name in names},
            conditions=tuple(Condition(*entries) for entries in product(*lists)),
            tolerances=Tolerances(**content["tolerances"]),
        )

    @property
    def primary(self) -> Condition:
        """The condition whose numbers enter the benchmark."""
        return self.conditions[0]


@dataclass(frozen=True)
class Agreement:
    """What is asked of the sessions of an architecture together; it changes none of them.

    Attributes:
        sessions: sessions that measure each architecture.
        goal: standard deviation over mean of their latencies that is not to be exceeded.
    """

    sessions: int
    goal: float

    @classmethod
    def of_config(cls, content: Mapping[str, Any]) -> "Agreement":
        """Return what a ``profiling`` section asks for."""
        return cls(content["sessions"], content["variation_goal"])
