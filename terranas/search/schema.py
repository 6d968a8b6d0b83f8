"""Schemas of the searches' tables."""

from terranas.core.tables import Column, TableSchema
from terranas.search.arms import ARMS
from terranas.search.queue_record import LEFT_BY

STOP_REASONS = ("budget", "nothing_left_to_expand", "space_exhausted")

_VALUE = Column("<objective>", "float64", "value of the objective that names the column")
ARM = Column("arm", "string", "search and how its first architectures are chosen", isin=ARMS)
DATASET = Column("dataset", "string", "name of the images")
SEED = Column("seed", "int64", "index of the repetition", ge=0)
BUDGET = Column("budget", "int64", "evaluations allowed", ge=1)
_PREDICTED = Column("predicted", "bool", "whether an objective's value is predicted, not measured")

EVALUATIONS = TableSchema(
    name="search.evaluations",
    version=2,
    key=("arm", "seed", "evaluation"),
    columns=(
        ARM,
        DATASET,
        SEED,
        Column("evaluation", "int64", "index of the evaluation, from 1; the published way does not count starts", ge=1),
        Column("architecture", "string", "architecture evaluated"),
        Column("start", "bool", "whether a local search started there; of its restarts, the first alone"),
        Column(
            "entered_archive",
            "bool",
            "whether it entered the archive of non-dominated architectures (published way: that of its own start)",
        ),
        _PREDICTED,
        Column("repeated", "bool", "whether it was evaluated before and counted again (published way only)"),
    ),
    extra=_VALUE,
)

FRONTS = TableSchema(
    name="search.fronts",
    version=2,
    key=("arm", "budget", "seed", "architecture"),
    columns=(
        ARM,
        DATASET,
        BUDGET,
        SEED,
        Column("architecture", "string", "architecture in the archive when the search of this budget ended"),
        _PREDICTED,
    ),
    extra=_VALUE,
)

RUNS = TableSchema(
    name="search.runs",
    version=2,
    key=("arm", "budget", "seed"),
    columns=(
        ARM,
        DATASET,
        BUDGET,
        Column("charged", "int64", "evaluations, and the surrogate's training sample where the arm needs one", ge=1),
        SEED,
        Column("starts_wanted", "int64", "starts asked for; 0 where the search has none", ge=0),
        Column("starts", "int64", "starts used; fewer where the predicted front or the budget is smaller", ge=0),
        Column("evaluations", "int64", "evaluations spent; the published way may exceed the budget", ge=0),
        Column("distinct", "int64", "different architectures evaluated", ge=0),
        Column("predicted", "int64", "of them those with a predicted value", ge=0),
        Column("without_value", "int64", "different architectures met that have no value and were passed over", ge=0),
        Column("stopped_by", "string", "why the search ended", isin=STOP_REASONS),
    ),
)

QUEUE = TableSchema(
    name="search.queue",
    version=1,
    key=("arm", "seed", "stay"),
    columns=(
        ARM,
        DATASET,
        SEED,
        Column("stay", "int64", "index of the stay in the queue, from 1, in the order in which stays ended", ge=1),
        Column("search", "int64", "index of the restart, or of the start (published way); 0 for one queue", ge=0),
        Column("architecture", "string", "architecture that waited for its neighbourhood to be looked at"),
        Column("joined", "int64", "evaluation with which it began to wait; 0: before the first (published way)", ge=0),
        Column("left", "Int64", "evaluation with which it no longer waited, the next to come; null: it still waits"),
        Column("left_by", "string", "expanded: its neighbourhood is looked at; dominated by another one", isin=LEFT_BY),
        _PREDICTED,
    ),
    extra=_VALUE,
)
"""Rows for each stay of an architecture in the queue of a local search; none for searches without a queue."""
