"""Storing a fitted surrogate as JSON, and loading one that may come from anywhere.

XGBoost's trees are stored in XGBoost's own JSON. Every other regressor is stored as what it was fitted to: training
sample, parameters and seed; loading fits it again, which is deterministic. Pickles, the usual way of scikit-learn, run
any code that their maker chose when they are loaded. A few predictions stand in the file, and loading checks that the
surrogate gives them again, so that another version of a library that computes otherwise is noticed.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terranas.core.errors import ConfigError, DataError
from terranas.core.files import write_text
from terranas.surrogates.fitting import Surrogate, TrainingSample, fit
from terranas.surrogates.regressors import Parameter, RegressorSettings, check_parameters, find_regressor
from terranas.surrogates.tree_check import require_trees

FORMAT = "terranas.surrogate"
VERSION = 1
LARGEST_FILE = 64 << 20
"""Bytes of the largest file: a hundred trees of depth 6 take about 1 MiB. Reading JSON takes some 25 times as much."""

LARGEST_SAMPLE = 50_000_000
"""Most numbers in a stored training sample."""

LARGEST_PARAMETER = 1_000_000
"""Largest number among the parameters of a stored surrogate."""

_PROBES = 8
_TOLERANCE = 1e-4  # of the standard deviation of the fitted targets
_FIELDS = {
    "format": str,
    "version": int,
    "objective": str,
    "dataset": str,
    "regressor": str,
    "parameters": dict,
    "encoding": str,
    "log_targets": list,
    "log": bool,
    "seed": int,
    "features": int,
    "centre": float,
    "scale": float,
    "libraries": dict,
    "probes": dict,
    "model": dict,
}


def save_surrogate(surrogate: Surrogate, path: str | Path, *, objective: str, dataset: str) -> None:
    """Write a surrogate as one JSON file, atomically.

    Args:
        surrogate: what to store.
        path: file to write.
        objective: metric that it predicts.
        dataset: name of the images it was measured on.

    Raises:
        ConfigError: the surrogate was loaded from trees alone and has no features to store predictions of, or it is
            larger than what is read.
    """
    if surrogate.sample is None:
        raise ConfigError("A surrogate that was loaded from a file is not stored again; copy the file.")
    probes = surrogate.sample.features[:_PROBES]
    document = {
        "format": FORMAT,
        "version": VERSION,
        "objective": objective,
        "dataset": dataset,
        "regressor": surrogate.settings.regressor,
        "parameters": dict(surrogate.settings.parameters),
        "encoding": surrogate.settings.encoding,
        "log_targets": list(surrogate.settings.log_targets),
        "log": surrogate.log,
        "seed": surrogate.seed,
        "features": surrogate.width,
        "centre": surrogate.centre,
        "scale": surrogate.scale,
        "libraries": _libraries(surrogate.settings.regressor),
        "probes": {"features": probes.tolist(), "predictions": surrogate.predict(probes).tolist()},
        "model": _stored_model(surrogate, surrogate.sample),
    }
    text = json.dumps(document, sort_keys=True, allow_nan=False) + "\n"
    if len(text) > LARGEST_FILE:
        raise ConfigError(
            f"The surrogate takes {len(text):,} bytes, but at most {LARGEST_FILE:,} are read again. Fit fewer trees, "
            "or give a regressor of scikit-learn fewer architectures or features."
        )
    write_text(path, text)


def load_surrogate(path: str | Path, *, objective: str, encoding: str, features: int) -> Surrogate:
    """Read a surrogate that :func:`save_surrogate` wrote, after checking everything in it.

    Args:
        path: the file.
        objective: metric that it must predict.
        encoding: name of the features that it will be asked with.
        features: their number.

    Raises:
        DataError: the file is missing, too large or damaged, was written by another version, belongs to another
            objective or encoding, or its surrogate does not predict what it predicted when it was stored.
    """
    document = _read(Path(path))
    _require_fields(document, path)
    for name, expected in (("objective", objective), ("encoding", encoding), ("features", features)):
        if document[name] != expected:
            raise DataError(
                f"{path} holds a surrogate with {name} {str(document[name])[:60]!r}, but {expected!r} is needed. "
                "Choose another file or fit anew."
            )
    parameters: dict[str, Parameter] = document["parameters"]
    if not all(isinstance(name, str) for name in document["log_targets"]):
        raise DataError(f"{path} is damaged: log_targets must be texts. Fit the surrogate anew.")
    # fitting again takes as long as the parameters say
    if any(type(value) in (int, float) and abs(float(value)) > LARGEST_PARAMETER for value in parameters.values()):
        raise DataError(f"{path} has a parameter beyond {LARGEST_PARAMETER:,}. Fit the surrogate anew.")
    settings = RegressorSettings(document["regressor"], parameters, encoding, tuple(document["log_targets"]))
    try:
        check_parameters(settings.regressor, parameters)
        surrogate = _restored(document, settings, path)
    except ConfigError as error:
        raise DataError(f"{path} holds no surrogate that can be used: {error}") from error
    _require_predictions(surrogate, document, path)
    return surrogate


def _stored_model(surrogate: Surrogate, sample: TrainingSample) -> dict[str, Any]:
    if find_regressor(surrogate.settings.regressor).is_boosting:
        from terranas.surrogates.boosting import BoostedTrees

        assert isinstance(surrogate.model, BoostedTrees)
        return {"xgboost": json.loads(bytes(surrogate.model.booster.save_raw("json")))}
    return {"sample": {"features": sample.features.tolist(), "targets": sample.targets.tolist()}}


def _restored(document: dict[str, Any], settings: RegressorSettings, path: str | Path) -> Surrogate:
    """Return the surrogate of a document whose fields have the right types."""
    model, width = document["model"], document["features"]
    if find_regressor(settings.regressor).is_boosting:
        from terranas.surrogates.boosting import BoostedTrees

        try:
            require_trees(model.get("xgboost"), width)
            booster = BoostedTrees.of_json(json.dumps(model["xgboost"]).encode())
        except ValueError as error:
            raise DataError(f"{path} holds no trees of XGBoost: {error}. Fit the surrogate anew.") from error
        return Surrogate(
            settings, document["log"], document["seed"], width, document["centre"], document["scale"], booster, None
        )
    stored = model.get("sample")
    if not isinstance(stored, dict) or set(stored) != {"features", "targets"}:
        raise DataError(f"{path} is damaged: it has no training sample. Fit the surrogate anew.")
    features = _numbers(stored["features"], (None, width), path)
    targets = _numbers(stored["targets"], (len(features),), path)
    restored = fit(features.astype(np.float32), targets, settings, log=document["log"], seed=document["seed"])
    same = np.allclose([restored.centre, restored.scale], [document["centre"], document["scale"]], rtol=1e-9, atol=0)
    if not same:
        raise DataError(f"{path} is damaged: its training sample has another mean. Fit the surrogate anew.")
    return restored


def _require_predictions(surrogate: Surrogate, document: dict[str, Any], path: str | Path) -> None:
    """Raise unless the surrogate predicts what stands in its file."""
    probes = document["probes"]
    if set(probes) != {"features", "predictions"}:
        raise DataError(f"{path} is damaged: it has no predictions to compare with. Fit the surrogate anew.")
    features = _numbers(probes["features"], (None, surrogate.width), path).astype(np.float32)
    stored = _numbers(probes["predictions"], (len(features),), path)
    if surrogate.log:
        stored = np.log(np.maximum(stored, np.finfo(np.float64).tiny))
    apart = float(np.abs(surrogate.predict_fitted(features) - stored).max()) / surrogate.scale
    if not apart <= _TOLERANCE:
        here = ", ".join(f"{name} {version}" for name, version in _libraries(surrogate.settings.regressor).items())
        there = ", ".join(f"{name} {str(version)[:20]}" for name, version in document["libraries"].items())
        raise DataError(
            f"The surrogate of {path} predicts otherwise than when it was stored (by {apart:.2g} standard deviations). "
            f"It was stored with {there}; here is {here}. Fit it anew."
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise DataError(
                f"{path} has {size:,} bytes; a surrogate has at most {LARGEST_FILE:,}. Choose another file."
            )
        document = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}). Fit a surrogate and store it first.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no valid JSON file ({error}). Fit the surrogate anew.") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DataError(f"{path} holds no surrogate of terranas. Choose another file, or fit a surrogate and store it.")
    if document.get("version") != VERSION:
        raise DataError(
            f"{path} holds a surrogate in version {str(document.get('version'))[:20]} of its format; this terranas "
            f"reads version {VERSION}. Fit it anew."
        )
    return document


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _require_fields(document: dict[str, Any], path: str | Path) -> None:
    """Raise unless all fields are there, no others, and each of its type; numbers are finite, the scale positive."""
    problems = [f"{name} is missing" for name in _FIELDS if name not in document]
    problems += [f"{name[:40]!r} is unknown" for name in document if name not in _FIELDS]
    for name, kind in _FIELDS.items():
        value = document.get(name)
        if kind is float and type(value) in (int, float):
            # a whole number too large for a float has no place here either
            number = float(document[name]) if abs(document[name]) < 1e300 else math.inf
            document[name] = number
            if number == math.inf or (name == "scale" and number <= 0):
                problems.append(f"{name} is out of range")
        elif name in document and type(value) is not kind:
            problems.append(f"{name} is no {kind.__name__}")
    if not problems and not (0 <= document["seed"] < 2**64 and 0 < document["features"] <= 1_000_000):
        problems.append("seed or features are out of range")
    if problems:
        raise DataError(f"{path} is damaged: {'; '.join(problems[:5])}. Fit the surrogate anew.")


def _numbers(rows: Any, shape: tuple[int | None, ...], path: str | Path) -> NDArray[np.float64]:
    """Return nested lists as an array of finite numbers of a shape with at least one row; None fits any length."""
    problem = "numbers are expected"
    if isinstance(rows, list) and rows and len(rows) * math.prod(size or 1 for size in shape) <= LARGEST_SAMPLE:
        flat = rows if len(shape) == 1 else [value for row in rows if isinstance(row, list) for value in row]
        if all(type(value) in (int, float) for value in flat):
            try:
                array = np.array(rows, dtype=np.float64)
            except (ValueError, OverflowError):
                array = np.empty(())
            fits = array.ndim == len(shape) and all(
                want is None or want == got for want, got in zip(shape, array.shape, strict=True)
            )
            if fits and np.isfinite(array).all() and (len(shape) == 1 or np.abs(array).max() < 1e30):
                return array
            problem = f"{' x '.join('n' if size is None else str(size) for size in shape)} finite numbers are expected"
    raise DataError(f"{path} is damaged: {problem}. Fit the surrogate anew.")


def _libraries(regressor: str) -> dict[str, str]:
    """Return the version of the library that computes a regressor."""
    if find_regressor(regressor).is_boosting:
        import xgboost

        return {"xgboost": str(xgboost.__version__)}
    import sklearn

    return {"scikit-learn": str(sklearn.__version__)}
