"""The script of the training's rule: from the rule's inputs to its outputs."""

import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from terranas.core.errors import TerranasError
from terranas.core.tables import read_table, write_table
from terranas.data.schema import BAND_STATISTICS, CLASS_COUNTS
from terranas.space.network import Network
from terranas.training import NUMERICS_VERSION
from terranas.training.architecture import leave, train_architecture
from terranas.training.deadline import Stop
from terranas.training.schema import CLASS_ACCURACIES, CONFUSIONS, EPOCHS
from terranas.training.status import read_status

OUTPUTS = {
    "metrics": "metrics.parquet",
    "classes": "classes.parquet",
    "confusion": "confusion.parquet",
    "weights": "weights.pt",
    "best_weights": "best_weights.pt",
    "status": "status.json",
}


def train_and_leave(job):
    result = train_architecture(job, Stop(0.0))
    leave([job], result.interrupted)


class Named(dict):
    __getattr__ = dict.__getitem__


@pytest.fixture
def run_script(job, tmp_path):
    given = job()
    numbers = {"source": "npz", "mean": 0.5, "std": 1.2, "min": 0.0, "max": 1.0}
    splits = ("train", "validation", "test")
    rows = [numbers | {"split": split, "band": band} for split in splits for band in range(3)]
    write_table(pd.DataFrame(rows), tmp_path / "statistics.parquet", BAND_STATISTICS)
    counts = [
        {"source": "npz", "split": split, "class_index": index, "class_name": f"c{index}", "count": count}
        for split in splits
        for index, count in enumerate(given.class_counts)
    ]
    write_table(pd.DataFrame(counts), tmp_path / "counts.parquet", CLASS_COUNTS)
    (tmp_path / "manifest.json").write_text(json.dumps(given.manifest))
    inputs = given.arrays | {
        "statistics": str(tmp_path / "statistics.parquet"),
        "class_counts": str(tmp_path / "counts.parquet"),
        "manifest": str(tmp_path / "manifest.json"),
        "pack": [],
    }
    outputs = {name: str(tmp_path / "out" / file) for name, file in OUTPUTS.items()}

    def run(accepted=""):
        params = {
            "cell": {"adjacency": given.adjacency, "operations": given.operations},
            "settings": {"network": given.network, "recipe": given.recipe, "normalisation": "training"},
            "seed": given.seed,
            "accepted": accepted,
            "state": given.state,
        }
        snakemake = SimpleNamespace(
            input=Named(inputs),
            output=Named(outputs),
            params=Named(params),
            wildcards=Named(hash=given.cell.hash),
            resources=Named(nodes=1),
            config={"campaign": given.campaign},
            log=[],
        )
        script = Path(__file__).resolve().parents[2] / "workflow_scripts" / "training" / "train.py"
        exec(compile(script.read_text(), str(script), "exec"), {"snakemake": snakemake})
        return given, outputs

    return run


def test_it_writes_the_result_and_a_second_run_finds_it(run_script):
    job, outputs = run_script()
    metrics = read_table(outputs["metrics"], EPOCHS)
    assert metrics["hash"].unique().tolist() == [job.cell.hash]
    assert metrics["epoch"].tolist() == [1, 2, 3]
    assert set(read_table(outputs["classes"], CLASS_ACCURACIES)["split"]) == {"train", "validation", "test"}
    confusions = read_table(outputs["confusion"], CONFUSIONS)
    images = confusions.groupby(["network", "split"])["images"].sum()
    assert images.to_dict() == {
        (name, s): n for name in ("best", "last") for s, n in (("test", 14), ("validation", 21))
    }
    for name in ("weights", "best_weights"):
        Network(job.cell, job.shape).load_state_dict(torch.load(outputs[name], weights_only=True))
    status = read_status(outputs["status"])
    assert (status.outcome, status.numerics, len(status.code)) == ("ok", NUMERICS_VERSION, 16)
    assert status.interruptions == 0
    assert status.estimate.host_mb > 100

    _, again = run_script()
    assert read_table(again["metrics"], EPOCHS).equals(metrics)  # times included: nothing was trained
    assert read_status(again["status"]).resumed
    assert read_status(again["status"]).test == status.test


def test_it_counts_what_came_in_between(run_script, job):
    with pytest.raises(TerranasError, match="stopped"):
        train_and_leave(job())
    _, outputs = run_script()
    status = read_status(outputs["status"])
    assert (status.outcome, status.resumed, status.interruptions) == ("ok", True, 1)


def test_it_writes_the_failure_row_without_training(run_script):
    _, outputs = run_script(accepted="killed five times")
    for name, schema in (("metrics", EPOCHS), ("classes", CLASS_ACCURACIES), ("confusion", CONFUSIONS)):
        assert len(read_table(outputs[name], schema)) == 0
    assert torch.load(outputs["weights"], weights_only=True) == {}
    status = read_status(outputs["status"])
    assert (status.outcome, status.reason, status.test, status.used) == (
        "accepted_failure",
        "killed five times",
        None,
        None,
    )
