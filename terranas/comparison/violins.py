"""Figure of the indicators of both arms, one panel an indicator."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray
from scipy.stats import gaussian_kde

from terranas.comparison.arm_tests import indicator_direction
from terranas.core.figures import ARM_COLOURS, COLOURS, figure
from terranas.search.schema import ARM_NAMES
from terranas.surrogates.labels import metric_label, spans_decades, write_numbers

_OFFSETS = {"surrogate": -0.2, "random": 0.2}
_HALF_WIDTH = 0.17


def shown_indicators(objectives: Sequence[str]) -> dict[str, str]:
    """Return the indicators that the figure shows and the labels of their axes."""
    best = {f"best_{name}": metric_label(name, "best") for name in objectives}
    return best | {"hypervolume": "Hypervolume", "mean_pairwise_distance": "Mean pairwise distance [bits]"}


@contextmanager
def violin_figure(
    indicators: pd.DataFrame, objectives: Sequence[str], pairs: Sequence[tuple[int, int]]
) -> Iterator[tuple[Figure, pd.DataFrame]]:
    """Yield violins with points and medians of both arms by pair of budgets, and the numbers.

    Args:
        indicators: schema ``comparison.indicators``.
        objectives: names of the objectives.
        pairs: budgets of the surrogate and of the random arm that are compared.
    """
    shown = shown_indicators(objectives)
    seeds = indicators["seed"].nunique()
    columns = ["dataset", "arm", "budget", "charged", "seed", *shown]
    numbers = indicators[columns].sort_values(columns[1:5], ignore_index=True)
    width = max(7.2, 1.1 * len(pairs) * 2)
    with figure(width, 5.8, rows=2, columns=2, sharex=True) as (drawn, axes):
        for panel, (indicator, label) in zip(axes.ravel(), shown.items(), strict=True):
            logarithmic = spans_decades(numbers[indicator])
            for place, pair in enumerate(pairs):
                for arm, budget in zip(("surrogate", "random"), pair, strict=True):
                    own = numbers[(numbers["arm"] == arm) & (numbers["budget"] == budget)]
                    _draw_sample(panel, place + _OFFSETS[arm], own[indicator].to_numpy(), arm, logarithmic)
            if logarithmic:
                panel.set_yscale("log")
            write_numbers(panel.yaxis, numbers[indicator], logarithmic=logarithmic)
            arrow = "higher" if indicator_direction(indicator) == "maximise" else "lower"
            panel.set_ylabel(label)
            panel.set_title(f"{arrow} is better", fontsize=8, color=COLOURS["grey"])
            panel.grid(axis="x", visible=False)
        for panel in axes[-1]:
            panel.set_xticks(range(len(pairs)), [_pair_label(numbers, pair) for pair in pairs])
            panel.set_xlabel("Evaluations: surrogate (with training sample) / random")
        handles: list[Any] = [
            Patch(color=ARM_COLOURS[arm], alpha=0.6, linewidth=0, label=words) for arm, words in ARM_NAMES.items()
        ]
        handles.append(Line2D([], [], color="black", linewidth=1.4, label="median"))
        drawn.legend(handles=handles, loc="outside lower center", ncols=3)
        drawn.suptitle(
            f"Fronts of both arms by budget; {seeds} seeds an arm, one point a seed. {numbers['dataset'].iloc[0]}",
            x=0.01,
            ha="left",
            fontsize=9,
        )
        yield drawn, numbers


def _pair_label(numbers: pd.DataFrame, pair: tuple[int, int]) -> str:
    surrogate = numbers[(numbers["arm"] == "surrogate") & (numbers["budget"] == pair[0])]
    charged = int(surrogate["charged"].iloc[0])
    return f"{pair[0]:,} ({charged:,})\n/ {pair[1]:,}"


def _draw_sample(panel: Any, place: float, values: NDArray[np.float64], arm: str, logarithmic: bool) -> None:
    colour = ARM_COLOURS[arm]
    heights, density = density_outline(values, logarithmic)
    if len(heights):
        half = _HALF_WIDTH * density / density.max()
        panel.fill_betweenx(heights, place - half, place + half, color=colour, alpha=0.3, linewidth=0)
    panel.scatter(place + _spread(values, logarithmic), values, s=6, color=colour, alpha=0.75, linewidths=0, zorder=3)
    median = float(np.median(values))
    panel.hlines(median, place - _HALF_WIDTH, place + _HALF_WIDTH, color="black", linewidth=1.4, zorder=4)


def density_outline(values: NDArray[np.float64], logarithmic: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return heights within the data's range and the kernel density there (Scott's bandwidth).

    Args:
        values: a sample, shape (n,).
        logarithmic: estimate the density of the values' logarithm.

    Returns:
        Two arrays of equal length; empty where all values are equal, so that there is no density to draw.
    """
    scaled = np.log10(values) if logarithmic else values
    if np.ptp(scaled) <= 1e-9 * max(1e-300, float(np.abs(scaled).max())):
        return np.empty(0), np.empty(0)
    # in units of the standard deviation: tiny and huge values alike are far from the limits of the floats
    centre, spread = float(scaled.mean()), float(scaled.std())
    grid = np.linspace(scaled.min(), scaled.max(), 128)
    density = gaussian_kde((scaled - centre) / spread)((grid - centre) / spread)
    return (10.0**grid if logarithmic else grid), density


def _spread(values: NDArray[np.float64], logarithmic: bool) -> NDArray[np.float64]:
    """Return sideways offsets that set points of similar height beside each other, the same in every run."""
    scaled = np.log10(values) if logarithmic else values
    height = float(np.ptp(scaled)) or 1.0
    bins = np.floor((scaled - scaled.min()) / height * 24)
    offsets = np.zeros(len(values))
    for level in np.unique(bins):
        members = np.flatnonzero(bins == level)
        reach = min(_HALF_WIDTH * 0.85, 0.022 * (len(members) - 1))
        offsets[members] = np.linspace(-reach, reach, len(members)) if len(members) > 1 else 0.0
    return offsets
