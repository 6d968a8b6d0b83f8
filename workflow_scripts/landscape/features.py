"""Relate the accuracies of a benchmark to the graphs of its cells."""

from typing import Any

import pandas as pd

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.landscape.feature_effects import correlate_features, strongest_effects
from terranas.landscape.known import known_metrics
from terranas.landscape.schema import FEATURE_CORRELATIONS, FEATURE_EFFECTS
from terranas.space.complexity import NetworkShape
from terranas.space.features import graph_features
from terranas.space.schema import CELLS


def main(snakemake: Any) -> None:
    paths, params = snakemake.input, snakemake.params
    benchmark = TabularBenchmark.open(paths.table)
    cells = read_table(paths.cells, CELLS).set_index("hash")
    features = graph_features(cells, NetworkShape(**params.image, **params.network))
    correlations, effects = [], []
    for metric in known_metrics(benchmark, params.metrics):
        found = correlate_features(benchmark, metric, features, seed=params.seed, resamples=params.resamples)
        correlations.append(found)
        effects.append(strongest_effects(benchmark, metric, features, found, seed=params.seed))
    facts = {"dataset": benchmark.dataset}
    write_table(pd.concat(correlations), snakemake.output.correlations, FEATURE_CORRELATIONS, facts)
    write_table(pd.concat(effects), snakemake.output.effects, FEATURE_EFFECTS, facts)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
