"""Make the graph of one neighbourhood over the cells."""

from typing import Any

from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.space.neighbours import build_neighbours, summarise, write_graph
from terranas.space.schema import CELLS


def main(snakemake: Any) -> None:
    neighbourhood = snakemake.wildcards.neighbourhood
    columns = ["hash", "num_vertices", "adjacency", "operations"]
    cells = read_table(snakemake.input.cells, CELLS, columns)
    graph = build_neighbours(cells, neighbourhood)
    out = snakemake.output
    write_graph(graph, summarise(graph, cells, neighbourhood), out.indptr, out.indices, out.summary)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
