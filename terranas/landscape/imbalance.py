"""Class imbalance: how uneven the classes are, and what that does to accuracies.

Micro accuracy is the mean of the class accuracies weighted by the split's own class shares, macro accuracy the plain
mean: they can only differ where the split's classes are uneven and their accuracies differ.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.randomness import generator
from terranas.data.layout import SPLITS
from terranas.landscape.bootstrap import CONFIDENCE, RESAMPLES, mean_interval
from terranas.landscape.correlation import rank_correlations
from terranas.landscape.schema import ACCURACY_GAPS, CLASS_ACCURACY, CLASS_BALANCE, IMBALANCE_CORRELATIONS

Array = NDArray[np.float64]


def normalised_entropy(counts: NDArray[np.int64]) -> float:
    """Return the entropy of class shares over that of equal ones (Pielou's evenness).

    Args:
        counts: images of each class; classes without images do not count.

    Returns:
        From 0 to 1, where 1 is balanced; NaN for fewer than two classes.
    """
    shares = counts[counts > 0] / max(counts.sum(), 1)
    if len(shares) < 2:
        return np.nan
    return min(1.0, float(-(shares * np.log(shares)).sum() / np.log(len(shares))))


def imbalance_ratio(counts: NDArray[np.int64]) -> float:
    """Return the images of the largest class over those of the smallest one that has any; NaN without images."""
    present = counts[counts > 0]
    return float(present.max() / present.min()) if len(present) else np.nan


def class_balance(class_counts: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Return how uneven the classes of each split are.

    Args:
        class_counts: schema ``data.class_counts``.
        dataset: name of the images.

    Returns:
        A table of the schema ``CLASS_BALANCE``.
    """
    rows = []
    for split in SPLITS:
        counts = class_counts.loc[class_counts["split"] == split, "count"].to_numpy(dtype=np.int64)
        rows.append(
            {
                "dataset": dataset,
                "split": split,
                "classes": int((counts > 0).sum()),
                "images": int(counts.sum()),
                "normalised_entropy": normalised_entropy(counts),
                "imbalance_ratio": imbalance_ratio(counts),
            }
        )
    return CLASS_BALANCE.from_rows(rows)


def class_accuracies(
    class_accuracy: pd.DataFrame,
    class_counts: pd.DataFrame,
    dataset: str,
    *,
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> pd.DataFrame:
    """Return the accuracy of each class over the architectures, beside the class's share of the training images.

    Of each architecture the last epoch that was counted is taken.

    Args:
        class_accuracy: schema ``training.class_accuracies``, of any number of architectures.
        class_counts: schema ``data.class_counts``.
        dataset: name of the images.
        seed: the study's seed.
        confidence: nominal coverage of the intervals (studentised bootstrap over the architectures).
        resamples: bootstrap resamples.

    Returns:
        A table of the schema ``CLASS_ACCURACY``, one row a split and class of the counts; NaN for classes that no
        image of the split belongs to.
    """
    last = class_accuracy.groupby(["hash", "split"])["epoch"].transform("max")
    counted = class_accuracy[(class_accuracy["epoch"] == last) & (class_accuracy["images"] > 0)]
    counted = counted.assign(accuracy=counted["correct"] / counted["images"]).sort_values("hash")
    training = class_counts[class_counts["split"] == "train"].sort_values("class_index")
    total = int(training["count"].sum())
    by_class = {key: part["accuracy"].to_numpy() for key, part in counted.groupby(["split", "class_index"])}
    rows = []
    for split in SPLITS:
        for entry in training.to_dict("records"):
            index, images = int(entry["class_index"]), int(entry["count"])
            values = by_class.get((split, index), np.empty(0))
            rng = generator(seed, "landscape.class_accuracy", dataset, split, index)
            interval = mean_interval(values, rng, bounds=(0, 1), confidence=confidence, resamples=resamples)
            rows.append(
                {
                    "dataset": dataset,
                    "split": split,
                    "class_index": index,
                    "class_name": entry["class_name"],
                    "training_images": images,
                    "training_share": images / total if total else np.nan,
                    "accuracy": float(values.mean()) if len(values) else np.nan,
                    "accuracy_low": interval.low,
                    "accuracy_high": interval.high,
                    "std": float(values.std(ddof=1)) if len(values) > 1 else np.nan,
                    "n": len(values),
                    "confidence": confidence,
                }
            )
    return CLASS_ACCURACY.from_rows(rows)


def accuracy_gaps(
    benchmark: TabularBenchmark,
    class_counts: pd.DataFrame,
    *,
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> pd.DataFrame:
    """Return the gap between micro and macro accuracy in each split, beside the split's imbalance.

    Args:
        benchmark: accuracies of the architectures, at the fidelity it looks up.
        class_counts: schema ``data.class_counts``, of the images of the benchmark.
        seed: the study's seed.
        confidence: nominal coverage of the intervals (studentised bootstrap over the architectures).
        resamples: bootstrap resamples.

    Returns:
        A table of the schema ``ACCURACY_GAPS``.
    """
    balance = class_balance(class_counts, benchmark.dataset).set_index("split")
    rows = []
    for split in SPLITS:
        values = benchmark.values([f"{split}_micro_accuracy", f"{split}_macro_accuracy"])
        gaps = np.sort(values[:, 0] - values[:, 1])
        gaps = gaps[~np.isnan(gaps)]
        rng = generator(seed, "landscape.accuracy_gaps", benchmark.dataset, split)
        interval = mean_interval(gaps, rng, bounds=(-1, 1), confidence=confidence, resamples=resamples)
        rows.append(
            {
                "dataset": benchmark.dataset,
                "epochs": benchmark.epochs,
                "split": split,
                "n": len(gaps),
                "gap": float(gaps.mean()) if len(gaps) else np.nan,
                "gap_low": interval.low,
                "gap_high": interval.high,
                "std": float(gaps.std(ddof=1)) if len(gaps) > 1 else np.nan,
                "share_positive": float((gaps > 0).mean()) if len(gaps) else np.nan,
                "normalised_entropy": balance.loc[split, "normalised_entropy"],
                "imbalance_ratio": balance.loc[split, "imbalance_ratio"],
                "confidence": confidence,
            }
        )
    return ACCURACY_GAPS.from_rows(rows)


def imbalance_correlations(
    classes: pd.DataFrame,
    gaps: pd.DataFrame,
    *,
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> pd.DataFrame:
    """Return rank correlations of accuracies with imbalance.

    Within each split, the accuracy of a class against its share of the training images, over the classes; and over all
    splits of all sets of images given, the size of the gap between micro and macro accuracy against the splits'
    imbalance ratio and unevenness (1 - normalised entropy). Of a few splits there is no interval, as ``reason`` says.

    Args:
        classes: schema ``landscape.class_accuracy``, of one or several sets of images.
        gaps: schema ``landscape.accuracy_gaps``, of one or several sets of images.
        seed: the study's seed.
        confidence: nominal coverage of the intervals.
        resamples: bootstrap resamples.

    Returns:
        A table of the schema ``IMBALANCE_CORRELATIONS``.
    """
    series: list[tuple[str, str, str, str, Array, Array]] = []
    for (dataset, split), part in classes.groupby(["dataset", "split"], sort=False):
        shares, accuracies = (part[name].to_numpy(dtype=np.float64) for name in ("training_share", "accuracy"))
        series.append((str(dataset), str(split), "class accuracy", "training share", accuracies, shares))
    sizes = gaps["gap"].abs().to_numpy(dtype=np.float64)
    for against, values in (
        ("imbalance ratio", gaps["imbalance_ratio"]),
        ("1 - normalised entropy", 1 - gaps["normalised_entropy"]),
    ):
        series.append(("", "", "|micro - macro accuracy|", against, sizes, values.to_numpy(dtype=np.float64)))
    rows = []
    for dataset, split, quantity, against, first, second in series:
        rng = generator(seed, "landscape.imbalance", dataset, split, quantity, against)
        (found,) = rank_correlations(
            first, second, rng, coefficients=("spearman",), confidence=confidence, resamples=resamples
        )
        head = {"dataset": dataset, "split": split, "quantity": quantity, "against": against}
        rows.append({**head, "confidence": confidence, **found.columns()})
    return IMBALANCE_CORRELATIONS.from_rows(rows)
