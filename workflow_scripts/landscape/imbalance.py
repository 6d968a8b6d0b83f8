"""Relate the study's accuracies to the imbalance of its classes."""

from typing import Any

import pandas as pd

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.data.schema import CLASS_COUNTS
from terranas.landscape import schema
from terranas.landscape.imbalance import accuracy_gaps, class_accuracies, class_balance, imbalance_correlations
from terranas.training.schema import CLASS_ACCURACIES


def main(snakemake: Any) -> None:
    paths, output, params = snakemake.input, snakemake.output, snakemake.params
    drawing = {"seed": params.seed, "resamples": params.resamples}
    counts = read_table(paths.class_counts, CLASS_COUNTS)
    trained = pd.concat([read_table(path, CLASS_ACCURACIES) for path in paths.classes])
    classes = class_accuracies(trained, counts, params.dataset, **drawing)
    gaps = accuracy_gaps(TabularBenchmark.open(paths.table), counts, **drawing)
    write_table(class_balance(counts, params.dataset), output.class_balance, schema.CLASS_BALANCE)
    write_table(classes, output.class_accuracy, schema.CLASS_ACCURACY)
    write_table(gaps, output.accuracy_gaps, schema.ACCURACY_GAPS)
    write_table(
        imbalance_correlations(classes, gaps, **drawing), output.imbalance_correlations, schema.IMBALANCE_CORRELATIONS
    )


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
