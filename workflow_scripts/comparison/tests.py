"""Test the arms against each other, rank them, and say what the tests say."""

from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.comparison.arm_ranks import rank_arms
from terranas.comparison.arm_tests import compare_arms
from terranas.comparison.conclusions import conclusions
from terranas.comparison.schema import CONCLUSIONS, INDICATORS, RANK_PAIRS, RANKS, TESTS
from terranas.comparison.study import objectives_of
from terranas.core.figures import write_csv
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table


def main(snakemake: Any) -> None:
    params, output = snakemake.params, dict(snakemake.output.items())
    indicators = read_table(snakemake.input.indicators, INDICATORS)
    comparison, budgets, names = params.comparison, params.budgets, params.searched["objectives"]
    benchmark = TabularBenchmark.open(snakemake.input.table, dataset=params.searched["dataset"])
    tests = compare_arms(
        indicators,
        names,
        [tuple(pair) for pair in comparison["pairs"]],
        budgets,
        alpha=comparison["alpha"],
        resamples=comparison["resamples"],
        seed=comparison["seed"],
    )
    problems = {str(indicators["dataset"].iloc[0]): (indicators, names)}
    ranks, rank_pairs = rank_arms(problems, list(budgets), budgets, alpha=comparison["alpha"])
    tables = {
        "tests": (tests, TESTS),
        "ranks": (ranks, RANKS),
        "rank_pairs": (rank_pairs, RANK_PAIRS),
        "conclusions": (conclusions(tests, objectives_of(benchmark, names)), CONCLUSIONS),
    }
    for name, (table, schema) in tables.items():
        write_table(table, output[name], schema)
        write_csv(table, output[f"{name}_csv"])


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
