"""The landscape on the neighbour graph of the whole space, beside plain Python on the same values.

    python benchmarks/landscape.py [--vertices 7] [--neighbourhoods hamming edit_symmetric] [--sample 2000]

Values are made up: a part that the numbers of operations and edges explain, and noise, cut to four digits so that some
are equal. The reference works one cell at a time on lists of neighbours, which are made before the clock starts; its
results must be those of the library, or the program fails.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plain_landscape as plain
from measure import measured, parser_of, seconds, show
from numpy.typing import NDArray

from terranas.core.randomness import generator
from terranas.core.tables import write_table
from terranas.landscape.autocorrelation import pooled_autocorrelation
from terranas.landscape.graph_measures import fitness_distance, neutrality
from terranas.landscape.landscape import Landscape
from terranas.landscape.local_optima_network import LocalOptimaNetwork, local_optima_network
from terranas.landscape.objectives import ObjectiveSpace, neighbour_dominance
from terranas.landscape.optima import Optima, find_optima
from terranas.landscape.walks import simple_walks
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.neighbours import NEIGHBOURHOODS, NeighbourGraph, build_neighbours
from terranas.space.schema import CELLS
from terranas.space.table import cells_table

UNDIRECTED = [name for name in NEIGHBOURHOODS if name != "edit"]
TOLERANCE = 0.001
WALKS, STEPS, LAGS = 1000, 100, 10
MOST = 1000  # neighbours of a cell that the reference, quadratic in them, is asked about


def make(folder: Path, vertices: int, names: list[str]) -> int:
    """Write cells, made-up values and neighbour graphs, and return the number of cells."""
    cells = cells_table(vertices, 9, CIFAR10_NETWORK)
    write_table(cells, folder / "cells.parquet", CELLS)
    rng = generator(0, "benchmarks.landscape")
    parts = cells[["num_conv3x3", "num_maxpool3x3", "num_edges", "depth"]].to_numpy() @ np.array([1.0, -1, 0.3, 0.4])
    values = 0.9 + 0.01 * parts + 0.02 * rng.standard_normal(len(cells))
    np.save(folder / "values.npy", np.round(values, 4))
    for name in names:
        graph = build_neighbours(cells, name)
        np.savez(folder / f"{name}.npz", indptr=graph.indptr, indices=graph.indices)
    return len(cells)


def landscape_of(folder: Path, name: str) -> Landscape:
    """Return the landscape of the made-up values."""
    stored = np.load(folder / f"{name}.npz")
    graph = NeighbourGraph(stored["indptr"], stored["indices"])
    return Landscape.of(np.load(folder / "values.npy"), graph, "maximise", hashes_of(folder))


def hashes_of(folder: Path) -> pd.Series:
    """Return the hash of each row."""
    return pd.read_parquet(folder / "cells.parquet", columns=["hash"])["hash"]


def lists_of(folder: Path, name: str) -> tuple[plain.Neighbours, list[float], list[str]]:
    """Return neighbours, fitness and names as lists."""
    landscape = landscape_of(folder, name)
    rows = [landscape.graph.neighbours(row).tolist() for row in range(len(landscape))]
    return rows, landscape.fitness.tolist(), landscape.hashes.tolist()


def plain_optima(given: tuple[plain.Neighbours, list[float], list[str]]) -> tuple[list[int], list[int]]:
    """Find optima and basins one cell at a time."""
    return plain.optima_and_basins(*given)


def with_optima(folder: Path, name: str) -> tuple[Landscape, Optima]:
    """Return a landscape and its optima."""
    landscape = landscape_of(folder, name)
    return landscape, find_optima(landscape)


def network(given: tuple[Landscape, Optima]) -> LocalOptimaNetwork:
    """Return the local optima network."""
    return local_optima_network(*given)


def with_ends(folder: Path, name: str) -> tuple[plain.Neighbours, list[int]]:
    """Return lists of neighbours and the optimum of each cell."""
    _, found = with_optima(folder, name)
    return lists_of(folder, name)[0], found.representatives[found.basin_of].tolist()


def plain_network(given: tuple[plain.Neighbours, list[int]]) -> dict[tuple[int, int], float]:
    """Return the local optima network one arc at a time."""
    return plain.transitions(*given)


def measures(landscape: Landscape) -> tuple[float, NDArray[np.int32]]:
    """Return neutrality and the distances to the best cell."""
    return neutrality(landscape, TOLERANCE).of_edges, fitness_distance(landscape, "landscape").distances


def plain_measures(given: tuple[plain.Neighbours, list[float], list[str]]) -> tuple[float, list[int]]:
    """Return the same one cell at a time."""
    rows, fitness, _ = given
    return plain.neutral_share(rows, fitness, TOLERANCE), plain.distances_to_best(rows, fitness)


def walks(landscape: Landscape) -> NDArray[np.float64]:
    """Return the autocorrelation function along random walks, after computing its intervals too."""
    rng = generator(0, "benchmarks.landscape.walks")
    series = landscape.fitness[simple_walks(landscape.graph, rng, walks=WALKS, steps=STEPS)]
    return pooled_autocorrelation(series, LAGS, rng, resamples=1000, confidence=0.95).value


def with_starts(folder: Path, name: str) -> tuple[plain.Neighbours, list[float], list[int], list[list[float]]]:
    """Return lists, the starts of the library's walks and the numbers that their moves follow from."""
    landscape = landscape_of(folder, name)
    rows, fitness, _ = lists_of(folder, name)
    taken = simple_walks(landscape.graph, generator(0, "benchmarks.landscape.walks"), walks=WALKS, steps=STEPS)
    draws = generator(0, "benchmarks.landscape.walks").random((WALKS, STEPS + 1))
    return rows, fitness, taken[:, 0].tolist(), draws[:, 1:].tolist()


def plain_walks(given: tuple[plain.Neighbours, list[float], list[int], list[list[float]]]) -> list[float]:
    """Return the autocorrelation function of walks taken one move at a time, without intervals."""
    rows, fitness, starts, draws = given
    taken = [plain.walk(rows, start, moves) for start, moves in zip(starts, draws, strict=True)]
    return plain.autocorrelation([[fitness[row] for row in one] for one in taken], LAGS)


def objectives_of(folder: Path, name: str) -> ObjectiveSpace:
    """Return the made-up values and MACs."""
    landscape = landscape_of(folder, name)
    macs = pd.read_parquet(folder / "cells.parquet", columns=["macs"])["macs"]
    values = np.column_stack([landscape.fitness, macs])
    return ObjectiveSpace.of(values, ["value", "macs"], ["maximise", "minimise"], landscape.graph, landscape.hashes)


def lists_of_objectives(
    folder: Path, name: str, picked: list[int]
) -> tuple[plain.Neighbours, list[tuple[float, ...]], list[int]]:
    """Return lists of neighbours and objectives, and the cells to look at."""
    return lists_of(folder, name)[0], list(map(tuple, objectives_of(folder, name).points.tolist())), picked


def plain_dominance(
    given: tuple[plain.Neighbours, list[tuple[float, ...]], list[int]],
) -> list[tuple[float, float]]:
    """Return the dominance among the neighbours of some cells."""
    rows, points, picked = given
    return [plain.dominance(rows, points, row) for row in picked]


def require_same(name: str, *pairs: tuple[Any, Any]) -> None:
    """Stop the program unless both results of each pair are equal within rounding."""
    if not all(np.allclose(one, other, rtol=1e-9, atol=1e-9, equal_nan=True) for one, other in pairs):
        raise SystemExit(f"{name}: the reference differs from the library")


def compare(folder: Path, name: str, sample: int, cells: int) -> list[list[str]]:
    """Return a row for each part: the library, the reference, and their ratio, after checking their results."""
    with np.load(folder / f"{name}.npz") as stored:
        usual = np.flatnonzero(np.diff(stored["indptr"]) <= MOST)
    picked = usual[np.unique(np.linspace(0, len(usual) - 1, sample).astype(int))].tolist()
    found = measured(find_optima, folder, name, prepare=landscape_of)
    slow = measured(plain_optima, folder, name, prepare=lists_of, runs=1)
    optima: Optima = found.result
    require_same("optima", (optima.representatives[optima.basin_of], slow.result[0]), (optima.steps, slow.result[1]))
    parts = [("optima and basins", found, slow, 1.0)]

    found = measured(network, folder, name, prepare=with_optima)
    slow = measured(plain_network, folder, name, prepare=with_ends, runs=1)
    edges: LocalOptimaNetwork = found.result
    rows, stay = optima.representatives, edges.stay
    ends = zip(rows[edges.sources].tolist(), rows[edges.targets].tolist(), strict=True)
    ours = dict(zip(ends, edges.weights.tolist(), strict=True))
    ours |= {(row, row): own for row, own in zip(rows.tolist(), stay.tolist(), strict=True) if own > 0}
    require_same("network", (len(ours), len(slow.result)))
    require_same("network", (list(ours.values()), [slow.result.get(key, np.nan) for key in ours]))
    parts.append(("local optima network", found, slow, 1.0))

    found = measured(measures, folder, name, prepare=landscape_of)
    slow = measured(plain_measures, folder, name, prepare=lists_of, runs=1)
    require_same("neutrality and distances", *zip(found.result, slow.result, strict=True))
    parts.append(("neutrality and distances", found, slow, 1.0))

    found = measured(walks, folder, name, prepare=landscape_of)
    slow = measured(plain_walks, folder, name, prepare=with_starts, runs=1)
    require_same("walks", (found.result, slow.result))
    parts.append((f"{WALKS:,} walks x {STEPS} steps, {LAGS} lags", found, slow, 1.0))

    found = measured(neighbour_dominance, folder, name, prepare=objectives_of)
    slow = measured(plain_dominance, folder, name, picked, prepare=lists_of_objectives, runs=1)
    ours = np.column_stack([found.result.nondominated, found.result.dominating])[picked]
    require_same("dominance", (ours, slow.result))
    parts.append(("dominance, 2 objectives", found, slow, cells / len(picked)))
    return [
        [
            name,
            part,
            seconds(ours.seconds),
            f"{ours.megabytes:.0f}",
            seconds(reference.seconds * factor) + (f" (from {len(picked):,})" if factor > 1 else ""),
            f"{reference.seconds * factor / ours.seconds:.0f}",
        ]
        for part, ours, reference, factor in parts
    ]


def main() -> None:
    """Print times, memory and ratios."""
    parser = parser_of(__doc__)
    parser.add_argument("--vertices", type=int, default=7, help="largest cells of the space")
    parser.add_argument("--neighbourhoods", nargs="+", default=["hamming", "edit_symmetric"], choices=UNDIRECTED)
    parser.add_argument(
        "--sample", type=int, default=2000, help="cells whose neighbours' dominance the reference finds"
    )
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as place:
        cells = make(Path(place), options.vertices, options.neighbourhoods)
        for name in options.neighbourhoods:
            rows += compare(Path(place), name, options.sample, cells)
    print(f"{cells:,} cells")
    show(["graph", "part", "ours", "MiB", "plain", "ratio"], rows, options.json)


if __name__ == "__main__":
    main()
