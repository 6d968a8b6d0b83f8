"""The stage's scripts, measuring on this machine's processor."""

import json
import logging
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from terranas.core.tables import read_attributes, read_table
from terranas.profiling.measurement import Workbench
from terranas.profiling.memory import HostMemory, MemoryServer
from terranas.profiling.networks import build_network
from terranas.profiling.schema import CONDITIONS, MEASUREMENTS, PROFILES, SAMPLES, SIZES
from terranas.profiling.session import REFERENCE
from terranas.space.cell import Cell
from terranas.space.table import cells_table

from .scripted import SHAPE, Killed, content_of

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow_scripts" / "profiling"


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    return cells_table(3, 9, SHAPE)


@pytest.fixture(autouse=True)
def as_it_was() -> Any:
    """Undo what the scripts change for their own process."""
    threads, handlers = torch.get_num_threads(), logging.root.handlers[:]
    yield
    torch.set_num_threads(threads)
    logging.root.handlers[:] = handlers


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what takes most of the time: the processes that memory is measured in."""
    monkeypatch.setattr(MemoryServer, "measure", lambda *_: HostMemory("ok"))


def session_of(folder: Path, members: pd.DataFrame, session: int = 0, **changes: Any) -> SimpleNamespace:
    names = {"measurements": "", "samples": "_samples", "sizes": "_sizes"}
    content = content_of(**{"reference_every": 3, "repeats": 0} | changes)
    weights = [folder / f"{name}.pt" for name in members["hash"]] if content["weights"] == "trained" else []
    return SimpleNamespace(
        params=SimpleNamespace(
            members=members[["hash", "adjacency", "operations"]].to_dict("records"),
            network={name: getattr(SHAPE, name) for name in ("stem_channels", "stacks", "cells_per_stack")},
            image={name: getattr(SHAPE, name) for name in ("bands", "classes", "image_size")},
            settings=content | {"backend_content": None},
            seed=0,
            numerics="profiling 0",
            backend=None,
            state=str(folder),
        ),
        wildcards=SimpleNamespace(device="cpu", session=str(session)),
        input=SimpleNamespace(weights=weights),
        output=SimpleNamespace(
            **{name: folder / "cpu" / f"session_{session}{ending}.parquet" for name, ending in names.items()}
        ),
        log=[],
    )


def run(script: str, snakemake: SimpleNamespace) -> None:
    runpy.run_path(str(SCRIPTS / script), init_globals={"snakemake": snakemake})


def test_the_scripts_measure_and_collect(cells: pd.DataFrame, tmp_path: Path) -> None:
    cells = cells.head(4).reset_index(drop=True)
    sessions = [
        session_of(tmp_path, cells.sample(frac=1, random_state=number), number, batch_sizes=[2, 1])
        for number in range(2)
    ]
    for session in sessions:
        run("session.py", session)
    assert not (tmp_path / "_state").exists()
    table = read_table(sessions[1].output.measurements, MEASUREMENTS)
    members = table[table["role"] == "member"]
    assert members["hash"].unique().tolist() == [member["hash"] for member in sessions[1].params.members]
    assert table["role"].tolist()[:2] == ["empty", "reference"]
    assert table["hash"].tolist()[1] == REFERENCE.hash
    assert (table["outcome"] == "ok").all()
    # the empty network does nothing, the reference network computes
    assert table["latency_ms"][0] < table["latency_ms"][1]
    samples = read_table(sessions[1].output.samples, SAMPLES)
    assert len(samples) == table["runs"].sum() == 3 * len(table)
    sizes = read_table(sessions[1].output.sizes, SIZES).set_index("hash")
    expected = cells.set_index("hash")[["parameters", "macs"]].loc[sizes.index].astype("int64")
    pd.testing.assert_frame_equal(sizes[["parameters", "macs"]], expected)
    (description,) = read_attributes(sessions[1].output.measurements)["descriptions"]
    assert (description["session"], description["process"]) == (1, 0)

    collecting = SimpleNamespace(
        params=SimpleNamespace(settings=content_of(batch_sizes=[2, 1], sessions=2)),
        input=SimpleNamespace(
            **{name: [vars(session.output)[name] for session in sessions] for name in ("measurements", "samples")},
            sizes=[session.output.sizes for session in sessions],
        ),
        output=SimpleNamespace(profiles=tmp_path / "cpu.parquet", conditions=tmp_path / "cpu_conditions.parquet"),
        log=[],
    )
    run("collect.py", collecting)
    profiles = read_table(tmp_path / "cpu.parquet", PROFILES)
    assert profiles["hash"].tolist() == cells["hash"].tolist()
    assert profiles["macs"].tolist() == cells["macs"].tolist()
    assert set(profiles["batch_size"]) == {2}
    assert profiles["latency_ms"].gt(0).all()
    assert profiles["peak_memory_bytes"].gt(profiles["baseline_memory_bytes"]).all()
    said = json.loads(profiles["description"][0])
    assert said["common"]["torch"] == torch.__version__
    assert set(said["sessions"]) == {"0", "1"}
    conditions = read_table(tmp_path / "cpu_conditions.parquet", CONDITIONS)
    assert len(conditions) == 2 * len(cells)
    np.testing.assert_array_equal(conditions.loc[conditions["batch_size"] == 2, "runs"], profiles["runs"])


@pytest.mark.usefixtures("no_memory")
def test_only_blocks_of_equal_settings_are_taken_up(
    cells: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []
    measure = Workbench.measure

    def dying(self: Workbench, cell: Cell | None, condition: Any, **energy: bool) -> Any:
        asked.append(("" if cell is None else cell.hash, condition.batch_size))
        if len(asked) == 7:
            raise Killed
        return measure(self, cell, condition, **energy)

    monkeypatch.setattr(Workbench, "measure", dying)
    with pytest.raises(Killed):
        run("session.py", session_of(tmp_path, cells, batch_sizes=[2]))
    assert not (tmp_path / "cpu").exists()
    # seven members in three blocks, four references, the empty network
    run("session.py", session_of(tmp_path, cells, batch_sizes=[1]))
    assert [batch_size for _, batch_size in asked[7:]] == [1] * 12
    run("session.py", session_of(tmp_path, cells, batch_sizes=[2]))
    later = cells["hash"].tolist()[3:]
    assert asked[19:] == [(name, 2) for name in (REFERENCE.hash, *later[:3], REFERENCE.hash, later[3], REFERENCE.hash)]
    assert not (tmp_path / "_state").exists()


@pytest.mark.usefixtures("no_memory")
def test_trained_weights_belong_to_their_architectures(
    cells: pd.DataFrame, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the script's own set-up of the log would take pytest's handler away
    monkeypatch.setattr("terranas.core.script.configure_logging", lambda *_: None)
    members = cells.head(2)
    for row in members.itertuples():
        cell = Cell.from_strings(str(row.adjacency), str(row.operations))
        torch.save(build_network(cell, SHAPE, 1).state_dict(), tmp_path / f"{cell.hash}.pt")
    session = session_of(tmp_path, members, weights="trained")
    run("session.py", session)
    assert len(read_table(session.output.sizes, SIZES)) == 2
    session.input.weights.reverse()
    with pytest.raises(SystemExit):
        run("session.py", session)
    assert f"holds weights of another architecture than {members['hash'].iloc[0]}" in caplog.text
