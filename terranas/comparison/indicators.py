"""Quality and diversity of fronts: hypervolume, distance to the true front, spread in architecture space."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import moocore
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.comparison.schema import INDICATORS
from terranas.core.errors import TableError
from terranas.core.pareto import Direction, nondominated, to_minimise
from terranas.space.encodings import expanded_bits, hamming_distances


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
            raise TableError("No architecture has values of all objectives, so they cannot be normalised.")
        return cls(tuple(directions), finite.min(axis=0), finite.max(axis=0))

    def normalise(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values of shape (n, m), in their own directions, as minimised shares of the box."""
        width = self.worst - self.ideal
        return (to_minimise(values, self.directions) - self.ideal) / np.where(width > 0, width, 1.0)


def hypervolume(normalised: NDArray[np.float64]) -> float:
    """Return the share of the unit box that the points dominate, with the reference point (1, ..., 1).

    Args:
        normalised: minimised objectives in [0, 1], shape (n, m); dominated points and duplicates change nothing.
    """
    points = np.ascontiguousarray(normalised)
    return min(1.0, float(moocore.hypervolume(points, ref=np.ones(points.shape[1]))))


def igd_plus(normalised: NDArray[np.float64], true_front: NDArray[np.float64]) -> float:
    """Return IGD+ (Ishibuchi et al., EMO 2015): how far, on average, the true front's points are from being covered.

    The mean over true-front points z of the smallest Euclidean norm of max(a - z, 0) over points a.

    Args:
        normalised: minimised objectives of a front, shape (n, m).
        true_front: those of the true front, shape (k, m).
    """
    return float(moocore.igd_plus(np.ascontiguousarray(normalised), ref=np.ascontiguousarray(true_front)))


def diversity(distances: NDArray[np.number[Any]]) -> tuple[float, float]:
    """Return the largest and the mean distance of two different members; both 0 for a single member.

    Args:
        distances: symmetric distances between the members of a front, shape (n, n).
    """
    pairs = distances[np.triu_indices(len(distances), k=1)]
    return (float(pairs.max()), float(pairs.mean())) if len(pairs) else (0.0, 0.0)


@dataclass(frozen=True)
class Reference:
    """What a study's fronts are compared with.

    Attributes:
        box: normalisation.
        true_front: non-dominated points of all known architectures, normalised, without duplicates, shape (k, m).
    """

    box: Box
    true_front: NDArray[np.float64]

    @classmethod
    def of(cls, values: NDArray[np.float64], directions: Sequence[Direction]) -> Self:
        """Return box and true front of all known architectures.

        Architectures with equal objectives count as one point: IGD+ averages over places, not over architectures.

        Args:
            values: objectives in their own directions, shape (n, m); rows that are not finite are left out.
            directions: which way each objective is better.

        Raises:
            TableError: no row is finite.
        """
        box = Box.around(values, directions)
        known = values[np.isfinite(values).all(axis=1)]
        front = np.unique(known[nondominated(known, directions)], axis=0)
        return cls(box, box.normalise(front))

    @property
    def hypervolume(self) -> float:
        """Hypervolume of the true front: the largest any search can reach."""
        return hypervolume(self.true_front)

    @property
    def facts(self) -> dict[str, Any]:
        """JSON-serialisable facts for the metadata of tables made with this reference."""
        signs = [1.0 if direction == "minimise" else -1.0 for direction in self.box.directions]
        return {
            "best": (self.box.ideal * signs).tolist(),
            "worst": (self.box.worst * signs).tolist(),
            "true_front_hypervolume": self.hypervolume,
        }


def indicator_table(
    fronts: pd.DataFrame,
    cells: pd.DataFrame,
    reference: Reference,
    objectives: Sequence[str],
    charged: int,
) -> pd.DataFrame:
    """Return the indicators of every front.

    Args:
        fronts: fronts of both arms, schema ``search.fronts``.
        cells: table of cells that holds at least the fronts' architectures.
        reference: of the benchmark that was searched.
        objectives: names of the objectives, in the order of the reference's box.
        charged: architectures that trained the surrogate, added to the budgets of its arm.

    Raises:
        TableError: a front's architecture is no row of ``cells``.
    """
    met = cells[cells["hash"].isin(fronts["hash"].unique())]
    codes = expanded_bits(met)
    fronts = fronts.assign(_cell=pd.Index(met["hash"]).get_indexer(pd.Index(fronts["hash"])))
    if (fronts["_cell"] < 0).any():
        strange = fronts.loc[fronts["_cell"] < 0, "hash"].iloc[0]
        raise TableError(
            f"The fronts name the architecture {strange}, which is not in the table of cells. Remove the search folder "
            "of this study and run again."
        )
    best_possible = reference.hypervolume
    rows: list[dict[str, Any]] = []
    for _, front in fronts.groupby(["arm", "budget", "seed"], sort=True):
        arm, budget, seed = front["arm"].iloc[0], int(front["budget"].iloc[0]), int(front["seed"].iloc[0])
        values = front[list(objectives)].to_numpy(dtype=np.float64)
        points = reference.box.normalise(values)
        volume = hypervolume(points)
        diameter, mean_distance = diversity(hamming_distances(codes[front["_cell"].to_numpy()]))
        row = {
            "arm": arm,
            "dataset": front["dataset"].iloc[0],
            "budget": budget,
            "charged": budget + (charged if arm == "surrogate" else 0),
            "seed": seed,
            "size": len(front),
            "hypervolume": volume,
            "hypervolume_regret": max(0.0, best_possible - volume),
            "igd_plus": igd_plus(points, reference.true_front),
            "diameter": diameter,
            "mean_pairwise_distance": mean_distance,
        }
        for column, name in enumerate(objectives):
            maximised = reference.box.directions[column] == "maximise"
            own = values[:, column]
            row[f"best_{name}"] = float(own.max() if maximised else own.min())
            row[f"mean_{name}"] = float(own.mean())
            row[f"std_{name}"] = float(own.std())
        rows.append(row)
    return INDICATORS.from_rows(rows)
