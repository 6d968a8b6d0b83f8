"""Search from one arm's starts, all seeds and budgets."""

from typing import Any

from terranas.benchmark.schema import direction
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.search.campaign import Problem, predicted_candidates, run_arm
from terranas.search.schema import EVALUATIONS, FRONTS, RUNS
from terranas.space.neighbours import read_graph
from terranas.space.schema import CELLS
from terranas.surrogates.schema import PREDICTED_FRONTS


def main(snakemake: Any) -> None:
    cells = read_table(snakemake.input.cells, CELLS)
    benchmark = TabularBenchmark.open(snakemake.input.table)
    objectives, search = snakemake.params.objectives, snakemake.params.search
    files = snakemake.input
    problem = Problem(
        dataset=benchmark.dataset,
        hashes=cells["hash"],
        objectives=objectives,
        directions=[direction(name) for name in objectives],
        values=benchmark.values(objectives, cells["hash"]),
        graph=read_graph(files.indptr[0], files.indices[0], files.summary[0], cells),
    )
    if snakemake.wildcards.arm == "surrogate":
        fronts = read_table(snakemake.input.predicted, PREDICTED_FRONTS)
        candidates = predicted_candidates(problem, fronts, search["seeds"])
    else:
        candidates = [problem.known] * search["seeds"]
    tables = run_arm(
        problem,
        snakemake.wildcards.arm,
        candidates,
        starts=search["starts"],
        budgets=snakemake.params.budgets,
        seed=search["seed"],
    )
    write_table(tables.evaluations, snakemake.output.evaluations, EVALUATIONS)
    write_table(tables.fronts, snakemake.output.fronts, FRONTS)
    write_table(tables.runs, snakemake.output.runs, RUNS)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
