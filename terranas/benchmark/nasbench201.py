"""Importing NAS-Bench-201 (Dong and Yang, ICLR 2020) with the device latencies of HELP and HW-NAS-Bench.

Fifteen copies of a cell (:mod:`terranas.space.nasbench201`), five each with 16, 32 and 64 channels, and two residual
blocks that halve the image between them make the network.
"""

import itertools
from typing import BinaryIO, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.cost_checks import device_checks, latency_checks
from terranas.benchmark.imported import ImportedTable, Source
from terranas.benchmark.published import (
    architecture_keys,
    fractions,
    numbers,
    read_parquet,
    require_unique,
    to_rows,
    whole_counts,
)
from terranas.benchmark.schema import metrics_named, table_schema
from terranas.benchmark.validation import Check, compare
from terranas.core.tables import Column
from terranas.space.nasbench201 import NOTATION, NOTATION_HINT, OPERATIONS, SPACE_SIZE, has_path, parse_cells

EPOCHS = 200

CIFAR10 = "CIFAR-10"
CIFAR10_HALF = "CIFAR-10 (half for validation)"


class _Images(NamedTuple):
    """A set of images: its name in terranas and in the file, its classes, and height and width in pixels."""

    name: str
    stem: str
    classes: int
    size: int


_SETS = (
    _Images(CIFAR10, "cifar10", 10, 32),
    _Images(CIFAR10_HALF, "cifar10_valid", 10, 32),
    _Images("CIFAR-100", "cifar100", 100, 32),
    _Images("ImageNet16-120", "ImageNet16-120", 120, 16),
)

_BATCHES = (1, 32, 256)
_GPUS = {"1080ti": "GTX 1080 Ti", "2080ti": "RTX 2080 Ti", "titanx": "Titan X", "titan_rtx": "Titan RTX"}
_HELP = {f"lat_{code}_{batch}": f"{device}, batch {batch}" for code, device in _GPUS.items() for batch in _BATCHES} | {
    "lat_essential_ph_1": "Essential PH-1",
    "lat_gold_6240": "Xeon Gold 6240",
    "lat_pixel2": "Pixel 2",
    "lat_samsung_a50": "Samsung A50",
    "lat_silver_4114": "Xeon Silver 4114",
    "lat_silver_4210r": "Xeon Silver 4210R",
}
RASPBERRY, PIXEL3, EYERISS, FPGA = "Raspberry Pi 4", "Pixel 3", "Eyeriss", "FPGA"
_HW_NAS_BENCH = {"lat_raspi4": RASPBERRY, "lat_pixel3": PIXEL3, "lat_eyeriss": EYERISS, "lat_fpga": FPGA}

_COLUMNS = (
    *("idx", "cellstr", "params_M", "cifar10_test", "cifar10_valid_train", "cifar10_valid_test"),
    *_HELP,
    *_HW_NAS_BENCH,
    *(f"{stem}_{kind}" for stem in ("cifar10", "cifar100", "ImageNet16-120") for kind in ("val_naslib", "zen")),
)
_UNKNOWN_ZEN = -1e8

KEY = Column("architecture", "string", "the cell in NAS-Bench-201's notation")
INDEX = Column("index", "int64", "number of the cell in NAS-Bench-201", ge=0, le=SPACE_SIZE - 1)

SCHEMA = table_schema(
    "benchmark.nasbench201",
    KEY,
    (
        *metrics_named("validation_micro_accuracy", "test_micro_accuracy", "parameters", "macs", "latency_ms"),
        Column(
            "evaluation_micro_accuracy",
            "float64",
            "share of correct images in one run, as NASLib stores it: the test images of CIFAR-10, or one half of the "
            "test images of the others",
            direction="maximise",
            ge=0,
            le=1,
        ),
        Column(
            "zen_score",
            "float64",
            "zero-cost score Zen-NAS of the untrained network, computed by NASLib",
            direction="maximise",
        ),
    ),
    version=1,
    about=(INDEX,),
)

SOURCE = Source(
    name="NAS-Bench-201",
    space="NAS-Bench-201",
    space_size=SPACE_SIZE,
    licence="MIT AND Apache-2.0",
    citation="X. Dong, Y. Yang. NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search. ICLR "
    "2020. Latencies: H. Lee, S. Lee, S. Chong, S. J. Hwang. HELP: Hardware-Adaptive Efficient Latency Prediction for "
    "NAS via Meta-Learning. NeurIPS 2021; C. Li et al. HW-NAS-Bench: Hardware-Aware Neural Architecture Search "
    "Benchmark. ICLR 2021. Single runs and zero-cost scores: A. Krishnakumar et al. NAS-Bench-Suite-Zero: Accelerating "
    "Research on Zero Cost Proxies. NeurIPS 2022.",
    notes=(
        "Validation and test accuracies are means over the published runs of a cell, one to three, and stand as repeat "
        "0; evaluation_micro_accuracy is a single run.",
        f"'{CIFAR10}' is trained on all 50,000 training images; '{CIFAR10_HALF}' is trained on half of them and "
        "validated on the other half (cifar10-valid in NAS-Bench-201).",
        "NASLib calls evaluation_micro_accuracy a validation accuracy, but its CIFAR-10 values are multiples of "
        "1/10,000 and follow the test accuracy: they count test images. Those of CIFAR-100 (5,000 images) and "
        "ImageNet16-120 (3,000) count one half of the test images; NASLib does not say which.",
        "Parameters of a few cells are published as a mean over runs of cells with another number of convolutions "
        "(NATS-Bench issue 36); the table has the count of the cell itself.",
        "MACs, and the parameters for other sets of images than CIFAR-10, are computed for the published network.",
        "Latencies are for images of 32 x 32 pixels; the statistic over repeated measurements is not published. Those "
        "of Eyeriss and FPGA are estimates, not measurements.",
        "Taken on trust: the numbers of all but four cells (importing HW-NAS-Bench checks them by MACs and latencies); "
        "which of similar devices a latency belongs to (among the phones, the processors, GPUs of one chip, and GTX "
        "1080 Ti, RTX 2080 Ti and Titan X at batches of 1 and 32); which set of images a zen_score belongs to.",
        "Cells without a path from input to output (341 of all) classify at chance; compilers for mobile devices drop "
        "most of their network, hence latencies far below 1 ms. Their zen_score is not known.",
    ),
)

# cells whose numbers other programs that read NAS-Bench-201 tell too (NASLib's tests; examples of networks searched)
_NUMBERS = {
    "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|": 0,
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|": 1,
    "|nor_conv_1x1~0|+|nor_conv_3x3~0|none~1|+|nor_conv_3x3~0|skip_connect~1|nor_conv_3x3~2|": 2725,
    "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|nor_conv_1x1~0|nor_conv_3x3~1|nor_conv_3x3~2|": 10598,
}

_CHANNELS = (16, 32, 64)
_CELLS_PER_STAGE = 5
_KERNEL_AREA = np.array([{"nor_conv_1x1": 1, "nor_conv_3x3": 9}.get(name, 0) for name in OPERATIONS])


def parameters_of(labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Return the trainable parameters of cells' networks, shape (n,).

    Args:
        labels: operations, shape (n, 6).
        classes: classes of the images.
    """
    areas = _KERNEL_AREA[labels]
    total = np.full(len(labels), 3 * 9 * 16 + 2 * 16, dtype=np.int64)
    for channels in _CHANNELS:
        # scale and shift of the batch normalisation after a convolution make two parameters a channel
        total += _CELLS_PER_STAGE * (areas * channels**2 + (areas > 0) * 2 * channels).sum(axis=1)
    for before, after in itertools.pairwise(_CHANNELS):
        total += _residual_weights(before, after) + 2 * 2 * after
    return total + 2 * _CHANNELS[-1] + (_CHANNELS[-1] + 1) * classes


def macs_of(labels: NDArray[np.int64], classes: int, image_size: int) -> NDArray[np.int64]:
    """Return the multiply-accumulates of cells' networks for one image, shape (n,).

    Convolutions and the linear layer count; normalisation, activation, pooling, sums and biases do not. Arguments as
    in :func:`parameters_of`; ``image_size`` is height and width in pixels.
    """
    area = _KERNEL_AREA[labels].sum(axis=1)
    total = np.full(len(labels), 3 * 9 * 16 * image_size**2, dtype=np.int64)
    for stage, channels in enumerate(_CHANNELS):
        pixels = (image_size >> stage) ** 2
        total += pixels * _CELLS_PER_STAGE * area * channels**2
        if stage:
            total += pixels * _residual_weights(_CHANNELS[stage - 1], channels)
    return total + _CHANNELS[-1] * classes


def _residual_weights(before: int, after: int) -> int:
    """Return the weights of the block between stages: two 3x3 convolutions and a 1x1 one on the shortcut."""
    return 9 * before * after + 9 * after**2 + before * after


def import_nasbench201(file: BinaryIO, name: str) -> ImportedTable:
    """Return NAS-Bench-201 as a benchmark table.

    There is a row for each cell and set of images, without a device, and one for each cell and device, which has a
    latency only. A file with only a part of the cells is welcome; the report says how much of the space it covers.

    Args:
        file: the parquet file, one row a cell.
        name: what to call the file in errors.

    Raises:
        DataError: the file is damaged, or its columns, cells, numbers or units are not those of the published one.
    """
    records = read_parquet(file, name, _COLUMNS, SPACE_SIZE)
    architectures = architecture_keys(records, "cellstr", NOTATION, NOTATION_HINT, name)
    labels = parse_cells(architectures)
    index = numbers(records, "idx", architectures, name, ge=0, le=SPACE_SIZE - 1, whole=True).astype(np.int64)
    require_unique(index.tolist(), "index", name)
    accuracies = {
        column: fractions(records, column, architectures, name)
        for column in _COLUMNS
        if column.startswith(("cifar", "ImageNet")) and not column.endswith("_zen")
    }
    zen = {
        images.stem: numbers(records, f"{images.stem}_zen", architectures, name, ge=0, unknown=_UNKNOWN_ZEN)
        for images in _SETS
        if images.name != CIFAR10_HALF
    }
    published = np.round(numbers(records, "params_M", architectures, name, ge=0) * 1e6, 3)
    exact = parameters_of(labels, classes=10)
    averaged = _averaged_counts(published, exact)
    own = np.where(averaged, exact, published)

    about = pd.DataFrame({"architecture": architectures, "index": index, "epochs": EPOCHS, "repeat": 0})
    parts = [
        about.assign(
            dataset=images.name,
            source=SOURCE.name,
            validation_micro_accuracy=accuracies.get(f"{images.stem}_train", np.nan),
            test_micro_accuracy=accuracies.get(f"{images.stem}_test", np.nan),
            evaluation_micro_accuracy=_evaluation(accuracies, images),
            parameters=own + parameters_of(labels, images.classes) - exact,
            macs=macs_of(labels, images.classes, images.size),
            zen_score=zen.get(images.stem, np.nan),
        )
        for images in _SETS
    ]
    latencies: dict[str, NDArray[np.float64]] = {}
    for columns, measured_by in ((_HELP, "HELP"), (_HW_NAS_BENCH, "HW-NAS-Bench")):
        for column, device in columns.items():
            latencies[column] = numbers(records, column, architectures, name, ge=0)
            parts.append(about.assign(dataset=CIFAR10, source=measured_by, device=device, latency_ms=latencies[column]))

    compared = np.where(averaged, np.nan, exact)
    checks = (
        compare("parameters equal the closed form", published, compared, architectures, tolerance=0.01),
        *_accuracy_checks(accuracies, architectures),
        *_path_checks(accuracies, zen["cifar10"], labels, architectures),
        compare(
            "cells have the numbers that NAS-Bench-201 gives them",
            index,
            [_NUMBERS.get(architecture, np.nan) for architecture in architectures],
            architectures,
        ),
        *latency_checks(latencies, macs_of(labels, 10, 32), has_path(labels != OPERATIONS.index("none"))),
        *device_checks(latencies, architectures),
    )
    facts = {"parameters_averaged_over_other_cells": int(averaged.sum())}
    return ImportedTable(to_rows(parts, SCHEMA), SCHEMA, SOURCE, checks, facts)


def _evaluation(accuracies: dict[str, NDArray[np.float64]], images: _Images) -> NDArray[np.float64] | float:
    if images.name == CIFAR10:
        return np.nan
    # NASLib's run on CIFAR-10 is one of those trained on half of the training images
    stem = "cifar10" if images.name == CIFAR10_HALF else images.stem
    return accuracies[f"{stem}_val_naslib"]


def _averaged_counts(published: NDArray[np.float64], exact: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which counts are off by the mean over two or three runs, some of which had one convolution more or less.

    A count that is off by a whole convolution is none of these: it disagrees.
    """
    one_convolution = [
        _CELLS_PER_STAGE * sum(area * channels**2 + 2 * channels for channels in _CHANNELS) for area in (1, 9)
    ]
    shares = np.array([share * weights for share in (1 / 3, 1 / 2, 2 / 3) for weights in one_convolution])
    apart = np.abs(published - exact)
    found: NDArray[np.bool_] = (np.abs(apart[:, None] - shares) < 0.01).any(axis=1)
    return found


def _accuracy_checks(accuracies: dict[str, NDArray[np.float64]], architectures: list[str]) -> list[Check]:
    mean, single = (1, 2, 3), (1,)
    images = {
        "cifar10_test": (10_000, mean),
        "cifar10_valid_train": (25_000, mean),
        "cifar10_valid_test": (10_000, mean),
        "cifar10_val_naslib": (10_000, single),
        "cifar100_val_naslib": (5_000, single),
        "ImageNet16-120_val_naslib": (3_000, single),
    }
    checks = [
        whole_counts(f"{column} counts whole images", accuracies[column], number, architectures, runs=runs)
        for column, (number, runs) in images.items()
    ]
    apart = np.median(np.abs(accuracies["cifar10_val_naslib"] - accuracies["cifar10_valid_test"]))
    checks.append(
        compare(
            "NASLib's CIFAR-10 run is near the mean test accuracy (median difference)",
            [apart],
            [0.0],
            ["the median"],
            tolerance=0.005,
        )
    )
    whole = len(architectures) == SPACE_SIZE
    checks.append(
        compare(
            "the best accuracies are the paper's (CIFAR-10 test 94.37 %, validation 91.61 %)",
            [accuracies["cifar10_test"].max(), accuracies["cifar10_valid_train"].max()],
            [0.9437, 0.9161] if whole else [np.nan, np.nan],
            ["best test accuracy", "best validation accuracy"],
            tolerance=0.00005,
        )
    )
    return checks


def _path_checks(
    accuracies: dict[str, NDArray[np.float64]],
    zen: NDArray[np.float64],
    labels: NDArray[np.int64],
    architectures: list[str],
) -> list[Check]:
    cut = ~has_path(labels != OPERATIONS.index("none"))
    chance = {
        "cifar10_test": 1 / 10,
        "cifar10_valid_test": 1 / 10,
        "cifar100_val_naslib": 1 / 100,
        "ImageNet16-120_val_naslib": 1 / 120,
    }
    checks = [
        compare(
            f"{column} of cells without a path from input to output is chance",
            accuracies[column],
            np.where(cut, expected, np.nan),
            architectures,
            tolerance=1e-6,
        )
        for column, expected in chance.items()
    ]
    checks.append(
        compare("only cells without a path have no zen_score", np.isnan(zen), cut.astype(np.float64), architectures)
    )
    return checks
