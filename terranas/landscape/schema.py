"""Schema of the ruggedness table."""

from terranas.core.tables import Column, TableSchema

RUGGEDNESS = TableSchema(
    name="landscape.ruggedness",
    version=1,
    key=("walk", "metric"),
    columns=(
        Column("walk", "int64", "index of the walk", ge=0),
        Column("metric", "string", "metric whose series along the walk is analysed"),
        Column("dataset", "string", "name of the images"),
        Column("visits", "int64", "architectures of the walk with a value", ge=0),
        Column("autocorrelation", "float64", "lag-1 autocorrelation; NaN when undefined (constant or too short)"),
        Column("ruggedness", "float64", "1 / autocorrelation, as the thesis defines it; NaN when undefined"),
        Column("correlation_length", "float64", "-1 / ln |autocorrelation| (Weinberger 1990); NaN when undefined"),
        Column("ruggedness_published", "float64", "1 / autocorrelation with the start counted twice, as released"),
    ),
)
