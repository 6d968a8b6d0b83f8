"""Several objectives on a graph: dominance, Pareto local optima, hypervolume and correlation against slow ways."""

import math
from itertools import product

import moocore
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.core.errors import TableError
from terranas.landscape.autocorrelation import autocorrelation_table
from terranas.landscape.graph_schema import GRAPH_MEASURES, OBJECTIVE_CORRELATION
from terranas.landscape.graph_summary import measure_objectives
from terranas.landscape.objectives import (
    ObjectiveSpace,
    connectedness,
    correlation_table,
    hypervolume_landscape,
    near_front,
    neighbour_dominance,
    neighbourhood_hypervolumes,
    pareto_optima_table,
)
from terranas.landscape.walks import simple_walks
from terranas.space.neighbours import NeighbourGraph

from .small_landscapes import NAN, graph_of, hypercube, names_of, small_cases, undirected

Point = tuple[float, ...]


def space_of(points: list[Point], graph: NeighbourGraph) -> ObjectiveSpace:
    """Return minimised objectives a, b, ..."""
    count = len(points[0])
    return ObjectiveSpace.of(
        np.array(points, dtype=np.float64), "abcd"[:count], ["minimise"] * count, graph, names_of(len(graph))
    )


def dominates(one: Point, other: Point) -> bool:
    return all(x <= y for x, y in zip(one, other, strict=True)) and one != other


@st.composite
def small_spaces(draw: st.DrawFn) -> tuple[list[Point], NeighbourGraph]:
    _, graph = draw(small_cases())
    objectives = draw(st.integers(2, 3))
    value = st.sampled_from([NAN, 0.0, 1.0, 2.0, 3.0, 4.0])
    points = draw(st.lists(st.tuples(*[value] * objectives), min_size=len(graph), max_size=len(graph)))
    if all(any(map(math.isnan, point)) for point in points):
        points[0] = (1.0,) * objectives
    return points, graph


@given(small_spaces())
@settings(max_examples=250, deadline=None)
def test_dominance_and_sets_are_those_of_the_definitions(case: tuple[list[Point], NeighbourGraph]) -> None:
    points, graph = case
    space = space_of(points, graph)
    known = [row for row, point in enumerate(points) if not any(map(math.isnan, point))]
    assert np.flatnonzero(space.known).tolist() == known
    result = neighbour_dominance(space)
    local = set()
    for row in range(len(points)):
        around = [other for other in graph.neighbours(row).tolist() if other in known] if row in known else []
        if not around:
            assert math.isnan(result.nondominated[row])
            assert math.isnan(result.dominating[row])
            continue
        own = points[row]
        counts = {
            "nondominated": sum(not any(dominates(points[x], points[y]) for x in around) for y in around),
            "dominating": sum(dominates(points[other], own) for other in around),
            "dominated": sum(dominates(own, points[other]) for other in around),
            "equal": sum(points[other] == own for other in around),
        }
        counts["incomparable"] = len(around) - counts["dominating"] - counts["dominated"] - counts["equal"]
        for name, count in counts.items():
            assert getattr(result, name)[row] == pytest.approx(count / len(around))
        if not counts["dominating"]:
            local.add(row)
    members = result.pareto_local_optima()
    assert set(np.flatnonzero(members).tolist()) == local
    best = {row for row in known if not any(dominates(points[other], points[row]) for other in known)}
    assert set(np.flatnonzero(space.pareto_set()).tolist()) == best
    whole = nx.Graph([(row, other) for row in range(len(points)) for other in graph.neighbours(row).tolist()])
    whole.add_nodes_from(range(len(points)))
    for cells, mask in ((local, members), (best, space.pareto_set())):
        sizes = sorted(map(len, nx.connected_components(whole.subgraph(cells))))
        hangs = connectedness(graph, mask)
        assert (hangs.cells, hangs.components) == (len(cells), len(sizes))
        assert (hangs.largest, hangs.alone) == (max(sizes, default=0), sizes.count(1))


@given(small_spaces())
@settings(max_examples=100, deadline=None)
def test_pareto_local_optima_are_listed_by_component(case: tuple[list[Point], NeighbourGraph]) -> None:
    points, graph = case
    space = space_of(points, graph)
    table = pareto_optima_table(space, neighbour_dominance(space), np.array(points))
    known = [row for row, point in enumerate(points) if not any(map(math.isnan, point))]
    around = {row: [o for o in graph.neighbours(row).tolist() if o in known] for row in known}
    optima = [row for row in known if around[row] and not any(dominates(points[o], points[row]) for o in around[row])]
    names = names_of(len(graph))
    assert sorted(table["hash"]) == sorted(names[row] for row in optima)
    joined = nx.Graph([(row, other) for row in optima for other in around[row] if other in optima])
    joined.add_nodes_from(optima)
    components = {row: len(part) for part in nx.connected_components(joined) for row in part}
    by_name = table.set_index("hash")
    assert [int(by_name["members"][names[row]]) for row in optima] == [components[row] for row in optima]
    sizes = table.groupby("component")["hash"].count()
    assert sizes.index.tolist() == list(range(nx.number_connected_components(joined) if optima else 0))
    assert sizes.is_monotonic_decreasing
    for row in optima:
        listed = by_name.loc[names[row]]
        assert listed["pareto_set"] == (not any(dominates(points[o], points[row]) for o in known))
        assert listed["neighbours"] == len(around[row])
        assert tuple(listed[list(space.names)]) == points[row]


def test_a_front_along_a_path_is_connected() -> None:
    # a path of trade-offs, each between its neighbours, and a dominated cell off it
    space = space_of(
        [(0, 4), (1, 3), (2, 2), (3, 1), (4, 0), (4, 4)], undirected(6, [(0, 1), (1, 2), (2, 3), (3, 4), (2, 5)])
    )
    measures = measure_objectives(space, neighbour_dominance(space)).set_index("measure")["value"]
    assert (measures["pareto_set"], measures["pareto_set_components"], measures["pareto_set_alone"]) == (5, 1, 0)
    assert (measures["pareto_local_optima"], measures["pareto_local_optima_largest"]) == (5, 5)
    assert measures["dominating_neighbours"] == pytest.approx(1 / 6)  # of the cell off the path, all
    assert measures["nondominated_neighbours"] == pytest.approx((1 + 1 + 2 / 3 + 1 + 1 + 1) / 6)


def test_directions_turn_objectives() -> None:
    graph = hypercube(3)
    values = np.random.default_rng(0).random((8, 2))
    one = ObjectiveSpace.of(values, "ab", ["maximise", "minimise"], graph, names_of(8))
    other = ObjectiveSpace.of(values * [-1, 1], "ab", ["minimise", "minimise"], graph, names_of(8))
    np.testing.assert_array_equal(one.points, other.points)
    assert correlation_table(one).equals(correlation_table(other))


@given(small_spaces())
@settings(max_examples=60, deadline=None)
def test_hypervolume_of_the_neighbours(case: tuple[list[Point], NeighbourGraph]) -> None:
    points, graph = case
    space = space_of(points, graph)
    volumes = neighbourhood_hypervolumes(space)
    low, high = np.nanmin(space.points, axis=0), np.nanmax(space.points, axis=0)
    for row in range(len(points)):
        around = space.graph.neighbours(row).tolist()
        if not around:
            assert math.isnan(volumes[row])
            continue
        # values are whole numbers: count the unit boxes that a neighbour dominates; an equal objective has length 1
        sides = [range(int(a), int(b)) if b > a else range(int(a), int(a) + 1) for a, b in zip(low, high, strict=True)]
        boxes = list(product(*sides))
        covered = sum(any(all(p <= x for p, x in zip(points[o], box, strict=True)) for o in around) for box in boxes)
        assert volumes[row] == pytest.approx(covered / len(boxes))


def test_hypervolume_along_walks() -> None:
    rng = np.random.default_rng(0)
    bits = np.arange(64)[:, None] >> np.arange(6) & 1
    space = space_of(list(map(tuple, (bits @ rng.random((6, 2))).tolist())), hypercube(6))
    landscape = hypervolume_landscape(space)
    np.testing.assert_array_equal(landscape.fitness, neighbourhood_hypervolumes(space))
    walks = simple_walks(landscape.graph, rng, walks=300, steps=40)
    table = autocorrelation_table(landscape, walks, rng, lags=2)
    assert table["pooled_low"][1] - 0.1 < table["exact"][1] < table["pooled_high"][1] + 0.1
    assert table["exact"][1] > 0.3  # sums of bits are smooth
    with pytest.raises(TableError, match="None of the 2 cells has a value"):
        hypervolume_landscape(space_of([(1, 2), (2, 1)], undirected(2, [])))


def test_what_is_near_the_front() -> None:
    rng = np.random.default_rng(0)
    points = rng.random((200, 2))
    points[7] = NAN
    space = ObjectiveSpace.of(points, "ab", ["minimise"] * 2, undirected(200, [(0, 1)]), names_of(200))
    layers = np.full(200, 1000)
    layers[space.known] = moocore.pareto_rank(points[space.known])
    for share in (0.001, 0.1, 0.5, 1):
        near = near_front(space, share)
        last = layers[near].max()
        assert near.sum() >= share * 199 > (layers < last).sum()
        np.testing.assert_array_equal(near, (layers <= last) & space.known)
    for share in (0, -1, 1.1, NAN):
        with pytest.raises(ValueError, match="share must be above 0"):
            near_front(space, share)


def test_correlation_of_objectives() -> None:
    x = np.arange(50.0)
    values = np.column_stack([x, x**3, -x, np.full(50, 0.1)])
    space = ObjectiveSpace.of(values, "abcd", ["maximise"] * 4, undirected(50, [(0, 1)]), names_of(50))
    table = OBJECTIVE_CORRELATION.validate(correlation_table(space, share=1)).set_index(["region", "first", "second"])
    for region in ("all", "near_front"):
        assert table.loc[(region, "a", "b"), "spearman"] == pytest.approx(1)
        assert table.loc[(region, "a", "c"), "spearman"] == pytest.approx(-1)
        assert math.isnan(table.loc[(region, "a", "d"), "spearman"])
        assert table.loc[(region, "a", "d"), "cells"] == 50
    line = correlation_table(
        ObjectiveSpace.of(values[:, [0, 2]], "ac", ["maximise"] * 2, undirected(50, []), names_of(50))
    )
    assert line["spearman"].tolist() == pytest.approx([-1, -1])


def test_no_neighbours_and_refusals() -> None:
    space = space_of([(1, 2), (2, 3)], undirected(2, []))
    measures = GRAPH_MEASURES.validate(measure_objectives(space, neighbour_dominance(space))).set_index("measure")
    assert math.isnan(measures["value"]["nondominated_neighbours"])
    assert measures["left_out"]["nondominated_neighbours"] == 2
    assert measures["value"]["pareto_local_optima"] == 0
    assert measures["value"]["pareto_set"] == 1
    graph = graph_of(2, [(0, 1)])
    with pytest.raises(TableError, match=r"values of the shape \(2, 1\), 1 names and 1 directions"):
        ObjectiveSpace.of(np.zeros((2, 1)), "a", ["minimise"], graph, names_of(2))
    with pytest.raises(TableError, match="row 1 is infinite"):
        space_of([(1, 2), (math.inf, 3)], graph)
    with pytest.raises(TableError, match="None of the 2 cells has a value"):
        space_of([(1, NAN), (NAN, 3)], graph)
