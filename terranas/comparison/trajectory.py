"""Indicators of a search's archive along its run."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.comparison.anytime import search_order
from terranas.comparison.indicators import ArchitectureSpace, Reference, architecture_rows, charge, measure_front
from terranas.comparison.schema import TRAJECTORY
from terranas.core.pareto import nondominated

GRID_POINTS = 40


def evaluation_grid(longest: int, budgets: Sequence[int] = (), points: int = GRID_POINTS) -> NDArray[np.int64]:
    """Return the evaluations at which archives are looked at: spaced evenly in the logarithm, and all budgets.

    Args:
        longest: evaluations of the longest search, at least 1.
        budgets: evaluations to include; those beyond the longest search are left out.
        points: evaluations between 1 and ``longest``, both included; fewer where they would coincide.
    """
    spaced = np.rint(np.geomspace(1, longest, points)).astype(np.int64)
    wanted = np.array([budget for budget in budgets if 1 <= budget <= longest], dtype=np.int64)
    return np.union1d(spaced, wanted)


def trajectory_table(
    evaluations: pd.DataFrame,
    space: ArchitectureSpace,
    reference: Reference,
    objectives: Sequence[str],
    training_sample: int,
    *,
    budgets: Sequence[int] = (),
) -> pd.DataFrame:
    """Return the indicators of the archive of every search at a grid of evaluations.

    The archive holds the non-dominated architectures among all that the search has evaluated, whatever the search
    itself kept: where the published way loses architectures, its final front differs from the last archive here.

    Args:
        evaluations: evaluations of all arms, schema ``search.evaluations``.
        space: the space that was searched.
        reference: of the benchmark that was searched.
        objectives: names of the objectives, in the order of the reference's box.
        training_sample: architectures that trained the surrogate, added to the evaluations of the arms that need one.
        budgets: evaluations that the grid includes besides its own, see :func:`evaluation_grid`.

    Returns:
        A table of the schema ``TRAJECTORY``, sorted by its key. The last row of a search is that of its last
        evaluation, also where it is not on the grid.

    Raises:
        TableError: an architecture is not in the space.
    """
    if evaluations.empty:
        return TRAJECTORY.empty()
    order, starts = search_order(evaluations)
    ends = [*starts[1:], len(order)]
    number = evaluations["evaluation"].to_numpy()[order]
    values = evaluations[list(objectives)].to_numpy(dtype=np.float64)[order]
    names = evaluations["architecture"].iloc[order]
    predicted = evaluations["predicted"].to_numpy(dtype=np.bool_)[order]
    first_time = ~evaluations["repeated"].to_numpy(dtype=np.bool_)[order]
    grid = evaluation_grid(int(number.max()), budgets)
    searches = []
    for start, end in zip(starts, ends, strict=True):
        last = int(number[end - 1])
        at = np.append(grid[grid < last], last)
        cuts = start + np.searchsorted(number[start:end], at, side="right")
        searches.append((start, at, _archives(values, first_time, start, cuts.tolist(), reference)))
    # all names are looked up at once: a space may hold hundreds of thousands
    members = np.unique(np.concatenate([archive for _, _, archives in searches for archive in archives]))
    rows_in_space = architecture_rows(names.iloc[members], space)
    rows: list[dict[str, Any]] = []
    for start, at, archives in searches:
        own = np.unique(np.concatenate(archives))
        distances = space.distances(rows_in_space[np.searchsorted(members, own)])
        head = evaluations.iloc[order[start]]
        for evaluation, archive in zip(at.tolist(), archives, strict=True):
            if not len(archive):
                continue
            places = np.searchsorted(own, archive)
            rows.append(
                {
                    "arm": head["arm"],
                    "dataset": head["dataset"],
                    "seed": int(head["seed"]),
                    "evaluation": evaluation,
                    "charged": evaluation + charge(head["arm"], training_sample),
                    **measure_front(
                        values[archive], distances[np.ix_(places, places)], predicted[archive], reference, objectives
                    ),
                }
            )
    return TRAJECTORY.from_rows(rows)


def _archives(
    values: NDArray[np.float64],
    first_time: NDArray[np.bool_],
    start: int,
    cuts: list[int],
    reference: Reference,
) -> list[NDArray[np.int64]]:
    """Return the rows of the archive at each cut, ascending; rows evaluated again are left out."""
    archives = []
    archive = np.empty(0, dtype=np.int64)
    for cut in cuts:
        fresh = start + np.flatnonzero(first_time[start:cut])
        candidates = np.concatenate([archive, fresh])
        archive = candidates[nondominated(values[candidates], reference.box.directions)]
        archives.append(archive)
        start = cut
    return archives
