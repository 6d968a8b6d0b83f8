"""Run the searches of an arm, all seeds and budgets."""

from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.search.arm_starts import StartMaterial
from terranas.search.campaign import ArmSettings, run_arm
from terranas.search.local_search import LocalSearchSettings
from terranas.search.methods import METHODS
from terranas.search.problem import Problem
from terranas.search.schema import EVALUATIONS, FRONTS, QUEUE, RUNS
from terranas.space.reading import read_space_and_graph
from terranas.surrogates.schema import PREDICTED_FRONTS, TRAINING_SAMPLES


def main(snakemake: Any) -> None:
    files, search = dict(snakemake.input.items()), dict(snakemake.params.search)
    objectives, dataset = snakemake.params.searched["objectives"], snakemake.params.searched["dataset"]
    space, graph = read_space_and_graph(files)
    benchmark = TabularBenchmark.open(files["table"], dataset=dataset)
    filled = TabularBenchmark.open(files["filled"]) if "filled" in files else None
    problem = Problem(
        dataset=benchmark.dataset,
        space=space,
        objectives=objectives,
        directions=[benchmark.direction(name) for name in objectives],
        values=benchmark.values(objectives, space.names),
        graph=graph,
        predicted=None if filled is None else filled.values(objectives, space.names),
    )
    material = StartMaterial(
        fronts=read_table(files["predicted"], PREDICTED_FRONTS) if "predicted" in files else None,
        samples=read_table(files["samples"], TRAINING_SAMPLES) if "samples" in files else None,
    )
    variant = LocalSearchSettings(**search.pop("local_search"))
    settings = ArmSettings(budgets=snakemake.params.budgets, local_search=variant, **search)
    tables = run_arm(problem, snakemake.wildcards.arm, settings, material=material, methods=METHODS)
    write_table(tables.evaluations, snakemake.output.evaluations, EVALUATIONS)
    write_table(tables.fronts, snakemake.output.fronts, FRONTS)
    write_table(tables.runs, snakemake.output.runs, RUNS)
    write_table(tables.queue, snakemake.output.queue, QUEUE)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
