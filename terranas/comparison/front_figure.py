"""Figure of the fronts found by both arms over all known architectures."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from terranas.core.figures import ARM_COLOURS, COLOURS, figure
from terranas.core.pareto import Direction, nondominated
from terranas.search.schema import ARM_NAMES
from terranas.surrogates.labels import metric_label, sentence_case, spans_decades, write_numbers

MAX_POINTS = 5_000
"""Architectures drawn one by one; more are counted in hexagons."""
_SHARES = (0.1, 0.5, 1.0)  # in the legend


def found_shares(fronts: pd.DataFrame, objectives: Sequence[str]) -> pd.DataFrame:
    """Return, for each arm's largest budget, the share of seeds whose front holds each point.

    Architectures with equal objectives count as one point.

    Args:
        fronts: schema ``search.fronts``, both arms.
        objectives: names of the objectives.

    Returns:
        Columns ``arm``, ``budget``, the objectives and ``share``.
    """
    largest = fronts[fronts["budget"] == fronts.groupby("arm")["budget"].transform("max")]
    seeds = largest.groupby("arm")["seed"].nunique()
    found = largest.groupby(["arm", "budget", *objectives], sort=True)["seed"].nunique().reset_index(name="found")
    return found.assign(share=found["found"] / found["arm"].map(seeds)).drop(columns="found")


@contextmanager
def front_figure(
    values: NDArray[np.float64],
    fronts: pd.DataFrame,
    objectives: Sequence[str],
    directions: Sequence[Direction],
) -> Iterator[tuple[Figure, pd.DataFrame]]:
    """Yield the figure of the fronts, one panel an arm, and its numbers.

    The second objective is on the x axis, as cost is by custom. The axes end a little beyond the fronts on their bad
    side where few architectures lie far out; how many lie outside is said.

    Args:
        values: the two objectives of all architectures, shape (n, 2), rows that are not finite are left out.
        fronts: schema ``search.fronts``, both arms.
        objectives: names of the objectives.
        directions: which way each objective is better.
    """
    known = values[np.isfinite(values).all(axis=1)]
    truth = np.unique(known[nondominated(known, directions)], axis=0)
    shares = found_shares(fronts, objectives)
    seeds = fronts["seed"].nunique()
    logarithmic = [spans_decades(known[:, column]) for column in range(2)]
    limits = [_limits(known[:, c], truth[:, c], shares[objectives[c]], logarithmic[c]) for c in range(2)]
    cloud = pd.DataFrame()
    with figure(7.6, 4.2, columns=2, sharex=True, sharey=True) as (drawn, axes):
        for panel, (arm, words) in zip(axes, ARM_NAMES.items(), strict=True):
            if logarithmic[1]:
                panel.set_xscale("log")
            if logarithmic[0]:
                panel.set_yscale("log")
            cloud = _draw_cloud(panel, known, limits, logarithmic)
            _draw_true_front(panel, truth, directions)
            own = shares[shares["arm"] == arm]
            panel.scatter(
                own[objectives[1]],
                own[objectives[0]],
                s=_marker_size(own["share"].to_numpy()),
                color=ARM_COLOURS[arm],
                alpha=0.7,
                edgecolors="white",
                linewidths=0.4,
                zorder=4,
            )
            panel.set_xlim(limits[1])
            panel.set_ylim(limits[0])
            panel.set_title(f"{sentence_case(words)}, {int(own['budget'].iloc[0]):,} evaluations")
            panel.set_xlabel(metric_label(objectives[1]))
            if not logarithmic[1]:
                panel.locator_params(axis="x", nbins=6)
            for axis, column in ((panel.yaxis, 0), (panel.xaxis, 1)):
                write_numbers(axis, known[:, column], logarithmic=logarithmic[column])
        axes[0].set_ylabel(metric_label(objectives[0]))
        drawn.legend(handles=_legend_handles(), loc="outside lower center", ncols=5, columnspacing=1.2)
        inside = np.ones(len(known), dtype=np.bool_)
        for column, (low, high) in enumerate(limits):
            inside &= (known[:, column] >= low) & (known[:, column] <= high)
        outside = np.count_nonzero(~inside)
        beyond = f"; {outside:,} {'lies' if outside == 1 else 'lie'} outside the axes" if outside else ""
        drawn.suptitle(
            f"Fronts found in {seeds} seeds over all {len(known):,} known architectures{beyond}. "
            f"{fronts['dataset'].iloc[0]}",
            x=0.01,
            ha="left",
            fontsize=9,
        )
        yield drawn, _numbers(shares, truth, cloud, objectives, str(fronts["dataset"].iloc[0]))


def _marker_size(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return marker areas in points squared: proportional to the share, but never invisible."""
    return 6.0 + 54.0 * shares


def _draw_cloud(
    panel: Any, known: NDArray[np.float64], limits: Sequence[tuple[float, float]], logarithmic: Sequence[bool]
) -> pd.DataFrame:
    if len(known) <= MAX_POINTS:
        panel.scatter(known[:, 1], known[:, 0], s=5, color=COLOURS["grey"], alpha=0.35, linewidths=0, zorder=1)
        return pd.DataFrame({"x": known[:, 1], "y": known[:, 0], "architectures": 1})
    # hexbin bins in the axis' own scale and wants the extent of a logarithmic axis as exponents
    extent = [
        np.log10(end) if log else end for ends, log in zip(limits[::-1], logarithmic[::-1], strict=True) for end in ends
    ]
    hexagons = panel.hexbin(
        known[:, 1],
        known[:, 0],
        gridsize=60,
        extent=extent,
        xscale="log" if logarithmic[1] else "linear",
        yscale="log" if logarithmic[0] else "linear",
        mincnt=1,
        norm=LogNorm(),
        cmap="Greys",
        alpha=0.55,
        linewidths=0,
        zorder=1,
        rasterized=True,  # thousands of hexagons would make the vector files slow to open
    )
    centres = hexagons.get_offsets()
    return pd.DataFrame({"x": centres[:, 0], "y": centres[:, 1], "architectures": hexagons.get_array()})


def _draw_true_front(panel: Any, truth: NDArray[np.float64], directions: Sequence[Direction]) -> None:
    """Draw the true front as the staircase that bounds what can be reached."""
    order = np.lexsort((truth[:, 0], truth[:, 1]))
    # between two points the better value of the first objective is that of the one with the better second
    where = "post" if directions[1] == "minimise" else "pre"
    panel.step(truth[order, 1], truth[order, 0], where=where, color="black", linewidth=0.9, zorder=2)
    panel.scatter(truth[:, 1], truth[:, 0], s=12, facecolors="white", edgecolors="black", linewidths=0.8, zorder=3)


def _limits(
    known: NDArray[np.float64], truth: NDArray[np.float64], found: pd.Series, logarithmic: bool
) -> tuple[float, float]:
    """Return axis limits: all fronts and the central 96 % of the architectures, with a margin."""
    values = np.concatenate([np.quantile(known, [0.02, 0.98]), truth, found.to_numpy()])
    scaled = np.log10(values) if logarithmic else values
    low, high = float(scaled.min()), float(scaled.max())
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 0.05
    low, high = low - margin, high + margin
    return (10.0**low, 10.0**high) if logarithmic else (low, high)


def _legend_handles() -> list[Line2D]:
    """Return what explains both panels: marker sizes in grey, since each arm has its own colour."""
    handles = []
    for share in _SHARES:
        words = f"on the front of {share:.0%} of the seeds" if share == _SHARES[0] else f"{share:.0%}"
        handles.append(_dot(words, float(_marker_size(np.array([share]))[0]), 1.0))
    ring = Line2D([], [], marker="o", markersize=3.5, color="black", markerfacecolor="white", linewidth=0.9)
    ring.set_label("true front")
    return [*handles, ring, _dot("known architectures", 5.0, 0.4)]


def _dot(words: str, area: float, alpha: float) -> Line2D:
    dot = Line2D([], [], linestyle="", marker="o", markersize=area**0.5, color=COLOURS["grey"], alpha=alpha)
    dot.set(label=words, markeredgewidth=0)
    return dot


def _numbers(
    shares: pd.DataFrame, truth: NDArray[np.float64], cloud: pd.DataFrame, objectives: Sequence[str], dataset: str
) -> pd.DataFrame:
    """Return all that is drawn as one long table."""
    y, x = objectives
    parts = [
        shares.assign(series=shares["arm"]),
        pd.DataFrame({"series": "true front", y: truth[:, 0], x: truth[:, 1]}),
        cloud.rename(columns={"x": x, "y": y}).assign(series="known architectures"),
    ]
    table = pd.concat([part.reindex(columns=["series", "budget", y, x, "share", "architectures"]) for part in parts])
    table.insert(0, "dataset", dataset)
    return table.astype({"budget": "Int64", "architectures": "Int64"}).reset_index(drop=True)
