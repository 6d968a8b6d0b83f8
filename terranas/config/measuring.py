"""The section that says how an architecture is measured."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from terranas.config.base import Place, Section

PROTOCOLS: dict[str, dict[str, Any]] = {
    "full": {
        "batch_sizes": [64, 1],
        "warmup_runs": 10,
        "warmup_seconds": 1.0,
        "timed_runs": 100,
        "max_runs": 500,
        "sessions": 3,
        "session_size": 50,
        "repeats": 2,
        "energy_seconds": 2.0,
    },
    # the published script: the copy to the device counts, ten batches with gradients first, the So2Sat test images once
    "published": {
        "batch_sizes": [64],
        "precisions": ["tf32"],
        "memory_format": "contiguous",
        "warmup_runs": 10,
        "timed_runs": 378,
        "max_runs": 378,
        "session_size": 50,
        "repeats": 0,
    },
}
"""Values of the named protocols beside those of quick, the defaults; docs/profiling.md says where they come from."""


class TolerancesConfig(Section):
    """From where on a measurement counts as disturbed, is repeated, and is flagged if that does not help."""

    drift: float = Field(
        0.1, gt=0, description="Relative change of the reference network's median from one to the next."
    )
    spread: float = Field(0.2, gt=0, description="Interquartile range over median of a measurement's runs.")
    clock_change: float = Field(0.05, gt=0, description="Relative change of a GPU's clock within a measurement.")
    foreign_load: float = Field(
        0.2, gt=0, description="Processor cores that other processes keep busy meanwhile (measuring on the CPU)."
    )


class ProfilingConfig(Section):
    """How the hardware cost of an architecture is measured (docs/profiling.md)."""

    protocol: Literal["quick", "full", "published"] = Field(
        "quick",
        description="Named set of the values below, written into every record; what is given beside it overrides it. "
        "quick: the defaults below; full: what a reviewer asks for; published: as the published study measured.",
    )
    device: Literal["cpu", "cuda", "own"] = Field(
        "cpu", description="Device to measure; own: the one that the Python file profiling.backend opens."
    )
    backend: Place | None = Field(None, description="Python file that opens a device of your own (device: own).")
    device_name: str | None = Field(
        None,
        description="Model of the device whose records enter the benchmark; needed only where the sessions ran on "
        "several models.",
    )
    threads: int = Field(1, ge=1, description="Threads of torch on the CPU.")
    batch_sizes: list[Annotated[int, Field(ge=1)]] = Field(
        [64],
        min_length=1,
        description="Images in a batch; the first size is the one whose numbers enter the benchmark.",
    )
    precisions: list[Literal["fp32", "tf32", "bf16", "fp16"]] = Field(
        ["fp32"], min_length=1, description="Types of weights and feature maps; the first one enters the benchmark."
    )
    variants: list[Literal["plain", "folded", "graph", "folded_graph"]] = Field(
        ["plain"],
        min_length=1,
        description="As built, with batch normalisation folded into the convolutions, or either as a CUDA graph; the "
        "first one enters the benchmark.",
    )
    memory_format: Literal["channels_last", "contiguous"] = Field(
        "channels_last", description="Order of the values of feature maps in memory."
    )
    weights: Literal["drawn", "trained"] = Field(
        "drawn", description="Weights of the networks: drawn at random, or those of each training's best epoch."
    )
    warmup_runs: int = Field(5, ge=1, description="Runs before the clock counts, at least.")
    warmup_seconds: float = Field(0.0, ge=0, description="Seconds of runs before the clock counts, at least.")
    timed_runs: int = Field(30, ge=3, description="Runs that count, at least.")
    max_runs: int = Field(
        30, ge=3, description="Runs that count, at most; they go on until the interval below is narrow enough."
    )
    interval_width: float = Field(
        0.02, gt=0, description="Width over median of the median's 95 % confidence interval to be reached."
    )
    variation_goal: float = Field(
        0.02,
        gt=0,
        description="Standard deviation over mean of an architecture's latencies in its sessions; a record above it is "
        "flagged.",
    )
    sessions: int = Field(1, ge=1, description="Sessions, each a process of its own, that measure each architecture.")
    session_size: int = Field(100, ge=1, description="Architectures measured by one process, in random order.")
    reference_every: int = Field(
        10, ge=1, description="Architectures between two measurements of the reference network."
    )
    repeats: int = Field(1, ge=0, description="Further attempts at a measurement that was disturbed.")
    energy_seconds: float = Field(
        0.0,
        ge=0,
        description="Length of the runs whose energy is read from the device's counter, and of the idle time before "
        "them; 0: none is read.",
    )
    tolerances: TolerancesConfig = TolerancesConfig()

    @model_validator(mode="before")
    @classmethod
    def _take_protocol(cls, settings: Any) -> Any:
        if not isinstance(settings, Mapping) or settings.get("protocol") not in PROTOCOLS:
            return settings
        preset = dict(PROTOCOLS[settings["protocol"]])
        if settings.get("device") != "cuda":
            preset.pop("precisions", None)  # tf32 is NVIDIA's
        return preset | dict(settings)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for name in ("batch_sizes", "precisions", "variants"):
            entries = getattr(self, name)
            if len(set(entries)) < len(entries):
                raise ValueError(f"{name} names a value twice: {entries}")
        if self.max_runs < self.timed_runs:
            raise ValueError(f"max_runs ({self.max_runs}) must not be below timed_runs ({self.timed_runs})")
        if (self.device == "own") != (self.backend is not None):
            raise ValueError("device own needs backend, the Python file that opens it, and no other device takes one")
        if self.device == "cpu" and (graphs := [name for name in self.variants if name.endswith("graph")]):
            raise ValueError(f"variants {', '.join(graphs)} need CUDA graphs, which the device cpu does not have")
        if self.device == "cpu" and "tf32" in self.precisions:
            raise ValueError("precision tf32 is one of NVIDIA's tensor cores, which the device cpu does not have")
        return self
