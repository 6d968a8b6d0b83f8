"""The whole workflow at the smallest scale, and the paper's study as a dry run."""

import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from terranas.config import read_config
from terranas.core.tables import read_attributes

pytestmark = pytest.mark.workflow
ROOT = Path(__file__).resolve().parents[2]


def test_every_stage_left_its_files(finished):
    wanted = [
        "space/cells.parquet",
        "data/manifest.json",
        "sampling/walks.parquet",
        "sampling/architectures.csv",
        "profiling/cpu.parquet",
        "benchmark/study.parquet",
        "landscape/study/accuracy_summary.csv",
        "landscape/study/ruggedness.png",
        "landscape/study/edit_symmetric/measures.parquet",
        "landscape/conclusions.parquet",
        "landscape/index.html",
        "surrogates/study/scores.parquet",
        "search/study/surrogate/fronts.parquet",
        "comparison/study/tests.csv",
        "comparison/study/violins.pdf",
        "report/index.html",
        "config.yaml",
        "software.json",
    ]
    assert [name for name in wanted if not (finished.results / name).is_file()] == []
    assert len(list((finished.results / "training").glob("*/status.json"))) == 7


def test_nothing_temporary_or_unfinished_is_left(finished):
    hidden = [path.relative_to(finished.results).as_posix() for path in finished.results.rglob(".*")]
    assert hidden == ["report/.snakemake_timestamp"]  # Snakemake's own, in each folder that is an output
    state = finished.results / "profiling" / "_state"
    assert [path for path in state.rglob("*") if path.is_file()] == []


def test_every_job_left_a_log_and_its_run_time(finished):
    logs = {path.relative_to(finished.results / "logs").with_suffix("") for path in finished.results.rglob("*.log")}
    times = {
        path.relative_to(finished.results / "runtimes").with_suffix("") for path in finished.results.rglob("*.tsv")
    }
    assert len(logs) > 30
    assert logs == times


def test_the_effective_configuration_stands_beside_the_results(finished):
    study = read_config(finished.results / "config.yaml")
    assert study.space.max_vertices == 3
    assert study == read_config(ROOT / "tests" / "workflow" / "smallest.yaml")
    assert "torch" in json.dumps(json.loads((finished.results / "software.json").read_text()))


def test_every_table_names_the_synthetic_data(finished):
    unnamed = []
    for path in finished.results.rglob("*.parquet"):
        stage = path.relative_to(finished.results).parts[0]
        if stage not in ("space", "sampling", "profiling"):  # nothing of these comes from images
            table = pq.read_table(path).to_pandas()
            if table.empty and "dataset" in table:
                continue  # a search without a queue: no row that could be taken for another's
            columns = [table[name] for name in ("dataset", "source", "first_dataset", "first") if name in table]
            stored = read_attributes(path).get("dataset")
            # a row that compares several sets of images names none
            parts = [[stored]] if stored else [[text for text in column if text] for column in columns]
            if not any(part and all("synthetic" in str(text) for text in part) for part in parts):
                unnamed.append(str(path))
    assert unnamed == []


@pytest.mark.parametrize("target", ["data", "landscape", "comparison"])
def test_a_stage_is_a_target_of_its_own_name(empty, target):
    run = empty.snakemake("-n", target)
    assert run.code == 0, run.output
    assert f"\n{target} " in run.output
    assert "report_page" not in run.rules


def test_the_same_study_gives_the_same_tables_on_one_core(finished, tmp_path):
    place = finished.copy(tmp_path)
    wanted = ["space/cells.parquet", "sampling/walks.parquet", "data/band_statistics.parquet"]
    wanted += ["surrogates/study/training_samples.parquet"]
    measured = ["training_seconds", "validation_seconds", "images_per_second"]
    trained = sorted(path for path in (place.results / "training").glob("*/metrics.parquet"))[:2]
    before = {name: (place.results / name).read_bytes() for name in wanted}
    rows = [pq.read_table(path).to_pandas().drop(columns=measured) for path in trained]
    targets = [str(path.relative_to(place.folder)) for path in trained]
    targets += [f"results/smallest/{name}" for name in wanted]
    run = place.snakemake(*targets, "--forceall", "--cores", "1")
    assert run.code == 0, run.output
    assert {name: (place.results / name).read_bytes() for name in wanted} == before
    for path, old in zip(trained, rows, strict=True):
        assert pq.read_table(path).to_pandas().drop(columns=measured).equals(old)


def test_a_dry_run_of_the_paper_lists_450_trainings(empty):
    data = empty.folder / "so2sat"
    data.mkdir()
    for name in ("training", "validation", "testing"):
        with h5py.File(data / f"{name}.h5", "w") as file:
            file["sen1"] = np.zeros((17, 32, 32, 8))
            file["sen2"] = np.zeros((17, 32, 32, 10))
            file["label"] = np.eye(17)
    (empty.folder / "nasbench_only108.tfrecord").touch()
    arguments = ["--config", "data={path: so2sat}", "benchmark={nasbench101: nasbench_only108.tfrecord}"]
    run = empty.snakemake("-n", *arguments, configfile=ROOT / "config" / "paper.yaml")
    assert run.code == 0, run.output[-3000:]
    assert run.jobs["training_train"] == 450
    assert run.jobs["profiling_session"] == 27  # each architecture in three sessions
    assert {"benchmark_nasbench101", "search_run", "report_page"} <= run.rules
    # the list is made once: a second look only parses
    again = empty.snakemake("-n", *arguments, configfile=ROOT / "config" / "paper.yaml")
    assert "making the list of architectures" not in again.output
    assert again.jobs["training_train"] == 450


def test_profiles_share_no_key():
    """What stands in profiles/default overrides --profile slurm, silently."""
    default = yaml.safe_load((ROOT / "profiles" / "default" / "config.yaml").read_text())
    slurm = yaml.safe_load((ROOT / "slurm" / "config.yaml").read_text())
    assert set(default) & set(slurm) == set()
    assert "code" not in default["rerun-triggers"]


def test_every_rule_is_complete():
    """Each rule that runs a script names its log, run time, resources, threads and message."""
    for path in sorted((ROOT / "rules").glob("*.smk")):
        for block in path.read_text().split("\nrule ")[1:]:
            name = block.split(":", 1)[0]
            needed = ["message:"]
            if "script:" in block:
                needed += ["output:", "log:", "benchmark:", "conda:", "params:", "threads:", "mem_mb=", "runtime="]
                if name == "campaign_report":  # without outputs it runs whenever it is asked for
                    needed = [word for word in needed if word not in ("output:", "benchmark:")]
                assert "retries:" not in block, f"{name}: retries belong to the profile"
                script = block.split('script:\n        "')[1].split('"')[0]
                assert (path.parent / script).is_file(), f"{name}: {script} is missing"
            assert [word for word in needed if word not in block] == [], name


def test_scripts_are_thin():
    for path in (ROOT / "workflow_scripts").rglob("*.py"):
        code = [line for line in path.read_text().splitlines() if line.strip() and not line.strip().startswith("#")]
        assert len(code) <= 60, f"{path.name} has {len(code)} lines; the library computes"


def test_the_pages_own_example_of_own_images_works(empty):
    """docs/data.md: its Python and YAML blocks, as they stand."""
    page = (ROOT / "docs" / "data.md").read_text().split("## An `.npz` file\n")[1]
    code = page.split("```python\n")[1].split("```")[0]
    study = page.split("```yaml\n")[1].split("```")[0]
    subprocess.run([sys.executable, "-c", code], cwd=empty.folder, check=True)
    (empty.folder / "my_study.yaml").write_text(study)
    run = empty.snakemake("data", configfile=empty.folder / "my_study.yaml")
    assert run.code == 0, run.output
    manifest = json.loads((empty.folder / "results" / "mine" / "data" / "manifest.json").read_text())
    assert {split: facts["images"] for split, facts in manifest["splits"].items()} == {
        "train": 120,
        "validation": 40,
        "test": 40,
    }
