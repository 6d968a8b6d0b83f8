"""Predict the whole space from random samples, and take the predicted fronts."""

from typing import Any

from terranas.benchmark.schema import direction
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.space.encodings import adjacency_one_hot
from terranas.space.schema import CELLS
from terranas.surrogates.boosting import BoostingSettings
from terranas.surrogates.prediction import predict_fronts
from terranas.surrogates.schema import PREDICTED_FRONTS, PREDICTIONS, TRAINING_SAMPLES


def main(snakemake: Any) -> None:
    cells = read_table(snakemake.input.cells, CELLS)
    benchmark = TabularBenchmark.open(snakemake.input.table)
    objectives = snakemake.params.objectives
    tables = predict_fronts(
        cells["hash"],
        adjacency_one_hot(cells),
        benchmark.values(objectives, cells["hash"]),
        objectives,
        [direction(name) for name in objectives],
        dataset=benchmark.dataset,
        sample_size=snakemake.params.surrogates["training_sample"],
        repetitions=snakemake.params.repetitions["seeds"],
        settings=BoostingSettings(**snakemake.params.surrogates["xgboost"]),
        seed=snakemake.params.repetitions["seed"],
    )
    write_table(tables.samples, snakemake.output.samples, TRAINING_SAMPLES)
    write_table(tables.fronts, snakemake.output.fronts, PREDICTED_FRONTS)
    write_table(tables.predictions, snakemake.output.predictions, PREDICTIONS)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
