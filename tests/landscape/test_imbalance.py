"""Class imbalance: closed forms, the identity behind the gap, classes against their share."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from terranas.data.schema import CLASS_COUNTS
from terranas.landscape.imbalance import (
    accuracy_gaps,
    class_accuracies,
    class_balance,
    imbalance_correlations,
    imbalance_ratio,
    normalised_entropy,
)
from terranas.training.schema import CLASS_ACCURACIES

from .tables import DATASET, benchmark_of, name_of

COUNTS = {"train": [100, 50, 30, 20, 10, 0], "validation": [10, 10, 10, 10, 10, 0], "test": [8, 8, 4, 4, 1, 1]}


def class_counts() -> pd.DataFrame:
    return CLASS_COUNTS.from_rows(
        [
            {
                "source": "synthetic",
                "split": split,
                "class_index": index,
                "class_name": f"class {index}",
                "count": count,
            }
            for split, counts in COUNTS.items()
            for index, count in enumerate(counts)
        ]
    )


def class_table(architectures: int = 6) -> pd.DataFrame:
    """Return class accuracies that fall with the index of the class; the last epoch is the better one."""
    return CLASS_ACCURACIES.from_rows(
        [
            {
                "hash": name_of(number),
                "source": "synthetic",
                "epoch": epoch,
                "split": "validation",
                "class_index": index,
                "images": images,
                "correct": images * (epoch == 2) * (9 - index) // 10 if images else 0,
            }
            for number in range(architectures)
            for epoch in (1, 2)
            for index, images in enumerate(COUNTS["validation"])
        ]
    )


def test_measures_of_imbalance_by_hand() -> None:
    assert normalised_entropy(np.array([5, 5, 5])) == pytest.approx(1)
    assert normalised_entropy(np.array([3, 1])) == pytest.approx(-(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25)))
    assert normalised_entropy(np.array([3, 1, 0])) == normalised_entropy(np.array([3, 1]))
    assert imbalance_ratio(np.array([12, 3, 0, 6])) == 4
    for counts in ([], [7], [7, 0], [0, 0]):
        assert math.isnan(normalised_entropy(np.array(counts, dtype=np.int64)))
    assert math.isnan(imbalance_ratio(np.array([0, 0])))


@given(arrays(np.int64, st.integers(2, 20), elements=st.integers(1, 10_000)), st.integers(2, 9))
def test_entropy_is_that_of_scipy_and_measures_shares_only(counts: np.ndarray, factor: int) -> None:
    expected = stats.entropy(counts) / math.log(len(counts))
    assert normalised_entropy(counts) == pytest.approx(expected)
    assert normalised_entropy(counts * factor) == pytest.approx(expected)
    assert imbalance_ratio(counts * factor) == pytest.approx(counts.max() / counts.min())


def test_balance_of_each_split() -> None:
    table = class_balance(class_counts(), DATASET).set_index("split")
    assert table["classes"].to_dict() == {"train": 5, "validation": 5, "test": 6}
    assert table["images"].to_dict() == {"train": 210, "validation": 50, "test": 26}
    assert table["imbalance_ratio"].to_dict() == {"train": 10, "validation": 1, "test": 8}
    assert table.loc["validation", "normalised_entropy"] == pytest.approx(1)


def test_class_accuracies_of_the_last_epoch_beside_the_training_share() -> None:
    table = class_accuracies(class_table().sample(frac=1, random_state=1), class_counts(), DATASET, seed=1)
    rows = table[table["split"] == "validation"]
    assert rows["accuracy"].tolist()[:5] == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5])
    assert rows["training_share"].tolist() == [count / 210 for count in COUNTS["train"]]
    assert rows["n"].tolist() == [6, 6, 6, 6, 6, 0]
    assert math.isnan(rows["accuracy"].iloc[5])
    # all architectures agree here, so the interval has no width
    assert rows["accuracy_low"].tolist()[:5] == pytest.approx(rows["accuracy"].tolist()[:5])
    assert table[table["split"] == "test"]["n"].eq(0).all()
    pd.testing.assert_frame_equal(table, class_accuracies(class_table(), class_counts(), DATASET, seed=1))


def test_micro_is_macro_weighted_by_the_classes_shares() -> None:
    # the identity that the gap rests on, on the table's own numbers
    rng = np.random.default_rng(1)
    weights = np.array(COUNTS["test"]) / sum(COUNTS["test"])
    accuracies = rng.random((40, 6))
    micro, macro = accuracies @ weights, accuracies.mean(axis=1)
    benchmark = benchmark_of(test_micro_accuracy={4: micro}, test_macro_accuracy={4: macro})
    row = accuracy_gaps(benchmark, class_counts(), seed=1).set_index("split").loc["test"]
    covariance = np.mean((weights - 1 / 6) * (accuracies - macro[:, None]), axis=1) * 6
    assert row["gap"] == pytest.approx(covariance.mean())
    assert row["gap_low"] < row["gap"] < row["gap_high"]
    assert row["share_positive"] == np.mean(micro > macro)
    assert row[["n", "imbalance_ratio"]].tolist() == [40, 8]
    expected = stats.t.interval(0.95, 39, row["gap"], stats.sem(micro - macro))
    assert (row["gap_low"], row["gap_high"]) == pytest.approx(expected, abs=0.01)


def test_gaps_without_values_are_nan() -> None:
    table = accuracy_gaps(benchmark_of(macs={4: np.ones(3)}), class_counts(), seed=1)
    assert table["n"].tolist() == [0, 0, 0]
    assert table[["gap", "gap_low", "std", "share_positive"]].isna().all(axis=None)


def test_correlations_with_imbalance() -> None:
    classes = class_accuracies(class_table(), class_counts(), DATASET, seed=1)
    values = np.linspace(0.4, 0.6, 10)
    benchmark = benchmark_of(
        train_micro_accuracy={4: values + 0.2}, train_macro_accuracy={4: values},
        validation_micro_accuracy={4: values}, validation_macro_accuracy={4: values},
        test_micro_accuracy={4: values + 0.1}, test_macro_accuracy={4: values},
    )  # fmt: skip
    gaps = accuracy_gaps(benchmark, class_counts(), seed=1)
    table = imbalance_correlations(classes, gaps, seed=1).set_index(["split", "against"])
    by_class = table.loc[("validation", "training share")]
    assert by_class[["n", "statistic", "method"]].tolist() == [5, pytest.approx(1), "bca"]
    assert table.loc[("test", "training share"), "reason"] == "0 pairs of values"
    over_splits = table.loc[("", "imbalance ratio")]
    assert over_splits[["n", "statistic", "reason"]].tolist() == [
        3, pytest.approx(1), "too few for an interval: 3 pairs of values",
    ]  # fmt: skip
    assert math.isnan(over_splits["statistic_low"])
