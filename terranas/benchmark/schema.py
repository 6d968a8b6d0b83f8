"""Schema of a tabular benchmark: one row an architecture, fidelity and repeat."""

from typing import Literal

from terranas.core.tables import Column, TableSchema

Direction = Literal["maximise", "minimise"]


def _accuracy(name: str, meaning: str) -> Column:
    return Column(name, "float64", meaning, direction="maximise", ge=0, le=1)


METRICS = (
    Column("train_loss", "float64", "cross-entropy while training", direction="minimise"),
    Column("validation_loss", "float64", "cross-entropy on the validation images", direction="minimise"),
    _accuracy("train_macro_accuracy", "mean of the class accuracies while training"),
    _accuracy("train_micro_accuracy", "share of correct training images"),
    _accuracy("validation_macro_accuracy", "mean of the class accuracies on the validation images"),
    _accuracy("validation_micro_accuracy", "share of correct validation images"),
    _accuracy("test_macro_accuracy", "mean of the class accuracies on the test images"),
    _accuracy("test_micro_accuracy", "share of correct test images"),
    Column(
        "training_seconds",
        "float64",
        "time spent training up to this fidelity",
        unit="s",
        direction="minimise",
        measured=True,
        ge=0,
    ),
    Column("parameters", "float64", "trainable parameters", direction="minimise", ge=1),
    Column("macs", "float64", "multiply-accumulates for one image", unit="MAC", direction="minimise", ge=1),
    Column(
        "latency_ms",
        "float64",
        "median time of a forward pass of a batch",
        unit="ms",
        direction="minimise",
        measured=True,
        ge=0,
    ),
    Column("model_bytes", "float64", "bytes of the weights", unit="B", direction="minimise", ge=1),
)

BENCHMARK = TableSchema(
    name="benchmark.table",
    version=1,
    key=("hash", "epochs", "repeat"),
    columns=(
        Column("hash", "string", "architecture"),
        Column("id", "Int64", "rank of the hash among all 423,624 cells; null when built over a smaller space"),
        Column("epochs", "int64", "fidelity: epochs trained", ge=0),
        Column("repeat", "int64", "index of the training run, from 0", ge=0),
        Column("outcome", "string", "ok, or why the training has no full result"),
        Column("dataset", "string", "name of the images"),
        Column("source", "string", "what measured the row: terranas, or a published table"),
        Column("device", "string", "device of latency_ms; empty where there is none"),
        *METRICS,
    ),
)


METRIC_NAMES = {
    "train_loss": "training loss",
    "train_macro_accuracy": "training macro accuracy",
    "train_micro_accuracy": "training micro accuracy",
    "training_seconds": "training time",
    "macs": "MACs",
    "latency_ms": "latency",
    "model_bytes": "model size",
}
"""Names in words of the metrics whose column name does not read as one."""


def metric_name(metric: str) -> str:
    """Return the name of a metric in words, without its unit."""
    return METRIC_NAMES.get(metric, metric.replace("_", " "))


def direction(metric: str) -> Direction:
    """Return which way a metric is better.

    Raises:
        TableError: there is no such metric.
    """
    found = BENCHMARK.column(metric).direction
    assert found is not None, f"{metric} is no metric"
    return found
