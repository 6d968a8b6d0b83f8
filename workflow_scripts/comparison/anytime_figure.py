"""Draw the hypervolume over evaluations."""

from typing import Any

from terranas.comparison.anytime_figure import anytime_figure, anytime_panels, anytime_words
from terranas.comparison.schema import ANYTIME
from terranas.core.script import run_script
from terranas.core.tables import read_attributes, read_table
from terranas.landscape.saving import save_figures


def main(snakemake: Any) -> None:
    anytime = read_table(snakemake.input.anytime, ANYTIME)
    facts, pair = read_attributes(snakemake.input.anytime), snakemake.params.pair
    given = (anytime, facts["reference_hypervolume"], facts["reference"])
    figures = {
        "anytime": (anytime_figure(*given, pair), anytime_words(*given, pair)),
        "anytime_arms": (anytime_panels(*given), anytime_words(*given)),
    }
    save_figures(figures, dict(snakemake.output.items()))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
