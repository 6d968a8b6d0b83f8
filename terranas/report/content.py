"""What a study brought: its tables, and what they say at a glance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from terranas.benchmark.tabular import TabularBenchmark
from terranas.comparison.study import SearchStudy
from terranas.config.searching import OTHER_SPACES
from terranas.training.status import TrainingStatus


@dataclass(frozen=True)
class StudyResults:
    """Everything the pages are written from.

    Attributes:
        config: effective configuration as plain values.
        config_text: the same as YAML.
        software: what :func:`terranas.report.provenance.software_versions` returned.
        manifest: the data stage's manifest.
        cells: table of the schema ``space.cells``.
        graphs: summaries of the neighbour graphs the study used.
        walks: ``sampling.walks``.
        class_counts: ``data.class_counts``.
        table: ``benchmark.table`` of the study itself.
        validations: validation reports of all benchmark tables, the study's own among them, by name.
        statuses: records of all trainings.
        epochs: ``training.epochs`` of all trainings.
        ruggedness: ``landscape.ruggedness``.
        scores: ``surrogates.scores``.
        predicted: ``surrogates.predicted_fronts``.
        searched: the benchmark that was searched: the study's own or another, perhaps over another search space.
        searches: the searches, their indicators and tests.
        sources: paths of the files that these tables were read from, by the name they have here.
    """

    config: Mapping[str, Any]
    config_text: str
    software: Mapping[str, Any]
    manifest: Mapping[str, Any]
    cells: pd.DataFrame
    graphs: Sequence[Mapping[str, Any]]
    walks: pd.DataFrame
    class_counts: pd.DataFrame
    table: pd.DataFrame
    validations: Mapping[str, Mapping[str, Any]]
    statuses: Sequence[TrainingStatus]
    epochs: pd.DataFrame
    ruggedness: pd.DataFrame
    scores: pd.DataFrame
    predicted: pd.DataFrame
    searched: TabularBenchmark
    searches: SearchStudy
    sources: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def benchmark(self) -> TabularBenchmark:
        """The study's own benchmark."""
        return TabularBenchmark(self.table)

    @property
    def failures(self) -> list[TrainingStatus]:
        """Records of the trainings that gave no full result."""
        return [status for status in self.statuses if status.outcome != "ok"]

    @property
    def synthetic(self) -> bool:
        """Whether the study's images were generated."""
        return bool(self.manifest["source"] == "synthetic")

    @property
    def searches_other_space(self) -> bool:
        """Whether the architectures searched are no cells of the study's search space."""
        return self.config["search"]["benchmark"] in OTHER_SPACES

    @property
    def pair(self) -> Sequence[str]:
        """The two arms that the start page tells of."""
        return self.searches.pairs[0]

    @property
    def objectives(self) -> list[str]:
        """Metrics that the searches optimised."""
        return list(self.config["search"]["objectives"])

    @property
    def accuracy_metric(self) -> str:
        """The accuracy by which architectures are ranked: an objective of the searches where one is an accuracy."""
        accuracies = [
            name
            for name in self.objectives
            if name.startswith("validation") and name.endswith("accuracy") and name in self.benchmark.metrics
        ]
        return [*accuracies, "validation_micro_accuracy"][0]
