"""Checks that tell a wrong unit, or columns that changed places, from latencies alone.

Nobody publishes what a latency must be, so the bounds follow from what the devices can do, with room on both sides of
what the published files hold (the figures in the comments). Orders are compared in large files only.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.validation import Check, compare, within

# from an accelerator at 1.1 ms (Edge TPU) to a Raspberry Pi at 26 ms; another unit is a factor of a thousand away
MEDIAN_MS = (0.1, 300.0)

# 0.29 (Edge TPU) to 0.98; a throughput in place of a time has a negative one, values of other cells one near zero
LEAST_WITH_MACS = 0.2

ENOUGH = 5_000
"""Cells from which on orders are compared; fewer may be of one kind, whose order follows from other things."""

_GPUS = ("1080ti", "2080ti", "titanx", "titan_rtx")
_PHONES = ("lat_essential_ph_1", "lat_pixel2", "lat_samsung_a50")

# what ranks cells alike, and the least rank correlation of two of them; the published ones, and the largest with a
# column outside of the group, stand behind
_ALIKE = {
    # launching hundreds of kernels takes longer than running them: 0.951, 0.863
    "GPUs with batches of 1 and 32": ([f"lat_{gpu}_{batch}" for gpu in _GPUS for batch in (1, 32)], 0.9),
    # the same chip, GP102: 0.996, 0.909
    "GTX 1080 Ti and Titan X with batches of 256": (["lat_1080ti_256", "lat_titanx_256"], 0.99),
    # the same chip, TU102: 0.9998, 0.983
    "RTX 2080 Ti and Titan RTX with batches of 256": (["lat_2080ti_256", "lat_titan_rtx_256"], 0.99),
    # 0.930; 0.983 with the GPUs of the line above, which have a line of their own
    "Xeon processors": (["lat_gold_6240", "lat_silver_4114", "lat_silver_4210r"], 0.9),
    # Arm processors measured by one tool: 0.967, 0.890
    "Raspberry Pi 4 and Pixel 3": (["lat_raspi4", "lat_pixel3"], 0.94),
}


def latency_checks(
    latencies: Mapping[str, NDArray[np.float64]], macs: NDArray[Any], connected: NDArray[np.bool_]
) -> list[Check]:
    """Compare latencies with what any device needs for networks of some ten million multiply-accumulates.

    Args:
        latencies: ms by the name of the device or column, shape (n,) each; NaN where not known.
        macs: multiply-accumulates of the networks, shape (n,).
        connected: which networks pass anything from input to output, shape (n,); compilers drop most of the others.
    """
    names = list(latencies)
    used = {name: values[connected & ~np.isnan(values)] for name, values in latencies.items()}
    medians = [np.median(values) if len(values) else np.nan for values in used.values()]
    orders = [_rank_correlation(values, macs) for values in latencies.values()]
    return [
        within("median latencies are of the order of milliseconds", medians, *MEDIAN_MS, names),
        within("latencies grow with MACs (rank correlation)", orders, LEAST_WITH_MACS, 1, names),
    ]


def device_checks(latencies: Mapping[str, NDArray[np.float64]], keys: Sequence[str]) -> list[Check]:
    """Compare the columns of NAS-Bench-201's file that say something about one another.

    Args:
        latencies: ms by the name of the column, shape (n,) each.
        keys: what to call each cell, n texts.
    """
    checks = [
        compare(f"{column} is in whole milliseconds", latencies[column], np.round(latencies[column]), keys)
        for column in _PHONES
    ]
    for gpu in _GPUS:
        one, some, many = (latencies[f"lat_{gpu}_{batch}"] for batch in (1, 32, 256))
        # eight times the images take longer, and at most eight times as long: 1.29 to 6.4 times
        checks.append(within(f"{gpu}: a batch of 256 takes 1 to 8 times one of 32", many, some, 8 * some, keys))
        # up to 32 images take as long as it takes to launch the kernels: 0.94 to 1.00 times
        ratio = np.median(some / one) if len(keys) >= ENOUGH and (one > 0).all() else np.nan
        checks.append(
            within(
                f"{gpu}: a batch of 32 takes as long as an image (median ratio)", [ratio], 0.85, 1.18, ["the median"]
            )
        )
    for group, (columns, least) in _ALIKE.items():
        pairs = [(first, second) for place, first in enumerate(columns) for second in columns[:place]]
        found = [_rank_correlation(latencies[first], latencies[second]) for first, second in pairs]
        names = [f"{first} and {second}" for first, second in pairs]
        checks.append(within(f"{group} rank cells alike (rank correlation)", found, least, 1, names))
    return checks


def _rank_correlation(first: NDArray[np.float64], second: NDArray[Any]) -> float:
    """Return Spearman's rank correlation of what is known, NaN for few values and 0 where one side is constant."""
    known = ~np.isnan(first)
    if np.count_nonzero(known) < ENOUGH:
        return float("nan")
    ranks = [pd.Series(values[known]).rank() for values in (first, second)]
    found = float(ranks[0].corr(ranks[1]))
    return 0.0 if np.isnan(found) else found
