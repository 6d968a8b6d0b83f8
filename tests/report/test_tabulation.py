"""Tables of the page where the numbers behind them hold more than is shown."""

import pandas as pd

from terranas.benchmark.tabular import TabularBenchmark
from terranas.landscape.accuracy import summarise_accuracy
from terranas.report.tabulation import accuracies


def test_accuracies_are_those_of_the_highest_fidelity(results):
    earlier = results.table.assign(epochs=results.table["epochs"] - 1, validation_micro_accuracy=0.01)
    benchmark = TabularBenchmark(pd.concat([earlier, results.table]))
    table = accuracies(summarise_accuracy(benchmark, benchmark.fidelities))
    assert len(benchmark.fidelities) == 2
    assert len(table.rows) == 6
    assert table.rows == accuracies(summarise_accuracy(benchmark)).rows
