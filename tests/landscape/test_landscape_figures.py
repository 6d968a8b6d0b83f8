"""Figures: what they say and show, with failures, constant values and long names, through the workflow's scripts."""

import math
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from terranas.benchmark.schema import BENCHMARK, METRICS
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.tables import read_table, write_table
from terranas.data.schema import CLASS_COUNTS
from terranas.landscape import figures
from terranas.landscape.schema import RUGGEDNESS
from terranas.sampling.schema import WALKS

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow_scripts" / "landscape"
DATASET = "synthetic test images"


def table_of(count: int = 12, failed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(3)
    table = pd.DataFrame({"hash": [f"{number:032x}" for number in range(count)], "id": None, "epochs": 4, "repeat": 0})
    table = table.assign(outcome="ok", dataset=DATASET, source="terranas", device="Test CPU")
    for column in METRICS:
        table[column.name] = generator.uniform(0.2, 0.6, count)
    table["macs"] = 1e6 * np.arange(1, count + 1)
    table["parameters"] = 1e3 * np.arange(1, count + 1)
    table["model_bytes"] = table["checkpoint_bytes"] = 1e4
    table["latency_ms"] = np.arange(1, count + 1) ** 2
    accuracies = [name for name in table.columns if "accuracy" in name]
    table.loc[: failed - 1, accuracies] = math.nan
    table.loc[: failed - 1, "outcome"] = "diverged"
    return BENCHMARK.validate(table)


def counts_of(classes: int = 3, name: str = "class") -> pd.DataFrame:
    return CLASS_COUNTS.from_rows(
        [
            {
                "source": "synthetic",
                "split": split,
                "class_index": index,
                "class_name": f"{name} {index}",
                "count": (index + 1) * factor,
            }
            for split, factor in (("train", 10), ("validation", 2), ("test", 0))
            for index in range(classes)
        ]
    )


def headline(drawn: Figure) -> str:
    return drawn.get_suptitle().replace("\n", " ")


def legend(drawn: Figure) -> list[str]:
    return [text.get_text() for text in drawn.legends[0].get_texts()]


def overlapping_labels(drawn: Figure) -> list[tuple[str, str]]:
    """Return pairs of visible tick labels and titles that cover each other."""
    drawn.canvas.draw()
    texts = list(drawn.texts)  # the headline is one of them
    for axes in drawn.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        texts += [axes.title, axes.xaxis.label, axes.yaxis.label, axes._left_title]
    drawn_texts = [text for text in texts if text.get_text().strip() and text.get_visible()]
    boxes = [text.get_window_extent().shrunk(0.9, 0.8) for text in drawn_texts]
    return [
        (one.get_text(), other.get_text())
        for position, one in enumerate(drawn_texts)
        for distance, other in enumerate(drawn_texts[position + 1 :], start=1)
        if boxes[position].overlaps(boxes[position + distance])
    ]


def test_class_shares_are_within_their_split() -> None:
    with figures.class_distribution(counts_of(), DATASET) as (drawn, numbers):
        assert headline(drawn) == f"Class distribution {DATASET}"
        assert legend(drawn) == ["train (n = 60)", "validation (n = 12)", "test (n = 0)"]
        shares = numbers.pivot_table(index="class_index", columns="split", values="share", dropna=False)
        np.testing.assert_allclose(shares["train"], [1 / 6, 2 / 6, 3 / 6])
        np.testing.assert_allclose(shares["validation"], [1 / 6, 2 / 6, 3 / 6])
        assert numbers.loc[numbers["split"] == "test", "share"].isna().all()
        assert not overlapping_labels(drawn)


def test_many_classes_with_long_names_stay_readable() -> None:
    with figures.class_distribution(counts_of(17, "a class with a name that never seems to end"), DATASET) as (
        drawn,
        _,
    ):
        assert not overlapping_labels(drawn)
        labels = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
        assert all(label.endswith("…") and len(label) <= 34 for label in labels)


def test_accuracy_figure_counts_failures_and_shows_all_values() -> None:
    with figures.accuracy_distribution(TabularBenchmark(table_of(12, failed=2))) as (drawn, numbers):
        assert headline(drawn) == f"Accuracies after 4 epochs, 10 architectures (2 failed trainings left out) {DATASET}"
        assert legend(drawn) == [f"{split} (n = 10)" for split in ("train", "validation", "test")]
        assert len(numbers) == 12 * 6
        assert numbers["accuracy"].isna().sum() == 2 * 6
        for axes in drawn.axes[:2]:
            for line in axes.get_lines():
                grid, density = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
                assert np.trapezoid(density, grid) == pytest.approx(1, abs=0.01)
        for axes in drawn.axes[2:]:
            assert all(np.asarray(line.get_ydata())[-1] == 1 for line in axes.get_lines())
        assert not overlapping_labels(drawn)


@pytest.mark.parametrize("accuracy", [0.0, 0.5, 1.0, math.nan])
def test_accuracy_figure_of_equal_or_no_values(accuracy: float) -> None:
    table = table_of(3)
    table[[name for name in table.columns if "accuracy" in name]] = accuracy
    with figures.accuracy_distribution(TabularBenchmark(table)) as (drawn, _):
        drawn.canvas.draw()
        expected = 0 if math.isnan(accuracy) else 3
        assert legend(drawn)[0] == f"train (n = {expected})"
        shown = "0 architectures (3 failed trainings left out)" if expected == 0 else "3 architectures"
        assert f"Accuracies after 4 epochs, {shown} {DATASET}" == headline(drawn)


def test_latency_figure_names_device_and_rank_correlation() -> None:
    table = table_of(12)
    table.loc[:1, "latency_ms"] = math.nan
    with figures.latency_against(table, TabularBenchmark(table), "macs") as (drawn, numbers):
        assert "Latency against multiply-accumulates (MACs)" in headline(drawn)
        assert f"networks for {DATASET}, on Test CPU 10 architectures (2 without a latency left out)" in headline(drawn)
        (axes,) = drawn.axes
        assert axes.get_title(loc="left") == "Spearman's rank correlation 1.00 (n = 10)"
        assert axes.get_xlabel() == "multiply-accumulates for one image"
        assert list(numbers.columns) == ["dataset", "hash", "macs", "latency_ms"]
        assert not overlapping_labels(drawn)


def test_latency_figure_of_equal_or_no_latencies() -> None:
    for latency, count in ((2.0, 12), (math.nan, 0)):
        table = table_of(12).assign(latency_ms=latency)
        with figures.latency_against(table, TabularBenchmark(table), "parameters") as (drawn, _):
            drawn.canvas.draw()
            assert drawn.axes[0].get_title(loc="left") == "Spearman's rank correlation undefined"
            assert f"{count} architectures" in headline(drawn)
            assert drawn.axes[0].get_xlabel() == "trainable parameters"


def ruggedness_of(*values: float) -> pd.DataFrame:
    return RUGGEDNESS.from_rows(
        [
            {
                "walk": walk,
                "metric": metric,
                "dataset": DATASET,
                "visits": 5,
                "autocorrelation": 1 / value,
                "ruggedness": value,
                "correlation_length": 1.0,
                "ruggedness_published": -value,
            }
            for walk, value in enumerate(values)
            for metric in ("validation_macro_accuracy", "validation_micro_accuracy")
        ]
    )


@pytest.mark.parametrize("largest", [3.0, 80.0, -4000.0, 1e9])
def test_ruggedness_figure_shows_every_defined_walk(largest: float) -> None:
    with figures.ruggedness_distribution(ruggedness_of(1.5, math.nan, largest, -2.0)) as (drawn, _):
        assert headline(drawn) == f"Ruggedness along 4 random walks {DATASET}"
        assert legend(drawn) == ["each architecture once", "published way: start counted twice", "median"]
        labels = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
        assert labels == ["validation macro accuracy\n3 of 4 walks", "validation micro accuracy\n3 of 4 walks"]
        defined = drawn.axes[1].get_lines()[0]
        np.testing.assert_allclose(defined.get_xdata(), sorted([1.5, largest, -2.0]))
        low, high = drawn.axes[1].get_xlim()
        assert low < min(largest, -2.0)
        assert high > max(largest, 1.5)
        assert not overlapping_labels(drawn)


def test_ruggedness_figure_without_any_defined_walk() -> None:
    with figures.ruggedness_distribution(ruggedness_of(math.nan, math.nan)) as (drawn, _):
        drawn.canvas.draw()
        assert drawn.axes[0].get_yticklabels()[0].get_text().endswith("0 of 2 walks")


def run(script: str, inputs: dict[str, Path], output: Any, **params: Any) -> None:
    snakemake = SimpleNamespace(
        input=SimpleNamespace(**inputs), output=output, params=SimpleNamespace(**params), log=[]
    )
    runpy.run_path(str(SCRIPTS / f"{script}.py"), init_globals={"snakemake": snakemake})


def test_the_scripts_write_every_declared_file(tmp_path: Path) -> None:
    table = table_of(12, failed=1)
    walks = WALKS.from_rows(
        [
            {"walk": walk, "step": step, "redraws": 0, "hash": f"{3 * walk + step:032x}", "id": None}
            for walk in range(3)
            for step in range(5)
        ]
    )
    paths = {name: tmp_path / f"{name}.parquet" for name in ("table", "walks", "class_counts", "ruggedness")}
    write_table(table, paths["table"], BENCHMARK)
    write_table(walks, paths["walks"], WALKS)
    write_table(counts_of(), paths["class_counts"], CLASS_COUNTS)

    summary = tmp_path / "summary.csv"
    run("summary", {"table": paths["table"]}, SimpleNamespace(summary=summary))
    assert pd.read_csv(summary)["n"].tolist() == [11] * 6
    inputs = {"table": paths["table"], "walks": paths["walks"]}
    metrics = ["validation_macro_accuracy"]
    run("ruggedness", inputs, SimpleNamespace(ruggedness=paths["ruggedness"]), metrics=metrics)
    assert len(read_table(paths["ruggedness"], RUGGEDNESS)) == 3

    def figure_files(name: str) -> dict[str, Path]:
        return {kind: tmp_path / f"{name}.{kind}" for kind in ("png", "pdf", "svg", "csv")}

    for name, source, params in (
        ("class_figure", "class_counts", {"dataset": DATASET}),
        ("accuracy_figure", "table", {}),
        ("latency_figure", "table", {"axis": "macs"}),
        ("ruggedness_figure", "ruggedness", {}),
    ):
        files = figure_files(name)
        run(name, {source: paths[source]}, files, **params)
        assert all(path.stat().st_size > 0 for path in files.values())
        assert DATASET in pd.read_csv(files["csv"])["dataset"].tolist()
        first = files["svg"].read_bytes()
        run(name, {source: paths[source]}, files, **params)
        assert files["svg"].read_bytes() == first
