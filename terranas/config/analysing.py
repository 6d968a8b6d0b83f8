"""Sections that say how results are analysed and shown."""

from typing import Literal, Self

from pydantic import Field, model_validator

from terranas.config.base import Section

IMAGES_OF = {"eo_hwnas": "So2Sat LCZ42", "nasbench101": "CIFAR-10"}
"""Names of the images in imported tables. Landscapes are told apart by them."""


class LandscapeConfig(Section):
    """Fitness-landscape analysis of tabular benchmarks."""

    benchmarks: list[Literal["study", "own", "eo_hwnas", "nasbench101"]] = Field(
        ["study"],
        min_length=1,
        description="Tables to analyse and compare, the one said to be harder first: the study's own, one of your own, "
        "imported ones.",
    )
    metrics: list[str] = Field(
        ["validation_macro_accuracy", "validation_micro_accuracy"],
        min_length=1,
        description="Accuracies analysed along the walks; of other tables those that they have.",
    )
    fitness: str = Field(
        "validation_micro_accuracy", description="Metric whose landscape is analysed on the neighbour graph."
    )
    costs: list[str] = Field(
        ["macs", "parameters", "latency_ms"],
        min_length=1,
        description="Metrics that accuracies are compared with; the first is the objective beside fitness.",
    )
    neighbourhoods: list[Literal["hamming", "hamming_any", "edit_symmetric"]] = Field(
        ["edit_symmetric"],
        min_length=1,
        description="Neighbour graphs to analyse; the first counts the optima of the footprint.",
    )
    walks: int = Field(1000, ge=2, description="Simple random walks, with revisits, on each neighbour graph.")
    steps: int = Field(100, ge=3, description="Steps of these walks.")
    tolerance: float = Field(0.0, ge=0, description="Largest difference in fitness that counts as none (neutrality).")
    resamples: int = Field(499, ge=99, description="Bootstrap resamples for intervals.")
    latency_axis: Literal["macs", "parameters"] = Field(
        "macs",
        description="Axis of the latency figure; 'parameters' is what the published figure shows under the name MACs.",
    )

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        for name in ("benchmarks", "metrics", "costs", "neighbourhoods"):
            entries = getattr(self, name)
            if len(set(entries)) < len(entries):
                raise ValueError(f"{name} names an entry twice: {', '.join(entries)}")
        return self


class ReportConfig(Section):
    """The page that shows what came out."""

    title: str = Field("Default study", min_length=1, description="Title of the report.")
