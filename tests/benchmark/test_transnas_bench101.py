"""Importing TransNAS-Bench-101: both spaces, metrics by task, codes with leading zeros, checks, and the real tables."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from terranas.benchmark.imported import ImportedTable, store_import
from terranas.benchmark.tabular import TabularBenchmark
from terranas.benchmark.transnas_bench101 import SCHEMAS, Space, architectures_of, import_transnas_bench101
from terranas.core.errors import DataError

from .checks import failed

IMAGES = 20_096


def percent(correct: int) -> float:
    return 100 * correct / IMAGES


def records(*codes: str, **changes: Any) -> pd.DataFrame:
    values = {
        "autoencoder": 0.41,
        "class_object": percent(8_000),
        "class_scene": percent(10_000),
        "jigsaw": percent(19_000),
        "normal": -0.02,
        "room_layout": -0.7,
        "segmentsemantic": 94.2,
    }
    table = pd.DataFrame({"arch": list(codes)} | {f"{task}.val_accuracy": value for task, value in values.items()})
    return table.assign(**{name.replace("__", "."): value for name, value in changes.items()})


def imported(table: pd.DataFrame, space: Space = "micro") -> ImportedTable:
    return import_transnas_bench101(io.BytesIO(table.to_csv(index=False).encode()), "test.csv", space)


def test_enumerations() -> None:
    macro, micro = architectures_of("macro"), architectures_of("micro")
    assert (len(macro), len(micro)) == (3_256, 4_096)
    assert macro == sorted(set(macro))
    assert micro == sorted(set(micro))
    assert micro[:2] == ["000000", "000001"]
    # of the 4 to 6 modules, 1 to 4 halve the resolution and 1 to 3 double the channels
    assert "1111" not in macro
    assert "1114" in macro
    assert "2333" in macro
    assert "333332" not in macro
    assert "222233" not in macro


def test_rows_of_a_small_file() -> None:
    result = imported(records("030121", "102333"))
    assert failed(result) == {}
    table = result.table.set_index(["architecture", "dataset"])
    assert len(table) == 2 * 7
    row = table.loc["030121"]
    assert row["epochs"].to_dict() == {
        "autoencoder": 30,
        "class_object": 25,
        "class_scene": 25,
        "jigsaw": 10,
        "normal": 30,
        "room_layout": 25,
        "segmentsemantic": 30,
    }
    assert row["validation_micro_accuracy"].dropna().to_dict() == pytest.approx(
        {"class_object": 8_000 / IMAGES, "class_scene": 10_000 / IMAGES, "jigsaw": 19_000 / IMAGES}
    )
    assert row["validation_ssim"].dropna().to_dict() == {"autoencoder": 0.41, "normal": -0.02}
    assert row["validation_l2_loss"].dropna().to_dict() == {"room_layout": 0.7}
    assert row["validation_pixel_accuracy"].dropna().to_dict() == pytest.approx({"segmentsemantic": 0.942})
    assert (result.source.space_size, result.table["device"].unique().tolist()) == (4_096, [""])


def test_one_code_may_name_an_architecture_of_each_space() -> None:
    macro, micro = imported(records("213122"), "macro"), imported(records("213122"), "micro")
    assert macro.schema.name != micro.schema.name
    assert (macro.schema, micro.schema) == (SCHEMAS["macro"], SCHEMAS["micro"])
    assert macro.source.space_size == 3_256


def test_the_loss_is_better_when_smaller(tmp_path: Path) -> None:
    table = records("213122", "2131", room_layout__val_accuracy=[-0.9, -0.6])
    store_import(imported(table, "macro"), tmp_path / "table.parquet", tmp_path / "report.json")
    benchmark = TabularBenchmark.open(tmp_path / "table.parquet", dataset="room_layout")
    assert benchmark.true_front(["validation_l2_loss"]) == ["2131"]


def test_cells_without_a_path_must_agree() -> None:
    """In 300000 and 033000 nothing reaches the output; in 000100 a skip connection does."""
    table = records("300000", "033000", "000100", class_scene__val_accuracy=[percent(9), percent(9), percent(10_000)])
    assert failed(imported(table)) == {}
    table.loc[1, "class_scene.val_accuracy"] = percent(200)
    assert list(failed(imported(table))) == [
        "class_scene is the same for all cells without a path from input to output"
    ]


@pytest.mark.parametrize("space", ["macro", "micro"])
def test_accuracies_count_whole_images(space: Space) -> None:
    table = records("213122", jigsaw__val_accuracy=percent(19_000) + 30 / IMAGES)
    assert list(failed(imported(table, space))) == ["jigsaw counts whole images"]


@pytest.mark.parametrize(
    ("space", "change", "message"),
    [
        ("micro", lambda t: t.drop(columns="jigsaw.val_accuracy"), r"missing: jigsaw\.val_accuracy"),
        ("micro", lambda t: t.assign(note=1), "unknown: note"),
        ("micro", lambda t: t.iloc[:0], "has no rows"),
        ("micro", lambda t: t.assign(arch=["030121", "030121"]), "the architecture 030121 stands in two"),
        ("micro", lambda t: t.assign(arch=[30121, 213122]), "'30121' in row 0; expected 6 digits .* leading zeros"),
        ("micro", lambda t: t.assign(arch=["030121", "040121"]), "'040121' in row 1"),
        ("macro", lambda t: t.assign(arch=["213122", "211"]), "'211' in row 1; expected 4 to 6 digits"),
        ("macro", lambda t: t.assign(arch=["213122", "1111"]), "1 architectures outside .* the first one is 1111"),
        ("macro", lambda t: t.assign(arch=["030121", "213122"]), "'030121' in row 0"),
        ("micro", lambda t: t.assign(**{"normal.val_accuracy": 54.0}), r"'54\.0' in the column normal"),
        ("micro", lambda t: t.assign(**{"room_layout.val_accuracy": 0.7}), r"'0\.7' in the column room_layout"),
        ("micro", lambda t: t.assign(**{"jigsaw.val_accuracy": 0.9}), "look like fractions"),
        ("micro", lambda t: t.assign(**{"jigsaw.val_accuracy": 9_000}), "'9000' in the column jigsaw"),
        ("micro", lambda t: t.assign(**{"jigsaw.val_accuracy": np.nan}), "'' in the column jigsaw"),
    ],
)
def test_refused_files(space: Space, change: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        imported(change(records("213122", "213121")), space)


@pytest.mark.parametrize(("space", "rows"), [("macro", 22_792), ("micro", 28_672)])
def test_published_tables(shared_data: Path, tmp_path: Path, space: Space, rows: int) -> None:
    path = shared_data / "transnas-bench-101" / f"transbench101_{space}_val_accuracy.csv"
    if not path.is_file():
        pytest.skip(f"TransNAS-Bench-101's table is not at {path}")
    with path.open("rb") as file:
        result = import_transnas_bench101(file, path.name, space)
    assert failed(result) == {}
    assert len(result.table) == rows
    assert sorted(result.table["architecture"].unique()) == architectures_of(space)
    if space == "micro":
        assert {check.compared for check in result.checks[3:]} == {169}
    store_import(result, tmp_path / "table.parquet", tmp_path / "report.json")
    pixels = TabularBenchmark.open(tmp_path / "table.parquet", dataset="segmentsemantic")
    assert pixels.epochs == 30
    # a network that sees nothing still gets most pixels right, which no mean intersection over union does
    assert pixels.values(["validation_pixel_accuracy"]).min() > 0.9
