"""Predict the whole space from random samples, and take the predicted fronts."""

from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.script import run_script
from terranas.core.tables import write_table
from terranas.space.reading import read_space
from terranas.surrogates.prediction import predict_fronts
from terranas.surrogates.regressors import RegressorSettings
from terranas.surrogates.schema import PREDICTED_FRONTS, PREDICTIONS, TRAINING_SAMPLES


def main(snakemake: Any) -> None:
    files, repetitions = dict(snakemake.input.items()), snakemake.params.repetitions
    space = read_space(files)
    benchmark = TabularBenchmark.open(files["table"], dataset=snakemake.params.searched["dataset"])
    objectives = snakemake.params.searched["objectives"]
    settings = RegressorSettings(**snakemake.params.regressor)
    tables = predict_fronts(
        space.names,
        space.encode(settings.encoding),
        benchmark.values(objectives, space.names),
        objectives,
        [benchmark.direction(name) for name in objectives],
        dataset=benchmark.dataset,
        sample_size=repetitions["sample"],
        repetitions=repetitions["seeds"],
        settings=settings,
        seed=repetitions["seed"],
    )
    write_table(tables.samples, snakemake.output.samples, TRAINING_SAMPLES)
    write_table(tables.fronts, snakemake.output.fronts, PREDICTED_FRONTS)
    write_table(tables.predictions, snakemake.output.predictions, PREDICTIONS)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
