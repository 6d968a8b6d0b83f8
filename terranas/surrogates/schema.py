"""Schemas of the surrogates' tables."""

from terranas.core.tables import Column, TableSchema

_PREDICTED = Column("<objective>", "float64", "predicted value of the objective that names the column")

SCORES = TableSchema(
    name="surrogates.scores",
    version=1,
    key=("objective", "size", "repeat"),
    columns=(
        Column("dataset", "string", "name of the images"),
        Column("objective", "string", "metric predicted"),
        Column("size", "int64", "architectures trained on", ge=2),
        Column("repeat", "int64", "index of the random training set", ge=0),
        Column("held_out", "int64", "architectures tested on", ge=2),
        Column("spearman", "float64", "Spearman's rank correlation; NaN when undefined", ge=-1, le=1),
        Column("kendall", "float64", "Kendall's tau-b; NaN when undefined", ge=-1, le=1),
        Column("pearson", "float64", "Pearson's correlation; NaN when undefined", ge=-1, le=1),
        Column("mae", "float64", "mean absolute error, in the objective's unit", ge=0),
        Column("rmse", "float64", "root mean squared error, in the objective's unit", ge=0),
        Column("r2", "float64", "coefficient of determination", le=1),
        Column("fit_seconds", "float64", "time of the fit", unit="s", measured=True, ge=0),
        Column(
            "predict_seconds",
            "float64",
            "time of predicting the held-out architectures",
            unit="s",
            measured=True,
        ),
    ),
)

TRAINING_SAMPLES = TableSchema(
    name="surrogates.training_samples",
    version=1,
    key=("seed", "hash"),
    columns=(
        Column("dataset", "string", "name of the images"),
        Column("seed", "int64", "index of the repetition", ge=0),
        Column("hash", "string", "architecture the surrogates of this repetition were trained on"),
    ),
)

PREDICTED_FRONTS = TableSchema(
    name="surrogates.predicted_fronts",
    version=1,
    key=("seed", "hash"),
    columns=(
        Column("dataset", "string", "name of the images"),
        Column("seed", "int64", "index of the repetition", ge=0),
        Column("hash", "string", "architecture on the predicted non-dominated front"),
        Column(
            "scope",
            "string",
            "space: non-dominated among all architectures; known: non-dominated among those with values in the "
            "benchmark, listed only where none of the former has values",
            isin=("space", "known"),
        ),
    ),
    extra=_PREDICTED,
)

PREDICTIONS = TableSchema(
    name="surrogates.predictions",
    version=1,
    key=("hash",),
    columns=(
        Column("dataset", "string", "name of the images"),
        Column("hash", "string", "architecture"),
    ),
    extra=_PREDICTED,
)
