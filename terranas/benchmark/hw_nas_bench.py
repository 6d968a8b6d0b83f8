"""Importing HW-NAS-Bench (Li et al., ICLR 2021): what cells of NAS-Bench-201 cost on six devices, for CIFAR-10.

The file numbers its cells as NAS-Bench-201 does; the imported table of NAS-Bench-201 tells which cell that is.
"""

from typing import BinaryIO, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark import nasbench201
from terranas.benchmark.cost_checks import latency_checks
from terranas.benchmark.imported import ImportedTable, Source
from terranas.benchmark.nasbench201 import (
    CIFAR10,
    EPOCHS,
    EYERISS,
    FPGA,
    INDEX,
    KEY,
    PIXEL3,
    RASPBERRY,
)
from terranas.benchmark.published import (
    fractions,
    numbers,
    read_csv,
    require_unique,
    to_rows,
    whole_counts,
)
from terranas.benchmark.schema import metrics_named, table_schema
from terranas.benchmark.validation import Check, compare, within
from terranas.core.errors import DataError
from terranas.core.tables import Column
from terranas.space.nasbench201 import OPERATIONS, SPACE_SIZE, has_path, parse_cells


class _Device(NamedTuple):
    """A device, and the columns of the file that hold its metrics (None: the file has none)."""

    name: str
    latency: str
    energy: str | None = None
    intensity: str | None = None


_DEVICES = (
    _Device("Jetson TX2", "edgegpu_latency", "edgegpu_energy"),
    _Device(RASPBERRY, "raspi4_latency"),
    _Device("Edge TPU", "edgetpu_latency"),
    _Device(PIXEL3, "pixel3_latency"),
    _Device(EYERISS, "eyeriss_latency", "eyeriss_energy", "eyeriss_arithmetic_intensity"),
    _Device(FPGA, "fpga_latency", "fpga_energy"),
)
_MEASUREMENTS = [column for device in _DEVICES for column in device[1:] if column is not None]
_COLUMNS = ("idx", *_MEASUREMENTS, "flop", "test_acc")
_UNKNOWN = -1.0
_FPGA_WATTS = 7.0

# mean power while a network runs; a wrong unit is a factor of a thousand away
_WATTS: dict[str, tuple[float, float]] = {
    "Jetson TX2": (0.5, 20.0),  # the maker lets a Jetson TX2 draw 7.5 or 15 W; the file has 3.4 to 5.8 W
    EYERISS: (0.02, 2.0),  # the chip draws some 0.3 W; the file has 0.17 to 0.21 W
}
_CLASSES = 10

NEEDED = ("architecture", "index", "dataset", "device", "test_micro_accuracy", "macs", "latency_ms")
"""Columns of the imported table of NAS-Bench-201 that the import looks into."""

SCHEMA = table_schema(
    "benchmark.hw_nas_bench",
    KEY,
    (
        *metrics_named("test_micro_accuracy", "macs", "latency_ms"),
        Column(
            "inference_energy_mj",
            "float64",
            "energy spent on one image",
            unit="mJ",
            direction="minimise",
            measured=True,
            per_device=True,
            ge=0,
        ),
        Column(
            "arithmetic_intensity",
            "float64",
            "operations for each byte moved",
            unit="op/B",
            direction="maximise",
            per_device=True,
            ge=0,
        ),
    ),
    version=1,
    about=(INDEX,),
)

SOURCE = Source(
    name="HW-NAS-Bench",
    space="NAS-Bench-201",
    space_size=SPACE_SIZE,
    licence="MIT",
    citation="C. Li, Z. Yu, Y. Fu, Y. Zhang, Y. Zhao, H. You, Q. Yu, Y. Wang, Y. Lin. HW-NAS-Bench: Hardware-Aware "
    "Neural Architecture Search Benchmark. ICLR 2021.",
    notes=(
        "Latencies and energies are for one CIFAR-10 image; those of Eyeriss and FPGA are estimates, not measurements.",
        f"The energy of the FPGA is {_FPGA_WATTS:g} W times its latency for every cell: as an objective it says "
        "nothing that latency does not.",
        "The published flop counts multiply-accumulates in millions, and ten additions of biases; macs leaves these "
        "out.",
        "test_micro_accuracy is a single run of a network trained on all CIFAR-10 training images; the table of "
        "NAS-Bench-201 has the mean over runs.",
        "Taken on trust: the arithmetic intensity, and the latency of the Edge TPU but for its unit.",
        "A value of -1 is not known and has no row (cells on the Edge TPU, among them all without a path from input to "
        "output).",
        "Latencies far below 1 ms on Raspberry Pi 4 and Pixel 3 belong to cells without a path from input to output, "
        "most of whose network the compiler drops.",
    ),
)


def import_hw_nas_bench(file: BinaryIO, name: str, cells: pd.DataFrame) -> ImportedTable:
    """Return HW-NAS-Bench as a benchmark table.

    A row without a device has a cell's accuracy and MACs, a row with one what the cell costs on it.

    Args:
        file: the CSV file, one row a cell.
        name: what to call the file in errors.
        cells: imported table of NAS-Bench-201, at least its columns :data:`NEEDED`.

    Raises:
        DataError: the file is damaged, its columns, numbers or units are not those of the published one, or a cell is
            not in the table of NAS-Bench-201.
    """
    records = read_csv(file, name, _COLUMNS, SPACE_SIZE)
    keys = [f"idx {index}" for index in records["idx"]]
    index = numbers(records, "idx", keys, name, ge=0, le=SPACE_SIZE - 1, whole=True).astype(np.int64)
    require_unique(index.tolist(), "idx", name)
    known = cells[(cells["device"] == "") & (cells["dataset"] == CIFAR10)].set_index("index")
    absent = ~np.isin(index, known.index)
    if absent.any():
        raise DataError(
            f"{name} has {int(absent.sum()):,} cells that the imported table of NAS-Bench-201 does not have; the first "
            f"one is idx {index[absent][0]}. Import NAS-Bench-201's file of all {SPACE_SIZE:,} cells."
        )
    known = known.loc[index]
    architectures = known["architecture"].tolist()
    accuracy = fractions(records, "test_acc", architectures, name)
    # the ten additions of biases are no multiply-accumulates
    macs = np.round(numbers(records, "flop", architectures, name, ge=0) * 1e6, 3) - _CLASSES
    measured = {
        column: numbers(records, column, architectures, name, ge=0, unknown=_UNKNOWN) for column in _MEASUREMENTS
    }

    about = pd.DataFrame(
        {"architecture": architectures, "index": index, "dataset": CIFAR10, "epochs": EPOCHS, "repeat": 0}
    ).assign(source=SOURCE.name)
    parts = [about.assign(test_micro_accuracy=accuracy, macs=macs)]
    for device in _DEVICES:
        rows = about.assign(device=device.name, latency_ms=measured[device.latency])
        if device.energy is not None:
            rows["inference_energy_mj"] = measured[device.energy]
        if device.intensity is not None:
            rows["arithmetic_intensity"] = measured[device.intensity]
        found = np.zeros(len(rows), dtype=np.bool_)
        for column in device[1:]:
            found |= ~np.isnan(measured[column]) if column is not None else False
        parts.append(rows[found])

    apart = np.median(np.abs(accuracy - known["test_micro_accuracy"].to_numpy()))
    checks = (
        compare("MACs equal the closed form", macs, known["macs"], architectures, tolerance=0.01),
        whole_counts("test_acc counts whole images", accuracy, 10_000, architectures),
        compare(
            "test_acc is near NAS-Bench-201's mean (median difference)",
            [apart],
            [0.0],
            ["the median"],
            tolerance=0.005,
        ),
        *_latency_checks(measured, cells, index, architectures),
        *latency_checks(
            {device.name: measured[device.latency] for device in _DEVICES},
            known["macs"].to_numpy(),
            has_path(parse_cells(architectures) != OPERATIONS.index("none")),
        ),
        *_power_checks(measured, architectures),
        compare(
            f"the energy of the FPGA is {_FPGA_WATTS:g} W times its latency",
            measured["fpga_energy"],
            _FPGA_WATTS * measured["fpga_latency"],
            architectures,
            tolerance=1e-9,
            relative=True,
        ),
    )
    return ImportedTable(to_rows(parts, SCHEMA), SCHEMA, SOURCE, checks)


def _power_checks(measured: dict[str, NDArray[np.float64]], architectures: list[str]) -> list[Check]:
    """Compare energy over latency, the mean power, with what a device can draw."""
    checks = []
    for device in _DEVICES:
        if device.energy is not None and device.name in _WATTS:
            latency = np.where(measured[device.latency] > 0, measured[device.latency], np.nan)
            name = f"energy over latency of {device.name} is a power that it can draw (W)"
            checks.append(within(name, measured[device.energy] / latency, *_WATTS[device.name], architectures))
    return checks


def _latency_checks(
    measured: dict[str, NDArray[np.float64]],
    cells: pd.DataFrame,
    index: NDArray[np.int64],
    architectures: list[str],
) -> list[Check]:
    """Compare the latencies that the table of NAS-Bench-201 has too."""
    checks = []
    for device in _DEVICES:
        latencies = cells[cells["device"] == device.name].set_index("index")["latency_ms"]
        if len(latencies):
            checks.append(
                compare(
                    f"latency of {device.name} equals that in the table of {nasbench201.SOURCE.name}",
                    measured[device.latency],
                    latencies.reindex(index),
                    architectures,
                    tolerance=1e-9,
                    relative=True,
                )
            )
    return checks
