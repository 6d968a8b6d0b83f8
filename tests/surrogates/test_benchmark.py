"""Ensembles, their calibration, and the benchmark that they complete."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from terranas.benchmark.schema import BENCHMARK, METRICS, metrics_named, table_schema
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import ConfigError, TableError
from terranas.core.tables import Column, write_table
from terranas.surrogates import benchmark as module
from terranas.surrogates.benchmark import SurrogateBenchmark, complete_benchmark
from terranas.surrogates.ensemble import LEVELS, Ensemble, _folds, _residual_std, fit_ensemble
from terranas.surrogates.regressors import RegressorSettings
from terranas.surrogates.schema import CALIBRATION

SETTINGS = RegressorSettings("ridge", encoding="bits", log_targets=("training_seconds",))
COUNT = 200
NAMES = [f"{row:032x}" for row in range(COUNT)]
ACCURACY, SECONDS = "validation_micro_accuracy", "training_seconds"
OPTIONS = {"members": 5, "held_out": 0.2, "max_training": 10_000, "seed": 1}


def noisy_problem(count: int = COUNT, noise: float = 0.01, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features, and accuracies that are a linear function of them with normal noise."""
    rng = np.random.default_rng(seed)
    features = rng.integers(0, 2, size=(count, 8)).astype(np.float32)
    return features, 0.5 + features @ np.linspace(0.01, 0.04, 8) + noise * rng.normal(size=count)


def measured_table(known: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a table with two repeats of the known architectures, MACs of all and times of the known ones."""
    features, accuracy = noisy_problem()
    parts = []
    for repeat in (0, 1):
        values = {
            ACCURACY: np.where(known, accuracy + 0.002 * repeat, np.nan),
            SECONDS: np.where(known, np.exp(features.sum(axis=1)), np.nan),
            "macs": 1e6 * (1 + features[:, 0]),
        }
        about = {"hash": NAMES, "id": pd.array([None] * COUNT, dtype="Int64"), "dataset": "synthetic", "epochs": 12}
        parts.append(pd.DataFrame(about | {"repeat": repeat, "device": "", "outcome": "ok", "source": "test"} | values))
    table = pd.concat(parts).reindex(columns=BENCHMARK.names)
    table[[column.name for column in METRICS]] = table[[column.name for column in METRICS]].astype(np.float64)
    return BENCHMARK.validate(table.sort_values(["hash", "repeat"], ignore_index=True)), features


def complete(known: np.ndarray, metrics: list[str], **options: object) -> tuple[SurrogateBenchmark, TabularBenchmark]:
    table, features = measured_table(known)
    given = TabularBenchmark(table)
    return complete_benchmark(given, NAMES, features, metrics, **({"settings": SETTINGS, "seed": 3} | options)), given


HALF = np.arange(COUNT) % 2 == 0


# --- the ensemble ----------------------------------------------------------------------------------------------------


def test_folds_leave_out_every_row_once() -> None:
    rows = np.arange(100, 123)
    folds = _folds(rows, 5)
    left_out = np.concatenate([np.setdiff1d(rows, fold) for fold in folds])
    assert sorted(left_out) == rows.tolist()
    assert [len(fold) for fold in _folds(rows, 1)] == [23]


def test_coverage_is_nominal_for_normal_noise() -> None:
    features, accuracy = noisy_problem(6000)
    ensemble, calibration = fit_ensemble(features, accuracy, SETTINGS, log=False, **OPTIONS)
    assert calibration.facts | {"spearman": 0, "rmse": 0, "r2": 0, "member_std": 0, "residual_std": 0} == {
        "held_out": 600,
        "calibrated": 600,
        "trained": 4800,
        "members": 5,
        "log": False,
        "spearman": 0,
        "rmse": 0,
        "r2": 0,
        "member_std": 0,
        "residual_std": 0,
    }
    # 600 values on each side: three standard errors of a share, twice
    np.testing.assert_allclose(calibration.coverage, LEVELS, atol=3 * 0.5 * np.sqrt(2 / 600))
    assert ensemble.residual_std == pytest.approx(0.01, rel=0.15)
    assert calibration.facts["rmse"] == pytest.approx(0.01, rel=0.15)
    assert calibration.facts["member_std"] < 0.002
    fresh, truth = noisy_problem(4000, seed=9)
    mean, std = ensemble.predict(fresh)
    assert np.mean(np.abs(truth - mean) <= std) == pytest.approx(0.683, abs=0.06)


def test_residual_deviation_is_the_smallest_that_covers_its_share() -> None:
    rng = np.random.default_rng(4)
    errors, variance = rng.normal(size=99), rng.random(99) / 2
    found = _residual_std(errors, variance)

    def covered(residual: float) -> int:
        return int(np.sum(errors**2 <= variance + residual**2 + 1e-12))

    rank = int(np.ceil(100 * 0.6826894921))
    assert covered(found) == rank
    assert covered(found - 1e-6) == rank - 1
    assert _residual_std(errors, np.full(99, 100.0)) == 0
    assert _residual_std(np.array([2.0]), np.zeros(1)) == 2


def test_wild_errors_do_not_widen_the_intervals() -> None:
    features, accuracy = noisy_problem(3000)
    wild = accuracy.copy()
    wild[::50] = 0.1
    tree = RegressorSettings("xgboost", {"objective": "reg:pseudohubererror", "max_depth": 3}, "bits")
    usual = fit_ensemble(features, accuracy, tree, log=False, **OPTIONS)[0].residual_std
    assert fit_ensemble(features, wild, tree, log=False, **OPTIONS)[0].residual_std < 1.5 * usual


def test_mean_and_variance_over_the_members() -> None:
    features, accuracy = noisy_problem()
    ensemble, _ = fit_ensemble(features, accuracy, SETTINGS, log=False, **OPTIONS)
    each = np.array([member.predict(features) for member in ensemble.members])
    mean, std = ensemble.predict(features)
    np.testing.assert_allclose(mean, each.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(std, np.sqrt(each.var(axis=0, ddof=1) + ensemble.residual_std**2), rtol=1e-9)
    assert len({member.seed for member in ensemble.members}) == 5


def test_logarithm_gives_a_log_normal_distribution() -> None:
    features, accuracy = noisy_problem()
    ensemble, calibration = fit_ensemble(features, np.exp(50 * accuracy), SETTINGS, log=True, **OPTIONS)
    mean, std = ensemble.predict_fitted(features)
    median, spread = ensemble.predict(features)
    distribution = stats.lognorm(s=std, scale=np.exp(mean))
    np.testing.assert_allclose(median, distribution.median())
    np.testing.assert_allclose(spread, distribution.std(), rtol=1e-9)
    assert calibration.facts["log"]


def test_one_member_has_no_variance_of_its_own() -> None:
    features, accuracy = noisy_problem()
    ensemble, calibration = fit_ensemble(features, accuracy, SETTINGS, log=False, **(OPTIONS | {"members": 1}))
    assert isinstance(ensemble, Ensemble)
    np.testing.assert_array_equal(ensemble.predict(features)[1], ensemble.residual_std)
    assert calibration.facts["member_std"] == 0


def test_limit_of_training_architectures() -> None:
    features, accuracy = noisy_problem()
    limited = OPTIONS | {"max_training": 30}
    _, calibration = fit_ensemble(features, accuracy, SETTINGS, log=False, **limited)
    assert (calibration.facts["trained"], calibration.facts["held_out"]) == (30, 20)


@pytest.mark.parametrize("change", [{"max_training": 9}, {"members": 100}])
def test_too_few_architectures_for_the_members(change: dict[str, int]) -> None:
    features, accuracy = noisy_problem()
    with pytest.raises(ConfigError, match=r"An ensemble of \d+ needs at least \d+ architectures .* 200 have values"):
        fit_ensemble(features, accuracy, SETTINGS, log=False, **(OPTIONS | change))


@pytest.mark.parametrize("change", [{"members": 0}, {"held_out": 0.0}, {"held_out": 1.0}])
def test_refuses_impossible_ensembles(change: dict[str, float]) -> None:
    features, accuracy = noisy_problem()
    with pytest.raises(ValueError, match="members >= 1 and a held-out share"):
        fit_ensemble(features, accuracy, SETTINGS, log=False, **(OPTIONS | change))


# --- the benchmark ---------------------------------------------------------------------------------------------------


def test_measured_values_stay_and_all_others_are_flagged() -> None:
    metrics = [ACCURACY, "macs", SECONDS]
    result, given = complete(HALF, metrics)
    served = TabularBenchmark(result.table, schema=result.schema)
    assert served.architectures == NAMES
    np.testing.assert_array_equal(served.predicted(metrics), ~HALF)
    np.testing.assert_array_equal(served.predicted(["macs"]), False)
    np.testing.assert_array_equal(served.predicted([ACCURACY], [NAMES[1], "nothing", NAMES[0]]), [True, False, False])
    values = served.values(metrics)
    np.testing.assert_array_equal(values[HALF], given.values(metrics, NAMES)[HALF])
    assert np.isfinite(values).all()
    deviations = served.deviations(metrics)
    np.testing.assert_array_equal(np.isnan(deviations), np.column_stack([HALF, np.ones(COUNT, bool), HALF]))
    assert set(result.table.loc[~HALF, "outcome"]) == {"predicted"}
    assert set(result.table.loc[~HALF, "source"]) == {"terranas surrogate"}
    assert set(result.table.loc[HALF, "source"]) == {"test"}
    _, accuracy = noisy_problem()
    assert np.corrcoef(values[~HALF, 0], accuracy[~HALF])[0, 1] > 0.9
    assert served.true_front([ACCURACY, "macs"])


def test_written_read_and_served_again(tmp_path: Path) -> None:
    result, _ = complete(HALF, [ACCURACY])
    write_table(result.table, tmp_path / "table.parquet", result.schema, result.facts)
    served = TabularBenchmark.open(tmp_path / "table.parquet")
    assert (served.key, served.metrics, served.coverage) == ("hash", [ACCURACY], 1.0)
    assert served.direction(ACCURACY) == "maximise"
    np.testing.assert_array_equal(served.predicted([ACCURACY]), ~HALF)
    assert served.facts["measured_by"] == "test"
    assert served.facts["members"] == 5


def test_equal_input_gives_equal_bits_and_metrics_do_not_depend_on_others() -> None:
    first, again = (complete(HALF, [ACCURACY, SECONDS])[0] for _ in range(2))
    pd.testing.assert_frame_equal(first.table, again.table, check_exact=True)
    alone = complete(HALF, [SECONDS])[0]
    np.testing.assert_array_equal(alone.table[SECONDS], first.table[SECONDS])


def test_calibration_is_reported_for_what_was_predicted() -> None:
    report = complete(HALF, [ACCURACY, "macs", SECONDS])[0].calibration
    assert report["metric"].unique().tolist() == [ACCURACY, SECONDS]
    assert report.loc[report["metric"] == ACCURACY, "level"].tolist() == list(LEVELS)
    assert report.groupby("metric")["log"].first().to_dict() == {ACCURACY: False, SECONDS: True}
    assert (report["trained"] + report["calibrated"] + report["held_out"]).eq(100).all()


def test_nothing_is_fitted_where_everything_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a model was fitted")

    monkeypatch.setattr(module, "fit_ensemble", refuse)
    result, given = complete(np.ones(COUNT, dtype=bool), [ACCURACY, "macs"])
    assert not result.table["predicted"].any()
    assert len(result.calibration) == 0
    assert list(result.calibration.columns) == CALIBRATION.names
    np.testing.assert_array_equal(result.table[ACCURACY], given.values([ACCURACY])[:, 0])


def test_what_can_be_computed_is_not_predicted() -> None:
    table, features = measured_table(HALF)
    table.loc[table["hash"].isin([name for name, known in zip(NAMES, HALF, strict=True) if not known]), "macs"] = np.nan
    exact = 1e6 * (1 + features[:, 0].astype(np.float64))
    options = {"settings": SETTINGS, "seed": 3}
    given = TabularBenchmark(table)
    found = complete_benchmark(given, NAMES, features, ["macs"], computed={"macs": exact}, **options)
    np.testing.assert_array_equal(found.table["macs"], exact)
    assert not found.table["predicted"].any()
    # of another network: it does not agree with what was measured, so it is no truth about this table
    other = complete_benchmark(given, NAMES, features, ["macs"], computed={"macs": exact + 1}, **options)
    np.testing.assert_array_equal(other.table["predicted"], ~HALF)


def test_a_failed_training_is_not_predicted() -> None:
    table, features = measured_table(HALF)
    diverged = table["hash"].isin(NAMES[:3])
    table.loc[diverged, "outcome"] = "diverged"
    table.loc[diverged, [ACCURACY, SECONDS]] = np.nan
    given = TabularBenchmark(table)
    np.testing.assert_array_equal(given.failed([NAMES[0], NAMES[9], "nothing"]), [True, False, False])
    found = complete_benchmark(given, NAMES, features, [ACCURACY, "macs"], settings=SETTINGS, seed=3).table
    assert found[ACCURACY].isna().tolist() == [True] * 3 + [False] * (COUNT - 3)
    assert found["outcome"].tolist()[:4] == ["failed"] * 3 + ["predicted"]
    assert not found["predicted"][:3].any()
    assert found["macs"].notna().all()
    # one good repeat is a result
    table.loc[table.index[:1], "outcome"] = "ok"
    assert not TabularBenchmark(table).failed(NAMES[:1])[0]


def test_predictions_stay_within_what_a_metric_can_be() -> None:
    features, _ = noisy_problem()
    table, _ = measured_table(HALF)
    table.loc[table[ACCURACY].notna(), ACCURACY] = np.repeat(np.clip(features[HALF].sum(axis=1) / 6, 0, 1), 2)
    features[~HALF] *= 3
    completed = complete_benchmark(TabularBenchmark(table), NAMES, features, [ACCURACY], settings=SETTINGS, seed=0)
    predicted = completed.table.loc[~HALF, ACCURACY]
    assert predicted.max() == 1
    assert predicted.min() >= 0


def test_architectures_outside_of_the_table_are_predicted_and_others_left_out() -> None:
    table, features = measured_table(HALF)
    names = [*NAMES[:150], *[f"f{row:031x}" for row in range(50)]]
    result = complete_benchmark(TabularBenchmark(table), names, features, ["macs"], settings=SETTINGS, seed=0)
    assert result.table["hash"].tolist() == names
    np.testing.assert_array_equal(result.table["predicted"], np.arange(COUNT) >= 150)


def test_no_known_or_too_few_architectures() -> None:
    with pytest.raises(TableError, match=r"no value of validation_micro_accuracy for any of the 200"):
        complete(np.zeros(COUNT, dtype=bool), [ACCURACY])
    with pytest.raises(ConfigError, match=r"needs at least 10 .* 9 have values"):
        complete(np.arange(COUNT) < 9, [ACCURACY])


def test_another_space_with_measurements_on_several_devices() -> None:
    key = Column("architecture", "string", "code")
    own = Column("score", "float64", "a metric of its own", unit="pt", direction="maximise")
    schema = table_schema("benchmark.other", key, (*metrics_named("latency_ms", "macs"), own), version=1)
    features, _ = noisy_problem()
    names = [f"|{row:03d}|" for row in range(COUNT)]
    parts = []
    for place, device in enumerate(["board", "phone"]):
        latency = np.exp(features[:, 0]) * (1 + place)
        latency[place::3] = np.nan
        parts.append(
            pd.DataFrame(
                {
                    "architecture": names,
                    "dataset": "d",
                    "epochs": 1,
                    "repeat": 0,
                    "device": device,
                    "outcome": "ok",
                    "source": "test",
                    "latency_ms": latency,
                    "macs": np.nan if place else 1e6 * (1 + features[:, 1]),
                    "score": np.nan if place else np.where(np.arange(COUNT) < 100, features[:, 2], np.nan),
                }
            )
        )
    given = TabularBenchmark(schema.validate(pd.concat(parts)), schema=schema)
    metrics = ["latency_ms@phone", "macs", "latency_ms@board", "score"]
    result = complete_benchmark(given, names, features, metrics, settings=SETTINGS, seed=0)
    served = TabularBenchmark(result.table, schema=result.schema)
    assert served.key == "architecture"
    assert served.devices == ["board", "phone"]
    assert (served.unit("score"), served.direction("score")) == ("pt", "maximise")
    before, after = given.values(metrics, names), served.values(metrics, names)
    np.testing.assert_array_equal(after[np.isfinite(before)], before[np.isfinite(before)])
    assert np.isfinite(after).all()
    np.testing.assert_array_equal(np.isfinite(served.deviations(metrics)), np.isnan(before))
    for column, metric in enumerate(metrics):
        np.testing.assert_array_equal(served.predicted([metric]), np.isnan(before[:, column]))


def test_a_table_of_measurements_has_no_predicted_values() -> None:
    table, _ = measured_table(HALF)
    given = TabularBenchmark(table)
    assert not given.predicted([ACCURACY, "macs"]).any()
    assert given.deviations([ACCURACY], NAMES[:3]).shape == (3, 1)
    assert (given.measured_by, given.device_of("latency_ms"), given.device_of("macs")) == ("test", "", "")
    with pytest.raises(TableError, match="'nonsense' is no metric"):
        given.predicted(["nonsense"])
