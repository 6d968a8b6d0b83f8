"""Schemas of the landscape's tables.

An interval stands in two columns, ``_low`` and ``_high``; both are NaN where there is none.
"""

from terranas.core.tables import Column, TableSchema
from terranas.data.layout import SPLITS

_DATASET = Column("dataset", "string", "name of the images")
_METRIC = Column("metric", "string", "metric of the benchmark")
_EPOCHS = Column("epochs", "int64", "fidelity: epochs trained", ge=0)
_CONFIDENCE = Column("confidence", "float64", "nominal coverage of the intervals", ge=0, le=1)
_REASON = Column("reason", "string", "why a value or an end of its interval is NaN; empty where none is")


def _with_interval(name: str, meaning: str, ge: float | None = None, le: float | None = None) -> tuple[Column, ...]:
    """Return a column of values and those of their intervals."""
    return (
        Column(name, "float64", meaning, ge=ge, le=le),
        Column(f"{name}_low", "float64", f"lower end of the interval of {name}", ge=ge, le=le),
        Column(f"{name}_high", "float64", f"upper end of the interval of {name}", ge=ge, le=le),
    )


RUGGEDNESS = TableSchema(
    name="landscape.ruggedness",
    version=2,
    key=("walk", "metric", "dataset"),
    columns=(
        Column("walk", "int64", "index of the walk", ge=0),
        Column("metric", "string", "metric whose series along the walk is analysed"),
        _DATASET,
        Column("visits", "int64", "architectures of the walk with a value", ge=0),
        *_with_interval("autocorrelation", "lag-1 autocorrelation; NaN when undefined (constant or too short)", -1, 1),
        *_with_interval("ruggedness", "1 / autocorrelation, as the thesis defines it; NaN when undefined"),
        *_with_interval("correlation_length", "-1 / ln |autocorrelation| (Weinberger 1990); NaN when undefined", 0),
        *_with_interval(
            "autocorrelation_published", "autocorrelation with the start counted twice, as released", -1, 1
        ),
        *_with_interval("ruggedness_published", "1 / autocorrelation_published"),
        *_with_interval("correlation_length_published", "-1 / ln |autocorrelation_published|", 0),
        _CONFIDENCE,
        _REASON,
    ),
)

RUGGEDNESS_SUMMARY = TableSchema(
    name="landscape.ruggedness_summary",
    version=1,
    key=("dataset", "metric", "variant"),
    columns=(
        _DATASET,
        Column("metric", "string", "metric whose series along the walks are analysed"),
        Column("variant", "string", "defined: each visit once; published: starts twice", isin=("defined", "published")),
        Column("walks", "int64", "walks with an autocorrelation", ge=0),
        Column("undefined", "int64", "walks without one", ge=0),
        *_with_interval("autocorrelation", "mean over the walks of the lag-1 autocorrelation", -1, 1),
        *_with_interval("ruggedness", "1 / mean autocorrelation (Traoré et al. 2021)"),
        *_with_interval("correlation_length", "-1 / ln |mean autocorrelation|", 0),
        Column("median_ruggedness", "float64", "median over the walks of 1 / autocorrelation"),
        Column("share_0_to_5", "float64", "share of the walks whose ruggedness is from 0 to 5", ge=0, le=1),
        _CONFIDENCE,
        _REASON,
    ),
)

FOOTPRINT_MEASURES = (
    "fitness_mean",
    "fitness_std",
    "autocorrelation",
    "ruggedness",
    "correlation_length",
    "optima",
    "optima_exact",
    "positive_persistence",
    "positive_persistence_area",
    "negative_persistence",
    "negative_persistence_area",
)
"""The eight metrics of the footprint, the two that its ruggedness is made of, and the exact number of the optima."""

FOOTPRINT = TableSchema(
    name="landscape.footprint",
    version=1,
    key=("dataset", "fitness", "measure", "percent", "from_epochs", "to_epochs", "across"),
    columns=(
        _DATASET,
        Column("fitness", "string", "metric of the benchmark that is the fitness"),
        Column("measure", "string", "metric of the footprint", isin=FOOTPRINT_MEASURES),
        Column(
            "percent",
            "int64",
            "share of the architectures that counts as best or worst, for an area the largest; 0 for other measures",
            unit="%",
            ge=0,
            le=100,
        ),
        Column("from_epochs", "int64", "lowest fidelity of a persistence; else the fidelity of the fitness", ge=0),
        Column("to_epochs", "int64", "highest fidelity of a persistence; else the fidelity of the fitness", ge=0),
        Column(
            "across",
            "string",
            "pair: both fidelities named; all: every fidelity from the one to the other; empty for other measures",
            isin=("", "pair", "all"),
        ),
        *_with_interval("value", "value; NaN where it is not defined"),
        Column("n", "int64", "architectures (ruggedness: walks; optima: those with neighbours) it is made of", ge=0),
        Column("method", "string", "how the interval was made; empty where there is none"),
        _CONFIDENCE,
        _REASON,
    ),
)

DISTRIBUTIONS = TableSchema(
    name="landscape.distributions",
    version=1,
    key=("dataset", "metric", "epochs", "value"),
    columns=(
        _DATASET,
        _METRIC,
        _EPOCHS,
        Column("value", "float64", "place on the metric's axis"),
        Column("unit", "string", "unit of the metric, empty where it has none"),
        Column("density", "float64", "kernel density estimate there; NaN where all values are equal", ge=0),
        Column("cumulative", "float64", "share of the architectures with at most this value", ge=0, le=1),
        Column("n", "int64", "architectures with a value", ge=1),
    ),
)

DISTRIBUTION_SUMMARY = TableSchema(
    name="landscape.distribution_summary",
    version=1,
    key=("dataset", "metric", "epochs"),
    columns=(
        _DATASET,
        _METRIC,
        _EPOCHS,
        Column("unit", "string", "unit of the metric, empty where it has none"),
        Column("mean", "float64", "mean"),
        Column("std", "float64", "sample standard deviation", ge=0),
        Column("min", "float64", "smallest value"),
        Column("lower_quartile", "float64", "quantile .25"),
        Column("median", "float64", "median"),
        Column("upper_quartile", "float64", "quantile .75"),
        Column("max", "float64", "largest value"),
        Column("n", "int64", "architectures with a value", ge=0),
        Column("left_out", "int64", "architectures without one", ge=0),
    ),
)

_METHOD = Column(
    "method",
    "string",
    "bca: bootstrap over architectures; asymptotic: by influence values, for many architectures; empty: no interval",
    isin=("bca", "asymptotic", ""),
)

CORRELATIONS = TableSchema(
    name="landscape.correlations",
    version=1,
    key=(
        "first_dataset",
        "first_metric",
        "first_epochs",
        "second_dataset",
        "second_metric",
        "second_epochs",
        "coefficient",
    ),
    columns=(
        Column("first_dataset", "string", "images of the first metric"),
        Column("first_metric", "string", "first metric"),
        Column("first_epochs", "int64", "fidelity of the first metric", ge=0),
        Column("second_dataset", "string", "images of the second metric"),
        Column("second_metric", "string", "second metric"),
        Column("second_epochs", "int64", "fidelity of the second metric", ge=0),
        Column("coefficient", "string", "rank correlation", isin=("spearman", "kendall")),
        Column("n", "int64", "architectures with both values", ge=0),
        *_with_interval("statistic", "rank correlation; NaN where one of the metrics is constant", -1, 1),
        _METHOD,
        _CONFIDENCE,
        _REASON,
    ),
)

CONCLUSIONS = TableSchema(
    name="landscape.conclusions",
    version=2,
    key=("conclusion", "quantity", "first", "second"),
    columns=(
        Column("conclusion", "string", "sentence of the thesis that is tested"),
        Column("quantity", "string", "what is compared"),
        Column("first", "string", "first of the two: what the conclusion says to be larger"),
        Column("second", "string", "second of the two"),
        Column("unit", "string", "what is paired", isin=("walk", "architecture")),
        Column("n", "int64", "pairs with both values", ge=0),
        Column("equal", "int64", "pairs whose values are equal, which the test leaves out", ge=0),
        Column("median_first", "float64", "median of the first"),
        Column("median_second", "float64", "median of the second"),
        *_with_interval("median_difference", "median of the differences, first - second"),
        Column("w", "float64", "Wilcoxon's signed-rank statistic: sum of the ranks of positive differences", ge=0),
        Column("p", "float64", "two-sided p-value of Wilcoxon's signed-rank test", ge=0, le=1),
        Column(
            "p_holm",
            "float64",
            "p-value adjusted for the family of all rows over independent pairs (Holm 1979); NaN for the others",
            ge=0,
            le=1,
        ),
        Column("method", "string", "distribution of the test", isin=("exact", "asymptotic", "degenerate", "")),
        *_with_interval("rank_biserial", "matched-pairs rank-biserial correlation, -1 to 1 (Kerby 2014)", -1, 1),
        *_with_interval("cliffs_delta", "P(first > second) - P(first < second) over all pairs (Cliff 1993)", -1, 1),
        Column("alpha", "float64", "level of the tests; intervals cover 1 - alpha", ge=0, le=1),
        Column("significant", "bool", "p_holm below alpha"),
        Column(
            "verdict",
            "string",
            "what the test says of the conclusion; described: the pairs are not independent, so it says nothing",
            isin=("supported", "contradicted", "open", "described"),
        ),
        Column("note", "string", "what limits the test: too few pairs, dependence; empty where nothing does"),
    ),
)

FEATURE_CORRELATIONS = TableSchema(
    name="landscape.feature_correlations",
    version=1,
    key=("dataset", "metric", "epochs", "feature"),
    columns=(
        _DATASET,
        _METRIC,
        _EPOCHS,
        Column("feature", "string", "number that describes a cell (terranas.space.features)"),
        Column("place", "Int64", "place by strength, from 1; null where the correlation is not defined", ge=1),
        Column("n", "int64", "architectures with a value", ge=0),
        Column("distinct", "int64", "different values of the feature among them", ge=0),
        *_with_interval("statistic", "Spearman's rank correlation of metric and feature", -1, 1),
        _METHOD,
        _CONFIDENCE,
        _REASON,
    ),
)

FEATURE_EFFECTS = TableSchema(
    name="landscape.feature_effects",
    version=1,
    key=("dataset", "metric", "epochs", "feature", "value"),
    columns=(
        _DATASET,
        _METRIC,
        _EPOCHS,
        Column("feature", "string", "number that describes a cell (terranas.space.features)"),
        Column("value", "float64", "value that the feature is set to"),
        Column("effect", "float64", "mean prediction of the surrogate over the background cells (partial dependence)"),
        Column("cells", "int64", "background cells that have this very value", ge=0),
        Column("background", "int64", "cells that predictions are averaged over", ge=1),
        Column("trained", "int64", "cells that the surrogate was fitted to", ge=1),
        Column("held_out", "int64", "cells that it was scored on", ge=1),
        Column("r2", "float64", "coefficient of determination on the held-out cells; NaN where they are constant"),
        Column("spearman", "float64", "Spearman's correlation on them; NaN where values are constant", ge=-1, le=1),
    ),
)

CLASS_BALANCE = TableSchema(
    name="landscape.class_balance",
    version=1,
    key=("dataset", "split"),
    columns=(
        _DATASET,
        Column("split", "string", "part of the data", isin=SPLITS),
        Column("classes", "int64", "classes with at least one image", ge=0),
        Column("images", "int64", "images", ge=0),
        Column("normalised_entropy", "float64", "entropy of the shares / ln classes: 1 is balanced", ge=0, le=1),
        Column("imbalance_ratio", "float64", "images of the largest class / of the smallest one that has any", ge=1),
    ),
)

CLASS_ACCURACY = TableSchema(
    name="landscape.class_accuracy",
    version=1,
    key=("dataset", "split", "class_index"),
    columns=(
        _DATASET,
        Column("split", "string", "part of the data", isin=SPLITS),
        Column("class_index", "int64", "index of the class, from 0", ge=0),
        Column("class_name", "string", "name of the class"),
        Column("training_images", "int64", "training images of the class", ge=0),
        Column("training_share", "float64", "share of the class among the training images", ge=0, le=1),
        *_with_interval("accuracy", "mean over the architectures of the class's accuracy after the last epoch", 0, 1),
        Column("std", "float64", "sample standard deviation over the architectures", ge=0),
        Column("n", "int64", "architectures with an accuracy of the class", ge=0),
        _CONFIDENCE,
    ),
)

ACCURACY_GAPS = TableSchema(
    name="landscape.accuracy_gaps",
    version=1,
    key=("dataset", "epochs", "split"),
    columns=(
        _DATASET,
        _EPOCHS,
        Column("split", "string", "part of the data", isin=SPLITS),
        Column("n", "int64", "architectures with both accuracies", ge=0),
        *_with_interval("gap", "mean of micro accuracy - macro accuracy", -1, 1),
        Column("std", "float64", "sample standard deviation of the gap", ge=0),
        Column("share_positive", "float64", "share of the architectures whose micro accuracy is larger", ge=0, le=1),
        Column("normalised_entropy", "float64", "balance of the split's classes: 1 is balanced", ge=0, le=1),
        Column("imbalance_ratio", "float64", "images of the largest class / of the smallest one", ge=1),
        _CONFIDENCE,
    ),
)

IMBALANCE_CORRELATIONS = TableSchema(
    name="landscape.imbalance_correlations",
    version=1,
    key=("dataset", "split", "quantity", "against"),
    columns=(
        Column("dataset", "string", "name of the images; empty where several are compared"),
        Column("split", "string", "part of the data; empty where several are compared"),
        Column("quantity", "string", "class accuracy, or gap between micro and macro accuracy"),
        Column("against", "string", "training share of the class, or a measure of imbalance"),
        Column("n", "int64", "classes, or splits of sets of images", ge=0),
        *_with_interval("statistic", "Spearman's rank correlation", -1, 1),
        _METHOD,
        _CONFIDENCE,
        _REASON,
    ),
)
