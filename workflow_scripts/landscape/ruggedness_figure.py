"""Draw the ruggedness of the random walks."""

from typing import Any

from terranas.core.figures import save_figure
from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.landscape.figures import ruggedness_distribution
from terranas.landscape.schema import RUGGEDNESS


def main(snakemake: Any) -> None:
    with ruggedness_distribution(read_table(snakemake.input.ruggedness, RUGGEDNESS)) as (drawn, numbers):
        save_figure(drawn, dict(snakemake.output.items()), numbers)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
