"""Schemas of the comparison's tables."""

from terranas.core.tables import Column, TableSchema
from terranas.search.schema import ARMS

INDICATORS = TableSchema(
    name="comparison.indicators",
    version=1,
    key=("arm", "budget", "seed"),
    columns=(
        Column("arm", "string", "how the starts were chosen", isin=ARMS),
        Column("dataset", "string", "name of the images"),
        Column("budget", "int64", "evaluations allowed", ge=1),
        Column("charged", "int64", "budget plus the training sample where a surrogate needed one", ge=1),
        Column("seed", "int64", "index of the repetition", ge=0),
        Column("size", "int64", "architectures on the front", ge=1),
        Column("hypervolume", "float64", "hypervolume of the normalised front; 1 is the whole box", ge=0, le=1),
        Column("hypervolume_regret", "float64", "hypervolume of the true front less this one", ge=0),
        Column("igd_plus", "float64", "IGD+ to the true front, normalised objectives", direction="minimise", ge=0),
        Column("diameter", "float64", "largest Hamming distance of two 17x17 encodings on the front", ge=0),
        Column("mean_pairwise_distance", "float64", "mean Hamming distance of two different members", ge=0),
    ),
    extra=Column("<best|mean|std>_<objective>", "float64", "best, mean or deviation of an objective on the front"),
)

ANYTIME = TableSchema(
    name="comparison.anytime",
    version=1,
    key=("arm", "seed", "evaluation"),
    columns=(
        Column("arm", "string", "how the starts were chosen", isin=ARMS),
        Column("dataset", "string", "name of the images"),
        Column("seed", "int64", "index of the repetition", ge=0),
        Column("evaluation", "int64", "evaluations spent", ge=1),
        Column("hypervolume", "float64", "hypervolume of the normalised archive so far", ge=0, le=1),
    ),
)
