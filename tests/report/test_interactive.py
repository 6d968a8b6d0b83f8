"""Explorers and the player as pages of the report."""

from dataclasses import replace

import pandas as pd
import pytest

from terranas.benchmark.hw_nas_bench import SCHEMA
from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.tables import write_table
from terranas.report.interactive import EXPLORE, Interactive
from terranas.report.shell import PageLink
from terranas.report.stages import BEHIND, frame, ordered
from terranas.sampling.schema import WALKS
from terranas.space.neighbours import build_neighbours, summarise, write_graph

from .player_study import player_source


@pytest.fixture
def files(tmp_path, results):
    """Files of a study that has searched its own table."""
    names = {name: tmp_path / f"{name}.npy" for name in ("indptr", "indices")} | {"graph": tmp_path / "graph.json"}
    graph = build_neighbours(results.cells, "edit_symmetric")
    write_graph(graph, summarise(graph, results.cells, "edit_symmetric"), *names.values())
    write_table(results.walks, tmp_path / "walks.parquet", WALKS)
    write_table(results.table, tmp_path / "study.parquet", BENCHMARK)
    tables = [tmp_path / "study.parquet", tmp_path / "other.parquet"]
    return {**names, "explored": tables, "explored_walks": [tmp_path / "walks.parquet"] * 2, "filled": []}


@pytest.fixture
def pages(results, files):
    """The pages of a study that searched a table over another space, with the explorer of its own table."""
    names = [f"|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|{operation}~2|" for operation in ("none", "x")]
    shared = {"dataset": "CIFAR-10", "epochs": 200, "repeat": 0, "outcome": "ok", "source": "others", "device": ""}
    values = {"test_micro_accuracy": [0.6, 0.7], "macs": [1e7, 2e7]}
    table = pd.DataFrame({"architecture": names, "index": [0, 1]}).assign(**shared, **values)
    other = TabularBenchmark(SCHEMA.validate(table.reindex(columns=SCHEMA.names)), schema=SCHEMA)
    objectives = ["test_micro_accuracy", "latency_ms@FPGA", "macs"]
    searching = {**results.config["search"], "benchmark": "hw_nas_bench", "objectives": objectives}
    study = replace(results, config={**results.config, "search": searching}, searched=other)
    return Interactive(study, files, ["study", "hw_nas_bench"])


def test_pages_stand_between_the_stages_and_what_is_behind_them(pages):
    links = ordered([PageLink("index.html", "Start"), PageLink("runs.html", "Runs", BEHIND), *pages.links])
    assert [link.file for link in links] == [
        "index.html",
        "explorer-study.html",
        "explorer-hw_nas_bench.html",
        "player.html",
        "runs.html",
    ]
    assert {link.group for link in pages.links} == {EXPLORE}


def test_cells_of_the_study_come_with_graphs_and_walks(pages, results):
    source = pages._explorer(0, "study")
    assert len(source.cells) == len(results.cells)
    assert len(source.graph) == len(results.cells)
    assert len(source.walks) == len(results.walks)
    # of the objectives, those that the study's table has
    assert source.objectives == ["test_micro_accuracy", "macs"]


def test_architectures_of_another_space_come_without_them(pages):
    source = pages._explorer(1, "hw_nas_bench")
    assert source.cells is source.graph is source.walks is None
    assert source.objectives == ["test_micro_accuracy", "macs"]


def test_all_pages_are_written(pages, tmp_path, monkeypatch):
    given = []

    def read(*arguments, **named):
        given.append((arguments, named))
        return player_source(explorer=named["explorer"])

    monkeypatch.setattr("terranas.report.interactive.read_player_source", read)
    files = pages.files | {"evaluations": ["e"], "queue": ["q"], "runs": ["r"], "anytime": "a"}
    made = replace(pages, files=files)
    site = tmp_path / "site"
    site.mkdir()
    made.write(site, frame(made.results, made.links))
    assert {path.name for path in site.glob("*.html")} == {link.file for link in made.links}
    assert len(list((site / "data").rglob("*.js"))) > 10
    ((searches, anytime, measured, filled), named) = given[0]
    assert searches == {"evaluations": ["e"], "queue": ["q"], "runs": ["r"]}
    assert (anytime, measured, filled) == ("a", made.results.searched, None)
    assert named["explorer"] == "explorer-hw_nas_bench.html"
