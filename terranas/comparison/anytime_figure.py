"""Figure of the hypervolume over evaluations."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from terranas.core.figures import ARM_COLOURS, COLOURS, figure
from terranas.search.schema import ARM_NAMES


def summarise_anytime(anytime: pd.DataFrame, charged: int) -> pd.DataFrame:
    """Return median and quartiles of the hypervolume over the seeds after every evaluation.

    A search that ended early keeps its last value, up to the longest search of its arm.

    Args:
        anytime: schema ``comparison.anytime``.
        charged: architectures that trained the surrogate, added to the evaluations of its arm.
    """
    parts = []
    for arm, own in anytime.groupby("arm", sort=True):
        by_seed = own.pivot(index="evaluation", columns="seed", values="hypervolume").sort_index().ffill()
        quartiles = by_seed.quantile([0.25, 0.5, 0.75], axis=1).T
        quartiles.columns = pd.Index(["lower_quartile", "median", "upper_quartile"])
        evaluation = by_seed.index.to_numpy()
        quartiles.insert(0, "charged", evaluation + (charged if arm == "surrogate" else 0))
        quartiles.insert(0, "evaluation", evaluation)
        quartiles.insert(0, "arm", arm)
        quartiles.insert(0, "dataset", own["dataset"].iloc[0])
        quartiles["seeds_still_searching"] = own.groupby("evaluation").size().reindex(evaluation).to_numpy()
        parts.append(quartiles)
    return pd.concat(parts, ignore_index=True)


@contextmanager
def anytime_figure(
    anytime: pd.DataFrame, charged: int, true_hypervolume: float
) -> Iterator[tuple[Figure, pd.DataFrame]]:
    """Yield the figure of hypervolume over charged evaluations, and its numbers.

    Args:
        anytime: schema ``comparison.anytime``.
        charged: architectures that trained the surrogate; its arm's curve starts after them.
        true_hypervolume: hypervolume of the true front, drawn as the bound of all curves.
    """
    numbers = summarise_anytime(anytime, charged)
    numbers["true_front_hypervolume"] = true_hypervolume
    seeds = anytime["seed"].nunique()
    with figure(6.4, 3.9) as (drawn, axes):
        axes.axvspan(0, charged, color=COLOURS["grey"], alpha=0.12, linewidth=0)
        for arm, words in ARM_NAMES.items():
            own = numbers[numbers["arm"] == arm]
            axes.fill_between(
                own["charged"],
                own["lower_quartile"],
                own["upper_quartile"],
                step="post",
                color=ARM_COLOURS[arm],
                alpha=0.2,
                linewidth=0,
            )
            axes.step(own["charged"], own["median"], where="post", color=ARM_COLOURS[arm], label=words)
        axes.axhline(true_hypervolume, color="black", linestyle=(0, (4, 2)), linewidth=1, label="true front")
        low = _lower_limit(numbers)
        axes.set_ylim(low, true_hypervolume + 0.06 * (true_hypervolume - low))
        axes.set_xlim(left=0)
        axes.annotate(
            f"training sample\nof the surrogate ({charged:,})",
            (charged / 2, 0.03),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            fontsize=7.5,
            color=COLOURS["grey"],
            rotation=90 if charged < 0.3 * numbers["charged"].max() else 0,
        )
        axes.set_xlabel("Architectures evaluated, training sample included")
        axes.set_ylabel("Hypervolume (share of the normalised box)")
        axes.legend(loc="lower right")
        drawn.suptitle(
            f"Hypervolume over evaluations; median and quartiles of {seeds} seeds. {numbers['dataset'].iloc[0]}",
            x=0.01,
            ha="left",
            fontsize=9,
        )
        yield drawn, numbers


def _lower_limit(numbers: pd.DataFrame) -> float:
    """Return a lower end of the axis that shows the curves' differences rather than their first, poor starts."""
    bottom = float(np.quantile(numbers["lower_quartile"], 0.02))
    top = float(numbers["true_front_hypervolume"].iloc[0])
    return max(0.0, bottom - 0.08 * (top - bottom)) if top > bottom else max(0.0, top - 0.1)
