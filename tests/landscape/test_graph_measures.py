"""Walks, autocorrelation, neutrality, fitness and distance, and components against closed forms and slow ways."""

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import pearsonr, spearmanr
from statsmodels.tsa.stattools import acf

from terranas.core.errors import TableError
from terranas.landscape.autocorrelation import (
    autocorrelation_by_component,
    autocorrelation_table,
    exact_autocorrelation,
    mean_autocorrelation,
    pooled_autocorrelation,
)
from terranas.landscape.cardinality import estimate_cardinality
from terranas.landscape.graph_measures import components_table, fitness_distance, neutrality
from terranas.landscape.graph_schema import AUTOCORRELATION, COMPONENTS, GRAPH_MEASURES
from terranas.landscape.graph_summary import MEANINGS, measure_landscape
from terranas.landscape.landscape import Landscape
from terranas.landscape.local_optima_network import local_optima_network, measure_network
from terranas.landscape.optima import find_optima
from terranas.landscape.walks import simple_walks
from terranas.space.neighbours import NeighbourGraph

from .small_landscapes import NAN, graph_of, hypercube, landscape_of, names_of, nk_values, small_cases, undirected

TIMES = {"resamples": 200, "confidence": 0.95}


def networkx_of(landscape: Landscape) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(np.flatnonzero(landscape.known).tolist())
    graph.add_edges_from((row, other) for row in graph for other in landscape.graph.neighbours(row).tolist())
    return graph


# --- walks -----------------------------------------------------------------------------------------------------------


def test_walks_move_to_neighbours_and_come_back() -> None:
    graph = undirected(6, [(0, 1), (1, 2), (2, 0), (2, 3)])  # 4 and 5 are isolated
    walks = simple_walks(graph, np.random.default_rng(0), walks=3000, steps=20)
    assert walks.shape == (3000, 21)
    for row, other in np.column_stack([walks[:100, :-1].ravel(), walks[:100, 1:].ravel()]).tolist():
        assert other in graph.neighbours(row)
    assert (walks[:, 0] == walks[:, 2]).any()
    # every visit has the stationary distribution, in proportion to the neighbours
    for step in (0, 1, 20):
        shares = np.bincount(walks[:, step], minlength=6) / 3000
        assert np.abs(shares - graph.degrees() / 8).max() < 4 * math.sqrt(0.25 / 3000)
    again = simple_walks(graph, np.random.default_rng(0), walks=3000, steps=20)
    np.testing.assert_array_equal(walks, again)


def test_no_walk_without_edges() -> None:
    with pytest.raises(TableError, match=r"none of the 3 cells has a neighbour"):
        simple_walks(undirected(3, []), np.random.default_rng(0), walks=1, steps=1)


# --- autocorrelation -------------------------------------------------------------------------------------------------


def test_linear_landscapes_decay_as_the_walk_on_a_hypercube_does() -> None:
    bits = np.arange(128)[:, None] >> np.arange(7) & 1
    values = exact_autocorrelation(bits @ np.array([1.0, 2, 3, 0.5, -1, 4, 0.1]), hypercube(7), 6)
    np.testing.assert_allclose(values, (1 - 2 / 7) ** np.arange(7))


def test_parity_alternates() -> None:
    parity = np.array([float(row.bit_count() % 2) for row in range(16)])
    np.testing.assert_allclose(exact_autocorrelation(parity, hypercube(4), 3), [1, -1, 1, -1])
    landscape = landscape_of(parity, hypercube(4))
    assert autocorrelation_by_component(landscape).tolist() == pytest.approx([-1])
    assert math.isnan(components_table(landscape, find_optima(landscape))["correlation_length"][0])


def test_nk_landscapes_have_the_known_mean_autocorrelation() -> None:
    rng = np.random.default_rng(1)
    bits, links, count = 8, 3, 60
    found = [exact_autocorrelation(np.array(nk_values(bits, links, rng)), hypercube(bits), 1)[1] for _ in range(count)]
    # 1 - (K + 1) / N about the mean of all such landscapes; each one's own mean takes one of the 2^(K + 1) equal shares
    share = 1 / 2 ** (links + 1)
    expected = (1 - (links + 1) / bits - share) / (1 - share)
    assert abs(np.mean(found) - expected) < 4 * np.std(found) / math.sqrt(count)


@given(small_cases(directed=False))
@settings(max_examples=80, deadline=None)
def test_exact_autocorrelation_is_the_correlation_over_edges(case: tuple[list[float], NeighbourGraph]) -> None:
    values, graph = case
    landscape = landscape_of(values, graph)
    sources = np.repeat(np.arange(len(landscape)), landscape.graph.degrees())
    targets = landscape.graph.indices
    ends = landscape.fitness[sources], landscape.fitness[targets]
    first = exact_autocorrelation(landscape.fitness, landscape.graph, 1)[1]
    if len(targets) and np.ptp(ends[0]) > 0:
        assert first == pytest.approx(pearsonr(*ends).statistic)
    else:
        assert math.isnan(first)
    for number, value in enumerate(autocorrelation_by_component(landscape).tolist()):
        within = landscape.components[sources] == number
        if within.any() and np.ptp(ends[0][within]) > 0:
            assert value == pytest.approx(pearsonr(ends[0][within], ends[1][within]).statistic, abs=1e-9)
        else:
            assert math.isnan(value)


def test_walks_agree_with_the_exact_function() -> None:
    rng = np.random.default_rng(4)
    landscape = landscape_of(nk_values(8, 2, rng), hypercube(8))
    walks = simple_walks(landscape.graph, rng, walks=1000, steps=100)
    table = AUTOCORRELATION.validate(autocorrelation_table(landscape, walks, rng, lags=10))
    assert table["lag"].tolist() == list(range(11))
    width = (table["pooled_high"] - table["pooled_low"]) / 2
    assert (np.abs(table["pooled"] - table["exact"])[1:] < 2.5 * width[1:]).all()
    assert (width[1:] < 0.03).all()
    assert (table["pooled_low"] <= table["pooled"]).all()
    assert (table["pooled"] <= table["pooled_high"]).all()


def test_mean_of_walks_is_that_of_statsmodels() -> None:
    series = np.random.default_rng(0).random((12, 30))
    series[3] = 0.1  # has none
    own = [acf(walk, nlags=5) for number, walk in enumerate(series) if number != 3]
    estimate = mean_autocorrelation(series, 5, np.random.default_rng(1), **TIMES)
    np.testing.assert_allclose(estimate.value, np.mean(own, axis=0))
    assert (estimate.low[1:] < estimate.value[1:]).all()
    assert (estimate.value[1:] < estimate.high[1:]).all()


def test_pooled_autocorrelation_is_about_the_common_mean() -> None:
    series = 5 + np.random.default_rng(0).random((6, 9))
    deviations = series - series.mean()
    estimate = pooled_autocorrelation(series, 3, np.random.default_rng(1), **TIMES)
    covariances = [(deviations[:, : 9 - lag] * deviations[:, lag:]).mean() for lag in range(4)]
    np.testing.assert_allclose(estimate.value, np.array(covariances) / covariances[0])


def test_constant_fitness_has_no_autocorrelation() -> None:
    landscape = landscape_of([0.1] * 8, hypercube(3))
    walks = simple_walks(landscape.graph, np.random.default_rng(0), walks=4, steps=10)
    table = autocorrelation_table(landscape, walks, np.random.default_rng(0), lags=2)
    functions = table.drop(columns=["lag", "walks", "constant_walks"])
    assert functions.isna().all(axis=None)
    assert table["constant_walks"].tolist() == [4, 4, 4]


def test_walks_too_short_and_directed_graphs_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no autocorrelation at lag 3"):
        pooled_autocorrelation(np.zeros((2, 3)), 3, np.random.default_rng(0), **TIMES)
    with pytest.raises(ValueError, match=r"no autocorrelation at lag 3"):
        mean_autocorrelation(np.zeros((2, 3)), 3, np.random.default_rng(0), **TIMES)
    directed = landscape_of([1, 2], graph_of(2, [(0, 1)]))
    for call in (
        lambda: autocorrelation_by_component(directed),
        lambda: autocorrelation_table(directed, np.zeros((1, 3), dtype=np.int32), np.random.default_rng(0), lags=1),
    ):
        with pytest.raises(TableError, match=r"Use the neighbourhood edit_symmetric instead of edit"):
            call()


# --- neutrality ------------------------------------------------------------------------------------------------------


def test_neutrality_within_a_tolerance() -> None:
    landscape = landscape_of([0.0, 0.25, 0.5, 1.0, NAN, 3.0], undirected(6, [(0, 1), (1, 2), (2, 3), (3, 4)]))
    for tolerance, shares in (
        (0.0, [0, 0, 0, 0]),
        (0.25, [1, 1, 0.5, 0]),
        (0.5, [1, 1, 1, 1]),
    ):
        result = neutrality(landscape, tolerance)
        assert result.of_cells[:4].tolist() == shares
        assert np.isnan(result.of_cells[4:]).all()
        assert result.mean == np.mean(shares)
        assert (result.cells, result.without_neighbours) == (4, 1)
    assert neutrality(landscape, 0.25).of_edges == pytest.approx(2 / 3)
    for tolerance in (-0.1, NAN, math.inf):
        with pytest.raises(ValueError, match="tolerance must be"):
            neutrality(landscape, tolerance)
    alone = neutrality(landscape_of([1, 1], undirected(2, [])), 0)
    assert math.isnan(alone.of_edges)
    assert math.isnan(alone.mean)


# --- fitness and distance, components --------------------------------------------------------------------------------


def test_fitness_that_falls_with_distance_correlates_perfectly() -> None:
    values = [float(-row.bit_count()) for row in range(32)]
    result = fitness_distance(landscape_of(values, hypercube(5)), "landscape")
    assert result.pearson == pytest.approx(-1)
    assert result.spearman == pytest.approx(-1)
    assert result.distances.tolist() == [row.bit_count() for row in range(32)]
    minimised = fitness_distance(landscape_of([-value for value in values], hypercube(5), "minimise"), "landscape")
    assert minimised.pearson == pytest.approx(-1)


def test_undefined_correlations_are_nan_and_counted() -> None:
    constant = fitness_distance(landscape_of([0.3] * 8, hypercube(3)), "landscape")
    assert math.isnan(constant.pearson)
    assert math.isnan(constant.spearman)
    assert (constant.cells, constant.unreachable) == (8, 0)
    apart = fitness_distance(landscape_of([1, 2, 5, 4], undirected(4, [(0, 1)])), "landscape")
    assert (apart.cells, apart.unreachable) == (1, 3)
    assert math.isnan(apart.pearson)


@given(small_cases())
@settings(max_examples=80, deadline=None)
def test_distances_and_components_are_those_of_networkx(case: tuple[list[float], NeighbourGraph]) -> None:
    values, graph = case
    landscape = landscape_of(values, graph)
    network = networkx_of(landscape)
    for best_of in ("landscape", "component"):
        result = fitness_distance(landscape, best_of)  # type: ignore[arg-type]
        groups = [set(network)] if best_of == "landscape" else list(nx.weakly_connected_components(network))
        expected = np.full(len(values), -1)
        for cells in groups:
            best = [row for row in cells if values[row] == max(values[other] for other in cells)]
            for target in best:
                for row, moves in dict(nx.single_target_shortest_path_length(network, target)).items():
                    if row in cells and (expected[row] < 0 or moves < expected[row]):
                        expected[row] = moves
        assert result.distances.tolist() == expected.tolist()
        reaching = expected >= 0
        x, y = np.array(values)[reaching], expected[reaching]
        if np.ptp(x) > 0 and np.ptp(y) > 0:
            assert result.pearson == pytest.approx(pearsonr(x, y).statistic)
            assert result.spearman == pytest.approx(spearmanr(x, y).statistic)
        else:
            assert math.isnan(result.pearson)
        assert (result.cells, result.unreachable) == (reaching.sum(), len(network) - reaching.sum())


@given(small_cases())
@settings(max_examples=25, deadline=None)
def test_table_of_components(case: tuple[list[float], NeighbourGraph]) -> None:
    values, graph = case
    landscape = landscape_of(values, graph)
    network = networkx_of(landscape)
    table = COMPONENTS.validate(components_table(landscape, find_optima(landscape)))
    assert not np.isinf(table.select_dtypes("number")).any(axis=None)
    groups = {frozenset(cells) for cells in nx.weakly_connected_components(network)}
    found = [frozenset(np.flatnonzero(landscape.components == number).tolist()) for number in table["component"]]
    assert set(found) == groups
    assert table["cells"].tolist() == [len(cells) for cells in found]
    names = names_of(len(values))
    for cells, row in zip(found, table.to_dict("records"), strict=True):
        best = [cell for cell in cells if values[cell] == row["best"]]
        assert row["best"] == max(values[cell] for cell in cells)
        assert (row["best_cells"], row["best_hash"]) == (len(best), min(names[cell] for cell in best))
        assert row["arcs"] == network.subgraph(cells).number_of_edges()
        distances = fitness_distance(landscape, "component").distances
        reaching = [cell for cell in cells if distances[cell] >= 0]
        x, y = [values[cell] for cell in reaching], [int(distances[cell]) for cell in reaching]
        if len(set(x)) > 1:
            assert row["fitness_distance"] == pytest.approx(pearsonr(x, y).statistic)
        else:
            assert math.isnan(row["fitness_distance"])
        assert row["unreachable"] == len(cells) - len(reaching)
    assert table["optima"].sum() == find_optima(landscape).count


# --- all measures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "graph"),
    [
        (nk_values(4, 1, np.random.default_rng(0)), hypercube(4)),
        ([1.0] * 8, hypercube(3)),
        ([1.0, 2.0, NAN, 3.0], graph_of(4, [(0, 1), (1, 2)])),
        ([1.0, NAN], undirected(2, [(0, 1)])),
    ],
)
def test_measures_are_named_and_never_infinite(values: list[float], graph: NeighbourGraph) -> None:
    landscape = landscape_of(values, graph)
    optima = find_optima(landscape)
    rng = np.random.default_rng(0)
    walked = None
    if landscape.undirected and len(landscape.graph.indices):
        walks = simple_walks(landscape.graph, rng, walks=5, steps=10)
        walked = autocorrelation_table(landscape, walks, rng, lags=3)
    table = measure_landscape(
        landscape,
        optima,
        neutrality(landscape, 0),
        fitness_distance(landscape, "landscape"),
        measure_network(local_optima_network(landscape, optima), optima, landscape),
        estimate_cardinality(landscape, optima, rng, repetitions=3),
        walked,
    )
    numbers = GRAPH_MEASURES.validate(table).set_index("measure")
    assert set(numbers.index) <= set(MEANINGS)
    assert not np.isinf(numbers[["value", "low", "high"]]).any(axis=None)
    assert numbers["value"]["cells"] == landscape.known.sum()
    assert numbers["value"]["unknown"] == (~landscape.known).sum()
    assert numbers["value"]["optima"] + numbers["value"]["isolated"] == len(optima)
    assert numbers["value"]["global_basin"] <= numbers["value"]["cells"]
    exact = math.nan if walked is None else walked["exact"][1]
    assert numbers["value"]["autocorrelation"] == pytest.approx(exact, nan_ok=True)
    assert numbers["left_out"]["autocorrelation"] == numbers["value"]["isolated"]
