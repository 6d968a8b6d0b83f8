"""Putting trainings and profiles together: fidelities, cumulated time, failures, joins by hash."""

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.study import assemble_study
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import TableError
from terranas.core.tables import read_table, write_table
from terranas.profiling.schema import PROFILES
from terranas.space.complexity import NetworkShape
from terranas.space.schema import CELLS
from terranas.space.table import cells_table
from terranas.training.schema import EPOCHS
from terranas.training.status import TrainingStatus, write_status

from ..training.statuses import scores, status

SCRIPT = Path(__file__).resolve().parents[2] / "workflow_scripts" / "benchmark" / "study.py"
DATASET = "synthetic test images"
SHAPE = NetworkShape(bands=3, classes=4, image_size=8, stem_channels=4, stacks=2, cells_per_stack=1)


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    return CELLS.validate(cells_table(3, 9, SHAPE))


def epochs_of(architecture: str, count: int, offset: float = 0.0) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {
            "hash": architecture,
            "source": "synthetic",
            "epoch": epoch,
            "train_loss": 2.0 / epoch,
            "validation_loss": 3.0 / epoch,
            "train_macro_accuracy": 0.1 * epoch,
            "train_micro_accuracy": 0.1 * epoch + offset,
            "train_kappa": 0.1 * epoch,
            "validation_macro_accuracy": 0.05 * epoch,
            "validation_micro_accuracy": 0.05 * epoch + offset,
            "validation_kappa": 0.05 * epoch,
            "learning_rate": 0.1,
            "gradient_norm": 1.0,
            "micro_batch": 16,
            "training_seconds": 10.0 * epoch,
            "validation_seconds": 1.0,
            "images_per_second": 100.0,
            "peak_memory_mb": 500.0,
        }
        for epoch in range(1, count + 1)
    ]
    return EPOCHS.from_rows(rows)


def status_of(architecture: str, epochs: int, outcome: str = "ok") -> TrainingStatus:
    reached = scores(0.7, 0.6) if outcome == "ok" else None
    reason = "" if outcome == "ok" else "It had to fail."
    return status(architecture, epochs=epochs, outcome=outcome, reason=reason, validation=reached, test=reached)


def profiles_of(device_name: str = "Test CPU", flags: str = "", **latencies: float) -> pd.DataFrame:
    times = [column.name for column in PROFILES.columns if column.dtype == "float64"]
    return PROFILES.from_rows(
        [
            {
                "hash": architecture,
                "device": "cpu",
                "device_name": device_name,
                "protocol": "quick",
                "settings": "{}",
                "description": "{}",
                "threads": 1,
                "memory_format": "channels_last",
                "weights": "drawn",
                "batch_size": 8,
                "precision": "fp32",
                "variant": "plain",
                "outcome": "not_finite" if np.isnan(latency) else "ok",
                "flags": flags,
                "sessions": 1,
                "disturbed_sessions": 0,
                "runs": 3,
                **dict.fromkeys(times, np.nan),
                "latency_ms": latency,
                "latency_std_ms": latency / 10,
                "peak_memory_bytes": 5e6,
                "energy_mj": 2 * latency,
                "parameters": 1,
                "macs": 1,
                "activations": 300 + position,
                "depth": 3,
                "model_bytes": 1000 + position,
                "checkpoint_bytes": 1100 + position,
            }
            for position, (architecture, latency) in enumerate(latencies.items())
        ]
    )


def test_one_row_an_epoch_with_time_up_to_then_and_test_metrics_at_the_last(cells: pd.DataFrame) -> None:
    first, second = cells["hash"][0], cells["hash"][1]
    table = assemble_study(
        cells,
        pd.concat([epochs_of(second, 3, offset=0.2), epochs_of(first, 3)]),  # not in the order of the statuses
        [status_of(first, 3), status_of(second, 3)],
        profiles_of(**{second: 5.0, first: 4.0}),
        DATASET,
    )
    assert table["hash"].tolist() == [first] * 3 + [second] * 3
    assert table["epochs"].tolist() == [1, 2, 3] * 2
    assert table["training_seconds"].tolist() == [10, 30, 60] * 2
    np.testing.assert_array_equal(table["test_micro_accuracy"], [np.nan, np.nan, 0.7] * 2)
    np.testing.assert_array_equal(table["test_macro_accuracy"], [np.nan, np.nan, 0.6] * 2)
    np.testing.assert_allclose(table["validation_micro_accuracy"], [0.05, 0.1, 0.15, 0.25, 0.3, 0.35])
    assert table["latency_ms"].tolist() == [4.0] * 3 + [5.0] * 3
    assert table["latency_std_ms"].tolist() == [0.4] * 3 + [0.5] * 3
    assert table["inference_energy_mj"].tolist() == [8.0] * 3 + [10.0] * 3
    assert set(table["peak_memory_bytes"]) == {5e6}
    assert table["model_bytes"].tolist() == [1001.0] * 3 + [1000.0] * 3
    assert table["checkpoint_bytes"].tolist() == [1101.0] * 3 + [1100.0] * 3
    assert table["activations"].tolist() == [301.0] * 3 + [300.0] * 3
    named = cells.set_index("hash")
    for name in ("parameters", "macs"):
        assert table[name].tolist() == [named.loc[architecture, name] for architecture in table["hash"]]
    assert set(table["dataset"]) == {DATASET}
    assert set(table["source"]) == {"terranas"}
    assert set(table["device"]) == {"Test CPU"}
    assert set(table["outcome"]) == {"ok"}
    assert set(table["repeat"]) == {0}


def test_a_failed_training_has_one_row_at_the_studys_fidelity(cells: pd.DataFrame) -> None:
    good, diverged, accepted, unmeasured = cells["hash"][:4]
    table = assemble_study(
        cells,
        pd.concat([epochs_of(good, 4), epochs_of(diverged, 2), epochs_of(unmeasured, 4)]),
        [
            status_of(diverged, 2, "diverged"),
            status_of(accepted, 0, "accepted_failure"),
            status_of(good, 4),
            status_of(unmeasured, 4),
        ],
        profiles_of(**{good: 1.0, diverged: 2.0, accepted: np.nan}),
        DATASET,
    )
    failed = table[table["outcome"] != "ok"].set_index("hash")
    assert failed["outcome"].to_dict() == {diverged: "diverged", accepted: "accepted_failure"}
    assert failed["epochs"].tolist() == [4, 4]
    trained = [name for name in BENCHMARK.names if "loss" in name or "accuracy" in name or name == "training_seconds"]
    assert failed[trained].isna().all(axis=None)
    assert failed[["parameters", "macs"]].notna().all(axis=None)
    assert failed.loc[diverged, "latency_ms"] == 2.0
    # no latency, no device; the size of the weights is known all the same
    assert (failed.loc[accepted, "device"], failed.loc[accepted, "model_bytes"]) == ("", 1002.0)
    assert np.isnan(failed.loc[accepted, "peak_memory_bytes"])
    missing = table[table["hash"] == unmeasured].iloc[-1]
    assert np.isnan(missing["latency_ms"])
    assert np.isnan(missing["model_bytes"])
    assert missing["device"] == ""

    benchmark = TabularBenchmark(table)
    assert benchmark.architectures == sorted([good, diverged, accepted, unmeasured])
    values = benchmark.values(["validation_micro_accuracy"], [good, diverged, accepted])
    np.testing.assert_allclose(values[:, 0], [0.2, np.nan, np.nan])


def test_a_study_without_any_success_still_has_its_rows(cells: pd.DataFrame) -> None:
    one, two = cells["hash"][:2]
    table = assemble_study(
        cells,
        epochs_of(one, 1),
        [status_of(one, 1, "diverged"), status_of(two, 0, "out_of_memory")],
        PROFILES.empty(),
        DATASET,
    )
    assert table[["hash", "epochs"]].values.tolist() == [[one, 1], [two, 1]]


def test_the_order_of_the_trainings_does_not_matter(cells: pd.DataFrame) -> None:
    hashes = cells["hash"].tolist()
    parts = [epochs_of(architecture, 2) for architecture in hashes]
    statuses = [status_of(architecture, 2) for architecture in hashes]
    profiles = profiles_of(**dict.fromkeys(hashes, 1.0))
    forward = assemble_study(cells, pd.concat(parts), statuses, profiles, DATASET)
    shuffled = cells.sample(frac=1, random_state=0)
    backward = assemble_study(shuffled, pd.concat(parts[::-1]), statuses[::-1], profiles[::-1], DATASET)
    pd.testing.assert_frame_equal(forward, backward)


def test_what_does_not_belong_together_is_refused(cells: pd.DataFrame) -> None:
    one = cells["hash"][0]
    with pytest.raises(TableError, match="There are no trainings"):
        assemble_study(cells, EPOCHS.empty(), [], PROFILES.empty(), DATASET)
    with pytest.raises(TableError, match=f"{one} says it finished 3 epochs, but its table has 2"):
        assemble_study(cells, epochs_of(one, 2), [status_of(one, 3)], PROFILES.empty(), DATASET)
    with pytest.raises(TableError, match="says it finished 3 epochs, but its table has 0"):
        assemble_study(cells, EPOCHS.empty(), [status_of(one, 3)], PROFILES.empty(), DATASET)
    with pytest.raises(TableError, match="has two statuses"):
        assemble_study(cells, epochs_of(one, 2), [status_of(one, 2)] * 2, PROFILES.empty(), DATASET)
    with pytest.raises(TableError, match=r"1 trained architectures are not in the space, such as f{32}"):
        assemble_study(cells, epochs_of("f" * 32, 2), [status_of("f" * 32, 2)], PROFILES.empty(), DATASET)
    doubled = pd.concat([profiles_of(**{one: 1.0}), profiles_of(**{one: 2.0})])
    with pytest.raises(TableError, match="an architecture twice; expected those of one device"):
        assemble_study(cells, epochs_of(one, 2), [status_of(one, 2)], doubled, DATASET)


def test_one_model_of_device_enters_the_benchmark(cells: pd.DataFrame) -> None:
    one, two = cells["hash"][:2]
    profiles = pd.concat([profiles_of(**{one: 1.0}), profiles_of("Other CPU", **{one: 3.0, two: 4.0})])
    trainings = pd.concat([epochs_of(one, 1), epochs_of(two, 1)]), [status_of(one, 1), status_of(two, 1)]

    def assembled(device_name: str | None) -> pd.DataFrame:
        return assemble_study(cells, *trainings, profiles, DATASET, device_name).set_index("hash")

    table = assembled("Other CPU")
    assert table["latency_ms"].to_dict() == {one: 3.0, two: 4.0}
    assert set(table["device"]) == {"Other CPU"}
    table = assembled("Test CPU")
    assert table["device"].to_dict() == {one: "Test CPU", two: ""}
    assert table.loc[two, list(_of_a_device())].isna().all()
    assert table.loc[two, "checkpoint_bytes"] == 1101.0, "sizes are known from any device"
    with pytest.raises(TableError, match=r"2 models of device: Other CPU, Test CPU\. Say by profiling\.device_name"):
        assembled(None)
    with pytest.raises(TableError, match=r"device_name is A GPU, but the profiles are of Other CPU, Test CPU\. Set it"):
        assembled("A GPU")


def _of_a_device() -> set[str]:
    return {column.name for column in BENCHMARK.columns if column.per_device}


def test_flagged_latencies_stay_in_and_are_counted(cells: pd.DataFrame, caplog: pytest.LogCaptureFixture) -> None:
    one, two = cells["hash"][:2]
    trainings = pd.concat([epochs_of(one, 1), epochs_of(two, 1)]), [status_of(one, 1), status_of(two, 1)]
    assemble_study(cells, *trainings, profiles_of(**{one: 1.0, two: 2.0}), DATASET)
    assert caplog.messages == []
    profiles = pd.concat([profiles_of(**{one: 1.0}), profiles_of(flags="throttled,varies", **{two: 2.0})])
    table = assemble_study(cells, *trainings, profiles, DATASET)
    assert table["latency_ms"].tolist() == [1.0, 2.0]
    assert caplog.messages == [
        "Measuring flagged 1 profile of 2; their latencies enter the benchmark all the same, and `snakemake "
        "device_report` lists them"
    ]


def test_the_script_reads_the_stages_files(cells: pd.DataFrame, tmp_path: Path) -> None:
    one, two = cells["hash"][:2]
    write_table(cells, tmp_path / "cells.parquet", CELLS)
    write_table(profiles_of(**{one: 1.0, two: 2.0}), tmp_path / "cpu.parquet", PROFILES)
    for architecture, record in ((one, status_of(one, 2)), (two, status_of(two, 1, "diverged"))):
        write_table(epochs_of(architecture, record.epochs), tmp_path / architecture / "metrics.parquet", EPOCHS)
        write_status(record, tmp_path / architecture / "status.json")
    snakemake = SimpleNamespace(
        input=SimpleNamespace(
            cells=tmp_path / "cells.parquet",
            metrics=[tmp_path / architecture / "metrics.parquet" for architecture in (one, two)],
            statuses=[tmp_path / architecture / "status.json" for architecture in (one, two)],
            profiles=[tmp_path / "cpu.parquet"],
        ),
        output=SimpleNamespace(table=tmp_path / "study.parquet", report=tmp_path / "study.json"),
        params=SimpleNamespace(dataset=DATASET, device_name=None),
        log=[],
    )
    runpy.run_path(str(SCRIPT), init_globals={"snakemake": snakemake})
    table = read_table(tmp_path / "study.parquet", BENCHMARK)
    assert table[["hash", "epochs", "outcome"]].values.tolist() == [
        [one, 1, "ok"],
        [one, 2, "ok"],
        [two, 2, "diverged"],
    ]
