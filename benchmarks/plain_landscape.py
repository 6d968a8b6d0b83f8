"""The analysis of a landscape once more in plain Python: one cell at a time, lists and dictionaries.

The references that ``landscape.py`` compares speeds with. They follow the library's definitions for an undirected
graph; that program fails where results differ.
"""

import math
from collections import Counter, defaultdict, deque

Neighbours = list[list[int]]


def optima_and_basins(neighbours: Neighbours, fitness: list[float], names: list[str]) -> tuple[list[int], list[int]]:
    """Return the optimum that each cell's ascent ends in, by its member with the first name, and the moves to it."""
    optimum_of: dict[int, int] = {}
    nearest: dict[int, int] = {}
    seen: set[int] = set()
    for start in range(len(fitness)):
        if start in seen:
            continue
        plateau, queue = {start}, deque([start])
        while queue:
            row = queue.popleft()
            for other in neighbours[row]:
                if fitness[other] == fitness[row] and other not in plateau:
                    plateau.add(other)
                    queue.append(other)
        seen |= plateau
        exits = [row for row in plateau if any(fitness[other] > fitness[row] for other in neighbours[row])]
        if not exits:
            optimum_of.update(dict.fromkeys(plateau, min(plateau, key=names.__getitem__)))
        queue = deque(exits)
        nearest.update(dict.fromkeys(exits, 0))
        while queue:
            row = queue.popleft()
            for other in neighbours[row]:
                if other in plateau and other not in nearest:
                    nearest[other] = nearest[row] + 1
                    queue.append(other)

    def move(row: int) -> int:
        if nearest[row]:
            return min(
                (
                    other
                    for other in neighbours[row]
                    if fitness[other] == fitness[row] and nearest.get(other) == nearest[row] - 1
                ),
                key=names.__getitem__,
            )
        best = max(fitness[other] for other in neighbours[row])
        return min((other for other in neighbours[row] if fitness[other] == best), key=names.__getitem__)

    ends: list[int] = []
    moves: list[int] = []
    for start in range(len(fitness)):
        row, count = start, 0
        while row not in optimum_of:
            row = move(row)
            count += 1
        ends.append(optimum_of[row])
        moves.append(count)
    return ends, moves


def transitions(neighbours: Neighbours, ends: list[int]) -> dict[tuple[int, int], float]:
    """Return the weights of the local optima network, the probability to stay included."""
    sizes = Counter(ends)
    weights: dict[tuple[int, int], float] = defaultdict(float)
    for row, around in enumerate(neighbours):
        for other in around or [row]:
            weights[ends[row], ends[other]] += 1 / (len(around) or 1) / sizes[ends[row]]
    return dict(weights)


def neutral_share(neighbours: Neighbours, fitness: list[float], tolerance: float) -> float:
    """Return the share of edges whose ends are as good."""
    pairs = [
        abs(fitness[row] - fitness[other]) <= tolerance for row in range(len(fitness)) for other in neighbours[row]
    ]
    return sum(pairs) / len(pairs)


def distances_to_best(neighbours: Neighbours, fitness: list[float]) -> list[int]:
    """Return the moves from each cell to the nearest of the best; -1 where none can be reached."""
    best = max(fitness)
    queue = deque(row for row in range(len(fitness)) if fitness[row] == best)
    distances = [-1] * len(fitness)
    for row in queue:
        distances[row] = 0
    while queue:
        row = queue.popleft()
        for other in neighbours[row]:
            if distances[other] < 0:
                distances[other] = distances[row] + 1
                queue.append(other)
    return distances


def walk(neighbours: Neighbours, start: int, draws: list[float]) -> list[int]:
    """Return the cells of a simple random walk whose moves follow from numbers between 0 and 1."""
    rows = [start]
    for draw in draws:
        around = neighbours[rows[-1]]
        rows.append(around[int(draw * len(around))])
    return rows


def autocorrelation(series: list[list[float]], lags: int) -> list[float]:
    """Return the autocorrelation of all walks about the mean of all visits at the lags 0 to ``lags``."""
    mean = sum(map(sum, series)) / sum(map(len, series))
    products = []
    for lag in range(lags + 1):
        pairs = [(one[step] - mean) * (one[step + lag] - mean) for one in series for step in range(len(one) - lag)]
        products.append(sum(pairs) / len(pairs))
    return [product / products[0] for product in products]


def dominance(neighbours: Neighbours, points: list[tuple[float, ...]], row: int) -> tuple[float, float]:
    """Return the shares of a cell's neighbours that no other dominates, and that dominate the cell; NaN without any."""
    around = [points[other] for other in neighbours[row]]
    if not around:
        return math.nan, math.nan
    free = sum(not any(_dominates(one, other) for one in around) for other in around)
    return free / len(around), sum(_dominates(one, points[row]) for one in around) / len(around)


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(x <= y for x, y in zip(one, other, strict=True))
