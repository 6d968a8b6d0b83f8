"""The root of the configuration tree and the checks that span sections."""

from typing import Self

from pydantic import Field, model_validator

from terranas.config.analysing import IMAGES_OF, LandscapeConfig, ReportConfig
from terranas.config.base import Place, Section
from terranas.config.inputs import WHOLE_SPACE, DataConfig, NetworkConfig, SamplingConfig, SpaceConfig
from terranas.config.measuring import ProfilingConfig
from terranas.config.published import BenchmarkConfig, DownloadConfig
from terranas.config.searching import OTHER_SPACES, ComparisonConfig, SearchConfig, SurrogatesConfig
from terranas.config.training import CampaignConfig, TrainingConfig

CELLS_UP_TO = {2: 1, 3: 7, 4: 91, 5: 2_532, 6: 64_542, 7: 423_624}
"""Unique cells of at most so many vertices and 9 edges (NAS-Bench-101)."""

NASBENCH201_CELLS = 15_625
"""Cells of NAS-Bench-201."""

STUDY_METRICS = (
    "train_loss",
    "validation_loss",
    "train_macro_accuracy",
    "train_micro_accuracy",
    "validation_macro_accuracy",
    "validation_micro_accuracy",
    "test_macro_accuracy",
    "test_micro_accuracy",
    "training_seconds",
    "parameters",
    "macs",
    "activations",
    "latency_ms",
    "latency_std_ms",
    "peak_memory_bytes",
    "inference_energy_mj",
    "model_bytes",
    "checkpoint_bytes",
)
"""Metric columns that a study's own benchmark fills."""

STUDY_ACCURACIES = tuple(name for name in STUDY_METRICS if name.endswith("_accuracy"))
"""Those of them that are accuracies."""

PUBLISHED_METRICS = (
    "train_micro_accuracy",
    "validation_micro_accuracy",
    "test_micro_accuracy",
    "training_seconds",
    "parameters",
    "macs",
    "total_seconds",
)
"""Metric columns that NAS-Bench-101's own files fill."""

BENCHMARK_METRICS = (*STUDY_METRICS, "total_seconds", "training_energy_kwh", "training_co2_g")
"""Metric columns that a table of one's own may have."""

SEARCHED_METRICS = {
    "study": STUDY_METRICS,
    "nasbench101": PUBLISHED_METRICS,
    "nasbench201": ("validation_micro_accuracy", "test_micro_accuracy", "parameters", "macs", "latency_ms"),
    "hw_nas_bench": ("test_micro_accuracy", "macs", "latency_ms", "inference_energy_mj"),
}
"""Objectives that a benchmark can have; others: any metric."""


class StudyConfig(Section):
    """Everything that decides what a study computes; cores, memory and partitions belong to profiles."""

    seed: int = Field(0, ge=0, description="Seed from which all random streams of the study are derived.")
    results_dir: Place = Field("results/demo", description="Folder of all files of this study.")
    space: SpaceConfig = SpaceConfig()
    network: NetworkConfig = NetworkConfig()
    data: DataConfig = DataConfig()
    sampling: SamplingConfig = SamplingConfig()
    training: TrainingConfig = TrainingConfig()
    campaign: CampaignConfig = CampaignConfig()
    profiling: ProfilingConfig = ProfilingConfig()
    benchmark: BenchmarkConfig = BenchmarkConfig()
    download: DownloadConfig = DownloadConfig()
    landscape: LandscapeConfig = LandscapeConfig()
    surrogates: SurrogatesConfig = SurrogatesConfig()
    search: SearchConfig = SearchConfig()
    comparison: ComparisonConfig = ComparisonConfig()
    report: ReportConfig = ReportConfig()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.campaign.pack > 1 and self.training.processes > 1:
            raise ValueError(
                f"campaign.pack is {self.campaign.pack} and training.processes is {self.training.processes}; "
                "architectures that train side by side have one GPU each, so set training.processes to 1"
            )
        size = self.known_architectures()
        self._require_searchable()
        self._require_landscape()
        self.require_architectures(size)
        sharing = max(1, self.space.max_vertices - 2)
        if self.network.stem_channels < sharing:
            raise ValueError(
                f"network.stem_channels is {self.network.stem_channels}; up to {sharing} vertices share the channels "
                f"of a cell with {self.space.max_vertices} vertices, so at least {sharing} are needed"
            )
        half = self.network.stacks - 1
        if self.data.image_size >> half < 1:
            raise ValueError(
                f"network.stacks is {self.network.stacks}; an image of {self.data.image_size} pixels "
                "cannot be halved that often"
            )
        visits = self.sampling.walks * (self.sampling.steps + 1)
        if self.sampling.unique == "study" and visits > self.space_size():
            raise ValueError(f"sampling needs {visits} different architectures, the space has {self.space_size()}")
        return self

    def _require_searchable(self) -> None:
        """Check that the searched benchmark is at hand and has what the searches ask for."""
        name = self.search.benchmark
        if name != "study" and getattr(self.benchmark, name) is None:
            raise ValueError(f"search.benchmark is {name}, so benchmark.{name} must name its file")
        if name == "nasbench101" and self.space.model_dump() != WHOLE_SPACE:
            raise ValueError(
                "search.benchmark is nasbench101, which needs space.max_vertices 7 and space.max_edges 9, got "
                f"{self.space.max_vertices} and {self.space.max_edges}"
            )
        metrics = [objective.partition("@")[0] for objective in self.search.objectives]
        known = SEARCHED_METRICS.get(name, BENCHMARK_METRICS)
        self._require_metrics("search.objectives", metrics, known)
        for pair in self.comparison.pairs:
            if absent := [arm for arm in pair if arm not in self.search.arms]:
                raise ValueError(
                    f"comparison.pairs compares {' with '.join(pair)}, but search.arms does not name {absent[0]}"
                )

    def _require_landscape(self) -> None:
        landscape = self.landscape
        self._require_metrics("landscape.metrics", landscape.metrics, STUDY_ACCURACIES)
        self._require_metrics("landscape.fitness", [landscape.fitness], STUDY_METRICS)
        self._require_metrics("landscape.costs", landscape.costs, STUDY_METRICS)
        for name in landscape.benchmarks:
            if name != "study" and getattr(self.benchmark, name) is None:
                raise ValueError(f"landscape.benchmarks names {name}, so benchmark.{name} must say where its files are")
        self._require_comparable()

    def _require_comparable(self) -> None:
        """Check that imported tables can be analysed beside the study."""
        landscape = self.landscape
        imported = [name for name in landscape.benchmarks if name in IMAGES_OF]
        if imported and self.space.model_dump() != WHOLE_SPACE:
            raise ValueError(
                f"landscape.benchmarks names {imported[0]}, which needs space.max_vertices 7 and space.max_edges 9, "
                f"got {self.space.max_vertices} and {self.space.max_edges}"
            )
        for name in imported:
            if "study" in landscape.benchmarks and self.data.name == IMAGES_OF[name]:
                raise ValueError(
                    f"landscape.benchmarks names study and {name}, whose images are both named '{self.data.name}'; "
                    f"landscapes are told apart by that name, so set data.name to another one: "
                    f"'{self.data.name}, own trainings'"
                )
        if "nasbench101" in imported:
            analysed = [landscape.fitness, landscape.costs[0]]
            self._require_metrics("landscape.fitness and the first of landscape.costs", analysed, PUBLISHED_METRICS)
            if not set(landscape.metrics) & set(PUBLISHED_METRICS):
                raise ValueError(
                    f"landscape.metrics names none that nasbench101 has: {', '.join(landscape.metrics)}. Add a micro "
                    "accuracy"
                )

    @staticmethod
    def _require_metrics(key: str, names: list[str], known: tuple[str, ...]) -> None:
        for name in names:
            if name not in known:
                raise ValueError(f"{key}: '{name}' is no metric of the benchmark. Known: {', '.join(known)}")

    def require_architectures(self, available: int) -> None:
        """Check that the searched benchmark is large enough for the surrogates and the starts.

        Args:
            available: architectures it has at most; the workflow calls again with the exact number once it is known.

        Raises:
            ValueError: names the setting that asks for more.
        """
        wanted = {
            "surrogates.sizes": self.surrogates.sizes[-1] + 2,  # a correlation needs two held-out cells
            "surrogates.training_sample": self.surrogates.training_sample,
            "search.starts": self.search.starts,
        }
        for key, count in wanted.items():
            if count > available:
                raise ValueError(
                    f"{key} needs {count} architectures (sizes: two more than the largest, to test on), but the "
                    f"benchmark '{self.search.benchmark}' has at most {available}"
                )

    def space_size(self) -> int:
        """Upper bound of the number of cells in the space (exact for 9 edges)."""
        return CELLS_UP_TO[self.space.max_vertices]

    def known_architectures(self) -> int:
        """Upper bound of the number of architectures in the benchmark that is searched."""
        if self.search.benchmark in OTHER_SPACES:
            return NASBENCH201_CELLS
        if self.search.benchmark in ("nasbench101", "own") or self.sampling.architectures == "all":
            return self.space_size()
        return min(self.space_size(), self.sampling.walks * (self.sampling.steps + 1))
