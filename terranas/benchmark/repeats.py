"""How several trainings of one architecture become one value."""

from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.core.errors import TableError

Aggregate = Literal["mean", "median", "std", "min", "max"]
"""How the repeats of an architecture become one value; ``std`` is the sample standard deviation."""


def aggregate(
    values: NDArray[np.float64], owner: NDArray[np.int32], architectures: int, how: Aggregate
) -> NDArray[np.float64]:
    """Return one value an architecture, NaN for those without one, and a NaN behind them.

    Args:
        values: known values, shape (n,).
        owner: which architecture each belongs to, shape (n,).
        architectures: their number.
        how: the aggregate.

    Returns:
        Shape (architectures + 1,).

    Raises:
        TableError: there is no such aggregate.
    """
    if how not in get_args(Aggregate):
        raise TableError(f"Repeats are aggregated by {', '.join(get_args(Aggregate))}, got '{how}'.")
    result = np.full(architectures + 1, np.nan)
    counts = np.bincount(owner, minlength=architectures)
    known = np.flatnonzero(counts)
    if how == "mean":
        result[known] = np.bincount(owner, values, minlength=architectures)[known] / counts[known]
    else:
        grouped = pd.Series(values).groupby(owner, sort=True)
        result[known] = getattr(grouped, how)().to_numpy()
    return result


def one_a_run(kept: NDArray[np.bool_], owner: NDArray[np.int32], runs: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return the first row kept of each training: one that was measured on two devices was still trained once.

    Args:
        kept: which rows count, shape (n,).
        owner: which architecture each belongs to, shape (n,).
        runs: which of its trainings each belongs to, shape (n,).

    Returns:
        Shape (n,).
    """
    rows = np.flatnonzero(kept)
    run = owner[rows].astype(np.int64) * (int(runs.max(initial=0)) + 1) + runs[rows]
    first = np.zeros_like(kept)
    first[rows[np.unique(run, return_index=True)[1]]] = True
    return first
