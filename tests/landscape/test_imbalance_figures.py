"""Imbalance figures: class accuracies by share, gaps by imbalance, classes without images, and their words."""

import math
from pathlib import Path

import numpy as np
import pandas as pd

from terranas.landscape.imbalance_figures import accuracy_gap, accuracy_gap_words, class_accuracy, class_accuracy_words
from terranas.landscape.schema import ACCURACY_GAPS, CLASS_ACCURACY, IMBALANCE_CORRELATIONS

from .drawn import headline, legend, overlapping_labels, saved, words_inside
from .tables import DATASET

SPLITS = ("train", "validation", "test")
SHARES = (0.5, 0.05, 0.15, 0.3)


def classes_of(name: str = "class", n: int = 9) -> pd.DataFrame:
    return CLASS_ACCURACY.from_rows(
        [
            {
                "dataset": DATASET,
                "split": split,
                "class_index": index,
                "class_name": f"{name} {index}",
                "training_images": round(1_000 * share),
                "training_share": share,
                "accuracy": 0.2 + share - 0.05 * place,
                "accuracy_low": 0.1 + share - 0.05 * place,
                "accuracy_high": 0.3 + share - 0.05 * place,
                "std": 0.15,
                "n": n,
                "confidence": 0.95,
            }
            for place, split in enumerate(SPLITS)
            for index, share in enumerate(SHARES)
        ]
    )


def correlations_of(statistic: float) -> pd.DataFrame:
    rows = [
        {
            "dataset": DATASET,
            "split": split,
            "quantity": "class accuracy",
            "against": "training share",
            "n": 4,
            "statistic": statistic,
            "statistic_low": statistic - 0.2,
            "statistic_high": statistic + 0.1,
            "method": "bca",
            "confidence": 0.95,
            "reason": "",
        }
        for split in SPLITS
    ]
    return IMBALANCE_CORRELATIONS.from_rows(rows)


def gaps_of(dataset: str = DATASET, epochs: int = 4, gap: float = 0.12) -> pd.DataFrame:
    rows = [
        {
            "dataset": dataset,
            "epochs": epochs,
            "split": split,
            "n": 9,
            "gap": gap + 0.01 * place,
            "gap_low": gap - 0.01,
            "gap_high": gap + 0.04,
            "std": 0.05,
            "share_positive": 0.75,
            "normalised_entropy": 0.9 - 0.1 * place,
            "imbalance_ratio": 12.0,
            "confidence": 0.95,
        }
        for place, split in enumerate(SPLITS)
    ]
    return ACCURACY_GAPS.from_rows(rows)


def test_classes_are_sorted_by_share_with_their_intervals() -> None:
    table = classes_of()
    with class_accuracy(table, correlations_of(0.8)) as (drawn, numbers):
        assert headline(drawn) == f"Class accuracy by share of training images, 9 architectures {DATASET}"
        labels = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
        assert labels == ["class 1", "class 2", "class 3", "class 0"]
        assert drawn.axes[1].get_title(loc="left") == "train\nSpearman 0.80 [0.60, 0.90]"
        expected = 100 * (0.2 + np.sort(SHARES))
        np.testing.assert_allclose(drawn.axes[1].get_lines()[0].get_xdata(), expected)
        std, interval = (np.array(lines.get_segments())[:, :, 0] for lines in drawn.axes[1].collections)
        np.testing.assert_allclose(interval, np.column_stack([expected - 10, expected + 10]))
        np.testing.assert_allclose(std, np.column_stack([expected - 15, expected + 15]))
        assert float(np.asarray(drawn.axes[3].get_lines()[1].get_xdata())[0]) == 100 * np.mean(SHARES) + 10
        assert len(numbers) == 12
        assert not overlapping_labels(drawn)
    alt, caption = class_accuracy_words(table, correlations_of(0.8))
    assert "train from 25.0\u202f% (class 1, 5.0\u202f% of the training images) to 70.0\u202f% (class 0" in alt
    assert "test 0.80 [0.60, 0.90]" in caption
    assert "mean over 9 architectures with 95\u202f% interval" in caption


def test_long_names_and_undefined_correlations() -> None:
    table = classes_of("a class with a name that never seems to end")
    with class_accuracy(table, correlations_of(math.nan)) as (drawn, _):
        assert drawn.axes[1].get_title(loc="left") == "train\nSpearman undefined"
        assert all(label.get_text().endswith("…") for label in drawn.axes[0].get_yticklabels())
        assert not overlapping_labels(drawn)
    with class_accuracy(table) as (drawn, _):
        assert drawn.axes[1].get_title(loc="left") == "train"
    assert "Spearman" not in class_accuracy_words(table)[1]


def test_classes_without_images_or_accuracy() -> None:
    table = classes_of()
    numbers = ["accuracy", "accuracy_low", "accuracy_high", "std"]
    table.loc[(table["split"] == "test") & (table["class_index"] == 2), numbers] = math.nan
    table.loc[table["split"] == "train", numbers] = math.nan
    with class_accuracy(table) as (drawn, _):
        drawn.canvas.draw()
        assert [axes.get_title(loc="left") for axes in drawn.axes[1:]] == ["validation", "test"]
        assert words_inside(drawn).count("no images") == 1
    assert "train" not in class_accuracy_words(table)[0].replace("training", "")
    for nothing in (table.assign(**dict.fromkeys(numbers, math.nan)), CLASS_ACCURACY.empty()):
        with class_accuracy(nothing, correlations_of(0.5)) as (drawn, _):
            drawn.canvas.draw()
            assert "no class accuracy is known" in words_inside(drawn)
        assert "no class accuracy" in class_accuracy_words(nothing)[0]


def test_gaps_of_several_sets_of_images_are_told_apart() -> None:
    gaps = pd.concat([gaps_of(), gaps_of("EuroSAT", 36, -0.02)], ignore_index=True)
    with accuracy_gap(gaps) as (drawn, numbers):
        labels = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
        assert labels[0] == f"{DATASET}\ntrain, 4 epochs"
        assert labels[5] == "EuroSAT\ntest, 36 epochs"
        points = [line for line in drawn.axes[1].get_lines() if line.get_marker() in "os^"]
        places = [(float(p.get_xdata()[0]), float(p.get_ydata()[0])) for p in points]
        np.testing.assert_allclose(places[:3], [(0.1, 12), (0.2, 13), (0.3, 14)])
        assert [point.get_fillstyle() for point in points] == ["full"] * 3 + ["none"] * 3
        assert {DATASET, "EuroSAT"} < set(legend(drawn))
        pd.testing.assert_frame_equal(numbers, gaps)
        assert not overlapping_labels(drawn)
    alt, caption = accuracy_gap_words(gaps)
    assert f"{DATASET}, train, 4 epochs 12.0" in alt
    assert "EuroSAT, train, 36 epochs −2.0 [−3.0, 2.0] points, positive for 75\u202f% of 9 architectures" in caption


def test_gaps_that_are_unknown_or_of_balanced_classes() -> None:
    gaps = gaps_of()
    gaps.loc[2, ["gap", "gap_low", "gap_high", "std"]] = math.nan
    with accuracy_gap(gaps) as (drawn, _):
        drawn.canvas.draw()
        assert "not known" in words_inside(drawn)
    assert "test" not in accuracy_gap_words(gaps)[0]
    with accuracy_gap(gaps_of().assign(gap=0.0, normalised_entropy=1.0, gap_low=math.nan, gap_high=math.nan)) as (
        drawn,
        _,
    ):
        drawn.canvas.draw()
        low, high = drawn.axes[1].get_xlim()
        assert low < 0 < high
    for nothing in (gaps_of().assign(gap=math.nan), ACCURACY_GAPS.empty()):
        with accuracy_gap(nothing) as (drawn, _):
            drawn.canvas.draw()
            assert "no architecture has both accuracies" in words_inside(drawn)
        assert "no gap" in accuracy_gap_words(nothing)[0]


def test_equal_numbers_give_equal_files(tmp_path: Path) -> None:
    files = []
    for seed in (1, 2):
        with class_accuracy(classes_of().sample(frac=1, random_state=seed)) as drawing:
            files.append(saved(drawing, tmp_path)["svg"])
        with accuracy_gap(gaps_of()) as drawing:
            files.append(saved(drawing, tmp_path)["svg"])
    assert files[:2] == files[2:]
