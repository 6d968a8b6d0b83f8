"""Local optima, basins, networks and the number of optima against definitions, closed forms and brute force."""

import math
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.core.errors import TableError
from terranas.core.pareto import Direction
from terranas.landscape.cardinality import PUBLISHED_RESTARTS, card_optima, estimate_cardinality
from terranas.landscape.graph_schema import NETWORK_EDGES, NETWORK_NODES, OPTIMA
from terranas.landscape.landscape import Landscape
from terranas.landscape.local_optima_network import (
    edges_table,
    largest_basins,
    local_optima_network,
    measure_network,
)
from terranas.landscape.optima import find_optima, optima_table
from terranas.space.neighbours import NeighbourGraph

from .small_landscapes import (
    NAN,
    graph_of,
    hypercube,
    landscape_of,
    names_of,
    nk_values,
    shuffled,
    slow_optima,
    small_cases,
    undirected,
)


def members_of(landscape: Landscape) -> list[frozenset[int]]:
    optima = find_optima(landscape)
    return [frozenset(np.flatnonzero(optima.member_of == number).tolist()) for number in range(len(optima))]


# --- optima and basins -----------------------------------------------------------------------------------------------


@given(small_cases(), st.sampled_from(["maximise", "minimise"]))
@settings(max_examples=300, deadline=None)
def test_optima_and_basins_are_those_of_the_definition(
    case: tuple[list[float], NeighbourGraph], direction: Direction
) -> None:
    values, graph = case
    landscape = landscape_of(values, graph, direction)
    optima = find_optima(landscape)
    slow = slow_optima(values, graph, direction)
    members = members_of(landscape)
    assert set(members) == slow.optima
    assert len(members) == len(slow.optima)
    for row, value in enumerate(values):
        if math.isnan(value):
            assert optima.basin_of[row] == optima.steps[row] == optima.member_of[row] == -1
        else:
            assert members[optima.basin_of[row]] == slow.ends[row]
            assert optima.steps[row] == slow.moves[row]
    assert optima.basin_sizes.tolist() == [Counter(slow.ends.values())[cells] for cells in members]
    assert optima.members.tolist() == [len(cells) for cells in members]
    names = names_of(len(values))
    assert optima.representatives.tolist() == [min(cells, key=lambda row: names[row]) for cells in members]


@given(small_cases(), st.sampled_from(["maximise", "minimise"]))
@settings(max_examples=30, deadline=None)
def test_table_of_optima(case: tuple[list[float], NeighbourGraph], direction: Direction) -> None:
    values, graph = case
    landscape = landscape_of(values, graph, direction)
    slow = slow_optima(values, graph, direction)
    members = members_of(landscape)
    table = OPTIMA.validate(optima_table(find_optima(landscape), landscape))
    best = max if direction == "maximise" else min
    assert set(table.loc[table["is_global"], "value"]) == {best(value for value in values if not math.isnan(value))}
    assert table["basin"].is_monotonic_decreasing
    for _, row in table.iterrows():
        moves = [slow.moves[cell] for cell, end in slow.ends.items() if end == members[row["optimum"]]]
        assert (row["mean_steps"], row["max_steps"]) == (pytest.approx(np.mean(moves)), max(moves))
        assert row["value"] == values[names_of(len(values)).index(row["hash"])]


@given(small_cases(), st.randoms())
@settings(max_examples=60, deadline=None)
def test_the_order_of_rows_does_not_matter(case: tuple[list[float], NeighbourGraph], random: object) -> None:
    values, graph = case
    order = list(range(len(values)))
    random.shuffle(order)  # type: ignore[attr-defined]
    names = names_of(len(values))
    one = landscape_of(values, graph)
    other = Landscape.of(np.array(values)[order], shuffled(graph, order), "maximise", [names[row] for row in order])
    tables = [optima_table(find_optima(landscape), landscape) for landscape in (one, other)]
    assert tables[0].equals(tables[1])
    np.testing.assert_array_equal(one.components[order], other.components)
    networks = [local_optima_network(landscape, find_optima(landscape)) for landscape in (one, other)]
    np.testing.assert_array_equal(networks[0].targets, networks[1].targets)
    np.testing.assert_allclose(networks[0].weights, networks[1].weights)


def test_a_linear_landscape_has_one_optimum_whose_basin_is_all() -> None:
    weights = np.array([0.3, -1.0, 0.7, 2.0, -0.2, 0.9])
    bits = np.arange(64)[:, None] >> np.arange(6) & 1
    landscape = landscape_of(bits @ weights, hypercube(6))
    optima = find_optima(landscape)
    assert (len(optima), optima.count, optima.stuck) == (1, 1, 1)
    assert optima.basin_sizes.tolist() == [64]
    assert bits[optima.representatives[0]].tolist() == (weights > 0).tolist()
    # best improvement flips a wrong bit a step
    assert optima.steps.tolist() == (bits != (weights > 0)).sum(axis=1).tolist()


def test_constant_fitness_is_one_plateau_a_component() -> None:
    landscape = landscape_of([1.0] * 7, undirected(7, [(0, 1), (1, 2), (3, 4), (4, 5)]))
    optima = find_optima(landscape)
    assert optima.members.tolist() == optima.basin_sizes.tolist() == [3, 3, 1]
    assert optima.isolated.tolist() == [False, False, True]
    assert (optima.count, optima.stuck) == (2, 6)
    assert not optima.steps.any()


def test_a_plateau_with_a_way_out_is_no_optimum() -> None:
    # 0 - 1 - 2 are equal; 2 leads up to 3
    landscape = landscape_of([1, 1, 1, 2], undirected(4, [(0, 1), (1, 2), (2, 3)]))
    optima = find_optima(landscape)
    assert optima.representatives.tolist() == [3]
    assert optima.steps.tolist() == [3, 2, 1, 0]
    assert optima.stuck == 3  # the cells 0, 1 and 3 have no better neighbour


def test_what_an_optimum_is_on_a_directed_graph() -> None:
    # nothing leads away from 0, though 1, which leads to it, is better; 2 and 3 lead to each other and to their equal 4
    graph = graph_of(5, [(1, 0), (2, 3), (3, 2), (3, 4)])
    landscape = landscape_of([1, 2, 5, 5, 5], graph)
    assert set(members_of(landscape)) == {frozenset({0}), frozenset({1}), frozenset({4})}
    assert find_optima(landscape).basin_sizes.tolist() == [3, 1, 1]
    assert not landscape.isolated.any()
    assert not landscape.undirected


def test_equally_good_neighbours_are_told_apart_by_hash() -> None:
    names = names_of(5)
    landscape = landscape_of([0, 1, 1, 1, 1], undirected(5, [(0, 1), (0, 2), (0, 3), (0, 4)]))
    optima = find_optima(landscape)
    assert names[optima.representatives[optima.basin_of[0]]] == min(names[1:])
    assert optima.basin_sizes.tolist() == [2, 1, 1, 1]


@pytest.mark.parametrize("links", [0, 2, 5])
def test_nk_landscapes(links: int) -> None:
    values = nk_values(6, links, np.random.default_rng(links))
    landscape = landscape_of(values, hypercube(6))
    expected = {row for row in range(64) if all(values[row] > values[row ^ 1 << bit] for bit in range(6))}
    assert set(find_optima(landscape).representatives.tolist()) == expected
    assert (len(expected) == 1) == (links == 0)


def test_expected_number_of_optima_of_random_landscapes() -> None:
    rng = np.random.default_rng(5)
    graph = undirected(60, [(int(one), int(other)) for one, other in rng.integers(60, size=(120, 2)) if one != other])
    expected = (1 / (graph.degrees() + 1)).sum()
    counts = [len(find_optima(landscape_of(rng.random(60), graph))) for _ in range(400)]
    assert abs(np.mean(counts) - expected) < 4 * np.std(counts) / 20


def test_components_are_ordered_by_size_then_hash() -> None:
    graph = undirected(8, [(0, 1), (2, 3), (3, 4), (5, 6)])
    landscape = landscape_of([1, 2, 3, 4, 5, 6, NAN, 7], graph)
    names = names_of(8)
    sizes = np.bincount(landscape.components[landscape.known])
    assert sizes.tolist() == [3, 2, 1, 1]
    assert landscape.components[6] == -1
    assert (landscape.components[5] < landscape.components[7]) == (names[5] < names[7])
    assert np.flatnonzero(landscape.isolated).tolist() == [5, 7]


# --- refusals --------------------------------------------------------------------------------------------------------


def test_what_is_no_landscape_is_said() -> None:
    graph = undirected(3, [(0, 1)])
    with pytest.raises(TableError, match=r"one value for each of the 3 cells .* shape \(2,\)"):
        Landscape.of(np.zeros(2), graph, "maximise", names_of(3))
    with pytest.raises(TableError, match=r"None of the 3 cells has a value"):
        Landscape.of(np.full(3, NAN), graph, "maximise", names_of(3))
    with pytest.raises(TableError, match=r"row 1 is infinite"):
        Landscape.of(np.array([0, math.inf, 1]), graph, "maximise", names_of(3))
    with pytest.raises(TableError, match=r"needs one hash for each of its 3 cells, got 2"):
        Landscape.of(np.zeros(3), graph, "maximise", names_of(2))
    with pytest.raises(TableError, match=r"The hash a stands twice"):
        Landscape.of(np.zeros(3), graph, "maximise", ["a", "b", "a"])


# --- local optima network --------------------------------------------------------------------------------------------


@given(small_cases())
@settings(max_examples=200, deadline=None)
def test_network_is_that_of_the_definition(case: tuple[list[float], NeighbourGraph]) -> None:
    values, graph = case
    landscape = landscape_of(values, graph)
    optima = find_optima(landscape)
    network = local_optima_network(landscape, optima)
    expected: dict[tuple[int, int], float] = defaultdict(float)
    for row in np.flatnonzero(landscape.known).tolist():
        basin = int(optima.basin_of[row])
        around = [other for other in graph.neighbours(row).tolist() if landscape.known[other]]
        for other in around or [row]:
            share = 1 / (len(around) or 1) / optima.basin_sizes[basin]
            expected[basin, int(optima.basin_of[other])] += share
    found = {
        (source, target): weight
        for source, target, weight in zip(
            network.sources.tolist(), network.targets.tolist(), network.weights.tolist(), strict=True
        )
    }
    assert all(one < other for one, other in pairwise(found))  # ascending, each once
    found |= {(number, number): float(stay) for number, stay in enumerate(network.stay) if stay > 0}
    assert found == pytest.approx(dict(expected))
    sums = network.stay + np.bincount(network.sources, network.weights, minlength=len(network))
    np.testing.assert_allclose(sums, 1)
    edges = NETWORK_EDGES.validate(edges_table(network))
    assert len(edges) == len(network.targets)


def test_network_measures_and_its_largest_basins() -> None:
    # a path of three hills, values 1 0 3 0 2, and an isolated cell
    landscape = landscape_of([1, 0, 3, 0, 2, 9], undirected(6, [(0, 1), (1, 2), (2, 3), (3, 4)]))
    optima = find_optima(landscape)
    assert optima.basin_sizes.tolist() == [3, 1, 1, 1]
    assert landscape.fitness[optima.representatives].tolist() == [3, 9, 2, 1]
    network = local_optima_network(landscape, optima)
    measures = measure_network(network, optima, landscape)
    # from the hill 3 (cells 1, 2, 3): half of the moves of 1 and 3 leave it
    assert network.stay.tolist() == pytest.approx([2 / 3, 1, 0, 0])
    assert (measures.nodes, measures.edges, measures.without_way_out) == (3, 4, 0)
    assert measures.mean_out_degree == pytest.approx(4 / 3)
    assert measures.mean_stay == pytest.approx(2 / 9)
    assert measures.improving == pytest.approx(2 / (2 + 1 / 3))
    nodes, edges = largest_basins(network, optima, landscape, 2)
    NETWORK_NODES.validate(nodes)
    assert nodes["value"].tolist() == [3, 2]  # the isolated cell is left out
    assert edges[["source", "target"]].values.tolist() == [[0, 2], [2, 0]]
    assert nodes["inside"].tolist() == pytest.approx([1 / 6, 1])


def test_network_without_edges() -> None:
    landscape = landscape_of([1, 2], undirected(2, []))
    optima = find_optima(landscape)
    network = local_optima_network(landscape, optima)
    measures = measure_network(network, optima, landscape)
    assert (measures.nodes, measures.edges) == (0, 0)
    assert all(math.isnan(value) for value in (measures.mean_out_degree, measures.mean_stay, measures.improving))
    assert [len(table) for table in largest_basins(network, optima, landscape, 5)] == [0, 0]


# --- number of optima ------------------------------------------------------------------------------------------------


def test_birthday_estimate_of_the_published_example() -> None:
    assert card_optima(22) == 349
    assert card_optima(94.0) == 6373  # the mean of the released notebook
    assert card_optima(22, 0.9) == int(22**2 / (2 * math.log(10)))
    assert card_optima(0) == 0
    for searches, probability in ((-1, 0.5), (NAN, 0.5), (math.inf, 0.5), (22, 0), (22, 1)):
        with pytest.raises(ValueError, match="must be"):
            card_optima(searches, probability)


def test_birthday_estimate_of_equally_large_basins() -> None:
    hills = 300  # of four cells each, every one a star
    edges = [(4 * hill, 4 * hill + leaf) for hill in range(hills) for leaf in (1, 2, 3)]
    values = [float(row % 4 == 0) for row in range(4 * hills)]
    landscape = landscape_of(values, undirected(4 * hills, edges))
    optima = find_optima(landscape)
    result = estimate_cardinality(landscape, optima, np.random.default_rng(2), repetitions=2000)
    assert result.exact == hills
    # after i searches without a repeat, i of the cells left are their starts' and 3 i more are of hills found
    alone = np.cumprod([(4 * hills - 4 * i) / (4 * hills - i) for i in range(hills)])
    spread = result.first_repeats.std() / math.sqrt(2000)
    assert abs(result.mean - (1 + alone.sum())) < 4 * spread
    assert result.low < result.estimate < result.high
    assert result.estimate == card_optima(result.mean)
    assert result.published_dropped == 0
    assert result.published == result.estimate


def test_repetitions_without_a_repeat() -> None:
    # pairs: a repeat needs both cells of a pair, so many repetitions pass the published bound
    cells = 40_000
    landscape = landscape_of(np.arange(cells), undirected(cells, [(row, row + 1) for row in range(0, cells, 2)]))
    optima = find_optima(landscape)
    result = estimate_cardinality(landscape, optima, np.random.default_rng(3), repetitions=30)
    late = result.first_repeats > PUBLISHED_RESTARTS
    assert 0 < late.sum() < 30
    assert result.published_dropped == late.sum()
    assert result.published == card_optima(result.first_repeats[~late].mean())
    assert result.published < result.estimate
    # no cell to start from
    alone = landscape_of([1, 2], undirected(2, []))
    nothing = estimate_cardinality(alone, find_optima(alone), np.random.default_rng(1), repetitions=3)
    assert nothing.exact == 0
    assert np.isnan(nothing.first_repeats).all()
    assert all(math.isnan(value) for value in (nothing.mean, nothing.estimate, nothing.low, nothing.published))


def test_a_late_first_repeat() -> None:
    # a low centre whose leaves are all optima: only the centre and the best leaf end in the same
    leaves = 5000
    landscape = landscape_of(
        [0, *range(1, leaves + 1)], undirected(leaves + 1, [(0, leaf + 1) for leaf in range(leaves)])
    )
    optima = find_optima(landscape)
    result = estimate_cardinality(landscape, optima, np.random.default_rng(0), repetitions=200)
    rng = np.random.default_rng(0)
    orders = [rng.permutation(leaves + 1) for _ in range(200)]
    expected = [1 + max(np.flatnonzero(order == 0)[0], np.flatnonzero(order == leaves)[0]) for order in orders]
    assert result.first_repeats.tolist() == expected
    assert result.exact == leaves
