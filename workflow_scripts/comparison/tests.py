"""Test the surrogate against the random arm."""

from typing import Any

from terranas.comparison.arm_tests import compare_arms
from terranas.comparison.schema import INDICATORS
from terranas.core.figures import write_csv
from terranas.core.script import run_script
from terranas.core.tables import read_table


def main(snakemake: Any) -> None:
    budgets = snakemake.params.budgets
    tests = compare_arms(
        read_table(snakemake.input.indicators, INDICATORS),
        snakemake.params.objectives,
        list(zip(budgets["surrogate"], budgets["random"], strict=True)),
        alpha=snakemake.params.comparison["alpha"],
        resamples=snakemake.params.comparison["resamples"],
        seed=snakemake.params.seed,
    )
    write_csv(tests, snakemake.output.tests)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
