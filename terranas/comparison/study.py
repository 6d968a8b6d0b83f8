"""What a search study brought: the tables that pages on it are written from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from terranas.benchmark.tabular import TabularBenchmark
from terranas.comparison.figures import Objective, arms_of, at_largest_budgets
from terranas.comparison.schema import CONCLUSIONS, INDICATORS, RANKS, TESTS
from terranas.core.tables import read_attributes, read_table
from terranas.search.schema import RUNS


@dataclass(frozen=True)
class SearchStudy:
    """Searches of a tabular benchmark, their indicators and tests.

    Attributes:
        objectives: what was optimised.
        pairs: arms that were tested against each other.
        training_sample: architectures that train a surrogate, charged to the arms that need one.
        unknown: what searches did with architectures the benchmark does not know: ``predict`` or ``skip``.
        reference: what fronts are compared with, as stored with the indicators
            (:attr:`terranas.comparison.indicators.Reference.facts`).
        runs: schema ``search.runs``, all arms.
        indicators: schema ``comparison.indicators``.
        tests: schema ``comparison.tests``.
        ranks: schema ``comparison.ranks``.
        conclusions: schema ``comparison.conclusions``.
        sources: paths of the tables that were read from files, by the name they have here.
    """

    objectives: Sequence[Objective]
    pairs: Sequence[Sequence[str]]
    training_sample: int
    unknown: str
    reference: Mapping[str, Any]
    runs: pd.DataFrame
    indicators: pd.DataFrame
    tests: pd.DataFrame
    ranks: pd.DataFrame
    conclusions: pd.DataFrame
    sources: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def dataset(self) -> str:
        """Name of the images."""
        return str(self.runs["dataset"].iloc[0])

    @property
    def arms(self) -> list[str]:
        """Arms that searched, in the order of figures and tables."""
        return arms_of(self.runs)

    @cached_property
    def longest(self) -> pd.DataFrame:
        """Rows of the runs at the largest budget of each arm; those with less are their beginnings."""
        return at_largest_budgets(self.runs)

    def tests_of(self, pair: Sequence[str]) -> pd.DataFrame:
        """Return the tests of a pair of arms."""
        return of_pair(self.tests, pair)


def of_pair(table: pd.DataFrame, pair: Sequence[str]) -> pd.DataFrame:
    """Return the rows of a table that are about a pair of arms, given as its first and its second one."""
    return table[(table["first_arm"] == pair[0]) & (table["second_arm"] == pair[1])]


def objectives_of(benchmark: TabularBenchmark, names: Sequence[str]) -> list[Objective]:
    """Return objectives with their direction and unit.

    Raises:
        TableError: the benchmark has no such metric, or nothing was measured on the device it names.
    """
    return [Objective(name, benchmark.direction(name), benchmark.unit(name)) for name in names]


def read_study(
    tables: Mapping[str, str],
    runs: Sequence[str],
    benchmark: TabularBenchmark,
    *,
    objectives: Sequence[str],
    pairs: Sequence[Sequence[str]],
    training_sample: int,
    unknown: str,
) -> SearchStudy:
    """Read what a search study brought.

    Args:
        tables: paths of the tables ``indicators``, ``tests``, ``ranks`` and ``conclusions``.
        runs: paths of the tables of runs, one an arm.
        benchmark: what was searched, for the objectives' directions and units.
        objectives: names of the objectives; this and the following as in :class:`SearchStudy`.
        pairs: arms that were tested against each other.
        training_sample: architectures that train a surrogate.
        unknown: ``predict`` or ``skip``.

    Raises:
        TableError: a table is missing, damaged or of another version, or the benchmark has no such metric.
    """
    return SearchStudy(
        objectives=objectives_of(benchmark, objectives),
        pairs=pairs,
        training_sample=training_sample,
        unknown=unknown,
        reference=read_attributes(tables["indicators"]),
        runs=pd.concat([read_table(path, RUNS) for path in runs], ignore_index=True),
        indicators=read_table(tables["indicators"], INDICATORS),
        tests=read_table(tables["tests"], TESTS),
        ranks=read_table(tables["ranks"], RANKS),
        conclusions=read_table(tables["conclusions"], CONCLUSIONS),
        sources={name: [str(tables[name])] for name in ("indicators", "tests", "ranks", "conclusions")}
        | {"runs": [str(path) for path in runs]},
    )
