"""Sections that say which published tables a study imports, and which public files are fetched for it."""

from typing import Literal, Self

from pydantic import Field, model_validator

from terranas.config.base import Place, Section


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
    own: Place | None = Field(
        None,
        description="CSV or parquet file of your own with measurements of the study's cells (docs/tables.md).",
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
