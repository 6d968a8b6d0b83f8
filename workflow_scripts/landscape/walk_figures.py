"""Draw a benchmark along the random walks: ruggedness and every single walk."""

from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.landscape.known import known_metrics
from terranas.landscape.saving import save_figures
from terranas.landscape.schema import RUGGEDNESS, RUGGEDNESS_SUMMARY
from terranas.landscape.walk_figures import ruggedness_distribution, ruggedness_words, single_walks, single_walks_words
from terranas.sampling.schema import WALKS


def main(snakemake: Any) -> None:
    paths = snakemake.input
    benchmark = TabularBenchmark.open(paths.table)
    metrics = known_metrics(benchmark, snakemake.params.metrics)
    walks = read_table(paths.walks, WALKS)
    rugged = read_table(paths.ruggedness, RUGGEDNESS), read_table(paths.summary, RUGGEDNESS_SUMMARY)
    figures = {
        "ruggedness": (ruggedness_distribution(*rugged), ruggedness_words(*rugged)),
        "single_walks": (single_walks(walks, benchmark, metrics), single_walks_words(walks, benchmark, metrics)),
    }
    save_figures(figures, dict(snakemake.output.items()))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
