"""Figures of landscapes on their graphs: what they show and say, for rugged landscapes, plateaus and nothing."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from terranas.landscape.autocorrelation import autocorrelation_table
from terranas.landscape.basin_figures import basin_sizes, basin_sizes_words
from terranas.landscape.cardinality import estimate_cardinality
from terranas.landscape.figures import LandscapeName
from terranas.landscape.graph_figures import (
    SHARES,
    autocorrelation_function,
    autocorrelation_words,
    objective_landscape,
    objective_landscape_words,
)
from terranas.landscape.graph_measures import fitness_distance, neutrality
from terranas.landscape.graph_schema import NETWORK_EDGES, NETWORK_NODES, OPTIMA
from terranas.landscape.graph_summary import measure_landscape, measure_objectives
from terranas.landscape.landscape import Landscape
from terranas.landscape.local_optima_network import largest_basins, local_optima_network, measure_network
from terranas.landscape.network_figure import (
    MOST_LINES,
    lay_out,
    local_optima_network_figure,
    local_optima_network_words,
)
from terranas.landscape.objectives import ObjectiveSpace, neighbour_dominance
from terranas.landscape.optima import find_optima, optima_table
from terranas.landscape.walks import simple_walks
from terranas.space.neighbours import NeighbourGraph

from .drawn import headline, legend, overlapping_labels, same_twice, words_inside
from .small_landscapes import hypercube, landscape_of, names_of, nk_values, undirected

NAME = LandscapeName("synthetic test images", "validation_macro_accuracy", "hamming")
OTHER = LandscapeName("other images", "validation_macro_accuracy", "edit_symmetric")


def rugged(bits: int = 7, links: int = 4) -> Landscape:
    return landscape_of(nk_values(bits, links, np.random.default_rng(5)), hypercube(bits))


def autocorrelation_of(landscape: Landscape, walks: int = 40, steps: int = 30, lags: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    found = simple_walks(landscape.graph, rng, walks=walks, steps=steps)
    return autocorrelation_table(landscape, found, rng, lags=lags, resamples=50)


def tables_of(landscape: Landscape) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the optima and the measures."""
    optima = find_optima(landscape)
    measures = measure_landscape(
        landscape,
        optima,
        neutrality(landscape, 0),
        fitness_distance(landscape, "landscape"),
        measure_network(local_optima_network(landscape, optima), optima, landscape),
        estimate_cardinality(landscape, optima, np.random.default_rng(1), repetitions=20, resamples=50),
        None,
    )
    return optima_table(optima, landscape), measures


def network_of(landscape: Landscape, count: int = 500) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return nodes, edges and optima."""
    optima = find_optima(landscape)
    nodes, edges = largest_basins(local_optima_network(landscape, optima), optima, landscape, count)
    return nodes, edges, optima_table(optima, landscape)


# --- autocorrelation -------------------------------------------------------------------------------------------------


def test_autocorrelation_shows_each_landscape_exact_and_from_walks(tmp_path: Path) -> None:
    tables = {NAME: autocorrelation_of(rugged()), OTHER: autocorrelation_of(rugged(5, 1), walks=3)}
    with autocorrelation_function(tables) as (drawn, numbers):
        assert headline(drawn) == (
            "Autocorrelation of validation macro accuracy along simple random walks 3 and 40 walks a landscape"
        )
        assert not overlapping_labels(drawn)
        assert [label for label in legend(drawn) if label.startswith("exact")] == ["exact, from the graph"]
        for axes, (name, table) in zip(drawn.axes, tables.items(), strict=False):
            exact = next(line for line in axes.get_lines() if str(line.get_label()).startswith("exact"))
            np.testing.assert_allclose(exact.get_ydata(), table["exact"])
            title = axes.get_title(loc="left")
            assert title.startswith(f"{name.dataset}, {name.neighbourhood}\nρ(1) = {table['exact'][1]:.2f}")
        first = numbers[numbers["dataset"] == NAME.dataset]
        np.testing.assert_allclose(first["first_order"], tables[NAME]["exact"][1] ** first["lag"])
    alt, caption = autocorrelation_words(tables)
    assert f"exact {tables[NAME]['exact'][1]:.2f} at lag 1" in alt
    assert "3 and 40 walks a landscape" in caption
    assert len(same_twice(lambda: autocorrelation_function(tables), tmp_path)) == 26


def test_autocorrelation_without_landscapes_or_of_constant_fitness() -> None:
    with autocorrelation_function({}) as (drawn, numbers):
        assert "needs an undirected neighbour graph" in words_inside(drawn)
        assert numbers.empty
    assert "No landscape has one" in autocorrelation_words({})[0]
    flat = autocorrelation_of(landscape_of([0.5] * 8, hypercube(3)), walks=3, steps=4, lags=2)
    with autocorrelation_function({NAME: flat}) as (drawn, numbers):
        drawn.canvas.draw()
        assert "Undefined: the fitness is the same" in words_inside(drawn)
        assert numbers["first_order"].isna().all()
    assert autocorrelation_words({NAME: flat})[0].endswith(f"{NAME}: undefined.")


def test_constant_walks_are_counted() -> None:
    # two parts: in one all cells are equal, so walks there have no autocorrelation of their own
    landscape = landscape_of([1, 1, 1, 0, 2, 5], undirected(6, [(0, 1), (1, 2), (3, 4), (4, 5)]))
    table = autocorrelation_of(landscape, walks=30, steps=8, lags=3)
    with autocorrelation_function({NAME: table}) as (drawn, _):
        assert f"{table['constant_walks'][0]} constant walks" in words_inside(drawn)
        assert not overlapping_labels(drawn)


# --- basins ----------------------------------------------------------------------------------------------------------


def test_basins_are_counted_and_the_global_optimum_is_marked(tmp_path: Path) -> None:
    optima, measures = tables_of(rugged(8, 5))
    with basin_sizes(optima, measures, NAME) as (drawn, numbers):
        estimate = measures.set_index("measure").loc["birthday_optima", "value"]
        assert f"Basins of attraction of {len(optima)} local optima; birthday estimate {estimate:,.0f} (" in headline(
            drawn
        )
        assert legend(drawn) == ["global optimum"]
        assert not overlapping_labels(drawn)
        curve = drawn.axes[0].get_lines()[0]
        sizes, at_least = (np.asarray(part) for part in (curve.get_xdata(), curve.get_ydata()))
        for size, number in zip(sizes, at_least, strict=True):
            assert number == (optima["basin"] >= size).sum()
        best = optima[optima["is_global"]]
        star = next(line for line in drawn.axes[1].get_lines() if line.get_label() == "global optimum")
        np.testing.assert_allclose(star.get_xdata(), 100 * best["value"])
        np.testing.assert_allclose(star.get_ydata(), best["basin"])
        assert numbers["basin"].sum() == 256
    alt, caption = basin_sizes_words(optima, measures, NAME)
    assert f"The largest basin has {optima['basin'].max()} cells" in alt
    assert f"1 global optimum (star): {best['basin'].iloc[0]} cells" in caption
    same_twice(lambda: basin_sizes(optima, measures, NAME), tmp_path)


def test_thousands_of_optima_are_shown_as_densities_without_the_far_tail() -> None:
    rng = np.random.default_rng(0)
    count = 5_000
    values = np.concatenate([rng.normal(0.9, 0.01, count - 20), np.full(20, 0.1)])
    optima = OPTIMA.validate(
        pd.DataFrame(
            {
                "optimum": np.arange(count),
                "hash": names_of(count),
                "value": values,
                "component": 0,
                "members": 1,
                "basin": np.sort(rng.geometric(0.05, count))[::-1],
                "mean_steps": 1.0,
                "max_steps": 2,
                "isolated": False,
                "is_global": values == values.max(),
            }
        )
    )
    with basin_sizes(optima, pd.DataFrame({"measure": [], "value": []}), NAME) as (drawn, _):
        low, high = drawn.axes[1].get_xlim()
        assert 80 < low < high
        beyond = (100 * values < np.quantile(100 * values, 0.01)).sum()
        assert f"{beyond} optima below " in drawn.axes[1].get_title(loc="left")
        (mesh,) = drawn.axes[1].collections
        assert mesh.get_array().sum() == count - beyond
        assert headline(drawn).startswith("Basins of attraction of 5,000 local optima ")
        assert not overlapping_labels(drawn)


@pytest.mark.parametrize(
    ("landscape", "said"),
    [
        (landscape_of([0.2, 0.3, 0.4], undirected(3, [])), "No local optimum: no cell has a neighbour."),
        (landscape_of([0.2], undirected(1, [])), "No local optimum"),
    ],
)
def test_basins_without_an_optimum(landscape: Landscape, said: str) -> None:
    optima, measures = tables_of(landscape)
    with basin_sizes(optima, measures, NAME) as (drawn, _):
        drawn.canvas.draw()
        assert said in words_inside(drawn)
        assert "0 local optima (and " in headline(drawn)
    assert "no local optimum" in " ".join(basin_sizes_words(optima, measures, NAME))


def test_basins_of_one_plateau() -> None:
    optima, measures = tables_of(landscape_of([0.5] * 8, hypercube(3)))
    with basin_sizes(optima, measures, NAME) as (drawn, _):
        assert "1 local optimum" in headline(drawn)
        assert drawn.axes[1].get_title(loc="left") == "rank correlation undefined"
        assert not overlapping_labels(drawn)
    assert "undefined" in basin_sizes_words(optima, measures, NAME)[0]


# --- local optima network --------------------------------------------------------------------------------------------


def test_network_shows_nodes_connections_and_the_global_optimum(tmp_path: Path) -> None:
    nodes, edges, optima = network_of(rugged(8, 5))
    pairs = {frozenset(pair) for pair in zip(edges["source"], edges["target"], strict=True)}
    with local_optima_network_figure(nodes, edges, optima, NAME) as (drawn, numbers):
        assert headline(drawn) == (f"Local optima network: all {len(nodes)} basins, {len(pairs)} connections {NAME}")
        (points,) = [part for part in drawn.axes[0].collections if len(part.get_offsets()) == len(nodes)]
        areas = points.get_sizes()
        large = areas > areas.min()  # the smallest ones are drawn larger than they are, to be seen
        np.testing.assert_allclose(areas[large] / areas.max(), (nodes["basin"] / nodes["basin"].max())[large])
        np.testing.assert_allclose(points.get_array(), 100 * nodes["value"])
        assert numbers["is_global"].sum() == 1
        assert numbers.loc[numbers["is_global"], "value"].iloc[0] == nodes["value"].max()
        assert "global optimum" in legend(drawn)
        assert not overlapping_labels(drawn)
    alt, caption = local_optima_network_words(nodes, edges, optima, NAME)
    assert f"Network of {len(nodes)} local optima and {len(pairs)} pairs" in alt
    assert "The global optimum is among them." in caption
    same_twice(lambda: local_optima_network_figure(nodes, edges, optima, NAME), tmp_path)


def test_a_part_of_a_network_says_what_is_left_out() -> None:
    nodes, edges, optima = network_of(rugged(8, 5), count=3)
    with local_optima_network_figure(nodes, edges, optima, NAME) as (drawn, _):
        assert f"the 3 largest of {len(optima)} basins" in headline(drawn)
    smallest = optima.assign(is_global=optima["optimum"] == optima["optimum"].max())
    assert "is not among them" in local_optima_network_words(nodes, edges, smallest, NAME)[1]


def test_of_too_many_connections_each_basin_keeps_its_strongest() -> None:
    count = 60
    optima = pd.DataFrame(
        {"optimum": np.arange(count), "isolated": False, "is_global": np.arange(count) == 7, "basin": count}
    )
    nodes = NETWORK_NODES.validate(
        pd.DataFrame(
            {
                "optimum": np.arange(count),
                "hash": names_of(count),
                "value": np.linspace(0.1, 0.9, count),
                "component": 0,
                "members": 1,
                "basin": np.arange(count, 0, -1),
                "stay": 0.5,
                "inside": 0.5,
            }
        )
    )
    source, target = (part.ravel() for part in np.meshgrid(np.arange(count), np.arange(count), indexing="ij"))
    apart = source != target
    weights = np.random.default_rng(0).random(count * count) * 1e-3
    weights[target == 0] = 0.4  # all go to the largest basin above all
    edges = NETWORK_EDGES.validate(
        pd.DataFrame({"source": source[apart], "target": target[apart], "weight": weights[apart]})
    )
    assert count * (count - 1) // 2 > MOST_LINES
    with local_optima_network_figure(nodes, edges, optima, NAME) as (drawn, numbers):
        assert "all 60 basins, the strongest of 1,770 connections at each" in headline(drawn)
        shown = [text for text in drawn.axes[0].texts if hasattr(text, "arrow_patch")]
        assert len(shown) == count - 1
        hub = numbers[["x", "y"]].to_numpy()[0]
        np.testing.assert_allclose(hub, numbers[["x", "y"]].mean(), atol=1.5)


@pytest.mark.parametrize("cells", [1, 3])
def test_network_of_isolated_cells_is_said_to_be_none(cells: int) -> None:
    tables = network_of(landscape_of([0.5] * cells, undirected(cells, [])))
    with local_optima_network_figure(*tables, NAME) as (drawn, numbers):
        drawn.canvas.draw()
        assert "No local optimum to draw" in words_inside(drawn)
        assert numbers.empty
    assert "no local optimum" in local_optima_network_words(*tables, NAME)[0]


def test_network_of_one_plateau_and_of_a_pair() -> None:
    for landscape, pairs in (
        (landscape_of([0.5] * 8, hypercube(3)), "0 connections"),
        (landscape_of([0.3, 0.1, 0.2, 0.4], undirected(4, [(0, 1), (1, 2), (2, 3)])), "1 connection"),
    ):
        with local_optima_network_figure(*network_of(landscape), NAME) as (drawn, _):
            drawn.canvas.draw()
            assert pairs in headline(drawn)


def test_networks_that_cannot_be_drawn_are_refused() -> None:
    nodes, edges, optima = network_of(rugged())
    with (
        pytest.raises(ValueError, match="an edge of the network has an end that is none of its nodes"),
        local_optima_network_figure(nodes.iloc[:2], edges, optima, NAME),
    ):
        pass
    many = pd.concat([nodes] * 100, ignore_index=True)
    with (
        pytest.raises(ValueError, match=r"nodes cannot be drawn; give the 500 largest basins"),
        local_optima_network_figure(many, edges, optima, NAME),
    ):
        pass


def test_layout_keeps_joined_nodes_near_and_parts_apart() -> None:
    # two rings of ten nodes, and a node alone
    first = np.array([*range(10), *range(10, 20)])
    second = np.array([*np.roll(np.arange(10), -1), *np.roll(np.arange(10, 20), -1)])
    places = lay_out(21, first, second, np.full(20, 0.1))
    np.testing.assert_array_equal(places, lay_out(21, first, second, np.full(20, 0.1)))
    distances = np.sqrt(((places[:, None] - places[None]) ** 2).sum(axis=2))
    joined = distances[first, second]
    inside = distances[:10, :10][~np.eye(10, dtype=bool)]
    assert joined.mean() < 0.7 * inside.mean()
    assert distances[:10, 10:].min() > 1
    assert distances[~np.eye(21, dtype=bool)].min() > 0.2
    assert lay_out(0, first[:0], second[:0], np.empty(0)).shape == (0, 2)


# --- several objectives ----------------------------------------------------------------------------------------------


def objectives_of(graph: NeighbourGraph, seed: int = 0, equal: bool = False) -> pd.DataFrame:
    points = np.random.default_rng(seed).random((len(graph), 2)) * (not equal)
    space = ObjectiveSpace.of(points, ("a", "b"), ("maximise", "minimise"), graph, names_of(len(graph)))
    return measure_objectives(space, neighbour_dominance(space))


def test_shares_of_neighbours_fill_each_bar(tmp_path: Path) -> None:
    tables = {"one, hamming": objectives_of(hypercube(6)), "two, hamming": objectives_of(hypercube(5), 1)}
    with objective_landscape(tables) as (drawn, _):
        bars = drawn.axes[0].patches
        for row in range(2):
            widths = [bar.get_width() for bar in bars if round(bar.get_y() + bar.get_height() / 2) == row]
            assert sum(widths) == pytest.approx(100)
        measures = tables["one, hamming"].set_index("measure")["value"]
        assert bars[0].get_width() == pytest.approx(100 * measures["dominating_neighbours"])
        assert f"{measures['pareto_set']:.0f} cells, {measures['pareto_set_components']:.0f} component" in words_inside(
            drawn
        )
        assert not overlapping_labels(drawn)
    alt, caption = objective_landscape_words(tables)
    assert all(share in alt for share in SHARES)
    assert f"one, hamming: {measures['pareto_set']:.0f} cells of the Pareto set" in caption
    same_twice(lambda: objective_landscape(tables), tmp_path)


def test_objectives_without_neighbours_without_landscapes_and_all_equal() -> None:
    with objective_landscape({"alone": objectives_of(undirected(4, []))}) as (drawn, _):
        drawn.canvas.draw()
        assert "no cell has a neighbour" in words_inside(drawn)
        assert "no cell, " not in words_inside(drawn)
    with objective_landscape({}) as (drawn, numbers):
        drawn.canvas.draw()
        assert "No landscape of several objectives" in words_inside(drawn)
        assert numbers.empty
    with objective_landscape({"equal": objectives_of(hypercube(3), equal=True)}) as (drawn, _):
        assert "100" in words_inside(drawn)
        assert not overlapping_labels(drawn)
    for tables in ({}, {"alone": objectives_of(undirected(4, []))}):
        assert "nan" not in " ".join(objective_landscape_words(tables))
