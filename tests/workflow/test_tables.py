"""Importing published tables: `snakemake tables`."""

import json

import pytest

from terranas.benchmark.tabular import TabularBenchmark

pytestmark = pytest.mark.workflow

ALL_TABLES = {
    "nasbench101",
    "eo_hwnas",
    "ec_nas",
    "nasbench201",
    "hw_nas_bench",
    "transnas_bench101_macro",
    "transnas_bench101_micro",
    "nasbench_macro",
}


def test_without_a_configured_table_there_is_nothing_to_import(empty):
    run = empty.snakemake("tables")
    assert run.code != 0
    assert "there is no published table to import" in run.output
    assert "docs/tables.md" in run.output


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"eo_hwnas": "nowhere"}, "benchmark.eo_hwnas is 'nowhere', but there is no such folder"),
        ({"nasbench201": "nowhere"}, "benchmark.nasbench201 is 'nowhere', but there is no such file"),
        ({"hw_nas_bench": "hw.csv"}, "nasbench201 must be set too"),
        ({"ec_nas": "."}, "which lacks energy_4V9E.csv, energy_5V9E.csv"),
        ({"nasbench_macro": "~/macro.json"}, "'~', which is not expanded"),
        ({"nasbench_macro": ""}, "nasbench_macro"),
    ],
)
def test_a_path_that_leads_nowhere_is_told_before_anything_runs(empty, settings, message):
    run = empty.snakemake("tables", settings={"benchmark": settings})
    assert run.code != 0
    assert message in " ".join(run.output.split())
    assert run.rules == set()


def test_every_published_table_is_imported_from_real_files(finished, tmp_path, shared_data):
    place = finished.copy(tmp_path)
    names = {
        "nasbench101": "nas-bench-101/nasbench_real_subset.tfrecord",
        "eo_hwnas": "eo-hwnas",
        "ec_nas": "ec-nas",
        "nasbench201": "nas-bench-201/nasbench201_accuracy_latency.parquet",
        "hw_nas_bench": "nas-bench-201/hw_nas_bench_cifar10_12554.csv",
        "transnas_bench101": "transnas-bench-101",
        "nasbench_macro": "nas-bench-macro/nas-bench-macro_cifar10.json",
    }
    settings = {"benchmark": {name: str(shared_data / path) for name, path in names.items()}}
    run = place.snakemake("tables", settings=settings)
    assert run.code == 0, run.output
    folder = place.results / "benchmark"
    reports = {path.name.removesuffix(".validation.json"): path for path in folder.glob("*.validation.json")}
    assert set(reports) == ALL_TABLES | {"study"}
    for name in ALL_TABLES:
        report = json.loads(reports[name].read_text())
        assert report["checks"], name
        assert all(check["passed"] for check in report["checks"]), name
        assert report["source"]["licence"]
        benchmark = TabularBenchmark.open(folder / f"{name}.parquet", dataset=sorted(report["datasets"])[0])
        assert len(benchmark) > 0
        assert benchmark.coverage is not None
    # the page names them all, and nothing else runs again
    page = place.snakemake(settings=settings)
    assert page.code == 0, page.output
    assert page.rules == {"report_provenance", "report_page"}
    text = (place.results / "report" / "index.html").read_text()
    assert all(name in text for name in ALL_TABLES)
    assert place.snakemake("-n", settings=settings).rules == set()


def test_a_table_that_disagrees_is_refused_unless_the_configuration_says_otherwise(empty, shared_data):
    # a published mean that its own runs do not have
    content = json.loads((shared_data / "nas-bench-macro" / "nas-bench-macro_cifar10.json").read_text())
    first = next(iter(content))
    content[first]["mean_acc"] = content[first]["mean_acc"] + 3
    path = empty.folder / "macro.json"
    path.write_text(json.dumps(content))
    settings = {"benchmark": {"nasbench_macro": str(path)}}
    run = empty.snakemake("tables", settings=settings)
    assert run.code != 0
    log = (empty.results / "logs" / "benchmark" / "nasbench_macro.log").read_text()
    assert "disagrees with what was expected" in log
    assert first in log
    assert not (empty.results / "benchmark" / "nasbench_macro.parquet").exists()
    settings["benchmark"]["disagreement"] = "report"
    run = empty.snakemake("tables", settings=settings)
    assert run.code == 0, run.output
    report = json.loads((empty.results / "benchmark" / "nasbench_macro.validation.json").read_text())
    assert [check["passed"] for check in report["checks"]].count(False) >= 1
