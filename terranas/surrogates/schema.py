"""Schemas of the surrogates' tables."""

from terranas.core.tables import Column, TableSchema

_PREDICTED = Column("<objective>", "float64", "predicted value of the objective that names the column")

SCORES = TableSchema(
    name="surrogates.scores",
    version=2,
    key=("surrogate", "objective", "size", "repeat"),
    columns=(
        Column("dataset", "string", "name of the images"),
        Column("surrogate", "string", "name of the surrogate's settings: its regressor, unless several share one"),
        Column("encoding", "string", "features it was given"),
        Column("objective", "string", "metric predicted"),
        Column("size", "int64", "architectures trained on", ge=2),
        Column("repeat", "int64", "index of the random order whose first architectures train", ge=0),
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
            ge=0,
        ),
    ),
)

PLATEAUS = TableSchema(
    name="surrogates.plateaus",
    version=1,
    key=("surrogate", "objective"),
    columns=(
        Column("dataset", "string", "name of the images"),
        Column("surrogate", "string", "name of the surrogate's settings"),
        Column("objective", "string", "metric predicted"),
        Column("score", "string", "score that the plateau is of"),
        Column("tolerance", "float64", "how much less than at the largest size counts as no worse", ge=0),
        Column("alpha", "float64", "level of the tests", ge=0, le=1),
        Column("repeats", "int64", "pairs of scores in each test", ge=0),
        Column("size", "Int64", "smallest size on the plateau; null where only the largest one is on it", ge=2),
        Column("mean", "float64", "mean score at that size; NaN without a plateau"),
        Column("p_value", "float64", "largest p-value of the tests from that size up; NaN without a plateau"),
        Column("largest_size", "int64", "largest size with scores", ge=2),
        Column("largest_mean", "float64", "mean score at the largest size"),
    ),
)

CALIBRATION = TableSchema(
    name="surrogates.calibration",
    version=1,
    key=("metric", "level"),
    columns=(
        Column("dataset", "string", "name of the images"),
        Column("metric", "string", "metric predicted"),
        Column("level", "float64", "share of true values that the interval is meant to hold", ge=0, le=1),
        Column("coverage", "float64", "share of held-out values that it held", ge=0, le=1),
        Column("held_out", "int64", "architectures tested on", ge=1),
        Column("trained", "int64", "architectures that the members were fitted to", ge=1),
        Column("calibrated", "int64", "architectures that the remaining error was measured on", ge=1),
        Column("members", "int64", "members of the ensemble", ge=1),
        Column("log", "bool", "whether the logarithm was fitted and the interval is one on that scale"),
        Column(
            "member_std", "float64", "root mean variance between members on held-out ones, on the fitted scale", ge=0
        ),
        Column("residual_std", "float64", "error that members share, on the fitted scale, added to every std", ge=0),
        Column("spearman", "float64", "rank correlation on held-out ones; NaN when undefined", ge=-1, le=1),
        Column("rmse", "float64", "root mean squared error on held-out ones, in the metric's unit", ge=0),
        Column("r2", "float64", "coefficient of determination on held-out ones; NaN when undefined", le=1),
    ),
)

TRAINING_SAMPLES = TableSchema(
    name="surrogates.training_samples",
    version=2,
    key=("seed", "architecture"),
    columns=(
        Column("dataset", "string", "name of the images"),
        Column("seed", "int64", "index of the repetition", ge=0),
        Column("architecture", "string", "architecture the surrogates of this repetition were trained on"),
    ),
)

PREDICTED_FRONTS = TableSchema(
    name="surrogates.predicted_fronts",
    version=2,
    key=("seed", "architecture"),
    columns=(
        Column("dataset", "string", "name of the images"),
        Column("seed", "int64", "index of the repetition", ge=0),
        Column("architecture", "string", "architecture on the predicted non-dominated front"),
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
    version=2,
    key=("architecture",),
    columns=(
        Column("dataset", "string", "name of the images"),
        Column("architecture", "string", "architecture"),
    ),
    extra=_PREDICTED,
)
