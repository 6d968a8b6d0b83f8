"""Looking architectures up: fidelity, repeats, failures, unknown cells and the true front."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.benchmark.keys import HashIndex, index_names
from terranas.benchmark.schema import BENCHMARK, METRICS, direction, metrics_named, table_schema
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import TableError
from terranas.core.tables import Column, write_table
from terranas.sampling.schema import WALKS


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
    assert benchmark.architectures == ["a" * 32, "b" * 32]
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
    with pytest.raises(TableError, match=r"'accuracy' is no metric of this benchmark\. Known: train_loss"):
        benchmark.values(["accuracy"])
    with pytest.raises(TableError, match="'hash' is no metric"):
        benchmark.true_front(["hash"])
    with pytest.raises(TableError, match="has no rows"):
        TabularBenchmark(BENCHMARK.empty())
    with pytest.raises(TableError, match=r"mixes the results of 2 sets of images \(one, other\)"):
        TabularBenchmark(table_of(row("a" * 32, dataset="one"), row("b" * 32, dataset="other")))


def test_fidelities_repeats_and_their_aggregates() -> None:
    table = table_of(
        row("a" * 32, epochs=4, test_micro_accuracy=0.1),
        *(row("a" * 32, epochs=12, repeat=run, test_micro_accuracy=value) for run, value in enumerate((0.2, 0.3, 0.7))),
        row("b" * 32, epochs=4, test_micro_accuracy=0.5),
    )
    benchmark = TabularBenchmark(table)
    assert benchmark.fidelities == [4, 12]
    assert benchmark.architectures == ["a" * 32]
    names = ["a" * 32, "b" * 32]
    metric = ["test_micro_accuracy"]
    np.testing.assert_array_equal(benchmark.values(metric, names, epochs=4), [[0.1], [0.5]])
    found = {how: benchmark.values(metric, repeats=how)[0, 0] for how in ("mean", "median", "std", "min", "max")}
    values = np.array([0.2, 0.3, 0.7])
    expected = {"mean": values.mean(), "median": 0.3, "std": values.std(ddof=1), "min": 0.2, "max": 0.7}
    assert found == pytest.approx(expected)
    assert [benchmark.values(metric, repeats=run)[0, 0] for run in range(3)] == values.tolist()
    with pytest.raises(TableError, match="There is no repeat 3; repeats are numbered 0 to 2"):
        benchmark.values(metric, repeats=3)
    low = TabularBenchmark(table, epochs=4)
    assert low.architectures == names
    assert low.true_front(metric) == ["b" * 32]
    with pytest.raises(TableError, match=r"trained for 36 epochs on synthetic test images\. Fidelities: 4, 12"):
        benchmark.values(metric, epochs=36)
    with pytest.raises(TableError, match="aggregated by mean, median, std, min, max, got 'mode'"):
        benchmark.values(metric, repeats="mode")  # type: ignore[arg-type]


def test_a_device_is_chosen_or_named() -> None:
    table = table_of(
        row("a" * 32, test_micro_accuracy=0.9),
        row("a" * 32, device="board", latency_ms=30),
        row("a" * 32, device="phone", latency_ms=20),
        row("b" * 32, test_micro_accuracy=0.8),
        row("b" * 32, device="phone", latency_ms=5),
    )
    open_choice = TabularBenchmark(table)
    assert (open_choice.device, open_choice.devices) == ("", ["board", "phone"])
    both = open_choice.values(["test_micro_accuracy", "latency_ms@phone", "latency_ms@board"])
    np.testing.assert_array_equal(both, [[0.9, 20, 30], [0.8, 5, np.nan]])
    assert open_choice.direction("latency_ms@phone") == "minimise"
    assert open_choice.unit("latency_ms@phone") == "ms"
    with pytest.raises(TableError, match=r"'latency_ms' was measured on 2 devices; choose one .*'latency_ms@board'"):
        open_choice.values(["latency_ms"])
    phone = TabularBenchmark(table, device="phone")
    np.testing.assert_array_equal(phone.values(["test_micro_accuracy", "latency_ms"]), [[0.9, 20], [0.8, 5]])
    assert phone.true_front(["test_micro_accuracy", "latency_ms"]) == ["a" * 32, "b" * 32]
    with pytest.raises(TableError, match=r"Nothing was measured on 'watch'\. Devices: board, phone"):
        TabularBenchmark(table, device="watch")
    with pytest.raises(TableError, match="Nothing was measured on 'watch'"):
        phone.values(["latency_ms@watch"])
    with pytest.raises(TableError, match="'test_micro_accuracy' does not depend on a device"):
        phone.values(["test_micro_accuracy@phone"])
    # one device needs no choice
    alone = TabularBenchmark(table[table["device"] != "board"])
    assert alone.values(["latency_ms"]).tolist() == [[20], [5]]


def test_a_training_measured_on_two_devices_is_one_training() -> None:
    table = table_of(
        *(
            row("a" * 32, repeat=run, device=device, test_micro_accuracy=accuracy, latency_ms=latency)
            for run, device, accuracy, latency in (
                (0, "board", 0.2, 30),
                (0, "phone", 0.2, 20),
                (1, "board", 0.6, 34),
            )
        ),
        row("b" * 32, device="board", outcome="diverged", latency_ms=9),
    )
    benchmark = TabularBenchmark(table)
    assert benchmark.architectures == ["a" * 32, "b" * 32]
    np.testing.assert_allclose(benchmark.values(["test_micro_accuracy", "latency_ms@board"]), [[0.4, 32], [np.nan, 9]])
    assert benchmark.values(["test_micro_accuracy"], repeats=0)[0, 0] == 0.2
    assert benchmark.values(["test_micro_accuracy"], repeats="std")[0, 0] == pytest.approx(np.std([0.2, 0.6], ddof=1))
    assert TabularBenchmark(table, device="phone").values(["latency_ms"])[0, 0] == 20
    # a metric that one device alone has needs no choice
    assert benchmark.values(["latency_ms@phone"])[0, 0] == 20
    alone = table.assign(latency_std_ms=np.where(table["device"] == "phone", 1.0, np.nan))
    assert TabularBenchmark(alone).values(["latency_std_ms"])[0, 0] == 1.0


def test_devices_are_those_of_the_images() -> None:
    table = table_of(
        row("a" * 32, dataset="one", device="board", latency_ms=3),
        row("a" * 32, dataset="other", device="phone", latency_ms=5),
    )
    one = TabularBenchmark(table, dataset="one")
    assert (one.device, one.devices) == ("board", ["board"])
    assert one.values(["latency_ms"]).tolist() == [[3]]
    with pytest.raises(TableError, match=r"Nothing was measured on 'phone'\. Devices: board"):
        TabularBenchmark(table, dataset="one", device="phone")


def test_questions_that_are_no_lists_are_refused() -> None:
    benchmark = TabularBenchmark(table_of(row("a" * 32, id=0, macs=1)))
    for keys in ("a" * 32, np.array([["a" * 32]]), [None], [0.5]):
        with pytest.raises(TableError, match="Keys are"):
            benchmark.values(["macs"], keys)  # type: ignore[arg-type]
    for metrics in ([], "macs"):
        with pytest.raises(TableError, match="list of at least one name"):
            benchmark.values(metrics)
    with pytest.raises(TableError, match="list of at least one name"):
        benchmark.true_front([])
    with pytest.raises(TableError, match="must have the columns hash"):
        TabularBenchmark(pd.DataFrame({"a": [1]}))
    # ids of any integer type, in lists too
    assert benchmark.values(["macs"], [0]).tolist() == [[1]]
    np.testing.assert_array_equal(
        benchmark.values(["macs"], np.array([5, 0, 255], dtype=np.uint8))[:, 0], [np.nan, 1, np.nan]
    )


def test_capital_hashes_are_other_texts() -> None:
    benchmark = TabularBenchmark(table_of(row("a" * 32, macs=1)))
    for asked in (["A" * 32], ["A" * 32, "x"], ["a" * 31 + "A", "a" * 32]):
        found = benchmark.find(asked)
        assert (found == [0 if name == "a" * 32 else -1 for name in asked]).all()


def test_images_are_chosen() -> None:
    table = table_of(
        row("a" * 32, dataset="one", test_micro_accuracy=0.1, epochs=9),
        row("a" * 32, dataset="other", test_micro_accuracy=0.2),
        row("b" * 32, dataset="other", test_micro_accuracy=0.3),
    )
    other = TabularBenchmark(table, dataset="other")
    assert (other.dataset, other.datasets, other.fidelities) == ("other", ["one", "other"], [4])
    assert other.values(["test_micro_accuracy"]).tolist() == [[0.2], [0.3]]
    assert TabularBenchmark(table, dataset="one").architectures == ["a" * 32]
    with pytest.raises(TableError, match=r"has no results on 'none'\. It has: one, other"):
        TabularBenchmark(table, dataset="none")


def test_ids_number_the_whole_space() -> None:
    table = table_of(
        *(row(letter * 32, id=number, macs=number + 1) for letter, number in zip("ad", (0, 3), strict=True))
    )
    benchmark = TabularBenchmark(table)
    asked = np.array([3, 0, 1, 9, -1])
    np.testing.assert_array_equal(benchmark.values(["macs"], asked)[:, 0], [4, 1, np.nan, np.nan, np.nan])
    with pytest.raises(TableError, match="has no ids"):
        TabularBenchmark(table_of(row("a" * 32))).values(["macs"], np.array([0]))


def test_a_file_answers_as_the_table_does(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = sorted({f"{number:032x}" for number in rng.integers(0, 1 << 62, size=200)})
    rows = [
        row(name, epochs=epochs, repeat=run, id=number, test_micro_accuracy=float(rng.random()), macs=number + 1)
        for number, name in enumerate(names)
        for epochs in (4, 12)
        for run in range(rng.integers(1, 4))
    ]
    table = table_of(*[rows[position] for position in rng.permutation(len(rows))])  # no order is needed
    write_table(table, tmp_path / "table.parquet", BENCHMARK, {"space_size": 400, "licence": "MIT"})
    memory, file = TabularBenchmark(table), TabularBenchmark.open(tmp_path / "table.parquet")
    assert file.architectures == memory.architectures == names
    assert file.facts["licence"] == "MIT"
    assert file.coverage == len(names) / 400
    metrics = ["test_micro_accuracy", "macs"]
    expected = table.groupby(["epochs", "hash"])[metrics].mean()
    for epochs in (4, 12):
        np.testing.assert_allclose(file.values(metrics, epochs=epochs), expected.loc[epochs], rtol=1e-12)
        np.testing.assert_array_equal(file.values(metrics, epochs=epochs), memory.values(metrics, epochs=epochs))
    asked = [names[position] for position in rng.integers(0, len(names), 500)]
    np.testing.assert_array_equal(file.values(metrics, asked), memory.values(metrics, asked))


def test_a_file_of_another_kind_or_version_is_refused(tmp_path: Path) -> None:
    write_table(WALKS.empty(), tmp_path / "walks.parquet", WALKS)
    with pytest.raises(TableError, match=r"holds the table sampling\.walks version 1; expected a benchmark table"):
        TabularBenchmark.open(tmp_path / "walks.parquet")
    older = replace(BENCHMARK, version=BENCHMARK.version - 1)
    write_table(table_of(row("a" * 32)), tmp_path / "older.parquet", older)
    with pytest.raises(
        TableError, match=r"benchmark\.table version 2; expected a benchmark table \(benchmark\.table has version 3\)"
    ):
        TabularBenchmark.open(tmp_path / "older.parquet")
    with pytest.raises(TableError, match="does not exist"):
        TabularBenchmark.open(tmp_path / "none.parquet")


def test_what_is_missing_is_named() -> None:
    benchmark = TabularBenchmark(
        table_of(row("a" * 32, macs=1, latency_ms=2), row("b" * 32, macs=1), row("c" * 32, outcome="diverged"))
    )
    assert benchmark.missing(["macs"]) == ["c" * 32]
    assert benchmark.missing(["macs", "latency_ms"]) == ["b" * 32, "c" * 32]
    assert benchmark.missing(["macs"], ["f" * 32, "a" * 32]) == ["f" * 32]


def test_other_spaces_have_keys_of_their_own() -> None:
    schema = table_schema(
        "benchmark.test",
        Column("architecture", "string", "a code"),
        (Column("score", "float64", "a score", direction="maximise"),),
        version=1,
    )
    facts = {"epochs": 1, "repeat": 0, "outcome": "ok", "dataset": "d", "source": "s", "device": ""}
    table = schema.validate(
        pd.DataFrame([{"architecture": code, "score": s, **facts} for code, s in (("b", 1), ("a", 2))])
    )
    benchmark = TabularBenchmark(table, schema=schema)
    assert benchmark.architectures == ["a", "b"]
    assert benchmark.values(["score"], ["b", "x"])[:1].tolist() == [[1.0]]
    assert benchmark.true_front(["score"]) == ["a"]
    assert benchmark.metrics == ["score"]


@given(st.lists(st.text("0123456789abcdef", min_size=32, max_size=32), min_size=1, max_size=30, unique=True), st.data())
@settings(max_examples=60, deadline=None)
def test_hashes_are_found_where_they_are(hashes: list[str], data: st.DataObject) -> None:
    hashes = sorted(hashes)
    index = index_names(hashes)
    assert isinstance(index, HashIndex)
    assert index.names() == hashes
    other = st.one_of(
        st.text("0123456789abcdef", min_size=32, max_size=32),
        st.text("0123456789abcdef ", min_size=32, max_size=34),
        st.sampled_from(hashes).map(lambda name: name[:16] + name[16:][::-1]),  # the same first half
        st.text(max_size=40),
    )
    asked = data.draw(st.lists(st.one_of(st.sampled_from(hashes), other), max_size=20))
    expected = [hashes.index(name) if name in hashes else -1 for name in asked]
    assert index.find(asked).tolist() == expected


def test_equal_first_halves_are_told_apart() -> None:
    hashes = [f"{'0' * 16}{number:016x}" for number in (1, 5, 7)] + ["f" * 32]
    index = index_names(hashes)
    assert index.find([*hashes, f"{'0' * 16}{6:016x}"]).tolist() == [0, 1, 2, 3, -1]


def test_metrics_are_chosen_by_name() -> None:
    assert [column.name for column in metrics_named("macs", "train_loss")] == ["train_loss", "macs"]
    with pytest.raises(ValueError, match="there are no metrics speed"):
        metrics_named("macs", "speed")
