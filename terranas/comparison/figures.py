"""What the figures of the comparison share: objectives as axes, names of arms and indicators, labels beside curves."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator
from numpy.typing import ArrayLike, NDArray

from terranas.benchmark.schema import metric_name
from terranas.core.figures import ARM_LOOKS, COLOURS
from terranas.core.formats import MISSING, counted, fixed, halves, scaled, sentence, significant
from terranas.core.pareto import Direction, to_minimise
from terranas.landscape.figures import scale_of, shortened
from terranas.search.arms import ARM_NAMES, ARMS
from terranas.surrogates.labels import spans_decades

Array = NDArray[np.float64]

_INDICATORS = {
    "size": "size of the front",
    "hypervolume": "hypervolume",
    "hypervolume_per_point": "hypervolume per point",
    "hypervolume_regret": "hypervolume regret",
    "igd_plus": "IGD+",
    "additive_epsilon": "additive epsilon",
    "diameter": "diameter (Hamming)",
    "mean_pairwise_distance": "mean pairwise distance (Hamming)",
    "published_hypervolume": "published hypervolume",
    "published_mean_pairwise_distance": "published mean pairwise distance",
}
_OF_OBJECTIVE = ("best", "mean", "std", "regret")
_LARGE = 10_000  # from here on axes count in k, M and G


@dataclass(frozen=True)
class Objective:
    """An objective as an axis.

    Attributes:
        name: column of tables, ``METRIC`` or ``METRIC@DEVICE``.
        direction: which way it is better.
        unit: unit of its values, empty where it has none.
    """

    name: str
    direction: Direction
    unit: str = ""

    @property
    def words(self) -> str:
        """Its name in words: ``latency on Pixel 3``."""
        metric, _, device = self.name.partition("@")
        words = metric_name(metric)
        if words == metric.replace("_", " "):  # a column's name, which may end in its unit
            words = words.removesuffix(f" {self.unit.lower()}")
        return words + (f" on {device}" if device else "")

    @property
    def percent(self) -> bool:
        """Whether its values are shares that are written in percent."""
        return self.name.partition("@")[0].endswith("accuracy")

    @property
    def maximised(self) -> bool:
        """Whether larger is better."""
        return self.direction == "maximise"

    def label(self, prefix: str = "") -> str:
        """Return the label of an axis: name in words and unit."""
        unit = "%" if self.percent else self.unit.removeprefix("MAC")
        return shortened(sentence(f"{prefix} {self.words}".strip()), 44) + (f" ({unit})" if unit else "")

    def text(self, value: float) -> str:
        """Return a value with its unit."""
        return scale_of(self.name, self.unit, abs(value)).text(value)

    def write_axis(self, axis: Any, values: ArrayLike, *, logarithmic: bool = False, few: bool = False) -> None:
        """Write the numbers of an axis; shares in percent, see :func:`write_axis`."""
        write_axis(axis, values, logarithmic=logarithmic, percent=self.percent, few=few)


def minimised(values: Array, objectives: Sequence[Objective]) -> Array:
    """Return a copy of values, shape (n, m), in which smaller is better in every column."""
    return to_minimise(values, [objective.direction for objective in objectives])


def write_axis(
    axis: Any, values: ArrayLike, *, logarithmic: bool = False, percent: bool = False, few: bool = False
) -> None:
    """Write the numbers of an axis as people read them: with prefixes, and 1, 2, 5 in a decade if logarithmic.

    Args:
        axis: ``axes.xaxis`` or ``axes.yaxis``.
        values: what the axis shows.
        logarithmic: whether its scale is logarithmic.
        percent: whether its values are shares to be written in percent.
        few: whether the axis is short; then 1 and 3 in a decade, or 1 alone.
    """
    finite = np.abs(np.asarray(values, dtype=np.float64).ravel())
    finite = finite[np.isfinite(finite)]
    largest = float(finite.max(initial=0.0))
    if logarithmic:
        wide = largest > 100 * finite.min()
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if not few else (1,) if wide else (1, 3)))
        axis.set_minor_formatter(NullFormatter())
        axis.set_minor_locator(NullLocator())
    else:
        axis.set_major_locator(MaxNLocator(4 if few else 5))
    if percent:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(100 * value, 10):g}"))
    elif largest >= _LARGE:
        axis.set_major_formatter(EngFormatter(sep=""))
    elif logarithmic or largest >= 1_000:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def serves_logarithm(values: ArrayLike, objective: Objective | None = None) -> bool:
    """Return whether an axis of these values should be logarithmic: they span decades and are no shares in percent.

    Args:
        values: those that are not finite do not count.
        objective: whose values they are, if they are one's.
    """
    return not (objective and objective.percent) and spans_decades(np.asarray(values, dtype=np.float64))


def with_margin(values: Array, share: float, *, logarithmic: bool) -> tuple[float, float]:
    """Return limits of an axis around values, shape (n,), n > 0, and a share of their range on either side."""
    scaled = np.log10(values) if logarithmic else values
    low, high = float(scaled.min()), float(scaled.max())
    margin = share * (high - low) or 0.05 * abs(high) or 0.05
    low, high = low - margin, high + margin
    return (10.0**low, 10.0**high) if logarithmic else (low, high)


def arms_of(table: pd.DataFrame, wanted: Sequence[str] | None = None) -> list[str]:
    """Return the arms of a table in the order of :data:`~terranas.search.arms.ARMS`.

    Args:
        table: has a column ``arm``.
        wanted: only these, in this order.
    """
    present = set(table["arm"])
    return [arm for arm in wanted or ARMS if arm in present]


def arm_words(arm: str) -> str:
    """Return what figures call an arm."""
    return ARM_NAMES[arm]


def at_largest_budgets(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each arm's largest budget."""
    return table[table["budget"] == table.groupby("arm")["budget"].transform("max")]


def arm_title(arm: str, width: int) -> str:
    """Return the name of an arm as a title, broken into lines of so many characters at most."""
    return textwrap.fill(sentence(arm_words(arm)), width, break_on_hyphens=False)


def indicator_words(indicator: str, objectives: Iterable[Objective] = ()) -> str:
    """Return the name in words of a column of the indicators' table."""
    if indicator in _INDICATORS:
        return _INDICATORS[indicator]
    kind, _, name = indicator.partition("_")
    if kind not in _OF_OBJECTIVE:
        return indicator.replace("_", " ")
    known = {objective.name: objective for objective in objectives}
    return f"{kind} {known.get(name, Objective(name, 'minimise')).words}"


def seeds_text(table: pd.DataFrame) -> str:
    """Return over how many seeds a table goes: ``30 seeds``."""
    return counted(int(table["seed"].nunique()), "seed")


def dataset_of(table: pd.DataFrame) -> str:
    """Return the name of the images of a table, shortened for a headline; empty where the table is."""
    return shortened(str(table["dataset"].iloc[0]), 60) if len(table) else ""


def indicator_text(indicator: str, value: float, objectives: Iterable[Objective]) -> str:
    """Return an indicator's value with the unit it has; hypervolumes, which differ little, with four decimals."""
    if np.isnan(value):
        return MISSING
    kind, _, name = indicator.partition("_")
    known = {objective.name: objective for objective in objectives}
    if kind in _OF_OBJECTIVE and name in known:
        return known[name].text(value)
    if indicator in ("hypervolume", "hypervolume_per_point"):
        return fixed(value, 4)
    if indicator in ("size", "diameter"):
        return halves(value)
    return scaled(value) if abs(value) >= _LARGE else significant(value)


def p_text(value: float) -> str:
    """Return a p-value as in ``p = .028``; small ones as a bound."""
    if np.isnan(value):
        return "p not defined"
    return "p < .001" if value < 0.001 else f"p = {value:.3f}".replace("= 0", "= ")


def spread_apart(places: ArrayLike, gap: float, low: float = -np.inf, high: float = np.inf) -> Array:
    """Return places that are at least a gap apart, moved as little as possible in the sense of least squares.

    Neighbours that are too close form a block around their mean (the pool-adjacent-violators algorithm of isotonic
    regression, applied to places less their rank times the gap).

    Args:
        places: shape (n,), in any order; equal places keep their order.
        gap: smallest distance of two places.
        low: lower end; blocks that reach beyond are moved in.
        high: upper end; where all places do not fit between the ends, they start at the lower one.
    """
    given = np.asarray(places, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    ranks = gap * np.arange(len(given))
    blocks: list[tuple[float, int]] = []
    for value in given[order] - ranks:
        mean, size = float(value), 1
        while blocks and blocks[-1][0] > mean:
            other, count = blocks.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        blocks.append((mean, size))
    moved = np.repeat([mean for mean, _ in blocks], [size for _, size in blocks])
    if len(given):
        # cutting an isotonic fit at bounds gives the fit within the bounds
        moved = np.maximum(np.minimum(moved, high - ranks[-1]), low)
    spread = np.empty(len(given))
    spread[order] = moved + ranks
    return spread


def label_ends(axes: Axes, ends: dict[str, float], *, bold: Sequence[str] = ()) -> None:
    """Write the names of arms to the right of a frame, at the heights where their curves end, each with its line.

    Args:
        axes: its limits and scale are final.
        ends: where each arm's curve ends, in data of the y axis.
        bold: arms whose names are set in bold.
    """
    if not ends:
        return
    size = 7.5  # of the letters, in points
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = np.array([float(to_axes.transform((0, value))[1]) for value in ends.values()])
    # a line of text in shares of the frame's height; the layout may shrink the frame, hence the margin
    tall = axes.get_window_extent().height / axes.figure.dpi * 72
    gap = 1.35 * size / tall
    for arm, end, place in zip(ends, heights, spread_apart(heights, gap, 0.01, 0.99), strict=True):
        look = ARM_LOOKS[arm]
        style: dict[str, Any] = {"transform": axes.transAxes, "color": look.colour, "clip_on": False}
        axes.add_line(Line2D([1.0, 1.03, 1.05], [end, place, place], linewidth=0.7, **style))
        axes.add_line(Line2D([1.05, 1.12], [place, place], linestyle=look.line, linewidth=1.5, **style))
        weight = "bold" if arm in bold else "normal"
        axes.text(1.135, place, arm_words(arm), transform=axes.transAxes, va="center", fontsize=size, fontweight=weight)


def note(axes: Axes, text: str, width: int = 40) -> None:
    """Write words into the middle of a frame whose axes others share, and leave its ticks to them.

    Args:
        axes: the frame.
        text: the words.
        width: characters after which they are broken.
    """
    folded = textwrap.fill(text, width)
    axes.text(0.5, 0.5, folded, transform=axes.transAxes, ha="center", va="center", color=COLOURS["grey"], fontsize=8)


def remark(axes: Axes, text: str, *, y: float = 0.03) -> None:
    """Write a small remark into the lower right of a frame, at the height ``y`` in shares of it."""
    axes.text(
        0.98,
        y,
        text,
        transform=axes.transAxes,
        ha="right",
        va="bottom",
        fontsize=7.5,
        color=COLOURS["grey"],
    )
