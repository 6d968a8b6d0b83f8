"""Surrogates of the whole space: fit, prediction and predicted front, beside plain Python on the same values.

    python benchmarks/surrogates.py [--vertices 7] [--sample 2000] [--rows 2000] [--regressors xgboost xgboost_tuned]

Values are made up: a part that the numbers of operations and edges explain, and noise; the second objective is the
number of MACs. The reference asks for one architecture at a time and scans all points for the front; its results must
be those of the library, or the program fails. *Seed* is what one repetition of the surrogates' stage does: a random
sample, a fit and a prediction of the whole space for each of two objectives, the predicted front and the tables.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plain_surrogates as plain
from measure import Measured, measured, parser_of, seconds, show
from numpy.typing import NDArray

from terranas.core.pareto import nondominated, to_minimise
from terranas.core.randomness import generator
from terranas.core.tables import write_table
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.encodings import adjacency_one_hot
from terranas.space.schema import CELLS
from terranas.space.table import cells_table
from terranas.surrogates.fitting import Surrogate, fit
from terranas.surrogates.prediction import predict_fronts
from terranas.surrogates.regressors import LOG_TARGETS, REGRESSORS, RegressorSettings
from terranas.surrogates.scores import Scores, prediction_scores

OBJECTIVES = ["validation_micro_accuracy", "macs"]
DIRECTIONS = ["maximise", "minimise"]
Sample = tuple[NDArray[np.float32], NDArray[np.float64], RegressorSettings]


def make(folder: Path, vertices: int) -> int:
    """Write cells, their features and made-up values, and return the number of cells."""
    cells = cells_table(vertices, 9, CIFAR10_NETWORK)
    write_table(cells, folder / "cells.parquet", CELLS)
    rng = generator(0, "benchmarks.surrogates")
    parts = cells[["num_conv3x3", "num_maxpool3x3", "num_edges", "depth"]].to_numpy() @ np.array([1.0, -1, 0.3, 0.4])
    accuracy = 0.8 + 0.01 * parts + 0.01 * rng.standard_normal(len(cells))
    np.save(folder / "values.npy", np.column_stack([accuracy, cells["macs"]]))
    np.save(folder / "features.npy", adjacency_one_hot(cells))
    return len(cells)


def settings_of(name: str) -> RegressorSettings:
    """Return a regressor's default settings."""
    return RegressorSettings(name, log_targets=LOG_TARGETS)


def sample_of(folder: Path, name: str, size: int) -> Sample:
    """Return a random training sample of the accuracies."""
    features, values = np.load(folder / "features.npy"), np.load(folder / "values.npy")
    rows = generator(0, "benchmarks.surrogates.sample").choice(len(values), size=size, replace=False)
    return features[rows], values[rows, 0], settings_of(name)


def fit_one(sample: Sample) -> float:
    """Fit a surrogate and return the mean of its targets."""
    return fitted(sample).centre


def fitted(sample: Sample) -> Surrogate:
    """Return a fitted surrogate."""
    return fit(*sample, log=False, seed=0)


def with_space(
    folder: Path, name: str, size: int, rows: int | None = None
) -> tuple[Surrogate, NDArray[np.float32], list[int]]:
    """Return a fitted surrogate, all features, and which of them to ask for: all, or some."""
    features = np.load(folder / "features.npy")
    picked = (
        list(range(len(features))) if rows is None else np.linspace(0, len(features) - 1, rows).astype(int).tolist()
    )
    surrogate = fitted(sample_of(folder, name, size))
    surrogate.predict(features[:1])  # what a library loads when first asked
    return surrogate, features, picked


def predict(given: tuple[Surrogate, NDArray[np.float32], list[int]]) -> NDArray[np.float64]:
    """Predict all architectures and return a thousand of the predictions."""
    surrogate, features, _ = given
    return surrogate.predict(features)[:: max(1, len(features) // 1000)]


def plain_predict(given: tuple[Surrogate, NDArray[np.float32], list[int]]) -> list[float]:
    """Predict some architectures, one at a time."""
    surrogate, features, picked = given
    return plain.predictions(surrogate.predict, features[picked])


def predicted_points(folder: Path, name: str, size: int) -> NDArray[np.float64]:
    """Return predictions of both objectives of all architectures."""
    surrogate, features, _ = with_space(folder, name, size)
    return np.column_stack([surrogate.predict(features), np.load(folder / "values.npy")[:, 1]])


def front(points: NDArray[np.float64]) -> list[int]:
    """Return the non-dominated rows."""
    return np.flatnonzero(nondominated(points, DIRECTIONS)).tolist()


def as_tuples(folder: Path, name: str, size: int) -> list[plain.Point]:
    """Return the same predictions to minimise, as tuples."""
    return list(map(tuple, to_minimise(predicted_points(folder, name, size), DIRECTIONS).tolist()))


def space_of(folder: Path, name: str, size: int) -> tuple[Any, ...]:
    """Return what one seed starts from."""
    names = pd.read_parquet(folder / "cells.parquet", columns=["hash"])["hash"]
    return names, np.load(folder / "features.npy"), np.load(folder / "values.npy"), settings_of(name), size


def one_seed(given: tuple[Any, ...]) -> int:
    """Return the size of the predicted front of one seed."""
    names, features, values, settings, size = given
    options = {"dataset": "made up", "sample_size": size, "repetitions": 1, "settings": settings, "seed": 0}
    return len(predict_fronts(names, features, values, OBJECTIVES, DIRECTIONS, **options).fronts)


def scores(points: NDArray[np.float64]) -> Scores:
    """Score the predictions of one objective against the other: any two columns do."""
    return prediction_scores(points[:, 0], points[:, 1])


def require_same(name: str, one: Any, other: Any) -> None:
    """Stop the program unless both results are equal."""
    if not np.array_equal(one, other):
        raise SystemExit(f"{name}: the reference differs from the library")


def compare(folder: Path, name: str, size: int, rows: int, cells: int) -> list[list[str]]:
    """Return a row for each part, after checking the results of those with a reference."""
    asked = measured(predict, folder, name, size, prepare=with_space)
    slow = measured(plain_predict, folder, name, size, rows, prepare=with_space, runs=1)
    surrogate, features, picked = with_space(folder, name, size, rows)
    require_same("prediction", surrogate.predict(features)[picked], slow.result)
    fronts = measured(front, folder, name, size, prepare=predicted_points)
    scan = measured(plain.front, folder, name, size, prepare=as_tuples, runs=1)
    require_same("front", fronts.result, scan.result)
    parts: list[tuple[str, Measured, Measured | None, float]] = [
        (f"fit, {size:,} cells", measured(fit_one, folder, name, size, prepare=sample_of), None, 1),
        ("prediction of all cells", asked, slow, cells / len(picked)),
        (f"front of 2 objectives ({len(fronts.result)} cells)", fronts, scan, 1),
        ("six scores of all cells", measured(scores, folder, name, size, prepare=predicted_points), None, 1),
        ("seed, 2 objectives", measured(one_seed, folder, name, size, prepare=space_of), None, 1),
    ]
    return [
        [
            name,
            part,
            seconds(ours.seconds),
            seconds(ours.processor_seconds),
            f"{ours.megabytes:.0f}",
            "" if reference is None else seconds(reference.seconds * factor) + (f" (from {rows:,})" * (factor > 1)),
            "" if reference is None else f"{reference.seconds * factor / ours.seconds:.0f}",
        ]
        for part, ours, reference, factor in parts
    ]


def main() -> None:
    """Print times, memory and ratios."""
    parser = parser_of(__doc__)
    parser.add_argument("--vertices", type=int, default=7, help="largest cells of the space")
    parser.add_argument("--sample", type=int, default=2000, help="training architectures")
    parser.add_argument("--rows", type=int, default=2000, help="architectures that the reference predicts")
    parser.add_argument("--regressors", nargs="+", default=["xgboost", "xgboost_tuned"], choices=list(REGRESSORS))
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as place:
        cells = make(Path(place), options.vertices)
        for name in options.regressors:
            rows += compare(Path(place), name, options.sample, options.rows, cells)
    print(f"{cells:,} cells")
    show(["regressor", "part", "ours", "CPU", "MiB", "plain", "ratio"], rows, options.json)


if __name__ == "__main__":
    main()
