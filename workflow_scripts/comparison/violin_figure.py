"""Draw the indicators of both arms by budget."""

from typing import Any

from terranas.comparison.schema import INDICATORS
from terranas.comparison.violins import violin_figure
from terranas.core.figures import save_figure
from terranas.core.script import run_script
from terranas.core.tables import read_table


def main(snakemake: Any) -> None:
    indicators = read_table(snakemake.input.indicators, INDICATORS)
    budgets = snakemake.params.budgets
    pairs = list(zip(budgets["surrogate"], budgets["random"], strict=True))
    with violin_figure(indicators, snakemake.params.objectives, pairs) as (drawn, numbers):
        save_figure(drawn, dict(snakemake.output.items()), numbers)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
