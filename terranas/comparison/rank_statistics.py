"""Tests between more than two methods: Friedman with post-hoc tests on blocks, Kruskal-Wallis with Dunn's without."""

from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from terranas.comparison.statistics import wilcoxon
from terranas.core.holm import holm

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Omnibus:
    """Result of a test between k methods.

    Attributes:
        mean_ranks: mean rank of each method, 1 is the smallest value, shape (k,).
        statistic: Friedman's chi-squared or Kruskal and Wallis's H, corrected for ties.
        f: Iman and Davenport's F; NaN for Kruskal-Wallis, infinite where all blocks agree.
        p: p-value (of F where there is one).
    """

    mean_ranks: Matrix
    statistic: float
    f: float
    p: float


def friedman(values: Matrix) -> Omnibus:
    """Test whether k methods differ over blocks (Friedman, 1937), with Iman and Davenport's F (1980).

    F has k - 1 and (k - 1)(n - 1) degrees of freedom; where all blocks rank the methods alike it is infinite, and p is
    the chance of that, (1 / k!) ** (n - 1).

    Args:
        values: smaller is better, shape (n blocks, k methods); n >= 2, k >= 3.

    Raises:
        ValueError: there are too few blocks or methods.
    """
    blocks, methods = values.shape
    if blocks < 2 or methods < 3:
        raise ValueError(f"values has shape {values.shape}, expected at least 2 blocks and 3 methods")
    ranks = stats.rankdata(values, axis=1)
    mean_ranks = np.asarray(ranks.mean(axis=0), dtype=np.float64)
    # with ties the ranks of a block vary less than 1 .. k would
    spread = float(((ranks - (methods + 1) / 2) ** 2).sum())
    if spread == 0:
        return Omnibus(mean_ranks, 0.0, 0.0, 1.0)
    chi_squared = blocks**2 * (methods - 1) * float(((mean_ranks - (methods + 1) / 2) ** 2).sum()) / spread
    most = blocks * (methods - 1)
    if chi_squared >= most * (1 - 1e-12):
        return Omnibus(mean_ranks, float(most), float("inf"), (1 / factorial(methods)) ** (blocks - 1))
    f = (blocks - 1) * chi_squared / (most - chi_squared)
    return Omnibus(mean_ranks, chi_squared, f, float(stats.f.sf(f, methods - 1, (methods - 1) * (blocks - 1))))


def critical_difference(blocks: int, methods: int, alpha: float) -> float:
    """Return the difference of mean ranks from which on Nemenyi's test is significant (Demsar, JMLR 7, 2006)."""
    quantile = float(stats.studentized_range.ppf(1 - alpha, methods, np.inf)) / np.sqrt(2)
    return float(quantile * np.sqrt(methods * (methods + 1) / (6 * blocks)))


def nemenyi(mean_ranks: Matrix, blocks: int) -> Matrix:
    """Return p-values of Nemenyi's test (1963) for all pairs of methods, adjusted for all of them, shape (k, k).

    Args:
        mean_ranks: over the blocks, shape (k,).
        blocks: number of blocks n.
    """
    methods = len(mean_ranks)
    distances = np.abs(mean_ranks[:, None] - mean_ranks) / np.sqrt(methods * (methods + 1) / (6 * blocks))
    unique, places = np.unique(distances * np.sqrt(2), return_inverse=True)
    p = np.clip(stats.studentized_range.sf(unique, methods, np.inf), 0.0, 1.0)
    return np.asarray(p[places].reshape(distances.shape), dtype=np.float64)


def pairwise_wilcoxon(values: Matrix) -> tuple[Matrix, Matrix]:
    """Return p-values of signed-rank tests over the blocks for all pairs of methods, plain and adjusted by Holm.

    Args:
        values: shape (n blocks, k methods).

    Returns:
        Two symmetric matrices of shape (k, k) with 1 on the diagonal.
    """
    upper = np.triu_indices(values.shape[1], k=1)
    p = np.array([wilcoxon(values[:, one], values[:, other]).p for one, other in zip(*upper, strict=True)])
    return _symmetric(p, upper, values.shape[1]), _symmetric(holm(p), upper, values.shape[1])


def kruskal_wallis(samples: list[Matrix]) -> Omnibus:
    """Test whether k independent samples come from one distribution (Kruskal and Wallis, 1952).

    Args:
        samples: smaller is better, one array a method.
    """
    everything = np.concatenate(samples)
    ranks = stats.rankdata(everything)
    ends = np.cumsum([len(sample) for sample in samples])[:-1]
    mean_ranks = np.array([part.mean() for part in np.split(ranks, ends)])
    if np.ptp(everything) == 0:
        return Omnibus(mean_ranks, 0.0, float("nan"), 1.0)
    result = stats.kruskal(*samples)
    return Omnibus(mean_ranks, max(0.0, float(result.statistic)), float("nan"), float(result.pvalue))


def dunn(samples: list[Matrix]) -> tuple[Matrix, Matrix]:
    """Return p-values of Dunn's test (Technometrics 6, 1964) for all pairs of samples, plain and adjusted by Holm.

    The ranks are those among all samples; the variance is corrected for ties.

    Returns:
        Two symmetric matrices of shape (k, k) with 1 on the diagonal.
    """
    everything = np.concatenate(samples)
    total = len(everything)
    sizes = np.array([len(sample) for sample in samples])
    mean_ranks = kruskal_wallis(samples).mean_ranks
    _, tied = np.unique(everything, return_counts=True)
    variance = (total * (total + 1) - float((tied**3 - tied).sum()) / (total - 1)) / 12
    upper = np.triu_indices(len(samples), k=1)
    if len(tied) == 1:
        p = np.ones(len(upper[0]))
    else:
        errors = np.sqrt(variance * (1 / sizes[upper[0]] + 1 / sizes[upper[1]]))
        p = 2 * stats.norm.sf(np.abs(mean_ranks[upper[0]] - mean_ranks[upper[1]]) / errors)
    return _symmetric(p, upper, len(samples)), _symmetric(holm(p), upper, len(samples))


def _symmetric(p: Matrix, upper: tuple[NDArray[np.int64], ...], size: int) -> Matrix:
    matrix = np.ones((size, size))
    matrix[upper] = p
    matrix.T[upper] = p
    return matrix
