"""Draw the local optima of a benchmark on a neighbour graph."""

from typing import Any

from terranas.core.script import run_script
from terranas.core.tables import read_attributes, read_table
from terranas.landscape.basin_figures import basin_sizes, basin_sizes_words
from terranas.landscape.figures import LandscapeName
from terranas.landscape.graph_schema import GRAPH_MEASURES, NETWORK_EDGES, NETWORK_NODES, OPTIMA
from terranas.landscape.network_figure import local_optima_network_figure, local_optima_network_words
from terranas.landscape.saving import save_figures


def main(snakemake: Any) -> None:
    paths = snakemake.input
    facts = read_attributes(paths.optima)
    name = LandscapeName(facts["dataset"], facts["fitness"], snakemake.wildcards.neighbourhood)
    optima, measures = read_table(paths.optima, OPTIMA), read_table(paths.measures, GRAPH_MEASURES)
    network = read_table(paths.nodes, NETWORK_NODES), read_table(paths.edges, NETWORK_EDGES), optima, name
    figures = {
        "basins": (basin_sizes(optima, measures, name), basin_sizes_words(optima, measures, name)),
        "local_optima_network": (local_optima_network_figure(*network), local_optima_network_words(*network)),
    }
    save_figures(figures, dict(snakemake.output.items()))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
