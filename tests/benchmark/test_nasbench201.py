"""Importing NAS-Bench-201: closed forms against built networks, checks, refusals, and the real table."""

import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from terranas.benchmark.imported import ImportedTable, store_import
from terranas.benchmark.nasbench201 import (
    CIFAR10,
    CIFAR10_HALF,
    SCHEMA,
    import_nasbench201,
    macs_of,
    parameters_of,
)
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import DataError
from terranas.core.tables import read_attributes, read_table
from terranas.space.nasbench201 import EDGES, OPERATIONS, SPACE_SIZE, has_path, parse_cells

from .checks import failed

GPUS = [f"lat_{gpu}_{batch}" for gpu in ("1080ti", "2080ti", "titan_rtx", "titanx") for batch in (1, 32, 256)]
OTHERS = ("essential_ph_1", "eyeriss", "fpga", "gold_6240", "pixel2", "pixel3", "raspi4", "samsung_a50")
PHONES = ("lat_essential_ph_1", "lat_pixel2", "lat_samsung_a50")
LATENCIES = [*GPUS, *(f"lat_{name}" for name in OTHERS), "lat_silver_4114", "lat_silver_4210r"]


def text_of(*operations: str) -> str:
    a, b, c, d, e, f = operations
    return f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"


CONVOLUTIONS = text_of(*["nor_conv_3x3"] * 6)
SMALL = text_of("nor_conv_1x1", "none", "skip_connect", "none", "none", "avg_pool_3x3")
CUT = text_of("nor_conv_3x3", "none", "none", "none", "none", "nor_conv_1x1")
ALSO_CUT = text_of("none", "none", "none", "none", "none", "none")
SAMPLE = [
    CONVOLUTIONS,
    SMALL,
    CUT,
    text_of("none", "avg_pool_3x3", "nor_conv_1x1", "skip_connect", "nor_conv_3x3", "none"),
]


FIRST = text_of("avg_pool_3x3", "nor_conv_1x1", "skip_connect", "nor_conv_1x1", "skip_connect", "skip_connect")
IDX = {FIRST: 0}


# --- the published network, built plainly ---------------------------------------------------------------------------


def conv(before: int, after: int, kernel: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.ReLU(), nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(after)
    )


class CellModule(nn.Module):
    def __init__(self, operations: list[str], channels: int) -> None:
        super().__init__()
        made = {
            "nor_conv_1x1": lambda: conv(channels, channels, 1),
            "nor_conv_3x3": lambda: conv(channels, channels, 3),
        }
        others = {"skip_connect": nn.Identity, "avg_pool_3x3": lambda: nn.AvgPool2d(3, 1, 1), "none": nn.Identity}
        self.edges = nn.ModuleList((made | others)[name]() for name in operations)
        self.weights = [float(name != "none") for name in operations]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        vertices = [images]
        for vertex in (1, 2, 3):
            into = [(row, start) for row, (start, end) in enumerate(EDGES) if end == vertex]
            vertices.append(sum(self.weights[row] * self.edges[row](vertices[start]) for row, start in into))
        return vertices[3]


class Residual(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.long = nn.Sequential(conv(before, after, 3, 2), conv(after, after, 3))
        self.short = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(before, after, 1, bias=False))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.long(images) + self.short(images)


def built(cell: str, classes: int) -> nn.Module:
    operations = [OPERATIONS[label] for label in parse_cells([cell])[0]]
    stages = [[CellModule(operations, channels) for _ in range(5)] for channels in (16, 32, 64)]
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        *stages[0],
        Residual(16, 32),
        *stages[1],
        Residual(32, 64),
        *stages[2],
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, classes),
    )


@pytest.mark.parametrize("cell", SAMPLE)
@pytest.mark.parametrize(("classes", "size"), [(10, 32), (120, 16)])
def test_closed_forms_equal_the_built_network(cell: str, classes: int, size: int) -> None:
    with torch.device("meta"):
        network = built(cell, classes).eval()
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(1, 3, size, size))
    labels = parse_cells([cell])
    assert parameters_of(labels, classes)[0] == sum(weights.numel() for weights in network.parameters())
    assert macs_of(labels, classes, size)[0] == counter.get_total_flops() // 2


# --- small files in the published form ------------------------------------------------------------------------------


def records(*cells: str, **changes: Any) -> pd.DataFrame:
    """Return rows as the published file has them, with numbers that agree with each other."""
    labels = parse_cells(list(cells))
    path = has_path(labels != 0)
    table = pd.DataFrame(
        {
            "idx": [IDX.get(cell, 40 + row) for row, cell in enumerate(cells)],
            "cellstr": list(cells),
            "params_M": parameters_of(labels, 10) / 1e6,
            "cifar10_test": np.where(path, 93.25, 10.0),
            "cifar10_valid_train": np.where(path, 90.004, 9.712),
            "cifar10_valid_test": np.where(path, 89.995, 10.0),
        }
    )
    for position, column in enumerate(LATENCIES):
        table[column] = (1.0 if column in PHONES else 1.5) + position + np.arange(len(cells))
    for stem, value, chance in (
        ("cifar10", 90.01, 10.0),
        ("cifar100", 70.02, 1.0),
        ("ImageNet16-120", 40.1, 100 / 120),
    ):
        table[f"{stem}_val_naslib"] = np.where(path, value, chance)
        table[f"{stem}_zen"] = np.where(path, 80.5, -1e8)
    for column, value in changes.items():
        table[column] = value
    return table


def imported(table: pd.DataFrame) -> ImportedTable:
    file = io.BytesIO()
    table.to_parquet(file, index=False)
    file.seek(0)
    return import_nasbench201(file, "test.parquet")


def test_rows_of_a_small_file() -> None:
    result = imported(records(*SAMPLE))
    assert failed(result) == {}
    table = result.table
    assert len(table) == len(SAMPLE) * (4 + len(LATENCIES))
    keys = list(SCHEMA.key)
    pd.testing.assert_frame_equal(table, table.sort_values(keys, ignore_index=True))
    of_cell = table[(table["architecture"] == CONVOLUTIONS) & (table["epochs"] == 200) & (table["repeat"] == 0)]
    by_images = of_cell[of_cell["device"] == ""].set_index("dataset")
    assert by_images.loc[CIFAR10, "test_micro_accuracy"] == 0.9325
    assert np.isnan(by_images.loc[CIFAR10, "validation_micro_accuracy"])
    half = by_images.loc[
        CIFAR10_HALF, ["validation_micro_accuracy", "test_micro_accuracy", "evaluation_micro_accuracy"]
    ]
    assert half.tolist() == pytest.approx([0.90004, 0.89995, 0.9001])
    assert by_images["evaluation_micro_accuracy"].notna().to_dict() == {
        CIFAR10: False,
        CIFAR10_HALF: True,
        "CIFAR-100": True,
        "ImageNet16-120": True,
    }
    # 65 parameters for each further class
    assert by_images.loc["CIFAR-100", "parameters"] - by_images.loc[CIFAR10, "parameters"] == 90 * 65
    on_devices = of_cell[of_cell["device"] != ""].set_index("device")
    assert on_devices.loc["GTX 1080 Ti, batch 1", ["latency_ms", "source"]].tolist() == [1.5, "HELP"]
    assert on_devices.loc["Raspberry Pi 4", "source"] == "HW-NAS-Bench"
    assert on_devices["parameters"].isna().all()
    assert table.loc[table["architecture"] == CUT, "zen_score"].isna().all()


def test_counts_averaged_over_other_cells_are_replaced() -> None:
    """The mean over three runs, two of which had a 1x1 convolution less, is no disagreement; a whole one less is."""
    table = records(*SAMPLE)
    table.loc[1, "params_M"] -= 2 / 3 * 28_000 / 1e6
    result = imported(table)
    assert failed(result) == {}
    assert result.facts["parameters_averaged_over_other_cells"] == 1
    pd.testing.assert_frame_equal(result.table, imported(records(*SAMPLE)).table)
    table.loc[1, "params_M"] = records(SMALL)["params_M"][0] - 28_000 / 1e6
    assert list(failed(imported(table))) == ["parameters equal the closed form"]


@pytest.mark.parametrize(
    ("column", "value", "check"),
    [
        ("cifar10_test", 93.2512, "cifar10_test counts whole images"),
        ("cifar100_val_naslib", 70.01, "cifar100_val_naslib counts whole images"),
        ("cifar10_val_naslib", 85.0, "NASLib's CIFAR-10 run is near the mean test accuracy (median difference)"),
        ("cifar10_zen", -1e8, "only cells without a path have no zen_score"),
        ("idx", [40, 41, 42], "cells have the numbers that NAS-Bench-201 gives them"),
        ("lat_pixel2", [14.2, 15.0, 16.0], "lat_pixel2 is in whole milliseconds"),
        ("lat_fpga", 1.5e3, "median latencies are of the order of milliseconds"),
        ("lat_raspi4", 25e-3, "median latencies are of the order of milliseconds"),
        ("lat_titanx_256", 1.0, "titanx: a batch of 256 takes 1 to 8 times one of 32"),
        ("lat_titanx_256", 200.0, "titanx: a batch of 256 takes 1 to 8 times one of 32"),
    ],
)
def test_checks_find_wrong_values(column: str, value: float, check: str) -> None:
    assert failed(imported(records(CONVOLUTIONS, SMALL, FIRST))) == {}
    assert list(failed(imported(records(CONVOLUTIONS, SMALL, FIRST, **{column: value})))) == [check]


def test_cells_without_a_path_do_not_count_for_units() -> None:
    assert failed(imported(records(CUT, ALSO_CUT, SMALL, lat_raspi4=[0.0113, 0.0113, 3.0]))) == {}


def test_a_cell_without_a_path_must_be_at_chance() -> None:
    assert list(failed(imported(records(CUT, SMALL, cifar10_test=20.0)))) == [
        "cifar10_test of cells without a path from input to output is chance"
    ]


def test_disagreement_is_an_error_or_reported(tmp_path: Path) -> None:
    result = imported(records(CONVOLUTIONS, SMALL, params_M=1.0))
    with pytest.raises(DataError, match="'parameters equal the closed form' fails for 2 of 2 values"):
        store_import(result, tmp_path / "table.parquet", tmp_path / "report.json")
    assert list(tmp_path.iterdir()) == []
    store_import(result, tmp_path / "table.parquet", tmp_path / "report.json", tolerate=True)
    stored = read_table(tmp_path / "table.parquet", SCHEMA)
    assert set(stored.loc[stored["device"] == "", "parameters"]) >= {1e6}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns=["idx", "lat_fpga"]), "missing: idx, lat_fpga"),
        (lambda t: t.assign(lat_toaster=1.0), "unknown: lat_toaster"),
        (lambda t: t.iloc[:0], "has no rows"),
        (lambda t: pd.concat([t, t]), "the architecture .* stands in two of them"),
        (lambda t: t.assign(idx=7), "the index 7 stands in two of them"),
        (
            lambda t: t.assign(idx=[0, SPACE_SIZE]),
            "'15625' in the column idx .* expected a whole number from 0 up to 15624",
        ),
        (lambda t: t.assign(idx=[0.0, 0.5]), "'0.5' in the column idx"),
        (
            lambda t: t.assign(cellstr=t["cellstr"].str.replace("conv", "pool")),
            "names the architecture .* operations none",
        ),
        (lambda t: t.assign(cellstr=t["cellstr"].str[:-1]), "names the architecture"),
        (lambda t: t.assign(cifar10_test=np.nan), "'nan' in the column cifar10_test"),
        (lambda t: t.assign(cifar10_test=t["cifar10_test"] / 100), "look like fractions"),
        (lambda t: t.assign(cifar10_test=t["cifar10_test"] * 100), "'9325.0' in the column cifar10_test"),
        (lambda t: t.assign(lat_fpga=-1.0), "'-1.0' in the column lat_fpga"),
        (lambda t: t.assign(lat_fpga="fast"), "'fast' in the column lat_fpga"),
        (lambda t: t.assign(lat_fpga=np.inf), "'inf' in the column lat_fpga"),
        (lambda t: t.assign(lat_fpga=[[1.0], [2.0]]), "has lists in the column lat_fpga, expected numbers or text"),
        (lambda t: t.assign(cellstr=[["a"], ["b"]]), "has lists in the column cellstr"),
        (lambda t: t.assign(lat_fpga=pd.Timestamp("2020-01-01")), "'2020-01-01 00:00:00' in the column lat_fpga for"),
        (lambda t: t.assign(lat_fpga=pd.Timedelta("1s")), "in the column lat_fpga for .* expected a number"),
        (lambda t: t.assign(lat_fpga=[True, False]), "'True' in the column lat_fpga for .* 2 such values"),
        (lambda t: t.assign(lat_fpga=pd.array([None, True])), "in the column lat_fpga for"),
        (lambda t: t.assign(cellstr=7), "names the architecture '7' in row 0"),
    ],
)
def test_refused_files(change: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        imported(change(records(CONVOLUTIONS, SMALL)))


def test_damaged_parquet() -> None:
    with pytest.raises(DataError, match=r"broken\.parquet is no readable parquet file"):
        import_nasbench201(io.BytesIO(b"PAR1 but nothing else"), "broken.parquet")


def parquet(table: pd.DataFrame) -> io.BytesIO:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), file, compression="zstd")
    return io.BytesIO(file.getvalue())


def test_what_a_parquet_file_unpacks_to_is_asked_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of some kilobytes that would take gigabytes: many rows, long values, and one long text in every row."""
    read: list[None] = []
    whole = pq.ParquetFile.read
    monkeypatch.setattr(pq.ParquetFile, "read", lambda self, **options: read.append(None) or whole(self, **options))
    rows = records(CONVOLUTIONS)
    with pytest.raises(DataError, match=r"test\.parquet has more than 15,625 rows"):
        import_nasbench201(parquet(rows.loc[[0] * (SPACE_SIZE + 1)]), "test.parquet")
    with pytest.raises(DataError, match=r"does not have the columns .* unknown: 0, 1, 10, 100, 1000, 2,990 more"):
        import_nasbench201(parquet(pd.DataFrame(0, index=[0], columns=map(str, range(2_995)))), "test.parquet")
    with pytest.raises(DataError, match=r"test\.parquet is no readable parquet file"):
        import_nasbench201(parquet(pd.DataFrame(0, index=[0], columns=map(str, range(20_000)))), "test.parquet")
    with pytest.raises(DataError, match=r"test\.parquet unpacks to 20,\d{3},\d{3} bytes, expected at most 16,777,216"):
        import_nasbench201(parquet(rows.assign(cellstr="x" * 20_000_000)), "test.parquet")
    assert not read
    text = pd.Categorical.from_codes(np.zeros(SPACE_SIZE, dtype=int), ["x" * 1_000_000])  # 16 GB as plain texts
    file = parquet(rows.loc[[0] * SPACE_SIZE].assign(cellstr=text))
    with pytest.raises(DataError, match="has a text of 1,000,000 bytes in the column cellstr, expected at most 1,000"):
        import_nasbench201(file, "test.parquet")
    assert failed(import_nasbench201(parquet(rows), "test.parquet")) == {}


def test_texts_may_stand_in_a_dictionary() -> None:
    rows = records(*SAMPLE)
    result = imported(rows.assign(cellstr=rows["cellstr"].astype("category")))
    pd.testing.assert_frame_equal(result.table, imported(rows).table)


# --- the published table --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ImportedTable, Path]:
    path = shared_data / "nas-bench-201" / "nasbench201_accuracy_latency.parquet"
    if not path.is_file():
        pytest.skip(f"NAS-Bench-201's table is not at {path}")
    with path.open("rb") as file:
        result = import_nasbench201(file, path.name)
    stored = tmp_path_factory.mktemp("nasbench201") / "table.parquet"
    store_import(result, stored, stored.with_suffix(".json"))
    return result, stored


def test_published_table_passes_all_checks(published: tuple[ImportedTable, Path]) -> None:
    result, _ = published
    assert failed(result) == {}
    compared = {check.name: check.compared for check in result.checks}
    assert compared["parameters equal the closed form"] == SPACE_SIZE - 204
    assert compared["cifar10_test of cells without a path from input to output is chance"] == 341
    assert result.facts["parameters_averaged_over_other_cells"] == 204
    assert len(result.table) == SPACE_SIZE * 26
    cells = {text_of(*operations) for operations in itertools.product(OPERATIONS, repeat=6)}
    assert set(result.table["architecture"]) == cells


def test_published_optima(published: tuple[ImportedTable, Path]) -> None:
    """The best accuracies of the paper's table of search results, and the first cell of the benchmark's own list."""
    result, path = published
    cifar10 = TabularBenchmark.open(path, dataset=CIFAR10, device="FPGA")
    half = TabularBenchmark.open(path, dataset=CIFAR10_HALF)
    assert round(float(cifar10.values(["test_micro_accuracy"]).max()), 4) == 0.9437
    assert round(float(half.values(["validation_micro_accuracy"]).max()), 4) == 0.9161
    first = result.table.loc[result.table["index"] == 0, "architecture"].unique().tolist()
    assert first == [
        text_of("avg_pool_3x3", "nor_conv_1x1", "skip_connect", "nor_conv_1x1", "skip_connect", "skip_connect")
    ]
    assert cifar10.values(["macs", "latency_ms"], first).tolist() == [[15_647_360, 2.57296]]
    assert read_attributes(path)["space_size"] == SPACE_SIZE


UNITS = "median latencies are of the order of milliseconds"
ORDER = "latencies grow with MACs (rank correlation)"
LAUNCHING = "GPUs with batches of 1 and 32 rank cells alike (rank correlation)"


@pytest.fixture(scope="module")
def file(shared_data: Path) -> pd.DataFrame:
    return pd.read_parquet(shared_data / "nas-bench-201" / "nasbench201_accuracy_latency.parquet")


@pytest.mark.parametrize(
    ("change", "checks"),
    [
        (lambda t: t.assign(lat_pixel2=t["lat_pixel2"] * 1000), {UNITS}),
        (lambda t: t.assign(lat_raspi4=t["lat_raspi4"] / 1000), {UNITS}),
        (lambda t: t.assign(lat_fpga=1e3 / t["lat_fpga"]), {ORDER}),
        (lambda t: t.assign(lat_eyeriss=t["lat_eyeriss"].to_numpy()[::-1]), {ORDER}),
        (lambda t: t.assign(lat_eyeriss=5.0), {ORDER}),
        (
            lambda t: t.rename(columns={"lat_1080ti_1": "lat_titanx_256", "lat_titanx_256": "lat_1080ti_1"}),
            {LAUNCHING, "titanx: a batch of 256 takes 1 to 8 times one of 32"},
        ),
        (
            lambda t: t.rename(columns={"lat_1080ti_256": "lat_2080ti_256", "lat_2080ti_256": "lat_1080ti_256"}),
            {"RTX 2080 Ti and Titan RTX with batches of 256 rank cells alike (rank correlation)"},
        ),
        (
            lambda t: t.rename(columns={"lat_1080ti_1": "lat_titan_rtx_1", "lat_titan_rtx_1": "lat_1080ti_1"}),
            {"1080ti: a batch of 32 takes as long as an image (median ratio)"},
        ),
        (
            lambda t: t.rename(columns={"lat_raspi4": "lat_fpga", "lat_fpga": "lat_raspi4"}),
            {"Raspberry Pi 4 and Pixel 3 rank cells alike (rank correlation)"},
        ),
        (
            lambda t: t.rename(columns={"lat_gold_6240": "lat_pixel2", "lat_pixel2": "lat_gold_6240"}),
            {"lat_pixel2 is in whole milliseconds", "Xeon processors rank cells alike (rank correlation)"},
        ),
        (
            lambda t: t.assign(idx=np.roll(t["idx"], 1)),
            {"cells have the numbers that NAS-Bench-201 gives them"},
        ),
    ],
)
def test_wrong_units_and_swapped_columns_of_the_published_table_are_found(
    file: pd.DataFrame, change: Any, checks: set[str]
) -> None:
    assert set(failed(imported(change(file)))) >= checks
