"""List the architectures to train."""

import logging
from typing import Any

from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.sampling.architectures import write_architectures
from terranas.sampling.schema import WALKS
from terranas.sampling.selection import select_architectures
from terranas.space.schema import CELLS

logger = logging.getLogger("terranas.sampling")


def main(snakemake: Any) -> None:
    cells = read_table(snakemake.input.cells, CELLS, ["hash", "id", "adjacency", "operations"])
    walks = read_table(snakemake.input.walks, WALKS)
    chosen = select_architectures(cells, walks, snakemake.params.architectures)
    logger.info("%d architectures to train", len(chosen))
    write_architectures(snakemake.output.architectures, snakemake.params.key, chosen)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
