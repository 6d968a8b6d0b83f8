"""Counting evaluations against a hard budget."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.benchmark.budget import BudgetedBenchmark
from terranas.benchmark.schema import BENCHMARK, METRICS
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import BudgetError, TableError

NAMES = [letter * 32 for letter in "abcdef"]


@pytest.fixture(scope="module")
def benchmark() -> TabularBenchmark:
    facts = {"epochs": 1, "repeat": 0, "outcome": "ok", "dataset": "d", "source": "s", "device": "", "id": None}
    unknown = {column.name: np.nan for column in METRICS}
    rows = [
        facts | unknown | {"hash": name, "macs": number + 1, "training_seconds": 10.0 * (number + 1)}
        for number, name in enumerate(NAMES)
    ]
    return TabularBenchmark(BENCHMARK.validate(pd.DataFrame(rows)))


def test_each_architecture_is_paid_for_once(benchmark: TabularBenchmark) -> None:
    counted = BudgetedBenchmark(benchmark, ["macs"], 3)
    assert counted.evaluate([NAMES[2], NAMES[0], NAMES[2]]).tolist() == [[3], [1], [3]]
    assert (counted.spent, counted.left, counted.evaluated) == (2, 1, [NAMES[2], NAMES[0]])
    counted.evaluate([NAMES[0]])
    assert counted.left == 1
    assert counted.training_seconds == 40


def test_the_limit_is_hard(benchmark: TabularBenchmark) -> None:
    counted = BudgetedBenchmark(benchmark, ["macs"], 2)
    with pytest.raises(BudgetError, match="3 more evaluations do not fit into the budget of 2, of which 2 are left"):
        counted.evaluate(NAMES[:3])
    assert counted.spent == 0
    counted.evaluate(counted.affordable(NAMES))
    assert counted.evaluated == NAMES[:2]
    assert counted.affordable([NAMES[1], NAMES[0], NAMES[5]]) == [NAMES[1], NAMES[0]]


def test_wrong_metrics_and_budgets_are_refused_before_anything_is_spent(benchmark: TabularBenchmark) -> None:
    with pytest.raises(TableError, match="'speed' is no metric"):
        BudgetedBenchmark(benchmark, ["speed"], 1)
    with pytest.raises(ValueError, match="at least 0"):
        BudgetedBenchmark(benchmark, ["macs"], -1)


def test_what_the_benchmark_does_not_know_costs_nothing(benchmark: TabularBenchmark) -> None:
    counted = BudgetedBenchmark(benchmark, ["macs"], 3)
    with pytest.raises(TableError, match="does not know the architecture 0000"):
        counted.evaluate([NAMES[0], "0" * 32])
    assert counted.spent == 0


@given(st.lists(st.lists(st.sampled_from(NAMES), max_size=8), max_size=6), st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_what_is_affordable_is_the_longest_beginning(
    benchmark: TabularBenchmark, questions: list[list[str]], budget: int
) -> None:
    counted = BudgetedBenchmark(benchmark, ["macs"], budget)
    for asked in questions:
        paid = counted.affordable(asked)
        counted.evaluate(paid)
        assert counted.spent <= budget
        if len(paid) < len(asked):
            with pytest.raises(BudgetError):
                counted.evaluate(asked[: len(paid) + 1])
