"""Distribution figures: curves, failures, fidelities, equal or no values, a whole space, and their words."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from terranas.benchmark.nasbench201 import SCHEMA as NASBENCH201
from terranas.benchmark.schema import BENCHMARK, METRICS
from terranas.benchmark.tabular import TabularBenchmark
from terranas.landscape.distribution_figures import (
    MAX_FIDELITIES,
    accuracy_distribution,
    accuracy_words,
    cost_distribution,
    cost_words,
)

from .drawn import headline, legend, overlapping_labels, saved, words_inside
from .tables import DATASET, benchmark_of

ACCURACIES = [column.name for column in METRICS if column.name.endswith("accuracy")]
FIGURES = [(accuracy_distribution, accuracy_words), (cost_distribution, cost_words)]


def table_of(count: int, failed: int = 0, fidelities: tuple[int, ...] = (4,)) -> pd.DataFrame:
    parts = []
    for epochs in fidelities:
        generator = np.random.default_rng(epochs)
        part = pd.DataFrame({"hash": [f"{n:032x}" for n in range(count)], "id": None, "epochs": epochs, "repeat": 0})
        part = part.assign(outcome="ok", dataset=DATASET, source="terranas", device="Test CPU")
        for column in METRICS:
            part[column.name] = generator.uniform(0.2, 0.4, count) + 0.002 * epochs
        for name, scale in (("macs", 1e8), ("parameters", 1e6), ("model_bytes", 4e6), ("checkpoint_bytes", 5e6)):
            part[name] = scale * generator.lognormal(size=count)
        part["activations"] = 1e4
        part.loc[: failed - 1, ACCURACIES] = math.nan
        parts.append(part)
    return BENCHMARK.validate(pd.concat(parts, ignore_index=True))


def area(figure: Figure, panel: int) -> list[float]:
    lines = figure.axes[panel].get_lines()
    return [float(np.trapezoid(np.asarray(line.get_ydata()), np.asarray(line.get_xdata()))) for line in lines]


def test_accuracy_figure_counts_failures_and_shows_all_values() -> None:
    benchmark = TabularBenchmark(table_of(12, failed=2))
    with accuracy_distribution(benchmark) as (drawn, numbers):
        assert headline(drawn) == f"Accuracies after 4 epochs, 10 architectures (2 failed trainings left out) {DATASET}"
        assert legend(drawn) == [f"{split} (n = 10)" for split in ("train", "validation", "test")]
        for panel in (0, 1):
            assert area(drawn, panel) == pytest.approx([1, 1, 1], abs=0.01)
        for axes in drawn.axes[2:]:
            assert all(np.asarray(line.get_ydata())[-1] == 1 for line in axes.get_lines())
        assert set(numbers["metric"]) == set(ACCURACIES)
        assert set(numbers["n"]) == {10}
        assert not overlapping_labels(drawn)
    values = benchmark.values(["test_micro_accuracy"])[:, 0]
    alt, caption = accuracy_words(benchmark)
    assert f"test micro {100 * np.nanmedian(values):.1f}\u202f%" in alt
    assert f"test micro {100 * np.nanmin(values):.1f}\u202f% to {100 * np.nanmax(values):.1f}\u202f%" in caption
    assert "2 failed trainings left out" in caption


def test_further_fidelities_follow_by_split() -> None:
    benchmark = TabularBenchmark(table_of(40, fidelities=(4, 12, 36, 108)))
    with accuracy_distribution(benchmark) as (drawn, numbers):
        assert len(drawn.axes) == 10
        assert [axes.get_title(loc="left") for axes in drawn.axes[4::2]] == [
            f"{split}, by fidelity" for split in ("train", "validation", "test")
        ]
        assert legend(drawn)[3:] == ["4 epochs", "12 epochs", "36 epochs", "108 epochs"]
        for panel, split in ((4, "train"), (8, "test")):
            for line, epochs in zip(drawn.axes[panel].get_lines(), (4, 12, 36, 108), strict=True):
                expected = numbers[(numbers["metric"] == f"{split}_macro_accuracy") & (numbers["epochs"] == epochs)]
                np.testing.assert_array_equal(np.asarray(line.get_ydata())[1:-1], expected["cumulative"])
        assert not overlapping_labels(drawn)
    medians = [benchmark.values(["test_macro_accuracy"], epochs=epochs) for epochs in (4, 108)]
    first, last = (f"{100 * np.median(values):.1f}\u202f%" for values in medians)
    assert f"test macro {first} after 4 epochs, {last} after 108" in accuracy_words(benchmark)[1]


def test_of_many_fidelities_some_are_shown() -> None:
    benchmark = TabularBenchmark(table_of(5, fidelities=tuple(range(1, 21))))
    with accuracy_distribution(benchmark) as (_, numbers):
        assert numbers["epochs"].nunique() == MAX_FIDELITIES
        assert {1, 20} <= set(numbers["epochs"])
    assert f"Of 20 fidelities {MAX_FIDELITIES} are shown" in accuracy_words(benchmark)[1]


@pytest.mark.parametrize("accuracy", [0.0, 0.5, 1.0, math.nan])
def test_accuracy_figure_of_equal_or_no_values(accuracy: float) -> None:
    table = table_of(3)
    table[ACCURACIES] = accuracy
    benchmark = TabularBenchmark(table)
    with accuracy_distribution(benchmark) as (drawn, numbers):
        drawn.canvas.draw()
        n = 0 if math.isnan(accuracy) else 3
        assert legend(drawn)[0] == f"train (n = {n})"
        shown = "3 architectures" if n else "0 architectures (3 failed trainings left out)"
        assert headline(drawn) == f"Accuracies after 4 epochs, {shown} {DATASET}"
        if n:
            position = float(np.asarray(drawn.axes[0].get_lines()[0].get_xdata())[0])
            assert position == pytest.approx(100 * accuracy, abs=0.1)
            assert drawn.axes[0].get_title(loc="right").startswith("no density")
        else:
            assert numbers.empty
            assert words_inside(drawn).count("no macro accuracy after 4 epochs") == 2
    words = " ".join(accuracy_words(benchmark))
    assert "nan" not in words
    assert ("3 architectures lack it" in words) == (n == 0)


def test_an_axis_is_not_stretched_by_a_few_values() -> None:
    values = np.concatenate([np.full(5, 0.1), np.random.default_rng(1).normal(0.9, 0.01, 995)])
    benchmark = benchmark_of(test_micro_accuracy={108: values})
    with accuracy_distribution(benchmark) as (drawn, _):
        assert len(drawn.axes) == 2  # of one kind of accuracy
        low, high = drawn.axes[0].get_xlim()
        assert 80 < low < 88
        assert high > 92
        beyond = float(headline(drawn).partition("up to ")[2].partition("\u202f%")[0])
        outside = (100 * values < low) | (100 * values > high)
        assert beyond == pytest.approx(100 * outside.mean(), abs=0.1)
    assert "10.0\u202f% to" in accuracy_words(benchmark)[1]


def test_costs_are_those_the_table_has() -> None:
    table = table_of(30)
    benchmark = TabularBenchmark(table)
    with cost_distribution(benchmark) as (drawn, numbers):
        assert list(dict.fromkeys(numbers["metric"])) == ["latency_ms", "macs", "parameters", "model_bytes"]
        for panel in range(4):
            assert area(drawn, panel) == pytest.approx([1], abs=0.01)
        assert drawn.axes[6].get_xlabel() == "trainable parameters (M)"
        assert "on Test CPU" in headline(drawn)
        assert not overlapping_labels(drawn)
    median = np.median(table["model_bytes"]) / 1e6
    assert f"model size {median:.2f}\u202fMB" in cost_words(benchmark)[0]
    table[["latency_ms", "macs", "model_bytes"]] = math.nan
    with cost_distribution(TabularBenchmark(table)) as (_, numbers):
        assert list(dict.fromkeys(numbers["metric"])) == ["parameters", "checkpoint_bytes"]


def test_latencies_of_each_device_are_drawn() -> None:
    table = table_of(20)
    other = table.assign(device="Other device", latency_ms=2 * table["latency_ms"])
    benchmark = TabularBenchmark(BENCHMARK.validate(pd.concat([table, other], ignore_index=True)))
    with cost_distribution(benchmark) as (drawn, numbers):
        assert {"latency_ms@Other device", "latency_ms@Test CPU"} < set(numbers["metric"])
        entries = [text.get_text() for text in drawn.axes[0].get_legend().get_texts()]
        assert entries == ["Other device", "Test CPU"]
    assert "latency on Other device" in cost_words(benchmark)[0]


def test_costs_of_one_or_no_architecture() -> None:
    benchmark = TabularBenchmark(table_of(1))
    with cost_distribution(benchmark) as (drawn, _):
        drawn.canvas.draw()
        assert "1 architecture " in headline(drawn)
        assert drawn.axes[0].get_title(loc="right") == "no density: one value only"
    assert "half of them" not in cost_words(benchmark)[1]
    table = table_of(3)
    table[["latency_ms", "macs", "parameters", "model_bytes", "checkpoint_bytes"]] = math.nan
    with cost_distribution(TabularBenchmark(table)) as (drawn, numbers):
        drawn.canvas.draw()
        assert "no latency, MACs, parameters or size" in words_inside(drawn)
        assert numbers.empty
    assert "3 architectures are not known" in cost_words(TabularBenchmark(table))[1]


@pytest.mark.parametrize(("draw", "words"), FIGURES)
def test_a_table_of_another_space_is_drawn(draw, words) -> None:
    table = pd.DataFrame({column.name: [0.5] * 3 for column in NASBENCH201.columns})
    table = table.assign(architecture=["a", "b", "c"], index=[0, 1, 2], dataset="CIFAR-10", epochs=200, repeat=0)
    table = table.assign(device="", outcome="ok", source="published", parameters=[1e6, 2e6, 3e6], macs=1e8)
    schema = NASBENCH201
    benchmark = TabularBenchmark(schema.validate(table), schema=schema)
    with draw(benchmark) as (drawn, numbers):
        drawn.canvas.draw()
        assert len(numbers)
    assert "3 architectures" in words(benchmark)[0]


@pytest.mark.parametrize(("draw", "words"), FIGURES)
def test_equal_numbers_give_equal_files(draw, words, tmp_path: Path) -> None:
    files = []
    for seed in (1, 2):
        table = table_of(30, fidelities=(4, 8)).sample(frac=1, random_state=seed, ignore_index=True)
        benchmark = TabularBenchmark(table)
        with draw(benchmark) as drawing:
            files.append((saved(drawing, tmp_path), words(benchmark)))
    assert files[0] == files[1]
