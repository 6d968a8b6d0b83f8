"""One style for all figures, and saving a figure as PDF, SVG and PNG with the numbers behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl

mpl.use("Agg")  # before pyplot: figures are files, and cluster nodes have no display

import matplotlib.pyplot as plt
import pandas as pd
from cycler import cycler
from matplotlib.figure import Figure

from terranas.core.files import atomic_path

FORMATS = ("png", "pdf", "svg")

# Okabe and Ito's palette (jfly.uni-koeln.de/color), distinguishable with all common colour deficiencies
COLOURS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
    "grey": "#6E6E6E",
}
SPLIT_COLOURS = {"train": COLOURS["blue"], "validation": COLOURS["orange"], "test": COLOURS["green"]}


@dataclass(frozen=True)
class ArmLook:
    """How an arm of a search study is drawn; no two arms share a colour or a marker."""

    colour: str
    line: Literal["-", "--", "-.", ":"]
    marker: str


# thirteen hues are more than anyone tells apart: line and marker say the same as the colour
ARM_LOOKS = {
    "surrogate": ArmLook(COLOURS["blue"], "-", "o"),
    "surrogate_spread": ArmLook(COLOURS["sky"], "--", "s"),
    "sample": ArmLook(COLOURS["green"], "-.", "^"),
    "random": ArmLook(COLOURS["orange"], "-", "D"),
    "latin": ArmLook("#8A8A00", "--", "p"),
    "restarts": ArmLook(COLOURS["vermilion"], "-.", "v"),
    "surrogate_published": ArmLook("#004488", ":", "P"),
    "random_published": ArmLook("#7A4B00", ":", "X"),
    "random_search": ArmLook(COLOURS["grey"], "-", "h"),
    "nsga2": ArmLook(COLOURS["purple"], "-", "*"),
    "regularised_evolution": ArmLook("#882255", "--", "<"),
    "regularised_evolution_ranked": ArmLook("#9A6BD0", "-.", ">"),
    "surrogate_assisted": ArmLook("#000000", "-", "d"),
}
"""Looks of the arms of :data:`terranas.search.arms.ARMS`: Okabe and Ito's palette first, then Tol's dark tones."""

STYLE: Any = {
    "figure.dpi": 120,
    "savefig.dpi": 200,
    "savefig.bbox": "tight",
    "savefig.facecolor": "white",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=[c for name, c in COLOURS.items() if name not in ("yellow", "grey")]),
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.5,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "terranas",  # equal input gives equal files
}


@contextmanager
def figure(
    width: float, height: float, *, rows: int = 1, columns: int = 1, **options: Any
) -> Iterator[tuple[Figure, Any]]:
    """Yield ``(figure, axes)`` in the house style and close the figure afterwards.

    Args:
        width: inches.
        height: inches.
        rows: rows of axes.
        columns: columns of axes.
        options: passed on to ``matplotlib.pyplot.subplots`` (``sharey=True``, ...).
    """
    with mpl.rc_context(STYLE):
        drawn, axes = plt.subplots(rows, columns, figsize=(width, height), layout="constrained", **options)
        try:
            yield drawn, axes
        finally:
            plt.close(drawn)


def save_figure(drawn: Figure, outputs: dict[str, str | Path], numbers: pd.DataFrame) -> None:
    """Write a figure and its numbers, each file atomically.

    Args:
        drawn: the figure.
        outputs: paths by format: ``png``, ``pdf``, ``svg`` and ``csv`` (formats left out are not written).
        numbers: the values shown, written to ``csv``.
    """
    _settle(drawn)
    for name in FORMATS:
        if name in outputs:
            # no creation date: equal numbers give equal files
            metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(name, {})
            with atomic_path(outputs[name]) as temporary:
                drawn.savefig(temporary, format=name, metadata=metadata)
    if "csv" in outputs:
        write_csv(numbers, outputs["csv"])


def _settle(drawn: Figure) -> None:
    """Lay a figure out for good, at rounded places.

    The solver behind matplotlib's layout leaves differences in the last digits from run to run; SVG files would show
    them in the names of clip paths, which are hashes of coordinates.
    """
    drawn.draw_without_rendering()
    drawn.set_layout_engine("none")
    for axes in drawn.axes:
        for original in (True, False):
            left, bottom, width, height = (round(bound, 6) for bound in axes.get_position(original).bounds)
            axes.set_position((left, bottom, width, height), which="original" if original else "active")


def write_csv(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table for people as CSV without index, atomically."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False)
