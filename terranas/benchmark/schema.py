"""Schema of tabular benchmarks: one row an architecture, set of images, fidelity, repeat and device.

A column of metrics says in its name which split it belongs to (``validation_micro_accuracy``). What belongs to a
device stands in the row of the training, or in rows of its own, one a device, whose other metrics are not known.
"""

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
    Column(
        "total_seconds",
        "float64",
        "time spent training and evaluating up to this fidelity",
        unit="s",
        direction="minimise",
        measured=True,
        ge=0,
    ),
    Column("parameters", "float64", "trainable parameters", direction="minimise", ge=1),
    Column("macs", "float64", "multiply-accumulates for one image", unit="MAC", direction="minimise", ge=1),
    Column(
        "activations",
        "float64",
        "elements that the convolutions put out for one image (Radosavovic et al. 2020, section 3)",
        direction="minimise",
        ge=1,
    ),
    Column(
        "latency_ms",
        "float64",
        "time of a forward pass of a batch: the median, unless the table's attributes say otherwise",
        unit="ms",
        direction="minimise",
        measured=True,
        per_device=True,
        ge=0,
    ),
    Column(
        "latency_std_ms",
        "float64",
        "standard deviation of the time of a forward pass of a batch",
        unit="ms",
        direction="minimise",
        measured=True,
        per_device=True,
        ge=0,
    ),
    Column(
        "peak_memory_bytes",
        "float64",
        "most memory taken by forward passes of a batch",
        unit="B",
        direction="minimise",
        measured=True,
        per_device=True,
        ge=0,
    ),
    Column(
        "inference_energy_mj",
        "float64",
        "energy of inference an image, without what the idle device takes",
        unit="mJ",
        direction="minimise",
        measured=True,
        per_device=True,
    ),
    Column("model_bytes", "float64", "bytes of the weights", unit="B", direction="minimise", ge=1),
    Column(
        "checkpoint_bytes",
        "float64",
        "bytes of the file that weights and buffers are saved in, with what else it keeps",
        unit="B",
        direction="minimise",
        ge=1,
    ),
    Column(
        "training_energy_kwh",
        "float64",
        "energy spent training up to this fidelity",
        unit="kWh",
        direction="minimise",
        measured=True,
        ge=0,
    ),
    Column(
        "training_co2_g",
        "float64",
        "carbon dioxide equivalent of that energy, where and when it was drawn",
        unit="g",
        direction="minimise",
        measured=True,
        ge=0,
    ),
)
"""All metrics of tables over NAS-Bench-101; other search spaces choose of them and add their own."""


def metrics_named(*names: str) -> tuple[Column, ...]:
    """Return some of :data:`METRICS`, in their order there.

    Raises:
        ValueError: there is no such metric.
    """
    if unknown := set(names).difference(column.name for column in METRICS):
        raise ValueError(f"there are no metrics {', '.join(sorted(unknown))}")
    return tuple(column for column in METRICS if column.name in names)


def table_schema(
    name: str, key: Column, metrics: tuple[Column, ...], version: int, about: tuple[Column, ...] = ()
) -> TableSchema:
    """Return the schema of tabular benchmarks over one search space.

    Args:
        name: name of the kind of table; begins with ``benchmark.``.
        key: the column that names an architecture.
        metrics: columns with a direction.
        version: raised when columns change their name or meaning.
        about: further facts of the architecture, which stand after its key.
    """
    return TableSchema(
        name=name,
        version=version,
        key=(key.name, "dataset", "epochs", "repeat", "device"),
        columns=(
            key,
            *about,
            Column("dataset", "string", "name of the images"),
            Column("epochs", "int64", "fidelity: epochs trained", ge=0),
            Column("repeat", "int64", "index of the training run, from 0", ge=0),
            Column(
                "device",
                "string",
                "device that latency and energy of a row were measured on; empty in a row without such a measurement",
            ),
            Column("outcome", "string", "ok, or why the training has no full result"),
            Column("source", "string", "what measured the row: terranas, or a published table"),
            *metrics,
        ),
    )


BENCHMARK = table_schema(
    "benchmark.table",
    Column("hash", "string", "architecture"),
    METRICS,
    version=3,
    about=(
        Column("id", "Int64", "rank of the hash among all 423,624 cells; null when built over a smaller space", ge=0),
    ),
)
"""Schema of tables over NAS-Bench-101's cells: the study's own, and published ones."""


METRIC_NAMES = {
    "train_loss": "training loss",
    "train_macro_accuracy": "training macro accuracy",
    "train_micro_accuracy": "training micro accuracy",
    "training_seconds": "training time",
    "total_seconds": "training and evaluation time",
    "training_energy_kwh": "training energy",
    "training_co2_g": "carbon dioxide of training",
    "latency_std_ms": "latency deviation",
    "checkpoint_bytes": "checkpoint size",
    "macs": "MACs",
    "latency_ms": "latency",
    "inference_energy_mj": "inference energy",
    "peak_memory_bytes": "peak memory",
    "model_bytes": "model size",
}
"""Names in words of the metrics whose column name does not read as one."""


def metric_name(metric: str) -> str:
    """Return the name of a metric in words, without its unit; ``METRIC@DEVICE`` with the device behind it."""
    name, at, device = metric.partition("@")
    words = METRIC_NAMES.get(name, name.replace("_", " "))
    return f"{words} on {device}" if at else words


def metric_column(metric: str) -> Column:
    """Return the declaration of a metric, also of one that is asked for as ``METRIC@DEVICE``.

    Raises:
        TableError: there is no such metric.
    """
    return BENCHMARK.column(metric.partition("@")[0])


def direction(metric: str) -> Direction:
    """Return which way a metric is better, also of one that is asked for as ``METRIC@DEVICE``.

    Raises:
        TableError: there is no such metric.
    """
    found = metric_column(metric).direction
    assert found is not None, f"{metric} is no metric"
    return found
