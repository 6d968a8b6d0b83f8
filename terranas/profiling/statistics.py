"""What many timed runs say together: quantiles, moments, throughput, and how well the median is known."""

from functools import lru_cache
from math import comb, inf, nan
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from terranas.profiling.schema import TIMES


def median_interval(samples: NDArray[np.float64], level: float = 0.95) -> tuple[float, float]:
    """Return a confidence interval of the median that holds whatever the distribution is.

    Its ends are order statistics: the number of samples below the median is binomial with probability 1/2, so the
    interval from the l-th smallest to the l-th largest sample misses the median with twice the probability of less than
    l samples below it (Conover 1999, Practical Nonparametric Statistics, section 3.2). The largest l is taken whose
    interval still has the level.

    Args:
        samples: independent samples, shape (runs,).
        level: least probability that the interval holds the median.

    Returns:
        Both ends; NaN where the samples are too few for any such interval (at most 5 for 95 %).
    """
    rank = _rank_of_interval(len(samples), level)
    if rank == 0:
        return nan, nan
    ordered = np.sort(samples)
    return float(ordered[rank - 1]), float(ordered[-rank])


@lru_cache(maxsize=256)
def _rank_of_interval(count: int, level: float) -> int:
    """Return the largest l (from 1) whose interval has the level, 0 where there is none."""
    # in whole numbers: for a thousand samples, single terms are too small for floating point
    allowed = int((1 - level) / 2 * 2**60) * 2**count >> 60
    below, rank = 0, 0
    while rank < count // 2 and (below := below + comb(count, rank)) <= allowed:
        rank += 1
    return rank


def relative_width(samples: NDArray[np.float64]) -> float:
    """Return the width of the median's 95 % interval over the median; infinite where either is not known."""
    low, high = median_interval(samples)
    median = float(np.median(samples)) if len(samples) else nan
    return (high - low) / median if high >= low and median > 0 else inf


def relative_spread(samples: NDArray[np.float64]) -> float:
    """Return the interquartile range over the median; 0 where the median is.

    Args:
        samples: shape (runs,), at least one.
    """
    lower, median, upper = np.percentile(samples, [25, 50, 75]).tolist()
    return float((upper - lower) / median) if median > 0 else 0.0


def summarise(
    samples: NDArray[np.float64], batch_size: int, statistic: Literal["median", "mean"] = "median"
) -> dict[str, float]:
    """Return the columns ``schema.TIMES`` of timed runs.

    Quantiles are interpolated between order statistics; the standard deviation is that of a sample (divided by the
    number of runs less one).

    Args:
        samples: times in ms, shape (runs,); all results are NaN when there are none.
        batch_size: images in a run.
        statistic: which one is the latency, from which throughput follows.
    """
    if not len(samples):
        return dict.fromkeys(TIMES, nan)
    lower, median, upper, p90, p99 = np.percentile(samples, [25, 50, 75, 90, 99]).tolist()
    low, high = median_interval(samples)
    mean = float(samples.mean())
    latency = median if statistic == "median" else mean
    return {
        "latency_ms": latency,
        "latency_low_ms": low,
        "latency_high_ms": high,
        "latency_iqr_ms": upper - lower,
        "latency_p90_ms": p90,
        "latency_p99_ms": p99,
        "latency_mean_ms": mean,
        "latency_std_ms": float(samples.std(ddof=1)) if len(samples) > 1 else nan,
        # a clock may be too coarse for a network that does nothing
        "images_per_second": 1000 * batch_size / latency if latency > 0 else nan,
    }
