"""Accuracies of a benchmark by split."""

import pandas as pd

from terranas.benchmark.tabular import TabularBenchmark
from terranas.data.schema import SPLITS

ACCURACIES = ("macro_accuracy", "micro_accuracy")
"""Mean of the class accuracies, and share of correct images."""

SUMMARY_COLUMNS = ("dataset", "epochs", "split", "metric", "mean", "std", "min", "median", "max", "n", "left_out")


def accuracies_by_split(benchmark: TabularBenchmark) -> pd.DataFrame:
    """Return the accuracies of all architectures at the highest fidelity in long form.

    Returns:
        Columns dataset, hash, split, metric and accuracy (0 to 1, NaN where a training failed); ascending by hash
        within split and metric.
    """
    names = [(split, metric) for split in SPLITS for metric in ACCURACIES]
    values = benchmark.values([f"{split}_{metric}" for split, metric in names])
    parts = [
        pd.DataFrame({"hash": benchmark.architectures, "split": split, "metric": metric, "accuracy": values[:, column]})
        for column, (split, metric) in enumerate(names)
    ]
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "dataset", benchmark.dataset)
    return table


def summarise_accuracy(benchmark: TabularBenchmark) -> pd.DataFrame:
    """Return location and spread of each accuracy over the architectures (thesis of Demir, table 4.1, and more).

    Returns:
        One row a split and metric, columns :data:`SUMMARY_COLUMNS`. ``std`` is the sample standard deviation, ``n``
        counts the architectures with a value and ``left_out`` those without, whose training failed. Statistics of
        no values are NaN.
    """
    grouped = accuracies_by_split(benchmark).groupby(["split", "metric"], sort=False)["accuracy"]
    summary = grouped.agg(["mean", "std", "min", "median", "max", "count", "size"]).reset_index()
    summary = summary.rename(columns={"count": "n"})
    summary["left_out"] = summary["size"] - summary["n"]
    summary["dataset"] = benchmark.dataset
    summary["epochs"] = benchmark.epochs
    return summary[list(SUMMARY_COLUMNS)]
