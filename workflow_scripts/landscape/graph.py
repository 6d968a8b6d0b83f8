"""Analyse the landscape of a benchmark on a neighbour graph."""

from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.landscape import graph_schema
from terranas.landscape.graph_analysis import analyse_graph
from terranas.landscape.known import known_metrics, values_of_cells
from terranas.space.neighbours import read_graph
from terranas.space.schema import CELLS

SCHEMAS = {
    "optima": graph_schema.OPTIMA,
    "components": graph_schema.COMPONENTS,
    "autocorrelation": graph_schema.AUTOCORRELATION,
    "network": graph_schema.NETWORK_EDGES,
    "nodes": graph_schema.NETWORK_NODES,
    "edges": graph_schema.NETWORK_EDGES,
    "objectives": graph_schema.OBJECTIVE_CORRELATION,
    "pareto_optima": graph_schema.PARETO_OPTIMA,
    "hypervolume": graph_schema.AUTOCORRELATION,
    "measures": graph_schema.GRAPH_MEASURES,
}


def main(snakemake: Any) -> None:
    paths, params = snakemake.input, snakemake.params
    cells = read_table(paths.cells, CELLS, ["hash"])
    graph = read_graph(paths.indptr, paths.indices, paths.graph, cells)
    benchmark = TabularBenchmark.open(paths.table)
    fitness, first_cost, *costs = params.metrics
    metrics = [fitness, first_cost, *(known_metrics(benchmark, costs, required=False) if costs else [])]
    values = values_of_cells(benchmark, metrics, cells["hash"])
    directions = [benchmark.direction(metric) for metric in metrics]
    found = analyse_graph(values, metrics, directions, graph, cells["hash"], seed=params.seed, **params.settings)
    facts = {"dataset": benchmark.dataset, "fitness": fitness, "cost": first_cost}
    for name, table_schema in SCHEMAS.items():
        write_table(getattr(found, name), snakemake.output[name], table_schema, facts)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
