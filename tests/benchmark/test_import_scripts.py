"""The scripts that import tables of other search spaces, on small files in the published form."""

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from terranas.benchmark import nasbench201, nasbench_macro
from terranas.benchmark.hw_nas_bench import _COLUMNS as HW_NAS_BENCH_COLUMNS
from terranas.benchmark.hw_nas_bench import SCHEMA as HW_NAS_BENCH
from terranas.benchmark.nasbench201 import macs_of, parameters_of
from terranas.benchmark.tabular import TabularBenchmark
from terranas.benchmark.transnas_bench101 import SCHEMAS as TRANSNAS_BENCH101
from terranas.config.published import BenchmarkConfig
from terranas.core.files import read_json
from terranas.space.nasbench201 import parse_cells

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tables.md"
CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|none~2|"
TASKS = ("autoencoder", "class_object", "class_scene", "jigsaw", "normal", "room_layout", "segmentsemantic")


def nasbench201_file(path: Path, parameters_m: float | None = None) -> Path:
    labels = parse_cells([CELL])
    row: dict[str, Any] = dict.fromkeys(nasbench201._COLUMNS, 50.0)
    row |= {"idx": 5, "cellstr": CELL, "params_M": parameters_m or parameters_of(labels, 10)[0] / 1e6}
    pd.DataFrame([row]).to_parquet(path)
    return path


def test_nasbench201_and_hw_nas_bench(tmp_path: Path, run_import: Callable[..., None]) -> None:
    table, report = tmp_path / "nasbench201.parquet", tmp_path / "nasbench201.json"
    published = nasbench201_file(tmp_path / "published.parquet")
    run_import("nasbench201", input={"table": published}, output={"table": table, "report": report})
    assert read_json(report)["architectures"] == 1
    assert TabularBenchmark.open(table, dataset="CIFAR-100").architectures == [CELL]

    names = ["idx", "edgegpu_latency", "edgegpu_energy", "raspi4_latency", "edgetpu_latency", "pixel3_latency"]
    names += ["eyeriss_latency", "eyeriss_energy", "eyeriss_arithmetic_intensity", "fpga_latency", "fpga_energy"]
    flop = (macs_of(parse_cells([CELL]), 10, 32)[0] + 10) / 1e6
    row = dict.fromkeys(names, 50.0) | {"idx": 5, "fpga_energy": 350.0, "flop": flop, "test_acc": 50.0}
    records = tmp_path / "hw.csv"
    pd.DataFrame([row]).to_csv(records, index=False)
    out = {"table": tmp_path / "hw.parquet", "report": tmp_path / "hw.json"}
    run_import("hw_nas_bench", input={"nasbench201": table, "records": records}, output=out)
    costs = TabularBenchmark.open(out["table"], device="Jetson TX2")
    assert costs.values(["latency_ms", "inference_energy_mj"]).tolist() == [[50.0, 50.0]]


def test_transnas_bench101(tmp_path: Path, run_import: Callable[..., None]) -> None:
    values = dict.fromkeys(TASKS, 50.0) | {"autoencoder": 0.4, "normal": 0.5, "room_layout": -0.7}
    columns = {f"{task}.val_accuracy": value for task, value in values.items()}
    macro, micro = tmp_path / "macro.csv", tmp_path / "micro.csv"
    pd.DataFrame([{"arch": "2131"} | columns]).to_csv(macro, index=False)
    pd.DataFrame([{"arch": "030121"} | columns]).to_csv(micro, index=False)
    out = {name: tmp_path / f"{name}.parquet" for name in ("macro", "micro")}
    reports = {f"report_{name}": tmp_path / f"{name}.json" for name in ("macro", "micro")}
    run_import("transnas_bench101", input={"macro": macro, "micro": micro}, output=out | reports)
    assert TabularBenchmark.open(out["macro"], dataset="jigsaw").architectures == ["2131"]
    assert TabularBenchmark.open(out["micro"], dataset="jigsaw").architectures == ["030121"]
    assert read_json(reports["report_micro"])["coverage"] == 1 / 4_096


def test_nasbench_macro(tmp_path: Path, run_import: Callable[..., None]) -> None:
    parameters, macs = nasbench_macro.complexity(["01201201"])
    entry = {"test_acc": [90.0] * 3, "mean_acc": 90.0, "std": 0.0, "params": int(parameters[0]), "flops": int(macs[0])}
    records = tmp_path / "records.json"
    records.write_text(json.dumps({"01201201": entry}))
    out = {"table": tmp_path / "table.parquet", "report": tmp_path / "report.json"}
    run_import("nasbench_macro", input={"records": records}, output=out)
    assert TabularBenchmark.open(out["table"]).values(["macs"]).tolist() == [[macs[0]]]


def test_disagreement_ends_the_script_or_is_reported(tmp_path: Path, run_import: Callable[..., None]) -> None:
    published = nasbench201_file(tmp_path / "published.parquet", parameters_m=0.5)
    files = {"input": {"table": published}, "output": {"table": tmp_path / "t.parquet", "report": tmp_path / "t.json"}}
    with pytest.raises(SystemExit):
        run_import("nasbench201", **files)
    assert "parameters equal the closed form" in (tmp_path / "nasbench201.log").read_text()
    assert not files["output"]["table"].exists()
    run_import("nasbench201", disagreement="report", **files)
    failed = [check["name"] for check in read_json(files["output"]["report"])["checks"] if not check["passed"]]
    assert failed == ["parameters equal the closed form"]


def test_the_page_names_every_table_and_column() -> None:
    """docs/tables.md: a section a configuration key, and all columns expected and made."""
    page = PAGE.read_text()
    sections = {key: text for key, _, text in (part.partition("`") for part in page.split("\n## `")[1:])}
    assert list(sections) == [key for key in BenchmarkConfig.model_fields if key != "disagreement"]
    columns = {"nasbench201": nasbench201._COLUMNS, "hw_nas_bench": HW_NAS_BENCH_COLUMNS, "transnas_bench101": TASKS}
    schemas = {
        "nasbench201": nasbench201.SCHEMA,
        "hw_nas_bench": HW_NAS_BENCH,
        "transnas_bench101": TRANSNAS_BENCH101["micro"],
        "nasbench_macro": nasbench_macro.SCHEMA,
    }
    for key, schema in schemas.items():
        named = {name for code in re.findall("`([^`]+)`", sections[key]) for name in expanded(code)}
        made = {column.name for column in schema.columns if column.direction}
        assert named >= {*columns.get(key, ()), *made}, key


def expanded(code: str) -> list[str]:
    """Return the names that a text such as ``{a,b}_latency`` stands for."""
    parts = [part.split(",") for part in re.split(r"[{}]", code)]
    return ["".join(chosen) for chosen in itertools.product(*parts)]


def test_the_pages_example_works(
    tmp_path: Path, run_import: Callable[..., None], capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    test_nasbench201_and_hw_nas_bench(tmp_path, run_import)
    folder = tmp_path / "results" / "demo" / "benchmark"
    folder.mkdir(parents=True)
    (tmp_path / "hw.parquet").replace(folder / "hw_nas_bench.parquet")
    monkeypatch.chdir(tmp_path)
    exec(PAGE.read_text().split("```python\n")[1].split("```")[0], {})
    assert capsys.readouterr().out == f"1 ['{CELL}']\n"
