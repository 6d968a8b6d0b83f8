"""Pareto local search once more in plain Python: one architecture at a time, lists and pairwise comparisons.

The references that ``search.py`` compares speeds with. They follow the library's definitions; that program fails where
results differ.
"""

from collections import deque
from collections.abc import Callable

Neighbours = list[list[int]]
Point = tuple[float, ...]


def local_search(
    neighbours: Neighbours,
    points: list[Point],
    starts: list[int],
    budget: int,
    shuffled: Callable[[list[int]], list[int]],
) -> tuple[list[int], list[int]]:
    """Return the architectures in the order of their evaluation, and the archive, sorted."""
    evaluated: dict[int, None] = {}
    archive: list[int] = []
    queue: deque[int] = deque()

    def evaluate(rows: list[int]) -> None:
        for row in rows[: budget - len(evaluated)]:
            evaluated[row] = None
            if not any(_dominates(points[other], points[row]) for other in archive):
                for other in [other for other in archive if _dominates(points[row], points[other])]:
                    archive.remove(other)
                    if other in queue:
                        queue.remove(other)
                archive.append(row)
                queue.append(row)

    evaluate(starts)
    while queue and len(evaluated) < budget:
        centre = queue.popleft()
        evaluate(shuffled([row for row in neighbours[centre] if row not in evaluated]))
    return list(evaluated), sorted(archive)


def published_search(
    neighbours: Neighbours, points: list[Point], starts: list[int], budget: int
) -> tuple[list[int], list[int]]:
    """Return the evaluations that count, and the merged front after the round that reaches the budget, sorted."""
    rows = list(starts)  # the architecture of each evaluation; those of the starts do not count
    archives = [[number] for number in range(len(starts))]
    queues = [[number] for number in range(len(starts))]
    merged: set[int] = set()

    def survivors(numbers: list[int]) -> list[int]:
        return [
            one
            for one in numbers
            if not any(other != one and _as_good(points[rows[other]], points[rows[one]]) for other in numbers)
        ]

    while any(queues) and len(rows) - len(starts) < budget:
        for archive, queue in zip(archives, queues, strict=True):
            if queue:
                centre = queue.pop(0)
                first = len(rows)
                rows += neighbours[rows[centre]]
                better = survivors([*range(first, len(rows)), centre])
                for one in better:
                    for other in archive:  # shortened meanwhile, as in the released code
                        if other != one and _as_good(points[rows[one]], points[rows[other]]):
                            archive.remove(other)
                            if other in queue:
                                queue.remove(other)
                for one in better:
                    if rows[one] not in [rows[other] for other in archive]:
                        archive.append(one)
                        queue.append(one)
            merged.update(survivors(archive))
    return rows[len(starts) :], sorted(rows[number] for number in survivors(sorted(merged)))


def _dominates(one: Point, other: Point) -> bool:
    return one != other and _as_good(one, other)


def _as_good(one: Point, other: Point) -> bool:
    return all(x <= y for x, y in zip(one, other, strict=True))
