"""Storing surrogates, and loading files that may come from anywhere."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terranas.core.errors import ConfigError, DataError
from terranas.surrogates import saved
from terranas.surrogates.fitting import Surrogate, fit
from terranas.surrogates.regressors import REGRESSORS, RegressorSettings
from terranas.surrogates.saved import load_surrogate, save_surrogate

from .synthetic import linear_problem

FEATURES, VALUES = linear_problem(60)
SMALL = {"xgboost": {"n_estimators": 3, "max_depth": 2}, "random_forest": {"n_estimators": 3}}


def fitted(name: str = "xgboost", *, log: bool = False) -> Surrogate:
    chosen = RegressorSettings(name, SMALL.get(name, {}), "bits", ("macs",))
    return fit(FEATURES, VALUES[:, 1], chosen, log=log, seed=4)


def load(path: Path, **expected: Any) -> Surrogate:
    return load_surrogate(path, **({"objective": "macs", "encoding": "bits", "features": 12} | expected))


@pytest.fixture
def stored(tmp_path: Path) -> Callable[[str], tuple[Path, dict[str, Any]]]:
    def store(name: str) -> tuple[Path, dict[str, Any]]:
        path = tmp_path / f"{name}.json"
        save_surrogate(fitted(name), path, objective="macs", dataset="synthetic")
        return path, json.loads(path.read_text())

    return store


@pytest.mark.parametrize("name", [*REGRESSORS, "sklearn.svm.SVR"])
@pytest.mark.parametrize("log", [False, True])
def test_loaded_predicts_the_same_bits(name: str, log: bool, tmp_path: Path) -> None:
    surrogate = fitted(name, log=log)
    path = tmp_path / "surrogate.json"
    save_surrogate(surrogate, path, objective="macs", dataset="synthetic")
    loaded = load(path)
    np.testing.assert_array_equal(loaded.predict(FEATURES), surrogate.predict(FEATURES))
    assert (loaded.settings, loaded.log, loaded.seed) == (surrogate.settings, log, 4)
    first = path.read_bytes()
    if loaded.sample is None:
        with pytest.raises(ConfigError, match="copy the file"):
            save_surrogate(loaded, path, objective="macs", dataset="synthetic")
    else:
        save_surrogate(loaded, path, objective="macs", dataset="synthetic")
    assert path.read_bytes() == first


def test_trees_are_in_xgboosts_own_json(stored: Any, tmp_path: Path) -> None:
    _, document = stored("xgboost")
    own = tmp_path / "trees.json"
    own.write_text(json.dumps(document["model"]["xgboost"]))
    standard = xgboost.Booster(model_file=own).inplace_predict(FEATURES).astype(np.float64)
    expected = document["centre"] + document["scale"] * standard
    np.testing.assert_array_equal(fitted().predict(FEATURES), expected)


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ({"objective": "latency_ms"}, "with objective 'macs', but 'latency_ms' is needed"),
        ({"encoding": "paths"}, "with encoding 'bits', but 'paths' is needed"),
        ({"features": 13}, "with features '12', but 13 is needed"),
    ],
)
def test_belongs_to_something_else(stored: Any, expected: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(stored("xgboost")[0], **expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no valid JSON"),
        ('{"format": "terranas.surrogate", "centre": NaN}', "NaN is no number of JSON"),
        ("[" * 100_000, "no valid JSON"),
        ("[1]", "holds no surrogate"),
        ('{"format": "other"}', "holds no surrogate"),
        ('{"format": "terranas.surrogate", "version": 2}', "in version 2 of its format; this terranas reads version 1"),
        ('{"format": "terranas.surrogate", "version": 1}', "objective is missing"),
        ("\udcff", "no valid JSON"),
    ],
)
def test_no_surrogate_at_all(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=message):
        load(path)


def test_missing_and_huge_files(stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path / "nothing.json")
    path, _ = stored("xgboost")
    monkeypatch.setattr(saved, "LARGEST_FILE", 1000)
    with pytest.raises(DataError, match="a surrogate has at most 1,000"):
        load(path)
    with pytest.raises(ConfigError, match=r"at most 1,000 are read again"):
        save_surrogate(fitted(), path, objective="macs", dataset="synthetic")


def of_learner(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        document["model"]["xgboost"]["learner"]["learner_model_param"][name] = value

    return change


def of_tree(name: str, place: int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        tree = document["model"]["xgboost"]["learner"]["gradient_booster"]["model"]["trees"][1]
        tree[name] = [*tree[name][:place], value, *tree[name][place + 1 :]]

    return change


def put(value: Any, *place: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        for name in place[:-1]:
            document = document[name]
        document[place[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("pickle", "regressor"), "no regressor 'pickle'"),
        (put("os.system", "regressor"), "no regressor"),
        (put({"max_dept": 1}, "parameters"), "nearest is 'max_depth'"),
        (put({"n_estimators": 10**9}, "parameters"), "parameter beyond 1,000,000"),
        (put([1], "log_targets"), "log_targets must be texts"),
        (put(0.0, "scale"), "scale is out of range"),
        (put(10**400, "centre"), "centre is out of range"),
        (put("1", "centre"), "centre is no float"),
        (put(True, "seed"), "seed is no int"),
        (put(-1, "seed"), "seed or features are out of range"),
        (put(1, "more"), "'more' is unknown"),
        (put({}, "model"), "no trees of XGBoost"),
        (put({}, "probes"), "no predictions to compare with"),
        (put([[1.0] * 11], "probes", "features"), "n x 12 finite numbers are expected"),
        (put([["a"] * 12], "probes", "features"), "numbers are expected"),
        (put([1.0], "probes", "predictions"), "8 finite numbers are expected"),
        (put(True, "log"), "predicts otherwise"),
        (put([0.0] * 8, "probes", "predictions"), r"predicts otherwise .* stored with xgboost .*; here is xgboost"),
        (of_learner("num_feature", "11"), "trees over 12 features are expected"),
        (of_learner("num_feature", 12), "a whole number is expected, got '12'"),
        (of_learner("num_target", "2"), "one target is expected"),
        (of_tree("left_children", 0, 1_000_000), "node 0 has impossible children"),
        (of_tree("left_children", 1, 0), "node 1 has impossible children"),
        (of_tree("right_children", 0, 1), "node 0 has impossible children"),
        (of_tree("split_indices", 0, 12), "a split's feature is out of range"),
        (of_tree("split_indices", 0, -1), "a split's feature is out of range"),
        (of_tree("split_type", 0, 1), "splits must be numerical"),
        (of_tree("parents", 1, 2), "other parents"),
        (of_tree("split_conditions", 0, 1e39), "must fit into 32 bits"),
        (of_tree("base_weights", 0, "a"), "base_weights must hold numbers"),
        (of_tree("categories", 0, 1), "there must be no categories"),
        (put("dart", "model", "xgboost", "learner", "gradient_booster", "name"), "must be gbtree"),
        (put([], "model", "xgboost", "learner", "gradient_booster", "model", "trees"), "trees are expected"),
        (
            put([0, 9], "model", "xgboost", "learner", "gradient_booster", "model", "iteration_indptr"),
            "ascending counts",
        ),
        (put([7], "model", "xgboost", "learner", "gradient_booster", "model", "tree_info"), "belong to one target"),
        (put("rank:ndcg", "model", "xgboost", "learner", "objective", "name"), "one of regression"),
    ],
)
def test_refuses_changed_trees(stored: Any, change: Callable[[dict[str, Any]], None], message: str) -> None:
    path, document = stored("xgboost")
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match=message):
        load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put({"sample": {"features": [[0.0] * 12]}}, "model"), "no training sample"),
        (put([], "model", "sample", "features"), "numbers are expected"),
        (put([[0.0] * 12, [0.0]], "model", "sample", "features"), "n x 12 finite numbers"),
        (put([[1e39] * 12], "model", "sample", "features"), "n x 12 finite numbers"),
        (put([1.0] * 59, "model", "sample", "targets"), "60 finite numbers"),
        (put([2.0] * 60, "model", "sample", "targets"), "its training sample has another mean"),
        (put([10**400] * 60, "model", "sample", "targets"), "60 finite numbers"),
        (put(5, "seed"), "predicts otherwise"),
    ],
)
def test_refuses_changed_samples(stored: Any, change: Callable[[dict[str, Any]], None], message: str) -> None:
    path, document = stored("random_forest")
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match=message):
        load(path)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_is_refused_or_harmless(data: st.DataObject, tmp_path: Path) -> None:
    path = tmp_path / "surrogate.json"
    save_surrogate(fitted(), path, objective="macs", dataset="synthetic")
    document = json.loads(path.read_text())
    inside: Any = document
    while True:
        places = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        place = data.draw(st.sampled_from(places))
        if not isinstance(inside[place], dict | list) or not inside[place] or data.draw(st.integers(0, 9)) == 0:
            break
        inside = inside[place]
    strange = st.one_of(
        st.integers(-3, 20),
        st.sampled_from([2**31 - 1, 2**31, -(2**31), 2**63, 1e300, -1.5, "", "7", None, True, [], {}]),
    )
    inside[place] = data.draw(strange)
    path.write_text(json.dumps(document))
    try:
        predicted = load(path).predict(FEATURES)
    except DataError:
        return
    assert np.isfinite(predicted).all()
