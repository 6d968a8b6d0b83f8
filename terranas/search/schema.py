"""Schemas of the searches' tables."""

from terranas.core.tables import Column, TableSchema

ARMS = ("surrogate", "random")
ARM_NAMES = {"surrogate": "surrogate starts", "random": "random starts"}
STOP_REASONS = ("budget", "nothing_left_to_expand", "space_exhausted")

_VALUE = Column("<objective>", "float64", "value of the objective that names the column")

EVALUATIONS = TableSchema(
    name="search.evaluations",
    version=1,
    key=("arm", "seed", "evaluation"),
    columns=(
        Column("arm", "string", "how the starts were chosen", isin=ARMS),
        Column("dataset", "string", "name of the images"),
        Column("seed", "int64", "index of the repetition", ge=0),
        Column("evaluation", "int64", "index of the evaluation, from 1; each architecture counts once", ge=1),
        Column("hash", "string", "architecture evaluated"),
        Column("start", "bool", "whether it was a start"),
        Column("entered_archive", "bool", "whether it entered the archive of non-dominated architectures"),
    ),
    extra=_VALUE,
)

FRONTS = TableSchema(
    name="search.fronts",
    version=1,
    key=("arm", "budget", "seed", "hash"),
    columns=(
        Column("arm", "string", "how the starts were chosen", isin=ARMS),
        Column("dataset", "string", "name of the images"),
        Column("budget", "int64", "evaluations allowed", ge=1),
        Column("seed", "int64", "index of the repetition", ge=0),
        Column("hash", "string", "architecture in the archive when the budget was spent"),
    ),
    extra=_VALUE,
)

RUNS = TableSchema(
    name="search.runs",
    version=1,
    key=("arm", "budget", "seed"),
    columns=(
        Column("arm", "string", "how the starts were chosen", isin=ARMS),
        Column("dataset", "string", "name of the images"),
        Column("budget", "int64", "evaluations allowed", ge=1),
        Column("seed", "int64", "index of the repetition", ge=0),
        Column("starts_wanted", "int64", "starts asked for", ge=1),
        Column("starts", "int64", "starts used; fewer when the predicted front is smaller", ge=1),
        Column("evaluations", "int64", "evaluations spent", ge=1),
        Column("stopped_by", "string", "why the search ended", isin=STOP_REASONS),
    ),
)
