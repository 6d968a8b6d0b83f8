"""Latency and class figures, and the workflow's scripts that write figures."""

import math
from pathlib import Path

import numpy as np
import pandas as pd

from terranas.benchmark.schema import BENCHMARK, METRICS
from terranas.benchmark.tabular import TabularBenchmark
from terranas.data.schema import CLASS_COUNTS
from terranas.landscape.figures import scale_of, with_prefix
from terranas.landscape.imbalance_figures import class_distribution, class_words
from terranas.landscape.latency_figure import latency_against, latency_words

from .drawn import headline, legend, overlapping_labels, words_inside

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
    table["model_bytes"] = table["checkpoint_bytes"] = table["activations"] = 1e4
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


def test_class_shares_are_within_their_split() -> None:
    with class_distribution(counts_of(), DATASET) as (drawn, numbers):
        assert headline(drawn) == f"Class distribution {DATASET}"
        assert legend(drawn) == ["train (n = 60)", "validation (n = 12)", "test (n = 0)"]
        shares = numbers.pivot_table(index="class_index", columns="split", values="share", dropna=False)
        np.testing.assert_allclose(shares["train"], [1 / 6, 2 / 6, 3 / 6])
        np.testing.assert_allclose(shares["validation"], [1 / 6, 2 / 6, 3 / 6])
        assert numbers.loc[numbers["split"] == "test", "share"].isna().all()
        assert not overlapping_labels(drawn)


def test_many_classes_with_long_names_stay_readable() -> None:
    with class_distribution(counts_of(17, "a class with a name that never seems to end"), DATASET) as (
        drawn,
        _,
    ):
        assert not overlapping_labels(drawn)
        labels = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
        assert all(label.endswith("…") and len(label) <= 34 for label in labels)


def test_words_on_classes_come_from_the_counts() -> None:
    alt, caption = class_words(counts_of(), DATASET)
    assert "train from 16.7\u202f% to 50.0\u202f%" in alt
    assert "train 60 images, the most in class 2 (50.0\u202f%), the fewest in class 0 (16.7\u202f%)" in caption
    assert "test" not in alt.replace(DATASET, "")
    with class_distribution(CLASS_COUNTS.empty(), DATASET) as (drawn, numbers):
        assert "no classes" in words_inside(drawn)
        assert numbers.empty
    assert "no images" in class_words(CLASS_COUNTS.empty(), DATASET)[0]


def test_latency_figure_names_device_and_rank_correlation() -> None:
    table = table_of(12)
    table.loc[:1, "latency_ms"] = math.nan
    with latency_against(TabularBenchmark(table), "macs") as (drawn, numbers):
        assert "Latency against multiply-accumulates (MACs)" in headline(drawn)
        assert f"networks for {DATASET}, on Test CPU 10 architectures (2 without a latency left out)" in headline(drawn)
        (axes,) = drawn.axes
        assert axes.get_title(loc="left") == "Spearman's rank correlation 1.00 (n = 10)"
        assert axes.get_xlabel() == "multiply-accumulates for one image"
        assert list(numbers.columns) == ["dataset", "device", "hash", "macs", "latency_ms"]
        assert not overlapping_labels(drawn)


def test_latency_figure_of_equal_or_no_latencies() -> None:
    for latency, count in ((2.0, 12), (math.nan, 0)):
        table = table_of(12).assign(latency_ms=latency)
        with latency_against(TabularBenchmark(table), "parameters") as (drawn, _):
            drawn.canvas.draw()
            assert drawn.axes[0].get_title(loc="left") == "Spearman's rank correlation undefined"
            assert f"{count} architectures" in headline(drawn)
            assert drawn.axes[0].get_xlabel() == "trainable parameters"
            assert ("no architecture has both" in words_inside(drawn)) == (count == 0)
        alt, caption = latency_words(TabularBenchmark(table), "parameters")
        assert ("correlation undefined" if count else "has both a latency and parameters") in alt
        assert "nan" not in (alt + caption).lower()


def test_latencies_of_several_devices_stand_in_one_frame() -> None:
    table = table_of(12)
    other = table.assign(device="Other device", latency_ms=-table["latency_ms"] + 200)
    benchmark = TabularBenchmark(BENCHMARK.validate(pd.concat([table, other])))
    with latency_against(benchmark, "macs") as (drawn, numbers):
        assert legend(drawn) == ["Other device (n = 12)", "Test CPU (n = 12)"]
        assert drawn.axes[0].get_title(loc="left") == "Spearman's rank correlation −1.00 (n = 12), 1.00 (n = 12)"
        assert len(numbers) == 24
        assert not overlapping_labels(drawn)
    alt, caption = latency_words(benchmark, "macs", "Median time of a forward pass of 4 images")
    assert "on Test CPU 1.00\u202fms to 144\u202fms, Spearman's rank correlation 1.00 (n = 12)" in alt
    assert caption.startswith("Median time of a forward pass of 4 images on Other device and Test CPU against")


def test_scales_and_ticks() -> None:
    assert scale_of("test_micro_accuracy", "", 0.5).text(0.587) == "58.7\u202f%"
    assert scale_of("macs", "MAC", 2.5e9).label("MACs") == "MACs (G)"
    assert scale_of("model_bytes", "B", 4_200).text(4_200) == "4.20\u202fkB"
    assert scale_of("latency_ms", "ms", 4e6).label("latency") == "latency (ms)"
    assert scale_of("validation_loss", "", 2.3).label("loss") == "loss"
    assert [with_prefix(value) for value in (-1.5e6, 20, 3e9)] == ["−1.5 M", "20", "3 G"]
