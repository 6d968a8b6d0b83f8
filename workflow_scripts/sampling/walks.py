"""Draw the random walks of the study."""

import logging
from typing import Any

from terranas.core.randomness import generator
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.sampling.schema import WALKS
from terranas.sampling.walks import random_walks, walks_table
from terranas.space.neighbours import read_graph
from terranas.space.schema import CELLS

logger = logging.getLogger("terranas.sampling")


def main(snakemake: Any) -> None:
    wanted = snakemake.params.sampling
    files = snakemake.input
    cells = read_table(files.cells, CELLS, ["hash", "id"])
    graph = read_graph(files.indptr[0], files.indices[0], files.summary[0], cells)
    generators = [generator(snakemake.params.seed, "sampling.walks", walk) for walk in range(wanted["walks"])]
    walks = random_walks(graph, generators, steps=wanted["steps"], unique=wanted["unique"])
    logger.info(
        "%d walks of %d steps; drawn again because one got stuck or began at a cell visited before: %d",
        wanted["walks"],
        wanted["steps"],
        walks.redraws.sum(),
    )
    write_table(walks_table(walks, cells), snakemake.output.walks, WALKS)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
