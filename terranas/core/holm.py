"""Holm's correction for several tests."""

import numpy as np
from numpy.typing import NDArray


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p-values adjusted for the family of all of them (Holm, 1979), in the same order.

    A NaN stays one and is no member of the family.
    """
    # statsmodels has it, but collects garbage in each call: a quarter of a second where many modules are loaded
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    ascending = known[np.argsort(p_values[known], kind="stable")]
    factors = np.arange(len(known), 0, -1)
    adjusted[ascending] = np.minimum(1.0, np.maximum.accumulate(p_values[ascending] * factors))
    return adjusted
