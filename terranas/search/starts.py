"""Which architectures a local search starts from."""

from dataclasses import dataclass
from typing import Self

import moocore
import numpy as np
from numpy.typing import NDArray
from scipy.stats.qmc import LatinHypercube

from terranas.search.crowding import thin


def random_subset(candidates: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return different candidates in random order, each with equal probability; all where there are no more.

    Args:
        candidates: different rows, all available ones or those of a predicted front.
        count: starts wanted.
        rng: draws them.
    """
    return rng.permutation(candidates)[:count]


def spread_subset(
    candidates: NDArray[np.int64], minimised: NDArray[np.float64], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the candidates that are left when the most crowded is dropped one at a time, in random order.

    Args:
        candidates: different rows, those of a predicted front, shape (k,).
        minimised: their objectives, predicted, shape (k, m).
        count: starts wanted; all candidates where there are no more.
        rng: orders them.
    """
    return rng.permutation(candidates[thin(minimised, count)])


def best_subset(
    candidates: NDArray[np.int64], minimised: NDArray[np.float64], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the best candidates in random order: by non-dominated rank, then least crowded.

    Whole ranks are taken while they fit; the first that does not is thinned by crowding (NSGA-II's survival, with the
    distances taken anew after each drop).

    Args:
        candidates: different rows, those of a training sample, shape (k,).
        minimised: their objectives, measured, smaller is better, shape (k, m); finite.
        count: starts wanted; all candidates where there are no more.
        rng: orders them.
    """
    ranks = moocore.pareto_rank(np.ascontiguousarray(minimised)) if len(minimised) else np.empty(0, dtype=np.int64)
    chosen: list[int] = []
    for rank in np.unique(ranks):
        members = np.flatnonzero(ranks == rank)
        chosen += members[thin(minimised[members], count - len(chosen))].tolist()
        if len(chosen) == count:
            break
    return rng.permutation(candidates[np.array(chosen, dtype=np.int64)])


@dataclass(frozen=True)
class SpaceFilling:
    """Starts spread over the structure of the available architectures like a Latin hypercube.

    Every structural feature becomes the share of architectures below it, ties in the middle, so that equal intervals
    hold equally many. To each point of a Latin hypercube (McKay, Beckman and Conover, Technometrics 21(2), 1979) the
    nearest architecture that is not taken yet is chosen. Architectures that look the same in all features are at one
    place; one of them is drawn.

    Attributes:
        places: the different places, in [0, 1], shape (p, k).
        members: rows sorted by their place, shape (n,).
        ends: where the members of each place end, shape (p,).
    """

    places: NDArray[np.float64]
    members: NDArray[np.int64]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, outline: NDArray[np.float64], available: NDArray[np.int64]) -> Self:
        """Return the places of the available architectures.

        Args:
            outline: structural features of all architectures, shape (n, k).
            available: rows that can be starts, at least one.
        """
        codes = np.zeros(len(available), dtype=np.int64)
        shares = np.empty((len(available), outline.shape[1]))
        for feature, column in enumerate(outline[available].T):
            values, level, times = np.unique(column, return_inverse=True, return_counts=True)
            shares[:, feature] = ((np.cumsum(times) - times / 2) / len(available))[level]
            # renumbered after each feature, so that the codes stay small
            _, codes = np.unique(codes * len(values) + level, return_inverse=True)
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes))
        return cls(shares[order[ends - 1]], available[order], ends)

    def draw(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return different rows, in the order of the hypercube's points; all where there are no more than ``count``."""
        count = min(count, len(self.members))
        left = np.diff(self.ends, prepend=0)
        taken: dict[int, set[int]] = {}
        chosen = []
        for point in LatinHypercube(self.places.shape[1], rng=rng).random(count):
            distances = ((self.places - point) ** 2).sum(axis=1)
            place = int(np.argmin(np.where(left > 0, distances, np.inf)))
            size = int(self.ends[place] - (self.ends[place - 1] if place else 0))
            own = taken.setdefault(place, set())
            free = [member for member in range(size) if member not in own] if own else range(size)
            member = free[int(rng.integers(len(free)))]
            own.add(member)
            left[place] -= 1
            chosen.append(int(self.members[self.ends[place] - size + member]))
        return np.array(chosen, dtype=np.int64)
