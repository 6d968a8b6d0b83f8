"""The two pictures of the page."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from terranas.core.figures import COLOURS, figure, save_figure
from terranas.core.formats import count
from terranas.report.published.claims import SIZES, SPEARMAN
from terranas.report.published.inputs import Inputs
from terranas.report.published.search_findings import DISTANCE, PUBLISHED, PUBLISHED_DISTANCE, RIGHT, pairs
from terranas.report.published.studies import PART, WHOLE
from terranas.report.published.surrogate_findings import METRICS, SURROGATES, TUNED, XGBOOST, mean_spearman


@contextmanager
def size_picture(inputs: Inputs) -> Iterator[Figure]:
    """Yield published and own Spearman correlations by training size, one panel a metric."""
    part, whole = mean_spearman(inputs, PART), mean_spearman(inputs, WHOLE)
    with figure(7.2, 2.9, columns=2, sharey=True) as (drawn, axes):
        for place, (metric, words) in enumerate(METRICS.items()):
            own = axes[place]
            own.plot(SIZES, SPEARMAN[metric], color="#333333", marker="o", markersize=4, label="published (figure 4.5)")
            for surrogate, colour in ((XGBOOST, "blue"), (TUNED, "vermilion")):
                name = SURROGATES[surrogate]
                own.plot(
                    part.index, part[surrogate, metric], color=COLOURS[colour], marker="s", markersize=3.5,
                    label=f"{name}, known part",
                )  # fmt: skip
                if metric == PART.accuracy:
                    own.plot(
                        whole.index, whole[surrogate, WHOLE.accuracy], color=COLOURS[colour], linestyle="--",
                        marker="^", markersize=3.5, label=f"{name}, test accuracy, whole space",
                    )  # fmt: skip
            own.set_title(words.capitalize())
            own.set_xscale("log")
            own.set_xticks([300, 500, 1000, 2000, 5000], [count(size) for size in (300, 500, 1000, 2000, 5000)])
            own.minorticks_off()
            own.set_xlabel("Architectures trained on")
        axes[0].set_ylabel("Spearman's correlation")
        axes[0].set_ylim(0.5, 1.0)
        handles, labels = axes[0].get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=7.5)
        yield drawn


@contextmanager
def effect_picture(inputs: Inputs) -> Iterator[Figure]:
    """Yield the effect of the starts at the four pairs of budgets, turned so that right favours surrogate starts."""
    rows = (
        ("Best training time", f"best_{PART.cost}", f"best_{PART.cost}", 1),
        ("Best validation accuracy", f"best_{PART.accuracy}", f"best_{PART.accuracy}", 0),
        ("Mean pairwise distance", DISTANCE, PUBLISHED_DISTANCE, 1),
    )
    with figure(7.2, 3.3) as (drawn, axes):
        for place, (_, right, published, claimed) in enumerate(rows):
            axes.barh(
                place, 0.5, left=0.5 * claimed, height=0.86, color="#EFEFEF", label="side the thesis names"
                if place == 0 else None
            )  # fmt: skip
            for way, (arms, indicator, colour) in enumerate(
                ((RIGHT, right, COLOURS["blue"]), (PUBLISHED, published, COLOURS["orange"]))
            ):
                tests = pairs(inputs, PART, arms, indicator)
                turned = tests["better"].eq("lower").to_numpy()
                middle, low, high = (tests[name].to_numpy() for name in ("a12", "a12_low", "a12_high"))
                value = np.where(turned, 1 - middle, middle)
                ends = np.where(turned, 1 - high, low), np.where(turned, 1 - low, high)
                heights = place + (0.22 if way else -0.2) + np.linspace(-0.13, 0.13, len(tests))
                axes.errorbar(
                    value, heights, xerr=(value - ends[0], ends[1] - value), fmt="none", ecolor=colour, elinewidth=1
                )
                certain = tests["significant"].to_numpy()
                label = ("right way", "published way")[way] if place == 0 else None
                axes.scatter(value[certain], heights[certain], s=18, color=colour, zorder=3)
                axes.scatter(
                    value[~certain], heights[~certain], s=18, facecolor="white", edgecolor=colour, zorder=3, label=label
                )
        axes.axvline(0.5, color="#333333", linewidth=0.8)
        axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.set_xlabel("Chance that a run from surrogate starts is the better one (A12, 95 % interval)")
        axes.grid(axis="y", visible=False)
        drawn.legend(loc="outside lower center", ncols=3, fontsize=8)
        yield drawn


PICTURES: dict[str, Callable[[Inputs], AbstractContextManager[Figure]]] = {
    "results_surrogates.png": size_picture,
    "results_searches.png": effect_picture,
}
"""The pictures by file name."""

PIXELS_AN_INCH = 110
"""Resolution, less than that of a report's figures: the pictures stand in the repository and stay under 60 kB."""


def save_pictures(inputs: Inputs, folder: Path) -> None:
    """Write the pictures into a folder."""
    for name, picture in PICTURES.items():
        with picture(inputs) as drawn, mpl.rc_context({"savefig.dpi": PIXELS_AN_INCH}):
            save_figure(drawn, {"png": folder / name}, pd.DataFrame())
