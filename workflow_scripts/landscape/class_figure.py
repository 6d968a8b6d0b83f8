"""Draw the class distribution of the splits."""

from typing import Any

from terranas.core.figures import save_figure
from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.data.schema import CLASS_COUNTS
from terranas.landscape.figures import class_distribution


def main(snakemake: Any) -> None:
    counts = read_table(snakemake.input.class_counts, CLASS_COUNTS)
    with class_distribution(counts, snakemake.params.dataset) as (drawn, numbers):
        save_figure(drawn, dict(snakemake.output.items()), numbers)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
