"""Score surrogates by the size of their training set."""

from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.space.encodings import adjacency_one_hot
from terranas.space.schema import CELLS
from terranas.surrogates.boosting import BoostingSettings
from terranas.surrogates.schema import SCORES
from terranas.surrogates.size_analysis import analyse_sizes


def main(snakemake: Any) -> None:
    cells = read_table(snakemake.input.cells, CELLS)
    benchmark = TabularBenchmark.open(snakemake.input.table)
    settings = snakemake.params.surrogates
    scores = analyse_sizes(
        adjacency_one_hot(cells),
        benchmark.values(snakemake.params.objectives, cells["hash"]),
        snakemake.params.objectives,
        dataset=benchmark.dataset,
        sizes=settings["sizes"],
        repeats=settings["repeats"],
        settings=BoostingSettings(**settings["xgboost"]),
        seed=snakemake.params.seed,
    )
    write_table(scores, snakemake.output.scores, SCORES)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
