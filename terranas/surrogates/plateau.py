"""Means and intervals of scores over the repeats, and the training-set size from which more gives no more."""

import numpy as np
import pandas as pd
from scipy import stats

from terranas.surrogates.schema import PLATEAUS

SCORE_NAMES = ("spearman", "kendall", "pearson", "mae", "rmse", "r2")
GAINS = ("spearman", "kendall", "pearson", "r2")
"""Scores of which more is better."""

LEVEL = 0.95


def summarise_scores(scores: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """Return mean and interval of every score over the repeats.

    The interval is Student's for the mean. Repeats share architectures, in training and in held-out sets, so that it is
    somewhat too narrow for what an entirely new table would give (Nadeau and Bengio, Machine Learning 52, 2003).

    Args:
        scores: schema ``surrogates.scores``.
        level: confidence level of the interval.

    Returns:
        One row a dataset, surrogate, objective, size and score, with ``repeats`` that have a value (a correlation with
        constant predictions has none), ``mean``, ``low`` and ``high`` (NaN with fewer than two), ``smallest`` and
        ``largest``.
    """
    keys = ["dataset", "surrogate", "objective", "size", "score"]
    long = scores.melt(keys[:4], list(SCORE_NAMES), var_name="score")
    groups = long.groupby(keys, sort=True)["value"]
    table = groups.agg(repeats="count", mean="mean", std="std", smallest="min", largest="max").reset_index()
    repeats = table["repeats"].to_numpy(dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        half = (
            stats.t.ppf((1 + level) / 2, np.where(repeats > 1, repeats - 1, np.nan)) * table["std"] / np.sqrt(repeats)
        )
    order = [*keys, "repeats", "mean", "low", "high", "smallest", "largest"]
    return table.assign(low=table["mean"] - half, high=table["mean"] + half)[order]


def plateau(scores: pd.DataFrame, tolerance: float, *, score: str = "spearman", alpha: float = 0.05) -> pd.DataFrame:
    """Return the training-set size of each surrogate and objective from which scores are as good as at the end.

    The rule is ours. A size is as good as the largest one when its mean score is shown to be at most ``tolerance``
    lower: a one-sided t-test over the repeats, each a pair of the two sizes, of the hypothesis that the loss is
    ``tolerance`` or more (a test of non-inferiority), at level ``alpha``. Sizes are tested from the largest down until
    one fails; tests in such a fixed order need no correction for their number (Maurer, Hothorn and Lehmacher 1995). The
    last one before is where the plateau begins. A null size says that the scores still rose between the last two sizes,
    or that there are too few repeats to tell. Nothing follows for sizes beyond the largest.

    Args:
        scores: schema ``surrogates.scores``.
        tolerance: in units of the score, not negative.
        score: one that is better when larger: spearman, kendall, pearson or r2.
        alpha: level of each test.

    Returns:
        A table of schema :data:`~terranas.surrogates.schema.PLATEAUS`.

    Raises:
        ValueError: the tolerance is negative, or the score is none of these.
    """
    if not tolerance >= 0 or score not in GAINS:
        raise ValueError(f"a tolerance >= 0 and one of {', '.join(GAINS)} are expected, got {tolerance} and '{score}'")
    rows = []
    for (dataset, surrogate, objective), own in scores.groupby(["dataset", "surrogate", "objective"], sort=False):
        by_size = own.pivot(index="repeat", columns="size", values=score).sort_index(axis=1)
        largest = by_size.columns[-1]
        found, worst, p_value = None, 0.0, np.nan
        for size in by_size.columns[-2::-1]:
            loss = (by_size[largest] - by_size[size]).dropna().to_numpy()
            p = _not_worse(loss, tolerance)
            if not p <= alpha:
                break
            worst = max(worst, p)
            found, p_value = int(size), worst
        rows.append(
            {
                "dataset": dataset,
                "surrogate": surrogate,
                "objective": objective,
                "score": score,
                "tolerance": tolerance,
                "alpha": alpha,
                "repeats": len(by_size),
                "size": found,
                "mean": by_size[found].mean() if found else np.nan,
                "p_value": p_value,
                "largest_size": int(largest),
                "largest_mean": by_size[largest].mean(),
            }
        )
    return PLATEAUS.from_rows(rows)


def _not_worse(loss: np.ndarray, tolerance: float) -> float:
    """Return the p-value of the hypothesis that the mean loss is ``tolerance`` or more; NaN for fewer than two."""
    if len(loss) < 2:
        return float("nan")
    if np.ptp(loss) == 0:  # no spread, no test: the loss is what it is
        return 0.0 if loss[0] <= tolerance else 1.0
    return float(stats.ttest_1samp(loss, tolerance, alternative="less").pvalue)
