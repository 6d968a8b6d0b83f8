"""Schemas of what the neighbour graph tells of a landscape."""

from terranas.core.tables import Column, TableSchema

OPTIMA = TableSchema(
    name="landscape.optima",
    version=1,
    key=("optimum",),
    columns=(
        Column("optimum", "int64", "number of the local optimum, by size of its basin, largest first", ge=0),
        Column("hash", "string", "MD5 of its cell; of a plateau's cells, the first MD5"),
        Column("value", "float64", "value of the metric there"),
        Column("component", "int64", "connected component of the neighbour graph, the largest is 0", ge=0),
        Column("members", "int64", "cells of equal value that are this optimum; more than 1: a plateau", ge=1),
        Column("basin", "int64", "cells whose best-improvement ascent ends here, its members included", ge=1),
        Column("mean_steps", "float64", "mean number of moves of these ascents", ge=0),
        Column("max_steps", "int64", "largest number of moves of these ascents", ge=0),
        Column("isolated", "bool", "a cell without neighbours, counted apart from the optima"),
        Column("is_global", "bool", "no cell of the landscape is better"),
    ),
)

COMPONENTS = TableSchema(
    name="landscape.components",
    version=1,
    key=("component",),
    columns=(
        Column("component", "int64", "connected component of the cells with values, the largest is 0", ge=0),
        Column("cells", "int64", "cells of the component", ge=1),
        Column("arcs", "int64", "directed edges; an undirected edge counts twice", ge=0),
        Column("optima", "int64", "local optima; an isolated cell has none", ge=0),
        Column("best", "float64", "best value of the metric"),
        Column("best_hash", "string", "MD5 of the cell with that value, the first of several"),
        Column("best_cells", "int64", "cells with that value", ge=1),
        Column(
            "fitness_distance",
            "float64",
            "correlation of fitness (larger is better) with the distance to the nearest of them; NaN when undefined",
        ),
        Column("unreachable", "int64", "cells from which arcs lead to none of them (directed graphs only)", ge=0),
        Column(
            "autocorrelation",
            "float64",
            "exact lag-1 autocorrelation of the simple random walk; NaN when constant or directed",
        ),
        Column("correlation_length", "float64", "-1 / ln |autocorrelation| (Weinberger 1990); NaN when undefined"),
        Column("ruggedness", "float64", "1 / autocorrelation, as the thesis defines it; NaN when undefined"),
    ),
)

AUTOCORRELATION = TableSchema(
    name="landscape.autocorrelation",
    version=1,
    key=("lag",),
    columns=(
        Column("lag", "int64", "moves between two visits", ge=0),
        Column("exact", "float64", "autocorrelation of the stationary simple random walk, from the neighbour graph"),
        Column("pooled", "float64", "the same, estimated from walks about the mean of all visits"),
        Column("pooled_low", "float64", "lower end of its bootstrap interval over walks"),
        Column("pooled_high", "float64", "upper end of its bootstrap interval over walks"),
        Column("mean_of_walks", "float64", "mean of the walks' own autocorrelations, each about its own mean"),
        Column("mean_of_walks_low", "float64", "lower end of its bootstrap interval over walks"),
        Column("mean_of_walks_high", "float64", "upper end of its bootstrap interval over walks"),
        Column("walks", "int64", "walks", ge=1),
        Column("constant_walks", "int64", "walks of equal values, which have no autocorrelation of their own", ge=0),
    ),
)

NETWORK_NODES = TableSchema(
    name="landscape.network_nodes",
    version=1,
    key=("optimum",),
    columns=(
        Column("optimum", "int64", "number of the local optimum, by size of its basin, largest first", ge=0),
        Column("hash", "string", "MD5 of its cell; of a plateau's cells, the first MD5"),
        Column("value", "float64", "value of the metric there"),
        Column("component", "int64", "connected component of the neighbour graph, the largest is 0", ge=0),
        Column("members", "int64", "cells of equal value that are this optimum; more than 1: a plateau", ge=1),
        Column("basin", "int64", "cells whose best-improvement ascent ends here, its members included", ge=1),
        Column("stay", "float64", "probability that a random move from a cell of the basin stays in it", ge=0, le=1),
        Column("inside", "float64", "probability that it leads to the basin of another node of this table", ge=0, le=1),
    ),
)

NETWORK_EDGES = TableSchema(
    name="landscape.network_edges",
    version=1,
    key=("source", "target"),
    columns=(
        Column("source", "int64", "local optimum whose basin is left", ge=0),
        Column("target", "int64", "local optimum whose basin is entered", ge=0),
        Column(
            "weight",
            "float64",
            "probability that a random move from a cell of the source's basin enters the target's (Ochoa et al. 2008)",
            ge=0,
        ),
    ),
)

OBJECTIVE_CORRELATION = TableSchema(
    name="landscape.objective_correlation",
    version=1,
    key=("first", "second", "region"),
    columns=(
        Column("first", "string", "an objective"),
        Column("second", "string", "another objective"),
        Column(
            "region",
            "string",
            "all: all cells with all objectives; near_front: layers of non-dominated sorting in all of them, from the "
            "front on",
            isin=("all", "near_front"),
        ),
        Column("cells", "int64", "cells of the region", ge=0),
        Column(
            "spearman",
            "float64",
            "rank correlation, both turned so that better is the same way; NaN when one is constant",
        ),
    ),
)

PARETO_OPTIMA = TableSchema(
    name="landscape.pareto_optima",
    version=1,
    key=("hash",),
    columns=(
        Column("hash", "string", "MD5 of the cell: none of its neighbours dominates it"),
        Column("component", "int64", "connected component within all such cells, the largest is 0", ge=0),
        Column("members", "int64", "cells of that component", ge=1),
        Column("pareto_set", "bool", "whether no cell at all dominates it"),
        Column("neighbours", "int64", "its neighbours with values", ge=1),
    ),
    extra=Column("<objective>", "float64", "value of the objective that names the column"),
)
"""Pareto local optima of fitness and the first cost."""

GRAPH_MEASURES = TableSchema(
    name="landscape.graph_measures",
    version=1,
    key=("measure",),
    columns=(
        Column("measure", "string", "name of the measure"),
        Column("value", "float64", "its value; NaN when undefined"),
        Column("low", "float64", "lower end of a bootstrap interval; NaN where there is none"),
        Column("high", "float64", "upper end of a bootstrap interval; NaN where there is none"),
        Column("cells", "int64", "cells it is about", ge=0),
        Column("left_out", "int64", "cells with a value that it is not defined for", ge=0),
        Column("meaning", "string", "what it is"),
    ),
)
