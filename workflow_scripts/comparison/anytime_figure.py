"""Draw the hypervolume over evaluations."""

from typing import Any

from terranas.comparison.anytime_figure import anytime_figure
from terranas.comparison.schema import ANYTIME
from terranas.core.figures import save_figure
from terranas.core.script import run_script
from terranas.core.tables import read_attributes, read_table


def main(snakemake: Any) -> None:
    anytime = read_table(snakemake.input.anytime, ANYTIME)
    bound = read_attributes(snakemake.input.anytime)["true_front_hypervolume"]
    with anytime_figure(anytime, snakemake.params.charged, bound) as (drawn, numbers):
        save_figure(drawn, dict(snakemake.output.items()), numbers)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
