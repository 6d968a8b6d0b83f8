"""Score surrogates by the size of their training set."""

from dataclasses import replace
from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.figures import write_csv
from terranas.core.script import run_script
from terranas.core.tables import write_table
from terranas.space.reading import read_space
from terranas.surrogates.plateau import plateau
from terranas.surrogates.regressors import RegressorSettings
from terranas.surrogates.schema import SCORES
from terranas.surrogates.size_analysis import analyse_sizes


def main(snakemake: Any) -> None:
    files, sizes = dict(snakemake.input.items()), snakemake.params.sizes
    space = read_space(files)
    benchmark = TabularBenchmark.open(files["table"], dataset=snakemake.params.searched["dataset"])
    objectives = snakemake.params.searched["objectives"]
    own = RegressorSettings(**snakemake.params.regressor)
    # the others run with the settings of their names
    others = {name: replace(own, regressor=name, parameters={}) for name in sizes["compared"]}
    scores = analyse_sizes(
        {own.encoding: space.encode(own.encoding)},
        benchmark.values(objectives, space.names),
        objectives,
        dataset=benchmark.dataset,
        sizes=sizes["sizes"],
        repeats=sizes["repeats"],
        compared={own.regressor: own, **others},
        seed=sizes["seed"],
    )
    write_table(scores, snakemake.output.scores, SCORES)
    write_csv(plateau(scores, sizes["plateau"]), snakemake.output.plateau)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
