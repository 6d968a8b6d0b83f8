"""What a search searches: a space, its neighbours and the objectives of its architectures."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from terranas.core.pareto import Direction, to_minimise
from terranas.space.neighbours import NeighbourGraph
from terranas.space.searchable import SearchableSpace


@dataclass(frozen=True)
class Problem:
    """A search space with objectives.

    An architecture is a row, 0 to n - 1, of the space. Where an objective was not measured, its predicted value stands
    in for it; without predictions the architecture has no value and is passed over.

    Attributes:
        dataset: name of the images.
        space: the architectures.
        objectives: names of the m objectives, at least two.
        directions: which way each objective is better.
        values: measured objectives in their own directions, shape (n, m); not finite where not known.
        graph: neighbours by row.
        predicted: predicted objectives in their own directions, shape (n, m); None passes over what is not measured.

    Raises:
        ValueError: the shapes do not fit together.
    """

    dataset: str
    space: SearchableSpace
    objectives: Sequence[str]
    directions: Sequence[Direction]
    values: NDArray[np.float64]
    graph: NeighbourGraph
    predicted: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        shape = (len(self.space.names), len(self.objectives))
        if shape[1] < 2 or len(self.directions) != shape[1]:
            raise ValueError(
                f"a search has two or more objectives, each with a direction; got the {shape[1]} objectives "
                f"{', '.join(self.objectives)} and {len(self.directions)} directions"
            )
        if len(self.graph) != shape[0]:
            raise ValueError(f"the graph connects {len(self.graph)} architectures, the space has {shape[0]}")
        for name, table in (("values", self.values), ("predicted", self.predicted)):
            if table is not None and table.shape != shape:
                raise ValueError(f"{name} has the shape {table.shape}, expected {shape}")

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def names(self) -> NDArray[np.object_]:
        """Names of the architectures by row, shape (n,)."""
        return np.array(self.space.names, dtype=object)

    @cached_property
    def used(self) -> NDArray[np.float64]:
        """Objectives in their own directions, measured or else predicted, shape (n, m); NaN rows without value."""
        used = self.values.astype(np.float64)
        if self.predicted is not None:
            used = np.where(np.isfinite(self.values), self.values, self.predicted)
        known = np.asarray(np.isfinite(used).all(axis=1))
        return np.where(known[:, None], used, np.nan)

    @cached_property
    def minimised(self) -> NDArray[np.float64]:
        """The same with smaller values better, shape (n, m)."""
        return to_minimise(self.used, self.directions)

    @cached_property
    def is_predicted(self) -> NDArray[np.bool_]:
        """Whether an architecture has a value of which an objective is predicted, shape (n,)."""
        measured = np.isfinite(self.values).all(axis=1)
        return np.asarray(~measured & ~np.isnan(self.used[:, 0]), dtype=np.bool_)

    @cached_property
    def available(self) -> NDArray[np.int64]:
        """Rows of the architectures that have values, measured or predicted, ascending."""
        return np.flatnonzero(~np.isnan(self.used[:, 0]))
