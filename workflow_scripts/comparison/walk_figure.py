"""Draw one search in architecture space."""

from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.comparison.study import objectives_of
from terranas.comparison.walk_figure import walk_figure, walk_words
from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.landscape.saving import save_figures
from terranas.search.schema import EVALUATIONS
from terranas.space.reading import read_space


def main(snakemake: Any) -> None:
    files = dict(snakemake.input.items())
    evaluations = read_table(files["evaluations"], EVALUATIONS)
    benchmark = TabularBenchmark.open(files["table"], dataset=snakemake.params.searched["dataset"])
    objectives = objectives_of(benchmark, snakemake.params.searched["objectives"])
    given = (evaluations, read_space(files), objectives, snakemake.params.arm, 0)
    save_figures({"walk": (walk_figure(*given), walk_words(*given))}, dict(snakemake.output.items()))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
