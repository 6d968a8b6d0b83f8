"""Looking architectures up: fidelity, repeats, failures, unknown cells and the true front."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.benchmark.schema import BENCHMARK, METRICS, direction
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import TableError


def row(architecture: str, **values: object) -> dict[str, object]:
    base: dict[str, object] = {
        "hash": architecture,
        "id": None,
        "epochs": 4,
        "repeat": 0,
        "outcome": "ok",
        "dataset": "synthetic test images",
        "source": "terranas",
        "device": "",
    }
    return base | {column.name: np.nan for column in METRICS} | values


def table_of(*rows: dict[str, object]) -> pd.DataFrame:
    return BENCHMARK.validate(pd.DataFrame(list(rows)))


def test_takes_the_highest_fidelity_in_ascending_order() -> None:
    benchmark = TabularBenchmark(
        table_of(
            row("b" * 32, validation_micro_accuracy=0.5),
            row("a" * 32, validation_micro_accuracy=0.9, epochs=2),
            row("a" * 32, validation_micro_accuracy=0.7),
            row("c" * 32, validation_micro_accuracy=0.8, epochs=3),
        )
    )
    assert benchmark.hashes == ["a" * 32, "b" * 32]
    assert benchmark.epochs == 4
    assert benchmark.dataset == "synthetic test images"
    assert benchmark.values(["validation_micro_accuracy"]).tolist() == [[0.7], [0.5]]


def test_unknown_cells_are_nan_and_order_and_repetition_follow_the_question() -> None:
    benchmark = TabularBenchmark(
        table_of(
            *(row(letter * 32, macs=value, train_loss=-value) for letter, value in zip("abc", (1, 2, 3), strict=True))
        )
    )
    asked = ["c" * 32, "f" * 32, "a" * 32, "c" * 32]
    np.testing.assert_array_equal(
        benchmark.values(["macs", "train_loss"], asked), [[3, -3], [np.nan, np.nan], [1, -1], [3, -3]]
    )
    assert benchmark.values(["macs"], []).shape == (0, 1)


def test_values_are_a_copy() -> None:
    benchmark = TabularBenchmark(table_of(row("a" * 32, macs=5)))
    benchmark.values(["macs"])[:] = 0
    assert benchmark.values(["macs"]).tolist() == [[5.0]]


def test_repeats_are_averaged_over_the_runs_that_have_a_value() -> None:
    benchmark = TabularBenchmark(
        table_of(
            row("a" * 32, validation_micro_accuracy=0.5, repeat=0),
            row("a" * 32, validation_micro_accuracy=0.9, repeat=2),
            row("a" * 32, repeat=1, outcome="diverged"),
            row("b" * 32, repeat=0, outcome="diverged"),
        )
    )
    np.testing.assert_allclose(benchmark.values(["validation_micro_accuracy"]), [[0.7], [np.nan]])


def test_true_front_leaves_failures_out_and_keeps_ties() -> None:
    objectives = ["validation_micro_accuracy", "macs"]
    benchmark = TabularBenchmark(
        table_of(
            row("a" * 32, validation_micro_accuracy=0.9, macs=100),
            row("b" * 32, validation_micro_accuracy=0.8, macs=100),
            row("c" * 32, validation_micro_accuracy=0.7, macs=50),
            row("d" * 32, validation_micro_accuracy=0.7, macs=50),
            row("e" * 32, macs=10, outcome="diverged"),
        )
    )
    assert benchmark.true_front(objectives) == ["a" * 32, "c" * 32, "d" * 32]
    assert [direction(metric) for metric in objectives] == ["maximise", "minimise"]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 6)), min_size=1, max_size=16))
@settings(max_examples=40, deadline=None)
def test_true_front_equals_the_definition(points: list[tuple[int, int]]) -> None:
    hashes = [f"{index:032x}" for index in range(len(points))]
    benchmark = TabularBenchmark(
        table_of(
            *(
                row(architecture, test_micro_accuracy=accuracy / 5, macs=macs)
                for architecture, (accuracy, macs) in zip(hashes, points, strict=True)
            )
        )
    )
    expected = [
        architecture
        for architecture, (accuracy, macs) in zip(hashes, points, strict=True)
        if not any(a >= accuracy and m <= macs and (a > accuracy or m < macs) for a, m in points)
    ]
    assert benchmark.true_front(["test_micro_accuracy", "macs"]) == expected


def test_an_unknown_metric_and_an_unusable_table_are_told() -> None:
    benchmark = TabularBenchmark(table_of(row("a" * 32)))
    with pytest.raises(TableError, match=r"'accuracy' is no metric of a benchmark\. Known: train_loss"):
        benchmark.values(["accuracy"])
    with pytest.raises(TableError, match="'hash' is no metric"):
        benchmark.true_front(["hash"])
    with pytest.raises(TableError, match="has no rows"):
        TabularBenchmark(BENCHMARK.empty())
    with pytest.raises(TableError, match=r"mixes the results of 2 sets of images \(one, other\)"):
        TabularBenchmark(table_of(row("a" * 32, dataset="one"), row("b" * 32, dataset="other")))
