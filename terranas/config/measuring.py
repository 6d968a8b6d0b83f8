"""Sections that say how an architecture is measured and what its measurements are used for."""

from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from terranas.config.base import Place, Section


def _require_ascending(name: str, values: list[int], minimum: int) -> None:
    if values[0] < minimum:
        raise ValueError(f"{name} must start at {minimum} or more, got {values[0]}")
    for smaller, larger in pairwise(values):
        if larger <= smaller:
            raise ValueError(f"{name} must ascend strictly, but {larger} follows {smaller}")


class ProfilingConfig(Section):
    """How the hardware cost of an architecture is measured."""

    protocol: Literal["quick"] = Field("quick", description="Named measuring protocol, written into every record.")
    device: Literal["cpu", "cuda"] = Field("cpu", description="Device to measure.")
    threads: int = Field(1, ge=1, description="Threads of torch on the CPU.")
    batch_size: int = Field(64, ge=1, description="Images in a measured batch.")
    warmup_runs: int = Field(5, ge=1, description="Runs before the clock counts.")
    timed_runs: int = Field(30, ge=3, description="Runs that count.")
    session_size: int = Field(100, ge=1, description="Architectures measured by one process, in random order.")


class BenchmarkConfig(Section):
    """Published tables to import beside the study's own benchmark (`snakemake tables`)."""

    nasbench101: Place | None = Field(
        None,
        description="Path of NAS-Bench-101's TFRecord file (nasbench_only108.tfrecord or nasbench_full.tfrecord).",
    )
    eo_hwnas: Place | None = Field(
        None,
        description="Folder of the EO benchmark of E. Demir's thesis: path_logs.json, "
        "test_results_sampled_all_paths.json and the four database_pickle_*.pickle.",
    )
    ec_nas: Place | None = Field(
        None, description="Folder of EC-NAS-Bench's CSV files (training energy): energy_4V9E.csv, energy_5V9E.csv."
    )
    nasbench201: Place | None = Field(
        None, description="Parquet file of NAS-Bench-201's accuracies and device latencies, one row a cell."
    )
    hw_nas_bench: Place | None = Field(
        None, description="CSV file of HW-NAS-Bench's metrics of NAS-Bench-201's cells; needs nasbench201."
    )
    transnas_bench101: Place | None = Field(
        None,
        description="Folder of TransNAS-Bench-101's CSV files: transbench101_macro_val_accuracy.csv, "
        "transbench101_micro_val_accuracy.csv.",
    )
    nasbench_macro: Place | None = Field(
        None, description="JSON file of NAS-Bench-Macro (nas-bench-macro_cifar10.json)."
    )
    disagreement: Literal["error", "report"] = Field(
        "error",
        description="What follows when an imported table disagrees with what can be computed: an error, or only an "
        "entry in its validation report.",
    )

    @model_validator(mode="after")
    def _order_is_known(self) -> Self:
        if self.hw_nas_bench is not None and self.nasbench201 is None:
            raise ValueError("hw_nas_bench numbers its cells as NAS-Bench-201 does, so nasbench201 must be set too")
        return self


DownloadName = Literal["nasbench_only108", "nasbench_full", "so2sat_training", "so2sat_validation", "so2sat_testing"]


class DownloadConfig(Section):
    """Public files that `snakemake download` fetches; no other target does."""

    folder: Place = Field("data", description="Folder to put them into.")
    files: list[DownloadName] = Field(
        ["nasbench_only108", "so2sat_training", "so2sat_validation", "so2sat_testing"],
        min_length=1,
        description="Files to fetch (docs/downloads.md lists sizes and licences).",
    )

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if len(set(self.files)) < len(self.files):
            raise ValueError(f"files names a file twice: {', '.join(self.files)}")
        return self


class LandscapeConfig(Section):
    """Fitness-landscape analysis of the study's benchmark."""

    metrics: list[str] = Field(
        ["validation_macro_accuracy", "validation_micro_accuracy"],
        min_length=1,
        description="Metrics whose ruggedness along the walks is computed.",
    )
    latency_axis: Literal["macs", "parameters"] = Field(
        "macs",
        description="Axis of the latency figure; 'parameters' is what the published figure shows under the name MACs.",
    )


class XGBoostConfig(Section):
    """Parameters of the gradient-boosted trees."""

    n_estimators: int = Field(100, ge=1, description="Number of trees.")
    max_depth: int = Field(6, ge=1, description="Depth of a tree.")
    learning_rate: float = Field(0.3, gt=0, le=1, description="Shrinkage of each tree.")


class SurrogatesConfig(Section):
    """Predictors of a metric from the architecture."""

    sizes: list[int] = Field(
        [15, 25, 35, 45],
        min_length=1,
        description="Training-set sizes compared in the size analysis, ascending.",
    )
    repeats: int = Field(5, ge=1, description="Random training sets per size in the size analysis.")
    training_sample: int = Field(
        15,
        ge=2,
        description="Architectures that train the surrogate whose predicted front starts the search.",
    )
    xgboost: XGBoostConfig = XGBoostConfig()

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        _require_ascending("sizes", self.sizes, minimum=2)
        return self


class BudgetsConfig(Section):
    """Evaluations each arm may spend; the i-th entries of both lists are compared with each other."""

    surrogate: list[int] = Field(
        [10, 15, 20, 25], min_length=1, description="Budgets of searches from predicted starts."
    )
    random: list[int] = Field([25, 30, 35, 40], min_length=1, description="Budgets of searches from random starts.")

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        _require_ascending("surrogate", self.surrogate, minimum=1)
        _require_ascending("random", self.random, minimum=1)
        if len(self.surrogate) != len(self.random):
            raise ValueError(
                f"surrogate has {len(self.surrogate)} budgets and random has {len(self.random)}; "
                "they are compared in pairs and must be equally many"
            )
        return self


class SearchConfig(Section):
    """Pareto local search from surrogate-predicted and from random starts."""

    benchmark: Literal["study", "nasbench101"] = Field(
        "study", description="Tabular benchmark that surrogates, searches and their comparison use."
    )
    objectives: list[str] = Field(
        ["validation_micro_accuracy", "macs"],
        min_length=2,
        max_length=2,
        description="Two metrics of the benchmark; the table's schema knows which way each is better.",
    )
    neighbourhood: Literal["hamming", "hamming_any", "edit", "edit_symmetric"] = Field(
        "edit_symmetric",
        description="Graph the search moves on. edit_symmetric can undo every step; edit (NASLib's, used by the "
        "published study) can only shrink a cell; hamming and hamming_any never change the set of operations. Over all "
        "423,624 cells, edit_symmetric gives a few small cells tens of thousands of neighbours (at most 52,602).",
    )
    starts: int = Field(4, ge=1, description="Architectures a search starts from.")
    seeds: int = Field(30, ge=2, description="Repetitions with independent randomness.")
    budgets: BudgetsConfig = BudgetsConfig()


class ComparisonConfig(Section):
    """Statistics of the searches."""

    alpha: float = Field(0.05, gt=0, lt=1, description="Level of the tests.")
    resamples: int = Field(2000, ge=100, description="Bootstrap resamples for confidence intervals.")


class ReportConfig(Section):
    """The page that shows what came out."""

    title: str = Field("Default study", min_length=1, description="Title of the report.")
