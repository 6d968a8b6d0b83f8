"""Accuracies of a benchmark by split."""

from collections.abc import Sequence

import pandas as pd

from terranas.benchmark.tabular import TabularBenchmark
from terranas.data.schema import SPLITS

ACCURACIES = ("macro_accuracy", "micro_accuracy")
"""Mean of the class accuracies, and share of correct images."""

SUMMARY_COLUMNS = ("dataset", "epochs", "split", "metric", "mean", "std", "min", "median", "max", "n", "left_out")


def summarise_accuracy(benchmark: TabularBenchmark, fidelities: Sequence[int] | None = None) -> pd.DataFrame:
    """Return location and spread of each accuracy over the architectures (thesis of Demir, table 4.1, and more).

    Args:
        benchmark: values of the architectures.
        fidelities: which fidelities; the one the benchmark looks up by default.

    Returns:
        One row a fidelity, split and metric, columns :data:`SUMMARY_COLUMNS`. ``std`` is the sample standard
        deviation, ``n`` counts the architectures with a value and ``left_out`` those without: their training failed, or
        the table does not record this accuracy.
        Statistics of no values are NaN.
    """
    names = [(split, metric) for split in SPLITS for metric in ACCURACIES]
    rows = []
    for epochs in (benchmark.epochs,) if fidelities is None else fidelities:
        metrics = [f"{split}_{metric}" for split, metric in names]
        values = benchmark.values(metrics, benchmark.architectures, epochs=epochs)
        for column, (split, metric) in enumerate(names):
            accuracies = pd.Series(values[:, column])
            known = int(accuracies.count())
            row = {"dataset": benchmark.dataset, "epochs": epochs, "split": split, "metric": metric}
            row |= {name: getattr(accuracies, name)() for name in ("mean", "std", "min", "median", "max")}
            rows.append(row | {"n": known, "left_out": len(accuracies) - known})
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))
