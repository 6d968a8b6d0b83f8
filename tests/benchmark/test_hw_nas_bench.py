"""Importing HW-NAS-Bench: rows by device, joining by NAS-Bench-201's index, checks, refusals, and the real table."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from terranas.benchmark import nasbench201
from terranas.benchmark.hw_nas_bench import NEEDED, SCHEMA, import_hw_nas_bench
from terranas.benchmark.imported import ImportedTable, store_import
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import DataError, TableError
from terranas.space.nasbench201 import SPACE_SIZE

from .checks import failed

MACS = {3: 7_783_040, 8: 113_951_360}
NAMES = {
    3: "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
    8: "|skip_connect~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|",
}


UNITS = "median latencies are of the order of milliseconds"


def cells() -> pd.DataFrame:
    """Return the imported table of NAS-Bench-201 with two cells, as far as the import needs it."""
    rows: list[dict[str, Any]] = []
    for index, name in NAMES.items():
        cell = {"architecture": name, "index": index, "dataset": "CIFAR-10", "device": ""}
        rows.append(cell | {"test_micro_accuracy": 0.9, "macs": float(MACS[index]), "latency_ms": np.nan})
        rows.append(cell | {"dataset": "CIFAR-100", "test_micro_accuracy": np.nan, "macs": 1.0})
        rows.append(cell | {"device": "FPGA", "latency_ms": 0.5 * index})
    return pd.DataFrame(rows)


def records(**changes: Any) -> pd.DataFrame:
    """Return rows as the published file has them, in descending order of the index."""
    index = np.array([8, 3])
    table = pd.DataFrame(
        {
            "idx": index,
            "edgegpu_latency": [5.5, 4.5],
            "edgegpu_energy": [25.0, 20.0],
            "raspi4_latency": [30.0, 0.0113],
            "edgetpu_latency": [-1.0, 0.9],
            "pixel3_latency": [11.0, 10.0],
            "eyeriss_latency": [6.0, 5.0],
            "eyeriss_energy": [-1.0, 0.9],
            "eyeriss_arithmetic_intensity": [14.0, -1.0],
            "fpga_latency": 0.5 * index,
            "fpga_energy": 3.5 * index,
            "flop": [(MACS[number] + 10) / 1e6 for number in index],
            "test_acc": [90.02, 89.98],
        }
    )
    return table.assign(**changes)


def imported(table: pd.DataFrame, known: pd.DataFrame | None = None) -> ImportedTable:
    file = io.BytesIO(table.to_csv(index=False).encode())
    return import_hw_nas_bench(file, "test.csv", cells() if known is None else known)


def test_rows_of_a_small_file() -> None:
    result = imported(records())
    assert failed(result) == {}
    table = result.table.set_index(["index", "device"])
    assert len(table) == 2 * 7 - 1  # the Edge TPU knows one of the two
    assert (8, "Edge TPU") not in table.index
    assert table.loc[(3, "Edge TPU"), "latency_ms"] == 0.9
    assert table.loc[(3, ""), ["architecture", "test_micro_accuracy", "macs"]].tolist() == [NAMES[3], 0.8998, MACS[3]]
    assert table.loc[(8, "Jetson TX2"), ["latency_ms", "inference_energy_mj"]].tolist() == [5.5, 25.0]
    assert np.isnan(table.loc[(8, "Eyeriss"), "inference_energy_mj"])
    assert table.loc[(8, "Eyeriss"), "arithmetic_intensity"] == 14
    assert np.isnan(table.loc[(3, "Eyeriss"), "arithmetic_intensity"])
    measured = table[table.index.get_level_values("device") != ""]
    assert measured[["test_micro_accuracy", "macs"]].isna().all(axis=None)
    assert result.table["architecture"].is_monotonic_increasing


def test_an_energy_alone_makes_a_row() -> None:
    table = imported(records(edgegpu_latency=[-1.0, 4.5])).table.set_index(["index", "device"])
    assert table.loc[(8, "Jetson TX2"), "inference_energy_mj"] == 25
    assert np.isnan(table.loc[(8, "Jetson TX2"), "latency_ms"])


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"flop": [20.0, 30.0]}, "MACs equal the closed form"),
        ({"test_acc": [90.013, 89.98]}, "test_acc counts whole images"),
        ({"test_acc": [50.0, 60.0]}, "test_acc is near NAS-Bench-201's mean (median difference)"),
        ({"edgegpu_latency": [5.5e-3, 4.5e-3], "edgegpu_energy": [0.03, 0.02]}, UNITS),
        ({"edgetpu_latency": [-1.0, 900.0]}, UNITS),
        ({"edgegpu_energy": [0.025, 20.0]}, "energy over latency of Jetson TX2 is a power that it can draw (W)"),
        ({"eyeriss_energy": [-1.0, 900.0]}, "energy over latency of Eyeriss is a power that it can draw (W)"),
        ({"fpga_energy": [1.0, 2.0]}, "the energy of the FPGA is 7 W times its latency"),
        (
            {"fpga_latency": [5.0, 6.0], "fpga_energy": [35.0, 42.0]},
            "latency of FPGA equals that in the table of NAS-Bench-201",
        ),
    ],
)
def test_checks_find_wrong_values(change: dict[str, list[float]], check: str) -> None:
    assert list(failed(imported(records(**change)))) == [check]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="flop"), "missing: flop"),
        (lambda t: t.assign(color="red"), "unknown: color"),
        (lambda t: t.iloc[:0], "has no rows"),
        (lambda t: t.assign(idx=[3, 3]), "the idx 3 stands in two of them"),
        (lambda t: t.assign(idx=[3, 15_625]), "'15625' in the column idx for idx 15625"),
        (lambda t: t.assign(idx=["3", "1.5"]), "'1.5' in the column idx"),
        (lambda t: t.assign(idx=[3, 9]), "1 cells that the imported table .* the first one is idx 9"),
        (lambda t: t.assign(test_acc=[0.9, 0.8]), "look like fractions"),
        (lambda t: t.assign(test_acc=[9000, 89]), "'9000' in the column test_acc"),
        (lambda t: t.assign(test_acc=[90.0, -1.0]), "'-1.0' in the column test_acc"),
        (lambda t: t.assign(raspi4_latency=[1.0, -2.0]), "'-2.0' in the column raspi4_latency"),
        (lambda t: t.assign(raspi4_latency=["", "1"]), "'' in the column raspi4_latency"),
        (lambda t: t.assign(raspi4_latency=["nan", "1"]), "'nan' in the column raspi4_latency"),
    ],
)
def test_refused_files(change: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        imported(change(records()))


@pytest.mark.parametrize("extra", ["0,", "999,"])
def test_a_field_too_many_in_every_row_is_no_index(extra: str) -> None:
    header, *rows = records().to_csv(index=False).splitlines()
    for lines in ([f"{extra}{row}" for row in rows], [f"{row},{extra[:-1]}" for row in rows]):
        content = "\n".join([header, *lines]).encode()
        with pytest.raises(DataError, match=r"test\.csv .* row 0 has 14 fields, expected 13"):
            import_hw_nas_bench(io.BytesIO(content), "test.csv", cells())


def test_columns_are_compared_before_the_file_is_read() -> None:
    endless = b",".join(b"%x" % number for number in range(300_000)) + b"\n,,\n"
    for content, message in (
        (endless, r"test\.csv begins with a line of 1,730,095 bytes, expected the names of columns"),
        (b"idx,idx\n1,2\n", "missing: edgegpu_latency, .*; twice: idx"),
        (b'"idx\n1,2\n', "is no CSV file with a header"),
        (records().to_csv(index=False).encode() + b"8\n", "row 2 has 1 fields, expected 13"),
        (records().to_csv(index=False).encode() * 2, "in the column idx"),
        (b"".join(records().to_csv(index=False).encode().splitlines(True)[:1] + [b"," * 12 + b"\n"] * 15_626), "rows"),
    ):
        with pytest.raises(DataError, match=message):
            import_hw_nas_bench(io.BytesIO(content), "test.csv", cells())


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00binary", b'idx,flop\n1,"2\n'])
def test_files_that_are_no_csv(content: bytes) -> None:
    with pytest.raises(DataError, match=r"broken\.csv"):
        import_hw_nas_bench(io.BytesIO(content), "broken.csv", cells())


def test_published_table(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "nas-bench-201"
    if not folder.is_dir():
        pytest.skip(f"NAS-Bench-201's and HW-NAS-Bench's tables are not at {folder}")
    with (folder / "nasbench201_accuracy_latency.parquet").open("rb") as file:
        known = nasbench201.import_nasbench201(file, "cells").table[list(NEEDED)]
    with (folder / "hw_nas_bench_cifar10_12554.csv").open("rb") as file:
        result = import_hw_nas_bench(file, "records", known)
    assert failed(result) == {}
    compared = [check.compared for check in result.checks]
    assert compared == [12_554, 12_554, 1, *[12_554] * 4, 6, 6, *[12_554] * 3]
    assert result.table["device"].value_counts().to_dict() == {
        **dict.fromkeys(["", "Jetson TX2", "Raspberry Pi 4", "Pixel 3", "Eyeriss", "FPGA"], 12_554),
        "Edge TPU": 8_786,
    }
    permuted = known.assign(index=np.random.default_rng(0).permutation(SPACE_SIZE)[known["index"]])
    with (folder / "hw_nas_bench_cifar10_12554.csv").open("rb") as file:
        found = failed(import_hw_nas_bench(file, "records", permuted))
    assert {"MACs equal the closed form", "latencies grow with MACs (rank correlation)"} < set(found)
    assert sum(name.startswith("latency of ") for name in found) == 4
    store_import(result, tmp_path / "table.parquet", tmp_path / "report.json")
    benchmark = TabularBenchmark.open(tmp_path / "table.parquet", device="Jetson TX2")
    assert benchmark.epochs == 200
    values = benchmark.values(["inference_energy_mj", "latency_ms", "macs"])
    assert values.shape == (12_554, 3)
    assert not np.isnan(values).any()
    assert [column.name for column in SCHEMA.columns if column.measured] == ["latency_ms", "inference_energy_mj"]
    # energy has no default device, the intensity of Eyeriss needs none
    unchosen = TabularBenchmark.open(tmp_path / "table.parquet")
    assert not np.isnan(unchosen.values(["arithmetic_intensity", "inference_energy_mj@FPGA"])).any()
    with pytest.raises(TableError, match="'inference_energy_mj' was measured on 3 devices"):
        unchosen.values(["inference_energy_mj"])
