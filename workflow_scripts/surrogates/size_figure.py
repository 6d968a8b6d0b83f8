"""Draw the surrogates' scores by the size of their training set."""

from typing import Any

from terranas.core.figures import save_figure
from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.surrogates.figures import size_figure
from terranas.surrogates.schema import SCORES


def main(snakemake: Any) -> None:
    scores = read_table(snakemake.input.scores, SCORES)
    with size_figure(scores, snakemake.params.plateau) as (drawn, numbers):
        save_figure(drawn, dict(snakemake.output.items()), numbers)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
