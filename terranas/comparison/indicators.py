"""Quality and diversity of fronts: hypervolume, distance to the reference front, spread in architecture space."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, Self

import moocore
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.comparison.published_indicators import published_hypervolume, published_mean_pairwise_distance
from terranas.comparison.schema import INDICATORS, REFERENCES
from terranas.core.errors import TableError
from terranas.core.pareto import Direction, nondominated, to_minimise
from terranas.search.arms import CHARGED


class ArchitectureSpace(Protocol):
    """What indicators ask of a search space (see :class:`terranas.space.searchable.SearchableSpace`)."""

    @property
    def names(self) -> Sequence[str]:
        """Names of all architectures, ascending."""

    def distances(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how far apart each two architectures are, shape (k, k)."""


@dataclass(frozen=True)
class Box:
    """Normalisation of objectives to [0, 1], smaller is better: 0 is the best known value, 1 the worst known.

    The bounds are those of **all** architectures with values, not of the true front alone: with the point (1, ..., 1)
    as reference nothing that can be found lies outside, and the hypervolume of the ideal point is 1. An objective
    that is the same for all architectures is 0 throughout, so it scales every hypervolume by 1.

    Attributes:
        directions: which way each of the m objectives is better.
        ideal: best known value of each objective, minimised, shape (m,).
        worst: worst known value of each objective, minimised, shape (m,).
    """

    directions: tuple[Direction, ...]
    ideal: NDArray[np.float64]
    worst: NDArray[np.float64]

    @classmethod
    def around(cls, values: NDArray[np.float64], directions: Sequence[Direction]) -> Self:
        """Return the box of all finite rows of ``values``, shape (n, m), in the objectives' own directions.

        Raises:
            TableError: no row is finite.
        """
        finite = to_minimise(values[np.isfinite(values).all(axis=1)], directions)
        if not len(finite):
            raise TableError(
                "No architecture has values of all objectives, so they cannot be normalised. Set search.objectives to "
                "metrics that the benchmark knows of the same architectures."
            )
        return cls(tuple(directions), finite.min(axis=0), finite.max(axis=0))

    def normalise(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values of shape (n, m), in their own directions, as minimised shares of the box."""
        width = self.worst - self.ideal
        return (to_minimise(values, self.directions) - self.ideal) / np.where(width > 0, width, 1.0)

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return best and worst known value of each objective in its own direction, shape (m,) each."""
        signs = np.array([1.0 if direction == "minimise" else -1.0 for direction in self.directions])
        return self.ideal * signs, self.worst * signs


def hypervolume(normalised: NDArray[np.float64]) -> float:
    """Return the share of the unit box that the points dominate, with the reference point (1, ..., 1).

    Args:
        normalised: minimised objectives in [0, 1], shape (n, m); dominated points and duplicates change nothing.
    """
    points = np.ascontiguousarray(normalised)
    return min(1.0, float(moocore.hypervolume(points, ref=np.ones(points.shape[1]))))


def igd_plus(normalised: NDArray[np.float64], reference_front: NDArray[np.float64]) -> float:
    """Return IGD+ (Ishibuchi et al., EMO 2015): how far, on average, the reference's points are from being covered.

    The mean over the reference's points z of the smallest Euclidean norm of max(a - z, 0) over points a.

    Args:
        normalised: minimised objectives of a front, shape (n, m).
        reference_front: those of the reference, shape (k, m).
    """
    return float(moocore.igd_plus(np.ascontiguousarray(normalised), ref=np.ascontiguousarray(reference_front)))


def additive_epsilon(normalised: NDArray[np.float64], reference_front: NDArray[np.float64]) -> float:
    """Return the additive epsilon indicator (Zitzler et al., IEEE Transactions on Evolutionary Computation 7, 2003).

    The smallest number by which all points a must be shifted so that each point z of the reference is weakly
    dominated: the largest over z of the smallest over a of max_i (a_i - z_i). No point is better than the reference,
    so it is 0 or more.

    Args:
        normalised: minimised objectives of a front, shape (n, m).
        reference_front: those of the reference, shape (k, m).
    """
    points, reference = np.ascontiguousarray(normalised), np.ascontiguousarray(reference_front)
    return max(0.0, float(moocore.epsilon_additive(points, ref=reference)))


def diversity(distances: NDArray[np.number[Any]]) -> tuple[float, float]:
    """Return the largest and the mean distance of two different members; both 0 for a single member.

    Args:
        distances: symmetric distances between the members of a front, shape (n, n).
    """
    members = len(distances)
    if members < 2:
        return 0.0, 0.0
    return float(distances.max()), float(distances.sum() / (members * (members - 1)))


def reference_kind(complete: bool) -> str:
    """Return what the front of a space is called, by whether all its values were measured."""
    return REFERENCES[0] if complete else REFERENCES[1]


@dataclass(frozen=True)
class Reference:
    """What a study's fronts are compared with.

    Attributes:
        box: normalisation.
        front: non-dominated points of all known architectures, normalised, without duplicates, shape (k, m).
        kind: whether that is the true front of a complete benchmark, or the front of all values at hand (measured,
            predicted, found); one of ``terranas.comparison.schema.REFERENCES``.
    """

    box: Box
    front: NDArray[np.float64]
    kind: str

    @classmethod
    def of(cls, values: NDArray[np.float64], directions: Sequence[Direction], *, complete: bool) -> Self:
        """Return box and front of all known architectures.

        Architectures with equal objectives count as one point: IGD+ averages over places, not over architectures.

        Args:
            values: objectives in their own directions, shape (n, m); rows that are not finite are left out. Of an
                incomplete benchmark all that is at hand: measured, predicted and found.
            directions: which way each objective is better.
            complete: whether the values are the measured ones of the whole search space.

        Raises:
            TableError: no row is finite.
        """
        box = Box.around(values, directions)
        known = values[np.isfinite(values).all(axis=1)]
        front = np.unique(known[nondominated(known, directions)], axis=0)
        return cls(box, box.normalise(front), reference_kind(complete))

    @cached_property
    def hypervolume(self) -> float:
        """Hypervolume of the reference front: the largest any search can reach."""
        return hypervolume(self.front)

    @property
    def facts(self) -> dict[str, Any]:
        """JSON-serialisable facts for the metadata of tables made with this reference."""
        best, worst = self.box.bounds()
        return {
            "reference": self.kind,
            "reference_points": len(self.front),
            "best": best.tolist(),
            "worst": worst.tolist(),
            "reference_hypervolume": self.hypervolume,
        }


def measure_front(
    values: NDArray[np.float64],
    distances: NDArray[np.int64],
    predicted: NDArray[np.bool_],
    reference: Reference,
    objectives: Sequence[str],
) -> dict[str, float]:
    """Return all indicators of one front, by the names of their columns.

    Args:
        values: objectives of its members in their own directions, shape (k, m).
        distances: between the members in architecture space, shape (k, k).
        predicted: whether a member's values are predicted, shape (k,).
        reference: of the benchmark that was searched.
        objectives: names of the objectives.
    """
    box = reference.box
    points = box.normalise(values)
    volume = hypervolume(points)
    diameter, mean_distance = diversity(distances)
    best, worst = box.bounds()
    row = {
        "size": len(values),
        "hypervolume": volume,
        "hypervolume_per_point": volume / len(values),
        "hypervolume_regret": max(0.0, reference.hypervolume - volume),
        "igd_plus": igd_plus(points, reference.front),
        "additive_epsilon": additive_epsilon(points, reference.front),
        "diameter": diameter,
        "mean_pairwise_distance": mean_distance,
        "published_hypervolume": published_hypervolume(values, box.directions, best, worst),
        "published_mean_pairwise_distance": published_mean_pairwise_distance(distances),
        "predicted": float(predicted.mean()),
    }
    for column, name in enumerate(objectives):
        own = values[:, column]
        found = float(own.max() if box.directions[column] == "maximise" else own.min())
        row[f"best_{name}"] = found
        row[f"mean_{name}"] = float(own.mean())
        row[f"std_{name}"] = float(own.std())
        row[f"regret_{name}"] = abs(found - float(best[column]))
    return row


def indicator_table(
    fronts: pd.DataFrame,
    space: ArchitectureSpace,
    reference: Reference,
    objectives: Sequence[str],
    training_sample: int,
) -> pd.DataFrame:
    """Return the indicators of every front.

    Args:
        fronts: fronts of all arms, schema ``search.fronts``.
        space: the space that was searched.
        reference: of the benchmark that was searched.
        objectives: names of the objectives, in the order of the reference's box.
        training_sample: architectures that trained the surrogate, added to the budgets of the arms that need one.

    Returns:
        A table of the schema ``INDICATORS``, sorted by its key.

    Raises:
        TableError: a front's architecture is not in the space.
    """
    rows_in_space = architecture_rows(fronts["architecture"], space)
    values = fronts[list(objectives)].to_numpy(dtype=np.float64)
    predicted = fronts["predicted"].to_numpy(dtype=np.bool_)
    budgets = fronts["budget"].to_numpy()
    found: list[dict[str, Any]] = []
    for rows in fronts.groupby(["arm", "seed"], sort=True).indices.values():
        head = fronts.iloc[rows[0]]
        # the fronts of one search share members: their distances are asked for once
        unique, places = np.unique(rows_in_space[rows], return_inverse=True)
        distances = space.distances(unique)
        for budget in np.unique(budgets[rows]).tolist():
            own = budgets[rows] == budget
            members, at = rows[own], places[own]
            found.append(
                {
                    "arm": head["arm"],
                    "dataset": head["dataset"],
                    "budget": budget,
                    "charged": budget + charge(head["arm"], training_sample),
                    "seed": int(head["seed"]),
                    **measure_front(
                        values[members], distances[np.ix_(at, at)], predicted[members], reference, objectives
                    ),
                }
            )
    found.sort(key=lambda row: (row["arm"], row["budget"], row["seed"]))
    return INDICATORS.from_rows(found)


def charge(arm: str, training_sample: int) -> int:
    """Return what an arm pays besides its own evaluations: the surrogate's training sample, or nothing."""
    return training_sample if arm in CHARGED else 0


def architecture_rows(names: pd.Series, space: ArchitectureSpace) -> NDArray[np.int64]:
    """Return the rows of named architectures in a space.

    Raises:
        TableError: a name is not in the space.
    """
    rows = np.asarray(pd.Index(space.names).get_indexer(pd.Index(names)), dtype=np.int64)
    if (rows < 0).any():
        raise TableError(
            f"The searches name the architecture {names.iloc[int(np.argmax(rows < 0))]}, which is not in the search "
            "space. Remove the search folder of this study and run again."
        )
    return rows
