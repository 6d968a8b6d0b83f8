"""Drawing of a local optima network: where its nodes stand, and the figure."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from terranas.benchmark.schema import metric_name
from terranas.core.figures import COLOURS, figure
from terranas.core.formats import count, counted, percent
from terranas.landscape.figures import Drawing, LandscapeName, Words, add_legend, headline, say, scale_for

Array = NDArray[np.float64]

MOST_NODES = 500
"""Basins that still can be told apart in one figure."""

MOST_LINES = 1_000
"""Most lines drawn; of more, the strongest one at each basin."""

_ARROWS = 80  # more lines than these are drawn without heads
_ROUNDS = 250
_LARGEST = 420.0  # area of the largest node, in square points; less where all of them would cover too much
_COVERED = 17_000.0
_GOLDEN = np.pi * (3 - np.sqrt(5))


@contextmanager
def local_optima_network_figure(
    nodes: pd.DataFrame, edges: pd.DataFrame, optima: pd.DataFrame, name: LandscapeName
) -> Iterator[Drawing]:
    """Draw a local optima network: area is the size of the basin, colour the value of the optimum.

    Nodes that moves join stand near each other (see :func:`lay_out`); parts without a move between them stand apart.

    Args:
        nodes: schema ``landscape.network_nodes``, at most :data:`MOST_NODES`.
        edges: schema ``landscape.network_edges``, between these nodes.
        optima: schema ``landscape.optima`` of the whole landscape, for the global optimum.
        name: of the landscape.

    Raises:
        ValueError: there are too many nodes, or an edge's end is none of them.
    """
    if len(nodes) > MOST_NODES:
        raise ValueError(f"a network of {len(nodes):,} nodes cannot be drawn; give the {MOST_NODES} largest basins")
    lines = _lines(nodes, edges)
    shown = _strongest(lines)
    places = lay_out(len(nodes), shown["first"].to_numpy(), shown["second"].to_numpy(), shown["weight"].to_numpy())
    numbers = nodes.assign(
        dataset=name.dataset,
        metric=name.metric,
        neighbourhood=name.neighbourhood,
        is_global=nodes["optimum"].isin(optima.loc[optima["is_global"], "optimum"]),
        x=places[:, 0],
        y=places[:, 1],
    )
    with figure(7.0, 6.4 if len(nodes) > 12 else 4.8) as (drawn, axes):
        if nodes.empty:
            say(axes, "No local optimum to draw: no cell has a neighbour.")
            axes.set_axis_off()
        else:
            _draw_lines(axes, places, shown, numbers)
            _draw_nodes(axes, numbers, name.metric)
        headline(drawn, f"Local optima network: {_shown(nodes, lines, optima)}", str(name))
        add_legend(drawn, [axes], 4)
        yield drawn, numbers


def local_optima_network_words(
    nodes: pd.DataFrame, edges: pd.DataFrame, optima: pd.DataFrame, name: LandscapeName
) -> Words:
    """Return the texts of :func:`local_optima_network_figure`."""
    if nodes.empty:
        return f"No figure: {name} has no local optimum.", f"No cell has a neighbour: {name} has no local optimum."
    lines, scale = _lines(nodes, edges), scale_for(name.metric, nodes["value"])
    best = optima.loc[optima["is_global"], "optimum"]
    where = "is among them" if nodes["optimum"].isin(best).any() else "has a smaller basin and is not among them"
    parts = _parts(len(nodes), *(lines[end].to_numpy() for end in ("first", "second")))
    return (
        f"Network of {counted(len(nodes), 'local optimum', 'local optima')} and {counted(len(lines), 'pair')} of them "
        f"with moves between their basins, in {counted(len(np.unique(parts)), 'part')}, the largest of "
        f"{count(np.bincount(parts).max())}; values from {scale.text(nodes['value'].min())} to "
        f"{scale.text(nodes['value'].max())}, basins from {count(nodes['basin'].min())} to "
        f"{counted(int(nodes['basin'].max()), 'cell')}.",
        f"Local optima network of {name}: {_shown(nodes, lines, optima)}. The area of a node is the size of its basin, "
        "the width of a line the probability that a random move from a cell of one basin enters the other (the larger "
        "of both ways; arrows, where there are few, point that way). "
        f"A move from these basins stays in its basin with a mean probability of {percent(nodes['stay'].mean())}, and "
        f"enters another basin of the figure with {percent(nodes['inside'].mean())}. "
        f"{'The global optimum' if len(best) == 1 else 'A global optimum'} {where}.",
    )


def lay_out(count: int, first: NDArray[np.int64], second: NDArray[np.int64], weights: Array) -> Array:
    """Return places of the nodes of an undirected graph in the plane, the same ones each time.

    Each connected part is laid out by forces (Fruchterman and Reingold, Software: Practice and Experience 21, 1991),
    from a spiral instead of random places; then the parts are packed as discs around the largest.

    Args:
        count: nodes.
        first: one end of each edge, shape (edges,).
        second: the other end, same shape.
        weights: larger than 0, same shape; heavier edges pull more.

    Returns:
        Shape (count, 2).
    """
    places = np.zeros((count, 2))
    if not count:
        return places
    labels = _parts(count, first, second)
    sizes = np.bincount(labels)
    discs: list[tuple[float, float, float]] = []
    for label in np.argsort(-sizes, kind="stable"):
        members = np.flatnonzero(labels == label)
        number = np.full(count, -1)
        number[members] = np.arange(len(members))
        inside = labels[first] == label
        own = _by_forces(len(members), number[first[inside]], number[second[inside]], weights[inside])
        radius = 0.6 + float(np.sqrt((own**2).sum(axis=1)).max(initial=0.0))
        centre = _free_place(discs, radius)
        discs.append((*centre, radius))
        places[members] = own + centre
    return places


def _by_forces(count: int, first: NDArray[np.int64], second: NDArray[np.int64], weights: Array) -> Array:
    """Return places around the origin with about one node a unit of area."""
    steps = np.arange(count)
    angles, radii = _GOLDEN * steps, np.sqrt(steps + 0.5) * 0.7
    places = np.column_stack([radii * np.cos(angles), radii * np.sin(angles)]) if count > 1 else np.zeros((1, 2))
    if count < 3:
        return np.asarray(places - places.mean(axis=0), dtype=np.float64)
    pull = np.sqrt(weights / weights.max())
    reach = 0.7 * np.sqrt(count)
    for step in range(_ROUNDS):
        offsets = places[:, None, :] - places[None, :, :]
        squares = (offsets**2).sum(axis=2) + 1e-9
        moves = (offsets / squares[:, :, None]).sum(axis=1)
        along = places[second] - places[first]
        force = along * (np.sqrt((along**2).sum(axis=1)) * pull)[:, None]
        for axis in range(2):
            moves[:, axis] += np.bincount(first, force[:, axis], count) - np.bincount(second, force[:, axis], count)
        moves -= 0.02 * places  # keeps loose ends from drifting away
        lengths = np.sqrt((moves**2).sum(axis=1)) + 1e-9
        limit = reach * 0.3 * (1 - step / _ROUNDS) ** 1.5 + 0.01
        places = places + moves * (np.minimum(lengths, limit) / lengths)[:, None]
    places -= places.mean(axis=0)
    spread = np.sqrt((places**2).sum(axis=1).mean())
    return np.asarray(places * (0.75 * np.sqrt(count) / spread), dtype=np.float64)


def _free_place(discs: list[tuple[float, float, float]], radius: float) -> tuple[float, float]:
    """Return the place nearest to the origin, along a spiral, where a disc covers none of the others."""
    if not discs:
        return 0.0, 0.0
    taken = np.array(discs)
    turn, distance = 0.0, 0.0
    while True:
        x, y = distance * np.cos(turn), distance * np.sin(turn)
        if (np.hypot(taken[:, 0] - x, taken[:, 1] - y) >= taken[:, 2] + radius).all():
            return float(x), float(y)
        turn += 0.2 / max(distance, 0.5) + 0.02
        distance += 0.01


def _parts(count: int, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int32]:
    graph = coo_matrix((np.ones(len(first)), (first, second)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int32)


def _lines(nodes: pd.DataFrame, edges: pd.DataFrame) -> pd.DataFrame:
    """Return each pair of nodes with edges once: rows of both nodes, the larger weight, the way of that weight."""
    row = pd.Series(np.arange(len(nodes)), index=nodes["optimum"])
    ends = row.reindex(edges["source"]).to_numpy(), row.reindex(edges["target"]).to_numpy()
    if np.isnan(ends).any():
        raise ValueError("an edge of the network has an end that is none of its nodes")
    source, target = (end.astype(np.int64) for end in ends)
    lines = pd.DataFrame(
        {
            "first": np.minimum(source, target),
            "second": np.maximum(source, target),
            "weight": edges["weight"].to_numpy(dtype=np.float64),
            "from": source,
            "to": target,
        }
    )
    lines = lines.sort_values(["first", "second", "weight"], kind="stable").drop_duplicates(
        ["first", "second"], keep="last"
    )
    return lines.reset_index(drop=True)


def _strongest(lines: pd.DataFrame) -> pd.DataFrame:
    """Return all lines or, where that is too many, the strongest one at each node."""
    if len(lines) <= MOST_LINES:
        return lines
    ordered = lines.sort_values("weight", ascending=False, kind="stable").reset_index(drop=True)
    ends = pd.concat([ordered["first"], ordered["second"]]).sort_index(kind="stable")
    return ordered.loc[np.unique(ends.drop_duplicates().index)].reset_index(drop=True)


def _draw_lines(axes: Axes, places: Array, lines: pd.DataFrame, numbers: pd.DataFrame) -> None:
    if lines.empty:
        return
    strength = np.sqrt(lines["weight"].to_numpy() / lines["weight"].max())
    lines = lines.assign(strength=strength).sort_values("strength", kind="stable")
    if len(lines) > _ARROWS:
        segments = places[lines[["first", "second"]].to_numpy()]
        axes.add_collection(
            LineCollection(
                list(segments),
                linewidths=0.3 + 1.7 * lines["strength"].to_numpy(),
                colors=[(0.35, 0.35, 0.35, 0.25 + 0.4 * value) for value in lines["strength"]],
                zorder=1,
            )
        )
        return
    radii = np.sqrt(_areas(numbers["basin"].to_numpy()) / np.pi)
    for source, target, strong in zip(lines["from"], lines["to"], lines["strength"], strict=True):
        axes.annotate(
            "",
            xy=tuple(places[target]),
            xytext=tuple(places[source]),
            arrowprops={
                "arrowstyle": "-|>,head_width=0.18,head_length=0.4",
                "linewidth": 0.5 + 1.8 * strong,
                "color": (0.35, 0.35, 0.35, 0.4 + 0.5 * strong),
                "shrinkA": radii[source],
                "shrinkB": radii[target] + 1,
            },
            zorder=1,
        )


def _draw_nodes(axes: Axes, numbers: pd.DataFrame, metric: str) -> None:
    order = numbers.sort_values("basin", ascending=False, kind="stable")  # small ones on top
    scale = scale_for(metric, numbers["value"])
    values = order["value"].to_numpy(dtype=np.float64) / scale.factor
    low, high = np.quantile(values, [0.02, 0.98]) if len(values) >= 50 else (values.min(), values.max())
    beyond = (bool(values.min() < low), bool(values.max() > high))
    points = axes.scatter(
        order["x"],
        order["y"],
        s=_areas(order["basin"].to_numpy()),
        c=values,
        cmap="viridis",
        vmin=low,
        vmax=high,
        edgecolors="black",
        linewidths=0.4,
        zorder=2,
    )
    axes.figure.colorbar(
        points,
        ax=axes,
        label=scale.label(f"{metric_name(metric)} of the optimum"),
        pad=0.01,
        aspect=35,
        shrink=0.85,
        extend=_EXTENDED[beyond],
    )
    best = numbers[numbers["is_global"]]
    if len(best):
        axes.plot(
            best["x"],
            best["y"],
            linestyle="",
            marker="*",
            markersize=15,
            markerfacecolor=COLOURS["vermilion"],
            markeredgecolor="white",
            markeredgewidth=0.9,
            label="global optimum",
            zorder=4,
        )
    basins = numbers["basin"].to_numpy()
    for size in _sizes(basins):
        area = _areas(basins).max() * size / basins.max()
        axes.scatter(
            [], [], s=area, facecolors="white", edgecolors="black", linewidths=0.6, label=counted(size, "cell")
        )
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.margins(0.06)


_EXTENDED = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}


def _areas(basins: NDArray[np.int64]) -> Array:
    """Return areas in square points, in proportion to the basins; the least can still be seen."""
    largest = min(_LARGEST, _COVERED * basins.max() / basins.sum())
    return np.asarray(np.maximum(largest * basins / basins.max(), 5.0), dtype=np.float64)


def _sizes(basins: NDArray[np.int64]) -> list[int]:
    """Return up to three round numbers of cells for the key of areas."""
    high = int(basins.max())
    low = max(int(basins.min()), int(5 * high / _areas(basins).max()))
    round_numbers = [step * 10**power for power in range(9) for step in (1, 2, 5)]
    between = [number for number in round_numbers if low <= number <= high] or [high]
    return sorted({between[0], between[len(between) // 2], between[-1]})


def _shown(nodes: pd.DataFrame, lines: pd.DataFrame, optima: pd.DataFrame) -> str:
    total = int((~optima["isolated"]).sum())
    text = (
        f"the {count(len(nodes))} largest of {count(total)} basins"
        if len(nodes) < total
        else f"all {count(total)} basins"
    )
    if len(lines) > MOST_LINES:
        return f"{text}, the strongest of {count(len(lines))} connections at each"
    return f"{text}, {counted(len(lines), 'connection')}"
