"""Checks of the published tables that are quick enough for every parse of the workflow: only names are looked at."""

from pathlib import Path

from terranas.config.published import BenchmarkConfig
from terranas.core.errors import ConfigError

FILES_OF_TABLES = {
    "eo_hwnas": {
        "walks": "path_logs.json",
        "tests": "test_results_sampled_all_paths.json",
        "macro": "database_pickle_macro.pickle",
        "micro": "database_pickle_micro.pickle",
        "latency": "database_pickle_latency.pickle",
        "macs": "database_pickle_MACs.pickle",
    },
    "ec_nas": {"four": "energy_4V9E.csv", "five": "energy_5V9E.csv"},
    "transnas_bench101": {
        "macro": "transbench101_macro_val_accuracy.csv",
        "micro": "transbench101_micro_val_accuracy.csv",
    },
}
"""What the folders of published tables hold; all others are single files."""


def check_published(section: BenchmarkConfig) -> None:
    """Check that the published tables are where the configuration says.

    Raises:
        ConfigError: one is missing, or a folder lacks a file.
    """
    for name, place in section.model_dump(exclude={"disagreement"}, exclude_none=True).items():
        kind = "folder" if name in FILES_OF_TABLES else "file"
        advice = "docs/tables.md says where each table comes from."
        if name == "nasbench101":
            advice += " `snakemake download` fetches NAS-Bench-101's files."
        if not (Path(place).is_dir() if kind == "folder" else Path(place).is_file()):
            raise ConfigError(
                f"benchmark.{name} is '{place}', but there is no such {kind}. Looked for {Path(place).absolute()}. "
                f"{advice}"
            )
        files = FILES_OF_TABLES.get(name, {}).values()
        if missing := [file for file in files if not (Path(place) / file).is_file()]:
            raise ConfigError(
                f"benchmark.{name} is the folder '{place}', which lacks {', '.join(missing)}; expected "
                f"{', '.join(files)}. {advice}"
            )
