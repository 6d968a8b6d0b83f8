"""The scripts of the space and sampling stages, one after the other as the workflow runs them."""

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from terranas.core.files import read_json
from terranas.core.tables import read_table
from terranas.sampling.architectures import read_architectures
from terranas.sampling.schema import WALKS
from terranas.space.cell import Cell
from terranas.space.schema import CELLS

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow_scripts"
KEY = "0123456789abcdef"


def run(script: str, folder: Path, **given: Any) -> None:
    parts = {name: SimpleNamespace(**given.get(name, {})) for name in ("input", "output", "params", "wildcards")}
    snakemake = SimpleNamespace(**parts, log=[str(folder / "log.txt")])
    runpy.run_path(str(SCRIPTS / script), init_globals={"snakemake": snakemake})


def run_stages(folder: Path, *, max_vertices: int, steps: int, architectures: str) -> Path:
    cells, walks, listed = folder / "cells.parquet", folder / "walks.parquet", folder / "architectures.csv"
    image = {"bands": 3, "classes": 10, "image_size": 32}
    network = {"stem_channels": 8, "stacks": 2, "cells_per_stack": 1}
    space = {"max_vertices": max_vertices, "max_edges": 9}
    run("space/cells.py", folder, params={"space": space, "network": network, "image": image}, output={"cells": cells})
    graph = {"indptr": folder / "indptr.npy", "indices": folder / "indices.npy", "summary": folder / "summary.json"}
    run(
        "space/neighbours.py",
        folder,
        input={"cells": cells},
        output=graph,
        wildcards={"neighbourhood": "hamming"},
    )
    sampling = {"walks": 6, "steps": steps, "unique": "walk"}
    run(
        "sampling/walks.py",
        folder,
        input={"cells": cells} | {name: [path] for name, path in graph.items()},
        output={"walks": walks},
        params={"sampling": sampling, "seed": 0},
    )
    run(
        "sampling/architectures.py",
        folder,
        input={"cells": cells, "walks": walks},
        output={"architectures": listed},
        params={"architectures": architectures, "key": KEY},
    )
    return listed


def test_default_space_from_cells_to_list(tmp_path: Path) -> None:
    listed = read_architectures(run_stages(tmp_path, max_vertices=4, steps=4, architectures="all"), KEY)
    cells = read_table(tmp_path / "cells.parquet", CELLS)
    assert listed is not None
    assert [architecture.hash for architecture in listed] == cells["hash"].tolist()
    assert all(Cell.from_strings(one.adjacency, one.operations).hash == one.hash for one in listed)
    assert read_json(tmp_path / "summary.json")["edges"] == 135
    assert "91 architectures to train" in (tmp_path / "log.txt").read_text()


def test_list_of_walked_cells_is_equal_in_every_run(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    first = run_stages(tmp_path, max_vertices=4, steps=3, architectures="walks")
    again = run_stages(tmp_path / "again", max_vertices=4, steps=3, architectures="walks")
    assert first.read_bytes() == again.read_bytes()
    walked = read_table(tmp_path / "walks.parquet", WALKS)["hash"].unique()
    listed = read_architectures(first, KEY)
    assert listed is not None
    assert [architecture.hash for architecture in listed] == sorted(walked)


def test_impossible_walks_end_the_script_with_one_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_stages(tmp_path, max_vertices=2, steps=1, architectures="walks")
    assert ended.value.code == 1
    error = capfd.readouterr().err
    assert "No walk of 1 steps was found" in error
    assert "Traceback" not in error
    assert not (tmp_path / "walks.parquet").exists()
