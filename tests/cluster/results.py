"""Reading and comparing what a study's trainings left."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from terranas.core.tables import TableSchema, read_table
from terranas.training.journal import read_journal
from terranas.training.schema import CLASS_ACCURACIES, CONFUSIONS, EPOCHS
from terranas.training.status import TrainingStatus, read_status

TABLES = {"metrics": EPOCHS, "classes": CLASS_ACCURACIES, "confusion": CONFUSIONS}
WEIGHTS = ("weights", "best_weights")
# of a status: what an interruption, the clock or the code's place changes
MEASURED = {"seconds", "energy_joule", "used", "estimate", "resumed", "interruptions", "code"}


def read_training(results: Path, architecture: str) -> dict[str, Any]:
    """Return status, tables and weights of a training; each reader refuses a damaged file."""
    folder = results / "training" / architecture
    read: dict[str, Any] = {"status": read_status(folder / "status.json")}
    read |= {name: read_table(folder / f"{name}.parquet", schema) for name, schema in TABLES.items()}
    read |= {name: torch.load(folder / f"{name}.pt", weights_only=True) for name in WEIGHTS}
    status: TrainingStatus = read["status"]
    assert status.hash == architecture
    assert status.epochs == len(read["metrics"])
    assert (status.outcome == "ok") == bool(read["weights"]), "weights are there exactly where the training ended well"
    return read


def computed(table: pd.DataFrame, schema: TableSchema) -> pd.DataFrame:
    """Return the columns of a table that are equal in every run."""
    return table[[column.name for column in schema.columns if not column.measured]].reset_index(drop=True)


def assert_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Check that two trainings gave the same numbers bit for bit, measured ones aside."""
    for name, schema in TABLES.items():
        pd.testing.assert_frame_equal(computed(one[name], schema), computed(other[name], schema), check_exact=True)
    for name in WEIGHTS:
        assert one[name].keys() == other[name].keys()
        assert all(torch.equal(one[name][key], other[name][key]) for key in one[name]), name
    first, second = (each["status"].model_dump(exclude=MEASURED) for each in (one, other))
    assert first == second


def journals(results: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the events of every architecture that was ever started."""
    return {path.parent.name: read_journal(path.parent) for path in results.glob("training/_state/*/*/history.jsonl")}


def starts(events: list[dict[str, Any]]) -> list[int]:
    """Return where in a journal each attempt begins."""
    return [index for index, event in enumerate(events) if event["event"] == "started"]


def assert_one_at_a_time(events: list[dict[str, Any]]) -> None:
    """Check that no two processes trained at once and that nothing was trained again after its end.

    A process belongs to one attempt: from its start on, no event of an earlier attempt's process follows.
    """
    beginnings = starts(events)
    assert beginnings[:1] == [0], "the first event is a start"
    attempts = [events[start:end] for start, end in pairwise([*beginnings, len(events)])]
    for number, attempt in enumerate(attempts):
        who = {(event["host"], event["pid"], event["slurm_job"]) for event in attempt}
        assert len(who) == 1, f"attempt {number + 1} has events of several processes: {who}"
        times = [event["time"] for event in attempt]
        assert times == sorted(times)
    ends = [index for index, event in enumerate(events) if event["event"] == "finished"]
    assert len(ends) <= 1, "finished once"
    assert not ends or ends[0] > beginnings[-1], "nothing started after the end"
