"""Put the study's trainings and profiles together as one benchmark table."""

import logging
from typing import Any

import pandas as pd

from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.study import assemble_study
from terranas.benchmark.validation import describe_table
from terranas.core.files import write_json
from terranas.core.logs import progress
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.profiling.schema import PROFILES
from terranas.space.schema import CELLS
from terranas.training.schema import EPOCHS
from terranas.training.status import read_status

logger = logging.getLogger("terranas.benchmark")


def main(snakemake: Any) -> None:
    paths = snakemake.input
    cells = read_table(paths.cells, CELLS)
    statuses = [read_status(path) for path in paths.statuses]
    trainings = progress(paths.metrics, len(paths.metrics), "Reading the trainings", logger)
    epochs = pd.concat([read_table(path, EPOCHS) for path in trainings])
    profiles = pd.concat([read_table(path, PROFILES) for path in paths.profiles])
    params = snakemake.params
    table = assemble_study(cells, epochs, statuses, profiles, params.dataset, params.device_name)
    failed = sorted(status.hash for status in statuses if status.outcome != "ok")
    if failed:
        logger.warning("%d trainings have no result: %s", len(failed), ", ".join(failed))
    write_table(table, snakemake.output.table, BENCHMARK, {"space_size": len(cells)})
    write_json(snakemake.output.report, describe_table(table, BENCHMARK, len(cells), []))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
