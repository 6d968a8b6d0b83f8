"""Importing NAS-Bench-Macro (Su et al., CVPR 2021): eight layers, three blocks to choose from in each, on CIFAR-10.

A digit of the key names the block of a layer: 0 identity, 1 an inverted residual block (MobileNetV2) with kernel 3 and
expansion 3, 2 one with kernel 5 and expansion 6. The first layer of each of the three stages (2, 3 and 3 layers)
doubles the channels and halves the image, also where it is an identity, which then is a 1x1 convolution.
"""

import re
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.imported import ImportedTable, Source
from terranas.benchmark.published import architecture_keys, fractions, numbers, to_rows, whole_counts
from terranas.benchmark.schema import metrics_named, table_schema
from terranas.benchmark.small_files import load_json
from terranas.benchmark.validation import Check, compare
from terranas.core.errors import DataError
from terranas.core.tables import Column

BLOCKS = "012"
SPACE_SIZE = len(BLOCKS) ** 8
EPOCHS = 50
RUNS = 3

_STAGES = (2, 3, 3)
_STEM_CHANNELS = 32
_LAST_CHANNELS = 1280
_CLASSES = 10
_IMAGE_SIZE = 32
_EXPANSION_AND_KERNEL = {"1": (3, 3), "2": (6, 5)}
_FIELDS = ("test_acc", "mean_acc", "std", "params", "flops")

SCHEMA = table_schema(
    "benchmark.nasbench_macro",
    Column("architecture", "string", "block of each layer, a digit a layer"),
    metrics_named("test_micro_accuracy", "parameters", "macs"),
    version=1,
    about=(
        Column(
            "trained_as",
            "string",
            "architecture that was trained: the same network, with the identities of a stage after its other blocks",
        ),
    ),
)

SOURCE = Source(
    name="NAS-Bench-Macro",
    space="NAS-Bench-Macro",
    space_size=SPACE_SIZE,
    licence="Apache-2.0",
    citation="X. Su, T. Huang, Y. Li, S. You, F. Wang, C. Qian, C. Zhang, C. Xu. Prioritized Architecture Sampling "
    "with Monto-Carlo Tree Search. CVPR 2021.",
    notes=(
        "test_micro_accuracy is the best of all 50 epochs on the test images (the released training script keeps the "
        "best), so it is optimistic; there is no validation accuracy.",
        "An identity between layers of equal size does nothing, so 6,561 codes make 3,969 networks; each was trained "
        "three times, and codes of one network share its results (column trained_as).",
        "The published flops are multiply-accumulates of convolutions and the linear layer.",
        "The published standard deviation is that of the population (divided by 3), recomputed and not imported.",
    ),
)


def network_of(architecture: str) -> str:
    """Return the code that stands for an architecture's network: the identities of a stage after its other blocks.

    The first layer of a stage stays where it is.
    """
    parts = []
    start = 0
    for layers in _STAGES:
        first, rest = architecture[start], architecture[start + 1 : start + layers]
        parts.append(first + rest.replace("0", "").ljust(layers - 1, "0"))
        start += layers
    return "".join(parts)


def complexity(architectures: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the trainable parameters and multiply-accumulates of architectures' networks, shape (n,) each.

    Convolutions and the linear layer count as multiply-accumulates; normalisation and biases do not.
    """
    channels, size = _STEM_CHANNELS, _IMAGE_SIZE
    parameters = np.full(len(architectures), 27 * channels + 2 * channels, dtype=np.int64)
    macs = np.full(len(architectures), 27 * channels * size**2, dtype=np.int64)
    blocks = np.array([list(architecture) for architecture in architectures])
    layer = 0
    for layers in _STAGES:
        for position in range(layers):
            stride = 2 if position == 0 else 1
            for block in BLOCKS:
                weights, work = _block(block, channels, channels * stride, size, stride)
                parameters += weights * (blocks[:, layer] == block)
                macs += work * (blocks[:, layer] == block)
            channels, size = channels * stride, size // stride
            layer += 1
    parameters += channels * _LAST_CHANNELS + 2 * _LAST_CHANNELS + (_LAST_CHANNELS + 1) * _CLASSES
    macs += channels * _LAST_CHANNELS * size**2 + _LAST_CHANNELS * _CLASSES
    return parameters, macs


def _block(block: str, before: int, after: int, size: int, stride: int) -> tuple[int, int]:
    """Return parameters and multiply-accumulates of a block whose input has ``size`` pixels a side."""
    pixels = (size // stride) ** 2
    if block == "0":
        return (0, 0) if stride == 1 else (before * after + 2 * after, before * after * pixels)
    expansion, kernel = _EXPANSION_AND_KERNEL[block]
    hidden = expansion * before
    widening, depthwise, narrowing = before * hidden, kernel**2 * hidden, hidden * after
    # scale and shift of a batch normalisation after each of the three convolutions
    parameters = widening + depthwise + narrowing + 2 * (hidden + hidden + after)
    return parameters, widening * size**2 + (depthwise + narrowing) * pixels


def import_nasbench_macro(file: BinaryIO, name: str) -> ImportedTable:
    """Return NAS-Bench-Macro as a benchmark table, three rows (runs) an architecture.

    A file with only a part of the architectures is welcome; the report says how much of the space it covers.

    Args:
        file: the JSON file: an object with an entry for each architecture.
        name: what to call the file in errors.

    Raises:
        DataError: the file is damaged, or its keys, fields, numbers or units are not those of the published one.
    """
    records = _read_records(file, name)
    architectures = architecture_keys(
        records, "architecture", re.compile(f"[{BLOCKS}]{{8}}"), "8 digits from 0 to 2", name
    )
    runs = np.stack([fractions(records, f"test_acc[{run}]", architectures, name) for run in range(RUNS)], axis=1)
    parameters = numbers(records, "params", architectures, name, ge=1, whole=True)
    macs = numbers(records, "flops", architectures, name, ge=1, whole=True)
    mean = fractions(records, "mean_acc", architectures, name)
    deviation = numbers(records, "std", architectures, name, ge=0, le=100) / 100

    about = pd.DataFrame(
        {
            "architecture": architectures,
            "trained_as": [network_of(architecture) for architecture in architectures],
            "dataset": "CIFAR-10",
            "epochs": EPOCHS,
            "source": SOURCE.name,
            "parameters": parameters,
            "macs": macs,
        }
    )
    parts = [about.assign(repeat=run, test_micro_accuracy=runs[:, run]) for run in range(RUNS)]
    exact_parameters, exact_macs = complexity(architectures)
    checks = (
        compare("parameters equal the closed form", parameters, exact_parameters, architectures),
        compare("MACs equal the closed form", macs, exact_macs, architectures),
        compare("mean_acc is the mean of the runs", mean, runs.mean(axis=1), architectures, tolerance=1e-9),
        compare("std is the population's of the runs", deviation, runs.std(axis=1), architectures, tolerance=1e-9),
        *(whole_counts(f"run {run} counts whole images", runs[:, run], 10_000, architectures) for run in range(RUNS)),
        *_same_network_checks(runs, about),
    )
    return ImportedTable(to_rows(parts, SCHEMA), SCHEMA, SOURCE, checks, {"networks": about["trained_as"].nunique()})


def _read_records(file: BinaryIO, name: str) -> pd.DataFrame:
    """Return the file's entries, one row each, with a column for each run.

    Raises:
        DataError: the file is no JSON, has a name twice, or an entry without the published fields.
    """
    entries = load_json(file, name)
    try:
        if not isinstance(entries, dict) or not entries:
            raise ValueError("expected an object with an entry for each architecture")
        rows = [{"architecture": key} | _flattened(key, entry) for key, entry in entries.items()]
    except ValueError as error:
        raise DataError(f"{name} is not NAS-Bench-Macro's file: {error}. Fetch it again.") from error
    return pd.DataFrame(rows)


def _flattened(architecture: str, entry: object) -> dict[str, Any]:
    if not isinstance(entry, dict) or set(entry) != set(_FIELDS):
        raise ValueError(f"the entry of {architecture[:40]!r} must have the fields {', '.join(_FIELDS)} and no others")
    runs = entry["test_acc"]
    if not isinstance(runs, list) or len(runs) != RUNS:
        raise ValueError(f"test_acc of {architecture[:40]!r} must be a list of {RUNS} accuracies")
    flat = {f"test_acc[{run}]": value for run, value in enumerate(runs)} | {name: entry[name] for name in _FIELDS[1:]}
    for name, value in flat.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name} of {architecture[:40]!r} must be a number, got {str(value)[:40]!r}")
    return flat


def _same_network_checks(runs: NDArray[np.float64], about: pd.DataFrame) -> list[Check]:
    """Compare each architecture's runs with those of the architecture that stands for its network."""
    table = pd.DataFrame(runs, index=pd.Index(about["architecture"]))
    expected = table.reindex(about["trained_as"])
    keys = about["architecture"].tolist()
    return [
        compare(f"run {run} is the same for all codes of a network", table[run], expected[run], keys)
        for run in range(RUNS)
    ]
