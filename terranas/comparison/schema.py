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
        Column("size", "int64", "architectures on the front", direction="maximise", ge=1),
        Column(
            "hypervolume",
            "float64",
            "hypervolume of the front; objectives normalised by the best (0) and the worst (1) value among all "
            "architectures with values, reference point (1, 1)",
            direction="maximise",
            ge=0,
            le=1,
        ),
        Column(
            "hypervolume_regret",
            "float64",
            "hypervolume of the true front less this one",
            direction="minimise",
            ge=0,
        ),
        Column("igd_plus", "float64", "IGD+ to the true front, normalised objectives", direction="minimise", ge=0),
        Column(
            "diameter",
            "float64",
            "largest Hamming distance of the 17x17 encodings of two members; 0 for a single member",
            direction="maximise",
            ge=0,
        ),
        Column(
            "mean_pairwise_distance",
            "float64",
            "mean Hamming distance over all pairs of different members; 0 for a single member",
            direction="maximise",
            ge=0,
        ),
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
